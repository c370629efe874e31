"""What Shopify's user errors mean: nothing was done, and why."""

from __future__ import annotations

from typing import Any

from bot.orders.contract import Conflict, NotAllowed, NotFound, OrderError, Unavailable

BY_CODE: dict[str, type[OrderError]] = {
    "NOT_FOUND": NotFound,
    "TAKEN": Conflict,
    "DUPLICATE": Conflict,
    "ALREADY_EXISTS": Conflict,
    "STALE_OBJECT": Conflict,
    "INTERNAL_ERROR": Unavailable,
}


def told(payload: dict[str, Any] | None, errors: str = "userErrors") -> dict[str, Any]:
    """A mutation's payload that has no user errors.

    Raises:
        OrderError: it has; by their codes, `NotAllowed` where they have none or another.
    """
    if payload is None:
        raise Unavailable("Shopify did nothing, and does not say why")
    found = payload.get(errors) or []
    if found:
        said = "; ".join(_sentence(it) for it in found)
        codes = [str(it["code"]) for it in found if it.get("code")]
        raise BY_CODE.get(codes[0] if codes else "", NotAllowed)(f"Shopify: {said}")
    return payload


def _sentence(error: dict[str, Any]) -> str:
    where = ".".join(str(it) for it in error.get("field") or [])
    return f"{where}: {error['message']}" if where else str(error["message"])

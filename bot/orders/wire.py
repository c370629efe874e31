"""The nouns of the contract as JSON, strictly: what does not fit is told with the field's name and
without its content, which may be personal data.

The shape is the dataclasses': their field names, days as ``2026-10-31``, moments as
``2026-10-31T09:30:00Z``, amounts as ``{"minor": 1295, "currency": "GBP"}``. Fields that we do not
know are left alone, so that a shop may say more.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.orders.contract import Customer, Done, GiftCard, Money, Order, Part

T = TypeVar("T")

KEY = re.compile(r"[A-Za-z0-9_./-]{1,80}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_COUNTRY = re.compile(r"[A-Z]{2}")


class Misfit(ValueError):
    """JSON that does not fit; the text names the field, and holds nothing of what stood there."""


def read(kind: type[T], body: bytes | str) -> T:
    """A value of a kind (``Order``, ``Done``, ``list[Order]`` ...) from JSON.

    Raises:
        Misfit: it is no JSON, or does not fit.
    """
    try:
        value = _adapter(kind).validate_json(body, strict=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "the answer"
        raise Misfit(f"{where}: {first['type']}") from None
    except (UnicodeError, RecursionError) as error:
        raise Misfit(f"the answer: {type(error).__name__}") from None
    return _checked(value)


def write(value: Any) -> Any:
    """A value as what ``json.dumps`` takes."""
    return _adapter(type(value)).dump_python(value, mode="json")


def checked_key(key: str) -> str:
    """An idempotency key as the contract allows it.

    Raises:
        ValueError: it is a mistake of the caller.
    """
    if not KEY.fullmatch(key):
        raise ValueError("a key is 1 to 80 characters of A-Z a-z 0-9 _ . / -")
    return key


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _checked(value: Any) -> Any:
    """What types do not say: zones, currencies, quantities, lines that exist."""
    if isinstance(value, list):
        return [_checked(it) for it in value]
    value = _in_utc(value, "")
    if isinstance(value, Order):
        _check_order(value)
    elif isinstance(value, Done) and value.order is not None:
        _check_order(value.order)
    elif isinstance(value, GiftCard) and len(value.last4) != 4:
        raise Misfit("last4: four characters")
    elif isinstance(value, Customer) and not value.id:
        raise Misfit("id: empty")
    return value


def _in_utc(value: Any, where: str) -> Any:
    """The same with all moments in UTC; amounts and currencies are looked at on the way."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise Misfit(f"{where}: a moment without its zone")
        return value.astimezone(UTC)
    if isinstance(value, tuple):
        return tuple(_in_utc(it, f"{where}.{index}") for index, it in enumerate(value))
    if isinstance(value, Money) and not _CURRENCY.fullmatch(value.currency):
        raise Misfit(f"{where}.currency: three capital letters of ISO 4217")
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    changes = {}
    for field in dataclasses.fields(value):
        before = getattr(value, field.name)
        after = _in_utc(before, f"{where}.{field.name}".lstrip("."))
        if after is not before:
            changes[field.name] = after
    return dataclasses.replace(value, **changes) if changes else value


def _check_order(order: Order) -> None:
    if not order.number:
        raise Misfit("number: empty")
    if not _COUNTRY.fullmatch(order.address.country):
        raise Misfit("address.country: two capital letters of ISO 3166-1")
    if not order.lines:
        raise Misfit("lines: none")
    known = {line.id: line for line in order.lines}
    if len(known) < len(order.lines):
        raise Misfit("lines: two with the same id")
    for index, line in enumerate(order.lines):
        where = f"lines.{index}"
        if line.quantity < 1 or min(line.cancelled, line.returned, line.left) < 0:
            raise Misfit(f"{where}.quantity: less than what was cancelled and returned")
        if line.price.currency != order.total.currency or line.price.minor < 0:
            raise Misfit(f"{where}.price: less than nothing, or of another currency than the total")
    for index, shipment in enumerate(order.shipments):
        _check_parts(shipment.parts, known, f"shipments.{index}.parts")
    for index, coming in enumerate(order.returns):
        _check_parts(coming.parts, known, f"returns.{index}.parts")


def _check_parts(parts: Iterable[Part], known: dict[str, Any], where: str) -> None:
    for part in parts:
        if part.line_id not in known or not 1 <= part.quantity <= known[part.line_id].quantity:
            raise Misfit(f"{where}: no such line, or not so many of it")

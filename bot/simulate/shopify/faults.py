"""What can go wrong with a call. A fault changes the `Call` that it meets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Call:
    """One request, and what becomes of it.

    Attributes:
        act: whether it is carried out.
        cut: the connection ends without an answer.
        wait, wait_after: seconds before and after it is carried out.
        answer: status, body and headers in place of the true ones.
        user_errors: what mutations answer in place of doing it.
    """

    operation: str
    variables: dict[str, Any]
    act: bool = True
    cut: bool = False
    wait: float = 0.0
    wait_after: float = 0.0
    answer: tuple[int, Any, dict[str, str]] | None = None
    user_errors: list[dict[str, Any]] = field(default_factory=list)


Fault = Callable[[Call], None]


def status(code: int, body: Any = None, **headers: str) -> Fault:
    """Answers with a status, and does nothing."""

    def fault(call: Call) -> None:
        call.act = False
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        call.answer = (code, body or {"errors": "no"}, named)

    return fault


def reset_before(call: Call) -> None:
    """Cuts the connection before it does anything."""
    call.act, call.cut = False, True


def reset_after(call: Call) -> None:
    """Does what is asked, and cuts the connection instead of answering."""
    call.cut = True


def error_after(call: Call) -> None:
    """Does what is asked, and answers 500."""
    call.answer = (500, {"errors": "oops"}, {})


def slow(seconds: float) -> Fault:
    """Takes its time, and does what is asked at the end of it."""

    def fault(call: Call) -> None:
        call.wait = seconds

    return fault


def slow_after(seconds: float) -> Fault:
    """Does what is asked, and takes its time to answer."""

    def fault(call: Call) -> None:
        call.wait_after = seconds

    return fault


def throttled(missing: int = 10, restore: int = 100) -> Fault:
    """We have asked for too much: so many points are missing, so many come back in a second."""

    def fault(call: Call) -> None:
        call.act = False
        cost = {
            "requestedQueryCost": 100 + missing,
            "actualQueryCost": None,
            "throttleStatus": {
                "maximumAvailable": 2000.0,
                "currentlyAvailable": 100,
                "restoreRate": float(restore),
            },
        }
        errors = [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]
        call.answer = (200, {"errors": errors, "extensions": {"cost": cost}}, {})

    return fault


def denied(scope: str) -> Fault:
    """The app lacks a scope."""

    def fault(call: Call) -> None:
        call.act = False
        call.answer = (200, {"data": None, "errors": [denial(call.operation, scope)]}, {})

    return fault


def denial(field_name: str, scope: str) -> dict[str, Any]:
    """What Shopify answers without a scope."""
    need = f"`{scope}` access scope."
    return {
        "message": f"Access denied for {field_name} field. Required access: {need}",
        "extensions": {"code": "ACCESS_DENIED", "requiredAccess": need},
        "path": [field_name],
    }


def user_error(message: str, code: str = "", at: str = "") -> Fault:
    """A mutation refuses, and says why."""

    def fault(call: Call) -> None:
        error: dict[str, Any] = {"message": message, "field": [at] if at else None}
        call.user_errors = [{**error, "code": code} if code else error]

    return fault


def fine(call: Call) -> None:
    """Nothing goes wrong with this one."""

"""An order in short, as it is shown beside the words about it: in the widget and at the desk.

A card travels with a reply through the engine and lies in the store, so it is looked through again
wherever it comes out: what is not known, too long or of another shape stays behind.
"""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Any, TypeVar
from urllib.parse import urlsplit

from bot.orders.contract import Order, OrderState, ShipmentState

State = TypeVar("State", OrderState, ShipmentState)

MOST_LINES = 30
MOST_PARCELS = 10
LONGEST_TITLE = 160
LONGEST_URL = 500
_MOST = 9999  # of one thing

# "Dispatched", not "on its way": a parcel of the order may be lost, and says so itself.
ORDER_WORDS = {
    OrderState.RECEIVED: "Received, not packed yet",
    OrderState.PACKED: "Packed, not sent yet",
    OrderState.DISPATCHED: "Dispatched",
    OrderState.READY_TO_COLLECT: "Ready to collect",
    OrderState.DELIVERED: "Delivered",
    OrderState.CANCELLED: "Cancelled",
}
PARCEL_WORDS = {
    ShipmentState.PREPARING: "Not yet on its way",
    ShipmentState.IN_TRANSIT: "On its way",
    ShipmentState.OUT_FOR_DELIVERY: "Out for delivery",
    ShipmentState.READY_TO_COLLECT: "Ready to collect",
    ShipmentState.FAILED: "Could not be delivered at the first attempt",
    ShipmentState.DELIVERED: "Delivered",
    ShipmentState.LOST: "Lost by the carrier",
    ShipmentState.RETURNED: "Back in our warehouse",
}


def card(order: Order) -> dict[str, Any]:
    """The order for the widget's card and for the desk."""
    return {
        "number": order.number,
        "state": order.state.value,
        "placed": order.placed_at.date().isoformat(),
        "total": str(order.total),
        "promised": order.promised.isoformat() if order.promised else None,
        "lines": [{"title": it.title, "count": it.quantity, "left": it.left} for it in order.lines],
        "parcels": [
            {"state": it.state.value, "carrier": it.carrier, "url": it.tracking_url}
            for it in order.shipments
        ],
    }


def checked(found: object) -> dict[str, Any] | None:
    """What may be shown of a card that came from elsewhere.

    Returns:
        ``number``, ``state``, ``words`` (the state in words), ``placed`` and ``promised`` (ISO days
        or None), ``total``, ``lines`` (``title``, ``count``, ``left``), ``more`` (how many lines
        there are besides) and ``parcels`` (``state``, ``words``, ``carrier``, ``url``: https or
        ""). None where there is no card in it: no dict, no number, no state that we know.
    """
    if not isinstance(found, dict):
        return None
    number = _text(found.get("number"), 40)
    state = _one_of(OrderState, found.get("state"))
    if not number or state is None:
        return None
    lines = [line for line in map(_line, _list(found.get("lines"))) if line]
    parcels = [parcel for parcel in map(_parcel, _list(found.get("parcels"))) if parcel]
    return {
        "number": number,
        "state": state.value,
        "words": ORDER_WORDS[state],
        "placed": _day(found.get("placed")),
        "promised": _day(found.get("promised")),
        "total": _text(found.get("total"), 24),
        "lines": lines[:MOST_LINES],
        # The count of a card that was cut before goes on with it.
        "more": _count(found.get("more")) + len(lines[MOST_LINES:]),
        "parcels": parcels[:MOST_PARCELS],
    }


def _line(found: object) -> dict[str, Any] | None:
    if not isinstance(found, dict):
        return None
    title, count = _text(found.get("title"), LONGEST_TITLE), _count(found.get("count"))
    if not title or not count:
        return None
    left = found.get("left", count)
    return {"title": title, "count": count, "left": min(_count(left), count)}


def _parcel(found: object) -> dict[str, Any] | None:
    state = _one_of(ShipmentState, found.get("state")) if isinstance(found, dict) else None
    if not isinstance(found, dict) or state is None:
        return None
    return {
        "state": state.value,
        "words": PARCEL_WORDS[state],
        "carrier": _text(found.get("carrier"), 60),
        "url": _address(found.get("url")),
    }


def _one_of(states: type[State], found: object) -> State | None:
    return next((it for it in states if isinstance(found, str) and it.value == found), None)


def _list(found: object) -> list[Any]:
    return found if isinstance(found, list) else []


def _count(found: object) -> int:
    """A whole number from 0; 0 for everything else."""
    whole = isinstance(found, int) and not isinstance(found, bool)
    return max(0, min(int(found), _MOST)) if whole else 0  # type: ignore[call-overload]


def _day(found: object) -> str | None:
    try:
        return date.fromisoformat(found).isoformat() if isinstance(found, str) else None
    except ValueError:
        return None


def _text(found: object, longest: int) -> str:
    """One line of at most so many characters; "" for what is no text."""
    if not isinstance(found, str):
        return ""
    # More than enough to find the end; nobody shall make us look through a megabyte.
    clean = "".join(" " if it.isspace() else it for it in found[: longest * 4] if _shown(it))
    words = " ".join(clean.split())
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"


def _shown(character: str) -> bool:
    """Not what cannot be stored or seen, nor what turns the text around it."""
    if character.isspace():
        return True
    turns = "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069"
    return not turns and unicodedata.category(character) not in ("Cc", "Cs", "Co", "Cn")


def _address(found: object) -> str:
    """An https address that can be followed as it stands; else ""."""
    if not isinstance(found, str) or not 9 <= len(found) <= LONGEST_URL:
        return ""
    if not all("!" <= it <= "~" and it not in '"<>\\^`{|}' for it in found):
        return ""
    try:
        parts = urlsplit(found)
        host = parts.hostname or ""
    except ValueError:
        return ""
    # A name before an @ makes an address look like another one.
    return found if parts.scheme == "https" and host and "@" not in parts.netloc else ""

"""Where an order is, and its money: the reply that says so, from the record alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from actions.jobs.replies import Items, Listed, Number, Phrase, day_in_words, items_of
from bot.orders.contract import Order, OrderState, Refund, RefundState, Shipment, ShipmentState
from bot.orders.policy import Policy

Reply = tuple[str, dict[str, Any]]
ON_ITS_WAY = (ShipmentState.IN_TRANSIT, ShipmentState.OUT_FOR_DELIVERY)

WORDS = {
    ShipmentState.PREPARING: "not yet on its way",
    ShipmentState.IN_TRANSIT: "on its way",
    ShipmentState.OUT_FOR_DELIVERY: "out for delivery",
    ShipmentState.READY_TO_COLLECT: "ready to collect",
    ShipmentState.FAILED: "could not be delivered at the first attempt",
    ShipmentState.DELIVERED: "delivered",
    ShipmentState.LOST: "lost by the carrier",
    ShipmentState.RETURNED: "back in our warehouse",
}


def status(order: Order, today: date) -> Reply:
    """What there is to say about where an order is."""
    number, items = Number(order.number), items_of(order)
    about: dict[str, Any] = {"number": number, "items": items}
    if order.state is OrderState.CANCELLED:
        return "status_cancelled", {"number": number}
    if len(order.shipments) > 1:
        return "status_split", {"number": number, "parcels": _parcels(order, today)}
    parcel = order.shipments[0] if order.shipments else None
    if parcel is not None:
        if parcel.state is ShipmentState.FAILED:
            return "status_failed", {**about, "tracking": tracking(parcel)}
        if parcel.state is ShipmentState.LOST:
            return "status_lost", about
        if parcel.state is ShipmentState.RETURNED:
            return "status_came_back", about
    if order.state is OrderState.DELIVERED:
        day = order.delivered_at.date() if order.delivered_at else None
        return ("status_delivered", {**about, "day": day}) if day else ("status_ready", about)
    if order.state is OrderState.READY_TO_COLLECT:
        return "status_ready", about
    if late_days(order, today) > 0:
        assert order.promised is not None
        where = Phrase(_where(order, parcel, today))
        links = tracking(parcel) if parcel else Phrase("")
        return "status_late", {
            **about, "promised": order.promised, "where": where, "tracking": links
        }  # fmt: skip
    if order.state is OrderState.DISPATCHED and parcel is not None:
        when = _when(parcel.expected or order.promised, today)
        return "status_on_its_way", {**about, "when": when, "tracking": tracking(parcel)}
    name = "status_packed" if order.state is OrderState.PACKED else "status_received"
    return name, {**about, "when": _when(order.promised, today)}


def late_days(order: Order, today: date) -> int:
    """By how many days it is later than promised; 0 where it is not, or came in time."""
    over = order.state in (OrderState.DELIVERED, OrderState.CANCELLED, OrderState.READY_TO_COLLECT)
    if order.promised is None or (over and order.delivered_at is None):
        return 0
    until = order.delivered_at.date() if over and order.delivered_at else today
    return max(0, (until - order.promised).days)


def tracking(parcel: Shipment) -> Phrase:
    """Where to follow a parcel."""
    if not (parcel.tracking_url or parcel.tracking_number):
        return Phrase("")
    by = f"{parcel.carrier}, " if parcel.carrier else ""
    return Phrase(f"Tracking: {by}{parcel.tracking_url or parcel.tracking_number}")


def _when(day: date | None, today: date) -> Phrase:
    if day is None:
        return Phrase("")
    if day == today:
        return Phrase("It should arrive today.")
    if day == today + timedelta(days=1):
        return Phrase("It should arrive by tomorrow.")
    return Phrase(f"It should arrive by {day_in_words(day)}.") if day > today else Phrase("")


def _where(order: Order, parcel: Shipment | None, today: date) -> str:
    if order.state is OrderState.RECEIVED:
        return "It has not been packed yet."
    if order.state is OrderState.PACKED or parcel is None:
        return "It is packed and has not left our warehouse yet."
    words = f"It is {WORDS[parcel.state]}"
    if parcel.expected and parcel.expected >= today:
        return f"{words}, and the carrier expects it by {day_in_words(parcel.expected)}."
    return f"{words}."


def _parcels(order: Order, today: date) -> Listed:
    return Listed(tuple(_parcel_lines(order, today)))


def _parcel_lines(order: Order, today: date) -> Iterator[str]:
    for parcel in order.shipments:
        lines = tuple((order.line(part.line_id), part.quantity) for part in parcel.parts)
        words = f"{Items(lines)}: {WORDS[parcel.state]}"
        if parcel.state is ShipmentState.DELIVERED and parcel.delivered_at:
            words += f" on {day_in_words(parcel.delivered_at.date())}"
        elif parcel.state in ON_ITS_WAY and parcel.expected and parcel.expected >= today:
            words += f", expected by {day_in_words(parcel.expected)}"
        links = str(tracking(parcel)) if parcel.state is not ShipmentState.DELIVERED else ""
        yield f"{words}. {links}".strip()


def money(order: Order, policy: Policy, today: date) -> Reply:
    """Where the money is that goes back."""
    number = Number(order.number)
    if not order.refunds:
        if any(one.state in ("registered", "arrived") for one in order.returns):
            return "refund_waits", {"number": number, "refund": policy.refund_issued}
        return "refund_none", {"number": number}
    latest = max(order.refunds, key=_moment)
    method = Phrase(latest.method or "the way it was paid")
    about: dict[str, Any] = {"number": number, "amount": latest.amount, "method": method}
    if latest.state is RefundState.ISSUED and latest.issued_at:
        day = policy.today(latest.issued_at)
        due = policy.refund_at_bank.after(day)
        name = "refund_issued" if due >= today else "refund_overdue"
        return name, {**about, "day": day, "due": due}
    begun = policy.today(latest.created_at) if latest.created_at else today
    return "refund_pending", {**about, "due": policy.refund_issued.after(begun)}


def _moment(refund: Refund) -> float:
    at = refund.issued_at or refund.created_at
    return at.timestamp() if at else 0.0

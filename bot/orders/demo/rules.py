"""The demo shop's rules, as its articles tell them to customers."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.orders.contract import (
    Address,
    Conflict,
    Line,
    Money,
    NotAllowed,
    Order,
    OrderState,
    Part,
    ShipmentState,
)

SHOP = ZoneInfo("Europe/London")
RETURN_DAYS = 60
REFUND_DELIVERY_DAYS = 14
RETURN_COST = Money(695, "EUR")
OUR_FAULT = frozenset({"damaged", "faulty", "wrong", "wrong_item", "not_as_described"})

_PACKED = {
    ShipmentState.DELIVERED: OrderState.DELIVERED,
    ShipmentState.PREPARING: OrderState.PACKED,
    ShipmentState.READY_TO_COLLECT: OrderState.READY_TO_COLLECT,
}
_SLOWEST_FIRST = (
    OrderState.PACKED,
    OrderState.DISPATCHED,
    OrderState.READY_TO_COLLECT,
    OrderState.DELIVERED,
)
_UK_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}", re.IGNORECASE)
_NO_HOME = re.compile(r"\bP\.?\s?O\.? box\b|\bBFPO\b|\bparcel ?locker\b", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f\ufffd\ud800-\udfff]")


@dataclass(frozen=True)
class Tariff:
    """What a way of delivery costs, in minor units, and from what sum on it is free; None: never."""

    currency: str
    price: int
    free_from: int | None
    days: int  # until when it should arrive, from the order

    def price_for(self, goods: int) -> int:
        return 0 if self.free_from is not None and goods >= self.free_from else self.price


STANDARD, EXPRESS, COLLECT = "Standard delivery", "Express delivery", "Click and collect"


def tariff(country: str, delivery: str) -> Tariff:
    """The price of delivery to a country."""
    if country == "GB":
        if delivery == EXPRESS:
            return Tariff("GBP", 795, None, 1)
        return Tariff("GBP", 0, None, 3) if delivery == COLLECT else Tariff("GBP", 395, 5000, 5)
    if country == "IE":
        return Tariff("EUR", 695, None, 7)
    if country in ("NO", "CH"):
        return Tariff("EUR", 1495, None, 13)
    return Tariff("EUR", 895, 10000, 10)


def day_of(moment: datetime) -> date:
    """The day at the shop."""
    return moment.astimezone(SHOP).date()


def state_of(order: Order) -> OrderState:
    """The state of the part that is furthest behind."""
    packed = _quantities(part for shipment in order.shipments for part in shipment.parts)
    bought = [line for line in order.lines if line.quantity > line.cancelled]
    if not bought:
        return OrderState.CANCELLED
    if any(line.quantity - line.cancelled > packed[line.id] for line in bought):
        return OrderState.RECEIVED
    found = {_PACKED.get(shipment.state, OrderState.DISPATCHED) for shipment in order.shipments}
    return next(state for state in _SLOWEST_FIRST if state in found)


def settled(order: Order) -> Order:
    """With what follows from its lines and parcels: its state, when it was delivered, and whether
    there is an invoice, which is when all of it is dispatched."""
    state = state_of(order)
    arrived = [it.delivered_at for it in order.shipments if it.delivered_at]
    return dataclasses.replace(
        order,
        state=state,
        delivered_at=max(arrived) if state is OrderState.DELIVERED else None,
        invoice_ready=state not in (OrderState.RECEIVED, OrderState.PACKED, OrderState.CANCELLED),
    )


def cancelled(order: Order, parts: tuple[Part, ...]) -> Order:
    """The order without some of its parts, or with () as cancelled. Raises: NotAllowed, Conflict."""
    packed = _quantities(part for shipment in order.shipments for part in shipment.parts)
    if order.state is not OrderState.RECEIVED or (not parts and packed):
        raise NotAllowed(f"{order.number} is {order.state}, or some of it is packed")
    for part in _checked(order, parts):
        line = order.line(part.line_id)
        if part.quantity > line.quantity - line.cancelled:
            raise Conflict(f"there are not {part.quantity} left of that line")
        if part.quantity > line.quantity - line.cancelled - packed[line.id]:
            raise NotAllowed("that line is packed")
    taken = _quantities(parts)
    lines = tuple(
        dataclasses.replace(
            line, cancelled=line.cancelled + taken[line.id] if parts else line.quantity
        )
        for line in order.lines
    )
    order = settled(dataclasses.replace(order, lines=lines))
    if order.state is OrderState.CANCELLED:
        return dataclasses.replace(order, promised=None)
    return _priced(order, delivery_too=not order.shipments)


def _priced(order: Order, *, delivery_too: bool) -> Order:
    """With what is left of it to pay: below the free sum, delivery costs something again."""
    goods = sum(line.price.minor * (line.quantity - line.cancelled) for line in order.lines)
    price = order.delivery_price
    if delivery_too:
        cost = tariff(order.address.country, order.delivery).price_for(goods)
        price = Money(cost, price.currency)
    total = Money(goods + price.minor, price.currency)
    return dataclasses.replace(order, delivery_price=price, total=total)


def check_return(order: Order, parts: tuple[Part, ...], today: date) -> None:
    """Raises NotAllowed or Conflict where the parts may not be returned."""
    if not parts:
        raise NotAllowed("a return of nothing")
    arrived: Counter[str] = Counter()
    in_time: Counter[str] = Counter()
    for shipment in order.shipments:
        if shipment.delivered_at:
            found = _quantities(shipment.parts)
            arrived += found
            if (today - day_of(shipment.delivered_at)).days <= RETURN_DAYS:
                in_time += found
    for part in _checked(order, parts):
        line = order.line(part.line_id)
        if not line.returnable:
            raise NotAllowed(line.why_not)
        if part.quantity > line.left:
            raise Conflict(f"there are not {part.quantity} left of that line")
        if part.quantity > arrived[line.id] - line.returned:
            raise NotAllowed("it has not been delivered yet")
        if part.quantity > in_time[line.id] - line.returned:
            raise NotAllowed(f"it was delivered more than {RETURN_DAYS} days ago")


def refund_for(order: Order, parts: tuple[Part, ...], reason: str, today: date) -> Money:
    """What comes back for returned parts: the price paid; with a whole order that is announced soon,
    delivery; from abroad, less what the return costs, unless the fault was ours."""
    minor = sum(order.line(part.line_id).price.minor * part.quantity for part in parts)
    back = _quantities(parts)
    whole = all(back[line.id] == line.quantity - line.cancelled for line in order.lines)
    soon = (
        order.delivered_at is not None
        and (today - day_of(order.delivered_at)).days <= REFUND_DELIVERY_DAYS
    )
    ours = reason in OUR_FAULT
    if ours or (whole and soon and order.delivery != EXPRESS):
        minor += order.delivery_price.minor if whole else 0
    if order.address.country != "GB" and not ours:
        minor -= RETURN_COST.minor
    return Money(max(minor, 0), order.total.currency)


def returned(line: Line, parts: tuple[Part, ...]) -> Line:
    """The line with what is on its way back."""
    return dataclasses.replace(line, returned=line.returned + _quantities(parts)[line.id])


def check_report(order: Order, parts: tuple[Part, ...]) -> None:
    """Raises NotAllowed or Conflict where a problem cannot be with these parts."""
    if order.state in (OrderState.RECEIVED, OrderState.PACKED, OrderState.CANCELLED):
        raise NotAllowed(f"{order.number} is {order.state}: nothing of it was sent")
    for part in _checked(order, parts):
        line = order.line(part.line_id)
        if part.quantity > line.quantity - line.cancelled:
            raise Conflict(f"there are not {part.quantity} of that line")


def check_address(order: Order, address: Address) -> None:
    """Raises NotAllowed where the order cannot go there."""
    if order.state is not OrderState.RECEIVED or order.shipments:
        raise NotAllowed(f"{order.number} is {order.state}, or some of it is packed")
    if order.collects:
        raise NotAllowed("it is collected in a shop")
    if address.country != order.address.country:
        raise NotAllowed("the country cannot be changed, because prices and taxes differ")
    fields = (address.name, address.street, address.city, address.postcode)
    if any(not it.strip() or len(it) > 200 or _CONTROL.search(it) for it in fields):
        raise NotAllowed("name, street, town and postcode are lines of up to 200 characters")
    if _NO_HOME.search(address.street) or _NO_HOME.search(address.city):
        raise NotAllowed("no delivery to PO boxes, BFPO addresses or parcel lockers")
    if address.country == "GB" and not _UK_POSTCODE.fullmatch(address.postcode.strip()):
        raise NotAllowed("that is no postcode of the UK")


def _checked(order: Order, parts: tuple[Part, ...]) -> list[Part]:
    """The parts, each line once. Raises: NotAllowed."""
    known = {line.id for line in order.lines}
    if any(part.line_id not in known or part.quantity < 1 for part in parts):
        raise NotAllowed("there is no such line, or less than one of it is wanted")
    return [Part(line, quantity) for line, quantity in _quantities(parts).items()]


def _quantities(parts: Iterable[Part]) -> Counter[str]:
    found: Counter[str] = Counter()
    for part in parts:
        found[part.line_id] += part.quantity
    return found

"""How an order went, in days before or after today, and the order that comes of it.

Seeded orders are written as if today were `BASE`; whoever reads them moves them (`moved`). No moment
of theirs is later than yesterday evening, so that none is ever in the future.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from bot.orders.contract import (
    Line,
    Money,
    Order,
    OrderState,
    Part,
    Refund,
    RefundState,
    Return,
    ReturnState,
    Shipment,
    ShipmentState,
)
from bot.orders.demo import rules
from bot.orders.demo.goods import product, why_not
from bot.orders.demo.people import Person

T = TypeVar("T")

BASE = date(2001, 1, 1)


@dataclass(frozen=True)
class Parcel:
    """A parcel: days from today (-3: three days ago); ``lines`` is () for all."""

    state: ShipmentState
    sent: int | None = None
    expected: int | None = None
    arrived: int | None = None
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class Back:
    """A return of some lines; () for all."""

    state: ReturnState
    registered: int
    arrived: int | None = None
    refund: RefundState | None = None
    issued: int | None = None
    exchange: bool = False
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class Story:
    """How an order went. ``placed`` is a day before today, ``promised`` any."""

    placed: int
    promised: int | None
    parcels: tuple[Parcel, ...] = ()
    cancelled: bool = False
    back: Back | None = None
    delivery: str = rules.STANDARD
    minute: int = 0  # of the day, by which moments differ


@dataclass(frozen=True)
class Good:
    """So many of a product's variant."""

    product: str
    variant: str = ""
    quantity: int = 1


def tell(number: str, buyer: Person, goods: tuple[Good, ...], story: Story, paid: str) -> Order:
    """The order as it is at `BASE`."""
    country = buyer.address.country
    tariff = rules.tariff(country, story.delivery)
    lines = tuple(
        _line(f"{number[3:]}-{index}", good, tariff.currency) for index, good in enumerate(goods, 1)
    )
    worth = sum(line.price.minor * line.quantity for line in lines)
    price = tariff.price_for(worth)
    order = Order(
        number=number,
        customer_id=buyer.id,
        email=buyer.email,
        phone=buyer.phone,
        placed_at=at(story.placed, 17 * 60 + story.minute % 200),
        state=OrderState.RECEIVED,
        lines=lines,
        address=buyer.address,
        total=Money(worth + price, tariff.currency),
        delivery=story.delivery,
        delivery_price=Money(price, tariff.currency),
        promised=None if story.promised is None else day(story.promised),
        collects=story.delivery == rules.COLLECT,
    )
    if story.cancelled:
        return rules.cancelled(order, ())
    shipments = tuple(
        _shipment(order, index, parcel, story.minute) for index, parcel in enumerate(story.parcels)
    )
    order = rules.settled(dataclasses.replace(order, shipments=shipments))
    return _with_return(order, story.back, paid, story.minute) if story.back else order


def day(offset: int) -> date:
    """A day, from today."""
    return BASE + timedelta(days=offset)


def at(offset: int, minute: int) -> datetime:
    """A moment on a day, from today; ``minute`` of that day, before 21:00."""
    midnight = datetime(BASE.year, BASE.month, BASE.day, tzinfo=UTC)
    return midnight + timedelta(days=offset, minutes=min(minute, 21 * 60 - 1))


def moved(value: T, days: int) -> T:
    """A noun with all days and moments in it so many days later."""
    if days == 0:
        return value
    return _moved(value, timedelta(days=days))


def _moved(value: Any, by: timedelta) -> Any:
    if isinstance(value, date):  # a datetime is one, too
        return value + by
    if isinstance(value, tuple):
        return tuple(_moved(it, by) for it in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return dataclasses.replace(value, **{it: _moved(getattr(value, it), by) for it in names})
    return value


def _line(ident: str, good: Good, currency: str) -> Line:
    if good.product.startswith("Gift card"):
        minor = int(good.product.rpartition("£")[2]) * 100
    else:
        found = product(good.product)
        minor = found.pence if currency == "GBP" else found.cents
    reason = why_not(good.product, good.variant)
    return Line(
        id=ident,
        product=good.product,
        variant=good.variant,
        quantity=good.quantity,
        price=Money(minor, currency),
        returnable=not reason,
        why_not=reason,
    )


def _parts(order: Order, lines: tuple[int, ...]) -> tuple[Part, ...]:
    chosen = [order.lines[it] for it in lines] if lines else order.lines
    return tuple(Part(line.id, line.quantity) for line in chosen)


def _shipment(order: Order, index: int, parcel: Parcel, minute: int) -> Shipment:
    ident = f"SH-{order.number[3:]}-{index + 1}"
    carrier = tracking = url = ""
    if parcel.sent is not None and not order.collects:
        abroad = order.address.country != "GB"
        carrier = "Nordbridge Parcels" if abroad else "Pennine Parcels"
        tracking = f"{'NB' if abroad else 'PP'}{order.number[3:]}{index + 1:02d}GB"
        site = "nordbridge" if abroad else "pennine-parcels"
        url = f"https://track.{site}.example/{tracking}"
    return Shipment(
        id=ident,
        parts=_parts(order, parcel.lines),
        state=parcel.state,
        carrier=carrier,
        tracking_number=tracking,
        tracking_url=url,
        dispatched_at=None if parcel.sent is None else at(parcel.sent, 20 * 60 + minute % 50),
        expected=None if parcel.expected is None else day(parcel.expected),
        delivered_at=None if parcel.arrived is None else at(parcel.arrived, 8 * 60 + minute % 540),
    )


def _with_return(order: Order, back: Back, paid: str, minute: int) -> Order:
    parts = _parts(order, back.lines)
    digits = order.number[3:]
    coming = Return(
        id=f"RT-{digits}",
        parts=parts,
        exchange=back.exchange,
        state=back.state,
        registered_at=at(back.registered, 18 * 60 + minute % 120),
        label_url=f"https://northpeak.example/labels/RT-{digits}",
        arrived_at=None if back.arrived is None else at(back.arrived, 9 * 60 + minute % 300),
    )
    order = dataclasses.replace(order, returns=(coming,))
    if back.refund is not None:
        amount = rules.refund_for(order, parts, "changed_mind", day(back.registered))
        refund = Refund(
            id=f"RF-{digits}",
            amount=amount,
            state=back.refund,
            method=paid,
            return_id=coming.id,
            created_at=coming.arrived_at,
            issued_at=None if back.issued is None else at(back.issued, 11 * 60 + minute % 300),
        )
        order = dataclasses.replace(order, refunds=(refund,))
    if back.state is ReturnState.REFUSED:
        return order  # it goes back to the customer
    lines = tuple(rules.returned(line, parts) for line in order.lines)
    return dataclasses.replace(order, lines=lines)

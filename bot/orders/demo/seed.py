"""Everything that a new demo shop has, from a seed: the same seed, the same shop.

What is made here is written as if today were `stories.BASE`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.orders.contract import (
    Customer,
    GiftCard,
    Money,
    Order,
    RefundState,
    ReturnState,
    ShipmentState,
)
from bot.orders.demo import people, rules
from bot.orders.demo.cases import CASES
from bot.orders.demo.goods import ENGRAVED, products
from bot.orders.demo.people import ACCOUNTS, Person
from bot.orders.demo.stories import Back, Good, Parcel, Story, day, tell

ORDERS = 5000
SEED = 2026

S, R, F = ShipmentState, ReturnState, RefundState

_PAID = ("Visa ending {}", "Mastercard ending {}", "American Express ending {}", "PayPal",
         "Apple Pay", "Google Pay", "gift card")  # fmt: skip
_RETURNS = ("way", "arrived", "pending", "failed", "refused", "swap", *("issued",) * 8)
_CODE = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # neither O nor I


@dataclass(frozen=True)
class Sold:
    """An order with what it was paid with."""

    order: Order
    paid: str


def customers(seed: int) -> list[tuple[Person, Customer]]:
    """All accounts, those of the named cases first, the same ones for every seed."""
    rng = random.Random(f"{seed} customers")
    found: list[tuple[Person, Customer]] = []
    named = {it.buyer.id: it for it in reversed(CASES.values()) if it.buyer and it.customer_id}
    for index in range(ACCOUNTS):
        ident = f"C{10001 + index}"
        who = people.person(rng, ident, (index + 900) % 1000)
        points = rng.randrange(0, 900, 5) if rng.random() < 0.6 else None
        marketing, expires = rng.random() < 0.5, rng.randint(30, 540)
        if ident in named and (case := named[ident]).buyer:
            who, points, marketing = case.buyer, case.points, case.marketing
        account = Customer(
            id=ident,
            name=who.address.name,
            email=who.email,
            phone=who.phone,
            points=points,
            marketing=marketing,
            points_expire=day(expires) if points else None,
        )
        found.append((who, account))
    return found


def orders(seed: int, accounts: list[tuple[Person, Customer]]) -> Iterator[Sold]:
    """All orders. Their numbers rise with the day on which they were placed."""
    for case in CASES.values():
        if case.buyer and case.story:
            yield Sold(tell(case.number, case.buyer, case.goods, case.story, case.paid), case.paid)
    rng = random.Random(f"{seed} orders")
    taken = {case.customer_id for case in CASES.values()}
    buyers = [who for who, _ in accounts if who.id not in taken]
    plans = [_plan(rng, buyers, index) for index in range(ORDERS - len(CASES))]
    plans.sort(key=lambda plan: (plan[1].placed, plan[1].minute))
    number = 200000
    for who, story in plans:
        number += rng.randint(1, 100)
        paid = rng.choice(_PAID if who.address.country == "GB" else _PAID[:-1])
        paid = paid.format(f"{rng.randint(0, 9999):04d}")
        goods = _goods(rng, 2 if any(it.lines for it in story.parcels) else 1)
        yield Sold(tell(f"NP-{number}", who, goods, story, paid), paid)


def gift_cards(seed: int) -> Iterator[tuple[str, GiftCard]]:
    """Gift cards by their codes."""
    rng = random.Random(f"{seed} gift cards")
    for name, minor, expires in (("gift_card", 3750, 630), ("gift_card_expired", 2500, -60)):
        code = CASES[name].code
        yield code, GiftCard(code[-4:], Money(minor), day(expires))
    for _ in range(200):
        code = "".join(rng.choice(_CODE) for _ in range(16))
        balance = rng.choice((0, 500, 1000, 1250, 2500, 4999, 10000))
        yield code, GiftCard(code[-4:], Money(balance), day(rng.randint(-90, 720)))


def stock(seed: int) -> Iterator[tuple[str, str, int]]:
    """Product, variant, how many there are. Of the named cases' products there is enough, but of
    their last variant, which is sold out."""
    rng = random.Random(f"{seed} stock")
    named = {good.product for case in CASES.values() for good in case.goods}
    for product in products():
        for variant in product.variants:
            left = 0 if rng.random() < 0.1 else rng.randint(1, 40)
            if product.name in named:
                sold_out = len(product.variants) > 1 and variant == product.variants[-1]
                left = 0 if sold_out else 20
            yield product.name, variant, left


def _plan(rng: random.Random, buyers: list[Person], index: int) -> tuple[Person, Story]:
    """Somebody, and how their order went."""
    if rng.random() < 0.12:
        who = people.person(rng, "", index + 2000)
    else:
        # Some buy often: the square leans to the front.
        who = buyers[int(rng.random() ** 1.6 * len(buyers))]
    tell_it = rng.choices(list(_STORIES), list(_STORIES.values()))[0]
    return who, tell_it(rng, who.address.country)


def _goods(rng: random.Random, least: int) -> tuple[Good, ...]:
    found: dict[str, Good] = {}
    wanted = max(least, rng.choices((1, 2, 3, 4), (55, 28, 12, 5))[0])
    while len(found) < wanted:
        product = rng.choice(products())
        variant = rng.choice(product.variants)
        if product.name in ("Thermoflask 750", "Hydrabeck Water Bottle") and rng.random() < 0.4:
            variant = f"{variant}, {ENGRAVED}"
        many = product.pence < 4000 and rng.random() < 0.3
        found[product.name] = Good(product.name, variant, rng.randint(2, 4) if many else 1)
    return tuple(found.values())


def _way(rng: random.Random, country: str) -> tuple[str, int]:
    """A method of delivery, and how many days it takes."""
    if country == "GB":
        way = rng.choices((rules.STANDARD, rules.EXPRESS, rules.COLLECT), (75, 15, 10))[0]
        return way, {rules.STANDARD: rng.randint(2, 4), rules.EXPRESS: 1}.get(way, 3)
    return rules.STANDARD, {"IE": 4, "NO": 8, "CH": 8}.get(country, 6)


def _arrived(rng: random.Random, country: str, days: int, back: Back | None = None) -> Story:
    """Delivered so many days ago."""
    way, takes = _way(rng, country)
    late = rng.choice((0, 0, 0, 0, 0, 0, 0, 1, 2, 3))
    sent = -days - takes
    parcel = Parcel(S.DELIVERED, sent, -days - late, -days)
    minute = rng.randrange(1440)
    return Story(sent - 1, -days - late, (parcel,), back=back, delivery=way, minute=minute)


def _delivered(rng: random.Random, country: str) -> Story:
    return _arrived(rng, country, rng.randint(1, 70) if rng.random() < 0.4 else rng.randint(1, 900))


def _received(rng: random.Random, country: str) -> Story:
    way, takes = _way(rng, country)
    return Story(-1, takes + 1, delivery=way, minute=rng.randrange(1440))


def _preordered(rng: random.Random, country: str) -> Story:
    return Story(-rng.randint(2, 30), rng.randint(7, 60), minute=rng.randrange(1440))


def _packed(rng: random.Random, country: str) -> Story:
    way, takes = _way(rng, country)
    parcel = Parcel(S.PREPARING, None, takes + 1)
    return Story(-rng.randint(1, 2), takes + 1, (parcel,), delivery=way, minute=rng.randrange(1440))


def _sent(state: ShipmentState, first: int, last: int) -> Callable[[random.Random, str], Story]:
    """A story of a parcel that is under way, and was sent between these days ago."""

    def story(rng: random.Random, country: str) -> Story:
        days = rng.randint(first, last)
        takes = 4 if country == "GB" else 8
        due = 0 if state is S.OUT_FOR_DELIVERY else takes - days
        parcel = Parcel(state, -days, due)
        return Story(-days - 1, max(due, 0), (parcel,), minute=rng.randrange(1440))

    return story


def _late(rng: random.Random, country: str) -> Story:
    days = rng.randint(1, 9)
    sent = -days - (4 if country == "GB" else 9)
    parcel = Parcel(S.IN_TRANSIT, sent, -days)
    return Story(sent - 1, -days, (parcel,), minute=rng.randrange(1440))


def _lost(rng: random.Random, country: str) -> Story:
    days = rng.randint(22, 60)
    state = rng.choice((S.LOST, S.RETURNED))
    parcel = Parcel(state, -days, -days + 5)
    return Story(-days - 1, -days + 5, (parcel,), minute=rng.randrange(1440))


def _collects(rng: random.Random, country: str) -> Story:
    days = rng.randint(1, 6)
    if country != "GB":
        return _delivered(rng, country)
    parcel = Parcel(S.READY_TO_COLLECT, -days - 1, -days)
    minute = rng.randrange(1440)
    return Story(-days - 2, -days, (parcel,), delivery=rules.COLLECT, minute=minute)


def _split(rng: random.Random, country: str) -> Story:
    days = rng.randint(2, 6)
    first = Parcel(S.DELIVERED, -days - 3, -days, -days, (0,))
    second = Parcel(S.IN_TRANSIT, -days, 2, None, (1,))
    return Story(-days - 4, 2, (first, second), minute=rng.randrange(1440))


def _cancelled(rng: random.Random, country: str) -> Story:
    return Story(-rng.randint(1, 400), None, cancelled=True, minute=rng.randrange(1440))


def _returned(rng: random.Random, country: str) -> Story:
    """Sent back: on its way, arrived, refunded, failed, refused or exchanged."""
    days, step = rng.randint(25, 300), rng.randint(2, 9)
    kind = rng.choice(
        [
            "way",
            "arrived",
            "pending",
            "issued",
            "issued",
            "issued",
            "issued",
            "issued",
            "issued",
            "issued",
            "issued",
            "failed",
            "refused",
            "swap",
        ]
    )
    sent_back = min(days - 2, rng.randint(12, 50))
    registered = min(-days + sent_back, -5)
    if kind in ("way", "swap"):
        registered, back = -step, Back(R.REGISTERED, -step, exchange=kind == "swap")
    elif kind in ("arrived", "pending"):
        state, refund = (R.ARRIVED, None) if kind == "arrived" else (R.CLOSED, F.PENDING)
        registered, back = -step - 4, Back(state, -step - 4, -min(step, 3), refund)
    elif kind == "refused":
        back = Back(R.REFUSED, registered, registered + 1)
    else:
        state = F.ISSUED if kind == "issued" else F.FAILED
        issued = registered + 2 if kind == "issued" else None
        back = Back(R.CLOSED, registered, registered + 1, state, issued)
    if registered > -14:
        days = -registered + rng.randint(1, 30)
    return _arrived(rng, country, days, back)


_STORIES: dict[Callable[[random.Random, str], Story], int] = {
    _received: 60,
    _preordered: 12,
    _packed: 25,
    _sent(S.IN_TRANSIT, 1, 3): 60,
    _sent(S.OUT_FOR_DELIVERY, 2, 4): 15,
    _sent(S.FAILED, 3, 6): 8,
    _late: 15,
    _lost: 6,
    _collects: 15,
    _split: 12,
    _cancelled: 45,
    _returned: 90,
    _delivered: 637,
}

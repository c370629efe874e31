"""The demo shop is the same for everybody, always recent, and has everything in it."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.orders.contract import (
    Address,
    Conflict,
    Money,
    NotAllowed,
    NotFound,
    Order,
    OrderState,
    Part,
    RefundState,
    ReturnRequest,
    ReturnState,
    ShipmentState,
    Unavailable,
)
from bot.orders.demo import DemoShop, rules, seed
from bot.orders.demo.book import Book, body
from bot.orders.demo.cases import CASES, GUESTS
from bot.orders.demo.goods import products
from bot.orders.demo.stories import BASE, moved

TODAYS = (
    datetime(2026, 11, 23, 12, 30, tzinfo=UTC),
    datetime(2028, 2, 29, 0, 5, tzinfo=UTC),
    datetime(2027, 7, 15, 23, 30, tzinfo=UTC),  # in London, the 16th
)


@pytest.fixture(scope="module")
def sold() -> list[seed.Sold]:
    return list(seed.orders(7, seed.customers(7)))


@pytest.fixture(scope="module")
def orders(sold: list[seed.Sold]) -> list[Order]:
    return [it.order for it in sold]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("demo") / "shop.db"
    book = Book(path, 7)
    with book.reading():
        pass
    book.close()
    return path.read_bytes()


class Clock:
    """A moment that tests move."""

    def __init__(self, now: datetime):
        self.now = now

    def __call__(self) -> datetime:
        return self.now


Opened = Callable[..., DemoShop]


@pytest.fixture
def opened(template: bytes, tmp_path: Path) -> Iterator[Opened]:
    """Opens the one file of this test, at some moment."""
    path = tmp_path / "shop.db"
    path.write_bytes(template)
    shops: list[DemoShop] = []

    def open_it(now: Callable[[], datetime] = lambda: TODAYS[0]) -> DemoShop:
        shops.append(DemoShop(path, now=now))
        return shops[-1]

    yield open_it
    for shop in shops:
        asyncio.run(shop.close())


# What is made.


def test_the_same_seed_is_the_same_shop(sold: list[seed.Sold]) -> None:
    assert list(seed.orders(7, seed.customers(7))) == sold
    assert seed.customers(7) == seed.customers(7)
    assert list(seed.gift_cards(7)) == list(seed.gift_cards(7))
    assert list(seed.stock(7)) == list(seed.stock(7))


def test_another_seed_is_another_shop_with_the_same_cases(orders: list[Order]) -> None:
    others = [it.order for it in seed.orders(8, seed.customers(8))]
    assert others != orders
    numbers = {case.number for case in CASES.values()}
    named = {it.number: it for it in orders if it.number in numbers}
    assert named == {it.number: it for it in others if it.number in numbers}


def test_the_files_of_two_processes_are_equal(tmp_path: Path) -> None:
    """Also where hashes of texts differ, as they do from process to process."""
    program = (
        "import sys; from pathlib import Path; from bot.orders.demo.book import Book\n"
        "book = Book(Path(sys.argv[1]), 7)\nwith book.reading(): pass\nbook.close()"
    )
    dumps = []
    for hashes in ("1", "2"):
        path = tmp_path / f"{hashes}.db"
        subprocess.run(
            [sys.executable, "-c", program, path],
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hashes},
        )
        with sqlite3.connect(path) as connection:
            dumps.append(list(connection.iterdump()))
    assert dumps[0] == dumps[1]


def test_how_much_there_is(orders: list[Order]) -> None:
    assert len(orders) == len({it.number for it in orders}) == 5000
    accounts = [account for _, account in seed.customers(7)]
    assert len({it.id for it in accounts}) == len({it.email for it in accounts}) == 1000
    assert {it.customer_id for it in orders} - {""} <= {it.id for it in accounts}
    guests = sum(not it.customer_id for it in orders)
    assert 0.08 < guests / 5000 < 0.16
    at_home = sum(it.address.country == "GB" for it in orders)
    assert 0.8 < at_home / 5000 < 0.95
    assert {"IE", "NO", "CH", "DE", "FR"} <= {it.address.country for it in orders}


def test_every_state_occurs(orders: list[Order]) -> None:
    assert {it.state for it in orders} == set(OrderState)
    assert {s.state for it in orders for s in it.shipments} == set(ShipmentState)
    assert {r.state for it in orders for r in it.returns} == set(ReturnState)
    assert {r.state for it in orders for r in it.refunds} == set(RefundState)
    assert any(r.exchange for it in orders for r in it.returns)
    assert any(not line.returnable for it in orders for line in it.lines)
    assert {it.delivery for it in orders} == {rules.STANDARD, rules.EXPRESS, rules.COLLECT}
    assert any(len(it.shipments) > 1 for it in orders)


def test_nobody_can_be_reached_and_nobody_is_real(orders: list[Order]) -> None:
    for order in orders:
        assert re.fullmatch(r"NP-[0-9]{6}", order.number)
        assert order.email.endswith(".example") and order.email.isascii()
        assert re.fullmatch(r"\+447700900[0-9]{3}", order.phone)
        if order.address.country == "GB":
            assert re.fullmatch(r"[A-Z]{1,2}[0-9]{1,2} [0-9][A-Z]{2}", order.address.postcode)
        for shipment in order.shipments:
            assert not shipment.tracking_url or ".example/" in shipment.tracking_url


def test_orders_add_up(orders: list[Order]) -> None:
    for order in orders:
        euro = order.address.country != "GB"
        assert order.total.currency == ("EUR" if euro else "GBP")
        goods = sum(line.price.minor * line.quantity for line in order.lines)
        assert order.total.minor == goods + order.delivery_price.minor, order.number
        tariff = rules.tariff(order.address.country, order.delivery)
        assert order.delivery_price.minor == tariff.price_for(goods)
        assert order.state is rules.state_of(order)
        assert order.collects == (order.delivery == rules.COLLECT)
        assert (order.delivered_at is not None) == (order.state is OrderState.DELIVERED)
        assert len({line.product for line in order.lines}) == len(order.lines)


def test_things_happen_in_their_order_and_none_tomorrow(orders: list[Order]) -> None:
    midnight = datetime(BASE.year, BASE.month, BASE.day, tzinfo=UTC)
    for order in orders:
        moments = [order.placed_at]
        for it in order.shipments:
            chain = [order.placed_at, it.dispatched_at, it.delivered_at]
            known = [moment for moment in chain if moment]
            assert known == sorted(known), order.number
            moments += known
        for it in order.returns:
            assert order.delivered_at and it.registered_at > order.delivered_at, order.number
            assert (it.registered_at - order.delivered_at).days <= 60, order.number
            assert it.arrived_at is None or it.arrived_at > it.registered_at, order.number
            moments.append(it.arrived_at or it.registered_at)
        for it in order.refunds:
            assert it.created_at and (it.issued_at is None or it.issued_at > it.created_at)
            moments.append(it.issued_at or it.created_at)
        # The shop's midnight is at most an hour before ours.
        assert max(moments) < midnight - timedelta(hours=1), order.number


def test_products_are_the_catalogue_s() -> None:
    text = Path("data/catalogue.csv").read_text("utf-8")
    assert len(products()) > 80
    for it in products():
        assert f"\n{it.name}," in text and it.variants and 500 < it.pence < 60000
        assert it.cents % 100 == 95 and it.cents > it.pence
    assert not {"Jackets", "Boots", "Helmets", "Walking Poles"} & {it.name for it in products()}


# What the cases say.


def days_to(today: date, value: date | datetime | None) -> int:
    assert value is not None
    return ((rules.day_of(value) if isinstance(value, datetime) else value) - today).days


def only(things: tuple[Any, ...]) -> Any:
    assert len(things) == 1
    return things[0]


@pytest.mark.parametrize("now", TODAYS)
def test_named_cases(opened: Opened, now: datetime) -> None:
    shop, today = opened(lambda: now), rules.day_of(now)

    async def look() -> dict[str, Order]:
        return {name: await shop.order(case.number) for name, case in CASES.items()}

    found = asyncio.run(look())
    for name, case in CASES.items():
        order = found[name]
        assert (order.email, order.address.postcode) == (case.email, case.postcode), name
        assert order.customer_id == case.customer_id, name
        assert (name in GUESTS) == (order.customer_id == ""), name
        assert case.shows and order.placed_at < now
    state = {name: order.state for name, order in found.items()}
    parcel = {name: [it.state for it in order.shipments] for name, order in found.items()}
    promised = lambda name: days_to(today, found[name].promised)
    for name in ("received", "received_two_lines", "received_guest", "preorder"):
        assert state[name] is OrderState.RECEIVED and not parcel[name] and promised(name) > 0
    assert promised("preorder") == 25
    assert len(found["received_two_lines"].lines) == 2
    assert state["packed"] is OrderState.PACKED
    for name, expected in {
        "dispatched_on_time": ShipmentState.IN_TRANSIT,
        "dispatched_late": ShipmentState.IN_TRANSIT,
        "out_for_delivery": ShipmentState.OUT_FOR_DELIVERY,
        "failed_delivery": ShipmentState.FAILED,
        "lost": ShipmentState.LOST,
        "norway": ShipmentState.IN_TRANSIT,
        "returned_to_shop": ShipmentState.RETURNED,
    }.items():
        assert state[name] is OrderState.DISPATCHED and parcel[name] == [expected], name
    assert promised("dispatched_on_time") == 2 and promised("dispatched_late") == -3
    assert days_to(today, found["out_for_delivery"].shipments[0].expected) == 0
    assert state["split"] is OrderState.DISPATCHED
    assert parcel["split"] == [ShipmentState.DELIVERED, ShipmentState.IN_TRANSIT]
    assert state["ready_to_collect"] is OrderState.READY_TO_COLLECT
    assert found["ready_to_collect"].collects
    assert state["cancelled"] is OrderState.CANCELLED
    for name, days in {
        "delivered_yesterday": 1, "delivered_10_days": 10, "delivered_two_lines_10_days": 10,
        "delivered_20_days": 20, "delivered_61_days": 61, "delivered_2_years_1_month": 761,
        "several_orders_2": 7,
    }.items():  # fmt: skip
        assert state[name] is OrderState.DELIVERED
        assert days_to(today, found[name].delivered_at) == -days, name
    assert len(found["delivered_two_lines_10_days"].lines) == 2
    assert [it.returnable for it in found["not_returnable"].lines] == [False]
    assert [it.returnable for it in found["one_line_returnable_one_not"].lines] == [True, False]
    coming = {name: only(found[name].returns) for name in (
        "return_registered", "return_arrived", "return_refused", "exchange_registered")}  # fmt: skip
    assert coming["return_registered"].state is ReturnState.REGISTERED
    assert coming["return_arrived"].state is ReturnState.ARRIVED
    assert days_to(today, coming["return_arrived"].arrived_at) == -1
    assert coming["return_refused"].state is ReturnState.REFUSED
    assert coming["exchange_registered"].exchange
    assert only(found["refund_pending"].refunds).state is RefundState.PENDING
    assert only(found["refund_failed"].refunds).state is RefundState.FAILED
    assert days_to(today, only(found["refund_issued_yesterday"].refunds).issued_at) == -1
    assert days_to(today, only(found["refund_issued_20_days"].refunds).issued_at) == -20
    ireland = found["abroad_ireland"]
    assert (ireland.address.country, ireland.total.currency) == ("IE", "EUR")
    assert ireland.state is OrderState.DELIVERED
    assert (found["norway"].address.country, found["norway"].total.currency) == ("NO", "EUR")


@pytest.mark.parametrize("now", TODAYS)
def test_named_accounts_and_gift_cards(opened: Opened, now: datetime) -> None:
    shop, today = opened(lambda: now), rules.day_of(now)

    async def look() -> None:
        member = await shop.customer(CASES["club_member"].customer_id)
        assert member.points == 240 and member.points_expire and member.points_expire > today
        assert (await shop.customer(CASES["no_club"].customer_id)).points is None
        assert (await shop.customer_by_email(CASES["newsletter"].email)).marketing
        several = CASES["several_orders"]
        found = await shop.orders_of(several.customer_id)
        assert {it.number for it in found} == {several.number, *several.also}
        assert len({it.state for it in found}) == 3
        card = await shop.gift_card(CASES["gift_card"].code.lower())
        assert card.balance == Money(3750) and card.expires and card.expires > today
        old = await shop.gift_card(CASES["gift_card_expired"].code)
        assert old.balance.minor > 0 and old.expires and old.expires < today

    asyncio.run(look())


# Time that passes.


def test_a_seeded_order_keeps_its_distance_and_a_written_one_its_moment(opened: Opened) -> None:
    clock = Clock(TODAYS[0])
    shop = opened(clock)
    case, still = CASES["delivered_10_days"].number, CASES["delivered_yesterday"].number

    async def live() -> None:
        before, other = await shop.order(case), await shop.order(still)
        request = ReturnRequest((Part(before.lines[0].id, 1),), "too_small")
        done = await shop.start_return(case, request, key="k1")
        clock.now += timedelta(days=100)
        after = await shop.order(case)
        assert after == done.order
        assert only(after.returns).registered_at == TODAYS[0]
        assert after.delivered_at == before.delivered_at
        assert await shop.order(still) == moved(other, 100)
        assert (await shop.outcome("k1")) == done

    asyncio.run(live())


def test_a_new_address_does_not_make_an_order_old(opened: Opened) -> None:
    clock = Clock(TODAYS[0])
    shop, number = opened(clock), CASES["received"].number
    address = Address("Amelia Hartley", "1 New Road", "York", "YO1 7HH", "GB")

    async def live() -> None:
        before = await shop.order(number)
        await shop.change_address(number, address, key="k1")
        clock.now += timedelta(days=100)
        after = await shop.order(number)
        assert after == dataclasses.replace(moved(before, 100), address=address)
        await shop.change_contact(before.customer_id, phone="07700 900123", key="k2")
        assert (await shop.customer(before.customer_id)).phone == "+447700900123"

    asyncio.run(live())


# What the articles say.


def run(opened: Opened, work: Callable[[DemoShop], Any]) -> Any:
    return asyncio.run(work(opened()))


def all_of(order: Order) -> tuple[Part, ...]:
    return tuple(Part(line.id, line.quantity) for line in order.lines)


def test_cancelling_part_of_an_order_may_make_delivery_cost(opened: Opened) -> None:
    async def work(shop: DemoShop) -> None:
        number = CASES["received_two_lines"].number
        jacket, socks = (await shop.order(number)).lines
        done = await shop.cancel(number, (Part(jacket.id, 1), Part(socks.id, 1)), key="k")
        assert done.refund is None and done.order  # no card is charged before dispatch
        assert done.order.delivery_price == Money(395)
        assert done.order.total == socks.price + Money(395)

    run(opened, work)


def test_a_gift_card_is_refunded_at_once(opened: Opened) -> None:
    async def work(shop: DemoShop) -> None:
        done = await shop.cancel(CASES["paid_by_gift_card"].number, (), key="k")
        assert done.refund == Money(5995) and done.order
        refund = only(done.order.refunds)
        assert (refund.state, refund.method) == (RefundState.ISSUED, "gift card")

    run(opened, work)


def test_what_was_sent_stays_when_a_preorder_is_cancelled(opened: Opened) -> None:
    async def work(shop: DemoShop) -> None:
        number = CASES["preorder_half_sent"].number
        jacket, tent = (await shop.order(number)).lines
        for parts in ((), (Part(jacket.id, 1),)):
            with pytest.raises(NotAllowed):
                await shop.cancel(number, parts, key="k")
        assert not (await shop.order(number)).invoice_ready
        done = await shop.cancel(number, (Part(tent.id, 1),), key="k")
        assert done.order and done.order.state is OrderState.DELIVERED
        assert done.order.delivered_at and done.order.invoice_ready

    run(opened, work)


@pytest.mark.parametrize(
    ("case", "reason", "expected"),
    [
        ("delivered_10_days", "too_small", Money(17995)),
        ("abroad_ireland", "too_small", Money(21595 + 695 - 695, "EUR")),
        ("abroad_ireland", "faulty", Money(21595 + 695, "EUR")),
        ("club_member", "too_small", Money(3190)),  # after 14 days, delivery is not refunded
    ],
)
def test_what_comes_back(opened: Opened, case: str, reason: str, expected: Money) -> None:
    async def work(shop: DemoShop) -> None:
        order = await shop.order(CASES[case].number)
        request = ReturnRequest(all_of(order), reason)
        done = await shop.start_return(order.number, request, key="k")
        assert done.refund == expected

    run(opened, work)


@pytest.mark.parametrize(("days", "allowed"), [(50, True), (51, False)])
def test_the_sixtieth_day_is_the_last(opened: Opened, days: int, allowed: bool) -> None:
    """Of a parcel that does not move with the calendar any more."""
    clock = Clock(TODAYS[0])
    shop = opened(clock)
    number = CASES["delivered_two_lines_10_days"].number

    async def live() -> None:
        order = await shop.order(number)
        boots, socks = order.lines
        await shop.start_return(number, ReturnRequest((Part(boots.id, 1),), "x"), key="1")
        clock.now = datetime(2026, 11, 23, 23, 30, tzinfo=UTC) + timedelta(days=days)
        again = ReturnRequest((Part(socks.id, 2),), "x")
        if allowed:
            assert (await shop.start_return(number, again, key="2")).reference
        else:
            with pytest.raises(NotAllowed):
                await shop.start_return(number, again, key="2")

    asyncio.run(live())


def test_only_what_has_arrived_comes_back(opened: Opened) -> None:
    async def work(shop: DemoShop) -> None:
        number = CASES["split"].number
        tent, bag = (await shop.order(number)).lines
        with pytest.raises(NotAllowed):
            await shop.start_return(number, ReturnRequest((Part(bag.id, 1),), "x"), key="k")
        await shop.start_return(number, ReturnRequest((Part(tent.id, 1),), "x"), key="k")

    run(opened, work)


@pytest.mark.parametrize(
    ("wanted", "reserved"),
    [
        ("L, Slate", "L, Slate"),
        ("l", "L, Slate"),
        ("size XL", "XL, Slate"),
        ("Moss", "M, Moss"),
        ("M, Slate", None),  # what they have
        ("XXL, Rust", None),  # sold out
        ("purple", None),
    ],
)
def test_an_exchange_reserves(opened: Opened, wanted: str, reserved: str | None) -> None:
    async def work(shop: DemoShop) -> None:
        order = await shop.order(CASES["delivered_10_days"].number)
        request = ReturnRequest(all_of(order), "too_small", exchange_for=wanted)
        if reserved is None:
            with pytest.raises(NotAllowed):
                await shop.start_return(order.number, request, key="k")
            assert await shop.effects() == []
            return
        done = await shop.start_return(order.number, request, key="k")
        assert done.refund is None and done.label_url
        _, _, more = only(tuple(await shop.effects()))
        assert more["reserved"] == [reserved] and more["until"] == "2026-12-03"

    run(opened, work)


@pytest.mark.parametrize(
    "change",
    [
        {"street": "PO Box 12"},
        {"street": "BFPO 58"},
        {"postcode": "12345"},
        {"name": "  "},
        {"city": "York\x00"},
        {"country": "IE"},
        {"street": "x" * 201},
    ],
)
def test_where_nothing_is_sent(opened: Opened, change: dict[str, str]) -> None:
    async def work(shop: DemoShop) -> None:
        order = await shop.order(CASES["received"].number)
        address = dataclasses.replace(order.address, **change)
        with pytest.raises(NotAllowed):
            await shop.change_address(order.number, address, key="k")

    run(opened, work)


# The file.


def test_two_processes_write_one_key_once(opened: Opened, tmp_path: Path) -> None:
    program = (
        "import asyncio, sys; from bot.orders.demo import DemoShop\n"
        "async def go():\n"
        "    shop = DemoShop(sys.argv[1])\n"
        "    for i in range(40):\n"
        "        print((await shop.send_invoice(sys.argv[2], key=f'k{i}')).reference)\n"
        "asyncio.run(go())"
    )
    number = CASES["delivered_10_days"].number
    opened()
    several = [
        subprocess.Popen(
            [sys.executable, "-c", program, tmp_path / "shop.db", number],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    told = [it.communicate(timeout=60)[0] for it in several]
    assert told[0].count("IN-") == 40 and told[0] == told[1] == told[2]
    assert len(asyncio.run(opened().effects())) == 40


def test_several_processes_make_the_file_at_once(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys; from bot.orders.demo import DemoShop\n"
        "print(asyncio.run(DemoShop(sys.argv[1]).check()))"
    )
    path = tmp_path / "new" / "shop.db"
    several = [
        subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert all("5,000 orders" in it.communicate(timeout=60)[0] for it in several)
    assert not list(path.parent.glob("*.building*"))


def test_a_kill_while_it_is_made_leaves_nothing_half(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    program = (
        "import asyncio, sys; from bot.orders.demo import DemoShop\n"
        "asyncio.run(DemoShop(sys.argv[1]).check())"
    )
    killed = subprocess.Popen([sys.executable, "-c", program, path])
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("*.building")) and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(10)
    assert not path.exists()
    left = list(tmp_path.glob("*.building*"))
    assert left
    for draft in left:
        os.utime(draft, (0, 0))
    assert "5,000" in asyncio.run(DemoShop(path).check())
    assert not list(tmp_path.glob("*.building*"))


@pytest.mark.parametrize("content", [b"this is no database" * 100, b""])
def test_a_file_that_is_something_else(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "shop.db"
    path.write_bytes(content)
    with pytest.raises(Unavailable, match=re.escape(str(path))):
        asyncio.run(DemoShop(path).order("NP-100101"))
    assert path.read_bytes() == content


def test_a_file_that_is_deleted_is_made_anew(opened: Opened, tmp_path: Path) -> None:
    """Also while it is in use, and where SQLite's own files are left behind."""
    shop, number = opened(), CASES["received"].number
    asyncio.run(shop.cancel(number, (), key="k"))
    assert (tmp_path / "shop.db-wal").exists()
    (tmp_path / "shop.db").unlink()
    assert asyncio.run(shop.order(number)).state is OrderState.RECEIVED
    assert asyncio.run(shop.outcome("k")) is None
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        asyncio.run(DemoShop(tmp_path).check())


def test_a_file_that_is_locked_for_long(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading goes on, writing says that nothing was done."""
    monkeypatch.setattr("bot.orders.demo.book.BUSY_SECONDS", 0.2)
    shop, number = opened(), CASES["received"].number
    other = sqlite3.connect(tmp_path / "shop.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable):
        asyncio.run(shop.cancel(number, (), key="k"))
    assert asyncio.run(shop.order(number)).state is OrderState.RECEIVED
    other.execute("ROLLBACK")
    other.close()
    assert asyncio.run(shop.cancel(number, (), key="k")).reference


def test_stored_text_is_ascii() -> None:
    assert body(Address("Zoë \ud800", "\x00", "", "", "")).isascii()


def test_errors_are_the_contract_s(opened: Opened) -> None:
    async def work(shop: DemoShop) -> None:
        with pytest.raises(NotFound):
            await shop.customer("C99999")
        with pytest.raises(Conflict):
            await shop.change_contact(
                CASES["received"].customer_id, email=CASES["packed"].email, key="k"
            )

    run(opened, work)

"""Whose order it is: proof, guessing, codes; on both stores, with the demo shop behind it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import select, update

from bot.identity import Identity
from bot.jobs.clerk import CannotSend, Clerk, CodeProblem, Refused
from bot.orders.demo import DemoShop
from bot.orders.demo.cases import CASES
from bot.orders.policy import Policy
from bot.store import schema
from bot.store.database import Database
from bot.support import Support
from channels.contract import Arrived

T = TypeVar("T")
MINE, OTHER = CASES["received"], CASES["packed"]
SIGNED_IN = CASES["several_orders"]


def run(work: Awaitable[T]) -> T:
    async def awaited() -> T:
        return await work

    return asyncio.run(awaited())


class Counter:
    """The clerk, the store, and what was sent."""

    def __init__(self, database: Database, shop: DemoShop):
        self.database = database
        self.support = Support(database)
        self.sent: list[tuple[str, str]] = []
        self.clerk = Clerk(database, shop, Policy(), business="Northpeak", by_mail=self._mail)

    def _mail(self, to: str, text: str) -> None:
        self.sent.append((to, text))

    def conversation(self) -> str:
        return self.support.open_conversation("web").conversation_id

    def guess(self, conversation: str, number: str, **detail: str) -> bool | str:
        """True when it was right; else "no", or "over"."""
        try:
            run(self.clerk.prove(conversation, number, **detail))
        except Refused as refused:
            return "over" if refused.over else "no"
        return True

    def shown(self, conversation: str, number: str = MINE.number) -> bool:
        return run(self.clerk.order(conversation, number)) is not None

    def code(self) -> str:
        return re.match(r"\d{6}", self.sent[-1][1]).group()  # type: ignore[union-attr]

    def tries(self, conversation: str, code: str, number: str = MINE.number) -> int | None:
        """None when the code was right, else how many tries are left."""
        try:
            run(self.clerk.use_code(conversation, number, code))
        except CodeProblem as problem:
            return problem.left
        return None

    def hours_pass(self, table: Any, hours: float, *columns: str) -> None:
        with self.database.transaction() as tx:
            back = int(hours * 3_600_000)
            tx.execute(update(table).values({it: table.c[it] - back for it in columns}))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> DemoShop:
    return DemoShop(Path(tmp_path_factory.mktemp("shop")) / "shop.db")


@pytest.fixture
def counter(database: Database, shop: DemoShop) -> Iterator[Counter]:
    yield Counter(database, shop)


@pytest.mark.parametrize(
    "detail",
    [
        {"email": MINE.email},
        {"email": f" {MINE.email.upper()} "},
        {"postcode": MINE.postcode},
        {"postcode": MINE.postcode.replace(" ", "").lower()},
    ],
)
def test_a_detail_proves_it_here_and_nowhere_else(counter: Counter, detail: dict[str, str]):
    mine, elsewhere = counter.conversation(), counter.conversation()
    assert not counter.shown(mine)
    assert counter.guess(mine, MINE.number, **detail) is True
    assert counter.shown(mine) and not counter.shown(mine, OTHER.number)
    assert not counter.shown(elsewhere)
    assert run(counter.clerk.proven(mine)) == [MINE.number]


def test_another_order_and_no_order_are_refused_alike(counter: Counter):
    for number in (OTHER.number, "NP-999999", "'; DROP TABLE orders", "NP-1\n"):
        assert counter.guess(counter.conversation(), number, email=MINE.email) == "no"
    assert counter.guess(counter.conversation(), MINE.number) == "no"  # nothing is no detail
    assert counter.guess(counter.conversation(), MINE.number, postcode="LS6") == "no"


def test_three_wrong_tries_end_it_in_a_conversation(counter: Counter):
    mine = counter.conversation()
    tried = [counter.guess(mine, MINE.number, email=f"{at}@x.example") for at in range(3)]
    assert tried == ["no", "no", "over"]
    assert counter.guess(mine, MINE.number, email=MINE.email) == "over"  # too late, though right
    counter.hours_pass(schema.order_tries, 1.1, "at")
    assert counter.guess(mine, MINE.number, email=MINE.email) is True


def test_an_order_and_a_detail_are_guarded_across_conversations(counter: Counter):
    for at in range(6):
        guessed = counter.guess(counter.conversation(), MINE.number, postcode=f"AB{at} 1CD")
        assert guessed == "no"
    assert counter.guess(counter.conversation(), MINE.number, email=MINE.email) == "over"
    for at in range(6):
        counter.guess(counter.conversation(), f"NP-88000{at}", email=OTHER.email)
    assert counter.guess(counter.conversation(), OTHER.number, email=OTHER.email) == "over"


def test_who_is_signed_in_sees_their_own_and_no_others(counter: Counter):
    mine = counter.conversation()
    counter.support.identify(mine, Identity(SIGNED_IN.customer_id, None, SIGNED_IN.email))
    assert counter.shown(mine, SIGNED_IN.number) and not counter.shown(mine, MINE.number)
    numbers = {it.number for it in run(counter.clerk.orders(mine))}
    assert {SIGNED_IN.number, *SIGNED_IN.also} == numbers
    order = run(counter.clerk.order(mine, SIGNED_IN.number))
    assert run(counter.clerk.may_change(mine, order, "cancel_order"))
    assert not run(counter.clerk.may_change(mine, order, "change_address"))


def test_the_number_on_the_order_may_read_and_not_change(counter: Counter):
    order = run(counter.clerk.system.order(MINE.number))
    landed = counter.support.arrive(
        Arrived(channel="sms", address=order.phone, vendor_id="SM1", text="hi")
    )
    assert counter.shown(landed.conversation_id)
    assert not run(counter.clerk.may_change(landed.conversation_id, order, "cancel_order"))
    other = counter.support.arrive(
        Arrived(channel="sms", address="+447700900999", vendor_id="SM2", text="hi")
    )
    assert not counter.shown(other.conversation_id)


def test_a_code_goes_to_the_address_on_file_and_is_good_for_its_order_alone(counter: Counter):
    mine, elsewhere = counter.conversation(), counter.conversation()
    order = run(counter.clerk.system.order(MINE.number))
    assert run(counter.clerk.send_code(mine, order)) == f"{MINE.email[0]}•••@mail.example"
    assert counter.sent[-1][0] == MINE.email
    code = counter.code()
    assert counter.tries(elsewhere, code) == 0 and counter.tries(mine, code, OTHER.number) == 0
    assert not run(counter.clerk.may_change(mine, order, "cancel_order"))
    assert counter.tries(mine, code) is None
    assert run(counter.clerk.may_change(mine, order, "change_address"))
    assert not run(counter.clerk.may_change(elsewhere, order, "cancel_order"))
    assert counter.tries(mine, code) is None  # the turn was done again: nothing new is proven by it
    assert counter.tries(elsewhere, code) == 0
    with counter.database.reading() as tx:
        rows = str(tx.execute(select(schema.codes)).all())
    assert code not in rows


def test_five_tries_ten_minutes_three_codes_an_hour(counter: Counter):
    mine = counter.conversation()
    order = run(counter.clerk.system.order(MINE.number))
    run(counter.clerk.send_code(mine, order))
    wrong = "000000" if counter.code() != "000000" else "000001"
    assert [counter.tries(mine, wrong) for _ in range(5)] == [4, 3, 2, 1, 0]
    assert counter.tries(mine, counter.code()) == 0
    run(counter.clerk.send_code(mine, order))
    counter.hours_pass(schema.codes, 0.2, "expires_at")
    assert counter.tries(mine, counter.code()) == 0
    run(counter.clerk.send_code(mine, order))
    with pytest.raises(CannotSend):
        run(counter.clerk.send_code(mine, order))
    counter.hours_pass(schema.codes, 1.1, "created_at", "expires_at")
    run(counter.clerk.send_code(mine, order))
    assert counter.tries(mine, counter.code()) is None


def test_where_nothing_can_be_sent_nothing_can_be_changed(counter: Counter, capfd: Any):
    def broken(to: str, text: str) -> None:
        raise OSError(f"cannot send {text} to {to}")

    clerk = Clerk(counter.database, counter.clerk.system, Policy(), business="N", by_mail=broken)
    mine = counter.conversation()
    order = run(clerk.system.order(MINE.number))
    for one in (clerk, Clerk(counter.database, clerk.system, Policy(), business="N")):
        with pytest.raises(CannotSend):
            run(one.send_code(mine, order))
    told = "".join(capfd.readouterr())
    assert MINE.email not in told and "is your" not in told

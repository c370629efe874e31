"""What every shop system has to do, in the words of `bot.orders.contract`.

A system is tried by a class of tests of its own, in which ``shop`` gives a `Trial`::

    class TestMyShop(OrderConformance):
        @pytest.fixture
        async def shop(self):
            yield Trial(system, orders={"received": "1001", ...}, ...)

A case that the trial does not name, and an operation that the system cannot do, are skipped.
Tests change what they are given: each gets its own trial, in which the cases are as they were.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, timedelta

import pytest

from bot.orders.contract import (
    Address,
    Conflict,
    Customer,
    Done,
    Money,
    NotAllowed,
    NotFound,
    Operation,
    Order,
    OrderError,
    OrderState,
    OrderSystem,
    Part,
    Problem,
    ProblemReport,
    RefundState,
    Remedy,
    ReturnRequest,
    ReturnState,
    ShipmentState,
)

NASTY = (
    "",
    " ",
    "'; DROP TABLE orders; --",
    '" OR "1"="1',
    "NP-100001' OR '1'='1",
    "..",
    "../customers",
    "../../etc/passwd",
    "..%2f..%2fcustomers",
    "a/b?c=d#e",
    "NP-1\r\nX-Injected: yes",
    "NP-1\n",
    "NP-\x00100001",
    "ＮＰ－１００００１",
    "NP-١٢٣٤٥٦",
    "\ud800",
    "{{7*7}}${7*7}<script>alert(1)</script>",
    "%s%n%d",
    "Зоя 🧦 łódź",
    "x" * 4000,
)
WORDS = tuple(it for it in NASTY if it.strip())


@dataclass
class Trial:
    """A system with what the suite needs to know of it.

    Attributes:
        orders: a case -> the number of an order that shows it. Cases: ``received`` (one line, may be
            cancelled), ``received_two_lines`` (two or more lines, may be cancelled in part),
            ``packed``, ``dispatched``, ``split`` (several parcels), ``delivered`` (one line,
            returnable, in pounds or at home), ``delivered_two_lines``, ``abroad`` (delivered, its
            return costs something), ``too_late`` (delivered, its return comes too late),
            ``not_returnable`` (delivered, its first line cannot be returned), ``returned`` (a return
            is registered), ``refunded`` (a refund was issued), ``cancelled``, ``guest``.
        missing: a number in the shop's form that no order has.
        customer: id of an account with two or more orders, and with points if the system has them.
        other: id of another account.
        exchange_for: a variant that the product of ``delivered`` may be exchanged for.
        gift_card, expired_gift_card: whole codes.
        effects: how often each operation was done so far; None where nobody can know.
        binds_keys: whether a key that comes with another write is a `Conflict`.
        abroad_costs: what a return of ``abroad`` costs.
    """

    system: OrderSystem
    orders: dict[str, str]
    missing: str
    customer: str = ""
    other: str = ""
    exchange_for: str = ""
    gift_card: str = ""
    expired_gift_card: str = ""
    effects: Callable[[], Awaitable[dict[str, int]]] | None = None
    binds_keys: bool = True
    abroad_costs: Money | None = None
    keys: list[str] = field(default_factory=list)

    def number(self, case: str) -> str:
        """The order that shows a case; skips the test where there is none."""
        if case not in self.orders:
            pytest.skip(f"{self.system.name} shows no order that is {case}")
        return self.orders[case]

    async def order(self, case: str) -> Order:
        return await self.system.order(self.number(case))

    def needs(self, *operations: Operation) -> OrderSystem:
        """The system; skips the test where it cannot do that."""
        for operation in operations:
            if operation not in self.system.can:
                pytest.skip(f"{self.system.name} cannot {operation}")
        return self.system

    async def done(self, operation: Operation) -> int:
        """How often an operation was done; -1 where nobody can know."""
        return (await self.effects()).get(operation, 0) if self.effects else -1


def key() -> str:
    """A new key, as long and as odd as one may be."""
    return f"c_1.x/{uuid.uuid4().hex}-{uuid.uuid4().hex}"[:80]


def elsewhere(address: Address) -> Address:
    """Another address in the same country."""
    return dataclasses.replace(address, name="Zoë O’Brien-Łukasz", street="Flat 2\n14 Mill Lane")


def all_of(order: Order) -> tuple[Part, ...]:
    return tuple(Part(line.id, line.left) for line in order.lines if line.left)


def report_of(order: Order, words: str = "It is torn.") -> ProblemReport:
    return ProblemReport(all_of(order)[:1], Problem.DAMAGED, Remedy.REPLACEMENT, words)


def return_of(order: Order, reason: str = "too_small", words: str = "") -> ReturnRequest:
    return ReturnRequest(all_of(order)[:1], reason, words)


Write = Callable[[OrderSystem, str], Awaitable[Done]]


async def write_of(shop: Trial, operation: Operation) -> Write:
    """One write of an operation, which takes the system and the key."""
    if operation in (Operation.CHANGE_CONTACT,):
        if not shop.customer:
            pytest.skip("no account is named")
        return lambda it, k: it.change_contact(shop.customer, phone="07700 900999", key=k)
    if operation is Operation.UNSUBSCRIBE:
        return lambda it, k: it.unsubscribe("somebody@shop.example", key=k)
    case = {
        Operation.CANCEL: "received",
        Operation.CHANGE_ADDRESS: "received",
    }.get(operation, "delivered")
    order = await shop.order(case)
    if operation is Operation.CANCEL:
        return lambda it, k: it.cancel(order.number, (), key=k)
    if operation is Operation.CHANGE_ADDRESS:
        return lambda it, k: it.change_address(order.number, elsewhere(order.address), key=k)
    if operation is Operation.START_RETURN:
        return lambda it, k: it.start_return(order.number, return_of(order), key=k)
    if operation is Operation.REPORT:
        return lambda it, k: it.report(order.number, report_of(order), key=k)
    if operation is Operation.SEND_INVOICE:
        return lambda it, k: it.send_invoice(order.number, key=k)
    assert operation is Operation.GIVE_CREDIT
    credit = Money(500, order.total.currency)
    return lambda it, k: it.give_credit(order.number, credit, "late delivery", key=k)


WRITES = [it for it in Operation if it not in (Operation.GIFT_CARD, Operation.POINTS)]


class OrderConformance:
    """The tests; see above."""

    pytestmark = pytest.mark.anyio

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    async def shop(self) -> Trial:
        raise NotImplementedError

    # Reading.

    async def test_check_names_the_system(self, shop: Trial) -> None:
        assert (await shop.system.check()).strip()
        assert shop.system.name
        assert shop.system.can <= set(Operation)

    async def test_an_order_is_whole(self, shop: Trial) -> None:
        for case, number in shop.orders.items():
            order = await shop.system.order(number)
            assert order.number == number, case
            assert order.placed_at.tzinfo is UTC or order.placed_at.utcoffset() == timedelta(0)
            assert order.lines and len({line.id for line in order.lines}) == len(order.lines)
            assert "@" in order.email, case
            assert order.address.country.isupper() and len(order.address.country) == 2
            assert {line.price.currency for line in order.lines} == {order.total.currency}
            for line in order.lines:
                assert line.product and line.quantity >= 1 and line.left >= 0, case
                assert line.returnable or line.why_not, case
                assert order.line(line.id) == line
            for shipment in order.shipments:
                assert shipment.parts
                for part in shipment.parts:
                    assert 1 <= part.quantity <= order.line(part.line_id).quantity
                arrived = shipment.state is ShipmentState.DELIVERED
                assert arrived == (shipment.delivered_at is not None), case

    async def test_two_readings_are_equal(self, shop: Trial) -> None:
        for number in shop.orders.values():
            assert await shop.system.order(number) == await shop.system.order(number)

    async def test_states_are_what_the_case_says(self, shop: Trial) -> None:
        expected = {
            "received": OrderState.RECEIVED,
            "received_two_lines": OrderState.RECEIVED,
            "packed": OrderState.PACKED,
            "dispatched": OrderState.DISPATCHED,
            "delivered": OrderState.DELIVERED,
            "cancelled": OrderState.CANCELLED,
        }
        for case in expected.keys() & shop.orders.keys():
            assert (await shop.order(case)).state is expected[case], case

    async def test_a_split_order_has_several_parcels(self, shop: Trial) -> None:
        order = await shop.order("split")
        assert len(order.shipments) >= 2
        assert len({shipment.id for shipment in order.shipments}) == len(order.shipments)

    async def test_a_dispatched_order_can_be_tracked(self, shop: Trial) -> None:
        order = await shop.order("dispatched")
        assert any(it.dispatched_at and it.tracking_url for it in order.shipments)

    async def test_a_delivered_order_says_when(self, shop: Trial) -> None:
        order = await shop.order("delivered")
        assert order.delivered_at is not None
        assert order.delivered_at.utcoffset() == timedelta(0)

    async def test_a_guest_has_no_account(self, shop: Trial) -> None:
        assert (await shop.order("guest")).customer_id == ""

    async def test_a_return_and_a_refund_are_shown(self, shop: Trial) -> None:
        order = await shop.order("returned")
        assert order.returns and order.returns[0].state in set(ReturnState)
        assert any(line.returned for line in order.lines)
        refunded = await shop.order("refunded")
        issued = [it for it in refunded.refunds if it.state is RefundState.ISSUED]
        assert issued and issued[0].issued_at and issued[0].amount.minor > 0 and issued[0].method

    async def test_no_such_order(self, shop: Trial) -> None:
        with pytest.raises(NotFound):
            await shop.system.order(shop.missing)

    @pytest.mark.parametrize("number", NASTY)
    async def test_an_order_number_may_be_anything(self, shop: Trial, number: str) -> None:
        with pytest.raises(NotFound):
            await shop.system.order(number)
        assert (await shop.order("received")).lines  # it is all still there

    async def test_orders_of_a_customer_newest_first(self, shop: Trial) -> None:
        found = await shop.system.orders_of(shop.customer)
        assert len(found) >= 2
        assert [it.placed_at for it in found] == sorted(
            (it.placed_at for it in found), reverse=True
        )
        assert {it.customer_id for it in found} == {shop.customer}
        assert found[0] == await shop.system.order(found[0].number)
        assert await shop.system.orders_of(shop.customer, limit=1) == found[:1]

    @pytest.mark.parametrize("customer", NASTY)
    async def test_an_unknown_customer(self, shop: Trial, customer: str) -> None:
        assert await shop.system.orders_of(customer) == []
        with pytest.raises(NotFound):
            await shop.system.customer(customer)

    async def test_a_customer_by_id_and_by_email_in_any_case(self, shop: Trial) -> None:
        found = await shop.system.customer(shop.customer)
        assert isinstance(found, Customer)
        assert found.id == shop.customer
        for email in (found.email, found.email.upper(), found.email.title()):
            assert await shop.system.customer_by_email(email) == found

    @pytest.mark.parametrize("email", [*NASTY, "%@%", "nobody@nowhere.example", "*"])
    async def test_an_unknown_email(self, shop: Trial, email: str) -> None:
        with pytest.raises(NotFound):
            await shop.system.customer_by_email(email)

    async def test_points(self, shop: Trial) -> None:
        found = await shop.needs(Operation.POINTS).customer(shop.customer)
        assert found.points is not None and found.points >= 0

    async def test_a_gift_card(self, shop: Trial) -> None:
        system = shop.needs(Operation.GIFT_CARD)
        card = await system.gift_card(shop.gift_card)
        assert card.last4 == shop.gift_card.replace(" ", "").replace("-", "")[-4:]
        assert card.balance.minor > 0
        if shop.expired_gift_card:
            old = await system.gift_card(shop.expired_gift_card)
            assert old.expires is not None
            assert card.expires is None or old.expires < card.expires

    @pytest.mark.parametrize("code", [*NASTY, "%", "0000000000000000"])
    async def test_no_such_gift_card(self, shop: Trial, code: str) -> None:
        with pytest.raises(NotFound):
            await shop.needs(Operation.GIFT_CARD).gift_card(code)
        if shop.gift_card:
            with pytest.raises(NotFound):  # the last characters are not enough
                await shop.system.gift_card(shop.gift_card[-4:])

    # Cancelling.

    async def test_cancel_all(self, shop: Trial) -> None:
        number = shop.number("received")
        done = await shop.needs(Operation.CANCEL).cancel(number, (), key=key())
        assert done.reference
        order = await shop.system.order(number)
        assert order.state is OrderState.CANCELLED
        assert all(line.left == 0 for line in order.lines)
        assert done.order is None or done.order == order

    async def test_cancel_one_line_of_two(self, shop: Trial) -> None:
        before = await shop.order("received_two_lines")
        first, *others = before.lines
        part = (Part(first.id, first.left),)
        await shop.needs(Operation.CANCEL).cancel(before.number, part, key=key())
        after = await shop.system.order(before.number)
        assert after.state is OrderState.RECEIVED
        assert after.line(first.id).left == 0
        assert [after.line(it.id).left for it in others] == [it.left for it in others]

    async def test_cancel_the_last_line_too(self, shop: Trial) -> None:
        order = await shop.order("received_two_lines")
        for line in order.lines:
            part = (Part(line.id, line.left),)
            await shop.needs(Operation.CANCEL).cancel(order.number, part, key=key())
        assert (await shop.system.order(order.number)).state is OrderState.CANCELLED

    @pytest.mark.parametrize("case", ["packed", "dispatched", "delivered", "cancelled"])
    async def test_cancel_too_late(self, shop: Trial, case: str) -> None:
        before = await shop.order(case)
        with pytest.raises(NotAllowed):
            await shop.needs(Operation.CANCEL).cancel(before.number, (), key=key())
        assert await shop.order(case) == before

    async def test_cancel_more_than_there_is(self, shop: Trial) -> None:
        order = await shop.order("received")
        system = shop.needs(Operation.CANCEL)
        line = order.lines[0]
        for part in (Part(line.id, line.left + 1), Part("no-such-line", 1), Part(line.id, 10**30)):
            with pytest.raises((NotAllowed, Conflict)):
                await system.cancel(order.number, (part,), key=key())
        for part in (Part(line.id, 0), Part(line.id, -1)):
            with pytest.raises(OrderError):
                await system.cancel(order.number, (part,), key=key())
        assert await shop.order("received") == order

    # Returning.

    async def test_return(self, shop: Trial) -> None:
        before = await shop.order("delivered")
        wanted = return_of(before, words="A bit tight at the shoulders – sorry! 🙂")
        done = await shop.needs(Operation.START_RETURN).start_return(
            before.number, wanted, key=key()
        )
        assert done.reference
        after = await shop.system.order(before.number)
        assert len(after.returns) == len(before.returns) + 1
        new = next(it for it in after.returns if it.id not in {old.id for old in before.returns})
        assert new.parts == wanted.parts and not new.exchange
        assert new.state is ReturnState.REGISTERED
        assert after.lines[0].returned == wanted.parts[0].quantity
        if done.refund:
            assert 0 < done.refund.minor <= before.total.minor

    async def test_return_of_one_line_of_two(self, shop: Trial) -> None:
        before = await shop.order("delivered_two_lines")
        await shop.needs(Operation.START_RETURN).start_return(
            before.number, return_of(before), key=key()
        )
        after = await shop.system.order(before.number)
        first, *others = all_of(before)
        assert after.line(first.line_id).left == 0
        assert all(after.line(it.line_id).left == it.quantity for it in others)
        again = ReturnRequest(tuple(others), "changed_mind")
        await shop.system.start_return(before.number, again, key=key())
        assert len((await shop.system.order(before.number)).returns) == len(before.returns) + 2

    async def test_return_from_abroad_costs(self, shop: Trial) -> None:
        order = await shop.order("abroad")
        if shop.abroad_costs is None:
            pytest.skip("nothing is known of what it costs")
        system = shop.needs(Operation.START_RETURN)
        done = await system.start_return(order.number, return_of(order), key=key())
        part = all_of(order)[0]
        paid = order.line(part.line_id).price * part.quantity
        assert done.refund is not None and done.refund.currency == order.total.currency
        at_most = paid.minor + order.delivery_price.minor - shop.abroad_costs.minor
        assert paid.minor - shop.abroad_costs.minor <= done.refund.minor <= at_most

    async def test_exchange(self, shop: Trial) -> None:
        order = await shop.order("delivered")
        if not shop.exchange_for:
            pytest.skip("no other variant is named")
        wanted = dataclasses.replace(return_of(order), exchange_for=shop.exchange_for)
        system = shop.needs(Operation.START_RETURN)
        done = await system.start_return(order.number, wanted, key=key())
        assert done.refund is None
        assert any(it.exchange for it in (await shop.order("delivered")).returns)

    async def test_exchange_for_what_does_not_exist(self, shop: Trial) -> None:
        order = await shop.order("delivered")
        system = shop.needs(Operation.START_RETURN)
        if not shop.exchange_for:
            pytest.skip("nothing is exchanged")
        for variant in ("size 99, tartan", "'; DROP TABLE stock; --", "\x00", "x" * 4000):
            wanted = dataclasses.replace(return_of(order), exchange_for=variant)
            with pytest.raises((NotAllowed, NotFound, Conflict)):
                await system.start_return(order.number, wanted, key=key())
        assert await shop.order("delivered") == order

    @pytest.mark.parametrize("case", ["too_late", "not_returnable", "received", "cancelled"])
    async def test_return_refused(self, shop: Trial, case: str) -> None:
        before = await shop.order(case)
        line = before.lines[0]
        wanted = ReturnRequest((Part(line.id, line.quantity),), "changed_mind")
        with pytest.raises((NotAllowed, Conflict)):
            await shop.needs(Operation.START_RETURN).start_return(before.number, wanted, key=key())
        assert await shop.order(case) == before

    async def test_return_twice(self, shop: Trial) -> None:
        order = await shop.order("delivered")
        system = shop.needs(Operation.START_RETURN)
        await system.start_return(order.number, return_of(order), key=key())
        with pytest.raises((NotAllowed, Conflict)):
            await system.start_return(order.number, return_of(order), key=key())
        assert len((await shop.order("delivered")).returns) == len(order.returns) + 1

    async def test_return_of_nothing(self, shop: Trial) -> None:
        order = await shop.order("delivered")
        with pytest.raises((NotAllowed, Conflict)):
            await shop.needs(Operation.START_RETURN).start_return(
                order.number, ReturnRequest((), "changed_mind"), key=key()
            )

    # The other writes.

    @pytest.mark.parametrize("problem", list(Problem))
    @pytest.mark.parametrize("remedy", list(Remedy))
    async def test_report(self, shop: Trial, problem: Problem, remedy: Remedy) -> None:
        order = await shop.order("delivered")
        wanted = ProblemReport(all_of(order), problem, remedy, "The seam – see photo – is open.")
        done = await shop.needs(Operation.REPORT).report(order.number, wanted, key=key())
        assert done.reference

    async def test_report_on_a_line_that_is_not_there(self, shop: Trial) -> None:
        order = await shop.order("delivered")
        wanted = dataclasses.replace(report_of(order), parts=(Part("no-such-line", 1),))
        with pytest.raises((NotAllowed, Conflict)):
            await shop.needs(Operation.REPORT).report(order.number, wanted, key=key())

    async def test_change_address(self, shop: Trial) -> None:
        before = await shop.order("received")
        wanted = elsewhere(before.address)
        done = await shop.needs(Operation.CHANGE_ADDRESS).change_address(
            before.number, wanted, key=key()
        )
        assert done.reference
        after = await shop.order("received")
        assert after.address == wanted
        assert dataclasses.replace(after, address=before.address) == before

    @pytest.mark.parametrize("case", ["packed", "dispatched", "delivered", "cancelled"])
    async def test_change_address_too_late(self, shop: Trial, case: str) -> None:
        before = await shop.order(case)
        with pytest.raises(NotAllowed):
            await shop.needs(Operation.CHANGE_ADDRESS).change_address(
                before.number, elsewhere(before.address), key=key()
            )
        assert await shop.order(case) == before

    async def test_an_address_in_another_country(self, shop: Trial) -> None:
        before = await shop.order("received")
        country = "FR" if before.address.country != "FR" else "DE"
        wanted = Address("Ada Hill", "2 Rue Haute", "Lyon", "69001", country)
        with pytest.raises(NotAllowed):
            await shop.needs(Operation.CHANGE_ADDRESS).change_address(
                before.number, wanted, key=key()
            )
        assert await shop.order("received") == before

    async def test_change_contact(self, shop: Trial) -> None:
        system = shop.needs(Operation.CHANGE_CONTACT)
        before = await system.customer(shop.customer)
        await system.change_contact(shop.customer, phone="07700 900998", key=key())
        after = await system.customer(shop.customer)
        digits = "".join(filter(str.isdigit, after.phone))
        assert digits.endswith("7700900998") and after.email == before.email
        await system.change_contact(shop.customer, email="New.Address@mail.example", key=key())
        assert (await system.customer_by_email("new.address@mail.example")).id == shop.customer
        with pytest.raises(NotFound):
            await system.customer_by_email(before.email)

    async def test_change_contact_to_somebody_elses(self, shop: Trial) -> None:
        system = shop.needs(Operation.CHANGE_CONTACT)
        other = await system.customer(shop.other)
        before = await system.customer(shop.customer)
        with pytest.raises(Conflict):
            await system.change_contact(shop.customer, email=other.email.upper(), key=key())
        assert await system.customer(shop.customer) == before
        with pytest.raises(NotFound):
            await system.change_contact("no-such-customer", phone="07700 900998", key=key())

    async def test_send_invoice(self, shop: Trial) -> None:
        system = shop.needs(Operation.SEND_INVOICE)
        assert (await shop.order("delivered")).invoice_ready
        assert (await system.send_invoice(shop.number("delivered"), key=key())).reference
        assert not (await shop.order("received")).invoice_ready
        with pytest.raises(NotAllowed):
            await system.send_invoice(shop.number("received"), key=key())

    async def test_unsubscribe(self, shop: Trial) -> None:
        system = shop.needs(Operation.UNSUBSCRIBE)
        email = (await system.customer(shop.customer)).email
        await system.unsubscribe(email.upper(), key=key())
        assert not (await system.customer(shop.customer)).marketing
        await system.unsubscribe("nobody@nowhere.example", key=key())

    async def test_give_credit(self, shop: Trial) -> None:
        order = await shop.order("delivered")
        system = shop.needs(Operation.GIVE_CREDIT)
        amount = Money(500, order.total.currency)
        done = await system.give_credit(order.number, amount, "late delivery", key=key())
        assert done.reference
        for wrong in (Money(0, amount.currency), Money(-500, amount.currency), Money(500, "XTS")):
            with pytest.raises(NotAllowed):
                await system.give_credit(order.number, wrong, "", key=key())

    @pytest.mark.parametrize("operation", WRITES)
    async def test_writes_to_no_such_order(self, shop: Trial, operation: Operation) -> None:
        if operation in (Operation.CHANGE_CONTACT, Operation.UNSUBSCRIBE):
            pytest.skip("it is no order's")
        for number in (shop.missing, *NASTY):
            trial = await write_of(shop, operation)
            with pytest.raises(NotFound):
                await trial(_Elsewhere(shop.needs(operation), number), key())

    # Words that customers choose.

    @pytest.mark.parametrize("words", WORDS)
    async def test_words_may_be_anything(self, shop: Trial, words: str) -> None:
        order = await shop.order("delivered")
        if Operation.REPORT in shop.system.can:
            assert (
                await shop.system.report(order.number, report_of(order, words), key=key())
            ).reference
        if Operation.START_RETURN in shop.system.can:
            wanted = return_of(order, words=words)
            assert (await shop.system.start_return(order.number, wanted, key=key())).reference
        if Operation.GIVE_CREDIT in shop.system.can:
            amount = Money(100, order.total.currency)
            await shop.system.give_credit(order.number, amount, words, key=key())
        after = await shop.order("delivered")
        assert [line.product for line in after.lines] == [line.product for line in order.lines]

    @pytest.mark.parametrize("text", WORDS)
    async def test_addresses_may_be_anything(self, shop: Trial, text: str) -> None:
        """An odd address is taken as it is, or refused; nothing in between."""
        before = await shop.order("received")
        wanted = dataclasses.replace(before.address, name=text, street=text)
        system = shop.needs(Operation.CHANGE_ADDRESS)
        try:
            await system.change_address(before.number, wanted, key=key())
        except NotAllowed:
            wanted = before.address
        assert (await shop.order("received")).address == wanted

    @pytest.mark.parametrize("text", WORDS)
    async def test_contacts_may_be_anything(self, shop: Trial, text: str) -> None:
        system = shop.needs(Operation.CHANGE_CONTACT)
        before = await system.customer(shop.customer)
        for change in ({"email": text}, {"phone": text}):
            with pytest.raises(NotAllowed):
                await system.change_contact(shop.customer, **change, key=key())
        assert await system.customer(shop.customer) == before

    @pytest.mark.parametrize("email", WORDS)
    async def test_unsubscribing_anything(self, shop: Trial, email: str) -> None:
        system = shop.needs(Operation.UNSUBSCRIBE)
        before = await system.customer(shop.customer)
        with contextlib.suppress(NotAllowed):
            await system.unsubscribe(email, key=key())
        assert await system.customer(shop.customer) == before

    # Once, whatever happens.

    @pytest.mark.parametrize("operation", WRITES)
    async def test_the_same_key_again(self, shop: Trial, operation: Operation) -> None:
        system = shop.needs(operation)
        write, ours = await write_of(shop, operation), key()
        assert await system.outcome(ours) is None
        before = await shop.done(operation)
        first = await write(system, ours)
        assert await write(system, ours) == first
        assert await system.outcome(ours) == first
        assert await shop.done(operation) - before in (0, 1)
        if shop.effects:
            assert await shop.done(operation) == before + 1

    @pytest.mark.parametrize("operation", WRITES)
    async def test_the_same_key_in_parallel(self, shop: Trial, operation: Operation) -> None:
        system = shop.needs(operation)
        write, ours = await write_of(shop, operation), key()
        before = await shop.done(operation)
        found = await asyncio.gather(*(write(system, ours) for _ in range(6)))
        assert all(it == found[0] for it in found)
        if shop.effects:
            assert await shop.done(operation) == before + 1

    async def test_the_same_key_after_the_order_has_changed(self, shop: Trial) -> None:
        system = shop.needs(Operation.CHANGE_ADDRESS, Operation.CANCEL)
        order = await shop.order("received")
        wanted, ours = elsewhere(order.address), key()
        first = await system.change_address(order.number, wanted, key=ours)
        await system.cancel(order.number, (), key=key())
        assert await system.change_address(order.number, wanted, key=ours) == first
        assert (await shop.order("received")).state is OrderState.CANCELLED

    async def test_two_keys_in_parallel_do_it_once(self, shop: Trial) -> None:
        """Two windows, one order: one of them wins, the other is told."""
        order = await shop.order("delivered")
        system = shop.needs(Operation.START_RETURN)
        found = await asyncio.gather(
            *(system.start_return(order.number, return_of(order), key=key()) for _ in range(4)),
            return_exceptions=True,
        )
        assert len([it for it in found if isinstance(it, Done)]) == 1
        refused = [it for it in found if isinstance(it, BaseException)]
        assert all(isinstance(it, NotAllowed | Conflict) for it in refused)
        assert len((await shop.order("delivered")).returns) == len(order.returns) + 1

    async def test_what_was_refused_may_be_tried_again(self, shop: Trial) -> None:
        """A refusal does not use up the key."""
        system = shop.needs(Operation.CANCEL)
        ours, order = key(), await shop.order("received")
        with pytest.raises(OrderError):
            await system.cancel(order.number, (Part("no-such-line", 1),), key=ours)
        assert await system.outcome(ours) is None

    async def test_a_key_belongs_to_one_write(self, shop: Trial) -> None:
        system = shop.needs(Operation.SEND_INVOICE, Operation.REPORT)
        if not shop.binds_keys:
            pytest.skip("keys are not compared")
        order, ours = await shop.order("delivered"), key()
        await system.send_invoice(order.number, key=ours)
        with pytest.raises(Conflict):
            await system.report(order.number, report_of(order), key=ours)

    async def test_keys_that_are_none(self, shop: Trial) -> None:
        system = shop.needs(Operation.SEND_INVOICE)
        for wrong in ("", "a b", "ä", "x" * 81, "a\n", "a'--"):
            with pytest.raises(ValueError):
                await system.send_invoice(shop.number("delivered"), key=wrong)

    async def test_outcome_of_what_never_was(self, shop: Trial) -> None:
        assert await shop.system.outcome(key()) is None


class _Elsewhere:
    """A system whose writes go to another order."""

    def __init__(self, system: OrderSystem, number: str):
        self.system, self.number = system, number

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Done]]:
        method = getattr(self.system, name)
        return lambda number, *rest, **more: method(self.number, *rest, **more)

"""Shopify: our requests against its schema, and what we make of everything that comes back."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

graphql = pytest.importorskip("graphql", reason="no graphql-core; `make setup` installs it")

from bot.orders.contract import (  # noqa: E402
    Money,
    NotAllowed,
    NotFound,
    Operation,
    OrderState,
    Part,
    Problem,
    ProblemReport,
    RefundState,
    Remedy,
    ReturnRequest,
    ReturnState,
    ShipmentState,
    Unavailable,
    Unknown,
)
from bot.orders.shopify import ShopifyShop, mutations, queries, search  # noqa: E402
from bot.orders.shopify.access import shop_domain  # noqa: E402
from bot.orders.shopify.clock import Deadline  # noqa: E402
from bot.orders.shopify.marks import NAMESPACE, name_of  # noqa: E402
from bot.orders.shopify.money import amount, decimal  # noqa: E402
from bot.orders.shopify.shop import SCOPES  # noqa: E402
from bot.orders.shopify.words import clean  # noqa: E402
from bot.simulate.shopify import (  # noqa: E402
    TOKEN,
    LocalShopify,
    denied,
    error_after,
    graph,
    reset_after,
    reset_before,
    seed,
    slow,
    slow_after,
    status,
    throttled,
    user_error,
)
from bot.simulate.shopify.server import CLIENT  # noqa: E402
from tests.contract.order_conformance import OrderConformance, Trial  # noqa: E402

CASES = seed.CASES
DOMAIN = "northpeak.myshopify.com"
COUNTED = {
    Operation.CANCEL: ("orderCancel", "orderEditCommit"),
    Operation.START_RETURN: ("returnCreate",),
    Operation.REPORT: ("orderUpdate",),
    Operation.CHANGE_ADDRESS: ("orderUpdate",),
    Operation.CHANGE_CONTACT: ("customerUpdate",),
    Operation.SEND_INVOICE: ("orderInvoiceSend",),
    Operation.GIVE_CREDIT: ("discountCodeBasicCreate",),
}


def connected(local: LocalShopify, **more: Any) -> ShopifyShop:
    return ShopifyShop(DOMAIN, TOKEN, **{"api_url": local.url, "timeout": 3.0, **more})


@pytest.fixture
def local() -> Iterator[LocalShopify]:
    with LocalShopify() as local:
        yield local


class TestConformance(OrderConformance):
    @pytest.fixture
    async def shop(self, local: LocalShopify) -> Any:
        system = connected(local)

        async def effects() -> dict[str, int]:
            # Newsletters of an unknown address are nobody's: nothing is to be counted there.
            found = {it: sum(local.done[name] for name in names) for it, names in COUNTED.items()}
            found[Operation.UNSUBSCRIBE] = len(
                [it for it in local.state.marks.values() if "unsubscribe" in it["value"]]
            )
            return {str(it): many for it, many in found.items()}

        yield Trial(
            system,
            orders=dict(CASES),
            missing=seed.MISSING,
            customer=search.short(local.state.customers[0]["id"]),
            other=search.short(local.state.customers[1]["id"]),
            exchange_for=seed.EXCHANGE_FOR,
            effects=effects,
        )
        await system.close()


def run(work: Callable[[], Awaitable[Any]]) -> Any:
    return asyncio.run(work())


# Our documents.


@pytest.mark.parametrize(
    "document", [*queries.EVERY, *mutations.EVERY], ids=lambda it: it.split()[1]
)
def test_every_document_is_valid_and_cheap_enough(document):
    parsed = graphql.parse(document)
    assert graphql.validate(graph.schema(), parsed) == []
    assert graph.cost(parsed, {"limit": 50}) <= graph.MOST


def test_no_document_is_forgotten():
    for module in (queries, mutations):
        documents = {
            it for name, it in vars(module).items() if name.isupper() and isinstance(it, str)
        }
        ours = {it for it in documents if it.lstrip().startswith(("query", "mutation"))}
        assert ours <= set(module.EVERY)


def test_a_misspelt_field_is_noticed(local):
    query = "query Q { orders(first: 1) { nodes { displayFulfilmentStatus } } }"
    with pytest.raises(Unavailable, match="displayFulfilmentStatus"):
        run(lambda: connected(local).client.read(query, Deadline(3)))


# Reading.


def test_an_order_in_our_words(local):
    shop = connected(local)
    order = run(lambda: shop.order(CASES["split"]))
    assert order.state is OrderState.DISPATCHED and order.delivered_at is None
    first, second = order.shipments
    assert first.state is ShipmentState.DELIVERED and first.delivered_at
    assert second.state is ShipmentState.OUT_FOR_DELIVERY and second.tracking_url.startswith(
        "https"
    )
    assert order.total == Money(6500 + 2 * 1450 + 495)
    assert [it.title for it in order.lines] == [
        "Tarnside Fleece, M / Moss",
        "Merrinwell Socks, 6-8",
    ]
    assert (order.delivery, order.delivery_price) == ("Standard delivery", Money(495))


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (seed.COLLECT, OrderState.READY_TO_COLLECT),
        (seed.HELD, OrderState.RECEIVED),
        (seed.FAILED, OrderState.DISPATCHED),
        (seed.OUT, OrderState.DISPATCHED),
    ],
)
def test_states(local, number, state):
    order = run(lambda: connected(local).order(number))
    assert order.state is state
    assert order.collects == (number == seed.COLLECT)


def test_refunds_and_returns(local):
    shop = connected(local)
    refunded = run(lambda: shop.order(CASES["refunded"]))
    (refund,) = refunded.refunds
    assert refund.state is RefundState.ISSUED and refund.method == "Visa ending 4242"
    assert refunded.lines[0].returned == 1 and refunded.lines[0].cancelled == 0
    assert refunded.returns[0].state is ReturnState.CLOSED and refunded.returns[0].arrived_at
    labelled = run(lambda: shop.order(seed.LABEL))
    assert labelled.returns[0].label_url == "https://labels.shop.example/1.pdf"
    assert labelled.returns[0].state is ReturnState.ARRIVED
    assert run(lambda: shop.order(seed.EXCHANGED)).returns[0].exchange


def test_all_pages_are_read(local):
    order = run(lambda: connected(local).order(seed.LONG))
    assert len(order.lines) == 130 and len({it.id for it in order.lines}) == 130
    assert len(order.shipments) == 20 and len(order.shipments[0].parts) == 100


@pytest.mark.parametrize(
    "number",
    [
        'NP-200001" OR name:"NP-200002',
        "NP-200001 OR NP-200002",
        "NP-2000*",
        "*",
        "name:NP-200001",
        "NP-200001\\",
        "200001",
        "NP",
    ],
)
def test_what_customers_type_stays_a_name(local, number):
    with pytest.raises(NotFound):
        run(lambda: connected(local).order(number))
    for call in local.calls:
        if call.operation == "FindOrder":
            assert call.variables["search"] == f'name:"{number}"'


@pytest.mark.parametrize("number", ["NP-200001", "np-200001", "#NP-200001"])
def test_names_in_any_case_with_and_without_their_sign(local, number):
    assert run(lambda: connected(local).order(number)).number == "NP-200001"


def test_customer_ids(local):
    shop, ada = connected(local), local.state.customers[0]
    number = search.short(ada["id"])
    assert run(lambda: shop.customer(ada["id"])) == run(lambda: shop.customer(number))
    assert len(run(lambda: shop.orders_of(number, limit=3))) == 3
    for wrong in ("gid://shopify/Order/5001", "-1", "0x1", "99999999999999999999", number + "\n"):
        assert run(lambda wrong=wrong: shop.orders_of(wrong)) == []


def test_gift_cards_are_not_looked_up(local):
    shop = connected(local)
    assert not shop.can & {Operation.GIFT_CARD, Operation.POINTS}
    with pytest.raises(NotAllowed):
        run(lambda: shop.gift_card("ABCD EFGH 1234 5678"))
    assert local.calls == []


# Faults.


def test_reads_are_tried_again(local):
    local.fail(reset_before, status(503), throttled(10), status(429, Retry_After="0.1"))
    assert run(lambda: connected(local).order(CASES["received"])).lines


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (status(401), "token"),
        (status(402), "frozen"),
        (status(403), "scopes"),
        (status(404), "domain"),
        (status(423), "locked"),
        (denied("read_orders"), "read_orders"),
        (status(200, "<html>"), "no JSON"),
        (status(200, {"data": None}), "no data"),
        (status(200, {"data": {}}), "shape"),
        (throttled(100000), "share"),
    ],
)
def test_a_read_that_fails_says_what_to_do(local, fault, said):
    local.fail(*[fault] * 20)
    with pytest.raises(Unavailable, match=said):
        run(lambda: connected(local, timeout=0.6).order(CASES["received"]))


def test_no_call_takes_longer_than_its_time(local):
    local.fail(*[slow(2)] * 4)
    start = time.monotonic()
    with pytest.raises(Unavailable):
        run(lambda: connected(local, timeout=0.4).order(CASES["received"]))
    assert time.monotonic() - start < 1.2


def test_nobody_listens():
    shop = ShopifyShop(DOMAIN, TOKEN, api_url="http://127.0.0.1:9", timeout=0.4)
    with pytest.raises(Unavailable):
        run(lambda: shop.order("NP-1"))
    with pytest.raises(Unavailable):
        run(lambda: shop.send_invoice("NP-1", key="k"))


# Each write: a name, the operation at Shopify, and how it is done.
def _parts(order: Any) -> tuple[Part, ...]:
    return (Part(order.lines[0].id, 1),)


async def _cancel(shop, key):
    return await shop.cancel(CASES["received"], (), key=key)


async def _cancel_part(shop, key):
    order = await shop.order(CASES["received_two_lines"])
    if order.lines[0].left < 2:
        return await shop.cancel(order.number, _parts(order), key=key)
    return await shop.cancel(order.number, _parts(order), key=key)


async def _return(shop, key):
    order = await shop.order(CASES["delivered"])
    request = ReturnRequest(_parts(order), "too_small", "It pinches.")
    return await shop.start_return(order.number, request, key=key)


async def _report(shop, key):
    order = await shop.order(CASES["delivered"])
    report = ProblemReport(_parts(order), Problem.DAMAGED, Remedy.REFUND, "Torn.")
    return await shop.report(order.number, report, key=key)


async def _address(shop, key):
    order = await shop.order(CASES["received_two_lines"])
    wanted = dataclasses.replace(order.address, name="Zoë Hill", street="Flat 2\n9 High Street")
    return await shop.change_address(order.number, wanted, key=key)


async def _contact(shop, key):
    customer = await shop.customer_by_email("ben.frost@mail.example")
    return await shop.change_contact(customer.id, phone="07700 900333", key=key)


async def _credit(shop, key):
    return await shop.give_credit(CASES["delivered"], Money(1000), "late delivery", key=key)


async def _unsubscribe(shop, key):
    return await shop.unsubscribe("Ben.Frost@mail.example", key=key)


async def _invoice(shop, key):
    return await shop.send_invoice(CASES["delivered"], key=key)


SEEN = [
    ("CancelOrder", "orderCancel", _cancel),
    ("EditCommit", "orderEditCommit", _cancel_part),
    ("CreateReturn", "returnCreate", _return),
    ("NoteOrder", "orderUpdate", _report),
    ("ChangeAddress", "orderUpdate", _address),
    ("ChangeContact", "customerUpdate", _contact),
    ("CreateVoucher", "discountCodeBasicCreate", _credit),
    ("Unsubscribe", "customerEmailMarketingConsentUpdate", _unsubscribe),
]
WRITES = [*SEEN, ("SendInvoice", "orderInvoiceSend", _invoice)]
ids = [it[0] for it in WRITES]


@pytest.mark.parametrize(("at", "field", "write"), SEEN, ids=ids[:-1])
@pytest.mark.parametrize(
    ("fault", "another"),
    [(reset_after, False), (error_after, False), (slow_after(1.6), False), (reset_after, True)],
    ids=["reset", "error", "slow", "another process"],
)
def test_done_without_an_answer(local, at, field, write, fault, another):
    """It was done, and the same key sees that, also after our process was replaced."""
    shop = connected(local, timeout=1.2)
    local.fail(fault, at=at)
    with pytest.raises(Unknown):
        run(lambda: write(shop, "k/1"))
    time.sleep(2.5 if another else 0.5)
    later = connected(local, timeout=1.2) if another else shop
    found = run(lambda: later.outcome("k/1"))
    assert found and found.reference
    assert run(lambda: write(later, "k/1")) == found
    assert local.done[field] == 1


@pytest.mark.parametrize(("at", "field", "write"), WRITES, ids=ids)
@pytest.mark.parametrize("again_by", ["outcome", "write"])
def test_cut_off_before_it_was_done(local, at, field, write, again_by):
    shop = connected(local)
    local.fail(reset_before, at=at)
    with pytest.raises(Unknown):
        run(lambda: write(shop, "k/2"))
    assert local.done[field] == 0
    if again_by == "outcome":
        assert run(lambda: shop.outcome("k/2")) is None
    assert run(lambda: write(shop, "k/2")).reference
    assert local.done[field] == 1


@pytest.mark.parametrize(("at", "field", "write"), WRITES, ids=ids)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (throttled(), Unavailable),
        (status(429), Unavailable),
        (status(401), Unavailable),
        (status(403), Unavailable),
        (denied("write_orders"), NotAllowed),
        (user_error("It is not possible"), NotAllowed),
    ],
    ids=["throttled", "429", "401", "403", "denied", "user error"],
)
def test_refused_is_not_done_and_may_be_tried_again(local, at, field, write, fault, error):
    shop = connected(local)
    local.fail(fault, at=at)
    with pytest.raises(error):
        run(lambda: write(shop, "k/3"))
    assert run(lambda: shop.outcome("k/3")) is None
    assert (NAMESPACE, name_of("k/3")) not in local.state.marks
    assert local.done[field] == 0
    assert run(lambda: write(shop, "k/3")).reference


@pytest.mark.parametrize(("at", "field", "write"), WRITES, ids=ids)
@pytest.mark.parametrize("fault", [reset_before, reset_after, status(500)], ids=["b", "a", "500"])
def test_the_mark_could_not_be_written(local, at, field, write, fault):
    """Without its mark nothing is begun; with a mark that we do not know of, the same key goes on."""
    shop = connected(local)
    local.fail(fault, at="SetMark")
    with pytest.raises(Unavailable):
        run(lambda: write(shop, "k/4"))
    assert local.done[field] == 0 and run(lambda: shop.outcome("k/4")) is None
    assert run(lambda: write(shop, "k/4")).reference
    assert local.done[field] == 1


@pytest.mark.parametrize(("at", "field", "write"), SEEN, ids=ids[:-1])
def test_the_outcome_could_not_be_noted(local, at, field, write):
    """What is done is done, whether or not it could be noted; the same key sees it."""
    shop = connected(local)
    local.fail(lambda call: None, reset_before, at="SetMark")
    first = run(lambda: write(shop, "k/5"))
    assert run(lambda: write(shop, "k/5")) == first
    assert local.done[field] == 1


def test_two_processes_with_one_key(local):
    one, two = connected(local), connected(local)

    async def both():
        return await asyncio.gather(_return(one, "k/6"), _return(two, "k/6"))

    first, second = run(both)
    assert first == second and local.done["returnCreate"] == 1


# Particulars of some writes.


def test_a_job_that_takes_too_long(local):
    local.state.job_seconds = 60
    shop = connected(local, timeout=0.6)
    with pytest.raises(Unknown):
        run(lambda: _cancel(shop, "k/7"))
    found = run(lambda: shop.outcome("k/7"))
    assert found and found.reference == CASES["received"]


def test_a_job_is_waited_for(local):
    local.state.job_seconds = 0.4
    assert run(lambda: _cancel(connected(local), "k/8")).reference
    assert local.operations().count("Job") >= 2


def test_a_paid_order_is_refunded_when_it_is_cancelled(local):
    done = run(lambda: connected(local).cancel(seed.PAID, (), key="k/9"))
    assert done.refund == Money(6995)


def test_a_report_is_read_by_staff(local):
    order = local.state.order(CASES["delivered"])
    order["note"], order["tags"] = "Ring twice.", ["vip"]
    run(lambda: _report(connected(local), "k/10"))
    assert order["note"].startswith("Ring twice.\n\n") and '"Torn."' in order["note"]
    assert "damaged" in order["note"] and "1 × Tarnside Fleece" in order["note"]
    assert order["tags"] == ["rapport-problem", "vip"]


def test_a_full_note(local):
    local.state.order(CASES["delivered"])["note"] = "x" * 4990
    with pytest.raises(NotAllowed, match="full"):
        run(lambda: _report(connected(local), "k/11"))


def test_a_voucher_cannot_be_guessed_and_is_the_buyers(local):
    shop = connected(local)
    done = run(lambda: _credit(shop, "k/12"))
    (call,) = [it for it in local.calls if it.operation == "CreateVoucher"]
    voucher = call.variables["voucher"]
    assert voucher["code"] == done.reference and len(done.reference) >= 19
    assert voucher["context"] == {"customers": {"add": [local.state.customers[0]["id"]]}}
    assert voucher["usageLimit"] == 1
    assert voucher["customerGets"]["value"]["discountAmount"]["amount"] == "10.00"
    other = ShopifyShop(DOMAIN, "another", api_url=local.url)
    assert other._secret != shop._secret


def test_an_address_keeps_the_phone_for_the_carrier(local):
    order = local.state.order(CASES["received_two_lines"])
    order["phone"] = "+447700900111"
    run(lambda: _address(connected(local), "k/13"))
    assert order["shippingAddress"]["phone"] == "+447700900111"
    assert order["shippingAddress"]["address2"] == "9 High Street"


def test_old_marks_are_dropped(local):
    shop = connected(local)
    run(lambda: _invoice(shop, "k/14"))
    run(lambda: _credit(shop, "k/15"))
    local.state.marks[(NAMESPACE, name_of("k/14"))]["updatedAt"] = "2020-01-01T00:00:00Z"
    assert run(shop.once.prune) == 1
    assert run(lambda: shop.outcome("k/14")) is None
    assert run(lambda: shop.outcome("k/15")) is not None


# The connection.


def test_check_names_shop_and_version(local):
    assert run(connected(local).check) == "Shopify 2026-07, Northpeak (northpeak.myshopify.com)"
    local.scopes.discard("read_all_orders")
    assert "60 days" in run(connected(local).check)


@pytest.mark.parametrize("scope", sorted(it for it in SCOPES if it.startswith("write_")))
def test_check_names_a_missing_scope(local, scope):
    local.scopes.discard(scope)
    with pytest.raises(NotAllowed, match=scope):
        run(connected(local).check)


def test_check_with_a_wrong_token_or_version(local):
    with pytest.raises(Unavailable, match="token"):
        run(ShopifyShop(DOMAIN, "shpat_old", api_url=local.url).check)
    with pytest.raises(Unavailable, match="version"):
        run(connected(local, version="2019-01").check)


def test_a_token_is_fetched_and_fetched_again(local):
    shop = ShopifyShop(DOMAIN, ":".join(CLIENT), api_url=local.url, timeout=3)
    run(shop.check)
    run(lambda: shop.order(CASES["received"]))
    assert local.operations().count("token") == 1
    local.tokens.clear()
    assert run(lambda: _invoice(shop, "k/16")).reference
    assert local.operations().count("token") == 2
    with pytest.raises(Unavailable, match="client ID"):
        run(ShopifyShop(DOMAIN, f"{CLIENT[0]}:wrong", api_url=local.url).check)


@pytest.mark.parametrize(
    "text", ["northpeak", "northpeak.myshopify.com", "https://Northpeak.myshopify.com/"]
)
def test_domains(text):
    assert shop_domain(text) == DOMAIN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "northpeak.example",
        "a.myshopify.com.evil.example",
        "a/b.myshopify.com",
        "x@y",
        "a b",
        "..",
        "http://x",
    ],
)
def test_the_token_goes_to_shopify_only(text):
    with pytest.raises(ValueError, match="myshopify"):
        ShopifyShop(text, TOKEN)


# Small things.


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("12.5", "GBP", 1250), ("1250", "JPY", 1250), ("1.234", "KWD", 1234), ("-3.00", "EUR", -300)],
)
def test_money(text, currency, minor):
    found = amount({"amount": text, "currencyCode": currency})
    assert found == Money(minor, currency)
    assert float(decimal(found)) == float(text)


def test_words_for_staff():
    assert clean("a\x00b\n\n c\ud800", 10) == "a b c"
    assert clean("x" * 20, 10) == "x" * 9 + "…"

"""The HTTP contract: its description, and what the caller sees of every fault."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from bot.orders import contract
from bot.orders.contract import (
    Address,
    Done,
    Money,
    NotFound,
    OrderError,
    Part,
    Problem,
    ProblemReport,
    Remedy,
    ReturnRequest,
    Unavailable,
    Unknown,
)
from bot.orders.demo import DemoShop
from bot.orders.demo.cases import CASES
from bot.orders.http import HttpShop
from bot.simulate import shop as local
from bot.simulate.shop import LocalShop
from tests.contract.openapi import Api
from tests.contract.order_conformance import key
from tests.contract.test_orders import NOW, file, seeded  # noqa: F401

pytestmark = pytest.mark.anyio

DELIVERED = CASES["delivered_10_days"]
RECEIVED = CASES["received"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def server(file: Path) -> AsyncIterator[LocalShop]:  # noqa: F811
    with LocalShop(DemoShop(file, now=lambda: NOW)) as found:
        yield found


@pytest.fixture
async def shop(server: LocalShop) -> AsyncIterator[HttpShop]:
    found = HttpShop(server.url, server.token, timeout=1.0)
    yield found
    await found.close()


async def count(server: LocalShop, operation: str) -> int:
    """How often something was really done."""
    found = server.run(server.demo.effects)
    return Counter(it for it, _, _ in found)[operation]


async def cancel(shop: HttpShop, ours: str) -> Done:
    return await shop.cancel(RECEIVED.number, (), key=ours)


# The description.


async def everything(shop: HttpShop) -> None:
    """Every route at least once, with success and refusal."""
    order = await shop.order(CASES["delivered_two_lines_10_days"].number)
    first, second = (Part(line.id, 1) for line in order.lines)
    await shop.check()
    for case in CASES.values():
        await shop.order(case.number)
    customer = CASES["several_orders"].customer_id
    await shop.orders_of(customer)
    account = await shop.customer(customer)
    await shop.customer_by_email(account.email)
    await shop.customer(CASES["no_club"].customer_id)
    await shop.gift_card(CASES["gift_card"].code)
    report = ProblemReport((second,), Problem.DAMAGED, Remedy.REFUND, "torn")
    address = Address("A", "1 New Road", "Leeds", "LS1 4AB", "GB")
    last = key()
    for write in (
        shop.cancel(CASES["received_two_lines"].number, (), key=key()),
        shop.start_return(order.number, ReturnRequest((first,), "too_small", "hm"), key=last),
        shop.report(order.number, report, key=key()),
        shop.change_address(RECEIVED.number, address, key=key()),
        shop.change_contact(customer, email="a.b@mail.example", key=key()),
        shop.change_contact(customer, phone="07700 900111", key=key()),
        shop.send_invoice(order.number, key=key()),
        shop.unsubscribe(account.email, key=key()),
        shop.give_credit(order.number, Money(500), "late", key=key()),
    ):
        assert (await write).reference
    assert await shop.outcome(last) and await shop.outcome(key()) is None
    for refused in (
        shop.order("NP-000001"),
        shop.customer("C99999"),
        shop.cancel(DELIVERED.number, (), key=key()),
        shop.change_contact(customer, email=RECEIVED.email, key=key()),
        shop.send_invoice(RECEIVED.number, key=last),
    ):
        with pytest.raises(OrderError):
            await refused


async def test_requests_and_answers_are_as_described(server: LocalShop, shop: HttpShop) -> None:
    await everything(shop)
    api, seen = Api(), set()
    for method, path, status, body in server.answers:
        path = path.removeprefix("/rapport")
        template, _ = api.operation(method, path)
        seen.add((method.lower(), template))
        assert api.misfits(body, api.answer(method, path, status)) == [], template
    for method, path, body in server.calls:
        schema = api.request(method, path.removeprefix("/rapport"))
        assert (schema is None) == (not body)
        assert schema is None or api.misfits(json.loads(body), schema) == []
    described = {
        (method, path)
        for path, item in api.document["paths"].items()
        for method in ("get", "post")
        if method in item
    }
    assert seen == described
    assert {status for _, _, status, _ in server.answers} == {200, 403, 404, 409}


def test_the_description_names_every_field() -> None:
    schemas = Api().document["components"]["schemas"]
    for name in (
        "Money", "Address", "Part", "Line", "Shipment", "Return", "Refund", "Order", "Customer",
        "GiftCard", "ReturnRequest", "ProblemReport", "Done",
    ):  # fmt: skip
        fields = dataclasses.fields(getattr(contract, name))
        assert [it.name for it in fields] == list(schemas[name]["properties"]), name
        needed = [it.name for it in fields if it.default is dataclasses.MISSING]
        assert schemas[name]["required"] == needed, name
    for values, kind in (
        (schemas["Hello"]["properties"]["can"]["items"]["enum"], contract.Operation),
        (schemas["Order"]["properties"]["state"]["enum"], contract.OrderState),
        (schemas["Shipment"]["properties"]["state"]["enum"], contract.ShipmentState),
        (schemas["Return"]["properties"]["state"]["enum"], contract.ReturnState),
        (schemas["Refund"]["properties"]["state"]["enum"], contract.RefundState),
        (schemas["ProblemReport"]["properties"]["problem"]["enum"], contract.Problem),
        (schemas["ProblemReport"]["properties"]["remedy"]["enum"], contract.Remedy),
    ):
        assert values == [str(it) for it in kind]


async def test_requests_that_do_not_fit_are_refused(server: LocalShop) -> None:
    api, headers = Api(), {"Authorization": f"Bearer {server.token}", "Idempotency-Key": "k1"}
    number = DELIVERED.number
    async with httpx.AsyncClient(base_url=server.url, headers=headers) as client:
        for path, body in (
            (f"/orders/{number}/returns", b"{"),
            (f"/orders/{number}/returns", b"[]"),
            (f"/orders/{number}/returns", b'{"parts": "all", "reason": ""}'),
            (f"/orders/{number}/cancellation", b"{}"),
            (f"/orders/{number}/credit", b'{"amount": {"minor": 1.5}, "reason": ""}'),
            ("/customers/find", b'{"email": 1}'),
        ):
            answer = await client.post(path, content=body)
            assert answer.status_code == 400, path
            assert answer.headers["content-type"] == "application/problem+json"
            assert api.misfits(answer.json(), api.answer("POST", path, 400)) == []
        answer = await client.post(f"/orders/{number}/invoice", headers={"Idempotency-Key": "a b"})
        assert answer.status_code == 400
        huge = await client.post("/customers/find", content=b" " * 70_000)
        assert huge.status_code == 413


# What a shop may do to those who ask.


@pytest.mark.parametrize(
    ("fault", "tries"),
    [
        (local.status(500), 1),
        (local.status(502), 1),
        (local.status(503), 1),
        (local.status(503, retry_after=60), 1),
        (local.status(429), 1),
        (local.status(401), 1),
        (local.status(403), 1),
        (local.status(404), 1),
        (local.status(409), 1),
        (local.status(302, Location="/rapport/orders/NP-100101"), 1),
        (local.status(204), 1),
        (local.garbage(), 1),
        (local.garbage(b"\xff\xfe"), 1),
        (local.garbage(b"null"), 1),
        (local.garbage(b"[" * 100_000), 1),
        (local.garbage(b" " * (1024 * 1024 + 1)), 1),
        (local.slow_after(1.5), 1),
    ],
)
async def test_a_read_that_fails(
    server: LocalShop, shop: HttpShop, fault: local.Fault, tries: int
) -> None:
    server.fail(fault)
    before = time.monotonic()
    with pytest.raises(Unavailable):
        await shop.order(RECEIVED.number)
    assert time.monotonic() - before < 1.4
    assert len(server.calls) == tries
    assert (await shop.order(RECEIVED.number)).number == RECEIVED.number


@pytest.mark.parametrize(
    "fault",
    [local.reset_before, local.reset_after, local.status(503, 0), local.status(429, 0)],
)
async def test_a_read_is_tried_once_more(
    server: LocalShop, shop: HttpShop, fault: local.Fault
) -> None:
    server.fail(fault)
    assert (await shop.order(RECEIVED.number)).number == RECEIVED.number
    assert len(server.calls) == 2
    server.fail(fault, fault)
    with pytest.raises(Unavailable):
        await shop.order(RECEIVED.number)
    assert len(server.calls) == 4


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda it: {**it, "state": "flying"}, "state"),
        (lambda it: {**it, "total": 5995}, "total"),
        (lambda it: {**it, "total": {"minor": "5995", "currency": "GBP"}}, "total.minor"),
        (lambda it: {**it, "total": {"minor": 59.95, "currency": "GBP"}}, "total.minor"),
        (lambda it: {**it, "total": {"minor": 5995, "currency": "pounds"}}, "total.currency"),
        (lambda it: {**it, "total": {"minor": 5995, "currency": "EUR"}}, "lines.0.price"),
        (lambda it: {**it, "placed_at": "yesterday"}, "placed_at"),
        (lambda it: {**it, "placed_at": "2026-11-01T10:00:00"}, "placed_at"),
        (lambda it: {**it, "placed_at": 1793000000}, "placed_at"),
        (lambda it: {**it, "promised": "2026-02-30"}, "promised"),
        (lambda it: {**it, "email": None}, "email"),
        (lambda it: {**it, "invoice_ready": "yes"}, "invoice_ready"),
        (lambda it: {**it, "lines": []}, "lines"),
        (lambda it: {**it, "lines": it["lines"] * 2}, "lines"),
        (lambda it: {**it, "lines": [{**it["lines"][0], "quantity": 0}]}, "lines.0.quantity"),
        (lambda it: {**it, "lines": [{**it["lines"][0], "cancelled": 9}]}, "lines.0.quantity"),
        (lambda it: {k: v for k, v in it.items() if k != "address"}, "address"),
        (lambda it: {**it, "address": {**it["address"], "country": "UK!"}}, "address.country"),
        (lambda it: {**it, "number": "NP-100108"}, "number"),
        (lambda it: [it], "answer"),
    ],
)
async def test_an_answer_that_does_not_fit(
    server: LocalShop, shop: HttpShop, change: Any, field: str
) -> None:
    server.fail(local.changed(change))
    with structlog.testing.capture_logs() as logs, pytest.raises(Unavailable, match=field):
        await shop.order(RECEIVED.number)
    assert field in str(logs)


async def test_what_a_shop_says_beyond_the_contract_is_left_alone(
    server: LocalShop, shop: HttpShop
) -> None:
    before = await shop.order(RECEIVED.number)
    server.fail(local.changed(lambda it: {**it, "warehouse": {"bin": 7}}))
    assert await shop.order(RECEIVED.number) == before
    sparse = {"shipments", "returns", "refunds", "collects", "invoice_ready", "delivered_at"}
    server.fail(local.changed(lambda it: {k: v for k, v in it.items() if k not in sparse}))
    assert await shop.order(RECEIVED.number) == before


async def test_other_peoples_data_is_not_taken(server: LocalShop, shop: HttpShop) -> None:
    customer = CASES["several_orders"].customer_id
    foreign = lambda it: {**it, "id": "C10002", "email": "b@mail.example"}
    for ask in (shop.customer(customer), shop.customer_by_email(CASES["several_orders"].email)):
        server.fail(local.changed(foreign))
        with pytest.raises(Unavailable):
            await ask
    server.fail(local.changed(lambda it: [{**it[0], "customer_id": "C10002"}]))
    with pytest.raises(Unavailable):
        await shop.orders_of(customer)


# What a shop may do to those who write.

NOT_DONE = [
    local.status(503),
    local.status(503, retry_after=0),
    local.status(429, retry_after=0),
    local.status(401),
    local.status(403),
    local.status(404),
    local.status(409),
    local.status(400),
    local.status(307, Location="/rapport/"),
]
MAYBE_BEFORE = [local.status(500), local.status(502), local.status(504), local.reset_before]
MAYBE_AFTER = [
    local.error_after,
    local.reset_after,
    local.slow_after(1.5),
    local.slow(1.5),
    local.garbage(),
    local.garbage(b"null"),
    local.garbage(b""),
    local.garbage(b" " * (1024 * 1024 + 1)),
    local.garbage(b"", 204),
    local.changed(lambda it: {**it, "reference": 7}),
    local.changed(lambda it: {**it, "refund": "5.00"}),
    local.changed(lambda it: {**it, "order": {**it["order"], "state": "gone"}}),
]


@pytest.mark.parametrize("fault", NOT_DONE)
async def test_a_write_that_was_refused(
    server: LocalShop, shop: HttpShop, fault: local.Fault
) -> None:
    ours = key()
    server.fail(fault)
    with pytest.raises(Unavailable):
        await cancel(shop, ours)
    assert len(server.calls) == 1 and await count(server, "cancel") == 0
    assert await shop.outcome(ours) is None
    await cancel(shop, ours)
    assert await count(server, "cancel") == 1


@pytest.mark.parametrize("fault", MAYBE_BEFORE)
async def test_a_write_that_may_have_been_done_and_was_not(
    server: LocalShop, shop: HttpShop, fault: local.Fault
) -> None:
    ours = key()
    server.fail(fault)
    with pytest.raises(Unknown):
        await cancel(shop, ours)
    assert len(server.calls) == 1 and await count(server, "cancel") == 0
    assert await shop.outcome(ours) is None
    assert (await cancel(shop, ours)).reference
    assert await count(server, "cancel") == 1


@pytest.mark.parametrize("fault", MAYBE_AFTER)
async def test_a_write_that_may_have_been_done_and_was(
    server: LocalShop, shop: HttpShop, fault: local.Fault
) -> None:
    ours = key()
    server.fail(fault, at="/cancellation")
    before = time.monotonic()
    with pytest.raises(Unknown):
        await cancel(shop, ours)
    assert time.monotonic() - before < 1.4
    await asyncio.sleep(max(0.0, before + 1.7 - time.monotonic()) if "slow" in repr(fault) else 0)
    assert await count(server, "cancel") == 1
    done = await shop.outcome(ours)
    assert done is not None
    assert await cancel(shop, ours) == done
    assert await count(server, "cancel") == 1


async def test_nobody_is_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        shop = HttpShop(f"http://127.0.0.1:{taken.getsockname()[1]}", "token", timeout=1.0)
        with pytest.raises(Unavailable, match="nobody answers"):
            await shop.order(RECEIVED.number)
        with pytest.raises(Unavailable, match="nobody answers"):
            await cancel(shop, key())
        with pytest.raises(Unavailable):
            await shop.check()
        await shop.close()


async def test_somebody_listens_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        shop = HttpShop(f"http://127.0.0.1:{deaf.getsockname()[1]}", "token", timeout=0.4)
        with pytest.raises(Unavailable):
            await shop.order(RECEIVED.number)
        with pytest.raises(Unknown):
            await cancel(shop, key())
        await shop.close()


async def test_a_shop_that_drips_is_not_waited_for() -> None:
    """Each piece comes in time; the whole does not."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(30):
            writer.write(b" ")
            await asyncio.sleep(0.1)
        writer.close()

    listener = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    shop = HttpShop(f"http://127.0.0.1:{port}", "token", timeout=0.5)
    before = time.monotonic()
    with pytest.raises(Unavailable):
        await shop.order(RECEIVED.number)
    assert time.monotonic() - before < 1.0
    await shop.close()
    listener.close()


async def test_the_wrong_token(server: LocalShop) -> None:
    shop = HttpShop(server.url, "another", timeout=1.0)
    for ask in (shop.check(), shop.order(RECEIVED.number), cancel(shop, key())):
        with pytest.raises(Unavailable, match="token"):
            await ask
    assert await count(server, "cancel") == 0
    await shop.close()


async def test_check_narrows_what_it_can(server: LocalShop, shop: HttpShop) -> None:
    server.fail(local.changed(lambda it: {**it, "can": ["cancel", "fly"]}))
    assert "Northpeak" in await shop.check()
    assert shop.can == {contract.Operation.CANCEL}
    server.fail(local.changed(lambda it: {**it, "can": "cancel"}))
    with pytest.raises(Unavailable, match="can"):
        await shop.check()


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("shop.example", "t"),
        ("ftp://shop.example", "t"),
        ("https://", "t"),
        ("https://a:b@shop.example", "t"),
        ("https://shop.example/?x=1", "t"),
        ("https://shop.example", ""),
        ("https://shop.example", "two words"),
        ("https://shop.example", "line\nend"),
    ],
)
def test_an_address_that_is_none(url: str, token: str) -> None:
    with pytest.raises(ValueError):
        HttpShop(url, token)


async def test_odd_numbers_stay_in_their_place(server: LocalShop, shop: HttpShop) -> None:
    """Whatever a customer types for a number, the shop is asked for that order, or not at all."""
    for number in (
        "a/b",
        "a?b=c",
        "a#b",
        "%2e%2e%2f",
        "1;2",
        "ü",
        "a b",
        "..",
        "a/../b",
        "/",
        "\\..\\",
    ):
        with pytest.raises(NotFound):
            await shop.order(number)
        with pytest.raises(NotFound):
            await shop.send_invoice(number, key=key())
    for _, path, _ in server.calls:
        steps = path.split("/")
        assert steps[:3] == ["", "rapport", "orders"] and len(steps) in (4, 5)
        assert "?" not in path


async def test_logs_hold_nothing_personal(server: LocalShop, shop: HttpShop) -> None:
    case = CASES["several_orders"]
    faults = [
        local.status(500), local.garbage(), local.reset_after,
        local.changed(lambda it: {**it, "email": 7, "reference": 7, "code": 7}),
    ]  # fmt: skip
    texts = []
    with structlog.testing.capture_logs() as logs:
        for fault in faults:
            for ask in (
                lambda: shop.order(case.number),
                lambda: shop.customer(case.customer_id),
                lambda: shop.customer_by_email(case.email),
                lambda: shop.gift_card(CASES["gift_card"].code),
                lambda: shop.change_contact(case.customer_id, email="x@mail.example", key=key()),
                lambda: shop.unsubscribe(case.email, key=key()),
            ):
                server.faults.clear()
                server.fail(fault, fault)
                try:
                    await ask()
                except OrderError as error:
                    texts.append(str(error))
    assert len(texts) >= 15 and logs
    told = (str(logs) + str(texts)).casefold()
    for secret in (case.number, case.customer_id, case.email, CASES["gift_card"].code, "eilidh",
                   "x@mail", server.token):  # fmt: skip
        assert secret.casefold() not in told, secret

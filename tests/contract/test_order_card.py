"""An order's card on its way from the engine to the customer, and orders at the desk."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bot.desk.orders import DOWN
from bot.identity import Identity
from bot.orders.card import card
from bot.orders.contract import Unavailable
from bot.orders.demo.cases import CASES, Case
from tests.conftest import ROOT
from tests.contract.shop import Shop, running_gateway
from tests.contract.stand_in_engine import StandInEngine
from tests.contract.test_desk_api import Customer, Desk

pytestmark = pytest.mark.skipif(
    not (ROOT / "models" / "encoder" / "card.json").exists(),
    reason="no models/encoder; `make train` builds it",
)
PLAIN = {
    "number": "NP-100136",
    "state": "dispatched",
    "placed": "2026-11-21",
    "total": "£149.00",
    "promised": "2026-11-25",
    "lines": [{"title": "Stormhaven Waterproof Jacket, M, Slate", "count": 2, "left": 1}],
    "parcels": [{"state": "in_transit", "carrier": "DPD", "url": "https://track.example/1"}],
}


class Telling(StandInEngine):
    """It answers with the card that it was given last."""

    order: Any = None

    def _answer(self, question: dict[str, Any]) -> tuple[int, Any]:
        status, body = super()._answer(question)
        body["replies"] = [{"text": "Here it is.", "custom": {"order": self.order, "secret": "x"}}]
        return status, body


@pytest.fixture(scope="module")
def engine() -> Telling:
    return Telling()


@pytest.fixture(scope="module")
def shop(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory, engine: Telling
) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("cards")
    with (
        pytest.MonkeyPatch.context() as patch,
        running_gateway(migrated_sqlite, folder, patch, engine, ORDERS="demo") as running,
    ):
        yield Shop(*running)


@pytest.fixture
def told(shop: Shop, engine: Telling) -> Any:
    """What a customer's widget is given when the engine tells of an order."""

    def tell(order: Any) -> dict[str, Any]:
        engine.order = order
        message = Customer(shop, "where is it?").read()[-1]
        assert message["text"] == "Here it is." and "secret" not in message
        return message

    return tell


def test_a_card_arrives_with_its_states_in_words(told):
    assert told(PLAIN)["order"] == {
        **PLAIN,
        "words": "Dispatched",
        "more": 0,
        "parcels": [{**PLAIN["parcels"][0], "words": "On its way"}],
    }


@pytest.mark.parametrize(
    "order",
    [
        None, "NP-1", [], {}, {"number": "NP-1"}, {**PLAIN, "number": ""}, {**PLAIN, "number": 7},
        {**PLAIN, "state": "on fire"}, {**PLAIN, "state": ["received"]},
        {**PLAIN, "state": {"a": 1}}, {**PLAIN, "number": "\u202e\x00\n"},
    ],
)  # fmt: skip
def test_what_is_no_card_is_left_out_and_the_words_stay(told, order):
    assert told(order)["order"] is None


def test_markup_stays_text_and_nothing_unknown_passes(told):
    evil = "<script>alert(1)</script>"
    order = {
        **PLAIN,
        "number": f"NP-1{evil}",
        "html": evil,
        "address": "3 Dale View",
        "lines": [{"title": evil, "count": 1, "left": 1, "onclick": evil}],
        "parcels": [{**PLAIN["parcels"][0], "carrier": evil, "tracking_number": "X1"}],
    }
    shown = told(order)["order"]
    assert shown["lines"] == [{"title": evil, "count": 1, "left": 1}]
    assert shown["parcels"][0]["carrier"] == evil
    assert set(shown) == {*PLAIN, "words", "more"}
    assert set(shown["parcels"][0]) == {"state", "words", "carrier", "url"}
    assert "Dale View" not in json.dumps(shown)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)",
        "http://track.example/1", "//track.example/1", "/1", "data:text/html,x", "https://",
        "https:track", "https://shop.example@evil.example/", "https://a.example/\u202e1",
        "https://a.example/ b", "https://[::1", "https://a.example/" + "a" * 10_000, None, 5, ["x"],
    ],
)  # fmt: skip
def test_only_an_https_address_becomes_a_link(told, url):
    order = {**PLAIN, "parcels": [{**PLAIN["parcels"][0], "url": url}]}
    (parcel,) = told(order)["order"]["parcels"]
    assert parcel["url"] == "" and parcel["words"] == "On its way"


def test_a_card_has_its_limits(told):
    long = "x" * 10_000
    line = PLAIN["lines"][0]
    order = {
        **PLAIN,
        "number": long,
        "total": long,
        "placed": long,
        "promised": 20261125,
        "lines": [{**line, "title": long}] * 45 + [{"title": 7}, "x", None, {**line, "count": "2"}],
        "parcels": [{"state": "lost", "carrier": long, "url": None}] * 10_000 + [{"state": long}],
    }
    shown = told(order)["order"]
    assert len(shown["number"]) == 40 and len(shown["total"]) == 24
    assert (shown["placed"], shown["promised"]) == (None, None)
    assert len(shown["lines"]) == 30 and shown["more"] == 15
    assert len(shown["lines"][0]["title"]) == 160 and len(shown["parcels"]) == 10
    assert len(json.dumps(shown)) < 10_000


def test_counts_and_characters_are_made_sensible(told):
    lines = [
        {"title": "a\x00b\u202ec\nd", "count": 10**30, "left": -4},
        {"title": "جاكيت مقاوم للماء", "count": 2, "left": 9},
        {"title": "no count", "count": True, "left": 1},
    ]
    shown = told({**PLAIN, "lines": lines})["order"]["lines"]
    assert shown == [
        {"title": "abc d", "count": 9999, "left": 0},
        {"title": "جاكيت مقاوم للماء", "count": 2, "left": 2},
    ]


# At the desk.


@pytest.fixture(scope="module")
def ada(shop: Shop) -> Desk:
    return Desk(shop, "Ada Fell")


@pytest.fixture
def customer(shop: Shop) -> Customer:
    customer = Customer(shop, "where is my parcel?")
    customer.ask_for_person()
    return customer


def prove(shop: Shop, customer: Customer, case: Case) -> None:
    clerk = shop.gateway.clerk
    shop.client.portal.call(lambda: clerk.prove(customer.id, case.number, email=case.email))


def orders_at(desk: Desk, customer: Customer) -> dict[str, Any]:
    answer = desk.get(f"conversations/{customer.id}/orders")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_desk_shows_what_was_proven_and_nothing_else(shop, ada, customer):
    assert orders_at(ada, customer) == {"orders": [], "problem": ""}
    for name in ("dispatched_on_time", "split"):
        prove(shop, customer, CASES[name])
    shown = orders_at(ada, customer)
    numbers = [it["number"] for it in shown["orders"]]
    assert numbers == [CASES["split"].number, CASES["dispatched_on_time"].number]
    order = shown["orders"][0]
    assert [it["words"] for it in order["parcels"]] == ["Delivered", "On its way"]
    assert order["total"].startswith("£") and order["promised"] and order["words"] == "Dispatched"
    assert "Summit 2 Tent" in order["lines"][0]["title"] and shown["problem"] == ""
    other = Customer(shop, "hello")
    other.ask_for_person()
    assert orders_at(ada, other)["orders"] == []


def test_the_desk_shows_the_latest_of_somebody_who_is_signed_in(shop, ada, customer):
    case = CASES["several_orders"]
    identity = Identity(case.customer_id, "Eilidh Campbell", case.email)
    shop.gateway.support.identify(customer.id, identity)
    prove(shop, customer, CASES["several_orders_2"])
    numbers = [it["number"] for it in orders_at(ada, customer)["orders"]]
    assert numbers[0] == CASES["several_orders_2"].number  # proven, and shown once
    assert sorted(numbers) == sorted([case.number, *case.also])


def test_a_shop_that_is_down_is_said_in_a_sentence(shop, ada, customer, monkeypatch):
    for name in ("dispatched_on_time", "split"):
        prove(shop, customer, CASES[name])
    system = shop.gateway.orders
    read = system.order

    async def down(number: str) -> Any:
        if number == CASES["split"].number:
            raise Unavailable("connection refused at 10.0.0.7")
        return await read(number)

    monkeypatch.setattr(system, "order", down)
    shown = orders_at(ada, customer)
    assert [it["number"] for it in shown["orders"]] == [CASES["dispatched_on_time"].number]
    assert shown["problem"] == DOWN


def test_only_agents_read_orders_and_only_where_a_person_was_asked_for(shop, ada, customer):
    path = f"conversations/{customer.id}/orders"
    stranger = TestClient(shop.client.app, follow_redirects=False)
    assert stranger.get(f"/desk/api/{path}").status_code == 401
    assert stranger.get(f"/desk/api/{path}", headers=customer.token).status_code == 401
    assert Desk(shop, "Eddie Ink", role="editor").get(path).status_code == 403
    alone = Customer(shop, "where is my parcel?")
    prove(shop, alone, CASES["split"])
    assert ada.get(f"conversations/{alone.id}/orders").status_code == 404
    assert ada.get(f"conversations/{uuid.uuid4()}/orders").status_code == 404


def test_the_card_of_a_real_order_passes_whole(shop, told):
    order = shop.client.portal.call(lambda: shop.gateway.orders.order(CASES["split"].number))
    made = card(order)
    shown = told(made)["order"]
    assert [it["url"] for it in shown["parcels"]] == [it["url"] for it in made["parcels"]]
    assert {key: shown[key] for key in made if key != "parcels"} == {
        key: made[key] for key in made if key != "parcels"
    }

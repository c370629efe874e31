"""What every channel for customers has to pass. A new one is added to `CHANNELS`."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.store import schema
from tests.conftest import ROOT
from tests.contract.shop import RETURNS
from tests.contract.texting import TextShop, text_shop

pytestmark = pytest.mark.skipif(
    not (ROOT / "models" / "encoder" / "card.json").exists(),
    reason="no models/encoder; `make train` builds it",
)


class OnTheWeb:
    """A customer of the widget."""

    def __init__(self, shop: TextShop):
        self.shop = shop
        opened = shop.client.post("/api/conversations").json()
        self.token = {"Authorization": f"Bearer {opened['token']}"}
        self.conversation = opened["conversation_id"]
        self.path = f"/api/conversations/{self.conversation}"

    def write(self, text: str, name: str = "") -> None:
        body = {"client_id": name or str(uuid.uuid4()), "text": text}
        sent = self.shop.client.post(f"{self.path}/messages", json=body, headers=self.token)
        assert sent.status_code == 202, sent.text

    def got(self) -> list[str]:
        view = self.shop.client.get(f"{self.path}/messages", headers=self.token).json()
        return [it["text"] for it in view["messages"] if it["author"] != "customer"]

    def name(self) -> str:
        return str(uuid.uuid4())


class ByText:
    """A customer who texts."""

    def __init__(self, shop: TextShop):
        self.shop = shop
        self.number = shop.number()

    @property
    def conversation(self) -> str:
        return str(self.shop.conversation(self.number).id)

    def write(self, text: str, name: str = "") -> None:
        assert self.shop.twilio.texts(self.number, text, sid=name).status_code == 200

    def got(self) -> list[str]:
        return self.shop.twilio.to(self.number)

    def name(self) -> str:
        return f"SM{uuid.uuid4().hex}"


CHANNELS = {"web": OnTheWeb, "sms": ByText}


@pytest.fixture(scope="module")
def shop(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TextShop]:
    folder = tmp_path_factory.mktemp("channels")
    with pytest.MonkeyPatch.context() as patch, text_shop(migrated_sqlite, folder, patch) as shop:
        yield shop


@pytest.fixture(params=CHANNELS)
def customer(shop: TextShop, request: pytest.FixtureRequest) -> Any:
    return CHANNELS[request.param](shop)


def until(holds: Callable[[], Any], seconds: float = 12) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return found


def stored(customer: Any, author: str = "customer") -> list[str]:
    where = {"conversation_id": customer.conversation, "author": author}
    rows = customer.shop.rows(schema.messages, **where)
    return [row.text for row in sorted(rows, key=lambda row: row.seq)]


def to_person(customer: Any) -> Any:
    """The customer waits for a person; returns the ticket."""
    customer.write("what about my tent?")
    until(customer.got)
    support = customer.shop.gateway.support
    support.request_person(
        customer.conversation, cause=uuid.uuid4().hex, reason_type="asked", reason="Asked."
    )
    rows = customer.shop.rows(schema.tickets, conversation_id=customer.conversation)
    return max(rows, key=lambda row: row.id)


def test_a_question_is_answered(customer):
    customer.write(RETURNS)
    (answer,) = until(customer.got)
    assert answer.startswith("5 days")


def test_a_message_that_comes_again_has_no_second_effect(customer):
    name = customer.name()
    threads = [threading.Thread(target=customer.write, args=(RETURNS, name)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(customer.got)
    customer.write(RETURNS, name)
    customer.write("thanks")
    until(lambda: len(customer.got()) == 2)
    assert stored(customer) == [RETURNS, "thanks"]


def test_answers_come_in_order(customer):
    texts = [f"question {number}" for number in range(6)]
    for text in texts:
        customer.write(text)
    until(lambda: len(customer.got()) == len(texts), 20)
    assert stored(customer) == texts
    assert [re.sub(r"\D", "", it) for it in stored(customer, "bot")] == list("012345")


def test_odd_text_is_kept_as_it_is(customer):
    text = "<b>&amp; \u202eabc\u202c 👩‍👩‍👧 Žluť */restart* {x}"
    customer.write(text)
    until(customer.got)
    assert stored(customer) == [text]


def test_a_card_number_is_stored_nowhere(customer):
    customer.write("4111 1111 1111 1111 is my card")
    until(customer.got)
    assert "1111" not in str(stored(customer))


def test_asking_for_a_person_yields_a_number_and_the_bot_is_silent(customer):
    ticket = to_person(customer)
    receipt = until(lambda: customer.got()[1:])[0]
    assert f"R-{1000 + ticket.id}" in receipt
    customer.write(RETURNS)
    until(lambda: stored(customer)[-1] == RETURNS)
    shop = customer.shop
    assert shop.post(f"tickets/{ticket.id}/claim").status_code == 200
    body = {"client_id": str(uuid.uuid4()), "text": "Sam here & <well>."}
    sent = shop.post(f"conversations/{customer.conversation}/replies", **body)
    assert sent.status_code == 202
    until(lambda: customer.got()[-1] == "Sam here & <well>.")
    assert not any("5 days" in it for it in customer.got())


def test_handing_back_and_a_rating_by_a_digit(customer):
    ticket = to_person(customer)
    shop = customer.shop
    assert shop.post(f"tickets/{ticket.id}/claim").status_code == 200
    path = f"conversations/{customer.conversation}"
    assert shop.post(f"{path}/resolve").status_code == 200
    until(lambda: "from 1 (poor) to 5" in customer.got()[-1])
    customer.write("4")
    until(lambda: "Thank you" in customer.got()[-1])
    (row,) = shop.rows(schema.tickets, id=ticket.id)
    assert row.rating == 4
    customer.write(RETURNS)
    until(lambda: "5 days" in customer.got()[-1])


def test_every_message_is_delivered_once(customer):
    for text in ("hello", RETURNS, "thanks"):
        customer.write(text)
    until(lambda: len(customer.got()) == 3)
    rows = customer.shop.rows(schema.deliveries, conversation_id=customer.conversation)
    until(
        lambda: (
            {
                it.state
                for it in customer.shop.rows(
                    schema.deliveries, conversation_id=customer.conversation
                )
            }
            == {"sent"}
        )
    )
    assert len(rows) == 3 == len({row.message_id for row in rows})

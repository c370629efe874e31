"""What the desk's page can ask for and do, through HTTP, on a real store."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bot.desk import routes, work
from bot.settings import Settings
from bot.store import ledger
from tests.conftest import ROOT
from tests.contract.shop import RETURNS, Knowing, Shop, running_gateway

pytestmark = pytest.mark.skipif(
    not (ROOT / "models" / "encoder" / "card.json").exists(),
    reason="no models/encoder; `make train` builds it",
)
PASSWORD = "long enough pw"
HEADERS = {"X-Rapport-Desk": "1"}


class Desk:
    """One agent's page."""

    def __init__(self, shop: Shop, name: str, role: str = "agent"):
        email = f"{uuid.uuid4().hex[:8]}@x.example"
        self.agent = shop.gateway.store.agents.add(email, name, PASSWORD, role)
        self.browser = TestClient(shop.client.app, follow_redirects=False)
        form = {"email": email, "password": PASSWORD}
        assert self.browser.post("/desk/login", data=form).status_code == 303

    def get(self, path: str, **params: Any) -> Any:
        return self.browser.get(f"/desk/api/{path}", params=params)

    def post(self, path: str, **body: Any) -> Any:
        return self.browser.post(f"/desk/api/{path}", json=body, headers=HEADERS)

    def ticket(self, conversation: str) -> dict[str, Any]:
        found = [it for it in self.tickets() if it["conversation_id"] == conversation]
        return max(found, key=lambda it: it["id"])

    def tickets(self) -> list[dict[str, Any]]:
        return list(self.get("tickets").json()["tickets"])

    def reply(self, conversation: str, text: str, **more: Any) -> Any:
        body = {"client_id": str(uuid.uuid4()), "text": text, **more}
        return self.post(f"conversations/{conversation}/replies", **body)


class Customer:
    def __init__(self, shop: Shop, *texts: str):
        self.shop = shop
        self.path, self.token = shop.ask(*texts)
        self.id = self.path.rsplit("/", 1)[1]

    def ask_for_person(self) -> None:
        body = {"client_id": str(uuid.uuid4())}
        sent = self.shop.client.post(f"{self.path}/person", json=body, headers=self.token)
        self.shop._wait(self.path, self.token, sent.json()["message_id"])

    def write(self, text: str) -> None:
        body = {"client_id": str(uuid.uuid4()), "text": text}
        sent = self.shop.client.post(f"{self.path}/messages", json=body, headers=self.token)
        assert sent.status_code == 202

    def read(self) -> list[dict[str, Any]]:
        return self.shop.client.get(f"{self.path}/messages", headers=self.token).json()["messages"]

    def said(self) -> str:
        return "\n".join(message["text"] for message in self.read())


@pytest.fixture(scope="module")
def shop(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop for all: each test has agents and customers of its own."""
    folder = tmp_path_factory.mktemp("desk")
    with (
        pytest.MonkeyPatch.context() as patch,
        running_gateway(migrated_sqlite, folder, patch, Knowing()) as running,
    ):
        yield Shop(*running)


@pytest.fixture
def sam(shop: Shop) -> Desk:
    return Desk(shop, "Sam Fell")


@pytest.fixture
def kim(shop: Shop) -> Desk:
    return Desk(shop, "Kim Moss")


@pytest.fixture
def customer(shop: Shop) -> Customer:
    """Waits for a person."""
    customer = Customer(shop, "where is my parcel?")
    customer.ask_for_person()
    return customer


def claimed(desk: Desk, customer: Customer) -> dict[str, Any]:
    ticket = desk.ticket(customer.id)
    done = desk.post(f"tickets/{ticket['id']}/claim")
    assert done.status_code == 200, done.text
    return done.json()


def test_passing_on_to_a_colleague_and_to_a_queue(sam, kim, customer):
    ticket = claimed(sam, customer)
    path = f"tickets/{ticket['id']}/pass-on"
    for body in ({}, {"queue": "no such queue"}, {"queue": "vip", "agent_id": 1}):
        assert sam.post(path, **body).status_code == 422, body
    assert sam.post(path, agent_id=9999).status_code == 422
    assert kim.post(path, queue="vip").status_code == 409  # it is Sam's
    done = sam.post(path, agent_id=kim.agent.id, note="knows about parcels")
    assert done.status_code == 200 and done.json()["agent"]["name"] == "Kim Moss"
    assert kim.ticket(customer.id)["mine"] and not sam.ticket(customer.id)["mine"]
    assert kim.post(path, queue="payments").json()["state"] == "waiting"
    assert sam.ticket(customer.id)["queue"] == "payments"
    shown = sam.get(f"conversations/{customer.id}").json()
    assert [it["data"]["text"] for it in shown["notes"]] == ["knows about parcels"]
    assert "knows about parcels" not in customer.said()


def test_putting_off(sam, customer):
    ticket = claimed(sam, customer)
    path = f"tickets/{ticket['id']}/put-off"
    now = int(time.time() * 1000)
    assert sam.post(path, until=now + 60_000).status_code == 409  # the customer waits
    assert sam.reply(customer.id, "I am looking into it.").status_code == 202
    for until in (now - 1, now + 400 * 86_400_000):
        assert sam.post(path, until=until).status_code == 422
    done = sam.post(path, until=now + 3_600_000)
    assert done.status_code == 200 and done.json()["snoozed_until"]
    customer.write("one more thing")
    deadline = time.monotonic() + 5
    while sam.ticket(customer.id)["snoozed_until"]:
        assert time.monotonic() < deadline, "still put off, though the customer wrote"
        time.sleep(0.02)


def test_notes_stay_here_and_outlive_their_ticket(sam, kim, customer):
    ticket = claimed(sam, customer)
    assert kim.post(f"tickets/{ticket['id']}/notes", text="has a dog").status_code == 204
    assert kim.post(f"tickets/{ticket['id']}/notes", text="  ").status_code == 422
    assert kim.post("tickets/999/notes", text="nobody's").status_code == 404
    done = sam.post(f"conversations/{customer.id}/hand-back", note="was friendly", settled="Refund")
    assert done.status_code == 200
    assert "Refund" in customer.said()
    customer.ask_for_person()
    assert sam.ticket(customer.id)["id"] != ticket["id"]
    shown = sam.get(f"conversations/{customer.id}").json()
    (note,) = shown["notes"]  # of the ticket before
    assert (note["data"]["text"], note["agent"]) == ("has a dog", "Kim Moss")
    assert "has a dog" not in customer.said() and "was friendly" not in customer.said()


def test_tags_and_joining(shop, sam, kim, customer):
    ticket = claimed(sam, customer)
    path = f"tickets/{ticket['id']}/tags"
    done = sam.post(path, tags=["Knowledge-gap", " late  parcel ", "late parcel"])
    assert done.json()["tags"] == ["knowledge-gap", "late parcel"]
    assert sam.post(path, tags=[str(number) for number in range(15)]).status_code == 422
    other = Customer(shop, "where is my parcel, again?")
    other.ask_for_person()
    second = sam.ticket(other.id)
    path = f"tickets/{second['id']}/join"
    assert sam.post(path, into=second["id"]).status_code == 422
    assert sam.post(path, into=999).status_code == 404
    assert kim.post(path, into=ticket["id"]).status_code == 409  # Sam has that one
    assert sam.post(path, into=ticket["id"]).json()["id"] == ticket["id"]
    assert sam.ticket(other.id)["merged_into"] == ticket["number"]
    assert ticket["number"] in other.said()


def test_saved_replies(sam):
    assert sam.post("saved-replies", name="Hi", text="Hello, {agent} here.").status_code == 204
    assert sam.post("saved-replies", name="Hi", text="Hi, {agent} here.").status_code == 204
    (saved,) = sam.get("saved-replies").json()["replies"]
    assert saved["text"] == "Hi, {agent} here."
    for text in ("Dear {customer}", "Dear {", "{agent.name}", "{agent:>999999999999}", " "):
        assert sam.post("saved-replies", name="Hi", text=text).status_code == 422, text
    assert sam.post(f"saved-replies/{saved['id']}/delete").status_code == 204
    assert sam.post(f"saved-replies/{saved['id']}/delete").status_code == 404
    assert sam.get("saved-replies").json() == {"replies": []}


def test_who_looks_and_who_writes_is_seen_by_others(sam, kim, customer):
    number = sam.ticket(customer.id)["id"]
    assert sam.post(f"tickets/{number}/look", writing=False).status_code == 204
    assert kim.ticket(customer.id)["lookers"] == [{"name": "Sam", "writing": False}]
    sam.post(f"tickets/{number}/look", writing=True)
    assert kim.ticket(customer.id)["lookers"] == [{"name": "Sam", "writing": True}]
    assert sam.ticket(customer.id)["lookers"] == []
    shown = kim.get(f"conversations/{customer.id}").json()
    assert shown["ticket"]["lookers"] == [{"name": "Sam", "writing": True}]


def test_a_promise_waits_for_a_second_word(sam, customer):
    claimed(sam, customer)
    key = str(uuid.uuid4())
    text = "We guarantee that it comes by tomorrow."
    refused = sam.reply(customer.id, text, client_id=key)
    assert refused.status_code == 409
    assert refused.json()["promises"] and "guarantee" in refused.json()["detail"]
    assert text not in customer.said()
    assert sam.post("check-reply", text=text).json()["promises"] == refused.json()["promises"]
    sent = sam.reply(customer.id, text, client_id=key, confirmed=True)
    assert sent.status_code == 202
    again = sam.reply(customer.id, text, client_id=key, confirmed=True)
    assert again.json() == sent.json() and customer.said().count(text) == 1
    assert sam.reply(customer.id, "I am looking at it now.").status_code == 202


def test_what_cannot_be_sent_or_kept_says_why(sam, kim, customer):
    number = claimed(sam, customer)["id"]
    assert sam.reply(customer.id, "  ").status_code == 422
    assert sam.reply(customer.id, "x" * 50_000).status_code == 413
    assert "Sam" in kim.reply(customer.id, "Hello").json()["detail"]
    writing: tuple[tuple[str, dict[str, Any]], ...] = (
        (f"conversations/{customer.id}/replies", {"client_id": str(uuid.uuid4()), "text": "BAD"}),
        (f"conversations/{customer.id}/hand-back", {"settled": "BAD"}),
        (f"conversations/{customer.id}/hand-back", {"note": "BAD"}),
        (f"tickets/{number}/notes", {"text": "BAD"}),
        (f"tickets/{number}/pass-on", {"queue": "vip", "note": "BAD"}),
        (f"tickets/{number}/tags", {"tags": ["BAD"]}),
        ("saved-replies", {"name": "BAD", "text": "x"}),
        ("saved-replies", {"name": "x", "text": "BAD"}),
    )
    headers = {**HEADERS, "Content-Type": "application/json"}
    for path, body in writing:
        for bad in (r"a\u0000b", r"a\ud800b"):
            sent = json.dumps(body).replace("BAD", bad)
            done = sam.browser.post(f"/desk/api/{path}", content=sent, headers=headers)
            assert done.status_code == 422, (path, bad, done.text)
    assert sam.ticket(customer.id)["state"] == "human"


def test_colleagues_queues_and_presence(sam, kim):
    shown = sam.get("colleagues").json()
    assert {"id": kim.agent.id, "name": "Kim Moss", "there": True} in shown["colleagues"]
    assert all(it["id"] != sam.agent.id for it in shown["colleagues"])
    assert {"name": "privacy", "title": "Privacy and data"} in shown["queues"]
    assert kim.post("presence", away=True).status_code == 204
    assert kim.get("tickets").json()["agent"]["away"] is True
    there = {it["id"]: it["there"] for it in sam.get("colleagues").json()["colleagues"]}
    assert there[kim.agent.id] is False
    assert sam.get("tickets").json()["queues"]["privacy"] == "Privacy and data"


def test_finding(shop, sam):
    customer = Customer(shop, "where is my trampoline?")  # as nobody else asks
    customer.ask_for_person()
    other = Customer(shop, "my voucher SAVE_20 gives 100% nothing")
    other.ask_for_person()
    database = shop.gateway.store.database
    with database.transaction() as tx:
        now = database.now(tx)
        ledger.change_conversation(tx, other.id, now, contact="ada@customer.example")
    number = sam.ticket(other.id)["number"]

    def found(text: str) -> list[str]:
        answer = sam.get("find", text=text)
        assert answer.status_code == 200, answer.text
        return [it["conversation_id"] for it in answer.json()["tickets"]]

    for text in (number, number.lower(), "VOUCHER save_20", "100%", "ada@customer.example"):
        assert found(text) == [other.id], text
    assert found("trampoline") == [customer.id]
    assert found("SAVEX20") == [] == found("voucher trampoline") == found("\x00") == found("%")[1:]
    assert sam.get("find", text="").status_code == 422


def test_suggestions_mark_what_is_for_staff(sam):
    shown = sam.get("suggestions", question="how long does a return take? signs of refund fraud")
    found = shown.json()["suggestions"]
    assert found and all(it["title"] and it["text"] and it["article"] for it in found)
    everything = sam.get("suggestions", question="signs of fraud in refunds").json()["suggestions"]
    assert any(it["staff"] for it in everything)
    assert sam.get("suggestions", question=" ").status_code == 200


def test_why_the_bot_answered_as_it_did(shop, sam):
    customer = Customer(shop, RETURNS)
    customer.ask_for_person()
    messages = sam.get(f"conversations/{customer.id}").json()["messages"]
    answer = next(it for it in messages if it["sources"])
    assert answer["sources"][0]["confidence"] == 0.91
    question = next(it for it in messages if it["text"] == RETURNS)
    assert question["understood"]["intent"] == "ask_question"


def test_nothing_is_open_to_strangers_editors_and_other_sites(shop, sam):
    editor = Desk(shop, "Ed Hall", "editor")
    stranger = TestClient(shop.client.app)
    gateway, settings = shop.gateway, Settings()
    store = (gateway.support, gateway.store.agents)
    routers = (
        routes.router(*store, gateway.wakeups, settings),
        work.router(*store, gateway.knowledge_base, settings),
    )
    paths = [
        (method, route.path.replace("{", "").replace("}", ""))
        for router in routers
        for route in router.routes
        if route.path.startswith("/desk/api/")
        for method in route.methods
    ]
    assert len(paths) > 15
    for method, path in paths:
        path = path.replace("ticket_id", "1").replace("reply_id", "1")
        assert stranger.request(method, path, headers=HEADERS).status_code == 401, path
        assert editor.browser.request(method, path, headers=HEADERS).status_code == 403, path
        if method == "POST":
            assert sam.browser.post(path, json={}).status_code == 403, path

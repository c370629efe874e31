"""What `bot.conversation` promises about handing over, each through HTTP with the real engine."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import yaml

from tests.conftest import ROOT
from tests.system import Customer, DeskAgent, System

NUMBER = re.compile(r"R-\d{4}")


def claimed(system: System, customer: Customer) -> tuple[DeskAgent, dict[str, Any]]:
    """The conversation is with Sam."""
    agent = system.agent()
    ticket = agent.ticket_of(customer)
    assert agent.claim(ticket).status_code == 200
    return agent, ticket


def hears(customer: Customer, words: str, seconds: float = 15) -> dict[str, Any]:
    """The first message with these words."""

    def said(view: dict[str, Any]) -> list[dict[str, Any]]:
        return [it for it in view["messages"] if words in it["text"] and it["author"] != "customer"]

    return said(customer.wait_for(lambda view: bool(said(view)), seconds))[0]


# Exactly one owner.


def test_what_the_bot_thought_out_before_a_claim_is_never_said(running: System):
    customer = running.customer()
    customer.ask("hello")
    engine = running.child("engine")
    engine.suspend()  # it has the question, and answers only when the agent is there
    try:
        customer.write("how long does a return take?")
        customer.wait_for(lambda view: view["typing"])
        customer.press_person()
        agent, _ = claimed(running, customer)
        assert agent.reply(customer, "Sam here. Five days.").status_code == 202
    finally:
        engine.resume()
    running.wait_ready()
    customer.wait_for(lambda view: not view["typing"])
    customer.write("thanks, Sam")
    time.sleep(1.5)
    said = [it["author"] for it in customer.messages()]
    assert "bot" not in said[said.index("agent") :], customer.messages()
    assert not any(it["sources"] for it in customer.messages())


def test_of_many_agents_who_claim_at_once_one_gets_it(running: System):
    agents = [running.agent()]
    for name in ("Ada Hill", "Kim Moss", "Jo Reed"):
        agents.append(running.agent(*running.add_agent(name)))
    customer = running.customer()
    customer.press_person()
    ticket = agents[0].ticket_of(customer)
    start, results = threading.Barrier(len(agents)), list[tuple[DeskAgent, int]]()

    def claim(agent: DeskAgent) -> None:
        start.wait()
        results.append((agent, agent.claim(ticket).status_code))

    threads = [threading.Thread(target=claim, args=(agent,)) for agent in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(code for _, code in results) == [200, 409, 409, 409]
    for agent, code in results:
        assert (agent.reply(customer, "It is me.").status_code == 202) == (code == 200)
    assert [it["author"] for it in customer.messages()].count("agent") == 1


# No state without a next deadline.


def test_who_is_not_answered_is_told_more_and_more_and_then_a_time(running: System):
    customer = running.customer()
    customer.press_person()
    agent = running.agent()
    ticket = agent.ticket_of(customer)
    for minutes, words in ((6, "still in the queue"), (20, ""), (40, "at the latest")):
        running.let_pass(customer, minutes)
        if words:
            assert ticket["number"] in hears(customer, words)["text"]
        else:
            deadline = time.monotonic() + 15
            while not agent.ticket_of(customer)["also_in"]:
                assert time.monotonic() < deadline, "it was not shown to other queues"
                time.sleep(0.1)
    promised = agent.ticket_of(customer)["promised_for"]
    assert promised
    running.let_pass(customer, 250)  # and nobody comes by then either
    hears(customer, "That is our fault")
    assert agent.ticket_of(customer)["promised_for"] > _earlier(promised, 250)
    agent.claim(ticket)
    assert agent.reply(customer, "Here I am.").status_code == 202
    assert agent.ticket_of(customer)["promised_for"] is None


def _earlier(moment: str, minutes: int) -> str:
    found = datetime.fromisoformat(moment) - timedelta(minutes=minutes)
    return found.astimezone(UTC).isoformat(timespec="milliseconds")


def test_an_agent_who_says_nothing_gives_it_back_and_the_customer_is_told(running: System):
    customer = running.customer()
    customer.press_person()
    agent, ticket = claimed(running, customer)
    customer.write("are you there?")
    running.let_pass(customer, 16)
    assert ticket["number"] in hears(customer, "Sam is held up")["text"]
    assert customer.view()["owner"] == "waiting"
    assert agent.reply(customer, "Sorry, I was away").status_code == 409


# Asking for a person always works.


@pytest.mark.parametrize(
    "words",
    [
        "HUMAN",
        "can i plz speak 2 someone real",
        "I don't want a robot, get me one of your staff",
        "let me talk to your manager",
        "is there anybody there I can talk to",
    ],
)
@pytest.mark.parametrize("before", ["fresh", "resolved", "handed back"])
def test_a_person_in_any_words_in_any_state(system: System, words: str, before: str):
    customer = system.customer()
    if before != "fresh":
        customer.press_person()
        agent, _ = claimed(system, customer)
        agent.reply(customer, "Done.")
        done = agent.resolve if before == "resolved" else agent.hand_back
        assert done(customer).status_code == 200
        customer.wait_for(lambda view: view["owner"] not in ("human", "waiting"))
    number = customer.write(words)
    view = customer.wait_for(lambda view: view["owner"] == "waiting")
    view = customer.wait_for(lambda view: len(view["messages"]) > number)
    found = [it["text"] for it in view["messages"] if it["id"] > number]
    assert any(NUMBER.search(text) for text in found), view["messages"]
    assert view["ticket"]


# Handing back, and reopening.


def test_the_bot_says_what_was_settled_and_goes_on(running: System):
    customer = running.customer()
    customer.ask("where is my refund?")
    customer.press_person()
    agent, _ = claimed(running, customer)
    body = {"note": "was patient", "settled": "The refund of 40 pounds was sent today"}
    path = f"conversations/{customer.id}/hand-back"
    assert agent.post(path, body).status_code == 200
    assert "refund of 40 pounds was sent today" in hears(customer, "40 pounds")["text"]
    assert "was patient" not in str(customer.messages())
    answer = customer.ask("how long does a return take?")
    assert answer["author"] == "bot" and answer["sources"]


@pytest.mark.parametrize(
    ("hours", "there", "owner"),
    [(1, True, "human"), (1, False, "waiting"), (30, True, "bot")],
)
def test_a_resolved_conversation_reopens_by_the_table(tmp_path, system, hours, there, owner):
    """Within a day it goes to who had it, or to the queue; later the bot has it."""
    customer = system.customer()
    customer.press_person()
    agent = system.agent(*system.add_agent("Ada Hill"))
    ticket = agent.ticket_of(customer)
    assert agent.claim(ticket).status_code == 200
    agent.reply(customer, "The parcel left today.")
    assert agent.resolve(customer).status_code == 200
    if not there:
        agent.post("presence", {"away": True})
    system.let_pass(customer, 60 * hours)
    number = customer.write("it has still not come, where is it?")
    view = customer.wait_for(lambda view: view["owner"] == owner and not view["typing"])
    view = customer.wait_for(lambda view: view["messages"][-1]["id"] > number)
    said = str(view["messages"][number:])
    if owner == "bot":
        assert not NUMBER.search(said) and view["messages"][-1]["author"] == "bot"
        return
    again = agent.ticket_of(customer)
    assert again["id"] != ticket["id"] and again["number"] in said
    assert again["reason_type"] == "reopened"


# Out of hours, and nobody there.


SHIPPED = ROOT / "tests" / "data" / "service.yml"


@pytest.fixture(scope="module")
def changeable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system whose service.yml the tests write, each what it needs; see `serve`."""
    folder = tmp_path_factory.mktemp("changeable")
    file = folder / "service.yml"
    file.write_text(SHIPPED.read_text(encoding="utf-8"), encoding="utf-8")
    with System(folder, SERVICE_FILE=str(file)) as system:
        yield system


def serve(system: System, service: dict[str, Any]) -> None:
    """Change service.yml, and wait until it counts, which a queue of a new name shows."""
    title = uuid.uuid4().hex
    queues = {**service["queues"], "new": {"title": title}}
    text = yaml.safe_dump({**service, "queues": queues}, sort_keys=False)
    (system.folder / "service.yml").write_text(text, encoding="utf-8")
    agent = system.agent()
    _until(lambda: title in str(agent.get("colleagues")["queues"]))


def test_out_of_hours_the_customer_is_told_the_truth(changeable: System):
    system, shop = changeable, yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    today = datetime.now(UTC).date()
    opens = today + timedelta(days=2)
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    shop["hours"] = {"desk": {"say": "UK time", days[opens.weekday()]: ["9:00-17:00"]}}
    for queue in shop["queues"].values():
        queue["hours"] = "desk"
    serve(system, shop)
    system.agent()  # being there does not open the desk
    customer = system.customer()
    customer.press_person()
    view = customer.wait_for(lambda view: view["ticket"] and len(view["messages"]) > 1)
    told = view["messages"][-1]["text"]
    day = days[opens.weekday()].capitalize()
    assert f"opens on {day} at 9:00 UK time" in told or "opens tomorrow at 9:00 UK time" in told
    assert f"The usual hours are {day} 9:00 to 17:00." in told
    assert view["ticket"] in told and "colleague is at the desk" not in told
    system.let_pass(customer, 60)  # an hour in which the desk is closed is no wait
    time.sleep(2.5)
    assert len(customer.messages()) == len(view["messages"])


# Handing over cannot fail.


def test_without_engine_and_with_a_slow_store_there_is_a_receipt(system: System):
    customer = system.customer()
    customer.ask("hello")
    engine, path = system.child("engine"), system.folder / "var" / "rapport.db"
    held = threading.Event()

    def hold() -> None:
        other = sqlite3.connect(path, isolation_level=None, timeout=15)
        other.execute("BEGIN IMMEDIATE")
        held.set()
        time.sleep(3)
        other.execute("ROLLBACK")
        other.close()

    slow = threading.Thread(target=hold)
    engine.suspend()
    try:
        slow.start()
        held.wait()
        begun = time.monotonic()
        try:
            customer.press_person()
        except httpx.TimeoutException:
            pytest.fail("the wish was not accepted")
        view = customer.wait_for(lambda view: view["ticket"] and len(view["messages"]) > 2)
        slow.join()
        assert 2 < time.monotonic() - begun < 20  # it was slow indeed
        assert view["ticket"] in view["messages"][-1]["text"]
        store = sqlite3.connect(path, isolation_level=None, timeout=15)
        states = store.execute(
            "SELECT state FROM tickets WHERE conversation_id = ?", (customer.id,)
        ).fetchall()
        store.close()
        assert states == [("waiting",)]
    finally:
        engine.resume()
        system.wait_ready()


def test_a_queue_that_is_gone_loses_nobody(changeable: System):
    system = changeable
    serve(system, yaml.safe_load(SHIPPED.read_text(encoding="utf-8")))
    before, after = system.customer(), system.customer()
    before.press_person()
    agent = system.agent(*system.add_agent("Ada Hill"))
    ticket = agent.ticket_of(before)
    serve(system, {"hours": {}, "queues": {"desk": {"title": "The desk"}}})
    named = [it["name"] for it in agent.get("colleagues")["queues"]]
    assert sorted(named) == ["desk", "new"] and ticket["queue"] not in named
    after.press_person()
    view = after.wait_for(lambda view: view["ticket"])
    assert agent.ticket_of(after)["number"] == view["ticket"]
    assert agent.claim(ticket).status_code == 200  # the old one too
    assert agent.claim(agent.ticket_of(after)).status_code == 200


def _until(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)

"""Who gets a person, when and why, on both stores, also without an engine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import select

from bot import mood
from bot.app import Gateway, create_app
from bot.brain import BrainFailed, Heard
from bot.escalation_file import parse
from bot.settings import ROOT, Settings
from bot.store import schema
from bot.store.database import Database
from bot.turns import Turns
from tests.contract.shop import Shop
from tests.contract.stand_in_engine import SECRET, StandInEngine
from tests.contract.test_inbox import Desk

FILE = ROOT / "escalation.yml"
needs_model = pytest.mark.skipif(
    not (ROOT / "models" / "encoder" / "model.onnx").is_file(),
    reason="no models/encoder; `make train` builds it",
)
VIP = parse(FILE.read_text("utf-8").replace("vip: []", "vip: [ada@example.com]"))
SOURCE = {"title": "Returns", "heading": "", "url": "/help/returns#x", "article": "returns"}
OFFER = {"to": "person", "reason_type": "job", "reason": "Wants it cancelled."}


class Feeling(StandInEngine):
    """Feels what it is told in square brackets: "[angry] where is it", "[miss] ..."."""

    def _answer(self, question: dict[str, Any]) -> tuple[int, Any]:
        status, body = super()._answer(question)
        if status != 200 or isinstance(body, bytes):
            return status, body
        text = question["text"]
        felt = {"label": "neutral", "probabilities": {}, "intensity": 0.0}
        if "[angry]" in text:
            felt.update(label="angry", intensity=1.0)
        if "[insult]" in text:
            felt.update(label="frustrated", intensity=0.5, abuse="aimed")
        body["emotion"] = felt
        body["mood"] = mood.advance(question["mood"], felt, 1000.0, text)
        reply = body["replies"][0]
        if "[miss]" in text:
            reply["custom"] = {"miss": True, "offer": {**OFFER, "reason_type": "accepted"}}
        if "[knows]" in text:
            reply["custom"] = {"sources": [SOURCE]}
        if "[refers]" in text:
            reply["custom"] = {"sources": [SOURCE], "offer": OFFER}
        if "ada@example.com" in text:
            body["entities"] = [{"entity": "email", "value": "ada@example.com"}]
        if "[person]" in text:
            body["intent"]["name"] = "request_person"
        return status, body


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    with Feeling() as engine:
        desk = Desk(database, engine)
        desk.support.escalation = VIP
        yield desk


def ticket(desk: Desk) -> dict[str, Any]:
    (only,) = [it for it in desk.support.tickets(0) if it["conversation_id"] == desk.id]
    return only


def understood(desk: Desk) -> list[dict[str, Any]]:
    with desk.database.reading() as tx:
        return list(tx.execute(select(schema.turns.c.understood).order_by("message_id")).scalars())


@needs_model
def test_over_http_from_the_widget_to_the_desk(migrated_sqlite: Path, tmp_path, monkeypatch):
    shutil.copy(migrated_sqlite, tmp_path / "rapport.db")
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    with Feeling() as engine:
        port = int(engine.url.rsplit(":", 1)[1])
        settings = Settings(_env_file=None, engine_port=port, engine_secret=SecretStr(SECRET))
        gateway = Gateway(settings)
        with TestClient(create_app(settings, gateway)) as client:
            shop = Shop(client, gateway)
            shop.ask("[angry] where is my parcel", "[angry] the third time I ask")
            path, token = shop.ask("I want to end my life")
            answer = client.get(f"{path}/messages", headers=token).json()["messages"][1]
            assert answer["author"] == "bot" and "116 123" in answer["text"]
            first, second = shop.at_desk("get", "tickets")["tickets"]
            assert (first["rule"], first["priority"]) == ("self-harm", 1)
            assert (second["rule"], second["queue"]) == ("angry twice", "general")
            assert [it["said"] for it in second["mood"]["course"]][1].endswith("third time I ask")
            shown = shop.at_desk("get", path.removeprefix("/api/"))["messages"][0]
            assert shown["rule"] == "self-harm"


def test_self_harm_is_answered_humanely_and_first_at_the_desk(desk):
    earlier = Desk(desk.database, desk.engine)
    earlier.support.escalation = VIP
    earlier.run("the stove caught fire")
    desk.run("hello", "I want to kill myself")
    said = desk.transcript()[-1]
    assert said[0] == "bot"
    for words in ("automated assistant", "116 123", "988", "999 or 112", "Nobody is at the desk"):
        assert words in said[1]
    found = ticket(desk)
    assert (found["priority"], found["reason_type"], found["queue"]) == (1, "self_harm", "urgent")
    assert "“I want to kill myself”" in found["reason"] and found["rule"] == "self-harm"
    assert found["number"] in said[1]
    assert [it["rule"] for it in desk.support.tickets(0)] == ["self-harm", "danger to people"]
    assert [question["text"] for question in desk.engine.asked] == ["hello"]


@pytest.mark.parametrize("behaviour", ["slow", "unreachable", "fail"])
def test_words_that_must_not_wait_do_not_wait_for_an_engine_that_is_down(desk, behaviour):
    if behaviour == "unreachable":
        desk.engine.url = "http://127.0.0.1:9"  # the discard port: nobody listens
    desk.engine.behaviour = behaviour
    desk.run("I don't want to live", seconds=3, ask_seconds=20)
    assert "116 123" in desk.transcript()[-1][1] and ticket(desk)["priority"] == 1


def test_other_words_are_heard_without_an_engine_too(desk):
    desk.engine.behaviour = "fail"
    desk.run("my solicitor will write to you")
    assert (ticket(desk)["reason_type"], ticket(desk)["priority"]) == ("legal", 2)
    assert ticket(desk)["number"] in desk.transcript()[-1][1]


def test_self_harm_is_answered_while_a_person_has_it_and_the_person_sees_it_marked(desk):
    agent = desk.agent()
    desk.run("[person] a human please")
    assert ticket(desk)["priority"] == 3
    desk.run("I feel suicidal")
    assert desk.transcript()[-1][0] == "system" and "116 123" in desk.transcript()[-1][1]
    desk.support.claim(ticket(desk)["id"], agent)
    for number in range(3):
        desk.support.reply_as_person(desk.id, agent, f"I am here {number}", f"c{number}")
    desk.run("I just want to die")
    desk.run("really, I want to die")
    authors = [author for author, _ in desk.transcript()]
    assert authors[-4:] == ["agent", "customer", "system", "customer"]  # once, not twice
    assert "Sam, who has this conversation, sees it now" in desk.transcript()[-2][1]
    assert desk.count(schema.tickets) == 1
    raised = ticket(desk)
    assert (raised["priority"], raised["reason_type"]) == (1, "self_harm")
    assert "Before that: Asked for a person" in raised["reason"]
    assert raised["rules"] == ["asked for a person", "self-harm"]
    shown = desk.support.conversation_for_desk(desk.id, agent)["messages"]
    assert [m["rule"] for m in shown if m["author"] == "customer"][-1] == "self-harm"
    assert "rule" not in desk.support.messages(desk.id)["messages"][-1]


def test_less_urgent_words_are_noted_on_the_open_ticket_once(desk):
    desk.run("my card was hacked, well my account was hacked")
    before = len(desk.transcript())
    desk.run("my lawyer knows", "and my lawyer is good", "is it safe to wash")
    found = ticket(desk)
    assert found["reason_type"] == "data_breach" and found["reason"].count("Also:") == 1
    assert len(desk.transcript()) == before + 3  # the desk's conversation: nothing is said


def test_anger_twice_in_a_row_hands_over_and_says_sorry_at_most_once(desk):
    desk.run("[angry] where is it", "NP-123456")
    assert desk.owner() == "bot"
    desk.run("[angry] this is the third time I ask")
    found = ticket(desk)
    assert (found["rule"], found["priority"]) == ("angry twice", 2)
    assert "over the last three messages" in found["mood"]["why"]
    assert [step["label"] for step in found["mood"]["course"]] == ["angry"] * 3
    assert sum("sorry" in text for author, text in desk.transcript() if author == "bot") == 1
    assert desk.transcript()[-1][1].count("R-1001") == 1
    assert understood(desk)[-1]["dropped"] == ["you said: [angry] this is the third time I ask"]


def test_an_answer_with_sources_comes_before_the_receipt(desk):
    desk.run("[knows] how do returns work? I'll sue you")
    authors = [(author, text[:9]) for author, text in desk.transcript()]
    assert authors[1:] == [("bot", "you said:"), ("bot", "I am brin")]
    assert ticket(desk)["rule"] == "legal threat" and desk.owner() == "waiting"


def test_a_question_of_the_engine_is_not_asked_before_a_receipt(desk):
    desk.run("[refers] cancel it or I'll sue you")
    assert len(desk.transcript()) == 2 and "R-1001" in desk.transcript()[-1][1]
    assert understood(desk)[0]["dropped"]


def test_three_questions_without_an_answer_are_enough(desk):
    desk.run("[miss] one", "hello", "[miss] two", "[knows] three", "[miss] four", "[miss] five")
    assert desk.owner() == "bot"
    desk.run("[miss] six")
    found = ticket(desk)
    assert found["rule"] == "three misses" and found["reason"].startswith("3 questions")


def test_a_vip_is_known_by_an_address_written_earlier(desk):
    desk.run("my address is ada@example.com")
    assert ticket(desk)["rule"] == "vip" and "ada@example.com" in ticket(desk)["reason"]
    agent = desk.agent()
    desk.support.claim(ticket(desk)["id"], agent)
    desk.support.hand_back(desk.id, agent)
    desk.run("[knows] thanks, how do returns work")  # what a person has seen to is seen to
    assert desk.owner() == "bot" and desk.count(schema.tickets) == 1


def test_an_insult_gets_an_offer_once_and_a_yes_takes_it(desk):
    desk.run("[insult] you stupid machine")
    message = desk.support.messages(desk.id)["messages"][-1]
    assert message["text"].startswith("you said:") and message["text"].endswith("colleague?")
    assert [button["title"] for button in message["buttons"]] == ["Yes, please", "No, thank you"]
    desk.run("no thank you")
    assert desk.engine.asked[-1]["offer"]["reason_type"] == "upset"  # so that a yes has a meaning
    desk.run("[insult] idiot")
    assert "colleague?" not in desk.transcript()[-1][1]
    assert desk.engine.asked[-1]["offer"] is None and desk.owner() == "bot"


def test_a_ticket_that_the_engine_opened_is_raised_by_the_rules(desk):
    received = desk.support.receive(desk.inbound("[person] my lawyer says get me a human"))
    turns = Turns(desk.support, None, None)
    work, _ = turns._begin(desk.id, received.lease)
    desk.support.request_person(
        desk.id, cause=f"turn/{work.turn.id}", reason_type="asked", reason="Asked."
    )
    heard = Heard(replies=({"text": "x"},), intent="request_person", confidence=1.0)
    assert turns._end(work, heard)[0] == "person"
    found = ticket(desk)
    assert (found["reason_type"], found["queue"], found["priority"]) == ("legal", "complaints", 2)
    assert "Before that: Asked." in found["reason"] and len(desk.transcript()) == 2


def test_what_a_person_took_over_in_the_meantime_is_raised_in_silence(desk):
    agent = desk.agent()
    received = desk.support.receive(desk.inbound("I am going to the ombudsman"))
    turns = Turns(desk.support, None, None)
    work, _ = turns._begin(desk.id, received.lease)
    desk.support.request_person(desk.id, cause="x", reason_type="asked", reason="Asked.")
    desk.support.claim(ticket(desk)["id"], agent)
    before = desk.transcript()
    assert turns._end(work, BrainFailed("no"))[0] == "dropped"
    assert ticket(desk)["reason_type"] == "public" and desk.transcript() == before

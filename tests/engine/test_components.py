"""The engine's own parts, in the engine's environment, and Rasa's commands on our files."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system import ROOT, System

PYTHON = ROOT / ".venv-engine" / "bin" / "python"


def rasa(*words: str, timeout: int = 110) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PYTHON, "-m", "rasa", *words],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "RASA_TELEMETRY_ENABLED": "false",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        },
        capture_output=True,
        text=True,
        timeout=timeout,
    )


@pytest.mark.engine
def test_rasas_own_tests_pass_on_our_stories(tmp_path: Path):
    """`rasa test core`: every rule does what the test stories expect."""
    done = rasa(
        "test", "core", "--stories", "tests/engine/test_stories.yml", "--out", str(tmp_path),
        "--model", "models/engine/rapport.tar.gz", "--fail-on-prediction-errors",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    report = json.loads((tmp_path / "story_report.json").read_text())
    assert report["conversation_accuracy"]["accuracy"] == 1.0
    assert report["conversation_accuracy"]["total"] > 30


class Engine:
    """The running engine's connector, as the gateway calls it."""

    def __init__(self, system: System):
        self.url = f"http://127.0.0.1:{system.engine_port}/webhooks/rapport/ask"
        secret = (system.folder / "var" / "engine.secret").read_text()
        self.headers = {"Authorization": f"Bearer {secret}"}

    def post(self, **body: Any) -> httpx.Response:
        asked = {"conversation_id": os.urandom(8).hex(), "turn_id": os.urandom(8).hex(), **body}
        return httpx.post(self.url, json=asked, headers=self.headers, timeout=20)

    def ask(self, text: str, **more: Any) -> dict[str, Any]:
        answer = self.post(text=text, **more)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture
def engine(system: System) -> Engine:
    return Engine(system)


def test_a_turn_tells_everything_that_happened(engine: Engine):
    heard = engine.ask("where is my order np 123456? write to jo@example.com")
    assert heard["intent"]["name"] == "track_order" and 0 < heard["intent"]["confidence"] <= 1
    found = {entity["entity"]: entity["value"] for entity in heard["entities"]}
    assert found == {"order_number": "NP-123456", "email": "jo@example.com"}
    assert heard["slots"]["order_number"] == "NP-123456"
    assert heard["actions"] == ["job_form"]
    assert heard["emotion"]["label"] and len(heard["emotion"]["probabilities"]) == 8
    assert heard["mood"]["messages"] == 1
    assert heard["replies"][0]["text"]


def test_the_mood_goes_on_from_what_the_gateway_sends(engine: Engine):
    first = engine.ask("this is outrageous, I am furious and sick of you")
    assert first["mood"]["label"] in ("angry", "upset")
    second = engine.ask("NP-123456", mood=first["mood"])
    assert second["mood"]["messages"] == 2 and second["mood"]["label"] in ("angry", "upset")
    assert second["slots"]["tone"] == second["mood"]["label"]


def test_the_same_turn_again_is_read_back_and_not_done_twice(engine: Engine):
    same = {"conversation_id": os.urandom(8).hex(), "turn_id": os.urandom(8).hex()}
    first = engine.ask("do you have drones?", **same)
    again = engine.ask("do you have drones?", attempt=2, **same)
    assert again["replies"] == first["replies"] and again["intent"] == first["intent"]
    later = engine.ask("yes", conversation_id=same["conversation_id"])
    assert later["actions"] == ["action_affirm"]


@pytest.mark.parametrize(
    "text",
    [
        "my parcel is late again, get me a person",
        "hello, I bought boots last week and they leak. can I talk to somebody please",
        "put me through to your manager",
        "AGENT",
        "i need a human",
    ],
)
def test_a_person_is_asked_for_in_many_words(engine: Engine, text: str):
    assert engine.ask(text)["intent"]["name"] == "request_person"


@pytest.mark.parametrize(
    "text",
    [
        "I don't want to talk to a person, just tell me what delivery costs",
        "which rucksack do I need for a person of 1.90 m",
        "I want to give someone a gift card",
        "am I talking to a real person or a bot",
        "?",
        "...",
    ],
)
def test_and_not_where_none_is_wanted(engine: Engine, text: str):
    assert engine.ask(text)["intent"]["name"] != "request_person"


UNCLEAR = "zip gone on the jacket"  # a fault for the warranty, or damage on the way


def found_in(heard: dict[str, Any]) -> dict[str, str]:
    return {entity["entity"]: entity["value"] for entity in heard["entities"]}


def test_days_products_and_numbers_are_found(engine: Engine):
    at = 1773835200  # Wednesday, 18 March 2026, noon
    heard = engine.ask(
        "the Stormhavn jaket from order np 123 456 came last tuseday for forty quid, write to jo at "
        "example dot com",
        at=at,
    )
    assert found_in(heard) == {
        "product": "Stormhaven Waterproof Jacket",
        "order_number": "NP-123456",
        "date": "2026-03-17",
        "amount": "40.00",
        "email": "jo@example.com",
    }
    late = engine.ask("it came yesterday", at=1782862200)  # 30 June in UTC, 1 July in London
    assert found_in(late)["date"] == "2026-06-30"


@pytest.mark.parametrize(
    "text",
    ["may I ask which size 42 is", "we march up the sunny hill", "I pack 3 items"],
)
def test_and_nothing_where_nothing_is_named(engine: Engine, text: str):
    assert not {"date", "product", "product_category", "amount"} & set(found_in(engine.ask(text)))


def test_several_wishes_are_dealt_with_in_one_reply(engine: Engine):
    heard = engine.ask("cancel NP-123456 and where is my refund for NP-654321")
    assert heard["intent"]["name"] == "several_wishes"
    assert heard["actions"] == ["job_form"]
    assert (
        "NP-123456" in heard["replies"][0]["text"]
    )  # the first has its turn, the other waits for it
    job = heard["slots"]["job"]
    assert (job["kind"], job["order"]) == ("cancel_order", "NP-123456")
    assert [it["kind"] for it in job["waiting"]] == ["refund_status"]
    assert "NP-654321" in job["waiting"][0]["text"]


@pytest.mark.parametrize(
    "text",
    ["I want to return the boots and get my money back", "hi, thanks, where is my order",
     "the boots came on Monday. I tried them on. They are too small. Can I swap them for a 9?",
     "this is the worst service I know, where is my order?"],
)  # fmt: skip
def test_and_one_wish_is_one(engine: Engine, text: str):
    assert engine.ask(text)["intent"]["name"] != "several_wishes"


def test_a_person_wins_over_several_wishes(engine: Engine):
    heard = engine.ask("cancel my order, where is my refund, and get me a human please")
    assert heard["intent"]["name"] == "request_person"


def test_what_was_meant_is_asked_and_the_answer_understood(engine: Engine):
    talk = {"conversation_id": os.urandom(8).hex()}
    asked = engine.ask(UNCLEAR, **talk)
    (reply,) = asked["replies"]
    assert "Did you mean" in reply["text"], asked["intent"]
    choices = reply["custom"]["meant"]["choices"]
    heard = engine.ask("the second one", **talk)
    assert heard["intent"] == {"name": choices[1]["intent"], "confidence": 1.0}
    assert UNCLEAR in heard["slots"]["job"]["first_words"]


def test_neither_and_both_are_understood_too(engine: Engine):
    talk = {"conversation_id": os.urandom(8).hex()}
    engine.ask(UNCLEAR, **talk)
    heard = engine.ask("Neither of these", **talk)
    assert heard["actions"] == ["action_not_helpful"]
    assert heard["replies"][0]["custom"]["offer"]["to"] == "person"
    talk = {"conversation_id": os.urandom(8).hex()}
    engine.ask(UNCLEAR, **talk)
    assert engine.ask("both", **talk)["actions"] == ["job_form"]


@pytest.mark.parametrize(
    "body",
    [
        {"text": ""},
        {"text": "x" * 9000},
        {"text": 7},
        {"text": "hi", "turn_id": ""},
        {"text": "hi", "conversation_id": None},
        {"text": "hi", "attempt": 0},
        {"text": "hi", "mood": "bad"},
    ],
)
def test_malformed_turns_are_refused_with_a_reason(engine: Engine, body: dict[str, Any]):
    answer = engine.post(**body)
    assert answer.status_code == 422 and answer.json()["detail"]

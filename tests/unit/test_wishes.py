"""Several wishes, "Did you mean?", and what the actions make of both, through the real actions."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.answer import Answer
from actions.phrases import PHRASES, listed
from actions.refer import ReferJob
from actions.several import Several
from bot.encoder import Encoder
from bot.engine.clauses import Cutter, form
from bot.engine.meant import BOTH, NEITHER, picked, understanding
from bot.engine.wishes import WISHES, Wishes, close_call
from knowledge_base.search import KnowledgeBase

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "encoder"

# --- clauses --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cutter() -> Cutter:
    return Cutter()


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("cancel it and where is my refund", ["cancel it", "where is my refund"]),
        (
            "Cancel NP-123456. Also, and by the way, where is my refund?",
            ["Cancel NP-123456.", "where is my refund?"],
        ),
        ("1. where is my order 2. where is my refund", ["where is my order", "where is my refund"]),
        ("- cancel my order\n- send me the invoice", ["cancel my order", "send me the invoice"]),
        (
            "where's my parcel; please unsubscribe me",
            ["where's my parcel", "please unsubscribe me"],
        ),
        ("i want to send back my order and unsubscribe", None),
        ("Do you also have shops in Bristol", []),
        ("I want to return the jacket and the boots", []),
        ("where is my order", []),
        ("", []),
    ],
)
def test_clauses(cutter: Cutter, text: str, clauses: list[str] | None):
    found = [clause.text for clause in cutter.cut(text)]
    assert len(found) == 2 if clauses is None else found == clauses


def test_a_clause_knows_its_place(cutter: Cutter):
    text = "Hi, cancel NP-123456,  and also tell me\nwhere my refund is!"
    for clause in cutter.cut(text):
        assert text[clause.start : clause.end] == clause.text


@pytest.mark.parametrize(
    ("words", "how"),
    [("where is my order", "question"), ("cancel it", "request"), ("could you swap it", "request"),
     ("my parcel hasn't arrived", "statement"), ("I'd like a refund", "request"),
     ("can you tell me where it is", "question"), ("any news?", "question")],
)  # fmt: skip
def test_how_a_clause_asks(words: str, how: str):
    assert form(words) == how


# --- two intents too close ------------------------------------------------------------------------


def test_close_is_a_matter_of_margin_confidence_and_kind():
    names = ["cancel_order", "greet", "track_order"]
    rule = {"margin": 0.15, "least": 0.25, "most": 0.6}
    assert close_call(names, np.array([0.4, 0.1, 0.3]), **rule) == ("cancel_order", "track_order")
    assert close_call(names, np.array([0.5, 0.1, 0.3]), **rule) is None  # a clear lead
    assert close_call(names, np.array([0.24, 0.1, 0.2]), **rule) is None  # nothing is likely
    assert close_call(names, np.array([0.4, 0.35, 0.1]), **rule) is None  # a greeting is no wish


CHOICES = [
    {"intent": "cancel_order", "title": PHRASES["cancel_order"].button},
    {"intent": "refund_status", "title": PHRASES["refund_status"].button},
]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Cancel an order", "cancel_order"),
        ("ask about a refund!", "refund_status"),
        ("the first one", "cancel_order"),
        ("1", "cancel_order"),
        ("2nd please", "refund_status"),
        ("the latter", "refund_status"),
        ("I mean the second one, thanks", "refund_status"),
        ("the refund", "refund_status"),
        ("cancel", "cancel_order"),
        ("Neither of these", NEITHER),
        ("neither", NEITHER),
        ("no", NEITHER),
        ("none of them", NEITHER),
        ("something else", NEITHER),
        ("yes", NEITHER),
        ("both", BOTH),
        ("both of them please", BOTH),
        ("what are your opening hours", None),
        ("cancel my newsletter", None),
        ("I want to talk to a person", None),
        ("", None),
    ],
)
def test_the_answer_to_did_you_mean(text: str, intent: str | None):
    assert picked(text, CHOICES) == intent


def test_every_button_is_understood_beside_every_other():
    for one in PHRASES:
        for other in PHRASES:
            if one != other:
                choices = [{"intent": name, "title": PHRASES[name].button} for name in (one, other)]
                assert picked(PHRASES[other].button.lower(), choices) == other


def test_what_an_answer_changes():
    question = {"text": "stop it", "choices": CHOICES}
    found = understanding("the first", question)
    assert found["intent"]["name"] == "cancel_order" and found["meant"]["text"] == "stop it"
    both = understanding("both", question)
    assert both["intent"]["name"] == "several_wishes"
    assert [wish["intent"] for wish in both["wishes"]] == ["cancel_order", "refund_status"]
    assert understanding("neither", question)["intent"]["name"] == "not_helpful"
    assert understanding("hello", question) is None and understanding("no", {}) is None


def test_every_wish_has_its_words():
    assert set(PHRASES) == WISHES
    assert listed(["a", "b", "c"]) == "a, b and c" and listed(["a"]) == "a" and listed([]) == ""


# --- which clause wants what ----------------------------------------------------------------------


def judge(texts):
    """A classifier that goes by one word each, and is sure."""
    names = ["track_order", "cancel_order", "refund_status", "start_return", "ask_question",
             "request_person", "greet"]  # fmt: skip
    signs = ["parcel", "cancel", "refund|money", "return", "deliver", "human", "hello"]
    rows = []
    for text in texts:
        row = np.array([any(s in text.lower() for s in sign.split("|")) for sign in signs], float)
        rows.append(row / row.sum() if row.sum() else np.full(len(names), 1 / len(names)))
    return names, np.array(rows)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("cancel it and where is my refund", ["cancel_order", "refund_status"]),
        ("I want to return the boots and get my money back", []),
        ("hello, thanks, where is my parcel", []),
        ("where is my parcel? I need my parcel soon. please find the parcel", []),
        ("please cancel it and I want the money back", []),
        ("please cancel it. I want a refund for my other order", ["cancel_order", "refund_status"]),
        ("where is my parcel and do you deliver to Norway", ["track_order", "ask_question"]),
        ("cancel my order and please let me talk to a human", ["request_person"]),
        ("where is my parcel", []),
    ],
)
def test_wishes(text: str, wanted: list[str]):
    found = Wishes().find(text, judge)
    assert [wish.intent for wish in found] == wanted
    for wish in found:
        assert text[wish.start : wish.end] == wish.text


def test_a_plain_message_is_not_judged_again():
    def never(texts):
        raise AssertionError(texts)

    for text in (
        "where is my order",
        "how do I wash a down jacket",
        "yes",
        "",
        "cancel and refund",
    ):
        assert Wishes().find(text, never) == []


# --- the actions ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def knowledge_base() -> KnowledgeBase:
    if not (MODEL / "model.onnx").is_file():
        pytest.skip("no models/encoder; `make train` builds it")
    found = KnowledgeBase(
        ROOT / "knowledge_base" / "articles", Encoder(MODEL), ROOT / "models" / "index"
    )
    found.load()
    return found


def conversation(text: str, *, before: dict[str, Any] | None = None, **understood: Any) -> Tracker:
    events: list[dict[str, Any]] = []
    if before is not None:
        events = [{"event": "user", "text": "hm"}, {"event": "bot", "data": {"custom": before}}]
    events.append({"event": "user", "text": text})
    message = {"text": text, "intent": {"name": "nlu_fallback"}, "entities": [], **understood}
    return Tracker("c", {"order_number": None}, message, events, False, None, {}, "action_listen")


def said(skill, tracker: Tracker) -> dict[str, Any]:
    dispatcher = CollectingDispatcher()
    asyncio.run(skill.run(dispatcher, tracker, {}))
    (message,) = dispatcher.messages
    return message


def wish(text: str, part: str, intent: str) -> dict[str, Any]:
    start = text.index(part)
    return {
        "intent": intent,
        "confidence": 0.9,
        "text": part,
        "start": start,
        "end": start + len(part),
    }


def test_several_wishes_in_one_reply(knowledge_base: KnowledgeBase):
    text = "cancel NP-123456 and how do I wash a down jacket, oh and where is NP-654321"
    parts = [
        wish(text, "cancel NP-123456", "cancel_order"),
        wish(text, "how do I wash a down jacket", "ask_question"),
        wish(text, "where is NP-654321", "track_order"),
    ]
    entities = [
        {"entity": "order_number", "value": "NP-123456", "start": 7, "end": 16},
        {"entity": "order_number", "value": "NP-654321", "start": 66, "end": 75},
    ]
    tracker = conversation(text, wishes=parts, entities=entities)
    message = said(Several(knowledge_base), tracker)
    assert message["response"] == "utter_several" and message["count"] == "three"
    assert "to cancel an order (NP-123456)" in message["wishes"]
    assert "to know where an order is (NP-654321)" in message["wishes"]
    first, second, third = (message["answer"].index(f"{n}. ") for n in (1, 2, 3))
    assert first < second < third
    reason = message["custom"]["offer"]["reason"]
    assert "wants to cancel an order (NP-123456): “cancel NP-123456”" in reason
    assert "asks where an order is (NP-654321)" in reason and len(message["buttons"]) == 2
    for source in message["custom"]["sources"]:
        assert source["url"] and source["hash"]


def test_a_number_of_one_wish_is_not_lent_to_another(knowledge_base: KnowledgeBase):
    text = "cancel NP-123456 and where is my refund"
    parts = [
        wish(text, "cancel NP-123456", "cancel_order"),
        wish(text, "where is my refund", "refund_status"),
    ]
    entities = [{"entity": "order_number", "value": "NP-123456", "start": 7, "end": 16}]
    tracker = conversation(text, wishes=parts, entities=entities)
    tracker.slots["order_number"] = "NP-123456"
    reason = said(Several(knowledge_base), tracker)["custom"]["offer"]["reason"]
    assert reason.count("NP-123456") == 2  # its number and its words, and nothing of the refund
    # Named earlier in the conversation, it is what both are about.
    told = conversation("cancel it and where is my refund", wishes=[
        wish("cancel it and where is my refund", "cancel it", "cancel_order"),
        wish("cancel it and where is my refund", "where is my refund", "refund_status"),
    ])  # fmt: skip
    told.slots["order_number"] = "NP-777777"
    reason = said(Several(knowledge_base), told)["custom"]["offer"]["reason"]
    assert reason.count("NP-777777") == 2


def test_two_meanings_are_asked_about(knowledge_base: KnowledgeBase):
    between = ["cancel_order", "start_return"]
    message = said(
        Answer(knowledge_base), conversation("that thing, I don't want it", between=between)
    )
    assert message["response"] == "utter_did_you_mean"
    assert message["first"] == "to cancel an order" and message["second"] == "to return something"
    titles = [button["title"] for button in message["buttons"]]
    assert titles == ["Cancel an order", "Return something", "Neither of these"]
    meant = message["custom"]["meant"]
    assert meant["text"] == "that thing, I don't want it" and message["custom"]["miss"]


def test_a_second_miss_in_a_row_offers_a_person(knowledge_base: KnowledgeBase):
    tracker = conversation(
        "that thing, I don't want it",
        before={"miss": True},
        between=["cancel_order", "start_return"],
    )
    message = said(Answer(knowledge_base), tracker)
    assert message["response"] == "utter_no_answer_again" and message["custom"]["offer"]


def test_what_an_article_answers_is_answered_and_not_asked_about(knowledge_base: KnowledgeBase):
    tracker = conversation(
        "how long does it take until a return is done?", between=["refund_status", "start_return"]
    )
    message = said(Answer(knowledge_base), tracker)
    assert message["response"] == "utter_answer" and message["custom"]["sources"]


def test_the_chosen_meaning_is_dealt_with_in_the_words_that_were_asked_about(knowledge_base):
    found = understanding("the first one", {"text": "get rid of NP-123456", "choices": CHOICES})
    message = said(ReferJob(knowledge_base), conversation("the first one", **found))
    assert (
        "wants to cancel an order: “get rid of NP-123456”" in message["custom"]["offer"]["reason"]
    )

"""The conversations of ``tests/dialogues`` are read with their mistakes named, and judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.dialogue_files import Conversation, DialogueError, load
from tests.dialogue_play import Played, Turn, outcomes, problems

PHRASES = """\
phrases:
  sorry: [sorry]
  cheer: [glad, "!"]
  a person: [colleague]
  what it cannot do: [can't]
  help lines: ["116 123"]
  emergency number: ["999"]
  asks again: [in other words]
never:
  anybody: [cheer]
"""
GOOD = """\
- name: late
  why: It happens.
  steps:
    - customer: where is it
      tone: [neutral, upset]
      reply: offer
      source: shipping/lost-parcel
    - customer: yes
      reply: receipt
      says_any: [a person]
  ticket: {reason_type: accepted, priority: 3, queue: general, mood: upset}
"""
MOST_KNOWN_MISSES = 6


def read(folder: Path, text: str, phrases: str = PHRASES) -> list[Conversation]:
    (folder / "phrases.yml").write_text(phrases, "utf-8")
    (folder / "late.yml").write_bytes(text.encode("utf-8"))
    return load(folder)[0]


def told(folder: Path, text: str, phrases: str = PHRASES) -> list[str]:
    with pytest.raises(DialogueError) as error:
        read(folder, text, phrases)
    return str(error.value).splitlines()


def test_our_own_can_be_read_and_few_misses_are_put_up_with():
    conversations, _ = load()
    assert len(conversations) >= 36
    misses = [one.id for one in conversations if one.known_miss]
    assert len(misses) <= MOST_KNOWN_MISSES, misses


def test_a_conversation_is_read_as_written(tmp_path: Path):
    windows = "\ufeff" + GOOD.replace("\n", "\r\n")
    (one,) = read(tmp_path, windows)
    assert one.id == "late.yml: late" and one.line == 1
    assert [(step.line, step.customer) for step in one.steps] == [(4, "where is it"), (8, "yes")]
    assert one.steps[0].tone == ("neutral", "upset") and one.steps[0].reply == ("offer",)
    (ticket,) = one.tickets
    assert ticket and ticket.priority == 3 and ticket.reason_type == ("accepted",)


@pytest.mark.parametrize(
    ("was", "written", "line", "message"),
    [
        ("tone:", "tome:", 5, "a step has no “tome:”; did you mean “tone”?"),
        ("why:", "because:", 2, "a conversation has no “because:”; choose from name, why"),
        ("priority:", "prio:", 11, "ticket has no “prio:”; did you mean “priority”?"),
        ("upset]", "upsett]", 5, "tone has no “upsett”; did you mean “upset”?"),
        ("reply: offer", "reply: offered", 6, "reply has no “offered”; did you mean “offer”?"),
        ("lost-parcel", "lost-parcels", 7, "there is no article shipping/lost-parcels.md"),
        ("[a person]", "[a human]", 10, "says_any has no “a human”; choose from"),
        ("- customer: yes", "- tone: upset", 8, "the step has no “customer:”"),
        ("customer: yes", "customer: yes: no", 8, "mapping values are not allowed here"),
        ("customer: yes", "customer: [yes]", 8, "customer is a text"),
        ("priority: 3", "priority: high", 11, "priority is a number from 1"),
        ("{reason_type: accepted, priority: 3, queue: general, mood: upset}", "maybe", 11,
         "ticket is “none”, or says what the ticket has to be"),
        ("{reason_type: accepted, priority: 3, queue: general, mood: upset}", "[]", 11,
         "ticket is empty"),
        ("      reply: receipt", "      reply: receipt\n      reply: offer", 10,
         "a step has “reply:” twice"),
        ("tone: [neutral, upset]", "tone: []", 5, "tone is empty"),
        ("- name: late", "- name: late\n  steps: []", 4, "a conversation has “steps:” twice"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, was: str, written: str, line: int, message: str
):
    assert GOOD.count(was) == 1
    found = told(tmp_path, GOOD.replace(was, written))
    start = f"late.yml, line {line}: {message}"
    assert any(problem.startswith(start) for problem in found), found


def test_all_mistakes_are_named_at_once(tmp_path: Path):
    found = told(tmp_path, GOOD.replace("tone:", "tome:").replace("priority:", "prio:"))
    assert len(found) == 2


def test_names_are_unique_over_all_files(tmp_path: Path):
    (tmp_path / "early.yaml").write_text(GOOD, "utf-8")
    assert told(tmp_path, GOOD) == [
        "late.yml, line 1: “late” is the name of early.yaml, line 1 already"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "late.yml is empty: write a conversation or delete it"),
        ("# nothing yet\n", "late.yml is empty"),
        ("name: late\n", "late.yml, line 1: here stands a list of conversations"),
        ("- late\n", "late.yml, line 1: a conversation: here stand lines"),
        ("- name: late\n", "late.yml, line 1: the conversation has no “why:”"),
    ],
)
def test_a_file_without_conversations_is_named(tmp_path: Path, text: str, message: str):
    assert told(tmp_path, text)[0].startswith(message)


def test_other_encodings_and_missing_phrases_are_named(tmp_path: Path):
    (tmp_path / "late.yml").write_bytes("- name: caf\xe9".encode("latin-1"))
    with pytest.raises(DialogueError) as error:
        load(tmp_path)
    assert "phrases.yml is missing" in str(error.value)
    assert "late.yml is not UTF-8: save it as UTF-8" in str(error.value)


def test_phrases_have_known_names(tmp_path: Path):
    wrong = PHRASES.replace("anybody: [cheer]", "anyone: [cheer]\n  angry: [cheers]")
    assert told(tmp_path, GOOD, wrong) == [
        "phrases.yml, line 10: never has no “anyone:”; did you mean “anybody”?",
        "phrases.yml, line 11: never: angry has no “cheers”; did you mean “cheer”?",
    ]


# Judging.


def said(text: str, *articles: str, author: str = "bot") -> dict[str, Any]:
    sources = [{"article": article} for article in articles]
    return {"id": 2, "author": author, "text": text, "sources": sources}


def turn(*replies: dict[str, Any], before: str = "bot", mood: str = "neutral") -> Turn:
    return Turn(before, list(replies), 1, mood)


OFFER = "I can't see it. Shall I bring in a colleague?"
RECEIPT = "A colleague is coming. Your number is R-1001."
TICKET = {
    "reason_type": "accepted", "reason": "", "priority": 2, "queue": "general",
    "mood": {"label": "upset"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ([], {"silence"}),
        ([said("Hello.")], {"courtesy"}),
        ([said("What do you mean?")], {"asks again", "courtesy"}),
        ([said(OFFER)], {"offer", "referred"}),
        ([said("Shall I bring in a colleague?")], {"offer"}),
        ([said("A return takes 9 days.", "returns/return-an-item")], {"answered"}),
        ([said(RECEIPT)], {"receipt"}),
        ([said(f"Call 116 123. {RECEIPT}")], {"receipt", "help lines"}),
        ([said(f"Call 999 first. {RECEIPT}")], {"receipt", "emergency number"}),
    ],
)
def test_what_a_reply_is(tmp_path: Path, replies: list[dict[str, Any]], expected: set[str]):
    read(tmp_path, GOOD)
    assert outcomes(turn(*replies), load(tmp_path)[1]) == expected


@pytest.mark.parametrize(
    ("first", "second", "ticket", "expected"),
    [
        (turn(said(OFFER)), turn(said(RECEIPT)), TICKET, ""),
        (turn(said("Hello.")), turn(said(RECEIPT)), TICKET, "reply is courtesy, not offer"),
        (turn(said(OFFER), mood="angry"), turn(said(RECEIPT)), TICKET, "is taken for angry"),
        (turn(said(OFFER), mood=""), turn(said(RECEIPT)), TICKET, "is taken for unheard"),
        (turn(said(f"Sorry. {OFFER}")), turn(said(f"Sorry. {RECEIPT}")), TICKET, "second time"),
        (turn(said(f"Great! {OFFER}")), turn(said(RECEIPT)), TICKET, "it says “!” (cheer)"),
        (turn(said(OFFER)), turn(said("R-1001")), TICKET, "it says nothing of a person"),
        (turn(said(OFFER)), turn(said(RECEIPT)), None, "no person was called"),
        (turn(said(OFFER)), turn(said(RECEIPT)), {**TICKET, "priority": 4}, "priority is 4"),
        (turn(said(OFFER)), turn(said(RECEIPT)), {**TICKET, "queue": "vip"}, "queue is vip"),
        (turn(said(OFFER)), turn(said(RECEIPT)), {**TICKET, "reason_type": "job"}, "is job"),
        (turn(said(OFFER, "returns/return-an-item")), turn(said(RECEIPT)), TICKET,
         "answers with returns/return-an-item"),
    ],
)  # fmt: skip
def test_what_is_not_as_written_is_said(
    tmp_path: Path, first: Turn, second: Turn, ticket: dict[str, Any] | None, expected: str
):
    (one,) = read(tmp_path, GOOD)
    found = problems(one, Played([first, second], ticket), load(tmp_path)[1])
    assert (expected in "\n".join(found)) if expected else not found


def test_a_person_who_was_called_for_nothing_and_a_bot_that_goes_on(tmp_path: Path):
    text = GOOD.replace("      reply: receipt\n      says_any: [a person]\n", "")
    (one,) = read(tmp_path, text.split("  ticket:")[0] + "  ticket: none\n")
    phrases = load(tmp_path)[1]
    quiet = Played([turn(said(OFFER)), turn(before="waiting")])
    assert problems(one, quiet, phrases) == []
    on = Played([turn(said(OFFER)), turn(said("Hm."), before="waiting")], TICKET)
    found = "\n".join(problems(one, on, phrases))
    assert "it speaks although a person was called" in found and "a person was called (" in found


def test_what_an_article_says_is_not_held_against_us(tmp_path: Path):
    read(tmp_path, GOOD)
    phrases = load(tmp_path)[1]
    quoted = "We are sorry when things go wrong, and would rather hear it than not."
    reply = said(f"This is what we have.\n\n{quoted}", "shops-and-contact/make-a-complaint")
    assert not phrases.find("sorry", turn(reply).own_words)
    assert phrases.find("sorry", turn(said(quoted)).own_words)

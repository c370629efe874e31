"""Plays a written conversation over HTTP, and says what was not as it has to be."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.dialogue_files import ANYBODY, ROOT, Conversation, Phrases, Step, Ticket
from tests.system import Customer, DeskAgent, System

ANSWER_SECONDS = 45  # many conversations at a time on a small machine
QUIET_SECONDS = 0.8  # the bot that is to be silent would have spoken by then
LOOK_SECONDS = 0.08
HEARD_SECONDS = 5  # until what was heard of the last message is stored

_NUMBER = re.compile(r"\bR-\d{4,}\b")


@dataclass
class Turn:
    """What came of one step: our messages after it, and the mood after it ("": none was stored)."""

    before: str  # who owned the conversation
    replies: list[dict[str, Any]]
    number: int
    mood: str = ""
    intent: str = ""

    @property
    def text(self) -> str:
        return "\n\n".join(reply["text"] for reply in self.replies)

    @property
    def own_words(self) -> str:
        return "\n\n".join(own_words(reply) for reply in self.replies)

    @property
    def articles(self) -> list[str]:
        return [source["article"] for reply in self.replies for source in reply["sources"]]


@dataclass
class Played:
    """A whole conversation as it went; ``ticket`` as the desk shows it, None where none was."""

    turns: list[Turn] = field(default_factory=list)
    ticket: dict[str, Any] | None = None
    broke: str = ""


def play(system: System, agent: DeskAgent, conversation: Conversation) -> Played:
    """Write all messages, each after the answer to the one before, and read the desk at the end."""
    customer, played = system.customer(), Played()
    for step in conversation.steps:
        try:
            played.turns.append(_turn(customer, step))
        except AssertionError as error:
            played.broke = f"step in line {step.line}: {error}"
            return played
    opened = customer.view()["ticket"] is not None
    if opened:
        played.ticket = agent.ticket_of(customer)
    else:
        customer.press_person()  # the desk shows only what a person was called to
        agent.ticket_of(customer)
    _hear(agent, customer, played.turns)
    return played


def _turn(customer: Customer, step: Step) -> Turn:
    before = customer.view()["owner"]
    number = customer.write(step.customer)
    if before in ("waiting", "human"):
        time.sleep(QUIET_SECONDS)
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        view = customer.view(number)
        replies = [it for it in view["messages"] if it["author"] != "customer"]
        if before in ("waiting", "human") or (replies and not view["typing"]):
            return Turn(before, replies, number)
        assert time.monotonic() < deadline, f"no answer to “{step.customer[:60]}”"
        time.sleep(LOOK_SECONDS)


def _hear(agent: DeskAgent, customer: Customer, turns: Sequence[Turn]) -> None:
    """Note mood and intent of each message, as the desk shows them."""
    deadline = time.monotonic() + HEARD_SECONDS
    asked = {turn.number for turn in turns if turn.before not in ("waiting", "human")}
    while True:
        shown = {it["id"]: it for it in agent.conversation(customer).json()["messages"]}
        unheard = [number for number in asked if not shown[number]["understood"]]
        if not unheard or time.monotonic() > deadline:
            break
        if all(_NUMBER.search(turn.text) for turn in turns if turn.number in unheard):
            deadline = min(deadline, time.monotonic() + 1)  # some rules do not ask the engine
        time.sleep(LOOK_SECONDS)
    for turn in turns:
        turn.mood = (shown[turn.number]["mood"] or {}).get("label", "")
        turn.intent = (shown[turn.number]["understood"] or {}).get("intent", "")


# What is wrong with it.


def problems(conversation: Conversation, played: Played, phrases: Phrases) -> list[str]:
    """A line for everything that was not as expected; empty when all was well."""
    if played.broke:
        return [f"{conversation.file}, {played.broke}"]
    found: list[str] = []
    apologised = False
    for step, turn in zip(conversation.steps, played.turns, strict=True):
        where = f"{conversation.file}, line {step.line}"
        told = [*_of_step(step, turn, phrases), *_of_always(step, turn, phrases)]
        for reply in turn.replies:
            sorry = bool(phrases.find("sorry", own_words(reply)))
            if sorry and apologised:
                told.append("it says sorry a second time in a row")
            apologised = sorry
        if told:
            found.append(f"{where}: {'; '.join(told)}\n{_shown(step, turn)}")
    missed = [_of_ticket(ticket, played.ticket) for ticket in conversation.tickets]
    if all(missed):
        found.append(f"{conversation.file}, line {conversation.line}: {' / '.join(missed)}")
    return found


def outcomes(turn: Turn, phrases: Phrases) -> set[str]:
    """Everything that a reply is, as the README of the conversations names it."""
    if not turn.replies:
        return {"silence"}
    found: set[str] = set()
    text, own = turn.text, turn.own_words
    receipt = bool(_NUMBER.search(text))
    asks = text.rstrip().endswith("?") and not receipt
    if receipt:
        found.add("receipt")
        if phrases.find("help lines", own):
            found.add("help lines")
        if phrases.find("emergency number", own):
            found.add("emergency number")
    if turn.articles:
        found.add("answered")
    if asks and phrases.find("a person", own.rstrip().splitlines()[-1]):
        found.add("offer")
        if phrases.find("what it cannot do", own):
            found.add("referred")
    if (not receipt and phrases.find("asks again", own)) or (asks and "offer" not in found):
        found.add("asks again")
    if not found & {"receipt", "answered", "offer"}:
        found.add("courtesy")
    return found


def own_words(reply: dict[str, Any]) -> str:
    """What is ours of a reply: without the sentences that stand in the article it quotes."""
    quoted = " ".join(_article(source["article"]) for source in reply["sources"])
    if not quoted:
        return str(reply["text"])
    kept = []
    for line in reply["text"].splitlines():
        sentences = re.split(r"(?<=[.!?:])\s+", line)
        kept.append(" ".join(it for it in sentences if not _in(it, quoted)).strip())
    return "\n".join(line for line in kept if line)


def _in(sentence: str, quoted: str) -> bool:
    words = _plain(sentence)
    return words.count(" ") >= 2 and f" {words} " in quoted


@cache
def _article(article: str) -> str:
    path = ROOT / "knowledge_base" / "articles" / f"{article}.md"
    return f" {_plain(path.read_text('utf-8'))} " if path.is_file() else ""


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", re.sub(r"\]\([^)]*\)", "]", text).lower()))


def _of_step(step: Step, turn: Turn, phrases: Phrases) -> Iterator[str]:
    if step.tone and turn.mood not in step.tone:
        yield f"the customer is taken for {turn.mood or 'unheard'}, not {_or(step.tone)}"
    found = outcomes(turn, phrases)
    if step.reply and not found & set(step.reply):
        yield f"the reply is {_or(sorted(found))}, not {_or(step.reply)}"
    if step.source and turn.articles and not set(turn.articles) & set(step.source):
        yield f"it answers with {_or(turn.articles)}, not {_or(step.source)}"
    if step.says_any and not any(phrases.find(name, turn.own_words) for name in step.says_any):
        yield f"it says nothing of {_or(step.says_any)}"


def _of_always(step: Step, turn: Turn, phrases: Phrases) -> Iterator[str]:
    never = dict.fromkeys(
        (*step.never_says, *phrases.never.get(ANYBODY, ()), *phrases.never.get(turn.mood, ()))
    )
    for name in never:
        words = phrases.find(name, turn.own_words)
        if words:
            yield f"it says “{words}” ({name})"
    called = turn.before in ("waiting", "human")
    if called and turn.replies and not step.reply:
        yield "it speaks although a person was called"


def _of_ticket(expected: Ticket | None, ticket: dict[str, Any] | None) -> str:
    """What is wrong with the ticket, "" when it is as expected."""
    if expected is None:
        return f"a person was called ({ticket.get('reason')})" if ticket else ""
    if ticket is None:
        return "no person was called"
    told = []
    if expected.reason_type and ticket["reason_type"] not in expected.reason_type:
        told.append(f"its reason is {ticket['reason_type']}, not {_or(expected.reason_type)}")
    priority = ticket.get("priority")
    if expected.priority < 4 and (priority is None or priority > expected.priority):
        told.append(f"its priority is {priority}, not {expected.priority} or more urgent")
    if expected.queue and ticket.get("queue") not in expected.queue:
        told.append(f"its queue is {ticket.get('queue')}, not {_or(expected.queue)}")
    if expected.mood and ticket["mood"]["label"] not in expected.mood:
        told.append(f"its mood is {ticket['mood']['label']}, not {_or(expected.mood)}")
    return f"the ticket: {', '.join(told)}" if told else ""


def _or(names: Sequence[str]) -> str:
    return " or ".join(names) or "nothing"


def _shown(step: Step, turn: Turn) -> str:
    said = " ⏎ ".join(turn.text.split("\n\n")) or "(nothing)"
    heard = f"{turn.intent or 'no intent'}, {turn.mood or 'no mood'}"
    return f"    customer ({heard}): {step.customer}\n    reply: {said}"

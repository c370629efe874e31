"""The states of a conversation, who owns it in each, and where a message goes.

Pure functions, standard library only. The invariants that everything else relies on:

* exactly one owner: the bot, the waiting queue, one person, or nobody (resolved); the store refuses
  a row in which a person has it and no agent is named, or somebody waits and no ticket is owed;
* the bot speaks only in a conversation that it owns (``bot_may_speak``), which is looked at in the
  transaction that queues the reply: what was thought out before somebody claimed it is dropped and
  recorded, not sent;
* no state without a next deadline: an open ticket has a time at which the service does something
  about it (``bot.service.waiting``), and the store refuses one without;
* asking for a person works in every state, and always yields a number;
* a hand-back gives the conversation to the bot, which says what was settled;
* a resolved conversation that gets a message is dealt with by the bot, or by the person or queue
  that the table ``reopening`` of ``service.yml`` names (`reopens`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Who owns the conversation."""

    BOT = "bot"
    WAITING = "waiting"
    HUMAN = "human"
    RESOLVED = "resolved"


class Event(StrEnum):
    """What can change the owner."""

    CUSTOMER_WROTE = "customer_wrote"
    PERSON_REQUESTED = "person_requested"
    CLAIMED = "claimed"
    RESOLVED = "resolved"
    HANDED_BACK = "handed_back"
    GIVEN_BACK = "given_back"  # to the queue: passed on, or the agent said nothing
    CLOSED = "closed"  # not by the agent's word: the customer said nothing more, or it was merged


class Route(StrEnum):
    """Who deals with a customer's message."""

    BRAIN = "brain"
    DESK = "desk"
    SURVEY = "survey"
    PERSON = "person"


class NotPossible(Exception):
    """This event cannot happen in this state; the text can be shown to an agent."""


_AFTER: dict[tuple[State, Event], State] = {
    (State.BOT, Event.CUSTOMER_WROTE): State.BOT,
    (State.WAITING, Event.CUSTOMER_WROTE): State.WAITING,
    (State.HUMAN, Event.CUSTOMER_WROTE): State.HUMAN,
    (State.RESOLVED, Event.CUSTOMER_WROTE): State.BOT,
    (State.BOT, Event.PERSON_REQUESTED): State.WAITING,
    (State.WAITING, Event.PERSON_REQUESTED): State.WAITING,
    (State.HUMAN, Event.PERSON_REQUESTED): State.HUMAN,
    (State.RESOLVED, Event.PERSON_REQUESTED): State.WAITING,
    (State.WAITING, Event.CLAIMED): State.HUMAN,
    (State.HUMAN, Event.RESOLVED): State.RESOLVED,
    (State.HUMAN, Event.HANDED_BACK): State.BOT,
    (State.HUMAN, Event.GIVEN_BACK): State.WAITING,
    (State.HUMAN, Event.CLOSED): State.RESOLVED,
    (State.WAITING, Event.CLOSED): State.RESOLVED,
}

_WHY_NOT = {
    Event.CLAIMED: "This conversation is not waiting for a person.",
    Event.RESOLVED: "Claim this conversation before you resolve it.",
    Event.HANDED_BACK: "Claim this conversation before you hand it back.",
    Event.GIVEN_BACK: "Claim this conversation before you pass it on.",
    Event.CLOSED: "This conversation is closed already.",
}


def after(state: State, event: Event) -> State:
    """The state that follows; raises `NotPossible` where the table has no such step."""
    try:
        return _AFTER[state, event]
    except KeyError:
        raise NotPossible(_WHY_NOT.get(event, f"{event} is not possible in {state}")) from None


def bot_may_speak(state: State) -> bool:
    """Whether an answer of the bot may be shown now."""
    return state is State.BOT


@dataclass(frozen=True)
class Arrival:
    """A customer's message at the moment when it is dealt with."""

    state: State
    text: str
    asks_for_person: bool  # by the button, so without the engine
    rating_expected: bool


def route(arrival: Arrival) -> Route:
    """Who deals with this message."""
    may_rate = arrival.rating_expected and arrival.state in (State.RESOLVED, State.BOT)
    if may_rate and rating_of(arrival.text) is not None:
        return Route.SURVEY
    if arrival.asks_for_person:
        return Route.PERSON
    if arrival.state in (State.WAITING, State.HUMAN):
        return Route.DESK
    return Route.BRAIN


@dataclass(frozen=True)
class Closed:
    """The last close of a conversation, for a message that comes after it."""

    at: int
    by_person: bool
    agent_at_desk: bool


def reopens(
    closed: Closed | None, now: int, table: Sequence[tuple[int, str, str]], *, courtesy: bool
) -> str:
    """Who deals with a message in a resolved conversation: ``agent`` (who resolved it), ``queue``
    or ``bot``.

    ``table`` has rows (hours by the clock, to, to whom when that agent is not at the desk), tried
    in order; thanks and goodbyes (``courtesy``) reopen nothing, nor does what an article answers
    (`bot.turns`).
    """
    if closed is None or courtesy or not closed.by_person:
        return "bot"
    for hours, to, otherwise in table:
        if now - closed.at <= hours * 3_600_000:
            return otherwise if to == "agent" and not closed.agent_at_desk else to
    return "bot"


@dataclass(frozen=True)
class Rating:
    """1 (poor) to 5 (very good), and what the customer said to it."""

    score: int
    comment: str = ""


_RATING = re.compile(
    r"\s*([1-5])\s*(?:/\s*5|out of (?:5|five)|stars?|\*)?\s*"
    r"(?:[.!]*|[.!,;:–-]+\s+(?P<comment>\S.{0,500}))\s*",
    re.IGNORECASE | re.DOTALL,
)


def rating_of(text: str) -> Rating | None:
    """The rating when the message is one, with or without a comment behind a comma or the like: '4',
    '4/5', '4 stars', '2, nobody answered'."""
    found = _RATING.fullmatch(text)
    return Rating(int(found.group(1)), found.group("comment") or "") if found else None

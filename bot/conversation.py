"""The states of a conversation, who owns it in each, and where a message goes.

Pure functions, standard library only. The invariants that everything else relies on:

* exactly one owner: the bot, the waiting queue, one person, or nobody (resolved);
* the bot speaks only in a conversation that it owns (``bot_may_speak``);
* asking for a person works in every state;
* a resolved conversation that gets a message belongs to the bot again.
"""

from __future__ import annotations

import re
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
}

_WHY_NOT = {
    Event.CLAIMED: "This conversation is not waiting for a person.",
    Event.RESOLVED: "Claim this conversation before you resolve it.",
    Event.HANDED_BACK: "Claim this conversation before you hand it back.",
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


_RATING = re.compile(
    r"\s*([1-5])\s*(?:/\s*5|out of (?:5|five)|stars?|\*)?\s*[.!]*\s*", re.IGNORECASE
)


def rating_of(text: str) -> int | None:
    """The rating 1 to 5 when the message is one and nothing else, as '4', '4/5', '4 stars'."""
    found = _RATING.fullmatch(text)
    return int(found.group(1)) if found else None

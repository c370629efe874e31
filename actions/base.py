"""What every action shares: its names, the turn that it runs for, offers and misses.

An offer ("Shall I bring in a colleague?") travels with the reply that makes it, in the reply's
``custom`` data, so that the meaning of a following "yes" is a fact of the transcript and not of a
slot that somebody must remember to clear.
"""

from __future__ import annotations

from typing import Any, Protocol

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

Events = list[dict[str, Any]]


class People(Protocol):
    """The part of `bot.support.Support` that actions need."""

    def running_turn(self, conversation_id: str, turn_id: str) -> bool: ...

    def request_person(
        self,
        conversation_id: str,
        *,
        cause: str,
        reason_type: str,
        reason: str,
        mood: dict[str, Any] | None = None,
        first: str = "",
    ) -> str: ...


class Skill(Action):
    """An action with its name as an attribute. Subclasses say something, or return an event, in
    every case: the engine takes silence for a failure."""

    action_name: str

    def name(self) -> str:
        return self.action_name


def said(tracker: Tracker) -> str:
    """The customer's words of this turn; after an answer to "Did you mean ...?", the words that were
    asked about."""
    meant = tracker.latest_message.get("meant") or {}
    return str(meant.get("text") or tracker.latest_message.get("text") or "")


def intent(tracker: Tracker) -> str:
    return str((tracker.latest_message.get("intent") or {}).get("name") or "")


def wishes(tracker: Tracker) -> list[dict[str, Any]]:
    """The wishes of a message that has several: intent, confidence, text, start and end."""
    return list(tracker.latest_message.get("wishes") or [])


def order_number(tracker: Tracker) -> str | None:
    """The order of this message, or the one that the conversation was about so far."""
    for entity in tracker.latest_message.get("entities") or []:
        if entity.get("entity") == "order_number":
            return str(entity["value"])
    return tracker.get_slot("order_number")


def mood(tracker: Tracker) -> dict[str, Any] | None:
    return tracker.latest_message.get("mood")


def turn_id(tracker: Tracker) -> str | None:
    """The gateway's turn; None when somebody talks to the engine without the gateway."""
    return (tracker.latest_message.get("metadata") or {}).get("turn_id")


def last_custom(tracker: Tracker) -> dict[str, Any]:
    """The ``custom`` data of what the bot said last, before this turn. An offer that the gateway
    added to it afterwards comes with the message."""
    custom = _last_own_custom(tracker)
    added = (tracker.latest_message.get("metadata") or {}).get("offer")
    return {**custom, "offer": added} if added and "offer" not in custom else custom


def _last_own_custom(tracker: Tracker) -> dict[str, Any]:
    own_turn = True
    for event in reversed(tracker.events):
        if event.get("event") == "user":
            if not own_turn:
                return {}
            own_turn = False
        elif event.get("event") == "bot" and not own_turn:
            return (event.get("data") or {}).get("custom") or {}
    return {}


def offer(reason_type: str, reason: str) -> dict[str, str]:
    """A standing offer of a person, with the reason a colleague will read if it is accepted."""
    return {"to": "person", "reason_type": reason_type, "reason": reason}


def quote(text: str, longest: int = 160) -> str:
    """The customer's words, shortened for a reason."""
    words = " ".join(text.split())
    return f"“{words if len(words) <= longest else words[: longest - 1].rstrip() + '…'}”"


YES_NO = [{"title": "Yes, please"}, {"title": "No, thank you"}]

__all__ = ["Action", "CollectingDispatcher", "Events", "People", "Skill", "Tracker"]

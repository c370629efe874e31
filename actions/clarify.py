"""Did you mean: asking back when two intents are too close to tell.

What was offered travels in the reply's ``custom`` data; `bot/engine/meant.py` understands the answer
from it.
"""

from __future__ import annotations

from typing import Any

from actions.base import CollectingDispatcher, Tracker, said
from actions.phrases import phrase

NEITHER = {"title": "Neither of these"}


def two_meanings(tracker: Tracker) -> list[str]:
    """The two intents that the message may have, or none."""
    between = tracker.latest_message.get("between") or []
    return [str(name) for name in between] if len(between) == 2 else []


def ask_which(dispatcher: CollectingDispatcher, tracker: Tracker, names: list[str]) -> None:
    """Put the question. It is a miss: a second one in a row offers a person."""
    named = [phrase(name) for name in names]
    choices = [
        {"intent": name, "title": one.button} for name, one in zip(names, named, strict=True)
    ]
    custom: dict[str, Any] = {"miss": True, "meant": {"text": said(tracker), "choices": choices}}
    dispatcher.utter_message(
        response="utter_did_you_mean",
        first=named[0].wanted,
        second=named[1].wanted,
        buttons=[*({"title": one.button} for one in named), NEITHER],
        json_message=custom,
    )

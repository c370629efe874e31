"""What the bot would answer to a question, without a conversation: nothing is stored or sent.

Customers' answers come from the very action that answers customers, so the preview cannot say
anything else; its wording is that for a calm customer.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

Action = Callable[[CollectingDispatcher, Tracker, dict[str, Any]], Awaitable[Any]]

INTENT = "ask_question"


@dataclass(frozen=True)
class Said:
    """One message of the bot: its markdown, the articles it cites, the titles of its buttons."""

    text: str
    sources: list[dict[str, Any]] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)


class Preview:
    """Asks the action that answers questions.

    Args:
        answer: that action's ``run``.
        domain: the file with the wording of responses.
    """

    def __init__(self, answer: Action, domain: Path):
        self._answer = answer
        self._wording = _read(domain)

    async def say(self, question: str) -> list[Said]:
        """What a customer would be told."""
        dispatcher = CollectingDispatcher()
        latest = {"text": question, "intent": {"name": INTENT, "confidence": 1.0}, "entities": []}
        tracker = Tracker("preview", {}, latest, [], False, None, {}, "action_listen")
        await self._answer(dispatcher, tracker, {})
        return [self._said(message) for message in dispatcher.messages]

    def _said(self, message: dict[str, Any]) -> Said:
        wording = self._wording.get(str(message.get("response")), "")
        # In one pass: an article may hold braces of its own.
        text = re.sub(r"\{(\w+)\}", lambda name: str(message.get(name[1], name[0])), wording)
        return Said(
            message.get("text") or text,
            list((message.get("custom") or {}).get("sources") or []),
            [str(button.get("title", "")) for button in message.get("buttons") or []],
        )


def _read(domain: Path) -> dict[str, str]:
    """The wording of each response when no condition holds: that for a neutral tone."""
    content = yaml.safe_load(domain.read_text(encoding="utf-8")) or {}
    wording: dict[str, str] = {}
    for name, variants in (content.get("responses") or {}).items():
        for variant in variants or []:
            if not variant.get("condition"):
                wording[name] = str(variant.get("text") or "")
    return wording

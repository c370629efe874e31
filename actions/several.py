"""Several wishes in one message: each dealt with in its order, in one reply."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from anyio import to_thread

from actions.answer import find, sources
from actions.base import (
    YES_NO,
    CollectingDispatcher,
    Events,
    Skill,
    Tracker,
    intent,
    offer,
    order_number,
    said,
    wishes,
)
from actions.phrases import listed, phrase
from actions.refer import wish_of
from knowledge_base.search import KnowledgeBase, Result

QUESTION = "ask_question"
COUNTS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight"}

NO_ARTICLE = "I found no sure answer to this in our help articles."
NO_ARTICLE_FOR_JOB = "I found nothing in our help articles that is surely about this."
SAME_ARTICLE = "What stands above goes for this too."


@dataclass(frozen=True)
class _Found:
    """One of the wishes, as a conversation whose last message said nothing else, and what the
    articles say about it."""

    tracker: Tracker
    result: Result
    quoted: str


class Several(Skill):
    """Says what was understood, what the articles say about each, and offers one person for all."""

    action_name = "action_several"

    def __init__(self, knowledge_base: KnowledgeBase):
        self._knowledge_base = knowledge_base

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        parts = [part(tracker, wish) for wish in wishes(tracker)] or [tracker]
        found = [
            _Found(one, *await to_thread.run_sync(find, self._knowledge_base, one)) for one in parts
        ]
        reason = f"The customer {listed([wish_of(one) for one in parts])}."
        dispatcher.utter_message(
            response="utter_several",
            count=COUNTS.get(len(found), str(len(found))),
            wishes=listed([_wanted(one) for one in parts]),
            answer=_paragraphs(found),
            buttons=YES_NO,
            json_message={"offer": offer("job", reason), "sources": _sources(found)},
        )
        return []


def part(tracker: Tracker, wish: dict[str, Any]) -> Tracker:
    """The conversation as if its last message had held this wish only: its words, its intent, and
    the entities that stand in it."""
    whole = tracker.latest_message
    start, end = int(wish.get("start", 0)), int(wish.get("end", 0))
    # A number of another wish says nothing about this one, so the slot must not answer for it.
    numbered = any(one.get("entity") == "order_number" for one in whole.get("entities") or [])
    one = copy.copy(tracker)
    one.slots = {**tracker.slots, **({"order_number": None} if numbered else {})}
    one.latest_message = {
        **whole,
        "text": wish["text"],
        "intent": {"name": wish["intent"], "confidence": wish.get("confidence", 1.0)},
        "entities": [
            entity
            for entity in whole.get("entities") or []
            if start <= int(entity.get("start", 0)) < end
        ],
        "wishes": [],
        "meant": None,
    }
    return one


def _wanted(one: Tracker) -> str:
    number = order_number(one)
    return phrase(intent(one)).wanted + (f" ({number})" if number else "")


def _paragraphs(found: list[_Found]) -> str:
    """A heading and an article's own words for each wish; words already shown are not repeated."""
    shown: set[str] = set()
    paragraphs = []
    for at, one in enumerate(found, 1):
        name = intent(one.tracker)
        heading = " ".join(said(one.tracker).split()) if name == QUESTION else phrase(name).button
        text = one.quoted or (NO_ARTICLE if name == QUESTION else NO_ARTICLE_FOR_JOB)
        if one.quoted in shown:
            text = SAME_ARTICLE
        elif one.quoted:
            shown.add(one.quoted)
        paragraphs.append(f"{at}. {heading}\n\n{text}")
    return "\n\n".join(paragraphs)


def _sources(found: list[_Found]) -> list[dict[str, Any]]:
    """Where the words come from, each passage once."""
    cited: dict[str, dict[str, Any]] = {}
    for one in found:
        if one.quoted:
            for source in sources(one.result):
                cited.setdefault(source["url"], source)
    return list(cited.values())

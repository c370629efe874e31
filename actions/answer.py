"""Questions: the passage of an article that answers, or the plain word that none does."""

from __future__ import annotations

from typing import Any

from anyio import to_thread

from actions.base import (
    YES_NO,
    CollectingDispatcher,
    Events,
    Skill,
    Tracker,
    intent,
    last_custom,
    offer,
    quote,
    said,
)
from knowledge_base.search import KnowledgeBase, Result


class Answer(Skill):
    """Answers in an article's own words, with its source; else says that it does not know."""

    action_name = "action_answer"

    def __init__(self, knowledge_base: KnowledgeBase):
        self._knowledge_base = knowledge_base

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        question = said(tracker)
        result = await to_thread.run_sync(self._knowledge_base.ask, question)
        if result.kind == "answer":
            dispatcher.utter_message(
                response="utter_answer",
                answer=result.hits[0].passage.text,
                json_message={"sources": sources(result)},
            )
            return []
        missed_before = bool(last_custom(tracker).get("miss"))
        if missed_before:
            response = "utter_no_answer_again"
        elif intent(tracker) == "out_of_scope":
            response = "utter_out_of_scope"
        else:
            response = "utter_no_answer"
        dispatcher.utter_message(
            response=response,
            buttons=YES_NO,
            json_message={
                "miss": True,
                "offer": offer("accepted", f"No article answers {quote(question)}."),
            },
        )
        return []


def sources(result: Result) -> list[dict[str, Any]]:
    """Where the answer comes from, as it is stored with the turn and shown to the customer."""
    passage = result.hits[0].passage
    return [
        {
            "title": passage.title,
            "heading": " › ".join(passage.heading_path),
            "url": passage.url,
            "article": passage.article_id,
            "hash": passage.hash,
            "confidence": round(result.confidence, 3),
        }
    ]

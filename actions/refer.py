"""What a customer wants done to an order or an account.

This version has no order system behind it, and says so: it shows what the articles say on the
subject and offers to pass the wish to a colleague.
"""

from __future__ import annotations

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
    quote,
    said,
)
from actions.phrases import phrase
from knowledge_base.search import KnowledgeBase


def wish_of(tracker: Tracker) -> str:
    """What a colleague reads after "The customer": the wish, the order, the words."""
    order = order_number(tracker)
    about = f" ({order})" if order else ""
    return f"{phrase(intent(tracker)).ticket}{about}: {quote(said(tracker))}"


class ReferJob(Skill):
    """Says what the articles say, what it cannot do itself, and who can."""

    action_name = "action_refer_job"

    def __init__(self, knowledge_base: KnowledgeBase):
        self._knowledge_base = knowledge_base

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        result, quoted = await to_thread.run_sync(find, self._knowledge_base, tracker)
        custom: dict[str, Any] = {"offer": offer("job", f"The customer {wish_of(tracker)}")}
        if quoted:
            dispatcher.utter_message(
                response="utter_refer_job",
                answer=quoted,
                buttons=YES_NO,
                json_message={**custom, "sources": sources(result)},
            )
        else:
            dispatcher.utter_message(
                response="utter_refer_job_no_answer", buttons=YES_NO, json_message=custom
            )
        return []

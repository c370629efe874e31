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
    quote,
    said,
)
from knowledge_base.search import KnowledgeBase

# How a colleague reads the wish on a ticket.
WISHES = {
    "track_order": "asks where an order is",
    "cancel_order": "wants to cancel an order",
    "start_return": "wants to return something",
    "exchange_item": "wants to exchange something",
    "refund_status": "asks about a refund",
    "report_damage": "reports something damaged or faulty",
    "report_missing_item": "reports a missing or wrong item",
    "change_address": "wants to change a delivery address",
    "update_contact": "wants to change contact details",
    "invoice_copy": "wants a copy of an invoice",
    "warranty_claim": "makes a warranty claim",
    "gift_card_balance": "asks for a gift card balance",
    "loyalty_points": "asks about loyalty points",
    "unsubscribe": "wants to unsubscribe",
    "data_request": "asks for their data, or for its deletion",
}


class ReferJob(Skill):
    """Says what the articles say, what it cannot do itself, and who can."""

    action_name = "action_refer_job"

    def __init__(self, knowledge_base: KnowledgeBase):
        self._knowledge_base = knowledge_base

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        words = said(tracker)
        result, quoted = await to_thread.run_sync(find, self._knowledge_base, tracker)
        wish = WISHES.get(intent(tracker), "wants something done")
        order = tracker.get_slot("order_number")
        about = f" ({order})" if order else ""
        custom: dict[str, Any] = {
            "offer": offer("job", f"The customer {wish}{about}: {quote(words)}")
        }
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

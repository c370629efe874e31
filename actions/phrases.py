"""How each thing that a customer can want is said: on a button, in a sentence, on a ticket.

The one place for it: a new intent that a customer can mean gets a line here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrase:
    """`button`: a title, and what pressing it says. `wanted`: after "you want". `ticket`: after "the
    customer", for colleagues."""

    button: str
    wanted: str
    ticket: str


PHRASES = {
    "track_order": Phrase(
        "Find out where an order is", "to know where an order is", "asks where an order is"
    ),
    "cancel_order": Phrase("Cancel an order", "to cancel an order", "wants to cancel an order"),
    "start_return": Phrase("Return something", "to return something", "wants to return something"),
    "exchange_item": Phrase(
        "Exchange something", "to exchange something", "wants to exchange something"
    ),
    "refund_status": Phrase("Ask about a refund", "to know about a refund", "asks about a refund"),
    "report_damage": Phrase(
        "Report something damaged",
        "to report something damaged or faulty",
        "reports something damaged or faulty",
    ),
    "report_missing_item": Phrase(
        "Report a missing or wrong item",
        "to report a missing or wrong item",
        "reports a missing or wrong item",
    ),
    "change_address": Phrase(
        "Change a delivery address",
        "to change a delivery address",
        "wants to change a delivery address",
    ),
    "update_contact": Phrase(
        "Change my contact details",
        "to change your contact details",
        "wants to change contact details",
    ),
    "invoice_copy": Phrase(
        "Get a copy of an invoice", "to get a copy of an invoice", "wants a copy of an invoice"
    ),
    "warranty_claim": Phrase(
        "Make a warranty claim", "to make a warranty claim", "makes a warranty claim"
    ),
    "gift_card_balance": Phrase(
        "Check a gift card", "to check a gift card", "asks for a gift card balance"
    ),
    "loyalty_points": Phrase(
        "Ask about my points", "to know about your points", "asks about loyalty points"
    ),
    "unsubscribe": Phrase("Stop your mailings", "to stop our mailings", "wants to unsubscribe"),
    "data_request": Phrase(
        "Get or delete my data",
        "to get or delete the data that we hold on you",
        "asks for their data, or for its deletion",
    ),
    "ask_question": Phrase(
        "Look in the help articles", "an answer from the help articles", "has a question"
    ),
}

OTHER = Phrase("Something else", "something done", "wants something done")


def phrase(intent: str) -> Phrase:
    return PHRASES.get(intent, OTHER)


def listed(parts: list[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"

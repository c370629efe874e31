"""What can happen to a ticket: the kinds of ``ticket_events``, and what each is called at the desk."""

from __future__ import annotations

OPENED = "opened"
CUSTOMER = "customer"  # the customer wrote
ANSWERED = "answered"  # a person wrote to the customer
CLAIMED = "claimed"
ASSIGNED = "assigned"
GIVEN_BACK = "given_back"  # to the queue, by the agent or because the agent said nothing
TRANSFERRED = "transferred"
SNOOZED = "snoozed"
WOKEN = "woken"
WIDENED = "widened"
REMINDED = "reminded"
NUDGED = "nudged"
PROMISED = "promised"
PROMISE_KEPT = "promise_kept"
PROMISE_MISSED = "promise_missed"
WARNED = "warned"
BREACHED = "breached"
RAISED = "raised"
NOTED = "noted"
TAGGED = "tagged"
MERGED = "merged"
RESOLVED = "resolved"
HANDED_BACK = "handed_back"
EXPIRED = "expired"  # closed because the customer said nothing more
RATED = "rated"
UNDELIVERED = "undelivered"

WORDS = {
    OPENED: "opened",
    CUSTOMER: "the customer wrote",
    ANSWERED: "answered",
    CLAIMED: "claimed",
    ASSIGNED: "given to",
    GIVEN_BACK: "back in the queue",
    TRANSFERRED: "passed on",
    SNOOZED: "put off",
    WOKEN: "due again",
    WIDENED: "shown to more queues",
    REMINDED: "told the customer that nothing is forgotten",
    NUDGED: "reminded that the customer waits",
    PROMISED: "promised an answer",
    PROMISE_KEPT: "answered in time, as promised",
    PROMISE_MISSED: "the promised time has passed",
    WARNED: "soon too late",
    BREACHED: "too late",
    RAISED: "made more urgent",
    NOTED: "noted",
    TAGGED: "tagged",
    MERGED: "joined with another",
    RESOLVED: "resolved",
    HANDED_BACK: "handed back to the bot",
    EXPIRED: "closed, as the customer said nothing more",
    RATED: "rated",
    UNDELIVERED: "a message did not reach the customer",
}

MARKS = {OPENED: "opened", CUSTOMER: "customer", ANSWERED: "answered"}
CLOSING = (RESOLVED, HANDED_BACK, MERGED, EXPIRED)
"""What the clocks of `bot.service.clocks` go by, besides ``closed``."""

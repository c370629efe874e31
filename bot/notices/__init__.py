"""Told in time: waiting tickets reach people outside the desk, by mail, Slack and webhook.

A notice is a row, written in the transaction that gives rise to it, so that it is neither lost nor
sent for something that did not happen. The ticker sends it afterwards, again and again if need be;
no customer ever waits for a mail server. A notice says what it is about and where to look; what
customers write stays in the store, except in the answer that goes to the customer.
"""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import Connection, Row

from bot import wording
from bot.settings import Settings
from bot.store import notices
from bot.views import iso

TITLES = {
    "ticket.waiting": "A customer waits for a person",
    "ticket.reminder": "A customer is still waiting",
    "ticket.warned": "A ticket is nearly too late",
    "ticket.breached": "A ticket is too late",
    "ticket.given_back": "A ticket is back in the queue: its agent has not answered",
    "ticket.promise_due": "A promised answer is due soon",
}
CUSTOMER_MAIL = "customer_mail"


class NotSent(Exception):
    """It could not be sent now. ``after`` is how many seconds the other side asks to wait;
    ``final`` says that trying again is of no use."""

    def __init__(self, reason: str, *, after: float | None = None, final: bool = False):
        super().__init__(reason)
        self.after = after
        self.final = final


class Sink(Protocol):
    """A place that notices go to."""

    name: str

    def send(self, notice: Row[Any]) -> None:
        """Send it, in a worker thread. Raises NotSent. The same notice may come twice, with the
        same id: whoever receives it can tell."""


class Notifier:
    """Writes the rows: one for each place that is told."""

    def __init__(self, settings: Settings, sinks: tuple[Sink, ...]):
        self._desk = f"{settings.origin}/desk"
        self._business = settings.business_name
        self._places = tuple(sink.name for sink in sinks if sink.name != CUSTOMER_MAIL)
        self.mails_customers = any(sink.name == CUSTOMER_MAIL for sink in sinks)

    def announce(self, tx: Connection, kind: str, ticket: Row[Any], now: int) -> None:
        """Tell of something that happened to a ticket (a row of `bot.store.tickets.shown`)."""
        payload = {
            "number": wording.ticket_number(ticket.id),
            "title": TITLES.get(kind, kind),
            "reason_type": ticket.reason_type,
            "priority": ticket.priority,
            "queue": ticket.queue,
            "channel": ticket.channel,
            "mood": (ticket.mood_now or ticket.mood or {}).get("label", "neutral"),
            "agent": ticket.agent_name,
            "waiting_since": iso(ticket.waiting_since),
            "due_at": iso(ticket.sla_due_at),
            "promised_for": iso(ticket.promised_for),
            "link": f"{self._desk}#{ticket.conversation_id}",
        }
        for place in self._places:
            notices.add(tx, place, kind, ticket_id=ticket.id, payload=payload, now=now)

    def mail_customer(self, tx: Connection, row: Row[Any], text: str, now: int) -> None:
        """Send an agent's words to the address that the customer left (a conversation's row)."""
        number = wording.ticket_number(row.ticket_id) if row.ticket_id else ""
        payload = {
            "to": row.contact,
            "subject": f"{self._business}: an answer to your request {number}".strip(),
            "text": wording.answer_by_mail(text, self._business),
        }
        notices.add(
            tx, CUSTOMER_MAIL, "customer.answer", ticket_id=row.ticket_id, payload=payload, now=now
        )


def in_words(notice: Row[Any]) -> list[str]:
    """The lines of a notice for people: what, about whom, since when, where to look."""
    it = notice.payload
    lines = [
        f"{it['title']}: {it['number']}, priority {it['priority']}, queue “{it['queue']}”.",
        f"Why: {it['reason_type'].replace('_', ' ')}. Mood: {it['mood']}. Channel: {it['channel']}.",
    ]
    if it.get("agent"):
        lines.append(f"With: {it['agent']}.")
    for key, words in (
        ("waiting_since", "Waiting since"),
        ("due_at", "Due"),
        ("promised_for", "Promised for"),
    ):
        if it.get(key):
            lines.append(f"{words}: {it[key][:16].replace('T', ' ')} UTC.")
    return [*lines, it["link"]]

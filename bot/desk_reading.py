"""What the desk shows: the list of tickets, one conversation, and who looks at what."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from sqlalchemy import Row

from bot.ratings import AskingRatings
from bot.store import finding, ledger, sendings, tickets
from bot.use_case import NotFound
from bot.views import desk_event, desk_ticket, first_name
from bot.views import mood as mood_view
from bot.wakeups import DESK

SHOWN_SECONDS = 1.0
CLOSED_SHOWN_MILLISECONDS = 8 * 3600 * 1000


class DeskReading(AskingRatings):
    """What agents see of tickets and of one another."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self._reading_list = threading.Lock()
        self._list: tuple[int, float, Any] | None = None

    # Looking.

    def tickets(self, agent_id: int) -> list[dict[str, Any]]:
        """Open tickets and those closed lately, as the desk shows them."""
        return list(json.loads(self.tickets_as_json(agent_id)))

    def tickets_as_json(self, agent_id: int) -> bytes:
        """`tickets` as it goes over the wire: what is the same for all pages is written once."""
        shown, looking = self._listing()
        at_it: dict[int, list[Row[Any]]] = {}
        for row in looking:
            at_it.setdefault(row.ticket_id, []).append(row)
        found = []
        for ticket_id, holder, head in shown:
            rest = b', "mine": true' if holder == agent_id else b', "mine": false'
            others = _others(at_it.get(ticket_id, []), ticket_id, agent_id)
            tail = json.dumps(others, ensure_ascii=False).encode() if others else b"[]"
            found.append(b"".join((head, rest, b', "lookers": ', tail, b"}")))
        return b"".join((b"[", b",".join(found), b"]"))

    def _listing(self) -> tuple[list[tuple[int, int | None, bytes]], list[Row[Any]]]:
        """What all desks show, read once for all pages that look after the same news. Changes of
        this gateway are seen at once, those of another after a second at the latest."""
        with self._reading_list:
            changes, read = self.changes, time.monotonic()
            kept = self._list
            if kept is not None and kept[0] == changes and read - kept[1] < SHOWN_SECONDS:
                return kept[2]
            with self.database.reading() as tx:
                now = self.database.now(tx)
                rows = tickets.for_desk(tx, now - CLOSED_SHOWN_MILLISECONDS)
                looking = tickets.lookers_at(tx, now)
            listing = ([_head(row) for row in rows], looking)
            self._list = (changes, read, listing)
            return listing

    def conversation_for_desk(
        self, conversation_id: str, agent_id: int, after_number: int = 0
    ) -> dict[str, Any]:
        """The transcript after a message number, with what was understood and felt; the latest
        ticket with its history and clocks; all notes; the customer's earlier conversations."""
        view = self.messages(conversation_id, after_number)  # type: ignore[attr-defined]
        with self.database.reading() as tx:
            now = self.database.now(tx)
            ticket = tickets.latest_of(tx, conversation_id)
            rows = ledger.transcript(tx, conversation_id, after_number)
            if ticket is None:
                raise NotFound("Nobody has asked for a person in this conversation.")
            events = tickets.events(tx, ticket.id)
            notes = finding.notes_of(tx, conversation_id)
            earlier = tickets.earlier_of(tx, ticket)
            looking = tickets.lookers_at(tx, now)
            ahead = self.look_ahead(tx, ticket.id, now)
            sent = {} if ticket.channel == "web" else sendings.states_of(tx, conversation_id)
        for shown, row in zip(view["messages"], rows, strict=False):
            shown["mood"] = mood_view(row.mood) if row.mood else None
            shown["rule"] = (row.extra or {}).get("rule") if row.author == "customer" else None
            shown["delivery"] = _delivery(sent.get(row.id))
            shown["typed"] = (row.extra or {}).get("typed")
            shown["understood"] = (
                {"intent": row.intent, "confidence": row.confidence} if row.intent else None
            )
        return {
            **view,
            "ticket": {
                **desk_ticket(ticket, agent_id),
                "lookers": _others(looking, ticket.id, agent_id),
            },
            "clocks": [_clock(it) for it in ahead.standings],
            "history": [desk_event(event) for event in events],
            "notes": [{"id": note.id, **desk_event(note)} for note in notes],
            "earlier": [desk_ticket(row, agent_id) for row in earlier],
        }

    def look(self, ticket_id: int, agent_id: int, *, writing: bool) -> None:
        """Note that an agent has a ticket open, and whether they are writing."""
        with self.database.transaction() as tx:
            if tickets.get(tx, ticket_id) is None:
                raise NotFound("There is no such ticket.")
            changed = tickets.look(
                tx, ticket_id, agent_id, writing=writing, now=self.database.now(tx)
            )
        if changed:
            self.wake(DESK)


def _head(row: Row[Any]) -> tuple[int, int | None, bytes]:
    """A ticket's id, who has it, and its JSON without what depends on who looks, and unclosed."""
    shown = desk_ticket(row, 0)
    del shown["mine"]
    return row.id, row.agent_id, json.dumps(shown, ensure_ascii=False).encode()[:-1]


STATES = {
    "queued": "on its way",
    "held": "waits",
    "unknown": "nobody knows whether it left",
    "failed": "not sent",
    "undelivered": "not delivered",
    "delivered": "delivered",
    "read": "read",
}


def _delivery(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """How a message fares that leaves through a vendor, for agents."""
    if found is None:
        return None
    words = STATES.get(found["state"], "sent")
    bad = found["state"] in ("failed", "undelivered", "unknown", "held")
    if bad and found["error"]:
        words = f"{words}: {found['error']}"
    return {"state": found["state"], "words": words, "bad": bad}


def _others(looking: list[Row[Any]], ticket_id: int, agent_id: int) -> list[dict[str, Any]]:
    return [
        {"name": first_name(row.name), "writing": row.writing}
        for row in looking
        if row.ticket_id == ticket_id and row.agent_id != agent_id
    ]


def _clock(standing: Any) -> dict[str, Any]:
    return {
        "clock": standing.clock,
        "rule": standing.rule,
        "minutes": standing.minutes,
        "started_at": standing.started_at,
        "pauses": [list(pause) for pause in standing.pauses],
        "due_at": standing.due_at,
        "stopped_at": standing.stopped_at,
        "used": round(standing.used, 1),
        "breached": standing.breached,
    }

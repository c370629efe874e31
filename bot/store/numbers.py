"""The rows that numbers are made of: the statements, each inside a caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, exists, func, select

from bot.service import history
from bot.store import questions
from bot.store.schema import agents, conversations, messages, ticket_events, tickets, turns


def waiting_now(tx: Connection) -> list[Row[Any]]:
    """Tickets that wait: queue and since when."""
    return list(
        tx.execute(
            select(tickets.c.id, tickets.c.queue, tickets.c.waiting_since, tickets.c.opened_at)
            .where(tickets.c.state == "waiting")
            .order_by(tickets.c.waiting_since)
        )
    )


def opened_between(tx: Connection, since: int, until: int) -> list[Row[Any]]:
    """Tickets opened in a period, with channel and agent's name."""
    return list(
        tx.execute(
            select(tickets, conversations.c.channel, agents.c.name.label("agent_name"))
            .join(conversations, conversations.c.id == tickets.c.conversation_id)
            .outerjoin(agents, agents.c.id == tickets.c.agent_id)
            .where(tickets.c.opened_at >= since, tickets.c.opened_at < until)
            .order_by(tickets.c.id)
        )
    )


def marks_between(tx: Connection, since: int, until: int) -> list[Row[Any]]:
    """What the clocks of the tickets opened in a period go by, in order."""
    return list(
        tx.execute(
            select(ticket_events.c.ticket_id, ticket_events.c.at, ticket_events.c.kind)
            .join(tickets, tickets.c.id == ticket_events.c.ticket_id)
            .where(
                tickets.c.opened_at >= since,
                tickets.c.opened_at < until,
                ticket_events.c.kind.in_((*history.MARKS, *history.CLOSING)),
            )
            .order_by(ticket_events.c.id)
        )
    )


def reopenings(tx: Connection, conversations_: Iterable[str]) -> list[Row[Any]]:
    """Tickets of these conversations that reopened what was resolved."""
    wanted = list(conversations_)
    found: list[Row[Any]] = []
    for start in range(0, len(wanted), 500):  # SQLite takes only so many values at once
        part = wanted[start : start + 500]
        found += tx.execute(
            select(tickets.c.conversation_id, tickets.c.opened_at).where(
                tickets.c.reason_type == "reopened", tickets.c.conversation_id.in_(part)
            )
        )
    return found


def without_ticket(tx: Connection, since: int, until: int) -> list[Row[Any]]:
    """Conversations begun in a period in which the customer wrote and nobody was handed over to:
    id, and the outcome and findings of the last turn."""
    last = (
        select(func.max(turns.c.message_id))
        .where(turns.c.conversation_id == conversations.c.id)
        .correlate(conversations)
        .scalar_subquery()
    )
    wrote = exists().where(
        messages.c.conversation_id == conversations.c.id, messages.c.author == "customer"
    )
    handed = exists().where(tickets.c.conversation_id == conversations.c.id)
    return list(
        tx.execute(
            select(
                conversations.c.id,
                conversations.c.channel,
                conversations.c.created_at,
                turns.c.outcome,
                turns.c.understood,
            )
            .outerjoin(turns, turns.c.message_id == last)
            .where(
                conversations.c.created_at >= since,
                conversations.c.created_at < until,
                conversations.c.channel != questions.STAFF,
                wrote,
                ~handed,
            )
            .order_by(conversations.c.created_at)
        )
    )

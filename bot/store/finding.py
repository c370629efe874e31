"""Finding conversations by number, address or words, and the notes kept in one."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from bot.service import history
from bot.store.schema import agents, conversations, messages, ticket_events, tickets
from bot.store.tickets import with_agent

_NUMBER = re.compile(r"\s*r-?\s*(\d{4,12})\s*", re.IGNORECASE)
FIRST_NUMBER = 1000


def find(tx: Connection, text: str, limit: int = 50) -> list[Row[Any]]:
    """The latest tickets that the text names: by number (R-1001), or by all of its words in what
    was written, in the reason or in the address left. Letter case does not count."""
    number = _NUMBER.fullmatch(text)
    if number:
        ticket_id = int(number.group(1)) - FIRST_NUMBER
        return list(tx.execute(with_agent().where(tickets.c.id == ticket_id)))
    statement = with_agent()
    words = text.split()[:8]
    if not words:
        return []
    for word in words:
        like = f"%{_escaped(word)}%"
        written = (
            select(messages.c.conversation_id)
            .where(messages.c.text.ilike(like, escape="\\"))
            .scalar_subquery()
        )
        statement = statement.where(
            or_(
                tickets.c.conversation_id.in_(written),
                tickets.c.reason.ilike(like, escape="\\"),
                conversations.c.contact.ilike(like, escape="\\"),
            )
        )
    return list(tx.execute(statement.order_by(tickets.c.id.desc()).limit(limit)))


def notes_of(tx: Connection, conversation_id: str) -> list[Row[Any]]:
    """What colleagues noted in all tickets of a conversation, in order, with their names."""
    return list(
        tx.execute(
            select(ticket_events, agents.c.name.label("agent_name"))
            .join(tickets, tickets.c.id == ticket_events.c.ticket_id)
            .outerjoin(agents, agents.c.id == ticket_events.c.agent_id)
            .where(
                tickets.c.conversation_id == conversation_id,
                ticket_events.c.kind == history.NOTED,
            )
            .order_by(ticket_events.c.id)
        )
    )


def _escaped(word: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", word)

"""Tickets and follow-ups: the work that people owe, and what is due later."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from bot.escalation import SELF_HARM
from bot.store.schema import agents, conversations, follow_ups, messages, tickets

OPEN = ("waiting", "human")


def add(tx: Connection, conversation_id: str, *, now: int, **values: Any) -> int:
    """A new waiting ticket; returns its id."""
    statement = (
        tickets.insert()
        .values(conversation_id=conversation_id, state="waiting", opened_at=now, **values)
        .returning(tickets.c.id)
    )
    return int(tx.execute(statement).scalar_one())


def get(tx: Connection, ticket_id: int) -> Row[Any] | None:
    return tx.execute(select(tickets).where(tickets.c.id == ticket_id)).one_or_none()


def by_cause(tx: Connection, cause: str) -> Row[Any] | None:
    return tx.execute(select(tickets).where(tickets.c.cause == cause)).one_or_none()


def change(tx: Connection, ticket_id: int, **values: Any) -> None:
    tx.execute(update(tickets).where(tickets.c.id == ticket_id).values(**values))


def claim(tx: Connection, ticket_id: int, agent_id: int, now: int) -> bool:
    """Whether ``agent_id`` got it: of two who claim at once, one update finds it waiting."""
    won = tx.execute(
        update(tickets)
        .where(tickets.c.id == ticket_id, tickets.c.state == "waiting")
        .values(state="human", agent_id=agent_id, claimed_at=now)
    )
    return won.rowcount == 1


def _with_agent() -> Any:
    last = (
        select(messages.c.id)
        .where(
            messages.c.conversation_id == tickets.c.conversation_id,
            messages.c.author != "system",
        )
        .order_by(messages.c.seq.desc())
        .limit(1)
        .correlate(tickets)
        .scalar_subquery()
    )
    return (
        select(
            tickets,
            agents.c.name.label("agent_name"),
            conversations.c.channel,
            conversations.c.mood.label("mood_now"),
            messages.c.author.label("last_author"),
            messages.c.text.label("last_text"),
            messages.c.created_at.label("last_at"),
        )
        .join(conversations, conversations.c.id == tickets.c.conversation_id)
        .outerjoin(agents, agents.c.id == tickets.c.agent_id)
        .outerjoin(messages, messages.c.id == last)
    )


def for_desk(tx: Connection, closed_since: int, limit: int = 200) -> list[Row[Any]]:
    """Open tickets, most urgent and longest waiting first, then those closed lately."""
    return list(
        tx.execute(
            _with_agent()
            .where(or_(tickets.c.state.in_(OPEN), tickets.c.closed_at >= closed_since))
            .order_by(
                tickets.c.closed_at.is_not(None),  # the two stores sort NULL differently
                tickets.c.closed_at.desc(),
                tickets.c.priority,
                tickets.c.reason_type != SELF_HARM,
                tickets.c.opened_at,
            )
            .limit(limit)
        )
    )


def shown(tx: Connection, ticket_id: int) -> Row[Any]:
    """One ticket as the desk shows it."""
    return tx.execute(_with_agent().where(tickets.c.id == ticket_id)).one()


def latest_of(tx: Connection, conversation_id: str) -> Row[Any] | None:
    return tx.execute(
        _with_agent()
        .where(tickets.c.conversation_id == conversation_id)
        .order_by(tickets.c.id.desc())
        .limit(1)
    ).one_or_none()


def last_closed_at(tx: Connection, conversation_id: str) -> int:
    """When a person last closed a ticket of this conversation; 0 when nobody has."""
    closed = select(tickets.c.closed_at).where(
        tickets.c.conversation_id == conversation_id, tickets.c.closed_at.is_not(None)
    )
    return tx.execute(closed.order_by(tickets.c.closed_at.desc()).limit(1)).scalar() or 0


def add_follow_up(
    tx: Connection, kind: str, conversation_id: str, *, ticket_id: int | None, due_at: int
) -> None:
    tx.execute(
        follow_ups.insert().values(
            kind=kind, conversation_id=conversation_id, ticket_id=ticket_id, due_at=due_at
        )
    )


def due_follow_ups(tx: Connection, now: int, limit: int = 50) -> list[Row[Any]]:
    return list(
        tx.execute(
            select(follow_ups)
            .where(follow_ups.c.done_at.is_(None), follow_ups.c.due_at <= now)
            .order_by(follow_ups.c.due_at)
            .limit(limit)
        )
    )


def claim_follow_up(tx: Connection, follow_up_id: int, now: int) -> bool:
    """Whether this caller does it. It is done in the same transaction, or not at all."""
    claimed = tx.execute(
        update(follow_ups)
        .where(follow_ups.c.id == follow_up_id, follow_ups.c.done_at.is_(None))
        .values(done_at=now)
    )
    return claimed.rowcount == 1

"""Tickets, the work that people owe: the statements, each inside a caller's transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, update

from bot.escalation import SELF_HARM
from bot.service import history
from bot.service.clocks import Mark
from bot.service.estimate import estimate, gaps_between, in_words
from bot.service.policy import HOUR, Service
from bot.service.routing import Waiting, ahead_of
from bot.store.schema import (
    agents,
    conversations,
    customers,
    lookers,
    messages,
    ticket_events,
    tickets,
)
from bot.store.schema import saved_replies as saved

OPEN = ("waiting", "human")
LATELY = 2 * HOUR  # whose waits say something about the wait now


def add(tx: Connection, conversation_id: str, *, now: int, **values: Any) -> int:
    """A new waiting ticket, to be looked at at once; returns its id."""
    values.setdefault("opened_at", now)
    statement = (
        tickets.insert()
        .values(
            conversation_id=conversation_id,
            state="waiting",
            waiting_since=now,
            customer_since=now,
            next_at=now,
            **values,
        )
        .returning(tickets.c.id)
    )
    ticket_id = int(tx.execute(statement).scalar_one())
    note(tx, ticket_id, history.OPENED, now)
    return ticket_id


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
        .values(
            state="human",
            agent_id=agent_id,
            claimed_at=now,
            wanted_agent_id=None,
            nudged_at=None,
            snoozed_until=None,
        )
    )
    return won.rowcount == 1


# What happened to a ticket.


def note(
    tx: Connection, ticket_id: int, kind: str, now: int, *, agent_id: int | None = None, **data: Any
) -> None:
    """Write down what happened: one of the kinds of `bot.service.history`."""
    tx.execute(
        ticket_events.insert().values(
            ticket_id=ticket_id, at=now, kind=kind, agent_id=agent_id, data=data or None
        )
    )


def events(tx: Connection, ticket_id: int) -> list[Row[Any]]:
    """All that happened, in order, with the agent's name."""
    return list(
        tx.execute(
            select(ticket_events, agents.c.name.label("agent_name"))
            .outerjoin(agents, agents.c.id == ticket_events.c.agent_id)
            .where(ticket_events.c.ticket_id == ticket_id)
            .order_by(ticket_events.c.id)
        )
    )


def marks(tx: Connection, ticket_id: int) -> list[Mark]:
    """What the clocks go by."""
    rows = tx.execute(
        select(ticket_events.c.at, ticket_events.c.kind)
        .where(
            ticket_events.c.ticket_id == ticket_id,
            ticket_events.c.kind.in_((*history.MARKS, *history.CLOSING)),
        )
        .order_by(ticket_events.c.id)
    )
    return [Mark(row.at, history.MARKS.get(row.kind, "closed")) for row in rows]


def asked_lately(tx: Connection, conversation_id: str, contact: str | None, since: int) -> bool:
    """Whether this person was asked for a rating after a moment: in this conversation, or in one
    with the same address."""
    same = conversations.c.id == conversation_id
    if contact:
        same = or_(same, conversations.c.contact == contact)
    found = (
        select(tickets.c.id)
        .join(conversations, conversations.c.id == tickets.c.conversation_id)
        .where(same, tickets.c.asked_rating_at > since)
        .limit(1)
    )
    return tx.execute(found).one_or_none() is not None


def to_look_at(tx: Connection, now: int, limit: int = 200) -> list[Row[Any]]:
    """Open tickets whose next time has come: id and conversation."""
    return list(
        tx.execute(
            select(tickets.c.id, tickets.c.conversation_id)
            .where(tickets.c.state.in_(OPEN), tickets.c.next_at <= now)
            .order_by(tickets.c.next_at)
            .limit(limit)
        )
    )


def look_again(tx: Connection, now: int) -> None:
    """Have all open tickets looked at now: the rules have changed."""
    tx.execute(update(tickets).where(tickets.c.state.in_(OPEN)).values(next_at=now))


# The queue.


def waiting(tx: Connection) -> list[Waiting]:
    """All tickets that wait and are not put off."""
    rows = tx.execute(
        select(tickets, conversations.c.language)
        .join(conversations, conversations.c.id == tickets.c.conversation_id)
        .where(tickets.c.state == "waiting")
    )
    return [
        Waiting(
            id=row.id,
            queue=row.queue,
            priority=row.priority,
            since=row.waiting_since or row.opened_at,
            also_in=tuple(row.also_in or ()),
            language=row.language,
            wanted=row.wanted_agent_id,
            first=row.reason_type == SELF_HARM,
        )
        for row in rows
    ]


def loads(tx: Connection) -> dict[int, tuple[int, int]]:
    """For each agent with an open ticket: how many, and when they got the last one."""
    rows = tx.execute(
        select(tickets.c.agent_id, func.count(), func.max(tickets.c.claimed_at))
        .where(tickets.c.state == "human", tickets.c.snoozed_until.is_(None))
        .group_by(tickets.c.agent_id)
    )
    return {agent_id: (count, last or 0) for agent_id, count, last in rows}


def claims(tx: Connection, queue: str, now: int, limit: int = 50) -> list[tuple[int, int]]:
    """Since when the tickets waited that were claimed lately, and when that was; the latest first."""
    rows = tx.execute(
        select(tickets.c.waiting_since, tickets.c.claimed_at)
        .where(
            tickets.c.queue == queue,
            tickets.c.claimed_at > now - LATELY,
            tickets.c.waiting_since.is_not(None),
            tickets.c.waiting_since <= tickets.c.claimed_at,
        )
        .order_by(tickets.c.claimed_at.desc())
        .limit(limit)
    )
    return [(since, claimed) for since, claimed in rows]


def place(tx: Connection, ticket_id: int, service: Service, now: int, agents_online: int) -> str:
    """The ticket's place in its queue and what the wait was lately, in words."""
    queue = waiting(tx)
    mine = next((it for it in queue if it.id == ticket_id), None)
    if mine is None:
        return ""
    hours, lately = service.hours(mine.queue), claims(tx, mine.queue, now)
    waits = [hours.minutes_between(since, claimed) for since, claimed in lately]
    gaps = gaps_between(lately, hours)
    found = estimate(ahead_of(ticket_id, queue), waits, agents=agents_online, gaps=gaps)
    return in_words(found)


def with_agent() -> Any:
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
            conversations.c.contact,
            conversations.c.language,
            conversations.c.address,
            conversations.c.customer_id,
            conversations.c.last_seq,
            customers.c.name.label("customer_name"),
            customers.c.email.label("customer_email"),
            customers.c.subject.label("customer_subject"),
            conversations.c.mood.label("mood_now"),
            messages.c.author.label("last_author"),
            messages.c.text.label("last_text"),
            messages.c.created_at.label("last_at"),
        )
        .join(conversations, conversations.c.id == tickets.c.conversation_id)
        .outerjoin(agents, agents.c.id == tickets.c.agent_id)
        .outerjoin(customers, customers.c.id == conversations.c.customer_id)
        .outerjoin(messages, messages.c.id == last)
    )


def for_desk(tx: Connection, closed_since: int, limit: int = 1000) -> list[Row[Any]]:
    """Open tickets, most urgent and longest waiting first, then those closed lately."""
    return list(
        tx.execute(
            with_agent()
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
    return tx.execute(with_agent().where(tickets.c.id == ticket_id)).one()


def latest_of(tx: Connection, conversation_id: str) -> Row[Any] | None:
    return tx.execute(
        with_agent()
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


def earlier_of(tx: Connection, ticket: Row[Any], limit: int = 20) -> list[Row[Any]]:
    """Other tickets of the same person, by conversation or by the address left, the latest first."""
    same = tickets.c.conversation_id == ticket.conversation_id
    if ticket.contact:
        same = or_(same, conversations.c.contact == ticket.contact)
    if ticket.customer_id:
        same = or_(same, conversations.c.customer_id == ticket.customer_id)
    elif ticket.address:
        there = (conversations.c.channel == ticket.channel) & (
            conversations.c.address == ticket.address
        )
        same = or_(same, there)
    statement = with_agent().where(same, tickets.c.id != ticket.id)
    return list(tx.execute(statement.order_by(tickets.c.id.desc()).limit(limit)))


# Who is looking at what.

LOOKING = 45_000  # an agent's page says so again every 20 seconds


def look(tx: Connection, ticket_id: int, agent_id: int, *, writing: bool, now: int) -> bool:
    """Note that an agent has a ticket open; whether colleagues see a difference by it."""
    mine = (lookers.c.agent_id == agent_id, lookers.c.ticket_id == ticket_id)
    before = tx.execute(select(lookers).where(*mine)).one_or_none()
    if before is None:
        tx.execute(
            lookers.insert().values(agent_id=agent_id, ticket_id=ticket_id, writing=writing, at=now)
        )
        tx.execute(lookers.delete().where(lookers.c.at < now - LOOKING))
        return True
    tx.execute(update(lookers).where(*mine).values(writing=writing, at=now))
    return before.writing != writing or before.at < now - LOOKING


def lookers_at(tx: Connection, now: int) -> list[Row[Any]]:
    """Who has which ticket open now: ticket_id, agent_id, name, writing."""
    return list(
        tx.execute(
            select(lookers, agents.c.name)
            .join(agents, agents.c.id == lookers.c.agent_id)
            .where(lookers.c.at > now - LOOKING)
            .order_by(agents.c.name)
        )
    )


# Saved replies.


def saved_replies(tx: Connection) -> list[Row[Any]]:
    return list(tx.execute(select(saved).order_by(saved.c.name)))


def save_reply(tx: Connection, name: str, text: str, *, agent_id: int, now: int) -> None:
    """Keep a text under a name; the same name again replaces it."""
    values = {"text": text, "changed_by": agent_id, "changed_at": now}
    changed = tx.execute(update(saved).where(saved.c.name == name).values(**values))
    if not changed.rowcount:
        tx.execute(saved.insert().values(name=name, **values))


def delete_reply(tx: Connection, reply_id: int) -> str | None:
    """The name of the reply that was deleted, or None."""
    gone = tx.execute(saved.delete().where(saved.c.id == reply_id).returning(saved.c.name))
    return gone.scalar_one_or_none()


def opened_since(tx: Connection, conversation_id: str, since: int) -> bool:
    """Whether a ticket of the conversation was opened at a moment or later."""
    statement = (
        select(tickets.c.id)
        .where(tickets.c.conversation_id == conversation_id, tickets.c.opened_at >= since)
        .limit(1)
    )
    return tx.execute(statement).scalar() is not None

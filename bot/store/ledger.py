"""Conversations, messages, turns and deliveries: the statements, each inside a caller's transaction.

No function here commits, sends or decides; the use cases do.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from bot.store.schema import agents, conversations, deliveries, messages, turns


def add_conversation(
    tx: Connection,
    conversation_id: str,
    token_hash: str,
    *,
    channel: str,
    now: int,
    language: str | None = None,
    **values: Any,
) -> None:
    tx.execute(
        conversations.insert().values(
            id=conversation_id,
            channel=channel,
            token_hash=token_hash,
            state="bot",
            language=language,
            created_at=now,
            updated_at=now,
            **values,
        )
    )


def conversation(tx: Connection, conversation_id: str) -> Row[Any] | None:
    if not conversation_id.isalnum():  # not one of ours; PostgreSQL refuses even to look for a NUL
        return None
    return tx.execute(
        select(conversations).where(conversations.c.id == conversation_id)
    ).one_or_none()


def lock_conversation(tx: Connection, conversation_id: str) -> Row[Any] | None:
    """The row, locked until the transaction ends: everything in a conversation happens in turn."""
    if not conversation_id.isalnum():
        return None
    return tx.execute(
        select(conversations).where(conversations.c.id == conversation_id).with_for_update()
    ).one_or_none()


def change_conversation(tx: Connection, conversation_id: str, now: int, **values: Any) -> None:
    tx.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id)
        .values(updated_at=now, **values)
    )


def find_message(tx: Connection, channel: str, vendor_id: str) -> Row[Any] | None:
    return tx.execute(
        select(messages).where(messages.c.channel == channel, messages.c.vendor_id == vendor_id)
    ).one_or_none()


def append_message(
    tx: Connection, conversation_id: str, author: str, text: str, *, now: int, **values: Any
) -> Row[Any]:
    """Append a message; returns its ``id`` and ``seq``.

    The counter in the conversation's row gives gap-free numbers in commit order, because its row
    stays locked until the transaction ends: a reader's cursor never steps over a late message.
    """
    seq = tx.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id)
        .values(last_seq=conversations.c.last_seq + 1, updated_at=now)
        .returning(conversations.c.last_seq, conversations.c.channel)
    ).one()
    values.setdefault("channel", seq.channel)
    return tx.execute(
        messages.insert()
        .values(
            conversation_id=conversation_id,
            seq=seq.last_seq,
            author=author,
            text=text,
            created_at=now,
            **values,
        )
        .returning(messages.c.id, messages.c.seq)
    ).one()


def say(
    tx: Connection, conversation_id: str, author: str, text: str, *, now: int, **values: Any
) -> Row[Any]:
    """Append a message to the customer and queue its delivery."""
    message = append_message(tx, conversation_id, author, text, now=now, handled_at=now, **values)
    row = tx.execute(select(messages.c.channel).where(messages.c.id == message.id)).one()
    tx.execute(
        deliveries.insert().values(
            message_id=message.id,
            conversation_id=conversation_id,
            channel=row.channel,
            state="queued",
            due_at=now,
        )
    )
    return message


def transcript(tx: Connection, conversation_id: str, after: int = 0) -> list[Row[Any]]:
    """Messages after number ``after``, in order, with the agent's name and the turn's findings."""
    return list(
        tx.execute(
            select(
                messages,
                agents.c.name.label("agent_name"),
                turns.c.intent,
                turns.c.confidence,
                turns.c.mood,
            )
            .outerjoin(agents, agents.c.id == messages.c.agent_id)
            .outerjoin(turns, turns.c.message_id == messages.c.id)
            .where(messages.c.conversation_id == conversation_id, messages.c.seq > after)
            .order_by(messages.c.seq)
        )
    )


def last_said(tx: Connection, conversation_id: str, limit: int = 3) -> list[Row[Any]]:
    """The last messages to the customer, whoever wrote them, the latest first."""
    return list(
        tx.execute(
            select(messages.c.author, messages.c.text, messages.c.extra)
            .where(messages.c.conversation_id == conversation_id, messages.c.author != "customer")
            .order_by(messages.c.seq.desc())
            .limit(limit)
        )
    )


def customer_wrote_at(tx: Connection, conversation_id: str) -> int:
    """When the customer wrote last; 0 if never."""
    last = select(messages.c.created_at).where(
        messages.c.conversation_id == conversation_id, messages.c.author == "customer"
    )
    return tx.execute(last.order_by(messages.c.seq.desc()).limit(1)).scalar() or 0


def customer_times(tx: Connection, conversation_id: str, limit: int) -> list[int]:
    """When the customer's last messages came, the latest first."""
    statement = select(messages.c.created_at).where(
        messages.c.conversation_id == conversation_id, messages.c.author == "customer"
    )
    return list(tx.execute(statement.order_by(messages.c.seq.desc()).limit(limit)).scalars())


def note_rule(tx: Connection, message_id: int, rule: str) -> None:
    """Mark a customer's message with the rule that its words set off."""
    extra = tx.execute(select(messages.c.extra).where(messages.c.id == message_id)).scalar() or {}
    tx.execute(
        update(messages).where(messages.c.id == message_id).values(extra={**extra, "rule": rule})
    )


# Leases: whoever holds one works on the conversation, alone.


LONGEST_LEASE = 600_000
"""No lease is longer: one that ends later was taken before the clock was set back."""


def _free(now: int) -> Any:
    until = conversations.c.lease_until
    return or_(until.is_(None), until <= now, until > now + LONGEST_LEASE)


def take_lease(
    tx: Connection, conversation_id: str, owner: str, *, now: int, milliseconds: int
) -> bool:
    """Whether ``owner`` now holds the lease; false while another one holds it."""
    taken = tx.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id, _free(now))
        .values(lease_owner=owner, lease_until=now + milliseconds)
    )
    return taken.rowcount == 1


def release_lease(tx: Connection, conversation_id: str, owner: str) -> None:
    tx.execute(
        update(conversations)
        .where(conversations.c.id == conversation_id, conversations.c.lease_owner == owner)
        .values(lease_owner=None, lease_until=None)
    )


def release_leases_of(tx: Connection, gateway: str) -> int:
    """Free what a former run of this gateway held when it was killed; returns how many."""
    freed = tx.execute(
        update(conversations)
        .where(conversations.c.lease_owner.startswith(f"{gateway}/", autoescape=True))
        .values(lease_owner=None, lease_until=None)
    )
    return freed.rowcount


def oldest_unhandled(tx: Connection, conversation_id: str) -> Row[Any] | None:
    return tx.execute(
        select(messages)
        .where(
            messages.c.conversation_id == conversation_id,
            messages.c.author == "customer",
            messages.c.handled_at.is_(None),
        )
        .order_by(messages.c.seq)
        .limit(1)
    ).one_or_none()


def has_unhandled(tx: Connection, conversation_id: str) -> bool:
    return oldest_unhandled(tx, conversation_id) is not None


def forgotten(tx: Connection, now: int, limit: int = 50) -> list[str]:
    """Conversations with an unanswered message that nobody works on."""
    return list(
        tx.execute(
            select(messages.c.conversation_id)
            .distinct()
            .join(conversations, conversations.c.id == messages.c.conversation_id)
            .where(messages.c.handled_at.is_(None), messages.c.author == "customer", _free(now))
            .limit(limit)
        ).scalars()
    )


def mark_handled(tx: Connection, message_id: int, now: int) -> None:
    tx.execute(update(messages).where(messages.c.id == message_id).values(handled_at=now))


# Turns: one customer message through the engine.


def begin_turn(tx: Connection, turn_id: str, message: Row[Any], now: int) -> Row[Any]:
    """The message's turn: a new one, or the one that a crash cut short, with one more attempt."""
    insert = insert_sqlite if tx.dialect.name == "sqlite" else insert_postgresql
    statement = insert(turns).values(
        id=turn_id,
        conversation_id=message.conversation_id,
        message_id=message.id,
        state="running",
        attempt=1,
        started_at=now,
    )
    return tx.execute(
        statement.on_conflict_do_update(
            index_elements=[turns.c.message_id], set_={"attempt": turns.c.attempt + 1}
        ).returning(turns.c.id, turns.c.attempt)
    ).one()


def turns_before(
    tx: Connection, conversation_id: str, message_id: int, limit: int = 200
) -> list[Row[Any]]:
    """The finished turns of earlier messages, the latest first."""
    return list(
        tx.execute(
            select(
                turns.c.message_id,
                turns.c.outcome,
                turns.c.understood,
                turns.c.citations,
                turns.c.started_at,
            )
            .where(
                turns.c.conversation_id == conversation_id,
                turns.c.message_id < message_id,
                turns.c.state == "done",
            )
            .order_by(turns.c.message_id.desc())
            .limit(limit)
        )
    )


def turns_of(tx: Connection, conversation_id: str, limit: int = 200) -> list[Row[Any]]:
    """What was understood and cited in each turn, in order."""
    return list(
        tx.execute(
            select(turns.c.understood, turns.c.citations, turns.c.outcome, turns.c.started_at)
            .where(turns.c.conversation_id == conversation_id)
            .order_by(turns.c.message_id)
            .limit(limit)
        )
    )


def seen(tx: Connection, conversation_id: str, now: int) -> None:
    """Note that the customer's page has looked."""
    tx.execute(
        update(conversations).where(conversations.c.id == conversation_id).values(seen_at=now)
    )


def standing_offer(tx: Connection, conversation_id: str, message_id: int) -> dict[str, Any] | None:
    """The offer that the service added to its answer to the customer's message before this one."""
    before = (
        select(messages.c.id)
        .where(
            messages.c.conversation_id == conversation_id,
            messages.c.author == "customer",
            messages.c.id < message_id,
        )
        .order_by(messages.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    understood = tx.execute(select(turns.c.understood).where(turns.c.message_id == before)).scalar()
    return (understood or {}).get("offer")


def turn(tx: Connection, turn_id: str) -> Row[Any] | None:
    return tx.execute(select(turns).where(turns.c.id == turn_id)).one_or_none()


def finish_turn(tx: Connection, turn_id: str, outcome: str, *, now: int, **values: Any) -> None:
    tx.execute(
        update(turns)
        .where(turns.c.id == turn_id)
        .values(state="done", outcome=outcome, finished_at=now, **values)
    )


# Deliveries: what is on its way to a customer.


BLOCKING = ("queued", "unknown")
OPEN_DELIVERIES = (*BLOCKING, "held")


def due_deliveries(
    tx: Connection, now: int, *, conversation_id: str | None = None, limit: int = 100
) -> list[Row[Any]]:
    """Due deliveries with their messages, oldest first. Where a vendor sends them, only the first of
    each conversation: the others come when it is settled, or held until another time."""
    before = deliveries.alias("before")
    earlier = (
        select(before.c.id)
        .where(
            before.c.conversation_id == deliveries.c.conversation_id,
            before.c.channel == deliveries.c.channel,
            before.c.state.in_(BLOCKING),
            before.c.id < deliveries.c.id,
        )
        .exists()
    )
    due = [
        deliveries.c.state.in_(OPEN_DELIVERIES),
        deliveries.c.due_at <= now,
        or_(deliveries.c.channel == "web", ~earlier),
    ]
    if conversation_id is not None:
        due.append(deliveries.c.conversation_id == conversation_id)
    return list(
        tx.execute(
            select(
                deliveries.c.id,
                deliveries.c.conversation_id,
                deliveries.c.channel,
                deliveries.c.state,
                deliveries.c.attempts,
                messages.c.seq,
                messages.c.author,
                messages.c.text,
                messages.c.extra,
                messages.c.created_at,
            )
            .join(messages, messages.c.id == deliveries.c.message_id)
            .where(and_(*due))
            .order_by(deliveries.c.id)
            .limit(limit)
        )
    )


def claim_delivery(
    tx: Connection, delivery_id: int, *, state: str, now: int, again_at: int
) -> bool:
    """Whether this caller may send it. Its next due time moves on, so that a crash between sending
    and noting it down shows as one more attempt and not as silence."""
    claimed = tx.execute(
        update(deliveries)
        .where(
            deliveries.c.id == delivery_id,
            deliveries.c.state == state,
            deliveries.c.due_at <= now,
        )
        .values(attempts=deliveries.c.attempts + 1, due_at=again_at)
    )
    return claimed.rowcount == 1


def note_delivery(tx: Connection, delivery_id: int, state: str, **values: Any) -> None:
    tx.execute(
        update(deliveries).where(deliveries.c.id == delivery_id).values(state=state, **values)
    )

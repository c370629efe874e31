"""What left through a vendor, message by message, and what the vendor says became of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from bot.store.schema import deliveries, sendings, vendor_states

SENDING, UNKNOWN, TAKEN, REFUSED = "sending", "unknown", "taken", "refused"


def of_delivery(tx: Connection, delivery_id: int) -> list[Row[Any]]:
    """The parts of a message that were tried, in order."""
    return list(
        tx.execute(
            select(sendings).where(sendings.c.delivery_id == delivery_id).order_by(sendings.c.part)
        )
    )


def begin(tx: Connection, *, now: int, **values: Any) -> int:
    """Write down that a message is about to be sent; whoever finds this after a crash knows that it
    may have left."""
    statement = (
        sendings.insert().values(state=SENDING, created_at=now, **values).returning(sendings.c.id)
    )
    return int(tx.execute(statement).scalar_one())


def change(tx: Connection, sending_id: int, **values: Any) -> None:
    tx.execute(update(sendings).where(sendings.c.id == sending_id).values(**values))


def forget(tx: Connection, sending_id: int) -> None:
    """It certainly did not leave."""
    tx.execute(sendings.delete().where(sendings.c.id == sending_id))


def known(tx: Connection, channel: str, vendor_ids: list[str]) -> set[str]:
    """Which of the vendor's ids belong to messages that we know to be ours."""
    return set(
        tx.execute(
            select(sendings.c.vendor_id).where(
                sendings.c.channel == channel, sendings.c.vendor_id.in_(vendor_ids)
            )
        ).scalars()
    )


def count(tx: Connection, channel: str, since: int, *, address: str = "", prefix: str = "") -> int:
    """How many messages left since a moment, to one address or to all that begin with a prefix."""
    where = [sendings.c.channel == channel, sendings.c.created_at > since]
    if address:
        where.append(sendings.c.address == address)
    if prefix:
        where.append(sendings.c.address.startswith(prefix, autoescape=True))
    return int(tx.execute(select(func.count()).select_from(sendings).where(*where)).scalar_one())


def note_state(
    tx: Connection, channel: str, vendor_id: str, *, state: str, rank: int, error: str, now: int
) -> bool:
    """What the vendor says of a message. States come in any order, and only ever go up; whether this
    one is news."""
    insert = insert_sqlite if tx.dialect.name == "sqlite" else insert_postgresql
    values = {"state": state, "rank": rank, "error": error or None, "at": now}
    statement = (
        insert(vendor_states)
        .values(channel=channel, vendor_id=vendor_id, **values)
        .on_conflict_do_update(
            index_elements=["channel", "vendor_id"],
            set_=values,
            where=vendor_states.c.rank < rank,
        )
    )
    return tx.execute(statement).rowcount == 1


def by_vendor_id(tx: Connection, channel: str, vendor_id: str) -> Row[Any] | None:
    """Our own record of a message, by the vendor's id."""
    return tx.execute(
        select(sendings).where(sendings.c.channel == channel, sendings.c.vendor_id == vendor_id)
    ).one_or_none()


def conversation_of(tx: Connection, delivery_id: int | None) -> str | None:
    """The conversation that a delivery belongs to."""
    if delivery_id is None:
        return None
    return tx.execute(
        select(deliveries.c.conversation_id).where(deliveries.c.id == delivery_id)
    ).scalar()


def states_of(tx: Connection, conversation_id: str) -> dict[int, dict[str, Any]]:
    """For each message of a conversation, by its id: how its delivery stands, and why it failed."""
    rows = tx.execute(
        select(
            deliveries.c.message_id,
            deliveries.c.state,
            deliveries.c.error,
            vendor_states.c.state.label("vendor_state"),
            vendor_states.c.rank,
            vendor_states.c.error.label("vendor_error"),
        )
        .outerjoin(sendings, sendings.c.delivery_id == deliveries.c.id)
        .outerjoin(
            vendor_states,
            (vendor_states.c.channel == sendings.c.channel)
            & (vendor_states.c.vendor_id == sendings.c.vendor_id),
        )
        .where(deliveries.c.conversation_id == conversation_id)
        .order_by(deliveries.c.id, sendings.c.part)
    )
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        state = row.vendor_state or row.state
        known = found.get(row.message_id)
        # Of several parts the one that fared worst is told.
        if known is None or (row.rank or 0) < known["rank"] or row.vendor_error:
            found[row.message_id] = {
                "state": state,
                "rank": row.rank or 0,
                "error": row.vendor_error or row.error or "",
            }
    return found

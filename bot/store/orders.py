"""Which orders were proven to be whose, and what was tried in vain: the statements."""

from __future__ import annotations

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from bot.store.schema import order_proofs, order_tries


def note_proof(tx: Connection, conversation_id: str, number: str, how: str, now: int) -> None:
    insert = insert_sqlite if tx.dialect.name == "sqlite" else insert_postgresql
    tx.execute(
        insert(order_proofs)
        .values(conversation_id=conversation_id, order_number=number, how=how, at=now)
        .on_conflict_do_update(
            index_elements=["conversation_id", "order_number", "how"], set_={"at": now}
        )
    )


def proofs(tx: Connection, conversation_id: str, since: int) -> list[tuple[str, str]]:
    """The orders that were proven since a moment, the latest first, each with how."""
    rows = tx.execute(
        select(order_proofs.c.order_number, order_proofs.c.how)
        .where(order_proofs.c.conversation_id == conversation_id, order_proofs.c.at > since)
        .order_by(order_proofs.c.at.desc(), order_proofs.c.id.desc())
    )
    return [(row.order_number, row.how) for row in rows]


def note_try(
    tx: Connection, conversation_id: str, number: str, *, detail_hash: str, now: int
) -> None:
    tx.execute(
        order_tries.insert().values(
            conversation_id=conversation_id, order_number=number, detail_hash=detail_hash, at=now
        )
    )


def tries(tx: Connection, since: int, **where: str) -> int:
    """How many were wrong since a moment, by ``conversation_id``, ``order_number``, ``detail_hash``;
    by none of them: all."""
    conditions = [order_tries.c[name] == value for name, value in where.items()]
    statement = select(func.count()).select_from(order_tries)
    return int(tx.execute(statement.where(order_tries.c.at > since, *conditions)).scalar_one())

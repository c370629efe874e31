"""Notices on their way to people outside the desk: one row for each place they go to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select, update

from bot.store.schema import notices


def add(
    tx: Connection,
    sink: str,
    kind: str,
    *,
    ticket_id: int | None,
    payload: dict[str, Any],
    now: int,
) -> None:
    """Queue a notice, in the transaction that gives rise to it."""
    tx.execute(
        notices.insert().values(
            sink=sink,
            kind=kind,
            ticket_id=ticket_id,
            payload=payload,
            state="queued",
            due_at=now,
            created_at=now,
        )
    )


def due(tx: Connection, now: int, limit: int = 50) -> list[Row[Any]]:
    """What is to be sent now, the oldest first."""
    return list(
        tx.execute(
            select(notices)
            .where(notices.c.state == "queued", notices.c.due_at <= now)
            .order_by(notices.c.due_at, notices.c.id)
            .limit(limit)
        )
    )


def claim(tx: Connection, notice_id: int, *, now: int, again_at: int) -> bool:
    """Whether this caller sends it. Its next time moves on, so that a crash between sending and
    noting it down shows as one more attempt and not as silence."""
    claimed = tx.execute(
        update(notices)
        .where(notices.c.id == notice_id, notices.c.state == "queued", notices.c.due_at <= now)
        .values(attempts=notices.c.attempts + 1, due_at=again_at)
    )
    return claimed.rowcount == 1


def note(tx: Connection, notice_id: int, **values: Any) -> None:
    tx.execute(update(notices).where(notices.c.id == notice_id).values(**values))

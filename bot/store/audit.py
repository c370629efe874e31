"""Who did what: one row for every action of a person, kept apart from what it did."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from bot.store.schema import audit


def note(
    tx: Connection,
    action: str,
    *,
    now: int,
    agent_id: int | None = None,
    subject: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """Write down an action, in the transaction that does it."""
    tx.execute(
        audit.insert().values(
            at=now, agent_id=agent_id, action=action, subject=subject[:120] or None, data=data
        )
    )

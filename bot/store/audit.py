"""Who did what: one row for every action of a person, besides what happens to tickets, which has its
own history (``ticket_events``)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, select

from bot.store.schema import agents, audit


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


def latest(tx: Connection, *, before: int | None = None, limit: int = 50) -> list[Row[Any]]:
    """The latest actions with the agent's name; ``before`` is the id of the last one seen."""
    statement = select(audit, agents.c.name.label("agent_name")).outerjoin(
        agents, agents.c.id == audit.c.agent_id
    )
    if before is not None:
        statement = statement.where(audit.c.id < before)
    return list(tx.execute(statement.order_by(audit.c.id.desc()).limit(limit)))


def count(tx: Connection, action: str, subject: str, since: int) -> int:
    """How often an action was noted for a subject since a moment."""
    return int(
        tx.execute(
            select(func.count())
            .select_from(audit)
            .where(audit.c.action == action, audit.c.subject == subject, audit.c.at > since)
        ).scalar_one()
    )

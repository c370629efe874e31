"""What came from Slack and what is to go there: rows, each statement inside a caller's transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from bot.store.schema import slack_inbox, slack_posts

NEW, DONE, FAILED = "new", "done", "failed"
QUEUED, SENT, UNKNOWN = "queued", "sent", "unknown"


def _insert(tx: Connection, table: Any) -> Any:
    return (insert_sqlite if tx.dialect.name == "sqlite" else insert_postgresql)(table)


def take_in(tx: Connection, key: str, kind: str, payload: dict[str, Any], now: int) -> bool:
    """Keep something that happened in Slack; false when it is here already."""
    statement = (
        _insert(tx, slack_inbox)
        .values(key=key, kind=kind, payload=payload, state=NEW, due_at=now, received_at=now)
        .on_conflict_do_nothing(index_elements=["key"])
    )
    return tx.execute(statement).rowcount == 1


def claim_in(tx: Connection, now: int, again_at: int, limit: int = 20) -> list[Row[Any]]:
    """What is to be dealt with now, oldest first, each for one worker."""
    rows = tx.execute(
        select(slack_inbox)
        .where(slack_inbox.c.state == NEW, slack_inbox.c.due_at <= now)
        .order_by(slack_inbox.c.id)
        .limit(limit)
    ).all()
    return [
        row
        for row in rows
        if tx.execute(
            update(slack_inbox)
            .where(
                slack_inbox.c.id == row.id,
                slack_inbox.c.state == NEW,
                slack_inbox.c.due_at <= now,
            )
            .values(attempts=slack_inbox.c.attempts + 1, due_at=again_at)
        ).rowcount
    ]


def forget_done(tx: Connection, before: int) -> None:
    """Forget what came before a moment and was dealt with."""
    tx.execute(
        slack_inbox.delete().where(slack_inbox.c.state == DONE, slack_inbox.c.received_at < before)
    )


def note_in(tx: Connection, row_id: int, **values: Any) -> None:
    tx.execute(update(slack_inbox).where(slack_inbox.c.id == row_id).values(**values))


def post(
    tx: Connection,
    key: str,
    *,
    channel: str,
    thread_ts: str,
    payload: dict[str, Any],
    now: int,
    about: dict[str, Any] | None = None,
) -> bool:
    """Queue a message, once for each key; false when it is there already. A message that was sent
    under the key is changed into this one. One of which nobody knows whether it was sent is still
    looked for first."""
    known = tx.execute(select(slack_posts).where(slack_posts.c.key == key)).one_or_none()
    if known is not None:
        if known.payload == payload:
            return False
        tx.execute(
            update(slack_posts)
            .where(slack_posts.c.id == known.id)
            .values(
                payload=payload,
                about=about,
                state=UNKNOWN if known.state == UNKNOWN else QUEUED,
                due_at=now,
            )
        )
        return True
    statement = (
        _insert(tx, slack_posts)
        .values(
            key=key,
            channel=channel,
            thread_ts=thread_ts,
            payload=payload,
            about=about,
            state=QUEUED,
            due_at=now,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["key"])
    )
    return tx.execute(statement).rowcount == 1


def posted(tx: Connection, key: str) -> Row[Any] | None:
    return tx.execute(select(slack_posts).where(slack_posts.c.key == key)).one_or_none()


def posted_all(tx: Connection, keys: list[str]) -> dict[str, Row[Any]]:
    """What was posted or is queued under these keys."""
    rows = tx.execute(select(slack_posts).where(slack_posts.c.key.in_(keys)))
    return {row.key: row for row in rows}


def by_place(tx: Connection, channel: str, ts: str) -> Row[Any] | None:
    """What we posted there, if it is ours."""
    return tx.execute(
        select(slack_posts).where(slack_posts.c.channel == channel, slack_posts.c.ts == ts)
    ).one_or_none()


def claim_posts(tx: Connection, now: int, again_at: int, limit: int = 50) -> list[Row[Any]]:
    """The first message of each channel that is due. In a thread a message waits for those before
    it, whenever they are due; cards, which stand in no thread, do not wait for each other."""
    before = slack_posts.alias("before")
    earlier = (
        select(before.c.id)
        .where(
            before.c.channel == slack_posts.c.channel,
            before.c.thread_ts == slack_posts.c.thread_ts,
            before.c.thread_ts != "",
            before.c.state.in_((QUEUED, UNKNOWN)),
            before.c.id < slack_posts.c.id,
        )
        .exists()
    )
    rows = tx.execute(
        select(slack_posts)
        .where(slack_posts.c.state.in_((QUEUED, UNKNOWN)), slack_posts.c.due_at <= now, ~earlier)
        .order_by(slack_posts.c.id)
        .limit(limit)
    ).all()
    first = {row.channel: row for row in reversed(rows)}
    return [
        row
        for row in first.values()
        if tx.execute(
            update(slack_posts)
            .where(
                slack_posts.c.id == row.id,
                slack_posts.c.state == row.state,
                slack_posts.c.due_at <= now,
            )
            .values(attempts=slack_posts.c.attempts + 1, due_at=again_at)
        ).rowcount
    ]


def note_post(tx: Connection, row_id: int, **values: Any) -> None:
    tx.execute(update(slack_posts).where(slack_posts.c.id == row_id).values(**values))


def note_sent(tx: Connection, row: Row[Any], ts: str, now: int) -> None:
    """It is there as it was when it was claimed; what has changed since is still to go."""
    mine = slack_posts.c.id == row.id
    payload = tx.execute(select(slack_posts.c.payload).where(mine)).scalar_one()
    values: dict[str, Any] = {"state": SENT, "error": None}
    if payload != row.payload:
        values = {"state": QUEUED, "due_at": now}
    tx.execute(update(slack_posts).where(mine).values(ts=ts, **values))


def thread(tx: Connection, channel: str, thread_ts: str, limit: int = 3) -> list[dict[str, Any]]:
    """What the last answers in a thread were about, oldest first."""
    rows = tx.execute(
        select(slack_posts.c.about)
        .where(
            slack_posts.c.channel == channel,
            slack_posts.c.thread_ts == thread_ts,
            slack_posts.c.about.is_not(None),
        )
        .order_by(slack_posts.c.id.desc())
        .limit(limit)
    ).scalars()
    return [about for about in reversed(list(rows)) if about and "question" in about]

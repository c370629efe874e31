"""What happens in Slack is stored before Slack is told that we have it, and dealt with afterwards.

Slack tells of one message more than once: as itself and as a mention, and again when we are slow. What
makes it the same is its place, so it has one row, whatever it came as.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from anyio import to_thread
from sqlalchemy import Row

from bot.privacy.redaction import mask
from bot.store import slack
from bot.store.database import Database

MOST_ATTEMPTS = 6
AGAIN = 30_000  # milliseconds until another worker takes up what one has begun
FIRST_PAUSE = 2_000
LOOK_SECONDS = 1.0
TIDY_SECONDS = 3600.0
KEPT = 7 * 24 * 3_600_000  # milliseconds
WRITTEN = ("text", "value", "fallback")

log = structlog.get_logger("slack")

Handle = Callable[[str, dict[str, Any], str], Awaitable[None]]


def key_of(body: dict[str, Any]) -> tuple[str, str] | None:
    """The key and the kind of a request; None for what is no business of ours."""
    if "command" in body:
        return f"command/{body.get('trigger_id') or body.get('response_url', '')}"[:200], "command"
    if body.get("type") == "view_submission":
        view = body.get("view") or {}
        return f"view/{view.get('id')}/{view.get('hash')}"[:200], "view"
    if body.get("type") == "block_actions":
        return f"action/{body.get('trigger_id')}"[:200], "action"
    event = body.get("event")
    if not isinstance(event, dict):
        return None
    if event.get("bot_id"):  # our own words, or another app's
        return None
    team, channel = body.get("team_id") or event.get("team"), event.get("channel")
    if event.get("subtype") == "message_changed":
        inner = event.get("message") or {}
        edited = (inner.get("edited") or {}).get("ts")
        if not edited:  # a preview was added; the words are the same
            return None
        return f"edit/{team}/{channel}/{inner.get('ts')}/{edited}"[:200], "event"
    if event.get("type") in ("message", "app_mention") and event.get("ts"):
        # One place: a mention comes as a message, too.
        return f"message/{team}/{channel}/{event['ts']}"[:200], "event"
    return f"event/{body.get('event_id')}"[:200], "event"


def masked(found: Any) -> Any:
    """The same, without card numbers in anything that people have written."""
    if isinstance(found, dict):
        return {
            name: mask(value) if name in WRITTEN and isinstance(value, str) else masked(value)
            for name, value in found.items()
        }
    return [masked(it) for it in found] if isinstance(found, list) else found


class Inbox:
    """Keeps what comes, and has it dealt with, once, however often it comes and whatever breaks.

    Args:
        database: the store.
        handle: deals with one: (kind, body, key). What it raises is tried again.
    """

    def __init__(self, database: Database, handle: Handle):
        self._database = database
        self._handle = handle
        self._news = asyncio.Event()

    async def take(self, body: dict[str, Any]) -> None:
        """Store a request; raises what the store raises, so that Slack sends it again."""
        found = key_of(body)
        if found is not None:
            fresh = await to_thread.run_sync(self._store, *found, masked(body))
            if fresh:
                self._news.set()

    def _store(self, key: str, kind: str, body: dict[str, Any]) -> bool:
        with self._database.transaction() as tx:
            return slack.take_in(tx, key, kind, body, self._database.now(tx))

    async def run(self) -> None:
        """Until cancelled."""
        tidied = 0.0
        while True:
            try:
                rows = await to_thread.run_sync(self._claim)
                for row in rows:
                    await self._deal_with(row)
                if rows:
                    continue
                if time.monotonic() > tidied + TIDY_SECONDS:
                    tidied = time.monotonic()
                    await to_thread.run_sync(self._tidy)
            except Exception:
                log.exception("slack.inbox_failed")
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_SECONDS)

    async def _deal_with(self, row: Row[Any]) -> None:
        try:
            await self._handle(row.kind, row.payload, row.key)
        except Exception as error:
            log.exception("slack.not_dealt_with", key=row.key, attempts=row.attempts + 1)
            await to_thread.run_sync(self._again, row, type(error).__name__)
        else:
            await to_thread.run_sync(self._done, row)

    def _claim(self) -> list[Row[Any]]:
        with self._database.transaction() as tx:
            now = self._database.now(tx)
            return slack.claim_in(tx, now, now + AGAIN)

    def _tidy(self) -> None:
        """What was dealt with is kept as long as Slack may tell of it again, and then some."""
        with self._database.transaction() as tx:
            slack.forget_done(tx, self._database.now(tx) - KEPT)

    def _done(self, row: Row[Any]) -> None:
        with self._database.transaction() as tx:
            slack.note_in(tx, row.id, state=slack.DONE, error=None)

    def _again(self, row: Row[Any], error: str) -> None:
        with self._database.transaction() as tx:
            now = self._database.now(tx)
            last = row.attempts + 1 >= MOST_ATTEMPTS
            slack.note_in(
                tx,
                row.id,
                state=slack.FAILED if last else slack.NEW,
                due_at=now + FIRST_PAUSE * 2**row.attempts,
                error=error[:200],
            )

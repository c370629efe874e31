"""What goes to Slack: queued, one message a second for each channel, and never twice."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
import structlog
from anyio import to_thread
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import Row

from bot.store import slack
from bot.store.database import Database

PACE = 1.0  # seconds between two messages in one channel
GIVE_UP = 24 * 3_600_000
AGAIN = 30_000
LOOK_SECONDS = 0.25
METADATA = "rapport"

SOMEBODY_MAY_MEND = {
    "invalid_auth", "account_inactive", "token_revoked", "token_expired", "not_authed",
    "missing_scope", "not_in_channel", "channel_not_found",
}  # fmt: skip

log = structlog.get_logger("slack")


class Poster:
    """Sends what is queued in `slack_posts`."""

    def __init__(self, database: Database, client: AsyncWebClient):
        self._database = database
        self._client = client
        self._not_before: dict[str, float] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                if await self.send_due():
                    continue
            except Exception:
                log.exception("slack.posting_failed")
            await asyncio.sleep(LOOK_SECONDS)

    async def send_due(self) -> int:
        """Send the first due message of each channel; returns how many were tried."""
        rows = await to_thread.run_sync(self._claim)
        await asyncio.gather(*(self._send(row) for row in rows))
        return len(rows)

    def _claim(self) -> list[Row[Any]]:
        with self._database.transaction() as tx:
            now = self._database.now(tx)
            return slack.claim_posts(tx, now, now + AGAIN)

    async def _send(self, row: Row[Any]) -> None:
        wait = self._not_before.get(row.channel, 0) - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        try:
            ts, same = row.ts, False
            if row.state == slack.UNKNOWN and not ts:
                ts, same = await self._find(row)
            if not same:
                ts = await self._call(row, ts)
        except SlackApiError as error:
            await self._refused(row, error)
        except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
            # It may have been posted before the connection broke.
            await self._later(row, slack.UNKNOWN, type(error).__name__)
        else:
            await self._sent(row, str(ts))
        finally:
            pause = time.monotonic() + PACE
            self._not_before[row.channel] = max(self._not_before.get(row.channel, 0), pause)

    async def _call(self, row: Row[Any], ts: str | None) -> str:
        if ts:
            changed = await self._client.chat_update(channel=row.channel, ts=ts, **row.payload)
            return str(changed["ts"])
        answer = await self._client.chat_postMessage(
            channel=row.channel,
            **({"thread_ts": row.thread_ts} if row.thread_ts else {}),
            unfurl_links=False,
            unfurl_media=False,
            metadata={
                "event_type": METADATA,
                "event_payload": {"key": row.key, "words": _fingerprint(row.payload)},
            },
            **row.payload,
        )
        return str(answer["ts"])

    async def _find(self, row: Row[Any]) -> tuple[str | None, bool]:
        """The message in its thread, or in its channel, if it is there, and whether it says what it
        is to say: it may have been changed since."""
        cursor = ""
        while True:
            where: dict[str, Any] = {"channel": row.channel, "include_all_metadata": True}
            where |= {"limit": 200} | ({"cursor": cursor} if cursor else {})
            if row.thread_ts:
                page = await self._client.conversations_replies(ts=row.thread_ts, **where)
            else:
                oldest = str(row.created_at / 1000 - 300)
                page = await self._client.conversations_history(oldest=oldest, **where)
            for message in page.get("messages") or []:
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                if payload.get("key") == row.key:
                    return str(message["ts"]), payload.get("words") == _fingerprint(row.payload)
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None, False

    async def _refused(self, row: Row[Any], error: SlackApiError) -> None:
        status = getattr(error.response, "status_code", 0)
        reason = str(error.response.get("error") or f"status {status}")
        if status == 429 or reason == "ratelimited":
            seconds = float(error.response.headers.get("Retry-After", 30))
            self._not_before[row.channel] = time.monotonic() + seconds
            await self._later(row, row.state, "Slack asks to wait", after=seconds)
        elif status >= 500 or reason in ("internal_error", "fatal_error", "request_timeout"):
            await self._later(row, slack.UNKNOWN, reason)
        elif reason in SOMEBODY_MAY_MEND:
            log.error("slack.refused", reason=reason, channel=row.channel)
            await self._later(row, row.state, reason, after=60)
        else:
            log.error("slack.given_up", reason=reason, key=row.key)
            await self._note(row, state=slack.FAILED, error=reason[:200])

    async def _later(self, row: Row[Any], state: str, error: str, *, after: float = 0) -> None:
        def note() -> None:
            with self._database.transaction() as tx:
                now = self._database.now(tx)
                pause = int(1000 * after) or min(2000 * 2 ** min(row.attempts, 10), 600_000)
                over = now - row.created_at > GIVE_UP
                slack.note_post(
                    tx,
                    row.id,
                    state=slack.FAILED if over else state,
                    due_at=now + pause,
                    error=error[:200],
                )

        await to_thread.run_sync(note)

    async def _sent(self, row: Row[Any], ts: str) -> None:
        def note() -> None:
            with self._database.transaction() as tx:
                slack.note_sent(tx, row, ts, self._database.now(tx))

        await to_thread.run_sync(note)

    async def _note(self, row: Row[Any], **values: Any) -> None:
        def note() -> None:
            with self._database.transaction() as tx:
                slack.note_post(tx, row.id, **values)

        await to_thread.run_sync(note)


def _fingerprint(payload: Mapping[str, Any]) -> str:
    """Tells one wording of a message from another."""
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()[:16]

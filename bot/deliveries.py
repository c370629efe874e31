"""The courier: queued deliveries leave through their channel, after the commit that queued them.

On channels with a vendor behind them the messages of a conversation leave one after the other: one
that waits to be sent again, or of which nobody knows whether it left, holds back those behind it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from anyio import to_thread
from sqlalchemy import Row

from bot.service import history
from bot.store import ledger, tickets
from bot.store.database import Database
from bot.wakeups import DESK, Wakeups
from channels.contract import Channel, DeliveryFailed, DeliveryUnknown, Note, Outbound

GIVE_UP = 24 * 3_600_000  # milliseconds after which a message is not tried again
FIRST_PAUSE = 5_000
LONGEST_PAUSE = 600_000
AT_A_TIME = 8  # conversations; a vendor that is slow for one must not hold up the others

log = structlog.get_logger("deliveries")


class Courier:
    """Sends what is queued; each delivery is claimed by one courier at a time."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        wakeups: Wakeups | None = None,
        seconds: float = 1.0,
    ):
        self._database = database
        self._channels = channels
        self._wakeups = wakeups
        self._seconds = seconds
        self._room = asyncio.Semaphore(AT_A_TIME)

    async def run(self) -> None:
        """Until cancelled: what is left over, due again, or unknown."""
        while True:
            try:
                await self.deliver()
            except Exception:
                # A store that is away for a while must not end it.
                log.exception("delivery.round_failed")
            await asyncio.sleep(self._seconds)

    async def deliver(self, conversation_id: str | None = None) -> int:
        """Send due deliveries of one conversation, or of all; returns how many were tried."""
        tried = 0
        while claimed := await to_thread.run_sync(self._claim, conversation_id):
            tried += len(claimed)
            of: dict[str, list[Row[Any]]] = defaultdict(list)
            for row in claimed:
                of[row.conversation_id].append(row)
            await asyncio.gather(*(self._send_all(rows) for rows in of.values()))
        return tried

    def _claim(self, conversation_id: str | None) -> list[Row[Any]]:
        with self._database.reading() as tx:
            now = self._database.now(tx)
            if not ledger.due_deliveries(tx, now, conversation_id=conversation_id, limit=1):
                return []
        with self._database.transaction() as tx:
            now = self._database.now(tx)
            return [
                row
                for row in ledger.due_deliveries(tx, now, conversation_id=conversation_id)
                if ledger.claim_delivery(
                    tx, row.id, state=row.state, now=now, again_at=now + _pause(row.attempts + 1)
                )
            ]

    async def _send_all(self, rows: Sequence[Row[Any]]) -> None:
        async with self._room:
            for row in rows:
                await self._send(row)

    async def _send(self, row: Row[Any]) -> None:
        outbound = Outbound(
            delivery_id=row.id,
            conversation_id=row.conversation_id,
            message_id=row.seq,
            text=row.text,
            author=row.author,
            queued_at=row.created_at,
            extra=row.extra or {},
        )
        channel = self._channels.get(row.channel)
        if channel is None:
            log.error("delivery.no_channel", delivery_id=row.id, channel=row.channel)
            await to_thread.run_sync(self._give_up, row, "this channel is not set up")
            return
        try:
            if row.state == "unknown" and await channel.taken(outbound):
                await to_thread.run_sync(self._sent, row, None)
                return
            note = await channel.send(outbound)
        except DeliveryUnknown as error:
            log.warning("delivery.unknown", delivery_id=row.id, reason=str(error))
            await to_thread.run_sync(self._note, row, "unknown", str(error))
        except DeliveryFailed as error:
            await to_thread.run_sync(self._failed, row, error)
        except Exception as error:
            # Nobody knows how far it came.
            log.exception("delivery.broke", delivery_id=row.id)
            await to_thread.run_sync(self._note, row, "unknown", type(error).__name__)
        else:
            await to_thread.run_sync(self._sent, row, note)

    def _sent(self, row: Row[Any], note: Note | None) -> None:
        with self._database.transaction() as tx:
            if note is not None:
                note(tx)
            ledger.note_delivery(tx, row.id, "sent", error=None, sent_at=self._database.now(tx))

    def _failed(self, row: Row[Any], error: DeliveryFailed) -> None:
        log.warning(
            "delivery.failed", delivery_id=row.id, attempts=row.attempts + 1, reason=str(error)
        )
        with self._database.reading() as tx:
            now = self._database.now(tx)
        if error.final or (not error.until and now - row.created_at > GIVE_UP):
            self._give_up(row, str(error), matters=error.matters)
            return
        if error.until:
            self._note(row, "held", str(error), due_at=error.until)
            return
        after = int(error.after * 1000) or _pause(row.attempts + 1)
        self._note(row, "queued", str(error), due_at=now + after)

    def _note(self, row: Row[Any], state: str, error: str, **values: Any) -> None:
        with self._database.transaction() as tx:
            ledger.note_delivery(tx, row.id, state, error=error[:200] or None, **values)

    def _give_up(self, row: Row[Any], reason: str, *, matters: bool = True) -> None:
        """It will never arrive: if it matters, whoever has the conversation is told."""
        with self._database.transaction() as tx:
            ledger.note_delivery(tx, row.id, "failed", error=reason[:200])
            conversation = ledger.conversation(tx, row.conversation_id)
            if matters and conversation is not None and conversation.ticket_id:
                now = self._database.now(tx)
                tickets.note(
                    tx, conversation.ticket_id, history.UNDELIVERED, now, reason=reason[:200]
                )
                ledger.change_conversation(tx, row.conversation_id, now)
        if self._wakeups is not None:
            self._wakeups.wake(row.conversation_id, DESK)


def _pause(attempts: int) -> int:
    """Milliseconds until the next attempt: 5 s, doubling, at most ten minutes."""
    return int(min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE))

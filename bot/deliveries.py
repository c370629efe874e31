"""The courier: queued deliveries leave through their channel, after the commit that queued them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from anyio import to_thread
from sqlalchemy import Row

from bot.store import ledger
from bot.store.database import Database
from channels.contract import Channel, DeliveryFailed, DeliveryUnknown, Outbound

MOST_ATTEMPTS = 8
FIRST_PAUSE_MILLISECONDS = 5_000

log = structlog.get_logger("deliveries")


class Courier:
    """Sends what is queued; each delivery is claimed by one courier at a time."""

    def __init__(self, database: Database, channels: Mapping[str, Channel]):
        self._database = database
        self._channels = channels

    async def deliver(self, conversation_id: str | None = None) -> int:
        """Send due deliveries of one conversation, or of all; returns how many were tried."""
        claimed = await to_thread.run_sync(self._claim, conversation_id)
        for row in claimed:
            await self._send(row)
        return len(claimed)

    def _claim(self, conversation_id: str | None) -> list[Row[Any]]:
        with self._database.transaction() as tx:
            now = self._database.now(tx)
            return [
                row
                for row in ledger.queued_deliveries(tx, now, conversation_id=conversation_id)
                if ledger.claim_delivery(
                    tx, row.id, now=now, again_at=now + _pause(row.attempts + 1)
                )
            ]

    async def _send(self, row: Row[Any]) -> None:
        outbound = Outbound(
            delivery_id=row.id,
            conversation_id=row.conversation_id,
            message_id=row.seq,
            text=row.text,
            extra=row.extra or {},
        )
        channel = self._channels.get(row.channel)
        if channel is None:
            log.error("delivery.no_channel", delivery_id=row.id, channel=row.channel)
            await to_thread.run_sync(self._note, row.id, "failed", "no such channel")
            return
        try:
            await channel.send(outbound)
        except DeliveryUnknown as error:
            await to_thread.run_sync(self._note, row.id, "unknown", str(error))
        except DeliveryFailed as error:
            last = row.attempts + 1 >= MOST_ATTEMPTS
            log.warning("delivery.failed", delivery_id=row.id, attempts=row.attempts + 1)
            await to_thread.run_sync(self._note, row.id, "failed" if last else "queued", str(error))
        else:
            await to_thread.run_sync(self._note, row.id, "sent", None)

    def _note(self, delivery_id: int, state: str, error: str | None) -> None:
        with self._database.transaction() as tx:
            values: dict[str, Any] = {"error": error[:200] if error else None}
            if state == "sent":
                values["sent_at"] = self._database.now(tx)
            ledger.note_delivery(tx, delivery_id, state, **values)


def _pause(attempts: int) -> int:
    """Milliseconds until the next attempt: 5 s, doubling, at most an hour."""
    return int(min(FIRST_PAUSE_MILLISECONDS * 2 ** (attempts - 1), 3_600_000))

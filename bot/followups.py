"""The one ticker: takes up what was left, sends what is queued, does what is due."""

from __future__ import annotations

import asyncio

import structlog
from anyio import to_thread

from bot import wording
from bot.deliveries import Courier
from bot.store import ledger, tickets
from bot.support import Support
from bot.turns import Turns
from bot.wakeups import DESK

log = structlog.get_logger("followups")


class Ticker:
    """Runs until cancelled. Everything it does is claimed by a row, so two tickers do no harm."""

    def __init__(self, support: Support, turns: Turns, courier: Courier, seconds: float = 1.0):
        self._support = support
        self._turns = turns
        self._courier = courier
        self._seconds = seconds

    async def run(self) -> None:
        while True:
            for step in (self._turns.resume, self._courier.deliver, self._follow_up):
                try:
                    await step()
                except Exception:
                    # A store that is away for a while must not end the ticker.
                    log.exception("ticker.step_failed", step=step.__name__)
            await asyncio.sleep(self._seconds)

    async def _follow_up(self) -> None:
        await to_thread.run_sync(self.do_due)

    def do_due(self) -> int:
        """Do the follow-ups that are due; returns how many."""
        database = self._support.database
        with database.reading() as tx:
            due = tickets.due_follow_ups(tx, database.now(tx))
        for row in due:
            with database.transaction() as tx:
                ledger.lock_conversation(tx, row.conversation_id)
                now = database.now(tx)
                if not tickets.claim_follow_up(tx, row.id, now):
                    continue
                if row.kind == "waiting_reminder":
                    self._remind(tx, row, now)
                else:
                    log.error("follow_up.unknown_kind", kind=row.kind, follow_up_id=row.id)
            self._support.wake(row.conversation_id, DESK)
        return len(due)

    def _remind(self, tx, row, now: int) -> None:  # type: ignore[no-untyped-def]
        """Tell a customer who still waits so; and again after twice the time, up to a day."""
        ticket = tickets.get(tx, row.ticket_id)
        if ticket is None or ticket.state != "waiting":
            return
        number = wording.ticket_number(ticket.id)
        ledger.say(tx, row.conversation_id, "system", wording.still_waiting(number), now=now)
        pause = 2 * max(now - ticket.opened_at, 1_000)
        if pause <= 24 * 3600 * 1000:
            tickets.add_follow_up(
                tx,
                "waiting_reminder",
                row.conversation_id,
                ticket_id=ticket.id,
                due_at=ticket.opened_at + pause,
            )

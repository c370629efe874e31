"""The one ticker: takes up what was left, does what is due."""

from __future__ import annotations

import asyncio

import structlog
from anyio import to_thread

from bot.policies import Policies
from bot.support import Support
from bot.turns import Turns

log = structlog.get_logger("followups")


class Ticker:
    """Runs until cancelled. Everything it does is claimed by a row, so two tickers do no harm."""

    def __init__(
        self,
        support: Support,
        turns: Turns,
        policies: Policies,
        seconds: float = 1.0,
    ):
        self._support = support
        self._policies = policies
        self._steps = (self._refresh, turns.resume, self._watch)
        self._seconds = seconds

    async def run(self) -> None:
        while True:
            for step in self._steps:
                try:
                    await step()
                except Exception:
                    # A store that is away for a while must not end the ticker.
                    log.exception("ticker.step_failed", step=step.__name__)
            await asyncio.sleep(self._seconds)

    async def _refresh(self) -> None:
        await to_thread.run_sync(self._policies.refresh)

    async def _watch(self) -> None:
        await to_thread.run_sync(self._support.watch)

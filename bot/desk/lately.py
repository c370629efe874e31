"""What the editors' pages show of the store, gathered in the background and kept for a while."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace

import structlog
from anyio import to_thread

from bot.editing import Editing, Nearest, Record
from bot.store.questions import Asked
from knowledge_base.gaps import Gap

log = structlog.get_logger("desk.lately")

KEPT_SECONDS = 60.0
SHARE = 20
"""What took long is kept long: gathering takes at most one part in so many of the time."""

SHOWN_GAPS = 10


@dataclass(frozen=True)
class Findings:
    """The record with what follows from it. `nearest` is there for the first SHOWN_GAPS gaps."""

    record: Record
    gaps: list[Gap]
    nearest: dict[str, Nearest | None]
    near: dict[str, list[tuple[Asked, float]]]


class Lately:
    """Gathers once for all who look. For one event loop, like everything at the desk."""

    def __init__(self, editing: Editing):
        self._editing = editing
        self._current: Findings | None = None
        self._good_until = 0.0
        self._gathering: asyncio.Task[None] | None = None
        self._changes = 0

    async def findings(self, patience: float = 5.0) -> Findings | None:
        """The latest; None when the first gathering takes longer than ``patience`` seconds."""
        if time.monotonic() >= self._good_until:
            if self._gathering is None or self._gathering.done():
                self._gathering = asyncio.create_task(self._gather())
            # It goes on when nobody waits for it any more; the next look finds what it found.
            await asyncio.wait([self._gathering], timeout=patience)
        return self._current

    def without(self, gap_id: str) -> None:
        """Leave out a gap that was closed just now."""
        if self._current is not None:
            left = [gap for gap in self._current.gaps if gap.id != gap_id]
            self._current = replace(self._current, gaps=left)
        self.forget()

    def forget(self) -> None:
        """Gather anew at the next look."""
        self._good_until = 0.0
        self._changes += 1

    async def _gather(self) -> None:
        while True:
            began, changes = time.monotonic(), self._changes
            try:
                found = await to_thread.run_sync(self._look, abandon_on_cancel=True)
            except Exception:
                log.exception("desk.gathering_failed")
                return
            if changes == self._changes:  # else something was closed while we looked
                break
        self._current = found
        now = time.monotonic()
        self._good_until = now + max(KEPT_SECONDS, SHARE * (now - began))

    def _look(self) -> Findings:
        record = self._editing.record()
        gaps = self._editing.gaps(record)
        return Findings(
            record,
            gaps,
            {gap.id: self._editing.nearest(gap) for gap in gaps[:SHOWN_GAPS]},
            self._editing.came_near(record),
        )

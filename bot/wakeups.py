"""Who waits for news of what. A wake-up only says "look now": everything that counts is a row."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress

DESK = "desk"


class Wakeups:
    """Wakes everyone who waits for a key; may be called from any thread."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell which loop the waiters run on; until then wake-ups go nowhere."""
        self._loop = loop

    def wake(self, *keys: str) -> None:
        """Wake whoever waits for one of the keys."""
        if self._loop is None or self._loop.is_closed():
            return
        with suppress(RuntimeError):  # the loop closed between the two lines
            self._loop.call_soon_threadsafe(self._wake, keys)

    async def wait(self, key: str, timeout: float) -> bool:
        """Wait for news of ``key``, at most ``timeout`` seconds; whether there was any."""
        with self.listener(key) as news:
            return await news.wait(timeout)

    def listener(self, key: str) -> Listener:
        """For a loop that must not miss a wake-up between two waits."""
        return Listener(self._waiting, key)

    def _wake(self, keys: tuple[str, ...]) -> None:
        for key in keys:
            for event in self._waiting.get(key, ()):
                event.set()


class Listener:
    """Collects wake-ups of one key from ``with`` to its end."""

    def __init__(self, waiting: dict[str, set[asyncio.Event]], key: str):
        self._waiting, self._key, self._event = waiting, key, asyncio.Event()

    def __enter__(self) -> Listener:
        self._waiting[self._key].add(self._event)
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting[self._key].discard(self._event)
        if not self._waiting[self._key]:
            del self._waiting[self._key]

    async def wait(self, timeout: float) -> bool:
        """Whether there was news since the last call; waits for it at most ``timeout`` seconds."""
        try:
            await asyncio.wait_for(self._event.wait(), timeout)
        except TimeoutError:
            return False
        self._event.clear()
        return True

"""Writers of one process in a line, for a store that has room for one writer at a time.

SQLite's own way of waiting is to sleep and to look again, ever longer: of many writers some wait for
seconds while the lock is free. Here each is woken when it is its turn.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST_WAIT = 30.0  # seconds


class Line:
    """One at a time, first come first served; who is ``ahead`` goes before those who are not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy = False
        self._waiting: list[tuple[bool, int, threading.Event]] = []
        self._number = itertools.count()

    @contextmanager
    def turn(self, *, ahead: bool = False, seconds: float = LONGEST_WAIT) -> Iterator[None]:
        """Inside, nobody else is. Raises TimeoutError when it takes too long to get there."""
        self._enter(ahead, seconds)
        try:
            yield
        finally:
            self._leave()

    def _enter(self, ahead: bool, seconds: float) -> None:
        with self._lock:
            if not self._busy:
                self._busy = True
                return
            mine = threading.Event()
            heapq.heappush(self._waiting, (not ahead, next(self._number), mine))
        if mine.wait(seconds):
            return
        with self._lock:
            if mine.is_set():  # between the end of the wait and here
                return
            self._waiting = [it for it in self._waiting if it[2] is not mine]
            heapq.heapify(self._waiting)
        raise TimeoutError(f"no turn to write within {seconds:.0f} s")

    def _leave(self) -> None:
        with self._lock:
            if self._waiting:
                heapq.heappop(self._waiting)[2].set()  # it stays busy: with whoever is next
            else:
                self._busy = False

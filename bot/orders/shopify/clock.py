"""How long a call may still take."""

from __future__ import annotations

import time


class Deadline:
    """The end of a call's time, however many requests it makes."""

    def __init__(self, seconds: float):
        self.end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds; never below 0."""
        return max(0.0, self.end - time.monotonic())

"""What goes wrong on the way to Slack and back, when a test wants it to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from bot.simulate.slackd.workspace import Workspace

ANY = "*"


@dataclass
class Fault:
    """One thing that goes wrong, for the next ``left`` calls of a method."""

    kind: str
    method: str
    left: int
    status: int = 200
    error: str = ""
    seconds: float = 0.0


class Faults:
    """A queue of faults: of those for a method, the first is used up before the next. Two things
    that are no methods have names too: "response_url", and "link" for the web socket."""

    workspace: Workspace
    run: Callable[[Coroutine[Any, Any, Any]], Future[Any]]

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._guard = threading.Lock()

    def fail(
        self,
        method: str = ANY,
        *,
        status: int = 200,
        error: str = "internal_error",
        times: int = 1,
    ) -> None:
        """Answered with this status, or with 200 and this word; nothing else happens. A status of
        500 and more has no JSON in its body, as when something in front of Slack answers."""
        self._add(Fault("fail", method, times, status, error))

    def reset_before(self, method: str = ANY, *, times: int = 1) -> None:
        """The connection is cut, and nothing happened."""
        self._add(Fault("reset_before", method, times))

    def reset_after(self, method: str = ANY, *, times: int = 1) -> None:
        """It happened, and the connection is cut without an answer."""
        self._add(Fault("reset_after", method, times))

    def slow(self, seconds: float, method: str = ANY, *, times: int = 1) -> None:
        """It happens and is answered, but late: whoever stopped waiting is not told of it."""
        self._add(Fault("slow", method, times, seconds=seconds))

    def ratelimited(self, seconds: int, method: str = ANY, *, times: int = 1) -> None:
        """Status 429, with a Retry-After of so many seconds."""
        self._add(Fault("ratelimited", method, times, seconds=seconds))

    def forget_faults(self) -> None:
        with self._guard:
            self._faults.clear()

    def revoke(self) -> None:
        """Somebody removed the app: no token is taken from now on."""
        self.workspace.revoked = True

    def restore(self) -> None:
        self.workspace.revoked = False

    def down(self, seconds: float) -> None:
        """Slack is away: connections are cut and refused, and nothing is delivered."""
        self.run(self._go_down()).result(5)
        self.run(self._come_back(seconds))

    async def _come_back(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._go_up()

    async def _go_down(self) -> None:
        raise NotImplementedError

    async def _go_up(self) -> None:
        raise NotImplementedError

    def _add(self, fault: Fault) -> None:
        with self._guard:
            self._faults.append(fault)

    def take_fault(self, method: str, *, only: bool = False) -> Fault | None:
        """``only`` what is meant for exactly this, and not for any method."""
        with self._guard:
            for fault in self._faults:
                if fault.method == method or (fault.method == ANY and not only):
                    fault.left -= 1
                    if fault.left <= 0:
                        self._faults.remove(fault)
                    return fault
        return None

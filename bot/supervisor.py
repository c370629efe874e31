"""Keeps child processes running: starts them, restarts them with back-off, ends them all.

It knows nothing of what the children do; `bot.launch` says which there are.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
LAST_LINES = 6  # of a child's output, shown when it ends soon after its start


@dataclass(frozen=True)
class Pace:
    """Times in seconds; the tests use shorter ones."""

    first_pause: float = 0.5
    longest_pause: float = 15.0
    steady: float = 60.0  # up for so long, a child's earlier failures are forgotten
    patience: float = 10.0  # from SIGTERM to SIGKILL
    tick: float = 0.1


@dataclass
class Child:
    """One process to keep running. `log` gets each line that it writes, as `keep` leaves it."""

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    log: Callable[[str], None] = lambda line: None
    keep: Callable[[str], str | None] = str

    process: subprocess.Popen[str] | None = field(default=None, init=False)
    started: float = field(default=0.0, init=False)
    failures: int = field(default=0, init=False)
    start_at: float = field(default=0.0, init=False)
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES), init=False)


class Supervisor:
    """Runs the children, in their order, until `stop` or SIGINT or SIGTERM."""

    def __init__(
        self,
        children: Sequence[Child],
        say: Callable[[str], None] = print,
        pace: Pace | None = None,
    ) -> None:
        self.children = list(children)
        self._say = say
        self._pace = pace or Pace()
        self._stopping = threading.Event()
        self._impatient = False

    def stop(self, *_: object) -> None:
        """End everything; called again, without waiting any longer. Also the signal handler."""
        self._impatient = self._stopping.is_set()
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def run(self) -> None:
        """Keep the children running; returns when all have ended after `stop`.

        On the main thread it takes SIGINT and SIGTERM. Children start on the calling thread and
        die with it: that is how Linux reads PR_SET_PDEATHSIG.
        """
        before = self._take_signals()
        try:
            while not self._stopping.is_set():
                for child in self.children:
                    self._look_after(child)
                self._stopping.wait(self._pace.tick)
        finally:
            # Last first: the gateway finishes its turns while the engine is still there.
            for child in reversed(self.children):
                self._end(child)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _take_signals(self) -> dict[signal.Signals, Any]:
        if threading.current_thread() is not threading.main_thread():
            return {}
        return {s: signal.signal(s, self.stop) for s in (signal.SIGINT, signal.SIGTERM)}

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_at:
                self._start(child)
            return
        if child.failures and now - child.started > self._pace.steady:
            child.failures = 0
        if child.process.poll() is None:
            return
        pause = min(self._pace.first_pause * 2**child.failures, self._pace.longest_pause)
        lived = now - child.started
        self._say(
            f"{child.name} ended ({_how(child.process.returncode)}) after {lived:.0f} s; "
            f"starting it again in {pause:g} s"
        )
        if lived < self._pace.steady:
            for line in child.last_lines:
                self._say(f"    {line}")
        child.failures += 1
        child.start_at = now + pause
        _signal_group(child.process, signal.SIGKILL)  # whatever it left behind
        child.process = None

    def _start(self, child: Child) -> None:
        child.started = time.monotonic()
        child.last_lines.clear()
        try:
            child.process = subprocess.Popen(
                [str(part) for part in child.command],
                env=None if child.env is None else dict(child.env),
                cwd=child.cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                umask=0o077,
                # A session of its own: Ctrl-C reaches only us, and we end the children in order.
                start_new_session=True,
                preexec_fn=_die_with_parent(os.getpid()),
            )
        except OSError as error:
            child.failures += 1
            child.start_at = child.started + self._pace.longest_pause
            self._say(f"{child.name} cannot be started: {error}")
            return
        self._say(f"{child.name} started (process {child.process.pid})")
        threading.Thread(target=_pump, args=(child, child.process), daemon=True).start()

    def _end(self, child: Child) -> None:
        process, child.process = child.process, None
        if process is None:
            return
        if process.poll() is None:
            _signal_group(process, signal.SIGTERM)
            deadline = time.monotonic() + self._pace.patience
            while process.poll() is None and time.monotonic() < deadline and not self._impatient:
                time.sleep(self._pace.tick / 2)
        forced = process.poll() is None
        _signal_group(process, signal.SIGKILL)
        process.wait()
        self._say(f"{child.name} stopped" + (" (it had to be killed)" if forced else ""))


def _die_with_parent(parent: int) -> Callable[[], None] | None:
    """What a child does before it becomes its program: ask the kernel to end it with us."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up here: little is safe after a fork

    def arrange() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # we ended in between
            os._exit(1)

    return arrange


def _pump(child: Child, process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if kept := child.keep(line.rstrip("\n")):
            child.log(kept)
            if process is child.process:
                child.last_lines.append(kept[:200])


def _signal_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Signal a child and all that it started; its group outlives it while any of them does."""
    with suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a group of zombies
        os.killpg(process.pid, number)


def _how(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"

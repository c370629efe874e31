"""Real child processes, tiny ones: kept running, ended cleanly, never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bot.child_logs import log_file, skeleton
from bot.supervisor import Child, Pace, Supervisor

ROOT = Path(__file__).resolve().parent.parent.parent
QUICK = Pace(first_pause=0.05, longest_pause=0.2, steady=5, patience=0.5, tick=0.01)
SLEEP = "import time; time.sleep(60)"


class Running:
    """A supervisor in a thread, with what it said and what its children wrote."""

    def __init__(self, *scripts: str, pace: Pace = QUICK):
        self.said: list[str] = []
        self.lines: list[str] = []
        children = [
            Child(f"child{number}", [sys.executable, "-c", script], log=self.lines.append)
            for number, script in enumerate(scripts)
        ]
        self.supervisor = Supervisor(children, self.said.append, pace)
        self.thread = threading.Thread(target=self.supervisor.run)
        self.thread.start()

    def stop(self) -> None:
        self.supervisor.stop()
        self.thread.join(10)
        assert not self.thread.is_alive()

    def count(self, words: str) -> int:
        return sum(words in line for line in self.said)


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def make(*scripts: str, pace: Pace = QUICK) -> Running:
        running.append(Running(*scripts, pace=pace))
        return running[-1]

    yield make
    for one in running:
        one.stop()


def until(true: Callable[[], object], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_child_that_ends_is_started_again_with_growing_pauses(
    start: Callable[..., Running],
) -> None:
    running = start("print('hello'); raise SystemExit(3)")
    until(lambda: running.count("child0 started") >= 4)
    pauses = [line.rsplit(" ", 2)[1] for line in running.said if "ended" in line]
    assert pauses[:3] == ["0.05", "0.1", "0.2"]
    assert running.count("exit status 3") >= 3
    assert "hello" in running.lines
    assert running.count("    hello") >= 1  # the last lines of a child that did not live long


def test_the_pause_grows_no_further_than_the_longest(start: Callable[..., Running]) -> None:
    running = start("raise SystemExit(1)", pace=Pace(0.01, 0.02, 5, 0.5, 0.005))
    until(lambda: running.count("ended") >= 4)
    assert "in 0.02 s" in [line for line in running.said if "ended" in line][-1]


def test_earlier_failures_are_forgotten_after_a_steady_while(start: Callable[..., Running]) -> None:
    script = "import time; time.sleep(0.3)"
    running = start(script, pace=Pace(0.01, 5, steady=0.1, patience=0.5, tick=0.01))
    until(lambda: running.count("ended") >= 3)
    assert running.count("in 0.01 s") >= 3


def test_children_stop_on_sigterm_the_last_first(start: Callable[..., Running]) -> None:
    tidy = textwrap.dedent("""
        import signal, sys, time
        def end(*_):
            print("tidied", flush=True)
            sys.exit(0)
        signal.signal(signal.SIGTERM, end)
        print("up", flush=True)
        time.sleep(60)
    """)
    running = start(tidy, tidy)
    until(lambda: running.lines.count("up") == 2)
    running.stop()
    assert running.said[-2:] == ["child1 stopped", "child0 stopped"]
    until(lambda: running.lines.count("tidied") == 2)


def test_a_child_that_does_not_stop_is_killed(start: Callable[..., Running]) -> None:
    running = start(
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True);"
        + SLEEP
    )
    until(lambda: "up" in running.lines)
    running.stop()
    assert running.said[-1] == "child0 stopped (it had to be killed)"


def test_what_a_child_started_ends_with_it(start: Callable[..., Running]) -> None:
    running = start(
        "import subprocess, sys, time;"
        f"p = subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); print(p.pid, flush=True);"
        + SLEEP
    )
    until(lambda: running.lines)
    grandchild = int(running.lines[0])
    assert alive(grandchild)
    running.stop()
    until(lambda: not alive(grandchild))


def test_a_command_that_does_not_exist_is_said_and_tried_again_later(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    said: list[str] = []
    supervisor = Supervisor([Child("ghost", [tmp_path / "nothing"])], said.append, QUICK)
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    until(lambda: len(said) >= 2)
    supervisor.stop()
    thread.join(5)
    assert all(line.startswith("ghost cannot be started") for line in said)


@pytest.fixture
def outer(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A supervisor in a process of its own, and the id of its child's process."""
    script = textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(ROOT)!r})
        from bot.supervisor import Child, Supervisor
        script = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
        tell = lambda line: print(line, flush=True)
        child = Child("child", [sys.executable, "-c", script], log=tell)
        Supervisor([child], say=lambda text: None).run()
    """)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    yield process, pid
    process.kill()
    process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_supervisor_and_child(
    outer: tuple[subprocess.Popen[str], int], number: signal.Signals
) -> None:
    process, pid = outer
    process.send_signal(number)
    assert process.wait(5) == 0
    assert not alive(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_no_child_outlives_a_killed_supervisor(outer: tuple[subprocess.Popen[str], int]) -> None:
    process, pid = outer
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: not alive(pid))


def test_log_files_are_private_and_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.child_logs.FILE_BYTES", 50)
    write = log_file(tmp_path / "log" / "child.log")
    for number in range(20):
        write(f"line number {number}")
    assert (tmp_path / "log" / "child.log").read_text().splitlines()[-1] == "line number 19"
    assert (tmp_path / "log" / "child.log").stat().st_mode & 0o077 == 0
    assert len(list((tmp_path / "log").iterdir())) == 4  # three old ones


SECRET = "my card is broken"


@pytest.mark.parametrize(
    "line",
    [
        f"2026-11-22 21:05:20 WARNING  rasa.core.processor  - Invalid: {{'a': '{SECRET}'}}",
        f"2026-11-22 21:05:20 ERROR    rasa.core.tracker_store  - Don't: 'x' [SQL: ('{SECRET}')]",
        f"[parameters: ('text', '{SECRET}')]",
        f"ValueError: {SECRET}",
        f"/x/slots.py:381: UserWarning: Categorical slot 'tone' is set to a value ('{SECRET}')",
        f'{{"event": "a.b", "level": "error", "exception": [{{"exc_type": "KeyError", "exc_value":'
        f' "{SECRET}", "frames": [{{"locals": {{"text": "{SECRET}"}}}}]}}]}}',
        f"    raise RuntimeError('{SECRET}')",
        SECRET,
    ],
)
def test_what_customers_write_does_not_get_into_the_engine_log(line: str) -> None:
    assert "card" not in (skeleton(line) or "")


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (
            "2026-11-22 21:05:20 ERROR    rasa.core.processor  - Encountered an exception while "
            "running action 'action_answer'.",
            "2026-11-22 21:05:20 ERROR rasa.core.processor - Encountered an exception while "
            "running action 'action_answer'.",
        ),
        (
            "ModuleNotFoundError: No module named 'bot.engine.connector'",
            "ModuleNotFoundError: No module named 'bot.engine.connector'",
        ),
        ('  File "/a/b.py", line 3, in load', '  File "/a/b.py", line 3, in load'),
        ("sqlalchemy.exc.OperationalError: (x) y", "sqlalchemy.exc.OperationalError"),
        (
            '{"event": "a.b", "level": "error", "exception": [{"exc_type": "KeyError"}]}',
            "ERROR - a.b KeyError",
        ),
    ],
)
def test_the_engine_log_keeps_what_helps(line: str, kept: str) -> None:
    assert skeleton(line) == kept

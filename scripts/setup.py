"""Make the two virtual environments, .venv and .venv-engine; do nothing when they are there.

Standard library only: it runs before anything is installed, with the Python that
scripts/find-python found. A stamp inside each environment, written last, holds the digest of its
requirements; without a stamp an environment was left half made and is made again from nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "var" / "log"
VERSION = ".".join(map(str, sys.version_info[:2]))
HEARTBEAT = 20  # seconds between two lines that say it is still at work
TAIL = 12  # lines of pip's output shown after a failure


class SetupFailed(Exception):
    """A step failed; the message is for the person at the terminal."""


@dataclass(frozen=True)
class Environment:
    """One virtual environment, the file that fills it and the flags pip needs for that."""

    folder: Path
    requirements: Path
    flags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        return self.folder / ".rapport-stamp"

    def digest(self) -> str:
        """What the stamp should hold. A patch release of Python changes nothing installed."""
        what = [VERSION.encode(), " ".join(self.flags).encode(), self.requirements.read_bytes()]
        return hashlib.sha256(b"\0".join(what)).hexdigest()

    def recorded(self) -> str:
        """What the stamp holds; empty when there is none."""
        try:
            return self.stamp.read_text().strip()
        except OSError:
            return ""

    def starts(self) -> bool:
        """Whether the interpreter still runs: the Python it was made from may be gone."""
        question = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
        try:
            done = subprocess.run([self.python, "-ISc", question], capture_output=True, check=False)
        except OSError:
            return False
        return done.returncode == 0


ENVIRONMENTS = (
    Environment(ROOT / ".venv", ROOT / "requirements" / "gateway.txt"),
    Environment(
        ROOT / ".venv-engine",
        ROOT / "requirements" / "engine.txt",
        # Rasa's metadata stops at Python 3.10: requirements/engine.txt says why that is no matter.
        flags=("--no-deps", "--ignore-requires-python"),
    ),
)


def make(environment: Environment) -> None:
    """Make or update one environment. Raises SetupFailed."""
    progress = Progress(environment.name)
    log = LOGS / f"setup-{environment.name.lstrip('.')}.log"
    fresh = not (environment.recorded() and environment.starts())
    with log.open("wb") as output:
        if fresh:
            progress.say("making it with Python " + platform.python_version())
            shutil.rmtree(environment.folder, ignore_errors=True)
            run([sys.executable, "-m", "venv", environment.folder], output, log, progress)
        # Killed from here on, it is made from nothing next time.
        environment.stamp.unlink(missing_ok=True)
        count = sum(
            "==" in line and not line.startswith("#")
            for line in environment.requirements.read_text().splitlines()
        )
        progress.say(f"installing {count} packages" if fresh else "updating the packages")
        pip = [environment.python, "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
        pip += ["--disable-pip-version-check", *environment.flags, "-r", environment.requirements]
        run(pip, output, log, progress)
    partial = environment.stamp.with_suffix(".part")
    partial.write_text(environment.digest() + "\n")
    partial.replace(environment.stamp)
    progress.say("ready")


def run(command: list, output, log: Path, progress: Progress) -> None:
    """Run one command into the log, with a sign of life now and then. Raises SetupFailed."""
    # What the caller's shell says about Python must not reach the new environment.
    leave = {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER"}
    environ = {key: value for key, value in os.environ.items() if key not in leave}
    child = subprocess.Popen(
        [str(part) for part in command], stdout=output, stderr=subprocess.STDOUT, env=environ
    )
    try:
        while True:
            try:
                code = child.wait(timeout=HEARTBEAT)
                break
            except subprocess.TimeoutExpired:
                progress.say(f"still at work: {last_line(log)}")
    finally:
        child.kill()
    if code:
        told = [line for line in lines(log) if not line.startswith("Requirement already")]
        tail = "\n".join(f"    {line}" for line in told[-TAIL:])
        raise SetupFailed(f"{progress.name} could not be set up. The end of {log}:\n{tail}")


def lines(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()


def last_line(log: Path) -> str:
    found = [line.strip() for line in lines(log) if line.strip()]
    return found[-1][:90] if found else "starting"


class Progress:
    """Lines with the time since the start, from several threads at once."""

    started = time.monotonic()
    lock = threading.Lock()

    def __init__(self, name: str) -> None:
        self.name = name

    def say(self, text: str) -> None:
        with self.lock:
            print(f"[{time.monotonic() - self.started:5.0f} s] {self.name:<13}{text}", flush=True)


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the lock, so that `make run` and `make test` side by side do not install at once."""
    LOGS.mkdir(parents=True, exist_ok=True)
    with (LOGS / "setup.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another set-up is at work; waiting for it.", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def stale() -> list[Environment]:
    """The environments that are missing, broken or not what their requirements say."""
    return [e for e in ENVIRONMENTS if e.recorded() != e.digest() or not e.starts()]


def main() -> int:
    """Bring both environments up to date; 0 when they are."""
    if sys.version_info[:2] != (3, 11):
        print('Run this with Python 3.11: "$(scripts/find-python)" scripts/setup.py')
        return 1
    if not stale():
        return 0
    with only_one():
        todo = stale()  # another set-up may have done it while we waited
        if len(todo) == len(ENVIRONMENTS):
            print("Setting up. The first time this downloads about 2 GB and takes some minutes.")
        with ThreadPoolExecutor() as pool:
            running = [pool.submit(make, environment) for environment in todo]
        failures = [job.exception() for job in running if job.exception()]
    for failure in failures:
        print(f"\n{failure}" if isinstance(failure, SetupFailed) else f"\n{failure!r}")
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nStopped. The next set-up starts again where it makes sense.")

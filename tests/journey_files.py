"""The journeys of ``tests/journeys``: whole conversations in plain text, read line by line.

The folder's README says how they are written; this says what is accepted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "journeys"
HEADS = ("order", "channel", "why", "known miss")
DEEDS = (
    "customer",
    "bot",
    "never",
    "shop",
    "order is",
    "ticket",
    "agent",
    "clock",
    "crash",
    "writes",
)
CHANNELS = ("web", "signed in", "sms")


class JourneyError(Exception):
    """A file cannot be used; the text has file and line."""


@dataclass(frozen=True)
class Step:
    """One line: who does what. ``what`` is the text after the colon."""

    line: int
    who: str
    what: str


@dataclass(frozen=True)
class Journey:
    """One conversation from beginning to end."""

    file: str
    line: int
    title: str
    order: str = ""  # a case of the demo shop
    channel: str = "web"
    known_miss: str = ""
    steps: tuple[Step, ...] = field(default=())

    @property
    def id(self) -> str:
        return f"{self.file}: {self.title}"

    @property
    def job(self) -> str:
        """The kind of job, as the file is named."""
        return self.file.removesuffix(".txt")


def load(folder: Path = FOLDER) -> list[Journey]:
    """All journeys, in the order of the files. Raises `JourneyError`."""
    found: list[Journey] = []
    for path in sorted(folder.glob("*.txt")):
        found += _file(path)
    return found


def _file(path: Path) -> list[Journey]:
    journeys: list[Journey] = []
    head: dict[str, str] = {}
    steps: list[Step] = []
    title, begun = "", 0

    def finish() -> None:
        if not title:
            return
        if not any(step.who == "customer" for step in steps):
            raise JourneyError(f"{path.name}, line {begun}: “{title}” has no “customer:”")
        journeys.append(
            Journey(
                path.name,
                begun,
                title,
                order=head.get("order", ""),
                channel=head.get("channel", "web"),
                known_miss=head.get("known miss", ""),
                steps=tuple(steps),
            )
        )

    for number, raw in enumerate(path.read_text("utf-8").splitlines(), 1):
        line = raw.rstrip()
        if not line or line.startswith("#"):
            continue
        where = f"{path.name}, line {number}"
        if line.startswith("== "):
            finish()
            title, begun, head, steps = line[3:].strip(), number, {}, []
            continue
        if not title:
            raise JourneyError(f"{where}: a journey begins with “== its title”")
        if line[0].isspace() and steps:  # a further line of the same message
            last = steps.pop()
            steps.append(Step(last.line, last.who, f"{last.what}\n{line.strip()}"))
            continue
        who, colon, what = line.partition(":")
        who, what = who.strip().lower(), what.strip()
        if not colon or who not in HEADS + DEEDS:
            known = ", ".join(HEADS + DEEDS)
            raise JourneyError(f"{where}: lines begin with one of {known}, and a colon")
        if who in HEADS and not steps:
            if who == "channel" and what not in CHANNELS:
                raise JourneyError(f"{where}: the channel is one of {', '.join(CHANNELS)}")
            head[who] = what
        elif who in HEADS:
            raise JourneyError(f"{where}: “{who}:” stands before the first message")
        else:
            steps.append(Step(number, who, re.sub(r"\s+\n", "\n", what)))
    finish()
    return journeys

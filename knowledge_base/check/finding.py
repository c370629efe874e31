"""What a check found, and where. Rules only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""error: customers meet something broken; warning: most likely a mistake; note: for review."""


@dataclass(frozen=True)
class Place:
    """A 1-based line of a file."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class Finding:
    """Something an editor should look at. `message` says what is wrong and what to do next; `see`
    is the other place that it is about, where there is one."""

    rule: str
    severity: Severity
    place: Place
    message: str
    see: Place | None = None

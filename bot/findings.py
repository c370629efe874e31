"""What a check found, in words: what is the matter, why it matters, what to do about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["error", "warning", "ok"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `why` and `fix` are empty when all is well."""

    level: Level
    what: str
    why: str = ""
    fix: str = ""


def ok(what: str) -> Finding:
    return Finding("ok", what)


def warning(what: str, why: str, fix: str) -> Finding:
    return Finding("warning", what, why, fix)


def error(what: str, why: str, fix: str) -> Finding:
    return Finding("error", what, why, fix)


def guarded(name: str, look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """What `look` finds; its own failure is a finding too."""
    found: list[Finding] = []
    try:
        found.extend(look())
    except Exception as problem:
        found.append(
            error(
                f"the check of {name} failed: {type(problem).__name__}: {problem}",
                "what it would have found is unknown",
                "put right what the other lines name, then run it again",
            )
        )
    return found


def as_text(findings: list[Finding]) -> str:
    """For a terminal: what is well in one line each, the rest with why and what to do."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:<8} {finding.what}")
        if finding.why:
            lines.append(f"         Why it matters: {finding.why}.")
        if finding.fix:
            lines.append(f"         What to do: {finding.fix}")
    errors = sum(finding.level == "error" for finding in findings)
    warnings = sum(finding.level == "warning" for finding in findings)
    return "\n".join([*lines, "", f"{errors} errors, {warnings} warnings"])


def as_json(findings: list[Finding]) -> str:
    return json.dumps([asdict(finding) for finding in findings], indent=2)

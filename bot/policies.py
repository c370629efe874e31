"""The two files that those who lead edit, ``service.yml`` and ``escalation.yml``: as they count now,
read again when they change, and written from the desk."""

from __future__ import annotations

import difflib
import hashlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from bot import escalation_file, service_file
from bot.escalation import Escalation
from bot.service.policy import Service
from bot.settings import Settings
from bot.yaml_nodes import FileWrong, Problem, text_of

log = structlog.get_logger("policies")

LONGEST = 100_000  # characters of a file
CHANGES_KEPT = 2000  # characters of what changed, in the record of who did what

Adopt = Callable[[Service, Escalation], None]


class Stale(Exception):
    """The file was changed since it was read for editing; nothing was written."""


class NotWritten(Exception):
    """The file cannot be written; the text says what to do."""


@dataclass(frozen=True)
class RuleFile:
    """One of the files: its path, and what makes rules of a text."""

    name: str
    path: Path
    parse: Callable[[str, str], Any]

    def read(self) -> str:
        """Its text; raises FileWrong."""
        return text_of(self.path, f"{self.name.upper()}_FILE")[0]


@dataclass(frozen=True)
class Written:
    """What a save did: a line for each change, and where the text before it is kept."""

    changes: tuple[str, ...]
    kept: Path


class Policies:
    """The rules of both files.

    A file that is changed takes effect within seconds, without a restart. One that is changed into
    something with a mistake does not: what counted before goes on, and ``problems`` says why.

    Args:
        settings: name the files, and where texts are kept that were replaced.
        adopt: told of new rules, from whatever thread finds them.

    Raises:
        FileWrong: one of the files cannot be used.
    """

    def __init__(self, settings: Settings, adopt: Adopt = lambda *_: None):
        self.files = {
            "service": RuleFile("service", settings.service_file, service_file.parse),
            "escalation": RuleFile("escalation", settings.escalation_file, escalation_file.parse),
        }
        self.problems: dict[str, Sequence[Problem]] = {}
        self.adopt = adopt
        self._kept = settings.data_dir / "policies"
        self._turn = threading.Lock()
        self._rules: dict[str, Any] = {}
        self._seen: dict[str, Any] = {}
        for file in self.files.values():
            self._seen[file.name] = _signature(file.path)
            self._rules[file.name] = file.parse(file.read(), file.path.name)

    @property
    def service(self) -> Service:
        found: Service = self._rules["service"]
        return found

    @property
    def escalation(self) -> Escalation:
        found: Escalation = self._rules["escalation"]
        return found

    def refresh(self) -> bool:
        """Read again what has changed; whether new rules count now."""
        with self._turn:
            fresh = False
            for file in self.files.values():
                signature = _signature(file.path)
                if signature == self._seen[file.name]:
                    continue
                self._seen[file.name] = signature
                try:
                    self._rules[file.name] = file.parse(file.read(), file.path.name)
                except FileWrong as wrong:
                    self.problems[file.name] = wrong.problems
                    log.error("policies.refused", file=file.path.name, problems=str(wrong))
                    continue
                self.problems.pop(file.name, None)
                fresh = True
                log.info("policies.read", file=file.path.name)
        if fresh:
            self.adopt(self.service, self.escalation)
        return fresh

    def save(self, name: str, text: str, base: str) -> Written:
        """Check a text, and put it in the place of the file.

        Args:
            name: "service" or "escalation".
            text: the new text.
            base: `fingerprint` of the text that was edited.

        Raises:
            FileWrong: with every mistake in the text.
            Stale: the file has changed since.
            NotWritten: the place cannot be written.
        """
        file = self.files[name]
        text = plain(text)
        file.parse(text, file.path.name)
        with self._turn:
            before = file.read()
            if fingerprint(before) != base:
                raise Stale
            try:
                kept = self._keep(file, before)
                _replace(file.path, text)
            except OSError as error:
                why = (error.strerror or str(error)).lower()
                raise NotWritten(
                    f"{file.path} cannot be written ({why}). Ask whoever runs Rapport to let it "
                    "write there, or to put this text into the file."
                ) from error
        self.refresh()
        return Written(_changes(before, text), kept)

    def _keep(self, file: RuleFile, text: str) -> Path:
        self._kept.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        place = self._kept / f"{file.name}-{stamp}-{fingerprint(text)[:8]}.yml"
        place.write_text(text, encoding="utf-8")
        return place


def plain(text: str) -> str:
    """A text as files have it: browsers send lines with a carriage return."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).rstrip("\n") + "\n"


def fingerprint(text: str) -> str:
    """Tells one text from another, whatever ends its lines."""
    return hashlib.sha256(plain(text).encode("utf-8", "surrogatepass")).hexdigest()


def _signature(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _replace(path: Path, text: str) -> None:
    """Writes beside the file first: whoever reads it has the old text or the new, and a crash
    leaves one of them. A link stays one."""
    path = path.resolve()
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    mode = path.stat().st_mode & 0o777
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(mode)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _changes(before: str, after: str) -> tuple[str, ...]:
    """The lines that went ("-") and came ("+")."""
    lines = difflib.unified_diff(plain(before).splitlines(), after.splitlines(), n=0, lineterm="")
    return tuple(line for line in lines if line[:1] in "+-" and not line.startswith(("+++", "---")))

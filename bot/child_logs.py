"""Log files of the child processes, and what of Rasa's output may be written there.

Rasa warns with the values at hand: slot values in warnings, whole events in database errors, local
variables in its JSON tracebacks. All of these hold what customers wrote, so of the engine's lines
only the skeleton is kept: level, logger, the message up to its first value, the places of a
traceback and the kind of an exception.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path

LONGEST = 120
FILE_BYTES, FILES_KEPT = 5_000_000, 3

_RECORD = re.compile(r"^([\d:., -]{10,24})\s+([A-Z]{4,8})\s+([\w.]+)\s+-\s(.*)$")
_WARNING = re.compile(r"^(/\S+\.py:\d+): (\w*Warning): (.*)$")
_PLACE = re.compile(r'^\s*(File "[^"]+", line \d+, in \S+)$')
_EXCEPTION = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*))?$")
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
# A value begins with a quote, a bracket or a brace; names of ours and of Rasa's are no values.
_NAME = r"(?:\w*_\w*|(?:bot|rasa|models)[./][\w./]+)"
_VALUE = re.compile(rf"""(?<![\w.])["'`](?!{_NAME}["'`])|[\[{{<]""")
# Exceptions whose text names modules and files, never what a customer wrote.
_HARMLESS = re.compile(
    r"(^|\.)(ImportError|ModuleNotFoundError|SyntaxError|NameError|AttributeError|TypeError|"
    r"FileNotFoundError|PermissionError|OSError|MemoryError|ModelMissing|YamlSyntaxException|"
    r"InvalidConfigException|ModelNotFound|UnsupportedModelVersionError)$"
)


def log_file(path: Path) -> Callable[[str], None]:
    """A writer of lines to `path`, rotated by size and private."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return _Private(path, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8").write


class _Private(RotatingFileHandler):
    """The standard library's rotation without its records."""

    def _open(self):  # type: ignore[no-untyped-def]
        return open(
            self.baseFilename,
            self.mode,
            encoding=self.encoding,
            opener=lambda path, flags: os.open(path, flags, 0o600),
        )

    def write(self, line: str) -> None:
        if self.stream is None or self.stream.tell() + len(line) > self.maxBytes:
            self.doRollover()
        self.stream.write(line + "\n")
        self.stream.flush()


def skeleton(line: str) -> str | None:
    """An engine's line without anything a customer may have written; None to drop the line."""
    line = _COLOURS.sub("", line).rstrip()
    if line.startswith("{"):
        return _of_json(line)
    if found := _RECORD.match(line):
        time, level, logger, message = found.groups()
        return f"{time.strip()} {level} {logger} - {_until_value(message)}"
    if found := _WARNING.match(line):
        place, kind, message = found.groups()
        if kind.endswith("DeprecationWarning"):
            return None  # of old parts about each other; nothing to be done
        return f"{place}: {kind}: {_until_value(message)}"
    if line == "Traceback (most recent call last):":
        return line
    if found := _PLACE.match(line):
        return f"  {found[1]}"
    if (found := _EXCEPTION.match(line)) and _looks_like_exception(found[1]):
        harmless = found[2] and _HARMLESS.search(found[1])
        return f"{found[1]}: {_until_value(found[2])}" if harmless else found[1]
    return None


def _of_json(line: str) -> str | None:
    """Rasa's structured lines: when off a terminal, it writes tracebacks with all variables."""
    try:
        record = json.loads(line)
        level, event = str(record.get("level", "")).upper(), str(record.get("event", ""))
        kinds = [str(one["exc_type"]) for one in record.get("exception", [])]
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    said = event if re.fullmatch(r"[\w.]+", event) else _until_value(event)
    return " ".join(filter(None, [level, "-", said, *kinds]))


def _looks_like_exception(name: str) -> bool:
    return name.endswith(("Error", "Exception", "Exit", "Interrupt")) or "exceptions." in name


def _until_value(message: str) -> str:
    found = _VALUE.search(message)
    cut = message[: found.start()].rstrip() + " ..." if found else message
    return cut if len(cut) <= LONGEST else cut[:LONGEST] + " ..."

"""Questions that people ask, read from files: the evaluation's, or any list."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from knowledge_base.parse import AUDIENCES, Audience

FOLDER = "evaluation"
"""Beside the folder of articles: files of questions, one `*.jsonl` each."""


class KnownError(ValueError):
    """A file of questions that cannot be read; the message starts with file and line."""


@dataclass(frozen=True)
class Known:
    """A question, who asks it, and where it was listed."""

    question: str
    audience: Audience = "public"
    source: str = ""


def files_beside(articles: Path) -> list[Path]:
    """The files of questions that belong to a folder of articles."""
    return sorted((Path(articles).resolve().parent / FOLDER).glob("*.jsonl"))


def read_known(path: Path) -> list[Known]:
    """The questions of a file: JSON lines with `question` (and `audience`), or one question a
    line. Raises KnownError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise KnownError(f"{path}:{line}: no UTF-8; save it as UTF-8") from error
    except OSError as error:
        raise KnownError(f"{path}:1: cannot be read: {error.strerror or error}") from error
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            found.append(_known(line.strip(), f"{path}:{number}", path.name))
    return [it for it in found if it.question]


def _known(line: str, where: str, source: str) -> Known:
    if not line.startswith("{"):
        return Known(" ".join(line.split()), source=source)
    try:
        row = json.loads(line)
        question, audience = row["question"], row.get("audience", "public")
        if not isinstance(question, str) or audience not in AUDIENCES:
            raise ValueError("`question` must be text, `audience` public or staff")
    except (ValueError, KeyError, RecursionError) as error:
        raise KnownError(
            f'{where}: no question ({error!r}); write {{"question": "..."}}, or the question alone'
        ) from error
    return Known(" ".join(question.split()), audience, source)


def distinct(known: Iterable[Known]) -> list[Known]:
    """Each question once for each audience, as it was first listed."""
    first: dict[tuple[str, Audience], Known] = {}
    for it in known:
        first.setdefault((it.question.casefold(), it.audience), it)
    return list(first.values())

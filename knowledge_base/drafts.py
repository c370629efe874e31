"""A gap made into the beginning of an article: customers' wordings, and what colleagues answered.

A draft is for an editor's eyes: `draft: true` keeps it from being served at all, and `audience:
staff` from customers should the other line get lost.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Protocol

import yaml

from knowledge_base.gaps import Gap

FOLDER = "drafts"
MOST_QUESTIONS = 20
LONGEST_QUESTION = 200
LONGEST_TITLE = 100
LONGEST_NAME = 60

# Names that Windows keeps for devices, whatever ending follows.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)


class Near(Protocol):
    """The passage nearest to the gap; `bot.editing.Nearest` is one."""

    title: str
    url: str
    audience: str
    confidence: float


def draft(gap: Gap, near: Near | None, today: date) -> str:
    """The text of the draft, ending with a newline."""
    asked = [text for text, _ in gap.wordings if len(text) <= LONGEST_QUESTION]
    lines = [
        "---",
        f"title: {_quoted(_shortened(gap.question, LONGEST_TITLE))}",
        'summary: ""',
        "audience: staff",
        "draft: true",
        f"updated: {today.isoformat()}",
        'owner: ""',
        "questions:" if asked else "questions: []",
        *(f"  - {_quoted(text)}" for text in asked[:MOST_QUESTIONS]),
        "---",
        "",
        "## To be rewritten",
        "",
        f"This is a draft of gap {gap.id}, made from what customers asked {_times(gap)}. Write the "
        "answer under a heading of its own, delete this part and the next, delete the line "
        "`draft: true`, and set `audience: public`. Take out names and other personal details.",
        "",
        *_link(near),
        "## What colleagues answered, word for word, to be rewritten",
        "",
        *(_answers(gap) or ["No colleague has answered it in a conversation so far.", ""]),
    ]
    return "\n".join(lines).rstrip() + "\n"


def file_name(gap: Gap) -> str:
    """Where the draft goes, below the folder of articles: `drafts/can-i-rent-a-tent.md`."""
    slug = re.sub(r"[^\w\- ]", "", gap.question.lower()).replace("_", " ")
    words = "-".join(slug.replace("-", " ").split())[:LONGEST_NAME].strip("-")
    if not words or _DEVICES.fullmatch(words):
        words = f"gap-{gap.id}"
    return f"{FOLDER}/{words}.md"


def write(articles: Path, gap: Gap, text: str) -> Path:
    """Write the draft; returns its path. Raises FileExistsError rather than overwrite, OSError."""
    path = articles / file_name(gap)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return path


def _link(near: Near | None) -> list[str]:
    if near is None:
        return []
    page, _, anchor = near.url.removeprefix("/help/").partition("#")
    target = PurePosixPath("..") / f"{page}.md"
    words = f"{near.title} ({near.audience}, confidence {near.confidence:.2f})"
    link = f"[{_plain(words)}](<{target}{'#' + anchor if anchor else ''}>)"
    return [f"The nearest article is {link}. Perhaps it wants a sentence more instead.", ""]


def _answers(gap: Gap) -> list[str]:
    lines: list[str] = []
    for answer in gap.answers:
        # A quote leaves every character as it was written, behind its mark.
        lines += [f"> {line}".rstrip() for line in answer.splitlines() or [""]]
        lines.append("")
    return lines


def _times(gap: Gap) -> str:
    times = "once" if gap.times == 1 else f"{gap.times} times"
    return f"{times} in {gap.customers} conversation{'s' if gap.customers != 1 else ''}"


def _quoted(text: str) -> str:
    """The text in YAML's double quotes, on one line, whatever it holds."""
    quoted = yaml.safe_dump(
        " ".join(text.split()), default_style='"', allow_unicode=True, width=float("inf")
    )
    return quoted.strip()


def _shortened(text: str, longest: int) -> str:
    words = text if len(text) <= longest else text[: longest - 1].rsplit(" ", 1)[0] + "…"
    return words[:1].upper() + words[1:]


def _plain(text: str) -> str:
    """Text for a link's name: brackets would end it."""
    return re.sub(r"([\[\]\\])", r"\\\1", text)

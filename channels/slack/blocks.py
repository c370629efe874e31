"""Answers as Slack's blocks: within its limits, and with nothing in them that Slack would act on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SECTION = 3000  # characters
BLOCKS = 50
CONTEXT = 10  # elements
TEXT = 39_000  # of 40,000: what notifications show
VALUE = 2000  # of a button
MOST_SECTIONS = 30

_ORDER = str.maketrans("", "", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINK = re.compile(r"\[([^\]\n]{1,300})\]\(((?:https?://|/)[^\s()<>]{1,1000})\)")
_BOLD = re.compile(r"\*\*(?=\S)([^*\n]{1,500}?)(?<=\S)\*\*")
_HEADING = re.compile(r"^#{1,6} +(.+)$", re.MULTILINE)
_BULLET = re.compile(r"^(\s*)[-*+] +", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """An article that an answer is from; ``url`` "" where it cannot be opened from elsewhere."""

    title: str
    url: str = ""
    staff: bool = False


def inert(text: str) -> str:
    """Text that Slack shows and does not act on: no mention, no link, no channel, no formatting
    characters that turn the direction of what follows."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.translate(_ORDER).replace("\x00", "")


def mrkdwn(markdown: str, origin: str) -> str:
    """An article's markdown as Slack writes it; what Slack has not stays as it is."""
    text = inert(markdown)
    text = _HEADING.sub(r"*\1*", text)
    text = _BOLD.sub(r"*\1*", text)
    text = _BULLET.sub(r"\1• ", text)
    return _LINK.sub(lambda found: _linked(found[1], found[2], origin), text)


def _linked(name: str, address: str, origin: str) -> str:
    whole = f"{origin}{address}" if address.startswith("/") else address
    return f"<{whole.replace('|', '%7C')}|{name.replace('|', '/')}>"


def answer(
    text: str, sources: Sequence[Source], *, confidence: float, origin: str
) -> dict[str, Any]:
    """An answer with what it is from, and how sure it is."""
    blocks = sections(mrkdwn(text, origin))
    marks = [_source(it) for it in sources[: CONTEXT - 1]]
    marks.append(f"{round(100 * confidence)} % sure")
    elements = [{"type": "mrkdwn", "text": mark[:SECTION]} for mark in marks]
    return {
        "text": inert(text)[:TEXT],
        "blocks": [*blocks, {"type": "context", "elements": elements}],
    }


def no_answer(text: str, near: Sequence[Source], question: str, *, may_log: bool) -> dict[str, Any]:
    """That no article answers, what came near, and the offer to log the gap."""
    blocks = sections(inert(text))
    if near:
        blocks += sections("Closest: " + ", ".join(_source(it) for it in near))
    if may_log:
        button = {
            "type": "button",
            "action_id": "gap.log",
            "text": {"type": "plain_text", "text": "Log it as a gap"},
            "value": cut(question, VALUE),
        }
        blocks.append({"type": "actions", "elements": [button]})
    return {"text": inert(text)[:TEXT], "blocks": blocks}


def plain(text: str) -> dict[str, Any]:
    """A sentence of ours."""
    return {"text": inert(text)[:TEXT], "blocks": sections(inert(text))}


def sections(text: str) -> list[dict[str, Any]]:
    """A text in as many sections as it needs, cut between lines or words, never within one of
    Slack's own marks ("&amp;", "<…>")."""
    pieces: list[str] = []
    rest = text.strip() or "–"
    while rest and len(pieces) < MOST_SECTIONS:
        at = len(rest) if len(rest) <= SECTION else _border(rest, SECTION)
        piece, rest = rest[:at].strip(), rest[at:].strip()
        if piece:
            pieces.append(piece)
    if rest:
        pieces[-1] = cut(pieces[-1], SECTION - 2) + " …"
    return [{"type": "section", "text": {"type": "mrkdwn", "text": piece}} for piece in pieces]


def _border(text: str, most: int) -> int:
    for sign in ("\n\n", "\n", " "):
        at = text.rfind(sign, most // 2, most)
        if at > 0 and not _inside_mark(text, at):
            return at
    at = most
    while at > most // 2 and _inside_mark(text, at):
        at -= 1
    return at


def _inside_mark(text: str, at: int) -> bool:
    opened = text.rfind("<", 0, at)
    if opened >= 0 and text.find(">", opened, at) < 0:
        return True
    return bool(re.search(r"&[a-z]{0,3}$", text[max(0, at - 5) : at]))


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _source(source: Source) -> str:
    name = inert(cut(source.title, 200)).replace("|", "/")
    shown = f"<{source.url}|{name}>" if source.url else name
    return f"{shown} (staff only)" if source.staff else shown

"""The text of an article as people read it: blocks without markup, and their sentences.

Rules only. Lines are 1-based lines of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from markdown_it.token import Token

COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)

# A sentence ends at its mark, with the quotes and brackets that follow it, before a capital, a
# digit, an opening sign or a letter of a script without capitals.
_END = re.compile(
    r"""(?<=[.!?…])["”’')\]]*\s+(?=["“‘'(\[£€$¿¡]*[^\Wa-z_])|(?<=[。！？؟।])\s*|\n{2,}"""
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|approx|incl|excl|max|min|no|nos|vs|dr|mr|mrs|ms|prof|st|ltd|inc|tel"
    r"|ext|fig|cf|ca|a\.m|p\.m)|\b[A-Z])\.$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Block:
    """A piece of text that stands by itself, without its markup.

    `text` keeps the source's line breaks; `prose` is the same without what stands in `code`.
    `label` says what it is about where the text alone does
    not: the words that announce a list, or the row and column of a table's cell.
    """

    kind: Literal["heading", "paragraph", "item", "cell"]
    text: str
    line: int
    prose: str
    label: str = ""


@dataclass(frozen=True)
class Sentence:
    """A sentence in one line of text, and the line of the file that it begins on."""

    text: str
    line: int


def blocks(tokens: list[Token], first: int) -> list[Block]:
    """The blocks of a body that begins at line `first` of its file; code is left out."""
    found: list[Block] = []
    intro = ""
    table: _Table | None = None
    items = 0
    for at, token in enumerate(tokens):
        if token.type == "list_item_open":
            items += 1
        elif token.type == "list_item_close":
            items -= 1
        elif token.type == "table_open":
            table = _Table()
        elif token.type == "table_close":
            table = None
        elif table and token.type == "tr_open":
            table.row, table.column = [], 0
        if token.type != "inline" or token.map is None:
            continue
        line, text = first + token.map[0], plain(token)
        prose = plain(token, code=False)
        if table is not None:
            label = table.take(text, tokens[at - 1].type)
            found.append(Block("cell", text, line, prose, label))
        elif tokens[at - 1].type == "heading_open":
            found.append(Block("heading", text, line, prose))
            intro = ""
        elif items:
            found.append(Block("item", text, line, prose, intro))
        else:
            found.append(Block("paragraph", text, line, prose))
            intro = text if text.rstrip().endswith(":") else ""
    return [block for block in found if block.text.strip()]


class _Table:
    """Where we are in a table: its column heads, and the row so far."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self.row: list[str] = []
        self.column = 0

    def take(self, text: str, opened: str) -> str:
        """The label of the next cell: its row's first cell and its column's head."""
        column, self.column = self.column, self.column + 1
        if opened == "th_open":
            self.heads.append(text)
            return ""
        self.row.append(text)
        head = self.heads[column] if column < len(self.heads) else ""
        return f"{self.row[0]}, {head}" if column and head else (self.row[0] if column else "")


def plain(inline: Token, code: bool = True) -> str:
    """What a reader sees of an inline token; a line break of the source stays one. Without `code`
    a blank stands for what is in backticks."""
    parts = []
    for child in inline.children or []:
        if child.type in {"softbreak", "hardbreak"}:
            parts.append("\n")
        elif child.type == "text":
            parts.append(child.content)
        elif child.type == "code_inline":
            parts.append(child.content if code else " ")
    text = "".join(parts)
    # Comments keep their line breaks, so that what follows keeps its line.
    return COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)


def sentences(block: Block) -> Iterator[Sentence]:
    """The sentences of a block, in order."""
    start = 0
    for match in _END.finditer(block.text):
        if not _ABBREVIATION.search(block.text[start : match.start()]):
            yield from _sentence(block, start, match.end())
            start = match.end()
    yield from _sentence(block, start, len(block.text))


def _sentence(block: Block, start: int, end: int) -> Iterator[Sentence]:
    raw = block.text[start:end]
    if raw.strip():
        skipped = len(raw) - len(raw.lstrip())
        line = block.line + block.text.count("\n", 0, start + skipped)
        yield Sentence(" ".join(raw.split()), line)


def shortened(text: str, most: int = 160) -> str:
    """The text in one line, cut at a word with "…" where it is longer than `most` characters."""
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    head = text[: most - 1]
    return f"{head[: head.rfind(' ')] if ' ' in head else head}…"

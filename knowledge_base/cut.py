"""Where a body is cut into passages. Rules only.

At its headings, as markdown-it sees them (CommonMark: a `#` inside a code fence is no heading); a
long section at its paragraphs and the items of its lists; a long paragraph at its sentences.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

LONGEST = 1200
"""Characters above which a section is cut at its paragraphs: about what MiniLM can take in. A
single paragraph, item or quote is cut above twice as many."""

LONGEST_TABLE = 6000
"""Characters up to which a table or a block of code stays whole; then it is cut between lines."""

_SENTENCE_END = re.compile(r"[.!?…؟۔।][\"'”’)\]»]*(?=\s)|[。！？][」』）]?")
_WORD = re.compile(r"\w")
_INLINE_TEXT = frozenset({"text", "text_special", "code_inline", "softbreak"})


@dataclass(frozen=True)
class Heading:
    """A heading of the article: its source lines are [start, end), 0-based in the body."""

    level: int
    text: str
    anchor: str
    start: int
    end: int


@dataclass(frozen=True)
class Piece:
    """A passage-to-be: an exact slice of the body, and the 0-based line on which it begins."""

    heading_path: tuple[str, ...]
    anchor: str
    text: str
    line: int


def commonmark() -> MarkdownIt:
    """The markdown that articles are written in: CommonMark with tables, HTML as plain text."""
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def cut(body: str) -> list[Piece]:
    """The pieces of a body, in order; none for empty sections."""
    return Outline(body).pieces()


class Outline:
    """A body seen as blocks. `anchors` are ids that the author gave, by the heading's line."""

    def __init__(self, body: str, anchors: Mapping[int, str] | None = None) -> None:
        self.lines = body.split("\n")
        markdown = commonmark()
        # Of most blocks only the lines are wanted; the text of headings is parsed below.
        markdown.core.ruler.enableOnly(["normalize", "block"])
        env: dict = {}
        self.tokens = markdown.parse(body, env)
        self.headings = _headings(self.tokens, anchors or {}, markdown=markdown, env=env)

    def drop(self, start: int, end: int) -> None:
        """Make lines blank, and forget the heading there: the title, which is shown elsewhere."""
        self.lines[start:end] = [""] * (end - start)
        self.headings = [it for it in self.headings if it.start != start]

    @property
    def body(self) -> str:
        return "\n".join(self.lines)

    def pieces(self) -> list[Piece]:
        """Its passages-to-be, in order; none for empty sections."""
        cutter = _Cutter(self.lines, self.tokens)
        starts = [0, *(heading.end for heading in self.headings)]
        ends = [*(heading.start for heading in self.headings), len(self.lines)]
        found = []
        above: list[Heading] = []
        for heading, start, end in zip([None, *self.headings], starts, ends, strict=True):
            if heading:
                above = [it for it in above if it.level < heading.level] + [heading]
            path = tuple(it.text for it in above)
            anchor = heading.anchor if heading else ""
            for text, line in cutter.section(start, end):
                found.append(Piece(path, anchor, text, line))
        return found


def _headings(
    tokens: list[Token], anchors: Mapping[int, str], *, markdown: MarkdownIt, env: dict
) -> list[Heading]:
    """The headings among the tokens; those inside quotes and lists belong to their block."""
    found: list[Heading] = []
    taken: dict[str, int] = {}
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            children: list[Token] = []
            markdown.inline.parse(inline.content, markdown, env, children)
            text = "".join(
                " " if child.type == "softbreak" else child.content
                for child in children
                if child.type in _INLINE_TEXT
            ).strip()
            given = next((anchors[at] for at in range(*token.map) if at in anchors), "")
            if text or given:
                anchor = _unique(given or slug(text), taken)
                found.append(Heading(int(token.tag[1:]), text, anchor, *token.map))
    return found


def slug(text: str) -> str:
    """An anchor as GitHub makes it: lower case, no punctuation, hyphens for blanks.

    The marks of scripts that write vowels as such belong to their words.
    """
    kept = "".join(
        it
        for it in text.lower()
        if it in "_- " or it.isalnum() or unicodedata.category(it).startswith("M")
    )
    return kept.strip().replace(" ", "-") or "section"


def _unique(wanted: str, taken: dict[str, int]) -> str:
    """`wanted`, or with -1, -2, ... when it is taken already, as on GitHub."""
    anchor = wanted
    while anchor in taken:
        taken[wanted] += 1
        anchor = f"{wanted}-{taken[wanted]}"
    taken[anchor] = 0
    return anchor


class _Cutter:
    """Cuts sections at the borders of their blocks; offsets are those of the joined lines."""

    def __init__(self, lines: Sequence[str], tokens: Sequence[Token]) -> None:
        self.text = "\n".join(lines)
        mapped = [token for token in tokens if token.map]
        # Where a block, or an item of a list, begins; and where anything does.
        self.borders = _starts(
            it for it in mapped if not it.level or (it.level == 1 and it.type == "list_item_open")
        )
        self.inner = _starts(mapped)
        self.whole = {
            it.map[0]
            for it in mapped
            if it.type in ("table_open", "fence", "code_block") and it.map
        }
        # For each line: its offset, the next line with text, and where the last text above ends.
        self.at, self.next, self.behind = [0], [len(lines)] * (len(lines) + 1), [0]
        for line in lines:
            text_end = self.at[-1] + len(line.rstrip())
            self.behind.append(text_end if line.strip() else self.behind[-1])
            self.at.append(self.at[-1] + len(line) + 1)
        for number in range(len(lines) - 1, -1, -1):
            self.next[number] = number if lines[number].strip() else self.next[number + 1]

    def section(self, start: int, end: int) -> Iterator[tuple[str, int]]:
        """The texts of lines [start, end) and the lines on which they begin."""
        for first, last in self._blocks(start, end):
            for a, b in self._small_enough(first, last):
                if _WORD.search(self.text, a, b):
                    yield self.text[a:b], bisect_right(self.at, a) - 1

    def _span(self, start: int, end: int) -> tuple[int, int]:
        """The text of lines [start, end) without blank ones around it, but with the indent of the
        first (it may be code)."""
        first = min(self.next[start], end)
        return self.at[first], max(self.at[first], self.behind[end])

    def _size(self, start: int, end: int) -> int:
        a, b = self._span(start, end)
        return b - a

    def _blocks(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Lines of [start, end) in groups of blocks that are no longer than LONGEST together."""
        points = [start, *_between(self.borders, start, end), end]
        at = 0
        while at < len(points) - 1:
            to = self._furthest(points, at, LONGEST)
            opening = points[to - 1]
            if to < len(points) - 1 and opening > points[at]:
                # A sentence that announces a list ("To return an item:") stays with it.
                a, b = self._span(opening, points[to])
                to -= self.text[a:b].endswith(":")
            yield points[at], points[to]
            at = to

    def _furthest(self, points: Sequence[int], at: int, most: int) -> int:
        """The last of the points that is no further than `most` characters; at least the next."""
        to = at + 1
        while to < len(points) - 1 and self._size(points[at], points[to + 1]) <= most:
            to += 1
        return to

    def _small_enough(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Offsets of lines [start, end), a single block if it is long, cut further if it must."""
        whole = self.next[start] in self.whole
        most = LONGEST_TABLE if whole else 2 * LONGEST
        if self._size(start, end) <= most:
            yield self._span(start, end)
            return
        inside = range(start + 1, end) if whole else _between(self.inner, start, end)
        points = [start, *inside, end]
        at = 0
        while at < len(points) - 1:
            to = self._furthest(points, at, LONGEST_TABLE if whole else LONGEST)
            yield from self._sentences(*self._span(points[at], points[to]), most)
            at = to

    def _sentences(self, start: int, end: int, most: int) -> Iterator[tuple[int, int]]:
        """[start, end) in parts of up to `most` characters, cut at sentences if there are any."""
        while end - start > most:
            cut_at = _sentence_end(self.text, start, most) or _blank(self.text, start, most)
            yield start, start + len(self.text[start:cut_at].rstrip())
            start = cut_at
            while start < end and self.text[start].isspace():
                start += 1
        if start < end:
            yield start, end


def _starts(tokens: Iterator[Token] | Sequence[Token]) -> list[int]:
    return sorted({token.map[0] for token in tokens if token.map})


def _between(sorted_lines: list[int], start: int, end: int) -> list[int]:
    return sorted_lines[bisect_right(sorted_lines, start) : bisect_left(sorted_lines, end)]


def _sentence_end(text: str, start: int, most: int) -> int | None:
    """Behind the last sentence that ends within LONGEST, or the first after it, up to `most`."""
    ends = [it.end() for it in _SENTENCE_END.finditer(text, start + 1, start + most)]
    near = [end for end in ends if end <= start + LONGEST]
    for end in [*reversed(near), *ends[len(near) :]]:
        part = text[start:end]
        # Not within a link's text or in code.
        if part.count("[") <= part.count("]") and part.count("`") % 2 == 0:
            return end
    return None


def _blank(text: str, start: int, most: int) -> int:
    """The last blank or line end within `most` characters, or their end."""
    at = max(text.rfind(it, start + 1, start + most) for it in (" ", "\n"))
    return at if at > start else start + most

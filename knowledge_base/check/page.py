"""An article beside its file: which line everything is on. Rules only: nothing here reads a disk.

`parse.py` keeps what customers are shown. An editor also needs the place of each heading, sentence
and field, so this module keeps the file's own lines and markdown-it's tokens.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath

from markdown_it.token import Token

import knowledge_base.parse as parse
from knowledge_base.check.finding import Place
from knowledge_base.check.prose import Block, blocks
from knowledge_base.cut import commonmark
from knowledge_base.parse import Article, Heading, Passage


@dataclass(frozen=True, eq=False)
class Page:
    """An article and its file. `path` is how findings name the file; `lines` are its lines as
    `parse_article` counts them; the body begins at `lines[above]`."""

    article: Article
    path: str
    lines: tuple[str, ...]
    above: int

    def place(self, line: int) -> Place:
        """A place in this file, by its 1-based line."""
        return Place(self.path, line)

    @cached_property
    def tokens(self) -> list[Token]:
        return commonmark().parse(self.article.body)

    @cached_property
    def headings(self) -> list[Heading]:
        """Their `start` and `end` are lines of the body; see `line_of_heading`."""
        # An article that brings its headings may have taken its title out of them.
        told = getattr(self.article, "headings", None)
        return parse.headings(self.tokens) if told is None else list(told)

    @cached_property
    def blocks(self) -> list[Block]:
        """The paragraphs, list items and table cells, with the lines of the file."""
        return blocks(self.tokens, self.above + 1)

    @cached_property
    def code(self) -> frozenset[int]:
        """The file's lines that are code, 1-based."""
        return frozenset(
            self.above + 1 + line
            for token in self.tokens
            if token.type in {"fence", "code_block"} and token.map
            for line in range(*token.map)
        )

    def line_of_heading(self, heading: Heading) -> int:
        return self.above + 1 + heading.start

    def heading_at(self, line: int) -> Heading | None:
        """The heading above (or on) a line of the file; None above the first."""
        at = bisect_right([self.line_of_heading(it) for it in self.headings], line)
        return self.headings[at - 1] if at else None

    def section(self, line: int) -> range:
        """The lines of the section around a line: from its heading to the next one of the same or
        a higher level. Above the first heading it is the whole file."""
        heading = self.heading_at(line)
        end = len(self.lines) + 1
        if heading is None:
            return range(1, end)
        for other in self.headings[self.headings.index(heading) + 1 :]:
            if other.level <= heading.level:
                end = self.line_of_heading(other)
                break
        return range(self.line_of_heading(heading), end)

    @cached_property
    def passages(self) -> list[tuple[Passage, int]]:
        """The passages, each with its first line in the file."""
        return list(zip(self.article.passages, self._passage_lines(), strict=True))

    def _passage_lines(self) -> list[int]:
        found, cursor, body = [], 0, self.article.body
        anchors = {heading.anchor: heading for heading in self.headings}
        for passage in self.article.passages:
            told = getattr(passage, "line", None)
            # Passages are slices of the body, in order.
            at = -1 if told else body.find(passage.text, cursor)
            if told:
                found.append(told)
            elif at >= 0:
                cursor = at + len(passage.text)
                found.append(self.above + 1 + body.count("\n", 0, at))
            else:
                heading = anchors.get(passage.anchor)
                found.append(self.line_of_heading(heading) if heading else self.above + 1)
        return found

    def line_of_field(self, name: str, item: str = "") -> int:
        """The line of a field of the front matter, 1 without it; with `item`, of that text in its
        list."""
        start = self._line_of_key(name) or 1
        if item:
            wanted = " ".join(item.split())
            for number in range(start, self.above + 1):
                if wanted in " ".join(self.lines[number - 1].split()):
                    return number
        return start

    def words_of_field(self, name: str) -> list[str]:
        """The words of a field that is a list of names, whichever way the list is written."""
        start = self._line_of_key(name)
        if start is None:
            return []
        text = re.split("[:=]", self.lines[start - 1], maxsplit=1)[1]
        for line in self.lines[start : self.above]:
            if not re.match(r"\s*-\s+\w|\s+[\w\]]", line):
                break
            text += f" {line}"
        return re.findall(r"\w[\w-]*", text.split("#")[0])

    def _line_of_key(self, name: str) -> int | None:
        key = re.compile(rf"\s*[\"']?{re.escape(name)}[\"']?\s*[:=]", re.IGNORECASE)
        lines = self.lines[: self.above]
        return next((number for number, line in enumerate(lines, 1) if key.match(line)), None)


def read_page(article: Article, source: str, path: str | PurePath) -> Page:
    """The article beside the text of its file."""
    source = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = tuple(source.split("\n"))
    # The body is what stands below the front matter, line by line.
    above = max(0, len(lines) - article.body.count("\n") - 1)
    return Page(article=article, path=str(path), lines=lines, above=above)

"""A markdown file to an `Article` and its `Passage`s. Rules only: nothing here touches a disk.

A passage is an exact slice of the file, so whoever is shown it can find it there. Files are cut at
their headings, as markdown-it sees them (CommonMark: a `#` inside a code fence is no heading).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from knowledge_base.front_matter import ArticleError, FrontMatter

Audience = Literal["public", "staff"]
AUDIENCES: tuple[Audience, ...] = ("public", "staff")

LONGEST = 1200
"""Characters above which a section is cut at its paragraphs: about what MiniLM can take in."""

FENCE = "---"


@dataclass(frozen=True)
class Passage:
    """A headed piece of an article, in the editor's own characters."""

    article_id: str
    title: str
    heading_path: tuple[str, ...]
    anchor: str
    text: str
    audience: Audience
    hash: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        object.__setattr__(self, "hash", digest)

    @property
    def url(self) -> str:
        """Where the help pages show it; text above the first heading has no anchor."""
        anchor = f"#{self.anchor}" if self.anchor else ""
        return f"/help/{self.article_id}{anchor}"

    @property
    def heading(self) -> str:
        """The nearest heading, or "" above the first."""
        return self.heading_path[-1] if self.heading_path else ""

    @property
    def headed(self) -> str:
        """The title and the headings above the text: `Returns > What it costs`."""
        return " > ".join((self.title, *self.heading_path))

    @property
    def whole(self) -> str:
        """What is indexed: the text with its headings before it."""
        return f"{self.headed}. {self.text}"


@dataclass(frozen=True)
class Article:
    """A file of the knowledge base. `id` is its path without `.md`: `returns/return-an-item`."""

    id: str
    title: str
    summary: str
    audience: Audience
    updated: date | None
    owner: str
    tags: tuple[str, ...]
    questions: tuple[str, ...]
    body: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True)
class Heading:
    """A heading of the article: its source lines are [start, end), 0-based in the body."""

    level: int
    text: str
    anchor: str
    start: int
    end: int


def parse_article(source: str, article_id: str, path: str = "") -> Article:
    """Read a whole file. `path` names it in errors. Raises ArticleError."""
    path = path or f"{article_id}.md"
    source = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = source.split("\n")
    if lines[0].rstrip() != FENCE:
        raise ArticleError(path, 1, f"no front matter; start the file with a line `{FENCE}`")
    close = next((n for n, line in enumerate(lines) if n and line.rstrip() == FENCE), None)
    if close is None:
        raise ArticleError(path, 1, f"the front matter never ends; close it with a line `{FENCE}`")
    front = FrontMatter("\n".join(lines[1:close]), path)
    title, audience = front.required("title"), front.required("audience")
    if audience not in AUDIENCES:
        raise ArticleError(
            path, front.line("audience"), f"audience {audience!r}; write `public` or `staff`"
        )
    body = "\n".join(lines[close + 1 :])
    passages = tuple(
        Passage(article_id, title, heading_path, anchor, text, audience)
        for heading_path, anchor, text in cut(body)
    )
    if not passages:
        raise ArticleError(
            path, close + 2, "no text below the front matter; write some, or delete the file"
        )
    return Article(
        id=article_id,
        title=title,
        summary=front.text("summary"),
        audience=audience,
        updated=front.date("updated"),
        owner=front.text("owner"),
        tags=front.texts("tags"),
        questions=front.texts("questions"),
        body=body,
        passages=passages,
    )


def commonmark() -> MarkdownIt:
    """The markdown that articles are written in: CommonMark with tables, HTML as plain text."""
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def cut(body: str) -> list[tuple[tuple[str, ...], str, str]]:
    """The passages of a body: (heading path, anchor, text), in order; none for empty sections."""
    tokens = commonmark().parse(body)
    lines = body.split("\n")
    found = headings(tokens)
    starts = [0, *(heading.end for heading in found)]
    ends = [*(heading.start for heading in found), len(lines)]
    borders = _borders(tokens)
    passages = []
    above: list[Heading] = []
    for heading, start, end in zip([None, *found], starts, ends, strict=True):
        if heading:
            above = [it for it in above if it.level < heading.level] + [heading]
        path = tuple(it.text for it in above)
        anchor = heading.anchor if heading else ""
        for text in _pieces(lines, start, end, borders=borders):
            passages.append((path, anchor, text))
    return passages


def headings(tokens: list[Token]) -> list[Heading]:
    """The headings among the tokens; those inside quotes and lists belong to their block."""
    found: list[Heading] = []
    taken: dict[str, int] = {}
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            text = "".join(
                " " if child.type == "softbreak" else child.content
                for child in inline.children or []
                if child.type in {"text", "code_inline", "softbreak"}
            ).strip()
            anchor = _unique(_slug(text), taken)
            found.append(Heading(int(token.tag[1:]), text, anchor, *token.map))
    return found


def _slug(text: str) -> str:
    """An anchor as GitHub makes it: lower case, no punctuation, hyphens for blanks."""
    return re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-") or "section"


def _unique(slug: str, taken: dict[str, int]) -> str:
    """`slug`, or with -1, -2, ... when it is taken already, as on GitHub."""
    anchor = slug
    while anchor in taken:
        taken[slug] += 1
        anchor = f"{slug}-{taken[slug]}"
    taken[anchor] = 0
    return anchor


def _borders(tokens: list[Token]) -> list[int]:
    """The lines at which a section may be cut: where a block, or an item of a list, begins."""
    return sorted(
        {
            token.map[0]
            for token in tokens
            if token.map
            and (token.level == 0 or (token.level == 1 and token.type == "list_item_open"))
        }
    )


def _pieces(lines: list[str], start: int, end: int, *, borders: list[int]) -> list[str]:
    """The text of lines [start, end), cut at borders where it is longer than LONGEST."""
    inside = [line for line in borders if start < line < end]
    pieces = []
    while True:
        text = _trimmed(lines[start:end])
        if len(text) <= LONGEST or not inside:
            break
        fitting = [at for at in inside if len(_trimmed(lines[start:at])) <= LONGEST]
        at = fitting[-1] if fitting else inside[0]
        # A sentence that announces a list ("To return an item:") stays with it.
        opening = fitting[-2] if len(fitting) > 1 else start
        if opening > start and _trimmed(lines[opening:at]).endswith(":"):
            at = opening
        pieces.append(_trimmed(lines[start:at]))
        start, inside = at, [line for line in inside if line > at]
    return [piece for piece in [*pieces, text] if re.search(r"\w", piece)]


def _trimmed(lines: list[str]) -> str:
    """The lines without blank ones around them; the first keeps its indent (it may be code)."""
    return re.sub(r"\A(?:[ \t]*\n)+", "", "\n".join(lines)).rstrip()

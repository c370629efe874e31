"""A markdown file to an `Article` and its `Passage`s. Rules only: nothing here touches a disk.

Any markdown file will do. What is said in its front matter counts; what is not is found in the text.
A passage is an exact slice of the file, so whoever is shown it can find it there, unless other
tools' markup was taken out of it (`markup`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import PurePath, PurePosixPath
from typing import TypeVar
from urllib.parse import quote

from knowledge_base.cut import Heading, Outline, Piece
from knowledge_base.front_matter import (
    AUDIENCES,
    ArticleError,
    Audience,
    FrontMatter,
    read_front_matter,
)
from knowledge_base.markup import clean, clean_text

__all__ = [
    "AUDIENCES",
    "ENDINGS",
    "INDEX_NAMES",
    "Article",
    "ArticleError",
    "Audience",
    "LeftOut",
    "Passage",
    "parse_article",
]

ENDINGS = (".md", ".markdown", ".mdx")
"""What the names of article files end with."""

INDEX_NAMES = frozenset({"index", "_index", "readme"})
"""Names, in small letters, of the files that are the pages of their folders."""

LONGEST_BOLD_TITLE = 100

_BOLD_LINE = re.compile(r"\s{0,3}(?:\*\*([^*]+)\*\*|__([^_]+)__)\s*")
_EXTRA_BLANKS = re.compile(r"\n(?:[ \t]*\n){2,}")
_Read = TypeVar("_Read")


class LeftOut(ArticleError):
    """A file that is meant to hold no article, which is nobody's mistake: a draft, or the page of
    a folder that has fields but no text."""


@dataclass(frozen=True)
class Passage:
    """A headed piece of an article, in the editor's own characters.

    `line` is the 1-based line of the file on which it begins; `audience` as in `Article`.
    """

    article_id: str
    title: str
    heading_path: tuple[str, ...]
    anchor: str
    text: str
    audience: Audience | None
    line: int = 1
    hash: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        object.__setattr__(self, "hash", digest)

    @property
    def url(self) -> str:
        """Where the help pages show it; text above the first heading has no anchor."""
        anchor = f"#{quote(self.anchor)}" if self.anchor else ""
        return f"/help/{quote(self.article_id)}{anchor}"

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
    """A file of the knowledge base. `id` is its path without the ending: `returns/return-an-item`.

    `path` is relative to the folder. `audience` is None as long as nobody said who may read it: the
    folder decides (`for_audience`). `body` is without other tools' markup and without the title, in
    as many lines as the file has below its front matter. `notes` are mistakes that do not keep it
    from being served: (1-based line, what to do).
    """

    id: str
    title: str
    summary: str
    audience: Audience | None
    updated: date | None
    owner: str
    tags: tuple[str, ...]
    questions: tuple[str, ...]
    body: str
    passages: tuple[Passage, ...]
    path: str = ""
    headings: tuple[Heading, ...] = ()
    notes: tuple[tuple[int, str], ...] = ()

    @property
    def url(self) -> str:
        """Where the help pages show it."""
        return f"/help/{quote(self.id)}"

    def for_audience(self, audience: Audience) -> Article:
        """The same article for these readers."""
        passages = tuple(replace(passage, audience=audience) for passage in self.passages)
        return replace(self, audience=audience, passages=passages)


def parse_article(source: str, article_id: str, path: str = "") -> Article:
    """Read a whole file. `path` names it in errors. Raises ArticleError, LeftOut among them."""
    path = path or f"{article_id}.md"
    ending = PurePath(path).suffix
    source = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = source.split("\n")
    front, above = read_front_matter(lines, path)
    if front.draft:
        raise LeftOut(path, 1, "a draft")
    audience = front.audience()
    own = lines[above:]
    cleaned = clean("\n".join(own), mdx=ending.lower() == ".mdx")
    outline = Outline(cleaned.text, cleaned.anchors)
    notes = list(front.repeated)

    def lenient(read: Callable[[str], _Read], name: str, without: _Read) -> _Read:
        """A field, or what an article without it has."""
        try:
            return read(name)
        except ArticleError as error:
            notes.append((error.line, error.message))
            return without

    stated = clean_text(lenient(front.text, "title", ""))
    title = _take_title(outline, stated, own) or _readable_name(article_id, path)
    passages = tuple(
        _passage(piece, article_id, title, audience=audience, above=above, own=own)
        for piece in outline.pieces()
    )
    if not passages:
        raise _without_text(path, lines, above)
    return Article(
        id=article_id,
        title=title,
        summary=clean_text(lenient(front.text, "summary", "") or _summary_elsewhere(front)),
        audience=audience,
        updated=lenient(front.date, "updated", None),
        owner=lenient(front.text, "owner", ""),
        tags=lenient(front.texts, "tags", ()),
        questions=lenient(front.texts, "questions", ()),
        body=outline.body,
        passages=passages,
        path=f"{article_id}{ending}",
        headings=tuple(outline.headings),
        notes=tuple(sorted(notes)),
    )


def _summary_elsewhere(front: FrontMatter) -> str:
    """The summary as other tools call it. Not ours, so nothing in there is a mistake."""
    for name in ("description", "intro"):
        try:
            if text := front.text(name):
                return text
        except ArticleError:
            continue
    return ""


def _take_title(outline: Outline, stated: str, own: list[str]) -> str:
    """The title: as stated, or the first H1, or a bold first line; "" without any.

    It is shown above the article, so it is taken out of the body if it is there too.
    """
    first = next((it for it in outline.headings if it.level == 1 and it.text), None)
    if first and (not stated or _words(first.text) == _words(stated)):
        outline.drop(first.start, first.end)
        return stated or first.text
    opening = outline.tokens[0] if outline.tokens else None
    if stated or first or opening is None or not opening.map:
        return stated
    line = outline.lines[opening.map[0]]
    bold = _BOLD_LINE.fullmatch(line)
    # As the author wrote it: a bold line may be what is left of a box's mark.
    if not bold or opening.map[1] - opening.map[0] > 1 or line != own[opening.map[0]]:
        return ""
    text = " ".join((bold[1] or bold[2]).split())
    if text.endswith((":", ".", "!")) or len(text) > LONGEST_BOLD_TITLE:
        return ""
    outline.drop(*opening.map)
    return text


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _readable_name(article_id: str, path: str) -> str:
    """`reset-your-password` is "Reset your password"; the page of a folder has the folder's name."""
    folder, name = PurePath(path).parent.name, PurePosixPath(article_id).name
    if name.casefold() in INDEX_NAMES:
        name = PurePosixPath(article_id).parent.name or folder or name
    # Numbers that keep files in order ("01-start", "2. Pay") and Jekyll's dates.
    name = re.sub(r"^(?:\d{4}-\d\d-\d\d-|0\d*[-_. ]+|\d+\.[-_ ]*)(?=\D)", "", name)
    words = " ".join(re.sub(r"[-_]+", " ", name).split())
    return words[:1].upper() + words[1:] or name


def _passage(
    piece: Piece,
    article_id: str,
    title: str,
    *,
    audience: Audience | None,
    above: int,
    own: list[str],
) -> Passage:
    text = piece.text
    written = "\n".join(own[piece.line : piece.line + text.count("\n") + 1])
    if text not in written:
        # Markup was taken out here, and left more blank lines than anybody wants.
        text = _EXTRA_BLANKS.sub("\n\n", text)
    line = above + piece.line + 1
    return Passage(article_id, title, piece.heading_path, piece.anchor, text, audience, line)


def _without_text(path: str, lines: list[str], above: int) -> ArticleError:
    if not any(line.strip() for line in lines):
        return ArticleError(path, 1, "the file is empty; write some text, or delete it")
    bare = not any(line.strip() for line in lines[above:])
    if above and bare and PurePath(path).stem.casefold() in INDEX_NAMES:
        return LeftOut(path, 1, "the page of a folder, without text")
    place = "below the front matter" if above else "but headings and other tools' markup"
    return ArticleError(path, above + 1, f"no text {place}; write some, or delete the file")

"""Headings, pictures and passages as the reader and the index need them. Rules only."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from knowledge_base.check.finding import Finding
from knowledge_base.check.library import Library
from knowledge_base.check.links import links_of
from knowledge_base.check.page import Page
from knowledge_base.cut import LONGEST

LONGEST_HEADING = 120
"""Characters; what is longer was probably made a heading by a line of hyphens below it."""

MOST_PIECES = 3
"""Pieces into which a section is cut before its author should set sub-headings."""

_NO_HEADING = re.compile(r"#{2,6}[^\W\d_]|#[^\W\d_][\w'’-]*\s+\S")
_FILE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif|webp|svg|bmp|tiff?)", re.IGNORECASE)


def headings(page: Page, library: Library) -> Iterator[Finding]:
    """Headings that are empty, repeated, skip a level, or are none.

    The bot cuts articles at their headings and finds passages by them: two that are called the
    same, or one without words, cannot be told apart.
    """
    yield from _levels(page)
    yield from _repeated(page)
    for heading in page.headings:
        place = page.place(page.line_of_heading(heading))
        if not re.search(r"\w", heading.text):
            yield Finding("headings", "warning", place, "an empty heading; name it or delete it")
        elif len(heading.text) > LONGEST_HEADING:
            yield Finding(
                "headings",
                "warning",
                place,
                f"a heading of {len(heading.text)} characters; shorten it, or if it is text, put a "
                "blank line between it and the line of `---` or `===` below",
            )
        elif _is_bare(page, heading):
            yield Finding(
                "headings", "warning", place, f"no text below “{heading.text}”; write some"
            )
    for block in page.blocks:
        if block.kind == "paragraph" and _NO_HEADING.match(block.prose):
            yield Finding(
                "headings",
                "warning",
                page.place(block.line),
                "no heading to markdown; put a blank after the `#`",
            )


def _levels(page: Page) -> Iterator[Finding]:
    tops = [heading for heading in page.headings if heading.level == 1]
    for heading in tops[1:]:
        yield Finding(
            "headings",
            "warning",
            page.place(page.line_of_heading(heading)),
            f"“{heading.text}” is another top heading; an article has one at most, so write `##`",
            page.place(page.line_of_heading(tops[0])),
        )
    # The title stands above the first heading, as level 1.
    levels = [1, *(heading.level for heading in page.headings)]
    for (before, level), heading in zip(pairwise(levels), page.headings, strict=True):
        if level > before + 1:
            yield Finding(
                "headings",
                "warning",
                page.place(page.line_of_heading(heading)),
                f"“{heading.text}” skips a level: `{'#' * level}` below `{'#' * before}`; write "
                f"`{'#' * (before + 1)}`",
            )


def _repeated(page: Page) -> Iterator[Finding]:
    first: dict[str, int] = {}
    above: list = []
    paths: dict[str, tuple] = {}
    for heading in page.headings:
        above = [it for it in above if it.level < heading.level] + [heading]
        path = tuple(it.text.casefold() for it in above)
        name, line = heading.text.casefold(), page.line_of_heading(heading)
        if name and name in first:
            same = paths[name] == path
            yield Finding(
                "headings",
                "warning" if same else "note",
                page.place(line),
                f"“{heading.text}” is there twice; say in each what sets it apart",
                page.place(first[name]),
            )
        first.setdefault(name, line)
        paths.setdefault(name, path)


def _is_bare(page: Page, heading) -> bool:
    """Whether neither text nor a deeper heading follows."""
    at = page.headings.index(heading)
    following = page.headings[at + 1] if at + 1 < len(page.headings) else None
    if following and following.level > heading.level:
        return False
    lines = page.article.body.split("\n")
    end = following.start if following else len(lines)
    return not any(re.search(r"\w", line) for line in lines[heading.end : end])


def alt_text(page: Page, library: Library) -> Iterator[Finding]:
    """Pictures without a description.

    The chat shows the description in place of the picture, and so do screen readers.
    """
    for link in links_of(page):
        if not link.picture:
            continue
        if not link.words.strip() or _FILE_NAME.fullmatch(link.words.strip()):
            yield Finding(
                "alt-text",
                "warning",
                page.place(link.line),
                f"no description of the picture `{link.target}`; say between the square brackets "
                "what it shows",
            )


def long_passages(page: Page, library: Library) -> Iterator[Finding]:
    """Passages that are too long to be found by what stands at their end.

    The encoder reads about as much as `parse.LONGEST`; and a customer wants no screenful.
    """
    pieces: Counter[str] = Counter()
    first: dict[str, int] = defaultdict(int)
    for passage, line in page.passages:
        pieces[passage.anchor] += 1
        first.setdefault(passage.anchor, line)
        if len(passage.text) > LONGEST:
            yield Finding(
                "long-passages",
                "warning",
                page.place(line),
                f"{len(passage.text)} characters in one piece, of which about {LONGEST} can be "
                "found; break it into paragraphs or give its parts headings",
            )
    for anchor, count in pieces.items():
        if count > MOST_PIECES:
            yield Finding(
                "long-passages",
                "note",
                page.place(first[anchor]),
                f"this section is cut into {count} answers that all have the same heading; give "
                "its parts headings of their own",
            )

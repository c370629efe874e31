"""Takes out of a body what other tools make something else of, and keeps what readers would see.

Jekyll, Docusaurus and other MDX, MkDocs, Hugo, GitHub, and HTML in markdown: people shall read none
of their marks, and the index shall hold none. Code is left as it is; so is everything where there
is no such markup. A body keeps its lines, so line numbers stay right. Pure functions, linear time.

lines.py      comments, boxes, imports: markup that takes whole lines
templates.py  Liquid, Hugo's shortcodes, kramdown's attributes
tags.py       HTML and JSX, with tables.py and dedent.py
code.py       where code is, and how replacements are made
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from knowledge_base.markup import lines, tags, templates


@dataclass(frozen=True)
class Cleaned:
    """A body without markup, in as many lines, and the ids that its author gave to headings, by
    the 0-based line of the heading."""

    text: str
    anchors: Mapping[int, str] = field(default_factory=dict)


def clean(body: str, mdx: bool = False) -> Cleaned:
    """The body as readers would see it; `mdx` if braces hold expressions, as in .mdx files."""
    anchors: dict[int, str] = {}
    text = body
    if lines.ANY.search(text):
        text = lines.clean_lines(text, mdx)
    text = templates.clean_templates(text, anchors)
    text = tags.clean_tags(text, mdx, anchors)
    return Cleaned(text, anchors)


def clean_text(text: str) -> str:
    """A title or a summary as readers would see it, on one line."""
    return " ".join(tags.clean_tags(templates.clean_templates(text), one_line=True).split())

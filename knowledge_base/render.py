"""An article to safe HTML for the help pages.

Safe because markdown-it shows HTML in the source as text and refuses `javascript:`, `vbscript:`,
`file:` and most `data:` addresses (its `validateLink`).
"""

from __future__ import annotations

import posixpath
from urllib.parse import SplitResult, urlsplit

from markdown_it.token import Token

from knowledge_base.parse import Article, commonmark, headings


def to_html(article: Article) -> str:
    """The article's body as HTML; a passage's anchor is the id of its heading there."""
    markdown = commonmark()
    tokens = markdown.parse(article.body)
    by_line = {heading.start: heading.anchor for heading in headings(tokens)}
    for token in tokens:
        if token.type == "heading_open" and token.level == 0 and token.map:
            token.attrSet("id", by_line[token.map[0]])
        for child in token.children or []:
            if child.type == "link_open":
                _direct(child, article.id)
    return markdown.renderer.render(tokens, markdown.options, {})


def address(href: str, article_id: str) -> str:
    """Where a link in this article leads on the help pages.

    `../refunds/refund-times.md#gift` in `returns/return-an-item` is
    `/help/refunds/refund-times#gift`; everything else stays as it is.
    """
    parts = _split(href)
    if parts.scheme or parts.netloc or parts.path.startswith("/") or not parts.path.endswith(".md"):
        return href
    target = posixpath.normpath(posixpath.join(posixpath.dirname(article_id), parts.path))
    if target.startswith(".."):
        return href  # out of the knowledge base: nothing that we could show
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"/help/{target.removesuffix('.md')}{fragment}"


def _split(href: str) -> SplitResult:
    """The parts of an address; of an impossible one (`http://[`), none."""
    try:
        return urlsplit(href)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _direct(link: Token, article_id: str) -> None:
    """Point a link at the help pages, or make it leave them without telling where from."""
    href = address(str(link.attrGet("href") or ""), article_id)
    link.attrSet("href", href)
    if _split(href).netloc:
        link.attrSet("rel", "noopener noreferrer")
        link.attrSet("target", "_blank")

"""An article to safe HTML for the help pages.

Safe because markdown-it shows HTML in the source as text and refuses `javascript:`, `vbscript:`,
`file:` and most `data:` addresses (its `validateLink`).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from urllib.parse import SplitResult, quote, unquote, urlsplit

from markdown_it.token import Token

from knowledge_base.cut import commonmark
from knowledge_base.parse import ENDINGS, Article

MayLink = Callable[[str], bool]
"""Whether there is an article of this id that the readers of the page may see."""

_INDEXES = ("index", "README", "_index")
_LINK = re.compile(r"(?<!!)\[(?P<label>[^\[\]]*)\]\((?P<to>[^()\s]+)(?:\s+\"[^\"]*\")?\)")
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


def to_html(article: Article, may_link: MayLink) -> str:
    """The article's body as HTML; a passage's anchor is the id of its heading there.

    A link to an article that `may_link` does not know is shown as its text alone, so no page tells
    where articles are that its readers may not see. The title is not part of it.
    """
    markdown = commonmark()
    tokens = markdown.parse(article.body)
    by_line = {heading.start: heading.anchor for heading in article.headings}
    some_right_to_left = bool(_RIGHT_TO_LEFT.search(article.body))
    for token in tokens:
        heading = token.type == "heading_open" and token.level == 0 and token.map
        if heading and (anchor := by_line.get(heading[0])):
            token.attrSet("id", anchor)
        if some_right_to_left and token.nesting == 1 and token.type != "inline":
            token.attrSet("dir", "auto")
        if token.children:
            token.children = _directed(token.children, article.id, may_link)
    return markdown.renderer.render(tokens, markdown.options, {})


def address(href: str, article_id: str, may_link: MayLink) -> str | None:
    """Where a link in this article leads on the help pages; None if it shall be no link.

    `../refunds/refund-times.md#gift` in `returns/return-an-item` is
    `/help/refunds/refund-times#gift`. So are `refund-times` and `refund-times.html`, as other tools
    write it, and `../refunds/` is the page of that folder. What leads elsewhere stays as it is.
    """
    parts = _split(href)
    if parts.scheme or parts.netloc or not parts.path:
        return href
    path = unquote(parts.path)
    stem, ending = posixpath.splitext(path)
    to_article = ending.lower() in ENDINGS
    if path.startswith("/help/"):
        targets = [path.removeprefix("/help/").rstrip("/")]
        if not targets[0]:
            return href
    elif path.startswith("/"):
        if not to_article:
            return href
        targets = [stem.lstrip("/")]
    elif ending and not to_article and ending.lower() != ".html" and not path.endswith("/"):
        targets = _beside(article_id, path)
        # `version-2.0` has no ending, and `picture.png` is no article.
        if not any(map(may_link, targets)):
            return href
    else:
        targets = _beside(article_id, stem if to_article or ending.lower() == ".html" else path)
    if targets[0].startswith(".."):
        return href  # out of the knowledge base: nothing that we could show
    found = next((it for it in targets if may_link(it)), None)
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"/help/{quote(found)}{fragment}" if found else None


def linked(text: str, article_id: str, may_link: MayLink) -> str:
    """Markdown of this article for a reader elsewhere, as in a chat: its links lead to the help
    pages, and those that lead nowhere are their text alone. No other character changes."""

    def led(match: re.Match[str]) -> str:
        href = address(match["to"], article_id, may_link)
        return match["label"] if href is None else f"[{match['label']}]({href})"

    return _LINK.sub(led, text)


def _beside(article_id: str, path: str) -> list[str]:
    """The ids that a relative path may mean."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(article_id), path))
    if target == ".":
        return list(_INDEXES)
    return [target, *(f"{target}/{name}" for name in _INDEXES)]


def _split(href: str) -> SplitResult:
    """The parts of an address; of an impossible one (`http://[`), none."""
    try:
        return urlsplit(href)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _directed(children: list[Token], article_id: str, may_link: MayLink) -> list[Token]:
    """The inline tokens with links that lead somewhere and images that can be shown."""
    kept: list[Token] = []
    dropped = False
    for token in children:
        if token.type == "link_open":
            href = address(str(token.attrGet("href") or ""), article_id, may_link)
            dropped = href is None
            if href is not None:
                _point(token, href)
        if dropped and token.type in ("link_open", "link_close"):
            continue
        kept.append(_described(token) if token.type == "image" else token)
    return kept


def _point(link: Token, href: str) -> None:
    """Point a link at the help pages, or make it leave them without telling where from."""
    link.attrSet("href", href)
    if _split(href).netloc:
        link.attrSet("rel", "noopener noreferrer")
        link.attrSet("target", "_blank")


def _described(image: Token) -> Token:
    """An image, or its alternative text where the help pages have no such file to show.

    They serve no files from the folder, and their Content-Security-Policy lets none in from
    elsewhere.
    """
    source = str(image.attrGet("src") or "")
    if source.startswith("data:") or (source.startswith("/") and not source.startswith("//")):
        return image
    content = "".join(child.content for child in image.children or [])
    return Token("text", "", 0, content=content)

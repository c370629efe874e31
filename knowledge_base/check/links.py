"""Links and pictures that lead nowhere. Rules only: nothing is fetched from anywhere."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import SplitResult, unquote, urlsplit

from markdown_it.token import Token

from knowledge_base.check.finding import Finding
from knowledge_base.check.library import Library
from knowledge_base.check.page import Page

HELP = "/help/"
"""Where the help pages show an article."""

ENDINGS = (".md", ".markdown", ".mdx")
INDEXES = ("index", "README", "_index")
"""Articles that are the pages of their folders."""

# Markdown that was meant as a link and is shown as it is typed.
_UNREAD = re.compile(
    r"\[[^\]\n]{1,200}\]\s?\([^)\n]{0,400}\)?|\[[^\]\n]{1,200}\]\[[^\]\n]{0,200}\]|\[\[[^\]\n]+\]\]"
)
_HOST = re.compile(r"(?:[\w-]+\.)+[^\W\d_]{2,}|localhost|[\d.]+|\[[\da-f:]+\]", re.IGNORECASE)
_BARE = re.compile(r"(?:www\.|[\w-]+\.(?:com|org|net|co\.uk|uk|eu|de|fr|io)\b)", re.IGNORECASE)
_MAIL = re.compile(r"[^@\s]+@(?:[\w-]+\.)+[\w-]{2,}")
_PHONE = re.compile(r"\+?[\d().\s-]{3,}")


@dataclass(frozen=True)
class Link:
    """A link or a picture: its address as written and the line of the file; of a picture also
    the words that describe it."""

    target: str
    line: int
    picture: bool = False
    words: str = ""


def links(page: Page, library: Library) -> Iterator[Finding]:
    """Links to articles, headings, files and pictures that are not there.

    A customer who follows one ends on "not found"; in the chat some are no links at all.
    """
    for link in links_of(page):
        problem = _broken(link, page, library)
        if problem:
            severity, message = problem
            yield Finding("links", severity, page.place(link.line), message)
    for block in page.blocks:
        match = _UNREAD.search(block.prose)
        if match:
            line = block.line + block.prose.count("\n", 0, match.start())
            yield Finding(
                "links",
                "error",
                page.place(line),
                f"`{match[0]}` is no link to markdown, customers see it as it is typed; "
                "write `[words](address)` without blanks, or a backslash before the `[`",
            )


def staff_links(page: Page, library: Library) -> Iterator[Finding]:
    """Links from a public article to one for staff.

    Customers get "not found" there, and learn the name of a paper that is none of their business.
    """
    if page.article.audience != "public":
        return
    for link in links_of(page):
        target = _article_of(link.target, page.article.id)
        other = library.pages.get(target[0]) if target else None
        if other and other.article.audience == "staff":
            yield Finding(
                "staff-links",
                "error",
                page.place(link.line),
                f"customers read this article, but {other.article.id} is for staff; take the link "
                "out, or say the customers' part of it here",
                other.place(1),
            )


def external_links(page: Page, library: Library) -> Iterator[Finding]:
    """Addresses outside the knowledge base that cannot be right. Only their form is looked at.

    A mistyped address is no link in the chat, or leads to somebody else.
    """
    for link in links_of(page):
        message = _impossible(link.target)
        if message:
            yield Finding(
                "external-links", "warning", page.place(link.line), f"`{link.target}`: {message}"
            )


def links_of(page: Page) -> Iterator[Link]:
    """Every link and picture of an article, in order; those in tables and lists too."""
    for token in page.tokens:
        if token.type == "inline" and token.map:
            line = page.above + 1 + token.map[0]
            for child in token.children or []:
                if child.type in {"softbreak", "hardbreak"}:
                    line += 1
                elif child.type == "link_open":
                    yield Link(_address(child, "href"), line)
                elif child.type == "image":
                    yield Link(_address(child, "src"), line, True, child.content)


def _address(token: Token, name: str) -> str:
    return unquote(str(token.attrGet(name) or ""))


def _broken(link: Link, page: Page, library: Library) -> tuple | None:
    if not link.target.strip():
        return "error", "a link without an address; write one between the round brackets"
    parts = _parts(link.target)
    if parts is None or parts.scheme or parts.netloc or _is_bare(link.target):
        return None  # what external_links looks at
    if link.target.startswith("#"):
        return _anchor(parts.fragment, page, page)
    target = _article_of(link.target, page.article.id)
    if target is None:
        return None if parts.path.startswith("/") else _file(link, page, library)
    article_id, fragment = target
    other = library.pages.get(article_id)
    if other:
        return _anchor(fragment, page, other) if fragment else None
    if article_id == ".." or article_id.startswith("../"):
        return "error", f"`{link.target}` leads out of the folder of articles; link to an article"
    return "error", (
        f"no article `{article_id}`{_perhaps(article_id, library.pages)}; correct the link, or "
        "write the article"
    )


def _file(link: Link, page: Page, library: Library) -> tuple | None:
    """A relative address that does not end in .md."""
    path = _parts(link.target).path
    there = posixpath.normpath(posixpath.join(posixpath.dirname(page.article.id), path))
    for name in (there, there.removesuffix(".html"), *(f"{there}/{it}" for it in INDEXES)):
        if name in library.pages:
            return "warning", f"in the chat `{link.target}` is no link; write the file's name"
    if there.startswith("..") or not library.has_file(there):
        kind = "picture" if link.picture else "file"
        return "error", f"no {kind} `{there}` beside the articles; correct the address, or add it"
    return None


def _anchor(fragment: str, page: Page, other: Page) -> tuple | None:
    anchors = [heading.anchor for heading in other.headings]
    if not fragment or fragment in anchors:
        return None
    where = "this article" if other is page else other.article.id
    return "error", (
        f"no heading `#{fragment}` in {where}{_perhaps(fragment, anchors)}; correct what follows "
        "the `#`"
    )


def _article_of(target: str, article_id: str) -> tuple[str, str] | None:
    """The article and the heading that an address means; None for what is no article's address."""
    parts = _parts(target)
    if parts is None or parts.scheme or parts.netloc or _is_bare(target):
        return None
    if parts.path.startswith(HELP):
        return parts.path.removeprefix(HELP).rstrip("/"), parts.fragment
    stem, ending = posixpath.splitext(parts.path)
    if ending.lower() not in ENDINGS:
        return None
    if stem.startswith("/"):
        return stem.lstrip("/"), parts.fragment
    there = posixpath.normpath(posixpath.join(posixpath.dirname(article_id), stem))
    return there, parts.fragment


def _impossible(target: str) -> str:
    """Why an address outside the knowledge base cannot be right; "" where nothing is wrong."""
    parts = _parts(target)
    if parts is None:
        return "no address; correct it"
    scheme = parts.scheme.lower()
    if scheme in {"http", "https"}:
        if not _HOST.fullmatch(parts.hostname or ""):
            return "no web address; write it like https://www.example.com/page"
    elif scheme == "mailto":
        if not all(_MAIL.fullmatch(it.strip()) for it in parts.path.split(",")):
            return "no e-mail address; write it like mailto:help@example.com"
    elif scheme == "tel":
        if not _PHONE.fullmatch(parts.path):
            return "no phone number; write it like tel:+441134960000"
    elif scheme:
        return "the chat follows only https, mailto and tel; use one of them"
    elif _is_bare(target):
        return f"read as a file beside the articles; write https://{target}"
    return ""


def _is_bare(target: str) -> bool:
    """Whether it is a web address without its https://."""
    return bool(_BARE.match(target)) and not target.endswith(ENDINGS)


def _parts(target: str) -> SplitResult | None:
    try:
        parts = urlsplit(target)
        parts.port  # noqa: B018 (raises for an impossible one)
    except ValueError:
        return None
    return parts


def _perhaps(wanted: str, known) -> str:
    close = get_close_matches(wanted, list(known), n=1, cutoff=0.7)
    if not close:
        ending = wanted.rsplit("/", 1)[-1]
        close = [it for it in known if it.rsplit("/", 1)[-1] == ending][:1]
    return f" (perhaps `{close[0]}`)" if close else ""

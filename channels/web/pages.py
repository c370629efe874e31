"""The public pages: the demo shop, the help articles, and everything the widget consists of.

All of it is rendered on the server and readable without JavaScript; only the chat itself needs it.
Every answer carries a strict Content-Security-Policy: no inline script or style anywhere.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.settings import Settings
from knowledge_base import render
from knowledge_base.parse import Article
from knowledge_base.search import KnowledgeBase

HERE = Path(__file__).resolve().parent

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}

# Folders of articles, in the order in which customers look for them; others follow by name.
_TOPICS = {
    "ordering": "Ordering",
    "payment": "Payment",
    "shipping": "Delivery",
    "returns": "Returns",
    "exchanges": "Exchanges",
    "refunds": "Refunds",
    "warranty-and-repair": "Warranty and repair",
    "sizing-and-care": "Sizing and care",
    "gift-cards": "Gift cards",
    "loyalty": "Trail Club",
    "account": "Your account",
    "shops-and-contact": "Shops and contact",
    "accessibility": "Accessibility",
    "privacy-and-data": "Privacy and data",
}

# What the shop's front page points at; those that do not exist are left out.
_TEASER = (
    "shipping/delivery-prices-and-times",
    "returns/return-an-item",
    "ordering/order-number-and-status",
    "exchanges/exchange-an-item",
    "refunds/refund-times",
    "warranty-and-repair/warranty-cover",
)


@dataclass(frozen=True)
class Page:
    """A body ready to be sent, with its tag and its compressed form."""

    body: bytes
    packed: bytes
    tag: str
    content_type: str

    @classmethod
    def of(cls, body: bytes, suffix: str) -> Page:
        tag = f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'
        return cls(body, gzip.compress(body, 6, mtime=0), tag, _TYPES[suffix])

    def answer(self, request: Request, policy: str, status: int = 200) -> Response:
        headers = {
            "ETag": self.tag,
            "Cache-Control": "no-cache",
            "Vary": "Accept-Encoding",
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
        }
        if status == 200 and _holds(request.headers.get("if-none-match", ""), self.tag):
            return Response(status_code=304, headers=headers)
        body = self.body
        if "gzip" in request.headers.get("accept-encoding", ""):
            body, headers["Content-Encoding"] = self.packed, "gzip"
        return Response(body, status, headers, self.content_type)


def router(knowledge_base: KnowledgeBase, settings: Settings) -> APIRouter:
    """The public pages over this knowledge base."""
    routes = APIRouter(include_in_schema=False)
    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["business"] = settings.business_name
    files = {
        path.name: Page.of(path.read_bytes(), path.suffix)
        for path in (HERE / "static").iterdir()
        if path.suffix in _TYPES
    }
    page_policy = policy()
    frame_policy = policy(embeds=False, ancestors=("'self'", *settings.allowed_origins))
    frame = Page.of(
        templates.get_template("frame.html")
        .render(
            origins=" ".join(settings.allowed_origins),
            limit=settings.max_message_characters,
            texting=bool(settings.twilio_tokens),
        )
        .encode(),
        ".html",
    )

    def html(template: str, **values: Any) -> Page:
        return Page.of(templates.get_template(template).render(values).encode(), ".html")

    def missing(request: Request) -> Response:
        return html("missing.html").answer(request, page_policy, 404)

    def get(path: str) -> Any:
        return routes.api_route(path, methods=["GET", "HEAD"], response_class=Response)

    def is_public(article_id: str) -> bool:
        return knowledge_base.article(article_id, "public") is not None

    @get("/")
    def shop(request: Request) -> Response:
        articles = [knowledge_base.article(article_id, "public") for article_id in _TEASER]
        teaser = [(topic_name(_folder(it.id)), it) for it in articles if it]
        return html("shop.html", teaser=teaser).answer(request, page_policy)

    @get("/help")
    def help_list(request: Request) -> Response:
        topics = by_topic(knowledge_base.articles("public"))
        return html("help.html", topics=topics).answer(request, page_policy)

    @get("/help/{article_id:path}")
    def help_article(article_id: str, request: Request) -> Response:
        if not article_id:
            return help_list(request)
        # An article for staff is not found here, exactly like one that does not exist.
        article = knowledge_base.article(article_id, "public")
        if article is None:
            return missing(request)
        page = html(
            "article.html",
            article=article,
            topic=topic_name(_folder(article.id)),
            body=render.to_html(article, is_public),
            related=_related(article, knowledge_base.articles("public")),
        )
        return page.answer(request, page_policy)

    @get("/widget.js")
    def loader(request: Request) -> Response:
        response = files["widget.js"].answer(request, policy(embeds=False))
        # Shops that isolate their pages (COEP) may still load it.
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    @get("/widget/frame")
    def widget_frame(request: Request) -> Response:
        return frame.answer(request, frame_policy)

    @get("/widget/{name}")
    def widget_file(name: str, request: Request) -> Response:
        if name not in files:
            return missing(request)
        return files[name].answer(request, policy(embeds=False))

    return routes


def policy(embeds: bool = True, ancestors: Iterable[str] = ("'none'",)) -> str:
    """The Content-Security-Policy of a page; ``embeds`` allows the chat's frame inside it."""
    rules = [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        *(["frame-src 'self'"] if embeds else []),
        "base-uri 'none'",
        "form-action 'self'",
        f"frame-ancestors {' '.join(ancestors)}",
    ]
    return "; ".join(rules)


def by_topic(articles: Iterable[Article]) -> list[tuple[str, list[Article]]]:
    """Articles grouped by folder, the folders in the order in which customers look for them."""
    folders: dict[str, list[Article]] = {}
    for article in articles:
        folders.setdefault(_folder(article.id), []).append(article)
    known = list(_TOPICS)
    ordered = sorted(folders, key=lambda it: (known.index(it) if it in known else len(known), it))
    return [(topic_name(name), sorted(folders[name], key=_title)) for name in ordered]


def topic_name(folder: str) -> str:
    return _TOPICS.get(folder) or folder.replace("-", " ").replace("_", " ").capitalize()


def _folder(article_id: str) -> str:
    return article_id.rpartition("/")[0] or "general"


def _title(article: Article) -> str:
    return article.title.casefold()


def _related(article: Article, articles: Iterable[Article]) -> list[Article]:
    """Its neighbours in the same folder."""
    folder = _folder(article.id)
    same = [it for it in articles if _folder(it.id) == folder and it.id != article.id]
    return sorted(same, key=_title)[:5]


def _holds(if_none_match: str, tag: str) -> bool:
    """Whether the browser already has this version; weak comparison, as for any cache."""
    known = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return "*" in known or tag.removeprefix("W/") in known

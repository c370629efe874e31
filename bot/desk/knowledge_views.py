"""What the editors' pages show, made of articles, findings and results. No request, no store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bot.desk.lately import Findings
from bot.desk.preview import Said
from bot.editing import Use
from bot.views import iso
from knowledge_base import render
from knowledge_base.cut import commonmark
from knowledge_base.parse import Article, Passage
from knowledge_base.search import ArticleProblem, KnowledgeBase, Result

SHOWN_HITS = 8

KINDS = {
    "answer": "An article answers this",
    "no_article": "No article answers this",
}
WHY = {
    "no_article": "no article answered",
    "not_helpful": "the answer did not help",
    "asked_for_person": "asked for a person after the answer",
    "bad_rating": "rated badly afterwards",
}
ADVICE = {
    "close": "It answers by now. If that is enough, close this.",
    "improve": "It answers, but not to customers’ content. See what it lacks.",
    "publish": "Only staff can read it. Write for customers what they may know of it.",
    "extend": "It comes near. Extend it, or write another one.",
    "write": "Nothing comes near. Write a new article.",
}
SORTS = ("title", "audience", "updated", "owner", "problems", "answered", "badly")


@dataclass(frozen=True)
class Problem:
    """Something to be put right: the file below the folder, the line, the article's id."""

    file: str
    line: int
    message: str
    article_id: str


@dataclass(frozen=True)
class Row:
    """An article in the list."""

    id: str
    title: str
    audience: str
    updated: date | None
    owner: str
    problems: int
    answered: int
    badly: int


@dataclass(frozen=True)
class Cited:
    """A passage, how often it was cited, and how often an earlier wording of it was."""

    passage: Passage
    now: int
    earlier: int


def kind_in_words(kind: str) -> str:
    """What a result's kind means; one that is not known here by its own name."""
    return KINDS.get(kind) or kind.replace("_", " ").capitalize()


def why_in_words(why: str) -> str:
    return WHY.get(why) or why.replace("_", " ")


def problems(found: Iterable[ArticleProblem], folder: Path) -> list[Problem]:
    shown = []
    for problem in found:
        path = Path(problem.path)
        name = path.relative_to(folder) if path.is_relative_to(folder) else path
        article_id = name.as_posix().removesuffix(".md")
        shown.append(Problem(name.as_posix(), problem.line, problem.message, article_id))
    return shown


def rows(
    articles: Iterable[Article],
    faults: Sequence[Problem],
    findings: Findings | None,
    *,
    find: str = "",
    sort: str = "title",
    down: bool = False,
) -> list[Row]:
    """The list of articles: those that hold all words of ``find``, sorted by a column."""
    uses = findings.record.uses if findings else {}
    words = find.casefold().split()
    shown = []
    for article in articles:
        text = " ".join((article.id, article.title, article.owner, *article.tags)).casefold()
        if all(word in text for word in words):
            use = uses.get(article.id, Use())
            faulty = sum(fault.article_id == article.id for fault in faults)
            shown.append(
                Row(
                    article.id,
                    article.title,
                    article.audience,
                    article.updated,
                    article.owner,
                    faulty,
                    use.answered,
                    use.badly,
                )
            )
    shown.sort(key=lambda row: row.title.casefold())
    shown.sort(key=lambda row: _rank(row, sort), reverse=down)
    return shown


def _rank(row: Row, sort: str) -> Any:
    value = getattr(row, sort)
    if sort == "updated":
        return value or date.min  # never noted: as if it were the oldest
    return value.casefold() if isinstance(value, str) else value


def cited(article: Article, use: Use) -> list[Cited]:
    """Each passage with its citations. Those of a wording that is gone count for its section."""
    of_now: dict[str, int] = {}
    for passage in article.passages:
        of_now[passage.anchor] = of_now.get(passage.anchor, 0) + use.by_hash[passage.hash]
    shown, seen = [], set()
    for passage in article.passages:
        first = passage.anchor not in seen
        seen.add(passage.anchor)
        earlier = use.by_anchor[passage.anchor] - of_now[passage.anchor] if first else 0
        shown.append(Cited(passage, use.by_hash[passage.hash], max(0, earlier)))
    return shown


def article_html(article: Article, knowledge_base: KnowledgeBase) -> str:
    """The article as customers get it, with links to its neighbours' pages at the desk."""
    return _at_the_desk(render.to_html(article, _at_hand(knowledge_base)))


def passage_html(passage: Passage, knowledge_base: KnowledgeBase) -> str:
    """A passage as it is shown in an answer."""
    return _html(passage.text, knowledge_base.article(passage.article_id, "staff"), knowledge_base)


def said(message: Said, knowledge_base: KnowledgeBase) -> dict[str, Any]:
    """A message of the bot, its links starting from the article that it cites."""
    cites = str(message.sources[0].get("article", "")) if message.sources else ""
    article = knowledge_base.article(cites, "staff") if cites else None
    html = _html(message.text, article, knowledge_base)
    return {"html": html, "sources": message.sources, "buttons": message.buttons}


def _html(text: str, article: Article | None, knowledge_base: KnowledgeBase) -> str:
    if article is None:
        return _at_the_desk(commonmark().render(text))
    part = replace(article, body=text, headings=())
    return _at_the_desk(render.to_html(part, _at_hand(knowledge_base)))


def _at_hand(knowledge_base: KnowledgeBase) -> render.MayLink:
    return lambda name: knowledge_base.article(name, "staff") is not None


def _at_the_desk(html: str) -> str:
    # In text a quotation mark is &quot;, so this is an attribute and nothing else.
    return html.replace('href="/help/', 'href="/desk/knowledge/')


def address(url: str) -> str:
    """A passage's page at the desk, from its address on the help pages."""
    path, _, anchor = url.removeprefix("/help/").partition("#")
    return f"/desk/knowledge/{quote(path)}" + (f"#{quote(anchor)}" if anchor else "")


def hits(result: Result) -> list[dict[str, Any]]:
    """The ranked passages with their scores."""
    return [
        {
            "passage": hit.passage,
            "score": hit.score,
            "dense": hit.dense,
            "lexical": hit.lexical,
            "parts": (("text", hit.text), ("heading", hit.heading), ("questions", hit.questions)),
        }
        for hit in result.hits[:SHOWN_HITS]
    ]


def moment(milliseconds: int) -> dict[str, str]:
    """A time for people and for machines; the page's script shows it in the reader's own zone."""
    text = iso(milliseconds) or ""
    return {"iso": text, "words": f"{text[:10]} {text[11:16]} UTC"}

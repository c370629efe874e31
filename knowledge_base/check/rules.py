"""All rules by name, and a run of them over a knowledge base."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

from knowledge_base.check import ages, links, reach, structure, wording
from knowledge_base.check.contradictions import CLOSEST, LEAST_COSINE, Matcher
from knowledge_base.check.contradictions import contradictions as _contradictions
from knowledge_base.check.facts import statements
from knowledge_base.check.finding import SEVERITIES, Finding, Place
from knowledge_base.check.known import Known
from knowledge_base.check.library import Library
from knowledge_base.check.near import pairs
from knowledge_base.check.page import Page, read_page
from knowledge_base.check.silence import heard, mistakes
from knowledge_base.check.stated import Stated, unstated
from knowledge_base.check.twins import near_duplicates as _near_duplicates
from knowledge_base.parse import Article
from knowledge_base.search import KnowledgeBase
from knowledge_base.vectors import Vectors
from knowledge_base.words import content_words

Progress = Callable[[str, Sequence], Iterable]
"""Passes a sequence through and shows how far it is, under a name."""


@dataclass(frozen=True)
class Desk:
    """What a run works on. `shown` turns a file into the path that findings name it by; `vectors`
    are for text that the index does not hold; `stated` are the bot's own rules for orders, and
    `unreadable` what keeps them from being read."""

    knowledge_base: KnowledgeBase
    folder: Path
    vectors: Vectors
    as_of: date
    known: tuple[Known, ...] = ()
    stated: tuple[Stated, ...] = ()
    unreadable: tuple[Finding, ...] = ()
    shown: Callable[[Path], str] = str
    progress: Progress = field(default=lambda name, things: things)

    @cached_property
    def pages(self) -> list[Page]:
        """The articles that are served, each with its file."""
        articles = self.knowledge_base.articles("staff")
        return [page_of(article, self.folder, self.shown) for article in articles]

    @cached_property
    def library(self) -> Library:
        pages = {page.article.id: page for page in self.pages}
        return Library(pages, self.as_of, lambda path: (self.folder / path).is_file())

    @cached_property
    def reach(self) -> reach.Reach:
        return reach.Reach(self.knowledge_base)


def page_of(article: Article, folder: Path, shown: Callable[[Path], str] = str) -> Page:
    """An article of a folder beside its file."""
    path = file_of(article, folder)
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        source = article.body  # changed since it was read; its lines count from the body
    return read_page(article, source, shown(path))


def file_of(article: Article, folder: Path) -> Path:
    """The file that an article was read from."""
    told = getattr(article, "path", None)
    places = [folder / told, Path(told)] if told else []
    return next((it for it in places if it.is_file()), folder / f"{article.id}.md")


def front_matter(desk: Desk) -> Iterator[Finding]:
    """What the loader says about files: an article that cannot be read is not served at all.

    An error where the file is left out, a warning where it is served in spite of it.
    """
    served = {page.path for page in desk.pages}
    for problem in desk.knowledge_base.problems():
        path = desk.shown(Path(problem.path))
        severity = "warning" if path in served else "error"
        yield Finding("front-matter", severity, Place(path, problem.line), problem.message)


def near_duplicates(desk: Desk) -> Iterator[Finding]:
    """Passages that say almost the same: close in meaning, and most of their words in common.

    The bot shows one or the other by chance, and one of them is forgotten at the next change.
    """
    located = [(page, passage, line) for page in desk.pages for passage, line in page.passages]
    rows = desk.vectors.of([passage.text for _, passage, _ in located])
    yield from _near_duplicates(located, rows)


def contradictions(desk: Desk) -> Iterator[Finding]:
    """Numbers, prices, spans of time, dates and opening hours that differ between two articles.

    The bot answers with one of them, and only some customers are told the truth. Working days
    against days are a note.
    """
    said = [it for page in desk.progress("comparing", desk.pages) for it in statements(page)]
    sections: dict[tuple[str, str], set[str]] = defaultdict(set)
    for page in desk.pages:
        for passage, _ in page.passages:
            stems = content_words(f"{passage.headed}\n{passage.text}")
            sections[passage.article_id, passage.heading].update(stems)
    rows = desk.vectors.of([it.masked for it in said])
    frozen = defaultdict(frozenset, {key: frozenset(it) for key, it in sections.items()})
    near = pairs(rows, CLOSEST, LEAST_COSINE)
    yield from _contradictions(said, near, Matcher(said, rows, frozen))


def titles(desk: Desk) -> Iterator[Finding]:
    return reach.titles(desk.pages, desk.reach, lambda it: desk.progress("asking titles", it))


def questions(desk: Desk) -> Iterator[Finding]:
    return reach.questions(desk.pages, desk.reach, lambda it: desk.progress("asking questions", it))


def unreachable(desk: Desk) -> Iterator[Finding]:
    def tick(things):
        return desk.progress("asking headings", things)

    return reach.unreachable(desk.pages, desk.known, desk.reach, tick=tick)


def orders(desk: Desk) -> Iterator[Finding]:
    """Rules for orders (orders.yml) that the article they name does not state.

    The bot decides by the rule and shows the article; one of them would be wrong. An error where
    the article does not state it at all, a warning where it first says something else.
    """
    yield from desk.unreadable
    yield from unstated(desk.stated, desk.library.pages)


def ignores(desk: Desk) -> Iterator[Finding]:
    for page in desk.pages:
        yield from mistakes(page, RULES)


titles.__doc__ = reach.titles.__doc__
questions.__doc__ = reach.questions.__doc__
unreachable.__doc__ = reach.unreachable.__doc__
ignores.__doc__ = mistakes.__doc__

_OF_PAGES: dict[str, Callable[[Page, Library], Iterator[Finding]]] = {
    "links": links.links,
    "staff-links": links.staff_links,
    "external-links": links.external_links,
    "headings": structure.headings,
    "alt-text": structure.alt_text,
    "long-passages": structure.long_passages,
    "html": wording.html,
    "leftovers": wording.leftovers,
    "reading-level": wording.reading_level,
    "promises": wording.promises,
    "stale-dates": ages.stale_dates,
}
_OF_ALL: dict[str, Callable[[Desk], Iterator[Finding]]] = {
    "front-matter": front_matter,
    "near-duplicates": near_duplicates,
    "contradictions": contradictions,
    "titles": titles,
    "questions": questions,
    "unreachable": unreachable,
    "orders": orders,
    "ignores": ignores,
}
RULES: dict[str, str] = {
    name: inspect.getdoc(rule) or "" for name, rule in (_OF_PAGES | _OF_ALL).items()
}
"""Every rule's name, and what it looks for and why."""


def check(desk: Desk, only: Collection[str] = ()) -> list[Finding]:
    """What the rules find (`only` some of them), by file and line; the worst first on a line."""
    wanted = set(only) or set(RULES)
    found = []
    of_pages = [rule for name, rule in _OF_PAGES.items() if name in wanted]
    for page in desk.progress("reading", desk.pages) if of_pages else ():
        for rule in of_pages:
            found += rule(page, desk.library)
    for name, rule in _OF_ALL.items():
        if name in wanted:
            found += rule(desk)
    order = {severity: at for at, severity in enumerate(SEVERITIES)}
    return sorted(
        heard(dict.fromkeys(found), desk.pages),
        key=lambda it: (it.place.path, it.place.line, order[it.severity], it.rule, it.message),
    )

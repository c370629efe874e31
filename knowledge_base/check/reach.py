"""What no question finds: the knowledge base is asked what people ask, and what headings ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from knowledge_base.check.finding import Finding
from knowledge_base.check.known import Known
from knowledge_base.check.page import Page
from knowledge_base.parse import Audience, Passage
from knowledge_base.search import KnowledgeBase, Result

FIRST = 5
"""Hits among which a passage counts as found: what is offered when there is no sure answer."""

Tick = Callable[[Iterable], Iterable]
"""Passes things through and shows how far it is."""


class Reach:
    """Asks the knowledge base, each question once."""

    def __init__(self, knowledge_base: KnowledgeBase) -> None:
        self._knowledge_base = knowledge_base
        self._asked: dict[tuple[str, Audience], Result] = {}

    def ask(self, question: str, audience: Audience) -> Result:
        key = question, audience
        if key not in self._asked:
            self._asked[key] = self._knowledge_base.ask(question, audience)
        return self._asked[key]

    def articles(self, question: str, audience: Audience) -> list[str]:
        """The ids of the articles that a question finds, best first."""
        hits = self.ask(question, audience).hits
        return list(dict.fromkeys(hit.passage.article_id for hit in hits))


def titles(pages: Sequence[Page], reach: Reach, tick: Tick) -> Iterator[Finding]:
    """Articles that are not found first by their own title, asked as a question.

    Who knows the name of an article and types it should get it.
    """
    for page in tick(pages):
        article = page.article
        found = reach.articles(article.title, article.audience)
        if found[:1] == [article.id]:
            continue
        yield Finding(
            "titles",
            "warning",
            page.place(page.line_of_field("title")),
            f"asked for “{article.title}”, the bot finds {_first(found)} first and this article "
            f"{_place(found, article.id)}; give it a title that says what sets it apart",
        )


def questions(pages: Sequence[Page], reach: Reach, tick: Tick) -> Iterator[Finding]:
    """Questions listed in an article that another article wins, or that get no answer.

    `questions:` promises the editor that the bot answers them from here.
    """
    listed: dict[tuple[str, Audience], list[str]] = {}
    for page in pages:
        for question in page.article.questions:
            listed.setdefault((question.casefold(), page.article.audience), []).append(
                page.article.id
            )
    for page in tick(pages):
        article = page.article
        for question in article.questions:
            result = reach.ask(question, article.audience)
            found = reach.articles(question, article.audience)
            place = page.place(page.line_of_field("questions", question))
            others = set(listed[question.casefold(), article.audience]) - {article.id}
            if found[:1] != [article.id]:
                both = ", which lists it too" if found and found[0] in others else ""
                yield Finding(
                    "questions",
                    "warning",
                    place,
                    f"“{question}” finds {_first(found)} first{both}, and this article "
                    f"{_place(found, article.id)}; move the question there, or say in the text "
                    "here what it asks",
                )
            elif result.kind != "answer":
                yield Finding(
                    "questions",
                    "note",
                    place,
                    f"“{question}” finds this article, but not surely enough to answer "
                    f"({result.confidence:.2f}); use its words in the text",
                )


def unreachable(
    pages: Sequence[Page], known: Sequence[Known], reach: Reach, *, tick: Tick
) -> Iterator[Finding]:
    """Headings that no question finds: not their article's own, none of the known ones, and not
    the heading itself.

    What is never among the first few is never shown to anybody.
    """
    found: set[tuple[Audience, str, str]] = set()

    def look(question: str, audience: Audience) -> None:
        for hit in reach.ask(question, audience).hits[:FIRST]:
            found.add((audience, hit.passage.article_id, hit.passage.anchor))

    for it in tick(known):
        look(it.question, it.audience)
    for page in tick(pages):
        for question in (page.article.title, *page.article.questions):
            look(question, page.article.audience)
    for page in tick(pages):
        article = page.article
        seen = set()
        for passage, line in page.passages:
            key = article.audience, article.id, passage.anchor
            if passage.anchor in seen:
                continue
            seen.add(passage.anchor)
            if key not in found:
                look(passage.heading or article.title, article.audience)
            if key not in found:
                yield _unreachable(page, passage, line, known=len(known))


def _unreachable(page: Page, passage: Passage, line: int, *, known: int) -> Finding:
    heading = next((it for it in page.headings if it.anchor == passage.anchor), None)
    asked = f"{len(page.article.questions)} of this article and {known} known ones"
    return Finding(
        "unreachable",
        "warning",
        page.place(page.line_of_heading(heading) if heading else line),
        f"no question finds “{passage.heading or 'the text above the first heading'}” among the first "
        f"{FIRST} (asked: its own words, {asked}); call it what people ask for, or add a question "
        "to `questions:`",
    )


def _first(found: Sequence[str]) -> str:
    return found[0] if found else "nothing"


def _place(found: Sequence[str], article_id: str) -> str:
    if article_id not in found:
        return "not at all"
    return f"in place {found.index(article_id) + 1}"

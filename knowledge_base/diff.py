"""What an edit of the articles does to the answers: two knowledge bases, asked the same.

"Before" and "after" are two `KnowledgeBase`s. An answer is what `ask` calls one; every other kind
of result counts as none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from bot.encoder import Tokens
from knowledge_base.check.known import Known, distinct
from knowledge_base.parse import Article, Audience
from knowledge_base.search import KnowledgeBase
from knowledge_base.vectors import Encoder
from knowledge_base.words import words

ANSWER = "answer"
"""The one kind of result that customers are answered with."""

MOVED = 0.1
"""A confidence that moved by more is reported, though the answer is the same."""

SAME_ARTICLE = 0.5
"""Share of an article's runs of words that make a new file the old one under another name."""

RUN = 3

How = Literal["lost", "changed", "gained", "moved"]
What = Literal["", "article", "passage", "text"]
HOW: tuple[How, ...] = ("lost", "changed", "gained", "moved")


@dataclass(frozen=True)
class Given:
    """What a question gets: the kind of the result, its confidence, and the first passage, which
    is shown only if the kind is an answer ("" and no passage: nothing was found)."""

    kind: str
    confidence: float
    article_id: str = ""
    anchor: str = ""
    url: str = ""
    headed: str = ""
    hash: str = ""
    text: str = ""

    @property
    def answered(self) -> bool:
        return self.kind == ANSWER


@dataclass(frozen=True)
class Change:
    """A question that is answered differently. `what` of an answer changed: another article,
    another passage of the same one, or the text of the same passage."""

    how: How
    what: What
    question: Known
    before: Given
    after: Given


@dataclass(frozen=True)
class ArticleChanges:
    """Ids of articles. `renamed` maps the old id to the new one; the other fields name a renamed
    one by its new id. `now_public` and `no_longer_public` changed their audience;
    `leaked` are passages (their urls) whose words only staff could read before."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    edited: tuple[str, ...] = ()
    now_public: tuple[str, ...] = ()
    no_longer_public: tuple[str, ...] = ()
    leaked: tuple[str, ...] = ()


class Remembering:
    """An encoder that embeds each text once: both sides are asked the same questions."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.dimension = encoder.dimension
        self._rows: dict[str, np.ndarray] = {}
        self._tokens: dict[str, tuple[np.ndarray, Tokens]] = {}

    def encode_tokens(self, text: str) -> tuple[np.ndarray, Tokens]:
        """A text's vector and its tokens."""
        return self.encode_with_tokens([text])[0]

    def encode_with_tokens(self, texts: Sequence[str]) -> list[tuple[np.ndarray, Tokens]]:
        """The same for many texts."""
        unknown = list(dict.fromkeys(text for text in texts if text not in self._tokens))
        made = self._encoder.encode_with_tokens(unknown)
        self._tokens.update(zip(unknown, made, strict=True))
        return [self._tokens[text] for text in texts]

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of length 1, float32 (len(texts), dimension)."""
        unknown = list(dict.fromkeys(text for text in texts if text not in self._rows))
        if unknown or not texts:
            made = self._encoder.encode(unknown)
            if not texts:
                return made
            self._rows.update(zip(unknown, made, strict=True))
        return np.stack([self._rows[text] for text in texts])


def articles_of(knowledge_base: KnowledgeBase | None) -> list[Article]:
    """All articles; none where there was no usable one (None)."""
    return knowledge_base.articles("staff") if knowledge_base else []


def ask(knowledge_base: KnowledgeBase | None, question: str, audience: Audience) -> Given:
    """What a question gets; nothing where there was no usable article (None)."""
    if knowledge_base is None:
        return Given("no_article", 0.0)
    result = knowledge_base.ask(question, audience)
    if not result.hits:
        return Given(result.kind, result.confidence)
    passage = result.hits[0].passage
    return Given(
        result.kind,
        result.confidence,
        passage.article_id,
        passage.anchor,
        passage.url,
        passage.headed,
        passage.hash,
        passage.text,
    )


def questions_of(articles: Iterable[Article]) -> Iterator[Known]:
    """What articles say they answer: their `questions:` and their titles, for their audience."""
    for article in articles:
        for question in article.questions:
            yield Known(question, article.audience, f"questions: of {article.id}")
        yield Known(article.title, article.audience, f"title of {article.id}")


def all_questions(
    known: Iterable[Known], before: Iterable[Article], after: Iterable[Article]
) -> list[Known]:
    """The known questions and those of the articles of both sides, each once an audience."""
    every = distinct([*known, *questions_of(after), *questions_of(before)])
    return [it for it in every if it.question.strip()]


def article_changes(before: Sequence[Article], after: Sequence[Article]) -> ArticleChanges:
    """What happened to the articles themselves."""
    old, new = ({article.id: article for article in side} for side in (before, after))
    renamed = _renamed(
        [old[it] for it in old.keys() - new.keys()], [new[it] for it in new.keys() - old.keys()]
    )
    kept = {it: it for it in old.keys() & new.keys()} | renamed
    pairs = [(old[one], new[two]) for one, two in sorted(kept.items())]
    return ArticleChanges(
        added=tuple(sorted(new.keys() - kept.values())),
        removed=tuple(sorted(old.keys() - kept.keys())),
        renamed=dict(sorted(renamed.items())),
        edited=tuple(two.id for one, two in pairs if _content(one) != _content(two)),
        now_public=tuple(two.id for one, two in pairs if one.audience != two.audience == "public"),
        no_longer_public=tuple(
            two.id for one, two in pairs if one.audience != two.audience == "staff"
        ),
        leaked=_leaked(before, after),
    )


def _content(article: Article) -> tuple:
    return article.title, article.summary, article.questions, article.body


def _leaked(before: Sequence[Article], after: Sequence[Article]) -> tuple[str, ...]:
    """The public passages of today whose words were for staff only."""
    staff = {it.hash for one in before if one.audience == "staff" for it in one.passages}
    staff -= {it.hash for one in before if one.audience == "public" for it in one.passages}
    return tuple(
        passage.url
        for article in after
        if article.audience == "public"
        for passage in article.passages
        if passage.hash in staff
    )


def _renamed(gone: Sequence[Article], come: Sequence[Article]) -> dict[str, str]:
    """Old id to new id of the articles that say the same under another name, best matches first."""
    bodies = {article.body: article.id for article in come}
    # A whole folder that was moved is found by its texts; only the rest is compared word by word.
    renamed = {}
    for article in gone:
        if article.body in bodies:
            renamed[article.id] = bodies.pop(article.body)
    left = [article for article in gone if article.id not in renamed]
    new = [article for article in come if article.id not in renamed.values()]
    runs = {id(article): _runs(article.body) for article in (*left, *new)}
    likeness = sorted(
        (-_shared(runs[id(one)], runs[id(two)]), one.id, two.id) for one in left for two in new
    )
    for unlike, one, two in likeness:
        if -unlike >= SAME_ARTICLE and one not in renamed and two not in renamed.values():
            renamed[one] = two
    return renamed


def _shared(one: frozenset, two: frozenset) -> float:
    return len(one & two) / max(len(one), len(two)) if one and two else 0.0


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    said = words(text)
    return frozenset(tuple(said[at : at + RUN]) for at in range(max(len(said) - RUN + 1, 1)))


def answer_changes(
    questions: Iterable[Known],
    before: KnowledgeBase | None,
    after: KnowledgeBase | None,
    *,
    renamed: Mapping[str, str],
) -> list[Change]:
    """The questions that are answered differently: lost ones first, each kind in order."""
    still = {(it.article_id, it.hash) for one in articles_of(after) for it in one.passages}
    found = []
    for question in questions:
        old = ask(before, question.question, question.audience)
        new = ask(after, question.question, question.audience)
        change = compare(question, old, new, renamed=renamed, still=still.__contains__)
        if change:
            found.append(change)
    return sorted(found, key=lambda change: HOW.index(change.how))


def compare(
    question: Known,
    before: Given,
    after: Given,
    *,
    renamed: Mapping[str, str],
    still: Callable[[tuple[str, str]], bool],
) -> Change | None:
    """How an answer changed; None if it did not. `still` tells whether an article (by its new id)
    has a passage with this hash today."""
    if before.answered and not after.answered:
        return Change("lost", "", question, before, after)
    if after.answered and not before.answered:
        return Change("gained", "", question, before, after)
    if after.answered:
        old = replace(before, article_id=renamed.get(before.article_id, before.article_id))
        what = _what(old, after, still)
        if what:
            return Change("changed", what, question, before, after)
    if abs(before.confidence - after.confidence) > MOVED or before.kind != after.kind:
        return Change("moved", "", question, before, after)
    return None


def _what(before: Given, after: Given, still: Callable[[tuple[str, str]], bool]) -> What:
    """What of an answer is another; "" if it is the same text of the same article."""
    if before.article_id != after.article_id:
        return "article"
    if before.hash == after.hash:
        return ""
    if before.anchor == after.anchor and not still((before.article_id, before.hash)):
        return "text"
    return "passage"

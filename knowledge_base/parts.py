"""A part of a shelf: some articles of one audience, and how well their passages fit a question.

A shelf is made of a few parts. Staff see the customers' parts and their own, and an edit adds a
small part and strikes the old version out of a large one: neither copies anything. How rare a word
is and how a question scores is reckoned over the whole shelf, so it makes no difference to a hit in
which part it is.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge_base.keywords import Asked, Words
from knowledge_base.nearest import Table, distinct, numbers_from
from knowledge_base.parse import Article
from knowledge_base.shortcuts import ASKED, HEADING, TEXT, Shortcut
from knowledge_base.vectors import Vectors
from knowledge_base.words import content_words

EXACT_UP_TO = 12_000
"""Passages of which each is scored for each question (2 ms a sentence); of more, candidates are
chosen first."""


BY_WORDS = 30
"""Passages, and articles, that are candidates for their words."""

PASSAGE_WORDS, ARTICLE_WORDS = 0.67, 0.33
"""What BM25 among the passages and BM25 among the articles weigh among the words.

How these and the weights in `shortcuts` were chosen is told in `rerank`. An article's example
questions count for
all its passages: they tell which article is meant, and the text and its heading tell which passage.
"""


@dataclass(frozen=True)
class Question:
    """A question as a shelf sees it: `vectors` float32 (variants, dimension), and its stems as they
    weigh among the shelf's passages and among its articles."""

    vectors: np.ndarray
    passage_words: Asked
    article_words: Asked
    dense_share: float

    def score(self, dense: np.ndarray, lexical: np.ndarray) -> np.ndarray:
        return self.dense_share * dense + (1 - self.dense_share) * lexical


@dataclass(frozen=True)
class Scores:
    """What the score of some passages is made of, whose numbers are `at`; the others are float32
    (variants, passages)."""

    at: np.ndarray
    text: np.ndarray
    heading: np.ndarray
    questions: np.ndarray
    lexical: np.ndarray

    @property
    def dense(self) -> np.ndarray:
        return TEXT * self.text + HEADING * self.heading + ASKED * self.questions


class Part:
    """Articles and their passages, by number, with their rows and words. Never changes."""

    def __init__(
        self,
        articles: Sequence[Article],
        texts: np.ndarray,
        headings: np.ndarray,
        *,
        asked: np.ndarray,
        words: Words,
        article_words: Words,
    ) -> None:
        """`texts` and `headings` are a row of vectors for each passage, `asked` for the title and
        each question of each article, all in the articles' order, int64."""
        self.articles = tuple(articles)
        self.passages = tuple(it for article in self.articles for it in article.passages)
        self.texts, self.headings, self.asked = texts, headings, asked
        self.words, self.article_words = words, article_words
        self.first = _starts(len(article.passages) for article in self.articles)
        self.asked_first = _starts(1 + len(article.questions) for article in self.articles)
        self._passages_of = np.diff(self.first)
        self._questions_of = np.diff(self.asked_first)
        self.article_of = np.repeat(
            np.arange(len(self.articles), dtype=np.int32), self._passages_of
        )
        self.shortcut: Shortcut | None = None
        self._live(None)

    @classmethod
    def of(cls, articles: Sequence[Article], vectors: Vectors) -> Part:
        """Index these articles; what is not embedded yet is."""
        count = sum(len(article.passages) for article in articles)
        rows = vectors.rows(to_embed(articles))
        return cls(
            articles,
            rows[:count],
            rows[count : 2 * count],
            asked=rows[2 * count :],
            words=Words(
                content_words(f"{it.headed}\n{it.text}")
                for article in articles
                for it in article.passages
            ),
            article_words=Words(
                content_words("\n".join((it.title, it.summary, *it.questions, it.body)))
                for it in articles
            ),
        )

    @classmethod
    def joined(cls, parts: Sequence[Part]) -> Part:
        """One of several, without what was struck out; no text is read again."""
        kept = [np.flatnonzero(part._alive) for part in parts]
        asked = [
            part.asked[part._asked_of(articles)] for part, articles in zip(parts, kept, strict=True)
        ]
        return cls(
            [
                part.articles[at]
                for part, articles in zip(parts, kept, strict=True)
                for at in articles
            ],
            np.concatenate([part.texts[part.at] for part in parts]),
            np.concatenate([part.headings[part.at] for part in parts]),
            asked=np.concatenate(asked),
            words=Words.joined([(part.words, part.at) for part in parts]),
            article_words=Words.joined(
                [(part.article_words, articles) for part, articles in zip(parts, kept, strict=True)]
            ),
        )

    def without(self, gone: Iterable[str]) -> Part:
        """The same with the articles of these ids struck out."""
        view = copy.copy(self)
        alive = self._alive.copy()
        alive[[self.place[it] for it in gone]] = False
        view._live(alive)
        return view

    def with_shortcut(self, shortcut: Shortcut | None) -> Part:
        view = copy.copy(self)
        view.shortcut = shortcut
        return view

    def _live(self, alive: np.ndarray | None) -> None:
        """Go by the articles for which `alive` is true; None: by all."""
        self._alive = np.ones(len(self.articles), dtype=bool) if alive is None else alive
        self.place: Mapping[str, int] = {
            self.articles[at].id: int(at) for at in np.flatnonzero(self._alive)
        }
        here = self._alive[self.article_of]
        self.at = np.flatnonzero(here).astype(np.int32)
        """The numbers of the passages that are not struck out, ascending."""
        if alive is not None:
            self.words = self.words.only(here)
            self.article_words = self.article_words.only(self._alive)

    def __len__(self) -> int:
        """How many passages there are to be found."""
        return len(self.at)

    @property
    def beyond_shortcut(self) -> int:
        """Passages that are scored for every question, as no shortcut leads to them."""
        return len(self.shortcut.beyond) if self.shortcut else len(self)

    @property
    def struck_out(self) -> float:
        """The share of the passages that is struck out."""
        return 1 - len(self) / len(self.passages) if self.passages else 0.0

    def rows(self) -> np.ndarray:
        """The rows of all vectors in use, each once."""
        asked = self._asked_of(np.flatnonzero(self._alive))
        return np.unique(
            np.concatenate([self.texts[self.at], self.headings[self.at], self.asked[asked]])
        )

    def holds(self, article_id: str, stem: str) -> bool:
        """Whether an article is here and holds a stem: in its text, title or questions."""
        place = self.place.get(article_id)
        return place is not None and self.article_words.holds(stem, place)

    def _asked_of(self, articles: np.ndarray) -> np.ndarray:
        """Where in `asked` the rows of these articles are."""
        return numbers_from(self.asked_first[articles], self._questions_of[articles])

    def score(self, question: Question, table: Table) -> Scores:
        """The passages worth scoring: all, or where there is a shortcut about the best ones."""
        at = self.at if self.shortcut is None else self._promising(self.shortcut, question)
        articles = distinct(self.article_of[at])
        of = np.searchsorted(articles, self.article_of[at])
        asked = self._asked_of(articles)
        cosines = table.cosines(
            np.concatenate([self.texts[at], self.headings[at], self.asked[asked]]),
            question.vectors,
        )
        text, heading, questions = np.split(cosines, [len(at), 2 * len(at)], axis=1)
        if len(at):
            counts = self._questions_of[articles]
            starts = np.cumsum(counts) - counts
            questions = np.maximum.reduceat(questions, starts, axis=1)[:, of]
            # A title that is no question must not pull its text down.
            questions = np.maximum(questions, text)
        return Scores(at, text, heading, questions, self._lexical(question, at, articles, of=of))

    def _lexical(
        self, question: Question, at: np.ndarray, articles: np.ndarray, *, of: np.ndarray
    ) -> np.ndarray:
        """The words' share of these passages, whose articles are `articles[of]`."""
        everything = len(at) == len(self.passages)
        passages = question.passage_words.shares(self.words, None if everything else at)
        wholes = question.article_words.shares(self.article_words, None if everything else articles)
        return PASSAGE_WORDS * passages + ARTICLE_WORDS * wholes[:, of]

    def _promising(self, shortcut: Shortcut, question: Question) -> np.ndarray:
        """The numbers of the passages that may be the best, int32 ascending: those that the graphs
        or the words lead to, by themselves or by their articles."""
        near, related = shortcut.near(question.vectors)
        worded = question.passage_words.best(self.words, BY_WORDS)
        articles = distinct(related, question.article_words.best(self.article_words, BY_WORDS))
        inside = numbers_from(self.first[articles], self._passages_of[articles])
        found = distinct(near, worded, inside, shortcut.beyond)
        return found[self._alive[self.article_of[found]]].astype(np.int32)


def to_embed(articles: Iterable[Article]) -> list[str]:
    """What is embedded of articles: the passages, the headings, and what the articles answer."""
    articles = list(articles)
    passages = [it for article in articles for it in article.passages]
    return [
        *(it.whole for it in passages),
        *(it.heading or it.title for it in passages),
        *(text for it in articles for text in (it.title, *it.questions)),
    ]


def _starts(counts: Iterable[int]) -> np.ndarray:
    return np.cumsum([0, *counts])

"""What one audience may be shown, ranked by meaning (FAISS) and by words (BM25) together.

A `Shelf` holds the passages of one audience and nothing else, so a staff passage cannot be ranked
for a customer: it is not there. A `Snapshot` is all the shelves of one moment; it never changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge_base.late import QuestionTokens
from knowledge_base.parse import Article, Audience, Passage
from knowledge_base.vectors import Vectors
from knowledge_base.words import content_words

# How much each part says in the first ranking; the same proportions as in `rerank`. An article's
# example questions count for all its passages: they tell which article is meant, and the text and
# its heading tell which passage. A title that is no question must not pull its text down.
TEXT, HEADING, QUESTIONS = 0.3, 0.09, 0.61
PASSAGE_WORDS, ARTICLE_WORDS = 0.67, 0.33
DENSE_SHARE = 0.733

MOST_ROWS = 1024
"""Nearest rows asked of FAISS for each part; a knowledge base of one shop is searched whole."""

MOST_HITS = 40
"""Hits in a ranking: enough to compare the best with other articles."""

K1, B = 1.2, 0.75
"""BM25's usual constants (Robertson and Zaragoza, 2009)."""


@dataclass(frozen=True)
class Hit:
    """A passage and how well it fits: `dense` is the weighted mean of the cosines of its text, its
    heading and its article's questions, `lexical` the share 0..1 of the BM25 score that could be
    reached, `score` both together, for the `variant` of the question that it fits best. `tokens` is
    added by `rerank`: how well the question's words are met by the passage's, one by one."""

    passage: Passage
    score: float
    dense: float
    lexical: float
    text: float
    heading: float
    questions: float
    variant: int = 0
    tokens: float = 0.0


@dataclass(frozen=True)
class Query:
    """A question made ready: one row of `vectors`, float32 (variants, dimension), one tuple of stems
    and one of tokens for each way in which it is searched. A passage counts as its best variant."""

    vectors: np.ndarray
    stems: tuple[tuple[str, ...], ...]
    tokens: tuple[QuestionTokens, ...]


class Shelf:
    """The passages of one audience, ready to be ranked. Never changes; any thread may ask."""

    def __init__(self, articles: Iterable[Article], vectors: Vectors) -> None:
        articles = list(articles)
        self.passages = tuple(it for article in articles for it in article.passages)
        self._article_of = np.array(
            [at for at, article in enumerate(articles) for _ in article.passages], dtype=np.int64
        )
        texts = [it.whole for it in self.passages]
        headings = [it.heading or it.title for it in self.passages]
        asked = [(at, text) for at, it in enumerate(articles) for text in (it.title, *it.questions)]
        # One call, so that what is new is embedded and kept on disk once.
        rows = vectors.of([*texts, *headings, *(text for _, text in asked)])
        every = range(len(texts))
        self._texts = _Nearest(rows[: len(texts)], every)
        self._headings = _Nearest(rows[len(texts) : 2 * len(texts)], every)
        self._questions = _Nearest(rows[2 * len(texts) :], [at for at, _ in asked])
        self.words = Words([content_words(f"{it.headed}\n{it.text}") for it in self.passages])
        whole = [
            content_words("\n".join((it.title, it.summary, *it.questions, it.body)))
            for it in articles
        ]
        self._article_words = Words(whole)
        self._stems_of = {
            it.id: frozenset(stems) for it, stems in zip(articles, whole, strict=True)
        }

    def rank(self, query: Query, dense_share: float = DENSE_SHARE) -> list[Hit]:
        """The best passages, best first; with `dense_share` 1 by vectors alone, with 0 by words."""
        if not self.passages:
            return []
        text = self._texts.best(query.vectors)
        heading = self._headings.best(query.vectors)
        questions = self._questions.best(query.vectors)[:, self._article_of]
        questions = np.maximum(questions, text)
        dense = TEXT * text + HEADING * heading + QUESTIONS * questions
        lexical = np.stack(
            [
                PASSAGE_WORDS * self.words.shares(stems)
                + ARTICLE_WORDS * self._article_words.shares(stems)[self._article_of]
                for stems in query.stems
            ]
        )
        scores = dense_share * dense + (1 - dense_share) * lexical
        variant = scores.argmax(axis=0)
        best = scores.max(axis=0)
        return [
            Hit(
                self.passages[at],
                float(best[at]),
                *(
                    float(part[variant[at], at])
                    for part in (dense, lexical, text, heading, questions)
                ),
                int(variant[at]),
            )
            for at in np.argsort(-best, kind="stable")[:MOST_HITS]
        ]

    def article_holds(self, article_id: str, stem: str) -> bool:
        """Whether an article of this shelf holds a word: in its text, title or questions."""
        return stem in self._stems_of.get(article_id, ())


class _Nearest:
    """A FAISS index whose rows stand for things by number; several rows may stand for one."""

    def __init__(self, rows: np.ndarray, owners: Sequence[int]) -> None:
        import faiss

        self._owners = np.array(owners, dtype=np.int64)
        self._count = int(self._owners.max(initial=-1)) + 1
        self._index = faiss.IndexFlatIP(rows.shape[1])
        self._index.add(np.ascontiguousarray(rows))

    def best(self, vectors: np.ndarray) -> np.ndarray:
        """The best cosine of each thing with each vector, float32 (vectors, things).

        A thing with no row among the nearest gets the lowest cosine found: the most it can have.
        """
        import faiss

        # OpenMP's setting belongs to the calling thread, and waking its threads costs 20 times what
        # so small a search does (measured 0.7 ms against 0.03).
        faiss.omp_set_num_threads(1)
        cosines, rows = self._index.search(vectors, min(MOST_ROWS, self._index.ntotal))
        best = np.repeat(cosines.min(axis=1, keepdims=True), self._count, axis=1)
        for at in range(len(vectors)):
            np.maximum.at(best[at], self._owners[rows[at]], cosines[at])
        return best


class Words:
    """BM25 over texts given as stems, as the share 0..1 of what a question could score."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        import bm25s

        self._count = len(texts)
        self._holding: dict[str, int] = {}
        for text in texts:
            for stem in set(text):
                self._holding[stem] = self._holding.get(stem, 0) + 1
        self._index = None
        if self._holding:
            self._index = bm25s.BM25(method="lucene", k1=K1, b=B)
            self._index.index([list(text) for text in texts], show_progress=False)

    def rarity(self, stem: str) -> float:
        """BM25's weight of a word: highest for one that no text holds."""
        holding = self._holding.get(stem, 0)
        return math.log(1 + (self._count - holding + 0.5) / (holding + 0.5))

    def shares(self, stems: Sequence[str]) -> np.ndarray:
        """BM25 of each text over the sum of the words' rarities, at most 1; float32 (texts,).

        Words that no text holds count in that sum: a question of mostly unknown words cannot score
        high. The sum is about what a text gets that holds each word once.
        """
        possible = sum(self.rarity(stem) for stem in stems)
        if self._index is None or not possible:
            return np.zeros(self._count, dtype=np.float32)
        scores = self._index.get_scores(list(stems))
        return np.minimum(scores / possible, 1).astype(np.float32)


@dataclass(frozen=True)
class Snapshot:
    """The knowledge base at one moment."""

    articles: Mapping[str, Article]
    shelves: Mapping[Audience, Shelf]


def snapshot(articles: Iterable[Article], vectors: Vectors) -> Snapshot:
    """Index the articles: customers get the public shelf, staff a shelf of everything."""
    every = sorted(articles, key=lambda article: article.id)
    public = [article for article in every if article.audience == "public"]
    everything = Shelf(every, vectors)
    return Snapshot(
        articles={article.id: article for article in every},
        shelves={
            "public": everything if len(public) == len(every) else Shelf(public, vectors),
            "staff": everything,
        },
    )

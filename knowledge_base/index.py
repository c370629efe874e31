"""What one audience may be shown, ranked by meaning (FAISS) and by words (BM25) together.

A `Shelf` holds the passages of one audience and nothing else, so a staff passage cannot be ranked
for a customer: it is not there. A `Snapshot` is all the shelves of one moment; it never changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import structlog

from knowledge_base import shortcuts
from knowledge_base.index_files import IndexRefused
from knowledge_base.keywords import Asked, Corpus
from knowledge_base.late import QuestionTokens
from knowledge_base.nearest import Table
from knowledge_base.parse import AUDIENCES, Article, Audience, Passage
from knowledge_base.parts import EXACT_UP_TO, Part, Question, Scores, to_embed
from knowledge_base.vectors import Progress, Vectors

log = structlog.get_logger(__name__)

DENSE_SHARE = 0.73
"""What the vectors say of a score; the words say the rest."""

MOST_HITS = 40
"""Hits in a ranking: enough to compare the best with other articles."""

MOST_PARTS = 4
"""Parts of an audience, before those that edits made are joined."""

STALE = 0.2
"""Share of a part that may be struck out before it is made again."""

MOST_BEYOND = 0.05
"""Share of an audience's passages that no shortcut may lead to before it is made again."""


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
    tokens: tuple[QuestionTokens, ...] = ()


class Shelf:
    """The passages of one audience, ready to be ranked. Never changes; any thread may ask."""

    def __init__(self, articles: Iterable[Article], vectors: Vectors) -> None:
        """Index the articles, as one part; `snapshot` makes shelves of several."""
        self._take((Part.of(list(articles), vectors),), vectors.table)

    @classmethod
    def of(cls, parts: Sequence[Part], table: Table) -> Shelf:
        """A shelf of parts that are indexed already, with the vectors that they name."""
        shelf = cls.__new__(cls)
        shelf._take(tuple(parts), table)
        return shelf

    def _take(self, parts: tuple[Part, ...], table: Table) -> None:
        self.parts = parts
        self._table = table
        self.words = Corpus([part.words for part in parts])
        self._article_words = Corpus([part.article_words for part in parts])

    @property
    def passages(self) -> tuple[Passage, ...]:
        return tuple(part.passages[at] for part in self.parts for at in part.at)

    @property
    def exact(self) -> bool:
        """Whether every passage is scored for every question."""
        return all(part.shortcut is None for part in self.parts)

    def rank(self, query: Query, dense_share: float = DENSE_SHARE) -> list[Hit]:
        """The best passages, best first; with `dense_share` 1 by vectors alone, with 0 by words.

        Of more than EXACT_UP_TO passages not all are looked at, see `shortcuts`; a score is the
        same either way.
        """
        question = Question(
            query.vectors,
            Asked(self.words, query.stems),
            Asked(self._article_words, query.stems),
            dense_share,
        )
        ranked = [
            _Ranked.of(part, part.score(question, self._table), question) for part in self.parts
        ]
        best = [it for ranks in ranked for it in ranks.best()]
        # Of hits with the same score the first is the one that comes first in the folder.
        best.sort(key=lambda it: (-it[0], it[1].article_id, it[2]))
        return [Hit(passage, score, *parts) for score, passage, _, parts in best[:MOST_HITS]]

    def article_holds(self, article_id: str, stem: str) -> bool:
        """Whether an article of this shelf holds a word: in its text, title or questions."""
        return any(part.holds(article_id, stem) for part in self.parts)


@dataclass(frozen=True)
class _Ranked:
    """The passages of a part with their scores in their best variants: `columns` are dense,
    lexical, text, heading and questions, each float32 (passages,)."""

    part: Part
    at: np.ndarray
    score: np.ndarray
    columns: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, part: Part, scores: Scores, question: Question) -> _Ranked:
        dense = scores.dense
        both = question.score(dense, scores.lexical)
        which = both.argmax(axis=0)
        columns = (both, dense, scores.lexical, scores.text, scores.heading, scores.questions)
        if len(both) > 1:
            variant = which, np.arange(both.shape[1])
            columns = tuple(column[variant][np.newaxis] for column in columns)
        columns = (*columns, which[np.newaxis])
        score, *others = (column[0] for column in columns)
        return cls(part, scores.at, score, tuple(others))

    def best(self) -> Iterator[tuple[float, Passage, int, tuple[float, ...]]]:
        """The MOST_HITS best, and those as good as the last of them: score, passage, the passage's
        number, columns."""
        if not len(self.score):
            return
        last = max(len(self.score) - MOST_HITS, 0)
        places = np.flatnonzero(self.score >= np.partition(self.score, last)[last])
        numbers = self.at[places].tolist()
        columns = zip(*(column[places].tolist() for column in self.columns), strict=True)
        for score, number, parts in zip(self.score[places].tolist(), numbers, columns, strict=True):
            yield score, self.part.passages[number], number, parts


@dataclass(frozen=True)
class Snapshot:
    """The knowledge base at one moment."""

    articles: Mapping[str, Article]
    shelves: Mapping[Audience, Shelf]
    parts: Mapping[Audience, tuple[Part, ...]] = field(repr=False)
    """What each audience's own articles are in: what staff alone may see is apart."""
    vectors: Vectors = field(repr=False)

    @property
    def stale(self) -> tuple[Audience, ...]:
        """The audiences whose articles want `refreshed`: they are found, but not as fast."""
        return tuple(name for name, parts in self.parts.items() if _is_stale(parts))


def snapshot(
    articles: Iterable[Article],
    vectors: Vectors,
    before: Snapshot | None = None,
    *,
    progress: Progress | None = None,
) -> Snapshot:
    """Index the articles: customers get the public shelf, staff a shelf of everything.

    Of what is in `before` only the changes are indexed. `progress` hears of the embedding.
    """
    every = sorted(articles, key=lambda article: article.id)
    kept: dict[Audience, list[Part]] = {}
    new: dict[Audience, list[Article]] = {}
    for audience in AUDIENCES:
        mine = [article for article in every if article.audience == audience]
        old = before.parts[audience] if before and before.vectors is vectors else ()
        kept[audience], new[audience] = _unchanged(old, mine)
    # One call, so that all that is new is counted and embedded together.
    vectors.rows(to_embed(it for audience in AUDIENCES for it in new[audience]), progress)
    parts = {}
    for audience in AUDIENCES:
        made = [Part.of(new[audience], vectors)] if new[audience] else []
        if made and not kept[audience] and len(made[0]) > EXACT_UP_TO:
            made = [_with_stored_shortcut(made[0], vectors, audience)]
        parts[audience] = _tidied([*kept[audience], *made])
    return _assembled(every, parts, vectors)


def refreshed(
    stale: Snapshot,
    *,
    threads: int = 1,
    store: bool = True,
    progress: Progress | None = None,
) -> Snapshot:
    """The same articles with shortcuts made anew where they are wanted: minutes for a million
    passages. With `store` they are kept on disk for the next start."""
    parts = dict(stale.parts)
    for audience in stale.stale:
        whole = Part.joined(parts[audience])
        if len(whole) > EXACT_UP_TO:
            shortcut, keep = shortcuts.build(
                whole, stale.vectors, threads=threads, progress=progress or (lambda *_: None)
            )
            whole = whole.with_shortcut(shortcut)
            if store:
                try:
                    keep(audience)
                except (OSError, IndexRefused) as error:
                    log.warning("index.not_kept", audience=audience, error=str(error))
        parts[audience] = (whole,)
    return _assembled(stale.articles.values(), parts, stale.vectors)


def _assembled(
    articles: Iterable[Article], parts: Mapping[Audience, tuple[Part, ...]], vectors: Vectors
) -> Snapshot:
    public = Shelf.of(parts["public"], vectors.table)
    everything = [*parts["public"], *parts["staff"]]
    return Snapshot(
        articles={article.id: article for article in articles},
        shelves={
            "public": public,
            "staff": Shelf.of(everything, vectors.table) if parts["staff"] else public,
        },
        parts=parts,
        vectors=vectors,
    )


def _unchanged(
    parts: Sequence[Part], articles: Sequence[Article]
) -> tuple[list[Part], list[Article]]:
    """The parts without what is no longer so, and the articles that none of them holds."""
    wanted = {article.id: article for article in articles}
    kept = []
    for part in parts:
        gone = {name for name, at in part.place.items() if wanted.get(name) != part.articles[at]}
        for name in part.place.keys() - gone:
            del wanted[name]
        kept.append(part.without(gone) if gone else part)
    return [part for part in kept if len(part)], list(wanted.values())


def _tidied(parts: list[Part]) -> tuple[Part, ...]:
    """The parts, joined where there are many, or much is struck out; never a part with a shortcut,
    which would have to be made again."""
    fixed = [part for part in parts if part.shortcut]
    others = [part for part in parts if not part.shortcut]
    if len(parts) > MOST_PARTS or any(part.struck_out > STALE for part in others):
        others = [Part.joined(others)]
    return (*fixed, *others)


def _is_stale(parts: Sequence[Part]) -> bool:
    size = sum(len(part) for part in parts)
    if size <= EXACT_UP_TO:
        return any(part.shortcut for part in parts)
    beyond = sum(part.beyond_shortcut for part in parts)
    return beyond > min(MOST_BEYOND * size, EXACT_UP_TO) or any(
        part.struck_out > STALE for part in parts
    )


def _with_stored_shortcut(part: Part, vectors: Vectors, audience: Audience) -> Part:
    try:
        shortcut = shortcuts.load(part, vectors, audience)
    except IndexRefused as error:
        log.warning("index.refused", path=str(error.path), reason=str(error))
        return part
    return part.with_shortcut(shortcut)

"""Which passages of very many may be the best for a question, without looking at all of them.

Two graphs: one over the passages, each by the weighted sum of the vectors of its text, its heading
and its article's questions, which is about what the ranking weighs; one over the questions alone,
because the ranking takes the nearest of an article's and not their mean. What they find is then
scored exactly. Graphs are made by `build`, kept on disk under the texts' keys, and go on being
used after edits: a passage that is not in them is a candidate for every question.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from knowledge_base.nearest import Nearest, Table, distinct, numbers_from
from knowledge_base.vectors import Vectors

TEXT, HEADING, ASKED = 0.31, 0.06, 0.63
"""What the cosines of a passage's text, of its heading and of the nearest of its article's questions
weigh among the vectors."""

NEAR = (0.7, 0.06, 0.24)
"""The same in the graph over the passages: where no question of an article is nearer than the text,
the ranking takes the text in its place, and near questions have a graph of their own. The graphs on
disk are made for this: who changes it raises `index_files.FORMAT`."""

PASSAGES, QUESTIONS = 320, 64
"""Neighbours asked of each graph of up to MANY vectors, and twice as many for each tenfold: the more
there are, the closer together are the best."""

MANY = 100_000

MOST_OWNERS = 50
"""Passages or articles that one vector leads to; it is that of a text that many have word by word."""


class Indexed(Protocol):
    """What a `parts.Part` offers; its row numbers are int64."""

    texts: np.ndarray
    headings: np.ndarray
    asked: np.ndarray
    asked_first: np.ndarray
    article_of: np.ndarray


@dataclass(frozen=True)
class Shortcut:
    """The graphs with what their vectors stand for, in the numbers of one part."""

    passages: Nearest
    questions: Nearest
    passage_owners: Owners
    question_owners: Owners
    beyond: np.ndarray
    """Numbers of the passages that the graphs do not lead to."""

    def near(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of passages, and of articles, near to any of the vectors; int32, in no order."""
        passages, questions = (
            graph.best(vectors, _count(most, graph, vectors))
            for most, graph in ((PASSAGES, self.passages), (QUESTIONS, self.questions))
        )
        return self.passage_owners.of(passages), self.question_owners.of(questions)


class Owners:
    """Which things a graph's positions stand for, each for one or for several."""

    def __init__(self, positions: np.ndarray, things: np.ndarray, count: int) -> None:
        """`positions` of `things`, int64 (things,); `count` positions in all."""
        order = np.argsort(positions, kind="stable")
        self._things = things[order].astype(np.int32)
        self._first = np.searchsorted(positions[order], np.arange(count + 1))

    def of(self, positions: np.ndarray) -> np.ndarray:
        """The things that these positions stand for, int32, in no order."""
        first = self._first[positions]
        counts = np.minimum(self._first[positions + 1] - first, MOST_OWNERS)
        return self._things[numbers_from(first, counts)]


def build(
    part: Indexed,
    vectors: Vectors,
    *,
    threads: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Shortcut, Callable[[str], None]]:
    """Make the graphs of a part, a millisecond a vector; and what stores them under a name.

    The storing function raises IndexRefused or OSError.
    """
    table = vectors.table
    # A pair of text and heading that several passages share goes with the first one's article.
    pairs, passages = np.unique(_pairs(part.texts, part.headings), return_index=True)
    texts, headings = part.texts[passages], part.headings[passages]
    questions = np.unique(part.asked)
    total = len(pairs) + len(questions)

    def passage_vectors(at: np.ndarray) -> np.ndarray:
        articles = distinct(part.article_of[passages[at]])
        means = _mean_questions(part, table, articles)
        return (
            np.float32(NEAR[0]) * table.take(texts[at])
            + np.float32(NEAR[1]) * table.take(headings[at])
            + np.float32(NEAR[2]) * means[np.searchsorted(articles, part.article_of[passages[at]])]
        )

    passage_graph = Nearest.build(
        len(pairs),
        vectors.dimension,
        passage_vectors,
        threads=threads,
        progress=lambda done: progress(done, total),
    )
    question_graph = Nearest.build(
        len(questions),
        vectors.dimension,
        lambda at: table.take(questions[at]),
        threads=threads,
        progress=lambda done: progress(len(pairs) + done, total),
    )

    def store(name: str) -> None:
        keys = np.concatenate(
            [vectors.keys(texts), vectors.keys(headings), vectors.keys(questions)]
        )
        vectors.files.write_near(
            name,
            {
                "passages": passage_graph.save,
                "questions": question_graph.save,
                "keys": partial(_save_keys, keys=keys),
            },
        )

    return _attached(part, passage_graph, question_graph, pairs=pairs, questions=questions), store


def load(part: Indexed, vectors: Vectors, name: str) -> Shortcut | None:
    """The graphs stored under a name, for a part; None where there are none. Raises IndexRefused."""
    found = vectors.files.read_near(
        name, {"passages": Nearest.load, "questions": Nearest.load, "keys": np.load}
    )
    if not found:
        return None
    passages, questions = found["passages"], found["questions"]
    if len(found["keys"]) != 2 * len(passages) + len(questions):
        return None
    rows = vectors.find(found["keys"])
    texts, headings, questions_rows = np.split(rows, [len(passages), 2 * len(passages)])
    pairs = _pairs(texts, headings)
    pairs[(texts < 0) | (headings < 0)] = -1
    return _attached(part, passages, questions, pairs=pairs, questions=questions_rows)


def _count(most: int, graph: Nearest, vectors: np.ndarray) -> int:
    """How many neighbours to ask of a graph for each vector."""
    # A long message is searched in several ways, and may not take as many times as long.
    return int(most * max(len(graph) / MANY, 1) ** math.log10(2) / len(vectors))


def _attached(
    part: Indexed,
    passage_graph: Nearest,
    question_graph: Nearest,
    *,
    pairs: np.ndarray,
    questions: np.ndarray,
) -> Shortcut:
    """Find what the graphs' positions, given by their pairs of rows and their rows, stand for."""
    passage_at = _positions(pairs, _pairs(part.texts, part.headings))
    asked_at = _positions(questions, part.asked)
    article_of_asked = np.repeat(np.arange(len(part.asked_first) - 1), np.diff(part.asked_first))
    articles_missing = np.zeros(len(part.asked_first) - 1, dtype=bool)
    articles_missing[article_of_asked[asked_at < 0]] = True
    known, asked_known = passage_at >= 0, asked_at >= 0
    return Shortcut(
        passage_graph,
        question_graph,
        Owners(passage_at[known], np.flatnonzero(known), len(pairs)),
        Owners(asked_at[asked_known], article_of_asked[asked_known], len(questions)),
        np.flatnonzero(~known | articles_missing[part.article_of]).astype(np.int32),
    )


def _mean_questions(part: Indexed, table: Table, articles: np.ndarray) -> np.ndarray:
    """The mean vector of each article's title and questions, float32 (articles, dimension)."""
    first, counts = part.asked_first[articles], np.diff(part.asked_first)[articles]
    vectors = table.take(part.asked[numbers_from(first, counts)])
    sums = np.add.reduceat(vectors, np.cumsum(counts) - counts, axis=0)
    return sums / counts[:, np.newaxis].astype(np.float32)


def _pairs(texts: np.ndarray, headings: np.ndarray) -> np.ndarray:
    """Two row numbers in one, int64."""
    return texts.astype(np.int64) << 32 | headings.astype(np.int64)


def _positions(among: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where in `among` each of `wanted` is, int64; -1 where it is not."""
    if not len(among):
        return np.full(len(wanted), -1, dtype=np.int64)
    order = np.argsort(among, kind="stable")
    place = np.searchsorted(among[order], wanted)
    place[place == len(among)] = 0
    found = order[place]
    return np.where(among[found] == wanted, found, -1)


def _save_keys(path: Path, keys: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, keys)

"""How often the knowledge base is right, on a file of questions whose articles are known.

The file has one JSON object a line: `question`; `gold`, the ids of the articles that answer it (none
when no article does; an article's path or its file's name); and optionally `history` (earlier turns,
oldest first), `audience`, and `kind` (what sort of non-answer is right). Other fields are left alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from knowledge_base.index import Hit
from knowledge_base.parse import AUDIENCES, Audience
from knowledge_base.search import KnowledgeBase, Result

RESAMPLES = 1000
"""Of the bootstrap behind the intervals; they are its 2.5th and 97.5th percentiles (Efron, 1979)."""

EXTENSIONS = (".md", ".markdown", ".mdx")


class QuestionError(ValueError):
    """A line that is no question; the message starts with file and line."""


@dataclass(frozen=True)
class Question:
    """A question, what was said before it, and the articles that answer it (none: no article)."""

    text: str
    gold: frozenset[str]
    history: tuple[str, ...] = ()
    audience: Audience = "public"
    kind: str = ""
    line: int = 0


def read_questions(path: Path, known: Iterable[str] = ()) -> list[Question]:
    """The questions of a file. Raises QuestionError; with `known` ids also for an unknown one, and
    `gold` then holds whole ids. Raises OSError if there is no such file."""
    ids = _Ids(known)
    questions = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            question = Question(
                row["question"],
                frozenset(_texts(row["gold"])),
                tuple(_texts(row.get("history") or ())),
                row.get("audience", "public"),
                row.get("kind") or "",
                number,
            )
            if not isinstance(question.text, str) or question.audience not in AUDIENCES:
                raise ValueError("`question` must be text, `audience` public or staff")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise QuestionError(
                f"{path}:{number}: no question ({error!r}); "
                'write {"question": "...", "gold": ["folder/article"]}'
            ) from error
        if ids:
            gold = {it: ids.find(it) for it in question.gold}
            unknown = sorted(it for it, found in gold.items() if not found)
            if unknown:
                raise QuestionError(f"{path}:{number}: no article {unknown[0]!r}; correct `gold`")
            whole = frozenset().union(*gold.values())
            question = Question(**{**question.__dict__, "gold": whole})
        questions.append(question)
    if not questions:
        raise QuestionError(f"{path}:1: no questions; add some")
    return questions


def _texts(value: object) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(it, str) for it in value):
        raise ValueError("`gold` and `history` must be lists of texts")
    return list(value)


class _Ids:
    """The ids of articles, found by path or by file name, with the extension or without."""

    def __init__(self, known: Iterable[str]) -> None:
        self._found: dict[str, frozenset[str]] = {}
        for whole in known:
            for name in {whole, PurePosixPath(whole).name}:
                self._found[name] = self._found.get(name, frozenset()) | {whole}
            self._found[whole] = frozenset({whole})

    def __bool__(self) -> bool:
        return bool(self._found)

    def find(self, name: str) -> frozenset[str]:
        name = name.removeprefix("./").lstrip("/")
        for ending in EXTENSIONS:
            if name.lower().endswith(ending):
                name = name[: -len(ending)]
        return self._found.get(name, frozenset())


@dataclass(frozen=True)
class Outcome:
    """A question and what came of it. `place` of the first right article, from 1; None: it is not
    among those found. `gains` are the places of all right articles."""

    question: Question
    result: Result
    articles: tuple[str, ...]
    places: tuple[int, ...]

    @property
    def place(self) -> int | None:
        return self.places[0] if self.places else None

    @property
    def answered(self) -> bool:
        return self.result.kind == "answer"

    @property
    def right(self) -> bool:
        return self.place == 1


def ask_all(
    knowledge_base: KnowledgeBase,
    questions: Sequence[Question],
    progress: Callable[[int], None] = lambda _: None,
) -> list[Outcome]:
    """Ask everything, in order; `progress` is told how many are done."""
    outcomes = []
    for number, question in enumerate(questions, 1):
        result = knowledge_base.ask(question.text, question.audience, question.history)
        articles = tuple(dict.fromkeys(hit.passage.article_id for hit in result.hits))
        places = tuple(n for n, it in enumerate(articles, 1) if it in question.gold)
        outcomes.append(Outcome(question, result, articles, places))
        progress(number)
    return outcomes


def report(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Every figure as {"value", "low", "high"}, shares 0..1 (None where there is nothing to count),
    how many questions there are, and the failures.

    recall_at_1, recall_at_5, mrr, ndcg_at_10   the ranking of articles, each at its best passage,
                       over the questions that an article answers
    precision          of the answers given, those from a right article
    coverage           of the questions that an article answers, those that got an answer
    auroc              the chance that a question with an article has a higher confidence than one
                       without
    """
    ranked = [it for it in outcomes if it.question.gold]
    answers = [it for it in outcomes if it.answered]
    return {
        "questions": {"answerable": len(ranked), "others": len(outcomes) - len(ranked)},
        "answers": len(answers),
        "recall_at_1": interval([float(it.place == 1) for it in ranked]),
        "recall_at_5": interval([float((it.place or 99) <= 5) for it in ranked]),
        "mrr": interval([1 / it.place if it.place else 0.0 for it in ranked]),
        "ndcg_at_10": interval([ndcg(it) for it in ranked]),
        "precision": interval([float(it.right) for it in answers]),
        "coverage": interval([float(it.answered) for it in ranked]),
        "declined": interval([float(not it.answered) for it in outcomes if not it.question.gold]),
        "auroc": auroc_interval(outcomes),
        "failures": [it for outcome in outcomes for it in failures(outcome)],
    }


def ndcg(outcome: Outcome, depth: int = 10) -> float:
    """Normalised discounted cumulative gain of the first ten articles, each right or not (Jarvelin
    and Kekalainen, 2002)."""
    gained = sum(1 / np.log2(place + 1) for place in outcome.places if place <= depth)
    best = sum(1 / np.log2(n + 1) for n in range(1, min(len(outcome.question.gold), depth) + 1))
    return float(gained / best)


def auroc(right: np.ndarray, scores: np.ndarray) -> float | None:
    """The chance that a score of the right ones (bool (n,)) is above one of the others, ties half
    (Mann and Whitney)."""
    count, others = int(right.sum()), int((~right).sum())
    if not count or not others:
        return None
    _, place, number = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(number) - (number - 1) / 2)[place]
    return float((ranks[right].sum() - count * (count + 1) / 2) / (count * others))


def interval(values: Sequence[float]) -> dict[str, float | None]:
    """The mean with its 95 % bootstrap interval."""
    if not values:
        return {"value": None, "low": None, "high": None}
    array = np.array(values)
    random = np.random.default_rng(0)
    means = array[random.integers(0, len(array), (RESAMPLES, len(array)))].mean(axis=1)
    return _figures(float(array.mean()), means)


def auroc_interval(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    right = np.array([bool(it.question.gold) for it in outcomes])
    scores = np.array([it.result.confidence for it in outcomes])
    value = auroc(right, scores)
    if value is None:
        return {"value": None, "low": None, "high": None}
    random = np.random.default_rng(0)
    drawn = (random.integers(0, len(right), len(right)) for _ in range(RESAMPLES))
    found = [auroc(right[rows], scores[rows]) for rows in drawn]
    return _figures(value, np.array([it for it in found if it is not None]))


def _figures(value: float, resampled: np.ndarray) -> dict[str, float | None]:
    low, high = np.percentile(resampled, [2.5, 97.5])
    return {"value": round(value, 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def failures(outcome: Outcome) -> list[dict[str, Any]]:
    """What went wrong with a question, if anything: at most one entry.

    wrong_answer   answered from an article that does not answer
    invented       answered although no article does
    not_answered   an article answers, and it was first, but the confidence was too low
    not_found      an article answers, and another was first
    """
    question, result = outcome.question, outcome.result
    if outcome.answered and not outcome.right:
        what = "wrong_answer" if question.gold else "invented"
    elif question.gold and not outcome.answered:
        what = "not_answered" if outcome.right else "not_found"
    else:
        return []
    return [
        {
            "what": what,
            "line": question.line,
            "question": question.text,
            "gold": sorted(question.gold),
            "first": outcome.articles[0] if outcome.articles else None,
            "place": outcome.place,
            "kind": result.kind,
            "confidence": round(result.confidence, 4),
        }
    ]


def is_right(question: Question, hits: Sequence[Hit]) -> bool:
    """Whether the first hit is from an article that answers the question."""
    return bool(hits) and hits[0].passage.article_id in question.gold

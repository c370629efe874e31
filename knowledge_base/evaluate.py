"""How often the knowledge base is right, on a file of questions whose articles are known.

The file has one JSON object a line: `question`, `gold` (ids of the articles that answer it; none
when no article does), and optionally `passages` (`article-id#anchor` of those that answer it) and
`audience`. Other fields are left alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from knowledge_base.index import Hit
from knowledge_base.parse import AUDIENCES, Audience
from knowledge_base.search import KnowledgeBase, Result


class QuestionError(ValueError):
    """A line that is no question; the message starts with file and line."""


@dataclass(frozen=True)
class Question:
    """A question, the articles that answer it (none: no article does), and their passages."""

    text: str
    gold: frozenset[str]
    passages: frozenset[str] = frozenset()
    audience: Audience = "public"


@dataclass(frozen=True)
class Retrieval:
    """How high the right article ranks, over the questions that have one; shares 0..1.

    `passage_at_1` counts those of them whose passages are known (None: none are).
    """

    questions: int
    recall_at_1: float
    recall_at_5: float
    mrr: float
    passage_at_1: float | None


@dataclass(frozen=True)
class Answering:
    """What was answered at the threshold; shares 0..1.

    `precision`: of the answers given, those from a right article (None: none was given).
    `coverage`: of the questions that an article answers, those that got an answer.
    `declined`: of the questions that no article answers, those that got none.
    """

    questions: int
    answers: int
    precision: float | None
    coverage: float
    declined: float


def read_questions(path: Path, known: Sequence[str] = ()) -> list[Question]:
    """The questions of a file. Raises QuestionError; with `known` ids also for an unknown one."""
    questions = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            question = Question(
                row["question"],
                frozenset(row["gold"]),
                frozenset(row.get("passages", ())),
                row.get("audience", "public"),
            )
            if not isinstance(question.text, str) or question.audience not in AUDIENCES:
                raise ValueError("`question` must be text, `audience` public or staff")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise QuestionError(
                f"{path}:{number}: no question ({error!r}); "
                'write {"question": "...", "gold": ["folder/article"]}'
            ) from error
        unknown = question.gold.difference(known) if known else ()
        if unknown:
            raise QuestionError(
                f"{path}:{number}: no article {sorted(unknown)[0]!r}; correct `gold`"
            )
        questions.append(question)
    if not questions:
        raise QuestionError(f"{path}:1: no questions; add some")
    return questions


def evaluate(knowledge_base: KnowledgeBase, questions: Sequence[Question]) -> dict[str, dict]:
    """Ask everything: {"retrieval": Retrieval, "answering": Answering} as plain dicts."""
    results = [knowledge_base.ask(question.text, question.audience) for question in questions]
    ranked = [result.hits for result in results]
    return {
        "retrieval": asdict(retrieval(questions, ranked)),
        "answering": asdict(answering(questions, results)),
    }


def is_right(question: Question, hits: Sequence[Hit]) -> bool:
    """Whether the first hit is from an article that answers the question."""
    return bool(hits) and hits[0].passage.article_id in question.gold


def retrieval(questions: Sequence[Question], ranked: Sequence[Sequence[Hit]]) -> Retrieval:
    """Recall and mean reciprocal rank of articles, each counted at its best passage."""
    places: list[int | None] = []
    firsts: list[bool] = []
    for question, hits in zip(questions, ranked, strict=True):
        if not question.gold:
            continue
        articles = list(dict.fromkeys(hit.passage.article_id for hit in hits))
        places.append(next((n for n, it in enumerate(articles, 1) if it in question.gold), None))
        if question.passages:
            top = hits[0].passage if hits else None
            firsts.append(top is not None and f"{top.article_id}#{top.anchor}" in question.passages)
    count = max(len(places), 1)
    return Retrieval(
        questions=len(places),
        recall_at_1=sum(place == 1 for place in places) / count,
        recall_at_5=sum(place is not None and place <= 5 for place in places) / count,
        mrr=sum(1 / place for place in places if place) / count,
        passage_at_1=sum(firsts) / len(firsts) if firsts else None,
    )


def answering(questions: Sequence[Question], results: Sequence[Result]) -> Answering:
    """What the threshold makes of the results."""
    pairs = list(zip(questions, results, strict=True))
    given = [(question, result) for question, result in pairs if result.kind == "answer"]
    answerable = [(question, result) for question, result in pairs if question.gold]
    others = [result for question, result in pairs if not question.gold]
    right = sum(is_right(question, result.hits) for question, result in given)
    return Answering(
        questions=len(pairs),
        answers=len(given),
        precision=right / len(given) if given else None,
        coverage=_share(result.kind == "answer" for _, result in answerable),
        declined=_share(result.kind == "no_article" for result in others),
    )


def _share(verdicts) -> float:
    verdicts = list(verdicts)
    return sum(verdicts) / len(verdicts) if verdicts else 0.0

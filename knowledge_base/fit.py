"""Refit what the knowledge base believes of itself: `python -m knowledge_base.fit`.

Two things are fitted, and written into `confidence.json` and `account.json`: the probability that the
best passage answers, with the threshold from which it is given as an answer; and how questions sound
that only a customer's own record could answer.

Learned from are the help centres in `training/`, written for this, and the questions on our own
articles in `evaluation/`. Each question that has an article is used once more without it, so that
the next best passage is wrong: that is the hard kind of not knowing. The threshold is chosen on the
editors' questions, each judged by a model that had not seen it (10-fold cross-validation).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from knowledge_base.account import FILE as ACCOUNT_FILE
from knowledge_base.confidence import FILE, SIGNALS, signals
from knowledge_base.evaluate import Question, QuestionError, is_right, read_questions
from knowledge_base.query import make_query
from knowledge_base.search import KnowledgeBase

HERE = Path(__file__).resolve().parent
OWN, HARD = HERE / "evaluation" / "dev.jsonl", HERE / "evaluation" / "hard.jsonl"
"""The editors' questions; and others on the same articles that avoid their words and come close to
what they do not say. On the first the threshold is chosen; the second is learned from."""

PRECISION = 0.95
"""Share of the given answers that must be right on questions not seen."""

FEWEST_ANSWERS = 20
"""No threshold is chosen at which fewer answers than this are given: too few to tell."""

REMOVED_WEIGHT = 0.3
"""Weight of an example whose article was taken away: they teach what "close" looks like, but real
customers ask for missing articles less often than for present ones."""

OWN_WEIGHT = 4.0
"""Weight of an editors' question against one of a training centre."""

FOLDS, REPEATS = 10, 3
"""Cross-validation; its repeats are averaged, because the threshold hangs on few examples."""


@dataclass(frozen=True)
class Examples:
    """One row an example: `values` float (n, signals), `right` bool (n,), `question` its number
    (n,), `asked` bool (n,) and false where the article was taken away. `answerable` is how many of
    the questions have an article. `vectors` float32 (questions, dimension), `account` bool
    (questions,): whether only the customer's own record could answer."""

    values: np.ndarray
    right: np.ndarray
    question: np.ndarray
    asked: np.ndarray
    answerable: int
    vectors: np.ndarray
    account: np.ndarray


def examples(knowledge_base: KnowledgeBase, questions: Sequence[Question], encoder) -> Examples:
    """Ask every question, and those with an article again without it."""
    rows, right, numbers, asked, vectors = [], [], [], [], []
    for number, question in enumerate(questions):
        shelf = knowledge_base.shelf(question.audience)
        query = make_query(question.text, encoder, question.history)
        vectors.append(encoder.encode([question.text])[0])
        hits = shelf.rank(query)
        without = [hit for hit in hits if hit.passage.article_id not in question.gold]
        for chosen, is_asked in ((hits, True), (without, False)):
            if chosen and (is_asked or question.gold):
                ranking = knowledge_base.compare(query, chosen)
                values = signals(question.text, query, ranking, shelf)
                rows.append([values[name] for name in SIGNALS])
                right.append(is_asked and is_right(question, ranking.hits))
                numbers.append(number)
                asked.append(is_asked)
    return Examples(
        np.array(rows),
        np.array(right),
        np.array(numbers),
        np.array(asked),
        sum(bool(question.gold) for question in questions),
        np.stack(vectors),
        np.array([question.kind == "needs_account" for question in questions]),
    )


def joined(parts: Sequence[Examples]) -> Examples:
    """Several sets as one."""
    starts = np.cumsum([0, *(len(part.vectors) for part in parts[:-1])])
    return Examples(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.question + start for part, start in zip(parts, starts, strict=True)]),
        np.concatenate([part.asked for part in parts]),
        sum(part.answerable for part in parts),
        np.concatenate([part.vectors for part in parts]),
        np.concatenate([part.account for part in parts]),
    )


def train(
    own: Examples, rows: np.ndarray, others: Examples | None = None
) -> tuple[float, np.ndarray]:
    """Bias and weights (signals,) of a logistic regression on these rows of our own examples (bool,
    (n,)) and on all of the others."""
    from sklearn.linear_model import LogisticRegression

    values, right, asked = own.values[rows], own.right[rows], own.asked[rows]
    weight = np.full(len(values), OWN_WEIGHT)
    if others is not None:
        values = np.concatenate([values, others.values])
        right = np.concatenate([right, others.right])
        asked = np.concatenate([asked, others.asked])
        weight = np.concatenate([weight, np.ones(len(others.values))])
    centre = values.mean(axis=0)
    # A signal that never varied must not divide by nothing.
    spread = np.maximum(values.std(axis=0), 1e-6)
    model = LogisticRegression(C=1.0, max_iter=500)
    model.fit(
        (values - centre) / spread, right, sample_weight=weight * np.where(asked, 1, REMOVED_WEIGHT)
    )
    weights = model.coef_[0] / spread
    seen = rows & own.asked
    return level(own.values[seen] @ weights, float(own.right[seen].mean())), weights


def level(heights: np.ndarray, share: float) -> float:
    """The bias at which the mean probability is `share`: the examples without their article made
    the model too modest for questions as they are asked."""
    low, high = -50.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        if np.mean(1 / (1 + np.exp(-(heights + middle)))) < share:
            low = middle
        else:
            high = middle
    return middle


def cross_validated(own: Examples, others: Examples | None = None) -> np.ndarray:
    """For each of our own examples the probability from models that did not see its question,
    float (n,)."""
    found = np.zeros(len(own.values))
    random = np.random.default_rng(0)
    for _ in range(REPEATS):
        fold = random.integers(0, FOLDS, own.question.max() + 1)[own.question]
        for number in range(FOLDS):
            left_out = fold == number
            bias, weights = train(own, ~left_out, others)
            found[left_out] += 1 / (1 + np.exp(-(own.values[left_out] @ weights + bias)))
    return found / REPEATS


def curve(data: Examples, probability: np.ndarray) -> list[dict[str, float]]:
    """For every threshold, highest first: how many answers, and which shares are right."""
    order = np.argsort(-probability[data.asked], kind="stable")
    right = np.cumsum(data.right[data.asked][order])
    return [
        {
            "threshold": float(probability[data.asked][at]),
            "answers": number,
            "precision": float(right[number - 1] / number),
            "answered_rightly": float(right[number - 1] / data.answerable),
        }
        for number, at in enumerate(order, 1)
    ]


def choose(points: list[dict[str, float]]) -> dict[str, float]:
    """The lowest threshold with enough precision, or else the most precise one."""
    usable = [point for point in points if point["answers"] >= FEWEST_ANSWERS]
    good = [point for point in usable if point["precision"] >= PRECISION]
    return good[-1] if good else max(usable or points, key=lambda point: point["precision"])


def calibration_error(data: Examples, probability: np.ndarray) -> float:
    """Mean gap of stated and true probability over ten equally large groups of asked questions."""
    order = np.argsort(probability[data.asked])
    groups = np.array_split(order, 10)
    stated, right = probability[data.asked], data.right[data.asked]
    return float(np.mean([abs(stated[group].mean() - right[group].mean()) for group in groups]))


def account_model(data: Examples) -> dict[str, Any]:
    """Which questions only the customer's own record could answer: a logistic regression on their
    vectors, with its threshold at a precision of .9 in cross-validation."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import precision_recall_curve
    from sklearn.model_selection import cross_val_predict

    model = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
    found = cross_val_predict(model, data.vectors, data.account, cv=10, method="predict_proba")[
        :, 1
    ]
    precision, recall, thresholds = precision_recall_curve(data.account, found)
    usable = np.flatnonzero(precision[:-1] >= 0.9)
    at = usable[np.argmax(recall[:-1][usable])] if len(usable) else int(np.argmax(precision[:-1]))
    model.fit(data.vectors, data.account)
    return {
        "how": "python -m knowledge_base.fit: logistic regression on the vectors of "
        f"{len(data.account)} questions, {int(data.account.sum())} of them about the customer's own "
        "order, booking or account; threshold for precision .9 in 10-fold cross-validation",
        "measured": {
            "precision": round(float(precision[at]), 3),
            "recall": round(float(recall[at]), 3),
        },
        "threshold": round(float(thresholds[at]), 4),
        "bias": round(float(model.intercept_[0]), 4),
        "weights": [round(float(it), 4) for it in model.coef_[0]],
    }


def fit(
    write: Annotated[bool, typer.Option(help="Write what was fitted.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fit the probability that the best passage answers, and choose the threshold."""
    from knowledge_base.cli import fail

    centres = sorted(it for it in (HERE / "training").iterdir() if it.is_dir())
    try:
        ours = learn(HERE / "articles", OWN)
        hard = learn(HERE / "articles", HARD)
        others = [learn(it / "articles", it / "questions.jsonl") for it in centres]
    except (QuestionError, OSError) as error:
        fail(error)
    theirs = joined([hard, *others])
    probability = cross_validated(ours, theirs)
    points = curve(ours, probability)
    chosen = choose(points)
    bias, weights = train(ours, np.ones(len(ours.values), dtype=bool), theirs)
    account = account_model(joined([ours, theirs]))
    stored = {
        "how": "python -m knowledge_base.fit: logistic regression on "
        f"{len(ours.vectors)} questions of the editors' ({ours.answerable} with an article) and "
        f"{len(theirs.vectors)} others, most of {len(others)} training help centres "
        f"({theirs.answerable} with one), those with an article also without it; the threshold is "
        f"the lowest with precision {PRECISION} on the editors' questions in {FOLDS}-fold "
        "cross-validation",
        "measured": {name: round(it, 4) for name, it in chosen.items() if name != "threshold"}
        | {"calibration_error": round(calibration_error(ours, probability), 4)},
        "measured_hard": on_hard(ours, others, hard, chosen["threshold"]),
        "curve": [
            {name: round(value, 4) for name, value in point.items()}
            for point in points[len(points) // 20 - 1 :: max(len(points) // 20, 1)]
        ],
        "bias": round(bias, 4),
        "weights": dict(zip(SIGNALS, weights.round(4).tolist(), strict=True)),
        "threshold": round(chosen["threshold"], 4),
    }
    if write:
        FILE.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")
        ACCOUNT_FILE.write_text(json.dumps(account) + "\n", encoding="utf-8")
    if as_json:
        print(json.dumps({"confidence": stored, "account": account | {"weights": None}}, indent=2))
    else:
        _show(stored, account)


def learn(articles: Path, file: Path) -> Examples:
    """The examples of a file of questions on a folder of articles."""
    from knowledge_base.cli import open_knowledge_base

    knowledge_base, encoder = open_knowledge_base(articles, unfitted=True)
    known = [article.id for article in knowledge_base.articles("staff")]
    questions = read_questions(file, known)
    print(f"{file.parent.name}/{file.name}: {len(questions)} questions", flush=True)
    return examples(knowledge_base, questions, encoder)


def on_hard(
    ours: Examples, others: Sequence[Examples], hard: Examples, threshold: float
) -> dict[str, float]:
    """What the threshold does on the hard questions, by a model that saw none of them."""
    bias, weights = train(ours, np.ones(len(ours.values), dtype=bool), joined(others))
    given = hard.asked & (1 / (1 + np.exp(-(hard.values @ weights + bias))) >= threshold)
    right = int(hard.right[given].sum())
    return {
        "answers": int(given.sum()),
        "precision": round(right / max(int(given.sum()), 1), 4),
        "answered_rightly": round(right / hard.answerable, 4),
    }


def _show(stored: dict[str, Any], account: dict[str, Any]) -> None:
    from rich.console import Console

    from knowledge_base.cli import columns, share

    console = Console()
    table = columns("threshold", "answers", "precision", "answered rightly")
    for point in stored["curve"]:
        table.add_row(
            f"{point['threshold']:.3f}",
            str(int(point["answers"])),
            share(point["precision"]),
            share(point["answered_rightly"]),
        )
    console.print(table)
    console.print(f"threshold {stored['threshold']:.3f}: {stored['measured']}")
    console.print(f"needs the account: {account['measured']}")


if __name__ == "__main__":
    typer.run(fit)

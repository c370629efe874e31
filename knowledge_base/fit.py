"""Refit the confidence and its threshold: `python -m knowledge_base.fit DEV.jsonl`.

Three kinds of example: questions that an article answers, questions that none answers, and the
former again with their articles taken away, so that the next best hit is wrong. All figures of the
curve are from questions that the model had not seen (10-fold cross-validation by question).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from knowledge_base.confidence import FILE, SIGNALS, signals
from knowledge_base.evaluate import Question, QuestionError, is_right, read_questions, retrieval
from knowledge_base.search import KnowledgeBase, make_query

PRECISION = 0.90
"""Share of the given answers that must be right on questions not seen."""

FEWEST_ANSWERS = 20
"""No threshold is chosen at which fewer answers than this are given: too few to tell."""

REMOVED_WEIGHT = 0.3
"""Weight of an example whose article was taken away: they teach what "close" looks like, but real
customers ask for missing articles less often than for present ones."""

FOLDS, REPEATS = 10, 5
"""Cross-validation; its repeats are averaged, because the threshold hangs on few examples."""


@dataclass(frozen=True)
class Examples:
    """One row an example: `values` float (n, signals), `right` bool (n,), `question` its number
    (n,), `asked` bool (n,) and false where the article was taken away. `answerable` is how many of
    the questions have an article."""

    values: np.ndarray
    right: np.ndarray
    question: np.ndarray
    asked: np.ndarray
    answerable: int


def examples(knowledge_base: KnowledgeBase, questions: list[Question], encoder) -> Examples:
    """Ask every question, and those with an article again without it."""
    rows, right, numbers, asked = [], [], [], []
    for number, question in enumerate(questions):
        shelf = knowledge_base.shelf(question.audience)
        query = make_query(question.text, encoder)
        hits = shelf.rank(query)
        without = [hit for hit in hits if hit.passage.article_id not in question.gold]
        for chosen, is_asked in ((hits, True), (without, False)):
            if chosen and (is_asked or question.gold):
                values = signals(question.text, query, chosen, shelf)
                rows.append([values[name] for name in SIGNALS])
                right.append(is_asked and is_right(question, chosen))
                numbers.append(number)
                asked.append(is_asked)
    return Examples(
        np.array(rows),
        np.array(right),
        np.array(numbers),
        np.array(asked),
        sum(bool(question.gold) for question in questions),
    )


def train(data: Examples, rows: np.ndarray) -> tuple[float, np.ndarray]:
    """Bias and weights (signals,) of a logistic regression on these rows (bool, (n,))."""
    from sklearn.linear_model import LogisticRegression

    centre = data.values[rows].mean(axis=0)
    # A signal that never varied must not divide by nothing.
    spread = np.maximum(data.values[rows].std(axis=0), 1e-6)
    model = LogisticRegression(C=1.0)
    model.fit(
        (data.values[rows] - centre) / spread,
        data.right[rows],
        sample_weight=np.where(data.asked[rows], 1.0, REMOVED_WEIGHT),
    )
    weights = model.coef_[0] / spread
    asked = rows & data.asked
    return level(data.values[asked] @ weights, float(data.right[asked].mean())), weights


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


def cross_validated(data: Examples) -> np.ndarray:
    """For each example the probability from models that did not see its question, float (n,)."""
    found = np.zeros(len(data.values))
    random = np.random.default_rng(0)
    for _ in range(REPEATS):
        fold = random.integers(0, FOLDS, data.question.max() + 1)[data.question]
        for number in range(FOLDS):
            left_out = fold == number
            bias, weights = train(data, ~left_out)
            found[left_out] += 1 / (1 + np.exp(-(data.values[left_out] @ weights + bias)))
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


def halves(knowledge_base: KnowledgeBase, questions: list[Question], encoder) -> dict[str, dict]:
    """Retrieval by the vectors alone, the words alone, and both."""
    queries = [make_query(question.text, encoder) for question in questions]
    shelves = [knowledge_base.shelf(question.audience) for question in questions]
    report = {}
    for name, share in (
        ("vectors", {"dense_share": 1}),
        ("words", {"dense_share": 0}),
        ("both", {}),
    ):
        ranked = [shelf.rank(query, **share) for shelf, query in zip(shelves, queries, strict=True)]
        report[name] = asdict(retrieval(questions, ranked))
    return report


def fit(
    file: Annotated[Path, typer.Argument(help="Questions with their articles, JSON lines.")],
    articles: Annotated[Path | None, typer.Option(help="Another folder of articles.")] = None,
    write: Annotated[bool, typer.Option(help="Write confidence.json.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fit the probability that the best passage answers, and choose the threshold."""
    from knowledge_base.cli import fail, open_knowledge_base

    knowledge_base, encoder = open_knowledge_base(articles, unfitted=True)
    try:
        known = [article.id for article in knowledge_base.articles("staff")]
        questions = read_questions(file, known)
    except (QuestionError, OSError) as error:
        fail(error)
    data = examples(knowledge_base, questions, encoder)
    probability = cross_validated(data)
    points = curve(data, probability)
    chosen = choose(points)
    bias, weights = train(data, np.ones(len(data.values), dtype=bool))
    report = {
        "questions": {"answerable": data.answerable, "others": len(questions) - data.answerable},
        "retrieval": halves(knowledge_base, questions, encoder),
        "chosen": chosen,
        "calibration_error": calibration_error(data, probability),
        "curve": points[9::10],
        "weights": dict(zip(SIGNALS, weights.round(4).tolist(), strict=True)),
    }
    if write:
        stored = {
            "how": f"python -m knowledge_base.fit {file.name}: logistic regression on "
            f"{data.answerable} questions with an article, the same without it (weight "
            f"{REMOVED_WEIGHT}) and {len(questions) - data.answerable} that none answers; the "
            f"threshold is the lowest with precision {PRECISION} in {FOLDS}-fold cross-validation",
            "measured": {
                name: round(value, 4) for name, value in chosen.items() if name != "threshold"
            }
            | {"calibration_error": round(report["calibration_error"], 4)},
            "bias": round(bias, 4),
            "weights": report["weights"],
            "threshold": round(chosen["threshold"], 4),
        }
        FILE.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2)) if as_json else _show(report, FILE if write else None)


def _show(report: dict, written: Path | None) -> None:
    """Print what `knowledge_base.fit` found."""
    from rich.console import Console

    from knowledge_base.cli import columns

    console = Console()
    table = columns("found by", "R@1", "R@5", "MRR", "passage@1")
    for name, figures in report["retrieval"].items():
        table.add_row(name, *_retrieval_cells(figures))
    console.print(table)
    table = columns("threshold", "answers", "precision", "answered rightly")
    for point in report["curve"]:
        table.add_row(*_point_cells(point))
    table.add_section()
    table.add_row(*_point_cells(report["chosen"]), style="bold")
    console.print(table)
    console.print(f"Calibration error {report['calibration_error']:.3f}.")
    if written:
        console.print(f"Written to {written}.")


def _retrieval_cells(figures: dict) -> list[str]:
    from knowledge_base.cli import share

    names = ("recall_at_1", "recall_at_5", "mrr", "passage_at_1")
    return [share(figures[name]) for name in names]


def _point_cells(point: dict) -> list[str]:
    from knowledge_base.cli import share

    return [
        f"{point['threshold']:.3f}",
        str(point["answers"]),
        share(point["precision"]),
        share(point["answered_rightly"]),
    ]


if __name__ == "__main__":
    typer.run(fit)

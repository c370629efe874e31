"""`python -m knowledge_base evaluate FILE.jsonl`: how often the answers are right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from knowledge_base import evaluate as evaluation
from knowledge_base.cli import Articles, AsJson, columns, fail, open_knowledge_base, share

FIGURES = {
    "recall_at_1": "right article first (R@1)",
    "recall_at_5": "among five (R@5)",
    "mrr": "mean reciprocal rank",
    "ndcg_at_10": "nDCG@10",
    "precision": "precision of the answers given",
    "coverage": "coverage: answerable ones answered",
    "declined": "others rightly declined",
    "auroc": "AUROC: answerable or not",
}
MOST_FAILURES = 30


def evaluate(
    file: Annotated[Path, typer.Argument(help="Questions with their articles, JSON lines.")],
    articles: Articles = None,
    as_json: AsJson = False,
) -> None:
    """Print how often the right article is found, and how often the answers given are right.

    Each line of FILE is {"question": ..., "gold": [article ids], "history": [earlier turns]}; an
    empty gold means that it must not be answered. Figures come with 95 % bootstrap intervals.
    """
    knowledge_base, _ = open_knowledge_base(articles)
    try:
        known = [article.id for article in knowledge_base.articles("staff")]
        questions = evaluation.read_questions(file, known)
    except (evaluation.QuestionError, OSError, UnicodeDecodeError) as error:
        fail(error)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("asking", total=len(questions))
        outcomes = evaluation.ask_all(
            knowledge_base, questions, lambda done: bar.update(task, completed=done)
        )
    report = evaluation.report(outcomes)
    if as_json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
        return
    console = Console()
    counts = report["questions"]
    console.print(
        f"{counts['answerable']} questions with an article, {counts['others']} without; "
        f"{report['answers']} answers given at threshold {knowledge_base.threshold:.2f}."
    )
    table = columns("figure", "value", "low", "high")
    for name, words in FIGURES.items():
        table.add_row(words, *(share(report[name][part]) for part in ("value", "low", "high")))
    console.print(table)
    table = columns("failures", "line", "question", "should be", "first was", "confidence")
    for it in report["failures"][:MOST_FAILURES]:
        gold = ", ".join(it["gold"]) or "–"
        table.add_row(
            it["what"], str(it["line"]), it["question"], gold, it["first"] or "–",
            f"{it['confidence']:.2f}",
        )  # fmt: skip
    console.print(table)
    if len(report["failures"]) > MOST_FAILURES:
        console.print(f"... {len(report['failures']) - MOST_FAILURES} more with --json")

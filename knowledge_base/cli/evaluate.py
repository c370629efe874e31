"""`python -m knowledge_base evaluate FILE.jsonl`: how often the answers are right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from knowledge_base import evaluate as evaluation
from knowledge_base.cli import Articles, AsJson, columns, fail, open_knowledge_base, share

RANKED = ("recall_at_1", "recall_at_5", "mrr", "passage_at_1")


def evaluate(
    file: Annotated[Path, typer.Argument(help="Questions with their articles, JSON lines.")],
    articles: Articles = None,
    as_json: AsJson = False,
) -> None:
    """Print how often the right article is found, and how often the answers given are right."""
    knowledge_base, _ = open_knowledge_base(articles)
    try:
        known = [article.id for article in knowledge_base.articles("staff")]
        questions = evaluation.read_questions(file, known)
    except (evaluation.QuestionError, OSError) as error:
        fail(error)
    report = evaluation.evaluate(knowledge_base, questions)
    if as_json:
        print(json.dumps(report, indent=2))
        return
    console = Console()
    found, answered = report["retrieval"], report["answering"]
    table = columns("questions with an article", "R@1", "R@5", "MRR", "passage@1")
    table.add_row(str(found["questions"]), *(share(found[name]) for name in RANKED))
    console.print(table)
    table = columns("all questions", "answers", "precision", "coverage", "rightly declined")
    table.add_row(
        str(answered["questions"]),
        str(answered["answers"]),
        *(share(answered[name]) for name in ("precision", "coverage", "declined")),
    )
    console.print(table)

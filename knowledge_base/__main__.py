"""`python -m knowledge_base ask | evaluate`: try the articles without the rest of Rapport."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import structlog
import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.table import Table

from knowledge_base.parse import AUDIENCES

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)

SHOWN = 5
"""Hits that `ask` shows."""

Articles = Annotated[Path | None, typer.Option("--articles", help="Another folder of articles.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What a customer might ask.")],
    audience: Annotated[str, typer.Option(help="public or staff.")] = "public",
    articles: Articles = None,
    as_json: AsJson = False,
) -> None:
    """Show what would be answered, and what came next."""
    if audience not in AUDIENCES:
        fail(f"no audience {audience!r}; write public or staff")
    knowledge_base, _ = open_knowledge_base(articles)
    result = knowledge_base.ask(question, audience)
    hits = [
        {
            "url": hit.passage.url,
            "headed": hit.passage.headed,
            "score": round(hit.score, 4),
            "dense": round(hit.dense, 4),
            "lexical": round(hit.lexical, 4),
            "hash": hit.passage.hash,
            "text": hit.passage.text,
        }
        for hit in result.hits[:SHOWN]
    ]
    if as_json:
        shown = {"kind": result.kind, "confidence": round(result.confidence, 4), "hits": hits}
        print(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    console = Console()
    verdict = f"confidence {result.confidence:.2f}, threshold {knowledge_base.threshold:.2f}"
    if result.kind == "answer":
        title = result.hits[0].passage.headed
        console.print(Panel(Markdown(hits[0]["text"]), title=title, subtitle=verdict))
    else:
        console.print(f"No article answers this ({verdict}).")
    table = _table("passage", "score", "vectors", "words")
    for hit in hits:
        table.add_row(hit["url"], *(f"{hit[part]:.3f}" for part in ("score", "dense", "lexical")))
    console.print(table)


@app.command()
def evaluate(
    file: Annotated[Path, typer.Argument(help="Questions with their articles, JSON lines.")],
    articles: Articles = None,
    as_json: AsJson = False,
) -> None:
    """Print how often the right article is found, and how often the answers given are right."""
    from knowledge_base import evaluate as evaluation

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
    table = _table("questions with an article", "R@1", "R@5", "MRR", "passage@1")
    table.add_row(str(found["questions"]), *_retrieval_cells(found))
    console.print(table)
    table = _table("all questions", "answers", "precision", "coverage", "rightly declined")
    table.add_row(
        str(answered["questions"]),
        str(answered["answers"]),
        *(_share(answered[name]) for name in ("precision", "coverage", "declined")),
    )
    console.print(table)


def open_knowledge_base(articles: Path | None, unfitted: bool = False):
    """The loaded knowledge base and its encoder; ends the program with a sentence if it cannot.

    `unfitted` allows a missing confidence.json, for the command that makes it.
    """
    from bot.encoder import Encoder, ModelMissing
    from bot.settings import Settings
    from knowledge_base.confidence import SIGNALS, Confidence, ConfidenceMissing
    from knowledge_base.search import KnowledgeBase, NoUsableArticle

    # Standard output is for the result, which may be read by a program.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    settings = Settings()
    confidence = Confidence(0.0, dict.fromkeys(SIGNALS, 0.0), 1.0) if unfitted else None
    try:
        encoder = Encoder(settings.models_dir / "encoder")
        knowledge_base = KnowledgeBase(
            articles or settings.articles_dir,
            encoder,
            settings.models_dir / "index",
            settings.answer_threshold,
            confidence=confidence,
        )
        knowledge_base.load()
    except (ModelMissing, ConfidenceMissing, NoUsableArticle) as error:
        fail(error)
    for problem in knowledge_base.problems():
        print(problem, file=sys.stderr)
    return knowledge_base, encoder


def show_fit(report: dict, written: Path | None) -> None:
    """Print what `knowledge_base.fit` found."""
    console = Console()
    table = _table("found by", "R@1", "R@5", "MRR", "passage@1")
    for name, figures in report["retrieval"].items():
        table.add_row(name, *_retrieval_cells(figures))
    console.print(table)
    table = _table("threshold", "answers", "precision", "answered rightly")
    for point in report["curve"]:
        table.add_row(*_point_cells(point))
    table.add_section()
    table.add_row(*_point_cells(report["chosen"]), style="bold")
    console.print(table)
    console.print(f"Calibration error {report['calibration_error']:.3f}.")
    if written:
        console.print(f"Written to {written}.")


def fail(error: object) -> NoReturn:
    """Say what is wrong and end."""
    print(error, file=sys.stderr)
    raise typer.Exit(1)


def _table(*columns: str) -> Table:
    table = Table()
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


def _retrieval_cells(figures: dict) -> list[str]:
    names = ("recall_at_1", "recall_at_5", "mrr", "passage_at_1")
    return [_share(figures[name]) for name in names]


def _point_cells(point: dict) -> list[str]:
    return [
        f"{point['threshold']:.3f}",
        str(point["answers"]),
        _share(point["precision"]),
        _share(point["answered_rightly"]),
    ]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    app()

"""What the commands share: opening the knowledge base, ending with a sentence, tables.

One file a command beside this one; `knowledge_base/__main__.py` lists them.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import structlog
import typer
from rich.table import Table

Articles = Annotated[Path | None, typer.Option("--articles", help="Another folder of articles.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def new_knowledge_base(articles: Path | None, unfitted: bool = False):
    """The knowledge base, not loaded yet, and its encoder; ends the program with a sentence if a
    model is missing.

    `unfitted` allows a missing confidence.json, for the command that makes it.
    """
    from bot.encoder import Encoder, ModelMissing
    from bot.settings import Settings
    from knowledge_base.confidence import SIGNALS, Confidence, ConfidenceMissing
    from knowledge_base.search import KnowledgeBase

    # Standard output is for the result, which may be read by a program.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    settings = Settings()
    confidence = Confidence(0.0, dict.fromkeys(SIGNALS, 0.0), 1.0) if unfitted else None
    try:
        encoder = Encoder(settings.models_dir / "encoder")
        knowledge_base = KnowledgeBase(
            folder_of(articles),
            encoder,
            settings.models_dir / "index",
            settings.answer_threshold,
            confidence=confidence,
        )
    except (ModelMissing, ConfidenceMissing) as error:
        fail(error)
    return knowledge_base, encoder


def open_knowledge_base(articles: Path | None, unfitted: bool = False):
    """The loaded knowledge base and its encoder; ends the program with a sentence if it cannot."""
    from knowledge_base.search import NoUsableArticle

    knowledge_base, encoder = new_knowledge_base(articles, unfitted)
    try:
        knowledge_base.load()
    except NoUsableArticle as error:
        fail(error)
    for problem in knowledge_base.problems():
        print(problem, file=sys.stderr)
    return knowledge_base, encoder


def folder_of(articles: Path | None) -> Path:
    """The folder a command is about: --articles, or the one that the bot serves."""
    from bot.settings import Settings

    return articles or Settings().articles_dir


def is_served(articles: Path | None) -> bool:
    """Whether a command is about the folder that the bot serves."""
    from bot.settings import Settings

    return articles is None or articles.resolve() == Settings().articles_dir.resolve()


def fail(error: object) -> NoReturn:
    """Say what is wrong and end."""
    print(error, file=sys.stderr)
    raise typer.Exit(1)


def columns(*names: str) -> Table:
    table = Table()
    for number, column in enumerate(names):
        table.add_column(column, justify="right" if number else "left")
    return table


def share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"

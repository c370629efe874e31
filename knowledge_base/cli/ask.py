"""`python -m knowledge_base ask "question"`: what would be answered, and why."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel

from knowledge_base.cli import Articles, AsJson, columns, fail, open_knowledge_base
from knowledge_base.parse import AUDIENCES

SHOWN = 5
"""Hits that `ask` shows."""


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
    table = columns("passage", "score", "vectors", "words")
    for hit in hits:
        table.add_row(hit["url"], *(f"{hit[part]:.3f}" for part in ("score", "dense", "lexical")))
    console.print(table)

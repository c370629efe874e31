"""`python -m knowledge_base ask "question"`: what would be answered, and why."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.panel import Panel

from knowledge_base.cli import Articles, AsJson, columns, fail, open_knowledge_base
from knowledge_base.parse import AUDIENCES

SHOWN = 5
"""Hits that `ask` shows."""

WHY = {
    "no_article": "No article answers this",
    "ambiguous": "Two articles answer this about equally well, so a choice would be offered",
    "out_of_scope": "Nothing here comes near",
    "needs_account": "Only the customer's own order or account could tell",
    "staff_only": "Only an article for staff answers this; customers are told that none does",
}


def ask(
    question: Annotated[str, typer.Argument(help="What a customer might ask.")],
    audience: Annotated[str, typer.Option(help="public or staff.")] = "public",
    articles: Articles = None,
    after: Annotated[
        list[str] | None, typer.Option(help="What was said before; once for each turn, in order.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what would be answered, or why nothing would, and what came next.

    Example: ask "and to France?" --after "What does delivery cost?" --after "£3.95 in the UK."
    """
    if audience not in AUDIENCES:
        fail(f"no audience {audience!r}; write public or staff")
    knowledge_base, _ = open_knowledge_base(articles)
    result = knowledge_base.ask(question, audience, after or ())
    answer = None
    if result.kind == "answer":
        answer = knowledge_base.excerpt(question, result.hits[0].passage, after or ())
    hits = [
        {
            "url": hit.passage.url,
            "audience": hit.passage.audience,
            "headed": hit.passage.headed,
            "score": round(hit.score, 4),
            "tokens": round(hit.tokens, 4),
            "dense": round(hit.dense, 4),
            "lexical": round(hit.lexical, 4),
            "hash": hit.passage.hash,
            "text": hit.passage.text,
        }
        for hit in result.hits[:SHOWN]
    ]
    if as_json:
        shown = {
            "kind": result.kind,
            "confidence": round(result.confidence, 4),
            "threshold": knowledge_base.threshold,
            "answer": answer,
            "hits": hits,
        }
        print(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    console = Console()
    verdict = f"confidence {result.confidence:.2f}, threshold {knowledge_base.threshold:.2f}"
    if answer is not None:
        top = result.hits[0].passage
        mark = " [staff]" if top.audience == "staff" else ""
        console.print(Panel(Markdown(answer), title=escape(top.headed + mark), subtitle=verdict))
    else:
        console.print(f"{WHY[result.kind]} ({verdict}).")
    table = columns("passage", "score", "words met", "vectors", "BM25")
    for hit in hits:
        mark = " [staff]" if hit["audience"] == "staff" else ""
        parts = ("score", "tokens", "dense", "lexical")
        table.add_row(escape(hit["url"] + mark), *(f"{hit[part]:.3f}" for part in parts))
    console.print(table)

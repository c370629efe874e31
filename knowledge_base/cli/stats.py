"""`python -m knowledge_base stats`: what is in the knowledge base, and how large its index is."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from knowledge_base.cli import Articles, AsJson, open_knowledge_base


def stats(articles: Articles = None, as_json: AsJson = False) -> None:
    """Show how much there is: articles, passages, words, the index and its memory.

    Ends with 0, or with 1 when there is no usable article.
    """
    from knowledge_base.building import contents

    knowledge_base, _ = open_knowledge_base(articles)
    found = contents(knowledge_base)
    if as_json:
        print(json.dumps(asdict(found), indent=2, ensure_ascii=False))
        return
    per = found.passages_per_article
    memory = ", ".join(f"{name} {size / 1e6:,.1f} MB" for name, size in found.memory.items())
    table = Table(show_header=False)
    for name, value in (
        ("articles", _by_audience(found.articles)),
        ("passages", _by_audience(found.passages)),
        ("words", f"{found.words:,}"),
        ("example questions", f"{found.questions:,}"),
        (
            "passages an article",
            f"{per['fewest']} to {per['most']}, median {per['median']:g}",
        ),
        ("longest article", f"{found.longest} ({found.longest_words:,} words)"),
        (
            "updated longest ago",
            f"{found.oldest} ({found.oldest_updated})" if found.oldest else "no article has a date",
        ),
        ("without a date", f"{found.without_date:,}"),
        ("search", found.kind),
        ("memory", memory),
        ("index on disk", f"{found.index_bytes / 1e6:,.1f} MB"),
        ("vectors", f"{found.vectors_kept:,} kept, {found.vectors_unused:,} of them unused"),
        ("problems", f"{found.problems:,}"),
    ):
        table.add_row(name, value)
    Console().print(table)


def _by_audience(counts: dict[str, int]) -> str:
    parts = ", ".join(f"{count:,} {audience}" for audience, count in counts.items())
    return f"{sum(counts.values()):,} ({parts})"

"""`python -m knowledge_base build`: make the index, before the bot needs it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from knowledge_base.cli import Articles, AsJson, fail, is_served, new_knowledge_base
from knowledge_base.vectors import Progress as Told


def build(
    articles: Articles = None,
    as_json: AsJson = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Embed everything again, not only what is new.")
    ] = False,
) -> None:
    """Embed what is new with all cores, and tidy the index on disk.

    The bot does the first by itself when it starts, and while it runs; for a large folder it is
    quicker here. Vectors that no article uses any more are removed, unless --articles names a
    folder that the bot does not serve. Files with mistakes are named on stderr and left out.

    Ends with 0 when the index is complete, with 1 when it could not be made.
    """
    from knowledge_base.building import NotWritten
    from knowledge_base.building import build as make
    from knowledge_base.index_files import IndexRefused
    from knowledge_base.search import NoUsableArticle

    knowledge_base, _ = new_knowledge_base(articles)
    try:
        with bars() as bar:
            built = make(
                knowledge_base,
                afresh=everything,
                tidy=is_served(articles),
                embedding=bar("embedding texts"),
                graphs=bar("making graphs"),
            )
    except (NoUsableArticle, NotWritten, IndexRefused, OSError) as error:
        fail(error)
    for problem in knowledge_base.problems():
        print(problem, file=sys.stderr)
    if as_json:
        print(json.dumps(asdict(built), indent=2))
        return
    lines = [
        f"{built.articles:,} articles, {built.passages:,} passages: {built.passages_embedded:,} "
        f"embedded, {built.passages_reused:,} reused.",
        f"With headings, titles and questions: {built.texts_embedded:,} texts embedded, "
        f"{built.texts_reused:,} reused; {built.vectors_removed:,} unused vectors removed.",
        f"Search: {built.kind}. Index: {built.index_bytes / 1e6:,.1f} MB. "
        f"Took {built.seconds:,.1f} s.",
    ]
    if built.refused:
        lines.insert(0, f"The old index was not used: {built.refused.rpartition(';')[0]}.")
    if built.problems:
        lines.append(f"{built.problems} problems in articles, named above.")
    print("\n".join(lines))


@contextmanager
def bars() -> Iterator:
    """Progress bars on stderr: gives a function from a title to what is told of the progress."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:

        def bar(title: str) -> Told:
            task = None

            def told(done: int, total: int) -> None:
                nonlocal task
                if task is None:
                    task = progress.add_task(title, total=total)
                progress.update(task, completed=done, total=total)

            return told

        yield bar

"""`python -m knowledge_base watch`: what an editor's changes do, as they are made."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from knowledge_base.cli import Articles, AsJson, folder_of, open_knowledge_base

if TYPE_CHECKING:
    from knowledge_base.index import Snapshot
    from knowledge_base.search import ArticleProblem

LOOK_SECONDS = 0.02
"""How often it is looked whether something new is live."""


def watch(articles: Articles = None, as_json: AsJson = False) -> None:
    """Follow the folder and print each change: the article, how many of its passages are new, and
    how long it took from saving to being answered from. Ctrl-C ends.

    Mistakes are named with their file and line, and again when they are put right. With --json each
    change is one line of JSON. Ends with 0, or with 1 when there is no usable article.
    """
    folder = folder_of(articles)
    knowledge_base, _ = open_knowledge_base(articles)
    # What is wrong is printed below; the log would say it a second time.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    before, problems = knowledge_base.current, knowledge_base.problems()
    knowledge_base.watch()
    print(
        f"following {folder}: {len(before.articles):,} articles; Ctrl-C ends",
        file=sys.stderr,
        flush=True,
    )
    try:
        while True:
            time.sleep(LOOK_SECONDS)
            now, wrong = knowledge_base.current, knowledge_base.problems()
            if now is not before or wrong != problems:
                for change in [
                    *changes(before, now, folder, time.time()),
                    *troubles(problems, wrong),
                ]:
                    print(json.dumps(change, ensure_ascii=False) if as_json else said(change))
                sys.stdout.flush()
                before, problems = now, wrong
    except KeyboardInterrupt:
        knowledge_base.close()


def changes(
    before: Snapshot, now: Snapshot, folder: Path, moment: float
) -> Iterator[dict[str, Any]]:
    """What differs between two snapshots, article by article; `moment` is when the second one went
    live, in seconds since 1970."""
    for name in sorted(before.articles.keys() | now.articles.keys()):
        old, new = before.articles.get(name), now.articles.get(name)
        if old == new:
            continue
        known = {passage.hash for passage in old.passages} if old else set()
        yield {
            "article": name,
            "change": "removed" if not new else "changed" if old else "new",
            "audience": (new or old).audience,
            "passages": len(new.passages) if new else 0,
            "passages_changed": sum(it.hash not in known for it in new.passages) if new else 0,
            "seconds": _seconds(folder / f"{name}.md", moment) if new else None,
        }


def troubles(before: list[ArticleProblem], now: list[ArticleProblem]) -> Iterator[dict[str, Any]]:
    """The problems that are new, and those that are no more."""
    for change, these, others in (("problem", now, before), ("put right", before, now)):
        for problem in these:
            if problem not in others:
                yield {
                    "change": change,
                    "path": problem.path,
                    "line": problem.line,
                    "message": problem.message,
                }


def said(change: dict[str, Any]) -> str:
    """A change in words."""
    if "path" in change:
        return f"{change['change']}: {change['path']}:{change['line']}: {change['message']}"
    if change["change"] == "removed":
        return f"removed: {change['article']}"
    took = f", live after {change['seconds']:.2f} s" if change["seconds"] is not None else ""
    return (
        f"{change['change']}: {change['article']} ({change['audience']}), "
        f"{change['passages_changed']} of {change['passages']} passages are new{took}"
    )


def _seconds(path: Path, moment: float) -> float | None:
    """From a file's last change to `moment`; None where it cannot be told, as for a file that was
    moved here with its old time."""
    try:
        passed = moment - path.stat().st_mtime
    except OSError:
        return None
    return round(max(passed, 0.0), 3) if passed < 60 else None

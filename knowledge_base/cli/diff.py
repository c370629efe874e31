"""`python -m knowledge_base diff`: which answers an edit changes, before it is published."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from knowledge_base import diff as blast
from knowledge_base.check.known import Known, files_beside
from knowledge_base.check.prose import shortened
from knowledge_base.cli import Articles, AsJson
from knowledge_base.cli.check import could_not_run, load_encoder, progress, read_all, shown
from knowledge_base.diff import HOW, ArticleChanges, Change, Given
from knowledge_base.past import Past, PastError, files, past

EXCERPT = 140
"""Characters of an answer in the table."""

WORDS_BEFORE = 6
"""Words of an excerpt in front of the first that differs."""

MOST_ROWS = 50
"""Questions of a table; a program reads them all from --json."""

PIPED = 140
"""Columns where there is no terminal."""

MANY = 500
"""Questions from which progress is told even where nobody watches."""

STYLES = {"lost": "bold red", "changed": "yellow", "gained": "green", "moved": "cyan"}
SUMMARY = {
    "lost": "lose their answer",
    "changed": "get another answer",
    "gained": "get an answer now",
    "moved": "are found more or less surely",
}


@dataclass(frozen=True)
class Report:
    """What an edit changes. `problems` are what the loader says about the articles of today."""

    ref: str
    commit: str
    asked: int
    articles: ArticleChanges
    changes: Sequence[Change]
    problems: Sequence[str]


def diff(
    ref: Annotated[
        str, typer.Argument(metavar="GIT-REF", help="Compare with this commit, branch or tag.")
    ] = "HEAD",
    articles: Articles = None,
    questions: Annotated[
        list[Path] | None,
        typer.Option(
            help="More questions to ask: JSON lines or one a line; may be given several times."
        ),
    ] = None,
    as_json: AsJson = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 1 if an answer is lost or changes.")
    ] = False,
) -> None:
    """Show which questions an edit of the articles answers differently.

    The articles as they are on disk are compared with those of a commit, by default the last one.
    Asked are the questions in the folder `evaluation` beside the articles, the titles and
    `questions:` of the articles of both sides, and the files given.

    Exit code 0: compared; 1: with --exit-code, when a question loses or changes its answer; 2: it
    could not run.
    """
    encoder, settings = load_encoder()
    folder = (articles or settings.articles_dir).absolute()
    if not folder.is_dir():
        could_not_run(f"no folder {shown(folder)}; name the one that holds the articles")
    known = read_all([*files_beside(folder), *(questions or [])])
    try:
        with past(folder, ref) as then:
            report = _compare(folder, then, ref, known=known, tools=(encoder, settings))
    except PastError as error:
        could_not_run(error)
    if as_json:
        print(json.dumps(_json(report), indent=2, ensure_ascii=False))
    else:
        _print(report)
    counts = Counter(change.how for change in report.changes)
    if exit_code and (counts["lost"] or counts["changed"]):
        raise typer.Exit(1)


# The help keeps line breaks within a paragraph, and terminals differ in width.
diff.__doc__ = "\n\n".join(" ".join(it.split()) for it in (diff.__doc__ or "").split("\n\n"))


def _compare(folder: Path, then: Past, ref: str, *, known: Sequence[Known], tools) -> Report:
    for path in then.skipped:
        print(f"{path}: a link out of the folder at {ref}, left out", file=sys.stderr)
    if files(folder) == files(then.folder):
        return Report(ref, then.commit, 0, ArticleChanges(), (), ())
    encoder, settings = tools
    remembering = blast.Remembering(encoder)
    before = _load(then.folder, remembering, settings)
    # The newer one last: what it needs stays in the cache on disk.
    after = _load(folder, remembering, settings)
    if before is None and after is None:
        could_not_run(f"no usable article, neither at {ref} nor now")
    old, new = blast.articles_of(before), blast.articles_of(after)
    found = blast.article_changes(old, new)
    asked = blast.all_questions(known, old, new)
    tick = progress(many=len(asked) >= MANY)
    changes = blast.answer_changes(tick("asking", asked), before, after, renamed=found.renamed)
    problems = [str(problem) for problem in after.problems()] if after else []
    return Report(ref, then.commit, len(asked), found, changes, problems)


def _load(folder: Path, encoder, settings):
    """The knowledge base of a folder, or None if it holds no usable article."""
    from knowledge_base.confidence import ConfidenceMissing
    from knowledge_base.search import KnowledgeBase, NoUsableArticle

    try:
        knowledge_base = KnowledgeBase(
            folder, encoder, settings.models_dir / "index", settings.answer_threshold
        )
        knowledge_base.load()
    except NoUsableArticle:
        return None
    except ConfidenceMissing as error:
        could_not_run(error)
    return knowledge_base


def _json(report: Report) -> dict[str, Any]:
    counts = Counter(change.how for change in report.changes)
    articles = asdict(report.articles)
    articles["renamed"] = [{"from": old, "to": new} for old, new in report.articles.renamed.items()]
    return {
        "ref": report.ref,
        "commit": report.commit,
        "questions": report.asked,
        "articles": articles,
        "counts": {how: counts[how] for how in HOW},
        "changes": [
            {
                "change": change.how,
                "what": change.what,
                "question": change.question.question,
                "audience": change.question.audience,
                "source": change.question.source,
                "before": _given(change.before),
                "after": _given(change.after),
            }
            for change in report.changes
        ],
        "problems": list(report.problems),
    }


def _given(given: Given) -> dict[str, Any]:
    return {
        "kind": given.kind,
        "confidence": round(given.confidence, 4),
        "url": given.url,
        "headed": given.headed,
        "hash": given.hash,
        "text": given.text,
    }


def _print(report: Report) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PIPED)
    _print_articles(console, report)
    for problem in report.problems:
        console.print(Text(f"left out or doubtful: {problem}", style="red"), soft_wrap=True)
    for how in HOW:
        changes = [change for change in report.changes if change.how == how]
        if changes:
            console.print(_table(how, changes))
    if not report.asked:
        console.print(Text(f"No article differs from {report.ref}."))
        return
    counts = Counter(change.how for change in report.changes)
    summary = ", ".join(f"{counts[how]} {SUMMARY[how]}" for how in HOW if counts[how])
    console.print(
        Text(f"{report.asked} questions asked: {summary or 'all answers stay'}", style="bold")
    )


def _print_articles(console: Console, report: Report) -> None:
    found = report.articles
    loud = [f"{article_id} was for staff" for article_id in found.now_public]
    named = {f"/help/{article_id}" for article_id in found.now_public}
    loud += [
        f"{url} says what only staff could read"
        for url in found.leaked
        if url.partition("#")[0] not in named
    ]
    if loud:
        text = Text("\n".join([*loud, "Customers get these words from now on. Is that meant?"]))
        console.print(Panel(text, title="NOW PUBLIC", style="bold red"))
    lines = [
        *(f"- {article_id} (for staff only now)" for article_id in found.no_longer_public),
        *(f"+ {article_id} (new)" for article_id in found.added),
        *(f"- {article_id} (removed or left out)" for article_id in found.removed),
        *(f"> {old} is now {new}" for old, new in found.renamed.items()),
        *(f"~ {article_id} (edited)" for article_id in found.edited),
    ]
    if lines:
        title = f"Articles, compared with {report.ref} ({report.commit[:10]})"
        console.print(Text("\n".join([title, *lines, ""])))


def _table(how: str, changes: Sequence[Change]) -> Table:
    table = Table(
        title=Text(f"{len(changes)} {SUMMARY[how]}", style=STYLES[how]),
        title_justify="left",
        show_lines=True,
    )
    for column, ratio in (("question", 2), ("before", 3), ("after", 3)):
        table.add_column(column, ratio=ratio, overflow="fold")
    for change in changes[:MOST_ROWS]:
        question = Text(change.question.question)
        if change.question.audience == "staff":
            question.append(" (staff)", style="dim")
        if change.what:
            question.append(f"\nother {change.what}", style="dim")
        before, after = excerpts(change.before.text, change.after.text)
        table.add_row(question, _cell(change.before, before), _cell(change.after, after))
    if len(changes) > MOST_ROWS:
        table.caption = f"and {len(changes) - MOST_ROWS} more; --json lists them all"
    return table


def _cell(given: Given, excerpt: str) -> Group | Text:
    if not given.answered:
        return Text(f"no answer ({given.kind}, {given.confidence:.2f})", style="dim")
    where = Text(f"{given.url} ({given.confidence:.2f})", style="dim")
    return Group(where, Text(excerpt))


def excerpts(before: str, after: str) -> tuple[str, str]:
    """The beginnings of two texts; of texts that begin alike, what is around their difference."""
    old, new = before.split(), after.split()
    alike = 0
    for one, two in zip(old, new, strict=False):
        if one != two:
            break
        alike += 1
    start = max(0, alike - WORDS_BEFORE)
    if old == new or len(" ".join(old[:alike])) < EXCERPT // 2:
        start = 0
    lead = "… " if start else ""
    return tuple(lead + shortened(" ".join(it[start:]), EXCERPT) for it in (old, new))

"""`python -m knowledge_base check`: what an editor should put right before customers meet it."""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, NoReturn

import structlog
import typer
from rich.console import Console
from rich.padding import Padding
from rich.progress import track
from rich.text import Text

from knowledge_base.check.finding import SEVERITIES, Finding, Place
from knowledge_base.check.known import Known, KnownError, distinct, files_beside, read_known
from knowledge_base.check.rules import RULES, Desk, Progress
from knowledge_base.check.rules import check as find
from knowledge_base.check.stated import RULE as ORDERS
from knowledge_base.check.stated import Stated
from knowledge_base.cli import Articles, AsJson, is_served
from knowledge_base.vectors import Vectors

COULD_NOT_RUN = 2
"""Exit code for what is no finding: no model, no articles, a mistyped option."""

MANY = 200
"""Articles from which progress is told even where nobody watches, a line for each part."""

STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}


def check(
    articles: Articles = None,
    as_json: AsJson = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="RULE", help="Only this rule; may be given several times."),
    ] = None,
    as_of: Annotated[
        str, typer.Option(metavar="DATE", help="Take this for today, like 2026-10-26.")
    ] = "",
    orders: Annotated[
        Path | None,
        typer.Option(
            "--orders",
            metavar="FILE",
            help="Rules for orders that the articles are to state. Default: ORDERS_FILE, for the "
            "articles that the bot serves.",
        ),
    ] = None,
) -> None:
    """Say what an editor should put right in the articles."""
    rules, today = _wanted(only or []), _date(as_of)
    encoder, settings = load_encoder()
    folder = (articles or settings.articles_dir).absolute()
    stated, unreadable = read_orders(orders, settings, served=is_served(articles))
    knowledge_base = load_articles(folder, encoder, settings)
    desk = Desk(
        knowledge_base,
        folder,
        Vectors(encoder, settings.models_dir / "index" / "check"),
        today,
        known=tuple(read_all(files_beside(folder))),
        stated=stated,
        unreadable=unreadable,
        shown=shown,
        progress=progress(many=len(knowledge_base.articles("staff")) >= MANY),
    )
    findings = find(desk, rules)
    counts = Counter(finding.severity for finding in findings)
    if as_json:
        print(json.dumps(_report(findings, desk), indent=2, ensure_ascii=False))
    else:
        _print(findings, len(desk.pages))
    if counts["error"] or (strict and counts["warning"]):
        raise typer.Exit(1)


def load_encoder():
    """The encoder and the settings; ends the program with a sentence without a model."""
    from bot.encoder import Encoder, ModelMissing
    from bot.settings import Settings

    # Findings tell what the loader logs, and standard output is for the result.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    settings = Settings()
    try:
        return Encoder(settings.models_dir / "encoder"), settings
    except ModelMissing as error:
        could_not_run(error)


def load_articles(folder: Path, encoder, settings):
    """The knowledge base of a folder; ends the program with a sentence if there is none."""
    from knowledge_base.confidence import ConfidenceMissing
    from knowledge_base.search import KnowledgeBase, NoUsableArticle

    if not folder.is_dir():
        could_not_run(f"no folder {shown(folder)}; name the one that holds the articles")
    try:
        knowledge_base = KnowledgeBase(
            folder, encoder, settings.models_dir / "index", settings.answer_threshold
        )
        knowledge_base.load()
    except (ConfidenceMissing, NoUsableArticle) as error:
        could_not_run(error)
    return knowledge_base


def read_all(files: Iterable[Path]) -> list[Known]:
    """The questions of these files, each once; ends the program with a sentence."""
    try:
        return distinct(it for file in files for it in read_known(file))
    except KnownError as error:
        could_not_run(error)


def read_orders(
    named: Path | None, settings, *, served: bool
) -> tuple[tuple[Stated, ...], tuple[Finding, ...]]:
    """The rules that the articles are to state, and the mistakes in the file; ends the program
    with a sentence if the file that was named is not there.

    Other folders than the `served` one are held against a file only if it is named.
    """
    from bot.orders.policy_file import stated
    from bot.yaml_nodes import FileWrong

    if named is None:
        named = settings.orders_file
        if not served or settings.orders == "none" or not named.is_file():
            return (), ()
    elif not named.is_file():
        could_not_run(f"no file {shown(named)}; name the one that holds the rules for orders")
    path = shown(named.absolute())
    try:
        return tuple(stated(named, path)), ()
    except FileWrong as wrong:
        return (), tuple(
            Finding(ORDERS, "error", Place(path, max(1, it.line)), it.message)
            for it in wrong.problems
        )


def could_not_run(error: object) -> NoReturn:
    """Say why and end; never the exit code of a finding."""
    print(error, file=sys.stderr)
    raise typer.Exit(COULD_NOT_RUN)


def shown(path: Path) -> str:
    """A file as it is named to people: from where they are, if it is below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def progress(many: bool) -> Progress:
    """Shows how far work is on standard error: a bar for people, a line a part in a log (only
    with `many`, as the rest is over in seconds)."""
    console = Console(stderr=True)

    def pass_through(name: str, things: Sequence) -> Iterable:
        if console.is_terminal:
            return track(things, name, console=console, transient=True)
        if many:
            print(f"{name}: {len(things)}", file=sys.stderr)
        return things

    return pass_through


def _wanted(only: Sequence[str]) -> list[str]:
    names = [name.strip() for it in only for name in it.split(",") if name.strip()]
    for name in names:
        if name not in RULES:
            could_not_run(f"no rule {name!r}; there are: {', '.join(RULES)}")
    return names


def _date(text: str) -> date:
    if not text:
        return datetime.now(UTC).astimezone().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        could_not_run(f"--as-of {text!r} is no date; write it like 2026-10-26")


def _report(findings: Sequence[Finding], desk: Desk) -> dict[str, Any]:
    severities = Counter(finding.severity for finding in findings)
    return {
        "as_of": desk.as_of.isoformat(),
        "articles": len(desk.pages),
        "counts": {severity: severities[severity] for severity in SEVERITIES},
        "rules": dict(Counter(finding.rule for finding in findings).most_common()),
        "findings": [
            {
                "rule": finding.rule,
                "severity": finding.severity,
                **asdict(finding.place),
                "message": finding.message,
                "see": asdict(finding.see) if finding.see else None,
            }
            for finding in findings
        ],
    }


def _print(findings: Sequence[Finding], articles: int) -> None:
    console = Console(highlight=False)
    # In a pipe a finding keeps to one line, so that it can be searched for.
    wrapped = console.is_terminal
    for path, group in groupby(findings, key=lambda finding: finding.place.path):
        console.print(Text(path, style="bold underline"), soft_wrap=True)
        for finding in group:
            head = Text(f"  {finding.place}  ")
            head.append(finding.severity, style=STYLES[finding.severity])
            head.append(f"  {finding.rule}")
            see = f" (see {finding.see})" if finding.see else ""
            message = Text(finding.message + see)
            console.print(head, soft_wrap=True)
            if wrapped:
                console.print(Padding(message, (0, 0, 0, 6)))
            else:
                console.print(Text("      ") + message, soft_wrap=True)
        console.print()
    severities = Counter(finding.severity for finding in findings)
    counts = ", ".join(_counted(severities[it], it) for it in SEVERITIES)
    console.print(Text(f"{_counted(articles, 'article')}: {counts}", style="bold"))
    rules = Counter(finding.rule for finding in findings).most_common()
    if rules:
        console.print(Text(", ".join(f"{name} {count}" for name, count in rules)), soft_wrap=True)


def _counted(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"


def _help() -> str:
    """The command's help, with the first sentence about every rule."""
    rules = (
        f"* {name}: {' '.join(about.split(chr(10) * 2)[0].split())}"
        for name, about in RULES.items()
    )
    return "\n\n".join(
        (
            "Say what an editor should put right in the articles.",
            "Findings are errors (customers meet something broken), warnings (most likely a "
            "mistake) and notes (for review). Exit code 0: no errors; 1: errors, with --strict "
            "also warnings; 2: it could not run.",
            "To silence a rule, write `check_ignore: [RULE]` in an article's front matter, or "
            "`<!-- check: ignore RULE -->` in a section.",
            "Rules:",
            *rules,
        )
    )


check.__doc__ = _help()

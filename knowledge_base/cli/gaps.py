"""`python -m knowledge_base gaps`: what customers asked and did not get."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from knowledge_base.cli import Articles, AsJson, fail, open_knowledge_base

if TYPE_CHECKING:
    from bot.editing import Editing, Nearest
    from knowledge_base.gaps import Gap

MANY = 500
"""Questions from which on progress is shown."""

WHY = {
    "no_article": "no article",
    "not_helpful": "did not help",
    "asked_for_person": "asked for a person",
    "bad_rating": "bad rating",
}
ADVICE = {
    "close": "answered by now: close it",
    "improve": "it was the answer and did not content: improve it",
    "publish": "a staff article has it: write it for customers",
    "extend": "extend it",
    "write": "write a new article",
}


def gaps(
    limit: Annotated[int, typer.Option(min=1, help="How many are shown.")] = 20,
    since: Annotated[int, typer.Option(min=1, help="Look back this many days.")] = 90,
    close: Annotated[str, typer.Option(help="Close the gap with this id.")] = "",
    because: Annotated[
        str, typer.Option(help='Why: "answered by returns/return-an-item", "not for us".')
    ] = "",
    draft: Annotated[str, typer.Option(help="Show the gap with this id as a draft article.")] = "",
    write: Annotated[
        bool, typer.Option("--write", help="Write the draft into the articles' folder drafts/.")
    ] = False,
    articles: Articles = None,
    as_json: AsJson = False,
) -> None:
    """Show what customers asked and did not get, grouped by meaning, the most wanted first.

    A gap stays until it is closed, and comes back when it is asked in vain again. Exit status: 0
    when it was done, 1 when it could not be done (no such gap, no store, a draft that is there
    already), 2 when the options do not fit together.
    """
    _check_options(close, because, draft, write=write)
    editing, folder = _open(articles)
    from knowledge_base.gaps import NoSuchGap, pick

    record = editing.record(since)
    found = editing.gaps(record)
    try:
        if close:
            _close(editing, pick(found, close), because, as_json)
        elif draft:
            _draft(editing, pick(found, draft), folder, write=write, as_json=as_json)
        else:
            _list(editing, found, limit, since=since, as_json=as_json)
    except (NoSuchGap, ValueError) as error:
        fail(error)


def _check_options(close: str, because: str, draft: str, *, write: bool) -> None:
    if close and draft:
        raise typer.BadParameter("--close and --draft are two steps; do one after the other")
    if close and not because.strip():
        raise typer.BadParameter('--close needs --because: "answered by ARTICLE", or "not for us"')
    if because and not close:
        raise typer.BadParameter("--because belongs to --close")
    if write and not draft:
        raise typer.BadParameter("--write belongs to --draft")


def _open(articles: Path | None) -> tuple[Editing, Path]:
    """The store and the knowledge base; ends the program with a sentence if there is none."""
    from bot.editing import Editing
    from bot.settings import Settings
    from bot.store.database import Database, StoreUnavailable

    settings = Settings()
    try:
        database = Database(settings.store_url)
        file = database.url.database or ""
        if database.is_sqlite and not Path(file).exists():
            fail(f"nobody has asked anything yet: there is no store at {file}; `make run` makes it")
        database.migrate()
    except (StoreUnavailable, OSError) as error:
        fail(error)
    knowledge_base, encoder = open_knowledge_base(articles)
    return (
        Editing(
            database,
            knowledge_base,
            encoder,
            cache_dir=settings.data_dir / "questions",
            progress=_Shown().tell,
        ),
        articles or settings.articles_dir,
    )


class _Shown:
    """A bar on standard error, for those who wait long enough to wonder."""

    def __init__(self) -> None:
        self._bar: Progress | None = None

    def tell(self, done: int, of: int) -> None:
        if of < MANY:
            return
        if self._bar is None:
            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("reading questions", total=of)
            self._bar.start()
        self._bar.update(self._task, completed=done)
        if done >= of:
            self._bar.stop()
            self._bar = None


def _list(editing: Editing, found: list[Gap], limit: int, *, since: int, as_json: bool) -> None:
    shown = [(gap, editing.nearest(gap)) for gap in found[:limit]]
    if as_json:
        body = {
            "since_days": since,
            "total": len(found),
            "gaps": [_as_json(gap, near) for gap, near in shown],
        }
        print(json.dumps(body, indent=2, ensure_ascii=False))
        return
    console = Console()
    if not found:
        console.print(f"No gap: nothing was asked in vain in the last {since} days.")
        return
    table = Table(show_lines=True)
    for name, justify in (("gap", "left"), ("customers", "right"), ("question", "left")):
        table.add_column(name, justify=justify, overflow="fold")
    table.add_column("nearest article", overflow="fold")
    for gap, near in shown:
        # As text: customers' words may look like rich's markup.
        table.add_row(gap.id, str(gap.customers), _question(gap), _near(near))
    console.print(table)
    left = len(found) - len(shown)
    more = f"{left} more: --limit {len(found)}. " if left else ""
    console.print(f"{more}Next: --draft ID, or --close ID --because TEXT.", markup=False)


def _question(gap: Gap) -> Any:
    from rich.text import Text

    text = Text(gap.question, style="bold")
    others = [words for words, _ in gap.wordings if words != gap.question]
    for words in others[:3]:
        text.append(f"\n“{words}”", style="not bold")
    if len(others) > 3:
        text.append(f"\nand {len(others) - 3} more wordings", style="not bold")
    facts = [f"{WHY.get(why, why)} {count}×" for why, count in gap.why.items()]
    facts += [f"{gap.upset} upset"] if gap.upset else []
    facts += [f"{gap.handed_over} handed over"] if gap.handed_over else []
    facts += ["a colleague answered"] if gap.answers else []
    text.append(f"\n{', '.join(facts)}", style="dim not bold")
    if gap.reopened:
        closed = f"closed on {_day(gap.reopened.closed_at)} ({gap.reopened.because})"
        text.append(f"\nasked again; {closed}", style="yellow not bold")
    return text


def _near(near: Nearest | None) -> Any:
    from rich.text import Text

    if near is None:
        return Text("none")
    words = f"{near.title}\n{near.url}\n{near.audience}, confidence {near.confidence:.2f}"
    if near.kind not in ("answer", "no_article"):
        words += f", {near.kind.replace('_', ' ')}"
    return Text(f"{words}\n→ {ADVICE[near.advice]}")


def _as_json(gap: Gap, near: Nearest | None) -> dict[str, Any]:
    reopened = gap.reopened and {
        "because": gap.reopened.because,
        "closed_by": gap.reopened.closed_by,
        "closed_at": _iso(gap.reopened.closed_at),
    }
    return {
        "id": gap.id,
        "question": gap.question,
        "customers": gap.customers,
        "times": gap.times,
        "weight": gap.weight,
        "last_asked": _iso(gap.last_asked),
        "upset": gap.upset,
        "handed_over": gap.handed_over,
        "badly_rated": gap.badly_rated,
        "why": gap.why,
        "wordings": [{"text": text, "times": times} for text, times in gap.wordings],
        "answers": list(gap.answers),
        "nearest": asdict(near) if near else None,
        "reopened": reopened,
    }


def _close(editing: Editing, gap: Gap, because: str, as_json: bool) -> None:
    editing.close(gap, because, _user())
    if as_json:
        print(json.dumps({"closed": gap.id, "question": gap.question}, ensure_ascii=False))
    else:
        print(f"Closed {gap.id}, “{gap.question}”. It comes back if it is asked in vain again.")


def _draft(editing: Editing, gap: Gap, folder: Path, *, write: bool, as_json: bool) -> None:
    from knowledge_base import drafts

    text = drafts.draft(gap, editing.nearest(gap), datetime.now().astimezone().date())
    path = None
    if write:
        try:
            path = drafts.write(folder, gap, text)
        except FileExistsError as error:
            fail(f"{error.filename} is there already; finish it, move it or delete it first")
        except OSError as error:
            fail(f"the draft cannot be written: {error}")
    if as_json:
        body = {"gap": gap.id, "path": str(path) if path else None, "text": text}
        print(json.dumps(body, indent=2, ensure_ascii=False))
    elif path:
        print(f"Wrote {path}. Rewrite it; it is served to nobody before `draft: true` is gone.")
    else:
        print(text, end="")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "command line"


def _iso(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _day(milliseconds: int) -> str:
    return _iso(milliseconds)[:10]

"""`python -m bot simulate day`: a support day at once, and what came of it."""

from __future__ import annotations

import json
import logging
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

MUST_BE_NONE = {
    "lost": "messages that nobody dealt with",
    "answered_by_two": "messages said over whoever had the conversation",
    "without_deadline": "open tickets that nothing would ever be done about",
}


def day(
    conversations: Annotated[int, typer.Option(min=1, help="Customers who come that day.")] = 2000,
    agents: Annotated[int, typer.Option(min=1, help="People at the desk.")] = 12,
    seed: Annotated[int, typer.Option(help="The same seed makes the same day.")] = 1,
    crash: Annotated[bool, typer.Option(help="Kill the gateway at noon, for two minutes.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Play a support day with made-up customers and agents, at an accelerated clock.

    Store, use cases, service.yml and escalation.yml are the real ones; the engine is not asked.
    Exit status 1: something was lost, said over somebody, or left without a deadline.
    """
    import structlog

    from bot.escalation_file import load as load_escalation
    from bot.service_file import load as load_service
    from bot.settings import Settings
    from bot.simulate.day import Day, Plan
    from bot.simulate.verdict import verdict
    from bot.yaml_nodes import FileWrong

    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=quiet)
    settings = Settings()
    try:
        service = load_service(settings.service_file)
        escalation = load_escalation(settings.escalation_file)
    except FileWrong as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    plan = Plan(conversations, agents, seed, crash_hour=12.0 if crash else None)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rapport-day-") as folder:
        played = Day(Path(folder), plan, service, escalation)
        played.run(_progress())
        found = verdict(played)
        played.database.close()
    found["seconds"] = round(time.monotonic() - started, 1)
    typer.echo(json.dumps(found, indent=2) if as_json else table(found, plan.seed))
    if any(found[name] for name in MUST_BE_NONE):
        raise typer.Exit(1)


def _progress() -> Any:
    """Percent of the day that has passed, on stderr."""
    shown = -1

    def show(share: float) -> None:
        nonlocal shown
        percent = int(100 * share)
        if percent != shown:
            shown = percent
            typer.echo(f"\r{percent} % of the day", err=True, nl=percent >= 100)

    return show


def table(found: dict[str, Any], seed: int) -> str:
    """The verdict in words."""
    lines = [
        f"\n{found['conversations']} conversations, {found['messages']} messages, "
        f"{found['tickets']} tickets (seed {seed}, {found['seconds']} s)",
        "",
        *(f"  {found[name]:>6}  {words}" for name, words in MUST_BE_NONE.items()),
        f"  {found['dropped_bot_answers']:>6}  answers of the bot dropped, as a person had taken over",
        f"  {found['given_back']:>6}  tickets given back, as their agent said nothing",
        f"  {found['promised']:>6}  customers promised a time; {found['promises_missed']} missed",
        f"  {found['still_open']:>6}  tickets still open at the end, each with its next deadline",
        f"  {found['ratings']:>6}  ratings",
        "",
    ]
    for clock, row in sorted(found["sla"].items()):
        name = clock.replace("_", " ")
        lines.append(f"  {name}: {100 * row['kept']:.1f} % of {row['ended']} in time")
    for queue, row in found["wait_minutes"].items():
        lines.append(
            f"  waits in “{queue}”: median {row['median']} min, 90 % within {row['p90']}, "
            f"longest {row['longest']} ({row['tickets']} tickets)"
        )
    return "\n".join(lines)

"""`python -m bot.build`: build the models that are missing or out of date."""

from __future__ import annotations

import fcntl
import json
import time
from contextlib import redirect_stderr, redirect_stdout
from enum import StrEnum
from typing import Annotated

import typer

from bot.build.steps import Places, Step, StepFailed, build, steps, why_build
from bot.settings import Settings


class What(StrEnum):
    """What can be built by name."""

    all = "all"
    encoder = "encoder"
    emotion = "emotion"
    index = "index"
    engine = "engine"


def main(
    what: Annotated[What, typer.Argument(help="One step, or all of them.")] = What.all,
    force: Annotated[bool, typer.Option("--force", help="Build even what is up to date.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object at the end.")] = False,
) -> None:
    """Build the models that are missing or out of date: encoder, emotion, index, engine."""
    places = Places.of(Settings())
    places.models.mkdir(parents=True, exist_ok=True)
    report: dict[str, dict] = {}
    with (places.models / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            typer.echo("Another build is at work; waiting for it.", err=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        for step in steps(places):
            if what in (What.all, step.name):
                report[step.name] = _one(step, places, force=force, quiet=as_json)
                if report[step.name]["state"] == "failed":
                    break
    if as_json:
        typer.echo(json.dumps(report, indent=2))
    if any(entry["state"] == "failed" for entry in report.values()):
        raise typer.Exit(1)


def _one(step: Step, places: Places, *, force: bool, quiet: bool) -> dict:
    why = "asked for" if force else why_build(places.models, step)
    if not why:
        return {"state": "unchanged"}
    if not quiet:
        typer.echo(f"{step.name:<8} {step.title} ({why}) ...")
    started = time.monotonic()
    places.logs.mkdir(parents=True, exist_ok=True)
    log = places.logs / f"build-{step.name}.log"
    try:
        # The libraries inside are talkative, and none of it is for the person who waits.
        with log.open("w") as output, redirect_stdout(output), redirect_stderr(output):
            facts = build(places.models, step)
    except Exception as error:  # any step may fail in its own way; the next needs this one
        typer.echo(f"{step.name:<8} FAILED: {_words(error)}\nMore in {log}", err=True)
        return {"state": "failed", "error": _words(error)}
    seconds = round(time.monotonic() - started, 1)
    if not quiet:
        told = ", ".join(f"{key} {value}" for key, value in facts.items() if _short(value))
        typer.echo(f"{step.name:<8} built in {seconds:.1f} s{': ' + told if told else ''}")
    return {"state": "built", "why": why, "seconds": seconds, "facts": facts}


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, StepFailed) else f"{type(error).__name__}: {error}"


def _short(value: object) -> bool:
    return isinstance(value, int | float | str) and len(str(value)) < 40


if __name__ == "__main__":
    typer.run(main)

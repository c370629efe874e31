"""`python -m bot`: run Rapport, check it, look after its agents.

Heavy things are imported inside the commands: a help text must not wait for them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from bot import agent_commands, evaluate
from bot.simulate.command import day
from bot.simulate.slacking import slack
from bot.simulate.texting import sms

if TYPE_CHECKING:
    from bot.settings import Settings

T = TypeVar("T")

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # they may hold secrets
)
cli.add_typer(agent_commands.app, name="agent")
cli.add_typer(evaluate.app, name="evaluate")
simulate = typer.Typer(no_args_is_help=True, help="Play what cannot be waited for or paid for.")
simulate.command()(day)
simulate.command()(sms)
simulate.command()(slack)
cli.add_typer(simulate, name="simulate")


@cli.callback()
def main() -> None:
    """Rapport answers customers from your articles and hands over to people."""
    os.umask(0o077)  # databases and logs hold customers' words: nobody else's to read


@cli.command()
def run() -> None:
    """Start engine and gateway, and keep them running until Ctrl-C."""
    from bot import launch
    from bot.build.steps import verify_manifest

    settings = _settings()
    problems = verify_manifest(settings.models_dir)
    if not launch.ENGINE_PYTHON.exists():
        problems.insert(0, "the engine's environment .venv-engine is missing")
    if problems:
        told = "\n".join(f"  - {problem}" for problem in problems)
        _refuse(f"Rapport cannot start:\n{told}\n`make run` puts this right; so does `make train`.")
    if wrong := _file_problems(settings):
        told = "\n".join(f"  - {problem}" for problem in wrong)
        _refuse(f"Rapport cannot start:\n{told}")
    if launch.is_running(settings):
        _refuse(f"Rapport runs already from {settings.data_dir}.")
    if taken := launch.taken_ports(settings):
        told = "\n".join(f"  - {problem}" for problem in taken)
        _refuse(f"Rapport cannot start:\n{told}")
    try:
        launch.run(settings, say=typer.echo)
    except (launch.AlreadyRunning, ValueError, OSError) as error:
        _refuse(f"Rapport cannot start: {error}")


@cli.command()
def train(
    what: Annotated[
        str, typer.Argument(help="One of encoder, emotion, index, engine; or all of them.")
    ] = "all",
    force: Annotated[bool, typer.Option("--force", help="Build even what is up to date.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object at the end.")] = False,
) -> None:
    """Build the models that are missing or out of date, and say what was done.

    `make train` does this after it has seen to the environments. Exit status 1: a step failed.
    """
    from bot.build.__main__ import What
    from bot.build.__main__ import main as build

    if what not in list(What):
        _refuse(f"There is no model {what!r}; there are {', '.join(What)}.")
    build(What(what), force=force, as_json=as_json)


@cli.command()
def gateway() -> None:
    """The gateway alone; `run` starts it together with the engine."""
    from bot.app import serve

    settings = _settings()
    if problems := _file_problems(settings):
        told = "\n".join(f"  - {problem}" for problem in problems)
        _refuse(f"The gateway cannot start:\n{told}")
    serve(settings)


@cli.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Say what is missing or wrong, why it matters and what to do. Exit status 1 on errors."""
    import structlog

    from bot import findings
    from bot.check import check as look

    # Findings tell what is logged meanwhile, and standard output is for them.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    found = look()
    typer.echo(findings.as_json(found) if as_json else findings.as_text(found))
    if any(finding.level == "error" for finding in found):
        raise typer.Exit(1)


@cli.command()
def feel(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Say how messages sound: one message a line on standard input, one line out for each."""
    import json
    import sys

    from bot.encoder import ModelMissing
    from bot.feeling import Feelings

    try:
        feelings = Feelings(_settings().models_dir / "emotion-onnx")
    except ModelMissing as error:
        _refuse(str(error))
    for line in sys.stdin:
        text = line.rstrip("\r\n")
        heard = feelings.judge([text])[0]
        if as_json:
            shown = {
                "labels": heard["emotions"],
                "moods": heard["probabilities"],
                **{key: heard[key] for key in ("label", "valence", "intensity", "abuse")},
            }
            print(json.dumps(shown), flush=True)
        else:
            rough = "" if heard["abuse"] == "none" else f", {heard['abuse']}"
            print(
                f"{heard['label']:<11}{heard['valence']:<9}{heard['intensity']:.2f}{rough}  {text}",
                flush=True,
            )


@cli.command(name="settings")
def print_settings() -> None:
    """Print every setting with its default and what it is for: this is .env.example."""
    from bot.settings_text import example

    typer.echo(example(), nl=False)


def _settings() -> Settings:
    """The settings, or an end in plain words."""
    from pydantic import ValidationError

    from bot.settings import Settings
    from bot.settings_text import explain

    try:
        return Settings()
    except ValidationError as error:
        told = "\n".join(f"  - {problem}" for problem in explain(error))
        _refuse(f"Some settings (environment or .env) are wrong:\n{told}")


def _file_problems(settings: Settings) -> list[str]:
    """What is wrong with the files that a support lead edits, in the words of `check`."""
    from bot import escalation_file, service_file
    from bot.notices.sender import sinks
    from bot.orders import policy_file
    from bot.orders.choose import make_orders
    from bot.yaml_nodes import FileWrong

    problems: list[str] = []
    files: list[tuple[Callable[[Path], object], Path]] = [
        (escalation_file.load, settings.escalation_file),
        (service_file.load, settings.service_file),
    ]
    if settings.orders != "none":
        files.append((policy_file.load, settings.orders_file))
    for load, path in files:
        try:
            load(path)
        except FileWrong as error:
            problems += [str(problem) for problem in error.problems]
    for make in (sinks, make_orders):
        try:
            make(settings)
        except ValueError as error:
            problems.append(str(error))
    return problems


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    cli()

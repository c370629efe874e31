"""`python -m bot evaluate intents TRAIN.csv TEST.csv`: how often the intent is right."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot.evaluate.rows import OUTSIDE, BadRows, Row, read_rows

if TYPE_CHECKING:
    from bot.evaluate.figures import Answer

FIGURES = {
    "accuracy": "right intent, threshold left aside",
    "accuracy_with_threshold": "right intent, and above the threshold",
    "macro_f1": "F1, mean over the intents",
    "oos_recall": "messages of no intent below the threshold",
    "oos_auroc": "AUROC: of an intent or of none",
    "mcc": "Matthews' correlation, oos as one class",
    "ece": "expected calibration error",
    "threshold": "threshold",
}


def intents(
    train: Annotated[Path, typer.Argument(help="CSV with the columns text and label.")],
    test: Annotated[Path, typer.Argument(help="The same; label oos: a message of no intent.")],
    config: Annotated[
        Path | None,
        typer.Option(help="Rasa configuration to measure instead of the project's config.yml."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Train the project's own pipeline on TRAIN and print how often it is right on TEST.

    The pipeline is that of config.yml up to its FallbackClassifier, whose threshold is used; the
    bot's own model stays as it is. Progress goes to stderr. Exit status: 0 measured; 1 a file cannot
    be used, or the training failed.
    """
    from bot.build.steps import StepFailed
    from bot.evaluate import trial
    from bot.evaluate.figures import measure
    from bot.settings import ROOT

    try:
        training, asked = read_rows(train), read_rows(test)
        _check(train, training, test, asked)
        pipeline, threshold = trial.classifier(config or ROOT / "config.yml")
        typer.echo(
            f"{len(training)} messages to learn from, {len(asked)} to ask; training ...", err=True
        )
        answers = trial.try_out(pipeline, training, [row.text for row in asked])
    except (BadRows, StepFailed) as error:
        _fail(error)
    gold = [row.label for row in asked]
    figures = measure(gold, answers, threshold)
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
        return
    _print(figures, asked, answers)


def _print(figures: dict[str, float | None], asked: list[Row], answers: list[Answer]) -> None:
    from rich.console import Console
    from rich.table import Table

    outside = sum(row.label == OUTSIDE for row in asked)
    table = Table("figure", "value")
    for name, words in FIGURES.items():
        value = figures[name]
        table.add_row(words, "–" if value is None else f"{value:.3f}")
    console = Console()
    console.print(f"{len(asked) - outside} messages with an intent, {outside} of none")
    console.print(table)
    wrong = Counter(
        (row.label, answer.label)
        for row, answer in zip(asked, answers, strict=True)
        if row.label not in (OUTSIDE, answer.label)
    )
    mistakes = Table("should be", "was taken for", "times")
    for (label, said), times in wrong.most_common(10):
        mistakes.add_row(label, said or "–", str(times))
    if wrong:
        console.print(mistakes)


def _check(train: Path, training: list[Row], test: Path, asked: list[Row]) -> None:
    """Raises BadRows where the labels allow no measurement; says what to doubt on stderr."""
    counts = Counter(row.label for row in training)
    if len(counts) < 2:
        raise BadRows(f"{train}: all rows have the label {training[0].label}; two are needed")
    unknown = {row.label: row.line for row in reversed(asked) if row.label not in counts}
    unknown.pop(OUTSIDE, None)
    if unknown:
        told = ", ".join(f"{label} (line {line})" for label, line in list(unknown.items())[-10:])
        raise BadRows(
            f"{test}: labels without an example in {train}: {told}. Messages of no intent have the "
            f"label {OUTSIDE}."
        )
    for row in training:
        if counts[row.label] == 1:
            typer.echo(
                f"{train}, line {row.line}: {row.label} has this one example only; expect little",
                err=True,
            )
    seen = {row.text for row in training}
    if copies := sum(row.text in seen for row in asked):
        typer.echo(f"{copies} of the {len(asked)} messages of {test} are in {train} too", err=True)


def _fail(error: Exception) -> NoReturn:
    typer.echo(str(error), err=True)
    raise typer.Exit(1)

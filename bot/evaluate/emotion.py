"""How well the emotion model tells GoEmotions' labels, with the thresholds that it ships with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from bot.encoder import ModelMissing
from bot.feeling import Feelings

BATCH = 500


class RowsError(ValueError):
    """The file cannot be judged on; the message names the line."""


def read_rows(file: Path, labels: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Texts, and bool (rows, labels), of a file in GoEmotions' format: `text<TAB>numbers<TAB>id`,
    numbers of labels with commas between. Raises RowsError."""
    texts, rows = [], []
    try:
        content = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RowsError(f"{file} cannot be read: {error}") from error
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        cells = line.rstrip("\r").split("\t")
        said = cells[1].split(",") if len(cells) >= 2 else []
        if not said or not all(it.isdigit() and int(it) < len(labels) for it in said):
            raise RowsError(
                f"{file}:{number}: expected a text, a tab and numbers of labels from 0 to "
                f"{len(labels) - 1} with commas between, such as “great news<TAB>13,17”"
            )
        texts.append(cells[0])
        rows.append([str(column) in said for column in range(len(labels))])
    if not texts:
        raise RowsError(f"{file} holds no row")
    return texts, np.array(rows)


def macro_f1(said: np.ndarray, gold: np.ndarray) -> float:
    """Mean F1 over the columns of bool (rows, labels); 0 for a label never said nor meant."""
    hits = (said & gold).sum(axis=0)
    both = said.sum(axis=0) + gold.sum(axis=0)
    return float(np.mean(2 * hits / np.maximum(both, 1)))


def evaluate(
    file: Path,
    feelings: Feelings,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """`rows`, and `macro_f1` of the 28 `labels`, of Ekman's families and of the groups.

    Raises RowsError. `progress` hears how many texts of all are judged.
    """
    texts, gold = read_rows(file, feelings.emotions)
    parts = []
    for start in range(0, len(texts), BATCH):
        parts.append(feelings.run(texts[start : start + BATCH])["emotions"])
        progress(min(start + BATCH, len(texts)), len(texts))
    found = np.concatenate(parts)
    return {
        "rows": len(texts),
        "macro_f1": {
            "labels": round(macro_f1(found >= feelings.thresholds, gold), 4),
            **{
                name: round(_family_f1(found, gold, feelings, feelings.coarse[name]), 4)
                for name in ("ekman", "groups")
            },
        },
    }


def _family_f1(
    found: np.ndarray, gold: np.ndarray, feelings: Feelings, coarse: Mapping[str, Mapping]
) -> float:
    families = coarse["labels"]
    member = np.array(
        [[label in names for names in families.values()] for label in feelings.emotions]
    )
    # At least one of the family's labels holds, as in bot.build.emotion_rule.coarse.
    chance = 1 - np.exp(np.log1p(-np.minimum(found, 1 - 1e-6)) @ member)
    thresholds = np.array([coarse["thresholds"][name] for name in families])
    return macro_f1(chance >= thresholds, gold.astype(int) @ member.astype(int) > 0)


def emotion(
    file: Annotated[Path, typer.Argument(help="Rows `text<TAB>label numbers<TAB>id`.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """How well GoEmotions' labels are told, with the thresholds that the model ships with.

    FILE is in GoEmotions' own format. Exit status 1: the file or the model cannot be used.
    """
    from bot.settings import Settings

    def show(done: int, total: int) -> None:
        typer.echo(f"\r{done} of {total} messages", err=True, nl=done == total)

    try:
        found = evaluate(file, Feelings(Settings().models_dir / "emotion-onnx"), show)
    except (RowsError, ModelMissing) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(found))
        return
    names = {"labels": "28 labels", "ekman": "Ekman's families", "groups": "groups"}
    typer.echo(f"{found['rows']} messages; macro-F1")
    for name, title in names.items():
        typer.echo(f"  {title:<18}{found['macro_f1'][name]:.3f}")

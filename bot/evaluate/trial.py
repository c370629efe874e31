"""A pipeline trained on some messages and asked about others, in the engine's environment."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from bot.build.steps import StepFailed, engine_environment, engine_python
from bot.evaluate.figures import Answer
from bot.evaluate.rows import OUTSIDE, Row
from bot.settings import ROOT


def classifier(config: Path) -> tuple[dict[str, Any], float]:
    """The configuration up to its FallbackClassifier, and that one's threshold (0 without one).

    What comes after it - rules about our own intents, entities, feelings - has no say in how often a
    classifier is right about somebody else's labels. Raises StepFailed.
    """
    try:
        found = yaml.safe_load(config.read_text(encoding="utf-8"))
        pipeline = list(found["pipeline"])
        names = [component["name"] for component in pipeline]
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise StepFailed(f"{config} has no pipeline that can be read: {error}") from None
    kept = {key: found[key] for key in ("recipe", "language", "assistant_id") if key in found}
    if "FallbackClassifier" not in names:
        return {**kept, "pipeline": pipeline}, 0.0
    at = names.index("FallbackClassifier")
    # Rasa's own default, if the file names none.
    threshold = float(pipeline[at].get("threshold", 0.3))
    return {**kept, "pipeline": pipeline[: at + 1]}, threshold


def try_out(config: dict[str, Any], training: Sequence[Row], texts: Sequence[str]) -> list[Answer]:
    """Train and ask; one answer a text. Progress goes to stderr. Raises StepFailed.

    The engine is given numbers for labels: Rasa reads a meaning into some names ("faq/hours").
    """
    labels = sorted({row.label for row in training})
    names = {label: f"intent_{number}" for number, label in enumerate(labels)}
    back = {name: label for label, name in names.items()}
    examples = [{"text": row.text, "intent": names[row.label]} for row in training]
    with tempfile.TemporaryDirectory(prefix="rapport-trial-") as name:
        folder = Path(name)
        (folder / "config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        _write(folder / "train.json", {"rasa_nlu_data": {"common_examples": examples}})
        _write(folder / "ask.json", list(texts))
        done = subprocess.run(
            [engine_python(ROOT), "-m", "bot.engine.trial", folder],
            check=False,
            cwd=ROOT,
            env=engine_environment(ROOT) | {"TQDM_DISABLE": ""},
            stdout=subprocess.DEVNULL,
        )
        if done.returncode or not (folder / "answers.json").is_file():
            raise StepFailed(f"the engine gave up (exit {done.returncode}); it says why above")
        rankings = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    return [_answer([(back[name], sure) for name, sure in ranking]) for ranking in rankings]


def _answer(ranking: list[tuple[str, float]]) -> Answer:
    """The best intent. Whoever trained an intent `oos` has "none of them" as an answer: where it
    wins, no intent is believed."""
    if not ranking or ranking[0][0] == OUTSIDE:
        return Answer("", 0.0)
    return Answer(*ranking[0])


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

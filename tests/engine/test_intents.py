"""IntentClassifier in the engine's environment, and the command that measures it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.build.steps import engine_environment
from tests.system import ROOT

PYTHON = ROOT / ".venv-engine" / "bin" / "python"


@pytest.fixture(scope="module")
def component(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    script = ROOT / "tests" / "engine" / "intents_component.py"
    done = subprocess.run(
        [PYTHON, script, tmp_path_factory.mktemp("models")],
        cwd=ROOT, env=engine_environment(ROOT), capture_output=True, text=True, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.engine
def test_known_messages_are_told_from_strange_ones(component: dict[str, Any]):
    parcel, violin = component["answers"][:2]
    assert parcel["name"] == "track_order" and parcel["confidence"] > 0.6
    assert violin["confidence"] < 0.1


@pytest.mark.engine
def test_a_loaded_model_says_what_the_trained_one_said(component: dict[str, Any]):
    assert component["fresh"] == component["answers"]


@pytest.mark.engine
def test_the_same_data_give_the_same_model(component: dict[str, Any]):
    assert component["same"] and component["again"] == component["answers"]


@pytest.mark.engine
def test_rankings_are_probabilities_in_falling_order(component: dict[str, Any]):
    for answer, ranking in zip(component["answers"], component["rankings"], strict=True):
        confidences = [one["confidence"] for one in ranking]
        assert answer == ranking[0] and confidences == sorted(confidences, reverse=True)
        assert all(0 <= one <= 1 for one in confidences) and sum(confidences) <= 1.0001


@pytest.mark.engine
def test_nothing_and_nonsense_have_no_intent(component: dict[str, Any]):
    for answer in component["answers"][2:6]:
        assert answer["confidence"] < 0.5


@pytest.mark.engine
def test_no_messages_give_no_intent_and_one_message_is_enough(component: dict[str, Any]):
    assert component["untrained"] == {"name": None, "confidence": 0.0}
    hello, fusion = component["single"]
    assert hello["name"] == fusion["name"] == "greet" and hello["confidence"] > 0.5


@pytest.mark.engine
def test_a_message_is_judged_quickly(component: dict[str, Any]):
    """Encoder and classifier; the goal is 6 ms on a core of its own, this one is shared."""
    assert component["milliseconds"] < 30


def write(path: Path, rows: list[tuple[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows(rows)
    return path


@pytest.mark.engine
def test_the_command_trains_asks_and_measures(tmp_path: Path):
    """Labels that Rasa would read a meaning into, texts that it would take for commands."""
    train = write(tmp_path / "train.csv", [
        *((f"{words} my table", "book/cancel it") for words in
          ("cancel", "please cancel", "I must cancel", "call off", "do not keep", "drop")),
        *((f"what {words} on the menu", "menu [food](x)") for words in
          ("is", "fish is", "cakes are", "wines are", "soup is", "vegan dishes are")),
    ])  # fmt: skip
    test = write(tmp_path / "test.csv", [
        ("can you cancel my table\nfor tonight", "book/cancel it"),
        ("/what puddings are on the menu", "menu [food](x)"),
        ("who won the cup final in 1966", "oos"),
    ])  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "bot", "evaluate", "intents", train, test, "--json"],
        cwd=ROOT, capture_output=True, text=True, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(done.stdout)
    assert list(figures) == [
        "accuracy", "accuracy_with_threshold", "macro_f1", "oos_recall", "oos_auroc", "mcc", "ece",
        "threshold",
    ]  # fmt: skip
    assert figures["accuracy"] == figures["macro_f1"] == figures["oos_auroc"] == 1.0
    assert figures["oos_recall"] == 1.0 and 0 < figures["threshold"] < 1
    assert "12 messages to learn from, 3 to ask" in done.stderr

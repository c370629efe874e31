"""How often several wishes are noticed, and how often "Did you mean ...?" is asked and helps.

    python scripts/quality_dialogue.py

Wishes: on the dev lines of `tests/data/wishes_dev.tsv`, on which the thresholds were chosen; with a
classifier made of all training messages, as Rasa makes it. Did you mean: 5-fold cross-validation on
the training messages. Neither looks at the held-out messages of `tests/engine/nlu_test.yml`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.encoder import Encoder  # noqa: E402
from bot.engine.wishes import Wishes, close_call  # noqa: E402

DEV = ROOT / "tests" / "data" / "wishes_dev.tsv"
COMPONENT = "bot.engine.intents.SupportIntents"


def settings() -> dict[str, Any]:
    """The classifier's, from config.yml."""
    config = yaml.safe_load((ROOT / "config.yml").read_text("utf-8"))
    return next(dict(one) for one in config["pipeline"] if one["name"] == COMPONENT)


def training_messages() -> tuple[list[str], np.ndarray]:
    """What the classifier learns from: everything but the intents that rules set."""
    texts: list[str] = []
    labels: list[str] = []
    for path in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        for item in yaml.safe_load(path.read_text("utf-8"))["nlu"]:
            if item["intent"] == "several_wishes":
                continue
            lines = [line[2:] for line in item["examples"].splitlines() if line.startswith("- ")]
            texts += lines
            labels += [item["intent"]] * len(lines)
    return texts, np.array(labels)


def dev_lines() -> list[tuple[list[str], str]]:
    """The wishes of each line, in their order (none: one wish or no wish), and its text."""
    lines = []
    for line in DEV.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            wanted, text = line.split("\t")
            lines.append(([] if wanted == "-" else wanted.split(), text))
    return lines


def classifier() -> LogisticRegression:
    return LogisticRegression(max_iter=300, class_weight="balanced")


def measure_wishes(encoder: Encoder, vectors: np.ndarray, labels: np.ndarray) -> dict[str, int]:
    scale = settings()["scale"]
    model = classifier().fit(vectors * scale, labels)

    def judge(texts: Sequence[str]) -> tuple[Sequence[str], np.ndarray]:
        return model.classes_, model.predict_proba(encoder.encode(texts) * scale)

    finder = Wishes()
    counts = dict.fromkeys(("several", "right", "other", "missed", "one", "false"), 0)
    for wanted, text in dev_lines():
        found = [wish.intent for wish in finder.find(text, judge)]
        counts["several" if wanted else "one"] += 1
        if wanted and found == wanted:
            counts["right"] += 1
        elif wanted:
            counts["other" if found else "missed"] += 1
        elif found:
            counts["false"] += 1
    return counts


def measure_close(vectors: np.ndarray, labels: np.ndarray) -> dict[str, int]:
    chosen = settings()
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    rows = cross_val_predict(
        classifier(), vectors * chosen["scale"], labels, cv=folds, method="predict_proba"
    )
    names = np.unique(labels)
    counts = dict.fromkeys(("messages", "asked", "first", "among"), 0)
    for label, row in zip(labels, rows, strict=True):
        counts["messages"] += 1
        rule = {name: chosen[name] for name in ("margin", "least", "most")}
        pair = close_call(names, row, **rule)
        if pair:
            counts["asked"] += 1
            counts["first"] += label == pair[0]
            counts["among"] += label in pair
    return counts


def section() -> list[str]:
    """The part of docs/quality.md."""
    encoder = Encoder(ROOT / "models" / "encoder")
    texts, labels = training_messages()
    vectors = encoder.encode(texts)
    wishes, close = measure_wishes(encoder, vectors, labels), measure_close(vectors, labels)
    share = close["asked"] / close["messages"]
    return [
        "## Several wishes", "",
        "By `python scripts/quality_dialogue.py`, on the dev lines of `tests/data/wishes_dev.tsv`, "
        "which were written for choosing the thresholds and the rules: what is new will come out "
        "worse.", "",
        "| what | measured |", "|---|---|",
        f"| messages with several wishes that were cut into exactly these, in order "
        f"| {wishes['right']} of {wishes['several']} |",
        f"| where other ones were found | {wishes['other']} |",
        f"| where only one was found | {wishes['missed']} |",
        f"| messages with one wish or none, taken for several | {wishes['false']} of {wishes['one']} |",
        "",
        "## Did you mean",
        "",
        "By the same command, 5-fold cross-validation on the training messages. These come before the "
        "articles: what one answers with confidence is answered and not asked about.", "",
        "| what | measured |", "|---|---|",
        f"| messages with two intents too close to tell | {close['asked']} of {close['messages']} "
        f"({share:.3f}) |",
        f"| the likelier of the two is right | {close['first'] / close['asked']:.3f} |",
        f"| the right one is among the two | {close['among'] / close['asked']:.3f} |", "",
    ]  # fmt: skip


if __name__ == "__main__":
    print("\n".join(section()))

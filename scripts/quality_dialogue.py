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
from sklearn.model_selection import StratifiedKFold

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.encoder import Encoder  # noqa: E402
from bot.engine import kernel  # noqa: E402
from bot.engine.wishes import Wishes, close_call  # noqa: E402

DEV = ROOT / "tests" / "data" / "wishes_dev.tsv"
COMPONENT = "bot.engine.support_intents.SupportIntents"


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


class Classifier:
    """`IntentClassifier` as Rasa makes it, from messages and their vectors."""

    def __init__(self, encoder: Encoder, texts: Sequence[str], labels: np.ndarray) -> None:
        self.encoder = encoder
        self.names, numbers = np.unique(labels, return_inverse=True)
        vectors, sentences = encoder.encode(texts), kernel.background()
        others = encoder.encode(sentences)
        far = kernel.strangers(others, vectors)
        self.model = kernel.fit(
            vectors,
            texts,
            numbers,
            background=(others[far], [sentences[at] for at in far]),
            **kernel.DEFAULTS,
        )

    def __call__(self, texts: Sequence[str]) -> tuple[Sequence[str], np.ndarray]:
        likely, known = self.model.judge(self.encoder.encode(texts), list(texts))
        return self.names, likely * known[:, None]


def measure_wishes(encoder: Encoder, texts: Sequence[str], labels: np.ndarray) -> dict[str, int]:
    judge = Classifier(encoder, texts, labels)
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


def measure_close(encoder: Encoder, texts: Sequence[str], labels: np.ndarray) -> dict[str, int]:
    chosen = settings()
    names = np.unique(labels)
    rows = np.zeros((len(texts), len(names)))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    for train, test in folds.split(rows, labels):
        judge = Classifier(encoder, [texts[at] for at in train], labels[train])
        rows[test] = judge([texts[at] for at in test])[1]
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
    wishes = measure_wishes(encoder, texts, labels)
    close = measure_close(encoder, texts, labels)
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

"""How well feelings are heard, on lines that nothing was tuned on: for docs/quality.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score, roc_auc_score

from bot.evaluate.figures import calibration_error
from bot.feeling import ABUSE, VALENCE, Feelings

ROOT = Path(__file__).resolve().parent.parent
LINES = ROOT / "tests" / "data" / "feelings.tsv"
"""`text<TAB>mood[,second mood]<TAB>intensity 0..3<TAB>abuse 0..2`, labelled by their author alone."""


def feelings() -> dict[str, float]:
    """The figures on the held-out lines, through the exported model."""
    rows = [
        line.split("\t")
        for line in LINES.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    model = Feelings(ROOT / "models" / "emotion-onnx")
    heard = model.judge([text for text, *_ in rows])
    gold = np.array([said.split(",")[0] for _, said, _, _ in rows])
    label = np.array([it["label"] for it in heard])
    either = [
        it["label"] in said.split(",") for it, (_, said, _, _) in zip(heard, rows, strict=True)
    ]
    valence = np.array([VALENCE.get(name, "neutral") for name in gold])
    found = np.array([it["valence"] for it in heard])
    bad = [name for name in model.moods if VALENCE.get(name) == "negative"]
    share = np.array([sum(it["probabilities"][name] for name in bad) for it in heard])
    trouble = valence == "negative"
    strength = np.array([int(it) / 3 for _, _, it, _ in rows])
    abuse = np.array([ABUSE[int(it)] for *_, it in rows])
    rough = np.array([it["abuse"] == "aimed" for it in heard])
    return {
        "count": len(rows),
        "accuracy": float((label == gold).mean()),
        "either": float(np.mean(either)),
        "macro_f1": float(f1_score(gold, label, average="macro")),
        "valence_macro_f1": float(f1_score(valence, found, average="macro")),
        "negative_recall": float((found == "negative")[trouble].mean()),
        "negative_precision": float(trouble[found == "negative"].mean()),
        "negative_auc": float(roc_auc_score(trouble, share)),
        "calibration_error": calibration_error(share, trouble),
        "intensity": float(np.corrcoef(strength, [it["intensity"] for it in heard])[0, 1]),
        "aimed_recall": float(rough[abuse == "aimed"].mean()),
    }  # fmt: skip


def report(found: dict[str, float]) -> list[str]:
    """Lines of markdown."""
    names = {
        "accuracy": "eight moods, accuracy",
        "either": "the same where either of two moods of a line counts",
        "macro_f1": "eight moods, macro-F1",
        "valence_macro_f1": "negative, neutral, positive: macro-F1",
        "negative_recall": "trouble heard (recall of negative)",
        "negative_precision": "what is heard as trouble is (precision of negative)",
        "negative_auc": "negative or not, AUC",
        "calibration_error": "expected calibration error of negative",
        "intensity": "correlation of stated and labelled intensity",
        "aimed_recall": "abuse aimed at the reader: recall",
    }
    return [
        f"{found['count']:.0f} messages invented for the purpose (`tests/data/feelings.tsv`), half of "
        "them hard on purpose: flat reports of trouble, irony, polite fury, calm requests in the words "
        "of trouble. Their author saw no line that was trained on; nothing is tuned on them.",
        "", "| what | measured |", "|---|---|",
        *[f"| {title} | {found[name]:.3f} |" for name, title in names.items()],
        "",
        "The [model card](../models/emotion/README.md) has the figures on the public dev sets, and "
        "says what the model is not good at.", "",
    ]  # fmt: skip

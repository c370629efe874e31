"""How good a classifier is, from the labels, what it said and how sure it was.

Rows with the label `oos` are messages of no intent; an answer below the threshold says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.evaluate.rows import OUTSIDE

BINS = 15


@dataclass(frozen=True)
class Answer:
    """The likeliest intent and its confidence; `label` is empty where there is none."""

    label: str
    confidence: float


def measure(
    gold: Sequence[str], answers: Sequence[Answer], threshold: float
) -> dict[str, float | None]:
    """All figures; None where there are no rows to tell it from.

    accuracy                  of the rows with an intent, the threshold left aside
    accuracy_with_threshold   the same, an answer below the threshold being wrong
    macro_f1                  mean over the intents in `gold`, the threshold left aside
    oos_recall                of the rows with none, those below the threshold
    oos_auroc                 chance that a row with an intent has more confidence than one without
    mcc                       Matthews' correlation over all rows, `oos` being one class
    ece                       expected calibration error of the rows with an intent, 15 equal bins
    threshold                 as given
    """
    labels = np.array(gold, dtype=object)
    said = np.array([answer.label for answer in answers], dtype=object)
    sure = np.array([answer.confidence for answer in answers])
    inside = labels != OUTSIDE
    right = (said == labels) & inside
    above = (sure >= threshold) & (said != "")
    result: dict[str, float | None] = {
        "accuracy": _mean(right[inside]),
        "accuracy_with_threshold": _mean((right & above)[inside]),
        "macro_f1": macro_f1(labels[inside], said[inside]),
        "oos_recall": _mean(~above[~inside]),
        "oos_auroc": auroc(sure[inside], sure[~inside]),
        "mcc": mcc(labels, np.where(above, said, OUTSIDE)),
        "ece": calibration_error(sure[inside], right[inside]),
        "threshold": threshold,
    }
    return result


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def macro_f1(gold: np.ndarray, said: np.ndarray) -> float | None:
    """Mean F1 over the labels in `gold`."""
    scores = []
    for label in sorted(set(gold)):
        hits = int(((gold == label) & (said == label)).sum())
        scores.append(2 * hits / int((gold == label).sum() + (said == label).sum()))
    return float(np.mean(scores)) if scores else None


def auroc(higher: np.ndarray, lower: np.ndarray) -> float | None:
    """The chance that one of `higher` is above one of `lower`; of equals, half."""
    if not len(higher) or not len(lower):
        return None
    ordered = np.sort(lower)
    below = np.searchsorted(ordered, higher, "left") + np.searchsorted(ordered, higher, "right")
    return float(below.mean() / 2 / len(lower))


def mcc(gold: np.ndarray, said: np.ndarray) -> float:
    """Matthews' correlation of several classes (Gorodkin's R_K); 0 where one side never varies."""
    names, numbers = np.unique(np.concatenate([gold, said]).astype(str), return_inverse=True)
    one, other = numbers[: len(gold)], numbers[len(gold) :]
    count = float(len(gold))
    in_gold = np.bincount(one, minlength=len(names)).astype(float)
    in_said = np.bincount(other, minlength=len(names)).astype(float)
    together = float((one == other).sum()) * count - in_gold @ in_said
    spread = (count**2 - in_gold @ in_gold) * (count**2 - in_said @ in_said)
    return float(together / np.sqrt(spread)) if spread > 0 else 0.0


def calibration_error(sure: np.ndarray, right: np.ndarray) -> float | None:
    """Mean distance of confidence and accuracy over equal bins of confidence, by their rows."""
    if not len(sure):
        return None
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    apart = np.bincount(place, sure - right.astype(float), minlength=BINS)
    return float(np.abs(apart).sum() / len(sure))

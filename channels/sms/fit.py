"""Learns what a wish for no more texts sounds like: `python -m channels.sms.fit`, a few seconds.

Logistic regression on MiniLM's sentence vectors, by Newton's method, on `stop_training.yml` and on the
bot's own training messages, which are no stops. The threshold is the lowest at which, in ten-fold
cross-validation, one other message in two hundred is taken for a stop. What the patterns hear among the
bot's messages ("unsubscribe me", to a chat) is left out: by text it means the texts.
Writes `stop_model.json`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import typer
import yaml

from bot.encoder import Encoder
from bot.settings import ROOT, Settings
from channels.sms.words import Wish, simple, unless, wish_in

HERE = Path(__file__).resolve().parent
PENALTY = 0.03
FALSE_ALARMS = 0.005
FOLDS = 10
STEPS = 30


def training() -> tuple[list[str], np.ndarray]:
    """Texts, and 1 for each stop."""
    found = yaml.safe_load((HERE / "stop_training.yml").read_text(encoding="utf-8"))
    others = [str(it) for it in found["other"]]
    for path in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            if "intent" in entry:
                lines = str(entry["examples"]).splitlines()
                lines = [line.removeprefix("- ").strip() for line in lines if line.strip()]
                others += [line for line in lines if wish_in(line) is not Wish.STOP]
    stops = [str(it) for it in found["stop"]]
    texts = [simple(it) for it in [*stops, *others]]
    return texts, np.array([1.0] * len(stops) + [0.0] * len(others))


def learned(vectors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Weights and, last, the bias; both kinds count alike, however many there are."""
    share = labels.mean()
    each = np.where(labels == 1, 0.5 / share, 0.5 / (1 - share))
    columns = np.hstack([vectors, np.ones((len(vectors), 1))])
    weights = np.zeros(columns.shape[1])
    ridge = np.full(columns.shape[1], PENALTY)
    ridge[-1] = 1e-6
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-columns @ weights))
        slope = columns.T @ (each * (chance - labels)) + ridge * weights
        curve = (columns * (each * chance * (1 - chance))[:, None]).T @ columns + np.diag(ridge)
        weights -= np.linalg.solve(curve, slope)
    return weights


def main() -> None:
    """Fit, say how well it does in cross-validation, and write the model."""
    texts, labels = training()
    encoder = Encoder(Settings().models_dir / "encoder")
    vectors = np.stack([encoder.encode([text])[0] for text in texts]).astype(np.float64)
    folds = np.random.default_rng(7).permutation(len(texts)) % FOLDS
    scores = np.zeros(len(texts))
    for fold in range(FOLDS):
        weights = learned(vectors[folds != fold], labels[folds != fold])
        scores[folds == fold] = vectors[folds == fold] @ weights[:-1] + weights[-1]
    others = np.sort(scores[labels == 0])[::-1]
    threshold = float(others[int(FALSE_ALARMS * len(others))]) + 1e-3
    by_words = np.array([wish_in(text) is Wish.STOP for text in texts])
    allowed = np.array([not unless(text) for text in texts])
    by_both = by_words | ((scores >= threshold) & allowed)
    heard = f"{by_words[labels == 1].mean():.3f}, with the model {by_both[labels == 1].mean():.3f}"
    weights = learned(vectors, labels)
    model = {
        "weights": [round(float(it), 4) for it in weights[:-1]],
        "bias": round(float(weights[-1]), 4),
        "threshold": round(threshold, 3),
    }
    (HERE / "stop_model.json").write_text(json.dumps(model) + "\n", encoding="utf-8")
    typer.echo(
        f"{int(labels.sum())} stops, {len(others)} others; threshold {threshold:.2f}: "
        f"stops heard in cross-validation by the patterns {heard}; others taken for stops with the "
        f"model: {int(by_both[labels == 0].sum())}"
    )


if __name__ == "__main__":
    typer.run(main)

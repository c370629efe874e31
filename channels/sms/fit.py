"""Learns what a wish for no more texts sounds like: `python -m channels.sms.fit`, a few seconds.

Kernel ridge regression (Gaussian kernel) on MiniLM's sentence vectors, on `stop_training.yml` and on
the bot's own training messages, which are no stops. The threshold is the lowest at which, in ten-fold
cross-validation, one other message in two hundred is taken for a stop. What the patterns hear among the
bot's messages ("unsubscribe me", to a chat) is left out: by text it means the texts.
Writes `stop_model.npz`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import typer
import yaml

from bot.encoder import Encoder
from bot.settings import ROOT, Settings
from channels.sms.hearing import kernel
from channels.sms.words import Wish, simple, unless, wish_in

HERE = Path(__file__).resolve().parent
PENALTY = 0.1
FALSE_ALARMS = 0.005
FOLDS = 10


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
    """One weight for each text; both kinds count alike, however many there are."""
    share = labels.mean()
    each = np.where(labels == 1, 0.5 / share, 0.5 / (1 - share))
    return np.linalg.solve(kernel(vectors, vectors) + np.diag(PENALTY / each), 2 * labels - 1)


def main() -> None:
    """Fit, say how well it does in cross-validation, and write the model."""
    texts, labels = training()
    encoder = Encoder(Settings().models_dir / "encoder")
    vectors = np.stack([encoder.encode([text])[0] for text in texts]).astype(np.float64)
    folds = np.random.default_rng(7).permutation(len(texts)) % FOLDS
    scores = np.zeros(len(texts))
    for fold in range(FOLDS):
        known, asked = folds != fold, folds == fold
        weights = learned(vectors[known], labels[known])
        scores[asked] = kernel(vectors[asked], vectors[known]) @ weights
    allowed = np.array([not unless(text) for text in texts])
    others = np.sort(scores[(labels == 0) & allowed])[::-1]
    threshold = float(others[int(FALSE_ALARMS * (labels == 0).sum())]) + 1e-3
    by_words = np.array([wish_in(text) is Wish.STOP for text in texts])
    by_both = by_words | ((scores >= threshold) & allowed)
    heard = f"{by_words[labels == 1].mean():.3f}, with the model {by_both[labels == 1].mean():.3f}"
    np.savez_compressed(
        HERE / "stop_model.npz",
        vectors=np.round(vectors * 127).astype(np.int8),
        weights=learned(vectors, labels).astype(np.float32),
        threshold=np.float32(threshold),
    )
    typer.echo(
        f"{int(labels.sum())} stops, {int((labels == 0).sum())} others; threshold {threshold:.2f}: "
        f"stops heard in cross-validation by the patterns {heard}; others taken for stops with the "
        f"model: {int(by_both[labels == 0].sum())}"
    )


if __name__ == "__main__":
    typer.run(main)

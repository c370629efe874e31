"""Wishes for no more texts that the patterns of `words` do not have: by their meaning, see `fit`."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from channels.sms.words import Wish, simple, unless, wish_in

MODEL = Path(__file__).resolve().parent / "stop_model.npz"
LONGEST = 300  # characters; who wants no texts says so in fewer


WIDTH = 4.0  # of the Gaussian kernel, chosen by cross-validation on the training texts


def kernel(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """How alike unit vectors are: (n, d) and (m, d) to (n, m), 1 for the same."""
    alike: np.ndarray = np.exp(WIDTH * (left @ right.T - 1))
    return alike


class Encoder(Protocol):
    """Makes sentence vectors."""

    def encode(self, texts: list[str]) -> np.ndarray:
        """One row for each text."""


class Hearing:
    """Hears what a text asks of the number: by patterns, then by meaning."""

    def __init__(self, encoder: Encoder):
        with np.load(MODEL) as found:
            known = found["vectors"].astype(np.float32)
            self._weights, self._threshold = found["weights"], float(found["threshold"])
        self._known = known / np.linalg.norm(known, axis=1, keepdims=True)
        self._encoder = encoder

    def wish_in(self, text: str) -> Wish | None:
        """What a text asks; None when it is for the bot."""
        wish = wish_in(text)
        words = simple(text)
        if wish is not None or not words or len(words) > LONGEST or unless(words):
            return wish
        score = kernel(self._encoder.encode([words]), self._known)[0] @ self._weights
        return Wish.STOP if score >= self._threshold else None

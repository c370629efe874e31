"""Wishes for no more texts that the patterns of `words` do not have: by their meaning, see `fit`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

import numpy as np

from channels.sms.words import Wish, simple, unless, wish_in

MODEL = Path(__file__).resolve().parent / "stop_model.json"
LONGEST = 300  # characters; who wants no texts says so in fewer


class Encoder(Protocol):
    """Makes sentence vectors."""

    def encode(self, texts: list[str]) -> np.ndarray:
        """One row for each text."""


class Hearing:
    """Hears what a text asks of the number: by patterns, then by meaning."""

    def __init__(self, encoder: Encoder):
        found = json.loads(MODEL.read_text(encoding="utf-8"))
        self._encoder = encoder
        self._weights = np.array(found["weights"], dtype=np.float32)
        self._bias, self._threshold = float(found["bias"]), float(found["threshold"])

    def wish_in(self, text: str) -> Wish | None:
        """What a text asks; None when it is for the bot."""
        wish = wish_in(text)
        words = simple(text)
        if wish is not None or not words or len(words) > LONGEST or unless(words):
            return wish
        score = float(self._encoder.encode([words])[0] @ self._weights) + self._bias
        return Wish.STOP if score >= self._threshold else None

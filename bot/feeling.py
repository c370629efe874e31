"""How a customer's message sounds: the emotion model, for the engine and for the command line.

Standard library, numpy and `bot.encoder` only, and valid on Python 3.10, because the engine's old
environment loads it too. `bot.build.emotion` trains and exports what it reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bot.encoder import ModelMissing, TextModel

ABUSE = ("none", "swearing", "aimed")
"""Rough language: none; at the situation; at whoever reads it."""

VALENCE = {
    "angry": "negative",
    "frustrated": "negative",
    "worried": "negative",
    "sad": "negative",
    "satisfied": "positive",
    "grateful": "positive",
}
"""The other labels are neutral: who does not understand has not complained."""

_LINK = re.compile(r"https?://\S+|www\.\S+|<url>", re.IGNORECASE)
_HANDLE = re.compile(r"(?<!\w)@\w+")
_WORD = re.compile(r"[^\W\d_]{2,}")


def as_heard(text: str) -> str:
    """The text as the model reads it: capitals said in words, since it tells no case apart; links
    and names of accounts as what they are."""
    text = _HANDLE.sub("@name", _LINK.sub("link", text)).strip()
    words = _WORD.findall(text)
    capitals = sum(word.isupper() for word in words)
    return f"shouting: {text}" if len(words) >= 3 and capitals > 0.6 * len(words) else text


class Feelings:
    """The exported emotion model."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Load the model in `folder` (`models/emotion-onnx`). Raises ModelMissing."""
        if not (Path(folder) / "config.json").is_file():
            raise ModelMissing(Path(folder) / "config.json")
        facts = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
        self._model = TextModel(Path(folder), max_tokens=facts["max_tokens"], threads=threads)
        self.moods: list[str] = facts["support"]["labels"]
        self.emotions: list[str] = facts["labels"]
        self.thresholds = np.array(
            [facts["thresholds"][label] for label in self.emotions], dtype=np.float32
        )
        self.coarse: dict[str, Any] = facts["coarse"]

    def judge(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """For each text, in order:

        label          one of the eight of a support line
        probabilities  of the eight, calibrated, summing to 1
        valence        negative, neutral or positive, as a support line means it
        intensity      0..1, how strongly it is felt
        abuse          none, swearing, aimed (at whoever reads it)
        emotions       those of GoEmotions' 28 that the model is sure of
        """
        outputs = self.run([text for text in texts if text.strip()])
        row, found = 0, []
        for text in texts:
            if not text.strip():
                found.append(self._nothing())
                continue
            found.append(self._one({name: values[row] for name, values in outputs.items()}))
            row += 1
        return found

    def run(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """The model's own outputs: `emotions` (texts, 28), `support` (texts, 8), `label` (texts,),
        `intensity` (texts,), `abuse` (texts, 3)."""
        if not texts:
            return {}
        return self._model.run([as_heard(text) for text in texts])

    def _one(self, row: dict[str, Any]) -> dict[str, Any]:
        label = self.moods[int(row["label"])]
        sure = row["emotions"] >= self.thresholds
        return {
            "label": label,
            "probabilities": {
                mood: round(float(p), 4) for mood, p in zip(self.moods, row["support"], strict=True)
            },
            "valence": VALENCE.get(label, "neutral"),
            "intensity": round(float(row["intensity"]), 4),
            "abuse": ABUSE[int(np.argmax(row["abuse"]))],
            "emotions": [
                name for name, is_sure in zip(self.emotions, sure, strict=True) if is_sure
            ],
        }

    def _nothing(self) -> dict[str, Any]:
        return {
            "label": "neutral",
            "probabilities": {mood: float(mood == "neutral") for mood in self.moods},
            "valence": "neutral",
            "intensity": 0.0,
            "abuse": "none",
            "emotions": [],
        }

"""How likely the best passage is to answer the question: a logistic model over a few signals.

Its weights and threshold are in `confidence.json`, written by `python -m knowledge_base.fit`, with
how they were found. Without that file nothing may be answered, so a missing one is an error.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from knowledge_base.index import Hit, Query, Shelf

FILE = Path(__file__).resolve().parent / "confidence.json"

SHARPNESS = 35
"""Of the softmax over scores behind `lead`: the slope of the regression that tuned the scores."""

SIGNALS = ("text", "heading", "questions", "lead", "coverage", "number")

_LONG_NUMBER = re.compile(r"\d{5}")


class ConfidenceMissing(RuntimeError):
    """`confidence.json` is missing or unusable; the message says how to make it."""


def signals(question: str, query: Query, hits: Sequence[Hit], shelf: Shelf) -> dict[str, float]:
    """What the ranking tells about its first hit, each about 0..1; `hits` best first, not empty.

    text, heading, questions   the cosines of the hit's own parts
    lead       the article's share of a softmax over all scores: 1 when no other comes near
    coverage   share of the question's content words that its article holds, by rarity
    number     1 if a long number is in the question: it is about one order, which no article knows

    Tried, and of no further use beside these: the BM25 share, whether vectors and words agree, the
    rarest word that is missing, the message's length, the lead over the next passage.
    """
    top = hits[0]
    article = top.passage.article_id
    heights = [math.exp(SHARPNESS * (hit.score - top.score)) for hit in hits]
    own = [
        height
        for height, hit in zip(heights, hits, strict=True)
        if hit.passage.article_id == article
    ]
    rarity = {stem: shelf.words.rarity(stem) for stems in query.stems for stem in stems}
    held = sum(it for stem, it in rarity.items() if shelf.article_holds(article, stem))
    total = sum(rarity.values())
    return {
        "text": top.text,
        "heading": top.heading,
        "questions": top.questions,
        "lead": sum(own) / sum(heights),
        "coverage": held / total if total else 0.0,
        "number": float(bool(_LONG_NUMBER.search(question))),
    }


@dataclass(frozen=True)
class Confidence:
    """The fitted model: probability = 1 / (1 + exp(-(bias + weights . signals)))."""

    bias: float
    weights: Mapping[str, float]
    threshold: float

    @classmethod
    def load(cls, path: Path = FILE) -> Confidence:
        """Read the fitted model. Raises ConfidenceMissing."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            weights = {name: float(stored["weights"][name]) for name in SIGNALS}
            return cls(float(stored["bias"]), weights, float(stored["threshold"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfidenceMissing(
                f"{path} cannot be used ({error!r}); it belongs to the repository, so restore it, "
                "or make it with `python -m knowledge_base.fit knowledge_base/evaluation/dev.jsonl`"
            ) from error

    def probability(self, values: Mapping[str, float]) -> float:
        """The probability 0..1 that the first hit answers the question."""
        z = self.bias + sum(weight * values[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))

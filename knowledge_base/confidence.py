"""How likely the best passage is to answer the question: a logistic model over a few signals.

Its weights and threshold are in `confidence.json`, written by `python -m knowledge_base.fit`, with
how they were found. Without that file nothing may be answered, so a missing one is an error.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from knowledge_base.index import Query, Shelf
from knowledge_base.rerank import Ranking

FILE = Path(__file__).resolve().parent / "confidence.json"

SHARPNESS = 35
"""Of the softmax over scores behind `lead`."""

MANY, USUAL, SPREAD = 40, 0.26, 0.05
"""A folder of few passages has too few hits to stand out from: they are filled up to MANY with the
scores that hits which do not answer have in larger ones (mean and spread, our training centres)."""

SIGNALS = (
    "text",
    "heading",
    "questions",
    "tokens",
    "weakest",
    "elsewhere",
    "lead",
    "margin",
    "stands_out",
    "coverage",
    "agreement",
    "words",
    "number",
)

_LONG_NUMBER = re.compile(r"\d{5}")


class ConfidenceMissing(RuntimeError):
    """`confidence.json` is missing or unusable; the message says how to make it."""


def signals(question: str, query: Query, ranking: Ranking, shelf: Shelf) -> dict[str, float]:
    """What the ranking tells about its first hit, most of them about 0..1; not for an empty one.

    text, heading, questions   the cosines of the hit's own parts
    tokens     how well the question's words are met by the passage's, one by one
    weakest    the mean of the two that are met worst, stop words aside
    elsewhere  how much better the words are met when each may choose its passage
    lead       the article's share of a softmax over all scores: 1 when no other comes near
    margin     its score over the best of another article
    stands_out its score over the mean of all hits, in standard deviations
    coverage   share of the question's content words that its article holds, by rarity
    agreement  1 if vectors alone and words alone would have chosen the same article
    words      how many content words the question has, as log(1 + n)
    number     1 if a long number is in the question: it is about one order, which no article knows
    """
    hits = ranking.hits
    top, met = hits[0], ranking.met[0]
    article = top.passage.article_id
    scores = np.array([hit.score for hit in hits])
    own = np.array([hit.passage.article_id == article for hit in hits])
    filling = USUAL + SPREAD * np.resize([-1.0, 1.0], max(0, MANY - len(hits)))
    around = np.concatenate([scores, filling])
    others = np.concatenate([scores[~own], filling])
    lead = np.exp(SHARPNESS * (scores[own] - scores[0])).sum()
    tokens = query.tokens[top.variant]
    content = met[tokens.content] if tokens.content.any() else met
    same = [row for hit, row in zip(hits, ranking.met, strict=True) if hit.variant == top.variant]
    stems = query.stems[top.variant]
    rarity = {stem: shelf.words.rarity(stem) for stem in stems}
    held = sum(it for stem, it in rarity.items() if shelf.article_holds(article, stem))
    total = sum(rarity.values())
    by_meaning = max(hits, key=lambda hit: hit.dense).passage.article_id
    by_words = max(hits, key=lambda hit: hit.lexical).passage.article_id
    return {
        "text": top.text,
        "heading": top.heading,
        "questions": top.questions,
        "tokens": top.tokens,
        "weakest": float(np.sort(content)[:2].mean()) if len(content) else 0.0,
        "elsewhere": float((np.max(same, axis=0) - met) @ tokens.weights),
        "lead": float(lead / (lead + np.exp(SHARPNESS * (others - scores[0])).sum())),
        "margin": float(scores[0] - others.max(initial=scores[0] - 0.3)),
        "stands_out": float((scores[0] - around.mean()) / max(around.std(), 1e-3)) / 5,
        "coverage": held / total if total else 0.0,
        "agreement": float(by_meaning == by_words),
        "words": math.log1p(len(stems)),
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
                "or make it with `python -m knowledge_base.fit`"
            ) from error

    def probability(self, values: Mapping[str, float]) -> float:
        """The probability 0..1 that the first hit answers the question."""
        z = self.bias + sum(weight * values[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))

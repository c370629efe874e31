"""Late interaction: each word of a question against the words of a passage that fit it best.

MaxSim as in ColBERT (Khattab and Zaharia, SIGIR 2020), on token vectors of the sentence encoder. One
vector for a whole text blurs which of its words matter; these do not, and they still know synonyms.
On a television's manual whose questions share words with many sections, vectors of texts alone find
the right section first in 43 of 100 cases, BM25 in 67, this in 74.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.encoder import Tokens
from knowledge_base.words import STOP_WORDS

STOP_WEIGHT = 0.1
"""What a stop word or a comma in a question weighs against another token."""

SCALE = 127
"""Passages' token vectors are kept as int8: a number -1..1 times this."""

_MARKS = frozenset(string.punctuation + "’‘“”–—…•·")


@dataclass(frozen=True)
class QuestionTokens:
    """`vectors` float32 (tokens, 128), `weights` float32 (tokens,) with sum 1, `content` bool
    (tokens,): which are neither stop words nor marks."""

    vectors: np.ndarray
    weights: np.ndarray
    content: np.ndarray

    @classmethod
    def of(cls, tokens: Tokens) -> QuestionTokens:
        content = np.array([says_something(piece) for piece in tokens.pieces], dtype=bool)
        weights = np.where(content, 1.0, STOP_WEIGHT).astype(np.float32)
        return cls(tokens.vectors, weights / max(float(weights.sum()), 1e-6), content)


def says_something(piece: str) -> bool:
    """Whether a word piece is neither a stop word nor a mark."""
    return piece not in STOP_WORDS and not all(sign in _MARKS for sign in piece)


def packed(tokens: Tokens) -> np.ndarray:
    """A passage's token vectors as they are kept, int8 (tokens, 128): without stop words and marks,
    unless it has nothing else."""
    content = np.array([says_something(piece) for piece in tokens.pieces], dtype=bool)
    vectors = tokens.vectors[content] if content.any() else tokens.vectors
    return np.clip(np.rint(vectors * SCALE), -SCALE, SCALE).astype(np.int8)


def similarities(question: QuestionTokens, passages: Sequence[np.ndarray]) -> np.ndarray:
    """For each token of the question its best cosine in each passage, float32 (tokens, passages).

    `passages` are packed; one without tokens counts as 0 throughout.
    """
    found = np.zeros((len(question.vectors), len(passages)), dtype=np.float32)
    filled = [at for at, passage in enumerate(passages) if len(passage)]
    if not filled or not len(question.vectors):
        return found
    rows = np.concatenate([passages[at] for at in filled]).astype(np.float32)
    starts = np.cumsum([0, *(len(passages[at]) for at in filled[:-1])])
    cosines = question.vectors @ rows.T / SCALE
    found[:, filled] = np.maximum.reduceat(cosines, starts, axis=1)
    return found

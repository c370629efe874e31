"""The shortest run of sentences of a passage that answers, cut at sentence borders and never changed.

Each sentence is judged by the words of the question that its words meet (see `late`). The run is the
shortest that meets them nearly as well as the whole passage does. A list or a table stays whole,
with the sentence that announces it; a sentence that leans on the one before ("It also ...") takes
that along.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from markdown_it.token import Token

from bot.encoder import Encoder
from knowledge_base.cut import commonmark
from knowledge_base.late import QuestionTokens, says_something
from knowledge_base.sentences import spans

ENOUGH = 0.96
"""Share of what the whole passage meets that a run must meet. On 350 questions of the training
centres the sentence that answers was kept in 95 of 100 passages, and 27 % of their text dropped; with
.98 it was 96 and 20 %, with .92 it was 91 and 35 %."""

MOST_SENTENCES = 4
"""A run longer than this is the whole passage."""

SHORT = 160
"""Characters up to which a passage is shown whole: there is nothing to gain."""

PASSAGES_KEPT = 64
"""Passages whose words stay at hand, about 0.2 MB each: a few are asked for again and again."""

# Words at the start of a sentence that say little without the one before.
_LEANS = re.compile(
    r"(?:it|its|this|that|these|those|they|their|them|he|she|also|however|but|otherwise|then|so|"
    r"therefore|instead|if not|in (?:this|that|such|both|these|either) cases?|the same|both|neither|"
    r"afterwards|after that|until then|and|or|such|for (?:this|that|these)|one exception|if so)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Unit:
    """A sentence, or a block that is never cut: [start, end) in the passage's text."""

    start: int
    end: int
    sentence: bool


def excerpt(text: str, question: QuestionTokens, encoder: Encoder) -> str:
    """The run of sentences of a passage's text that answers; the whole text where cutting it would
    lose too much. Always a slice of `text`."""
    if len(text) <= SHORT or not len(question.vectors):
        return text
    judged = _judged(text, encoder)
    if judged is None:
        return text
    parts, owner, vectors = judged
    cosines = question.vectors @ vectors.T
    met = np.full((len(question.vectors), len(parts)), -1.0, dtype=np.float32)
    for number in range(len(parts)):
        if (owner == number).any():
            met[:, number] = cosines[:, owner == number].max(axis=1)
    start, end = _run(parts, met, question.weights, text)
    return text[parts[start].start : parts[end - 1].end]


@lru_cache(maxsize=PASSAGES_KEPT)
def _judged(text: str, encoder: Encoder) -> tuple[list[Unit], np.ndarray, np.ndarray] | None:
    """A passage ready to be held against a question: its units, which unit each word belongs to (-1:
    none), and the words' vectors. None where it cannot be cut."""
    parts = units(text)
    if len(parts) < 2:
        return None
    _, tokens = encoder.encode_tokens(text)
    # What the encoder cut off cannot be judged.
    if not tokens.places or tokens.places[-1][1] < parts[-1].start:
        return None
    owner = np.full(len(tokens.places), -1)
    for number, unit in enumerate(parts):
        for at, (start, _) in enumerate(tokens.places):
            if unit.start <= start < unit.end and says_something(tokens.pieces[at]):
                owner[at] = number
    return parts, owner, tokens.vectors


def _run(parts: list[Unit], met: np.ndarray, weights: np.ndarray, text: str) -> tuple[int, int]:
    """The shortest run of units [start, end) that meets enough; all of them if none does."""
    whole = float(met.max(axis=1) @ weights)
    best: tuple[int, int, int] | None = None
    for start in range(len(parts)):
        for end in range(start + 1, min(start + MOST_SENTENCES, len(parts)) + 1):
            if float(met[:, start:end].max(axis=1) @ weights) >= ENOUGH * whole:
                first = start
                while first and parts[first].sentence and _leans(text, parts[first]):
                    first -= 1
                length = parts[end - 1].end - parts[first].start
                if best is None or length < best[0]:
                    best = (length, first, end)
                break
    return (best[1], best[2]) if best else (0, len(parts))


def _leans(text: str, unit: Unit) -> bool:
    return bool(_LEANS.match(text[unit.start : unit.end].lstrip("*_\"'“‘(")))


def units(text: str) -> list[Unit]:
    """The sentences of paragraphs, and other blocks whole, in order.

    The sentence before a list or a table that ends with a colon belongs to it.
    """
    lines = [0]
    for line in text.split("\n"):
        lines.append(lines[-1] + len(line) + 1)
    found: list[Unit] = []
    for token in commonmark().parse(text):
        if token.level or not token.map or token.nesting < 0:
            continue
        start, end = lines[token.map[0]], min(lines[token.map[1]] - 1, len(text))
        if token.type == "paragraph_open":
            found += [Unit(start + a, start + b, True) for a, b in spans(text[start:end])]
        else:
            found.append(_block(token, start, end, found, text=text))
    return found


def _block(token: Token, start: int, end: int, before: list[Unit], *, text: str) -> Unit:
    """A block, with the sentence that announces it taken from those before."""
    end = start + len(text[start:end].rstrip())
    announces = before and before[-1].sentence and text[before[-1].start : before[-1].end]
    if announces and announces.rstrip("*_ ").endswith(":") and token.type != "heading_open":
        start = before.pop().start
    return Unit(start, end, False)

"""A question, with what was said before it, made ready to be searched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bot.encoder import Encoder
from knowledge_base.index import Query
from knowledge_base.late import QuestionTokens
from knowledge_base.words import content_words, plain, variants

MOST_TURNS = 6
"""Earlier turns that are looked at, and the longest of them is cut at LONGEST_TURN characters."""

LONGEST_TURN = 300

EARLIER = 0.1
"""What a word of an earlier turn weighs against one of the last."""

TOPIC = 0.8
TOPIC_OF_SELF = 0.3
STEMS = 3
SELF_CONTAINED = 5
"""Content words from which on a message is taken to be understood without what came before."""


def make_query(question: str, encoder: Encoder, history: Sequence[str] = ()) -> Query:
    """Embed a question, in all the ways in which it is searched.

    `history` are the earlier turns, oldest first. "And abroad?" means nothing without them, so a
    short message is searched together with them only; a longer one in both ways.
    """
    context = _context(history)
    if context:
        return _in_context(plain(question), context, encoder)
    vectors, stems, tokens = [], [], []
    for text in variants(question):
        vector, found = encoder.encode_tokens(text)
        vectors.append(vector)
        tokens.append(QuestionTokens.of(found))
        stems.append(_stems(text))
    return Query(np.stack(vectors), tuple(stems), tuple(tokens))


def _in_context(question: str, context: str, encoder: Encoder) -> Query:
    """One variant: the words as they are meant after what was said, the last ones weighing most."""
    alone, _ = encoder.encode_tokens(question)
    joined, found = encoder.encode_tokens(f"{question} | {context}")
    topic = TOPIC if len(content_words(question)) < SELF_CONTAINED else TOPIC_OF_SELF
    vector = alone + topic * joined
    tokens = QuestionTokens.of(found)
    last = np.array([start < len(question) for start, _ in found.places])
    weights = tokens.weights * np.where(last, 1.0, EARLIER).astype(np.float32)
    tokens = replace(tokens, weights=weights / max(float(weights.sum()), 1e-6))
    stems = _stems(question)
    if len(stems) < STEMS:
        stems = _stems(f"{question} {context}")
    return Query((vector / np.linalg.norm(vector))[None].astype(np.float32), (stems,), (tokens,))


def _stems(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(content_words(text)))


def _context(history: Sequence[str]) -> str:
    """The earlier turns in one text, the latest first, as the encoder cuts off what is too long."""
    turns = [" ".join(turn.split())[:LONGEST_TURN] for turn in history if turn.strip()]
    return " | ".join(reversed(turns[-MOST_TURNS:]))

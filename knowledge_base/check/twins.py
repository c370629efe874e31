"""Passages that say almost the same. Rules only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from knowledge_base.check.finding import Finding
from knowledge_base.check.near import pairs
from knowledge_base.check.page import Page
from knowledge_base.parse import Passage
from knowledge_base.words import words

LEAST_COSINE = 0.85
LEAST_SHARED = 0.6
"""Share of the shorter passage's runs of words that the other holds too. Two tables of the same
kind are close in meaning, but their runs hold different numbers."""

RUN = 4
"""Words in a run."""

FEWEST_WORDS = 25
"""Shorter passages are alike by chance, or are meant to be ("We are closed on Sundays")."""

CLOSEST = 10
"""Passages that each one is compared with."""

_ADDRESS = re.compile(r"\]\([^)]*\)")

Located = tuple[Page, Passage, int]


def near_duplicates(located: Sequence[Located], rows: np.ndarray) -> Iterator[Finding]:
    """Findings for passages that share most of their words; several that belong together are one.

    `located` are passages with their page and line; `rows` their vectors, float32 (passages, d).
    """
    runs = [_runs(passage.text) for _, passage, _ in located]
    long = [len(words(_plain(passage.text))) >= FEWEST_WORDS for _, passage, _ in located]
    group = list(range(len(located)))
    shares: dict[int, float] = {}
    for pair in pairs(rows, CLOSEST, LEAST_COSINE):
        if not (long[pair.one] and long[pair.two]):
            continue
        share = shared(runs[pair.one], runs[pair.two])
        if share >= LEAST_SHARED:
            one, two = _root(group, pair.one), _root(group, pair.two)
            group[max(one, two)] = min(one, two)
            for at in (pair.one, pair.two):
                shares[at] = max(share, shares.get(at, 0.0))
    together: dict[int, list[int]] = {}
    for at in range(len(located)):
        together.setdefault(_root(group, at), []).append(at)
    for members in together.values():
        if len(members) > 1:
            yield _finding(
                [located[at] for at in members], max(shares.get(at, 0.0) for at in members)
            )


def shared(one: frozenset, two: frozenset) -> float:
    """The share of the smaller set's runs that the other holds; 0..1."""
    return len(one & two) / min(len(one), len(two)) if one and two else 0.0


def _finding(members: Sequence[Located], share: float) -> Finding:
    (page, passage, line), (other, twin, there) = members[:2]
    name = f"{twin.article_id}#{twin.anchor}" if twin.anchor else twin.article_id
    more = f" (and {len(members) - 2} more passages)" if len(members) > 2 else ""
    return Finding(
        "near-duplicates",
        "warning",
        page.place(line),
        f"{share:.0%} of “{passage.heading or passage.title}” is also in {name}{more}; keep it "
        "in one place and link there, or the bot shows one or the other by chance",
        other.place(there),
    )


def _root(group: list[int], at: int) -> int:
    while group[at] != at:
        group[at] = group[group[at]]
        at = group[at]
    return at


def _plain(text: str) -> str:
    return _ADDRESS.sub("]", text)


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    said = words(_plain(text))
    return frozenset(tuple(said[at : at + RUN]) for at in range(len(said) - RUN + 1))

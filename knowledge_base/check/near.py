"""Which texts are close in meaning, without comparing each with each in Python. Rules only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BLOCK = 1024
"""Rows compared at once: 1,024 by 20,000 cosines are 80 MB."""


@dataclass(frozen=True)
class Pair:
    """Two rows (`one` < `two`) and their cosine."""

    one: int
    two: int
    cosine: float


def pairs(rows: np.ndarray, most: int, least: float) -> list[Pair]:
    """The pairs with at least this cosine among the `most` nearest of either row, best first.

    `rows` are vectors of length 1, float32 (texts, dimension).
    """
    found: dict[tuple[int, int], float] = {}
    for start in range(0, len(rows), BLOCK):
        cosines = rows[start : start + BLOCK] @ rows.T
        inside = np.arange(len(cosines))
        cosines[inside, start + inside] = -1
        kept = min(most, cosines.shape[1])
        nearest = np.argpartition(-cosines, kept - 1, axis=1)[:, :kept]
        for row, columns in enumerate(nearest):
            for column in columns[cosines[row, columns] >= least]:
                one, two = sorted((start + row, int(column)))
                found[one, two] = float(cosines[row, column])
    ordered = sorted(found.items(), key=lambda it: (-it[1], it[0]))
    return [Pair(one, two, cosine) for (one, two), cosine in ordered]

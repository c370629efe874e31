"""How long it may take until somebody comes: from what waits really were lately, or nothing.

The range goes from the median to the 90th percentile of the lately measured waits. It says what
was, not what will be: with few waits, or nobody at the desk, it says nothing of time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

FEWEST = 5


@dataclass(frozen=True)
class Estimate:
    """How many are to be taken before, and a range in minutes if one can be told honestly."""

    ahead: int
    minutes: tuple[int, int] | None


def estimate(ahead: int, waits: Sequence[float], *, agents: int) -> Estimate:
    """From the working minutes that tickets of the queue waited lately."""
    if len(waits) < FEWEST or agents < 1:
        return Estimate(ahead, None)
    ordered = sorted(waits)
    low = max(1, round(ordered[(len(ordered) - 1) // 2]))
    high = math.ceil(ordered[math.ceil(0.9 * len(ordered)) - 1])
    return Estimate(ahead, (low, max(high, low + 1)))


def in_words(found: Estimate) -> str:
    """For the customer. No promise: what the wait was, not what it will be."""
    if found.ahead == 0:
        place = "You are next"
    elif found.ahead == 1:
        place = "There is 1 person before you"
    else:
        place = f"There are {found.ahead} people before you"
    if found.minutes is None:
        return f"{place}."
    low, high = found.minutes
    return f"{place}; lately it took {low} to {high} minutes until somebody came."

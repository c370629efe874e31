"""How long it may take until somebody comes: from real claims of lately, or nothing.

Two things decide it, and each has its measure:

- Where people queue, the pace at which tickets were taken: so many minutes from one claim to the
  next, times the claims that it takes. The range is the wider the fewer claims lie ahead and the
  fewer it rests on: waits come out of it as irregularly as chance makes them.
- Where hardly anybody queues, what others waited: from the 10th to the 90th percentile. With half
  as many people ahead as there are colleagues, or more, that says little, and nothing is said.

It says what was, not what will be. With few claims, or nobody at the desk, it says nothing of
time. In the simulated desks of tests/unit/test_estimate.py the wait lay in the range for 82 to 95
of 100 people who were told one; where the gaps between claims are not known, for 77 to 91.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.service.hours import Calendar

FEWEST = 5
TAIL = 0.1  # of the people wait less than the range says, and as many more
DEVIATIONS = 1.28  # of a normal distribution: up to there lie all but such a tail


@dataclass(frozen=True)
class Estimate:
    """How many are to be taken before, and a range in minutes if one can be told honestly."""

    ahead: int
    minutes: tuple[int, int] | None
    by_pace: bool = False  # the range was reckoned from the pace; otherwise others waited so long


def estimate(
    ahead: int, waits: Sequence[float], *, agents: int, gaps: Sequence[float] = ()
) -> Estimate:
    """From what happened in the queue lately, in working minutes.

    Args:
        ahead: tickets that will be taken before.
        waits: how long those that were claimed had waited.
        agents: colleagues at the desk.
        gaps: from claim to claim, as `gaps_between` tells them.
    """
    if agents < 1:
        return Estimate(ahead, None)
    if len(gaps) >= FEWEST:
        return Estimate(ahead, _by_pace(ahead + 1, gaps), by_pace=True)
    if len(waits) >= FEWEST and 2 * ahead < agents:
        return Estimate(ahead, _by_waits(waits))
    return Estimate(ahead, None)


def gaps_between(claims: Sequence[tuple[int, int]], hours: Calendar) -> list[float]:
    """The working minutes from each claim to the next, where people queued in between.

    ``claims`` are moments since which a ticket waited and at which it was claimed, the latest claim
    first. A ticket that came after the claim before tells nothing of the pace: nobody had to wait
    for that one.
    """
    return [
        hours.minutes_between(before, claimed)
        for (since, claimed), (_, before) in pairwise(claims)
        if since < before
    ]


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
    if found.by_pace:
        return f"{place}; at the pace of the last hours that is {_range(*found.minutes)}."
    return f"{place}; lately it took {_range(*found.minutes)} until somebody came."


def _by_pace(claims: int, gaps: Sequence[float]) -> tuple[int, int]:
    expected = claims * math.fsum(gaps) / len(gaps)
    factor = math.exp(DEVIATIONS * math.sqrt(1 / claims + 1 / len(gaps)))
    return _rounded(expected / factor, expected * factor)


def _by_waits(waits: Sequence[float]) -> tuple[int, int]:
    ordered = sorted(waits)
    low, high = (ordered[math.ceil(share * len(ordered)) - 1] for share in (TAIL, 1 - TAIL))
    return _rounded(low, high)


def _rounded(low: float, high: float) -> tuple[int, int]:
    """Outwards to minutes, a minute at least and never a single number."""
    least = max(1, math.floor(low))
    return least, max(math.ceil(high), least + 1)


def _range(low: int, high: int) -> str:
    if high < 120:
        return f"{low} to {high} minutes"
    if low < 60:
        return f"{low} minute{'s' if low > 1 else ''} to {math.ceil(high / 60)} hours"
    return f"{low // 60} to {math.ceil(high / 60)} hours"

"""How long it may take: honest, or nothing."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.service.estimate import Estimate, estimate, gaps_between, in_words
from bot.service.hours import ALWAYS, Calendar, Span

MINUTE = 60_000
TEN = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 40.0]


def test_little_is_known_little_is_said():
    assert estimate(0, TEN[:4], agents=3).minutes is None
    assert estimate(0, TEN, agents=0, gaps=TEN).minutes is None
    assert estimate(9, [], agents=3, gaps=TEN[:4]).minutes is None
    assert estimate(0, [], agents=3) == Estimate(0, None)


def test_what_others_waited_when_hardly_anybody_queues():
    assert estimate(1, TEN, agents=3) == Estimate(1, (1, 9))
    assert estimate(0, [3.2] * 6, agents=1).minutes == (3, 4)
    assert estimate(0, [0.0] * 6, agents=1).minutes == (1, 2)
    # Too many before: what others waited says little.
    assert estimate(2, TEN, agents=4).minutes is None
    assert estimate(1, TEN, agents=1).minutes is None


def test_the_pace_when_people_queue():
    few, many = (estimate(ahead, TEN, agents=3, gaps=[2.0] * 40) for ahead in (0, 24))
    assert few.by_pace and few.minutes == (1, 8)
    assert many.minutes == (36, 70)  # 50 minutes, by a factor of 1.4
    assert estimate(24, TEN, agents=3, gaps=[2.0] * 5).minutes == (26, 94)  # rests on little


def test_gaps_are_told_where_people_queued():
    minutes = [(0, 10), (5, 14), (20, 21), (16, 25)]  # waited since, claimed
    claims = [(since * MINUTE, claimed * MINUTE) for since, claimed in reversed(minutes)]
    assert gaps_between(claims, ALWAYS) == [4, 4]  # 10 to 14, 21 to 25; at 14 nobody waited
    lunch = Calendar("lunch", week=((Span(0, 12), Span(24, 1440)),) * 7)
    assert gaps_between(claims, lunch) == [1, 2]
    one_by_one = [(3 * n * MINUTE, 3 * (n + 1) * MINUTE) for n in reversed(range(8))]
    assert gaps_between(one_by_one, ALWAYS) == []  # each came when the one before was taken
    assert gaps_between([], ALWAYS) == [] == gaps_between(claims[:1], ALWAYS)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Estimate(0, None), "You are next."),
        (Estimate(1, None), "There is 1 person before you."),
        (
            Estimate(2, (4, 10)),
            "There are 2 people before you; lately it took 4 to 10 minutes until somebody came.",
        ),
        (
            Estimate(7, (13, 35), by_pace=True),
            "There are 7 people before you; at the pace of the last hours that is 13 to 35 minutes.",
        ),
        (
            Estimate(0, (1, 119)),
            "You are next; lately it took 1 to 119 minutes until somebody came.",
        ),
        (
            Estimate(0, (1, 120)),
            "You are next; lately it took 1 minute to 2 hours until somebody came.",
        ),
        (
            Estimate(0, (59, 121)),
            "You are next; lately it took 59 minutes to 3 hours until somebody came.",
        ),
        (Estimate(0, (61, 290)), "You are next; lately it took 1 to 5 hours until somebody came."),
    ],
)
def test_in_words(found, words):
    assert in_words(found) == words


MINUTES = st.lists(st.floats(0, 2000), max_size=60)


@given(ahead=st.integers(0, 300), waits=MINUTES, gaps=MINUTES, agents=st.integers(0, 30))
def test_a_range_is_one(ahead, waits, gaps, agents):
    found = estimate(ahead, waits, agents=agents, gaps=gaps)
    assert found.ahead == ahead
    if found.minutes:
        low, high = found.minutes
        assert 1 <= low < high and agents
        assert found == estimate(ahead, waits[::-1], agents=agents, gaps=gaps[::-1])
        assert not set("0") & set(in_words(found).split())
    if found.by_pace:
        further = estimate(ahead + 1, waits, agents=agents, gaps=gaps)
        assert all(b >= a for a, b in zip(found.minutes, further.minutes, strict=True))


def asked(
    seed: int, agents: int, load: float, *, talk: float = 8, urgent: float = 0, lunch: bool = False
) -> Iterator[tuple[int, list[tuple[int, int]], float]]:
    """A desk by chance: for each customer how many were before, the claims of the two hours before,
    and the minutes until somebody came.

    Agents take some two minutes to see that somebody waits, talks last as unequally as real ones,
    and some are followed by a break; urgent tickets go before others.
    """
    chance, at, tickets = random.Random(seed), 0.0, 2500
    events: list[tuple[float, str, int, bool]] = []  # time, what, ticket, urgent
    for ticket in range(tickets):
        at += chance.expovariate(load * agents / talk)
        heapq.heappush(events, (at, "asks", ticket, chance.random() < urgent))
    free, queue, claims, known = agents, [], [], {}
    while events:
        now, what, ticket, first = heapq.heappop(events)
        if what == "asks":
            place = (not first, now, ticket)
            lately = [it for it in reversed(claims[-50:]) if it[1] > now - 120]
            known[ticket] = (sum(it < place for it in queue), lately)
            heapq.heappush(queue, place)
        elif what == "sees" and queue:
            _, since, taken = heapq.heappop(queue)
            ahead, lately = known.pop(taken)
            told = [(round(a * MINUTE), round(b * MINUTE)) for a, b in lately]
            yield ahead, told, now - since
            claims.append((since, now))
            pause = 30 if lunch and chance.random() < 0.03 else 0
            done = now + chance.lognormvariate(math.log(talk) - 0.32, 0.8) + pause
            heapq.heappush(events, (done, "is free", 0, False))
        else:
            free += 1
        while free and sum(it[1] == "sees" for it in events) < len(queue):
            free -= 1
            heapq.heappush(events, (now + chance.expovariate(0.5), "sees", 0, False))


DESKS = {
    "one": {"agents": 1, "load": 0.6, "talk": 12},
    "two": {"agents": 2, "load": 0.7},
    "busy": {"agents": 3, "load": 0.7, "urgent": 0.15},
    "long talks": {"agents": 4, "load": 0.8, "talk": 20, "urgent": 0.15},
    "quiet": {"agents": 4, "load": 0.4},
    "lunch": {"agents": 6, "load": 0.7, "talk": 12, "urgent": 0.1, "lunch": True},
    "large": {"agents": 12, "load": 0.75},
}


def share(desk: dict, *, with_gaps: bool) -> tuple[float, float]:
    """Of how many people the wait lay in the range that they were told; how many were told one."""
    people = told = kept = 0
    for seed in (1, 2):
        for ahead, claims, wait in asked(seed, **desk):
            waits = [(claimed - since) / MINUTE for since, claimed in claims]
            gaps = gaps_between(claims, ALWAYS) if with_gaps else ()
            found = estimate(ahead, waits, agents=desk["agents"], gaps=gaps)
            people += 1
            if found.minutes:
                told += 1
                kept += found.minutes[0] <= max(1, wait) <= found.minutes[1]
    return kept / told, told / people


@pytest.mark.parametrize("desk", DESKS)
def test_the_range_holds(desk):
    kept, told = share(DESKS[desk], with_gaps=True)
    assert kept > 0.8 and told > 0.5


@pytest.mark.parametrize("desk", DESKS)
def test_what_others_waited_is_told_only_to_those_for_whom_it_holds(desk):
    kept, told = share(DESKS[desk], with_gaps=False)
    assert kept > 0.75 and told > 0.25

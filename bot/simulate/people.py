"""How simulated customers and agents behave: all chance comes from one seeded generator."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

MINUTE, HOUR = 60_000, 3_600_000

# Customers an hour from 0:00 on, as shares of the day: few at night, most before and after lunch.
BY_HOUR = (
    0.3, 0.2, 0.1, 0.1, 0.2, 0.4, 1.0, 2.5, 5.0, 8.0, 9.5, 9.0,
    7.0, 8.0, 9.0, 8.5, 8.0, 6.5, 4.5, 4.0, 3.5, 2.5, 1.5, 0.7,
)  # fmt: skip

QUESTIONS = (
    "how long does a return take?",
    "where is my parcel",
    "can I change the address of my order",
    "the zip broke after a month",
    "do you deliver to Norway",
    "my code does not work",
    "is the blue one coming back",
)
MOODS = ("neutral", "neutral", "neutral", "worried", "upset", "angry")


@dataclass
class Customer:
    """One conversation's customer."""

    conversation: str
    questions: list[str]
    wants_person: bool
    mood: str
    rates: int | None
    returns: bool  # writes again some hours after it was resolved
    asked: int = 0
    agent_words: int = 0  # how many answers of agents were read
    done: bool = False


@dataclass
class Agent:
    """One person at the desk, in working minutes of the day."""

    id: int
    starts: int
    ends: int
    lunch: int
    pace: float  # minutes for an answer, median
    forgets: float  # how often a ticket is claimed and forgotten
    forgotten: set[int] = field(default_factory=set)
    busy: set[int] = field(default_factory=set)  # tickets with an answer under way

    def there(self, minute: int) -> bool:
        """Whether the agent is at the desk in this minute of the day."""
        return self.starts <= minute < self.ends and not self.lunch <= minute < self.lunch + 30


def arrivals(random: Random, count: int, midnight: int) -> list[int]:
    """When customers come: a Poisson process of this many, by the hour of the day."""
    hours = random.choices(range(24), weights=BY_HOUR, k=count)
    return sorted(midnight + hour * HOUR + random.randrange(HOUR) for hour in hours)


def customer(random: Random, conversation: str) -> Customer:
    return Customer(
        conversation,
        questions=random.choices(QUESTIONS, k=1 + min(4, int(random.expovariate(1.1)))),
        wants_person=random.random() < 0.4,
        mood=random.choice(MOODS),
        rates=random.choice((1, 2, 3, 4, 4, 5, 5, 5)) if random.random() < 0.35 else None,
        returns=random.random() < 0.08,
    )


def shifts(random: Random, ids: list[int]) -> Iterator[Agent]:
    """Half come at 9, half at 9:30 or 10; lunch breaks of half an hour are spread from 11:30 on."""
    for number, agent_id in enumerate(ids):
        starts = 9 * 60 + random.choice((0, 0, 30, 60))
        yield Agent(
            agent_id,
            starts=starts,
            ends=starts + 8 * 60 + 30,
            lunch=11 * 60 + 30 + 30 * (number % 4),
            pace=random.uniform(1.0, 2.5),
            forgets=0.02,
        )


def minutes(random: Random, median: float, spread: float = 0.6) -> int:
    """A time as people take it (log-normal), in milliseconds."""
    return int(median * math.exp(random.gauss(0, spread)) * MINUTE)

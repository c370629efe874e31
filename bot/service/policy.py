"""What the support lead has decided, as ``service.yml`` states it.

Minutes are working minutes of the queue's hours unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.service.hours import ALWAYS, Calendar

ROLES = ("agent", "lead", "editor", "admin")
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000  # in milliseconds


class Clock(StrEnum):
    """What is measured, in the helpdesks' own terms."""

    FIRST_RESPONSE = "first_response"  # from the ticket's opening to a person's first words
    NEXT_RESPONSE = "next_response"  # from a customer's message to a person's next words
    RESOLUTION = "resolution"  # from the opening to the close, without waiting for the customer


@dataclass(frozen=True)
class Queue:
    """Where tickets of a kind wait. An agent who takes from it has all of its ``skills``."""

    name: str
    title: str
    hours: str  # name of a calendar
    skills: frozenset[str] = frozenset()
    widen_to: tuple[str, ...] = ()  # the queues whose agents see it too when nobody comes


@dataclass(frozen=True)
class Waiting:
    """What happens to a ticket that nobody claims: told, shown to more people, promised."""

    remind: tuple[int, ...] = (5, 15, 30)  # the customer hears that nothing is forgotten
    widen: int = 10
    promise: int = 30  # then a time is promised ...
    promise_within: int = 240  # ... that is so many working minutes ahead
    promise_warning: int = 60  # everybody is told so many minutes before it


@dataclass(frozen=True)
class Silence:
    """What happens when somebody in a conversation with a person says nothing."""

    nudge: int = 5  # the agent is told that the customer waits
    give_back: int = 15  # then the ticket waits for others, and the customer is told
    customer_hours: int = 72  # hours by the clock: closed when the customer says nothing more


@dataclass(frozen=True)
class Sla:
    """A policy: which tickets, how soon, and what is done before it is too late.

    An empty set means all. The first policy of the file that fits a ticket is its policy.
    """

    name: str
    targets: Mapping[Clock, int]  # working minutes
    queues: frozenset[str] = frozenset()
    priorities: frozenset[int] = frozenset()
    channels: frozenset[str] = frozenset()
    always: bool = False  # counts by the clock, day and night
    warn: float = 0.75  # share of the time after which it warns
    on_warning: tuple[str, ...] = ("notify",)  # of notify, raise, reassign
    on_breach: tuple[str, ...] = ("notify", "raise")

    def fits(self, *, queue: str, priority: int, channel: str) -> bool:
        return (
            (not self.queues or queue in self.queues)
            and (not self.priorities or priority in self.priorities)
            and (not self.channels or channel in self.channels)
        )


CHANNELS = ("web", "sms", "slack", "email")
"""What a service level may name."""

SLA_ACTIONS = ("notify", "raise", "reassign")


@dataclass(frozen=True)
class Reopening:
    """Who gets a resolved conversation in which the customer writes again, within so many hours by
    the clock: ``agent`` (who resolved it), ``queue`` or ``bot``; ``otherwise`` is who gets it when
    that agent is not at the desk. After the last row: the bot."""

    within_hours: int
    to: str
    otherwise: str = "queue"


REOPEN_TO = ("agent", "queue", "bot")
COURTESIES = ("thank", "goodbye", "greet", "praise", "affirm", "deny", "chitchat")
"""Intents that reopen nothing: who says thank you wants no ticket."""


@dataclass(frozen=True)
class Ratings:
    """The question after a conversation was resolved."""

    hours: int = 24  # a number counts as the answer for so long
    cooldown_days: int = 7  # one person is not asked again sooner
    low: int = 2  # from here down somebody makes amends
    recovery_queue: str = "general"
    recovery_priority: int = 2


@dataclass(frozen=True)
class Assignment:
    """Whether tickets are given to agents or taken by them, and how many one can have at a time."""

    automatic: bool = False
    capacity: int = 4


@dataclass(frozen=True)
class Service:
    """Everything that the file says. Without arguments: one queue, always open, no SLA."""

    calendars: Mapping[str, Calendar] = field(default_factory=lambda: {"always": ALWAYS})
    queues: Mapping[str, Queue] = field(
        default_factory=lambda: {"general": Queue("general", "General", "always")}
    )
    default_queue: str = "general"
    waiting: Waiting = Waiting()
    silence: Silence = Silence()
    slas: tuple[Sla, ...] = ()
    reopening: tuple[Reopening, ...] = (Reopening(24, "agent"),)
    ratings: Ratings = Ratings()
    assignment: Assignment = Assignment()

    def queue(self, name: str) -> Queue:
        """The queue of this name; where there is none, the default one: a ticket always waits
        somewhere."""
        return self.queues.get(name) or self.queues[self.default_queue]

    def hours(self, queue: str) -> Calendar:
        return self.calendars.get(self.queue(queue).hours, ALWAYS)

    def sla(self, *, queue: str, priority: int, channel: str) -> Sla | None:
        for policy in self.slas:
            if policy.fits(queue=queue, priority=priority, channel=channel):
                return policy
        return None

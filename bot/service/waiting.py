"""What is due for an open ticket, and when it has to be looked at again.

An open ticket always has a next time: somebody waits for something, and either it happens or the
service does something about it. `steps` lists everything that lies ahead; the ticker does what is
due and looks again at the first of the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.service.clocks import Standing
from bot.service.hours import Calendar
from bot.service.policy import DAY, HOUR, MINUTE, Queue, Service


class Step(StrEnum):
    """What the service does by itself."""

    REMIND = "remind"  # tell the customer that nothing is forgotten
    WIDEN = "widen"  # show the ticket to the agents of more queues
    PROMISE = "promise"  # tell the customer by when there will be an answer
    PROMISE_SOON = "promise_soon"  # tell colleagues that a promise is due soon
    PROMISE_MISSED = "promise_missed"  # own up to the customer, and tell everybody
    NUDGE = "nudge"  # tell the agent that the customer waits
    GIVE_BACK = "give_back"  # the agent says nothing: back to the queue
    EXPIRE = "expire"  # the customer says nothing more: close
    WAKE = "wake"  # the time to which an agent put it off
    WARN = "warn"  # a clock of the SLA has run for most of its time
    BREACH = "breach"  # ... and for all of it


@dataclass(frozen=True)
class Facts:
    """How an open ticket stands; times in milliseconds, None: not so."""

    state: str  # waiting, human
    waiting_since: int
    claimed_at: int | None = None
    customer_since: int | None = None  # the customer's first message that no person answered
    answered_at: int | None = None
    snoozed_until: int | None = None
    promised_for: int | None = None
    promise_warned: bool = False
    reminders: int = 0
    widened: bool = False
    nudged: bool = False
    warned: frozenset[str] = frozenset()  # clocks
    breached: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Due:
    """A step and its time; ``clock`` names the clock of a warning or breach."""

    at: int
    step: Step
    clock: str = ""


def steps(
    facts: Facts, service: Service, queue: Queue, standings: Sequence[Standing] = ()
) -> list[Due]:
    """Everything ahead of this ticket, the earliest first; never empty."""
    hours = service.hours(queue.name)
    found = [*_promise(facts, service), *_clocks(facts, standings)]
    if facts.state == "waiting":
        found += _waiting(facts, service, queue, hours)
    else:
        found += _with_agent(facts, service, hours)
    if facts.snoozed_until is not None:
        found.append(Due(facts.snoozed_until, Step.WAKE))
    return sorted(found, key=lambda due: due.at)


def next_look(ahead: Sequence[Due], now: int) -> int:
    """When to look again, with what is due now done: at the first step after now, in a day at the
    latest."""
    later = [due.at for due in ahead if due.at > now]
    return min([*later, now + DAY])


def _waiting(facts: Facts, service: Service, queue: Queue, hours: Calendar) -> Iterator[Due]:
    rules = service.waiting
    if facts.reminders < len(rules.remind) and facts.promised_for is None:
        minutes = rules.remind[facts.reminders]
        yield Due(hours.after(facts.waiting_since, minutes), Step.REMIND)
    if queue.widen_to and not facts.widened:
        yield Due(hours.after(facts.waiting_since, rules.widen), Step.WIDEN)
    if facts.promised_for is None:
        yield Due(hours.after(facts.waiting_since, rules.promise), Step.PROMISE)


def _with_agent(facts: Facts, service: Service, hours: Calendar) -> Iterator[Due]:
    rules = service.silence
    if facts.customer_since is None:
        said = facts.answered_at or facts.claimed_at or facts.waiting_since
        until = max(said + rules.customer_hours * HOUR, facts.snoozed_until or 0)
        yield Due(until, Step.EXPIRE)
        return
    # Whoever has just got it has the whole time, however long the customer has waited before.
    since = max(facts.customer_since, facts.claimed_at or 0)
    if not facts.nudged:
        yield Due(hours.after(since, rules.nudge), Step.NUDGE)
    yield Due(hours.after(since, rules.give_back), Step.GIVE_BACK)


def _promise(facts: Facts, service: Service) -> Iterator[Due]:
    if facts.promised_for is None:
        return
    if not facts.promise_warned:
        warning = service.waiting.promise_warning * MINUTE
        yield Due(facts.promised_for - warning, Step.PROMISE_SOON)
    yield Due(facts.promised_for, Step.PROMISE_MISSED)


def _clocks(facts: Facts, standings: Sequence[Standing]) -> Iterator[Due]:
    for standing in standings:
        if standing.due_at is None or standing.stopped_at is not None:
            continue
        if standing.clock not in facts.breached:
            yield Due(standing.due_at, Step.BREACH, standing.clock)
        if standing.warn_at is not None and standing.clock not in facts.warned | facts.breached:
            yield Due(standing.warn_at, Step.WARN, standing.clock)

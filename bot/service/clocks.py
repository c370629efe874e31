"""The clocks of service levels: first response, next response, resolution.

A clock runs in the working hours of its queue. The one of resolution stands still while it is the
customer who has to say something. Every clock can tell its start, pauses, due time and rule.

A clock that has run out when its hours end is late with every answer after that, also one before
the next opening: its time is up, and the breach was told to people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.service.hours import ALWAYS, MINUTE, Calendar
from bot.service.policy import Clock, Sla


@dataclass(frozen=True)
class Mark:
    """Something that clocks go by: ``opened``, ``customer`` (wrote), ``answered`` (a person's
    words) or ``closed``, which ends all: a conversation that goes on has a new ticket."""

    at: int
    kind: str


@dataclass(frozen=True)
class Standing:
    """How a clock stands. Moments in milliseconds."""

    clock: Clock
    rule: str  # name of the policy
    minutes: int  # the target
    started_at: int
    pauses: tuple[tuple[int, int | None], ...]  # None: until now
    due_at: int | None  # None while it is paused; of a stopped one, when it would have run out
    warn_at: int | None
    stopped_at: int | None
    used: float  # working minutes, pauses not counted
    breached: bool  # it stopped, or was paused, after it ran out; or it runs, and it is due


def standings(sla: Sla, calendar: Calendar, marks: Sequence[Mark], now: int) -> list[Standing]:
    """Every clock of a ticket, the finished runs included, each clock's latest run last.

    ``marks`` are in the order in which they happened, the opening first.
    """
    hours = ALWAYS if sla.always else calendar
    return [
        _standing(run, sla, hours, now) for run in _runs(_told(marks)) if run.clock in sla.targets
    ]


def first_due(found: Iterable[Standing]) -> Standing | None:
    """The running clock that runs out first."""
    running = [it for it in found if it.stopped_at is None and it.due_at is not None]
    return min(running, key=lambda it: it.due_at or 0, default=None)


Pauses = list[tuple[int, int | None]]


@dataclass(frozen=True)
class _Run:
    """One run of a clock."""

    clock: Clock
    started_at: int
    stopped_at: int | None
    pauses: Pauses


def _told(marks: Iterable[Mark]) -> list[Mark]:
    """The marks up to the close. None lies before the one it came after, even if the clock of the
    machine was set back in between."""
    told: list[Mark] = []
    for mark in marks:
        at = max(mark.at, told[-1].at) if told else mark.at
        told.append(Mark(at, mark.kind))
        if mark.kind == "closed":
            break
    return told


def _runs(marks: Sequence[Mark]) -> Iterator[_Run]:
    if not marks:
        return
    opened = marks[0].at
    closed = marks[-1].at if marks[-1].kind == "closed" else None
    answered = next((it.at for it in marks if it.kind == "answered"), None)
    yield _Run(Clock.FIRST_RESPONSE, opened, closed if answered is None else answered, [])
    since: int | None = None  # the first message that waits for the next response
    pauses: Pauses = []
    for mark in marks:
        if mark.kind == "answered":
            if since is not None:
                yield _Run(Clock.NEXT_RESPONSE, since, mark.at, [])
                since = None
            if not pauses or pauses[-1][1] is not None:
                pauses.append((mark.at, None))
        elif mark.kind == "customer" and pauses:
            since = mark.at if since is None else since
            _end(pauses, mark.at)
        elif mark.kind == "closed":
            _end(pauses, mark.at)
    if since is not None:
        yield _Run(Clock.NEXT_RESPONSE, since, closed, [])
    yield _Run(Clock.RESOLUTION, opened, closed, pauses)


def _end(pauses: Pauses, at: int) -> None:
    """End the pause that goes on, if there is one."""
    if pauses and pauses[-1][1] is None:
        pauses[-1] = (pauses[-1][0], at)


def _standing(run: _Run, sla: Sla, hours: Calendar, now: int) -> Standing:
    minutes = sla.targets[run.clock]
    due_at = _moment(hours, run, minutes)
    paused_at = run.pauses[-1][0] if run.pauses and run.pauses[-1][1] is None else None
    if paused_at is not None:
        breached = due_at < paused_at
    elif run.stopped_at is not None:
        breached = due_at < run.stopped_at
    else:  # while it is due, it is late; an answer in that very moment is not
        breached = due_at <= now
    ended = now if run.stopped_at is None else run.stopped_at
    return Standing(
        clock=run.clock,
        rule=sla.name,
        minutes=minutes,
        started_at=run.started_at,
        pauses=tuple(run.pauses),
        due_at=due_at if paused_at is None else None,
        warn_at=_moment(hours, run, minutes * sla.warn) if paused_at is None else None,
        stopped_at=run.stopped_at,
        used=_used(hours, run, ended),
        breached=breached,
    )


def _used(hours: Calendar, run: _Run, ended: int) -> float:
    used, since = 0.0, run.started_at
    for begins, ends in run.pauses:
        used += hours.minutes_between(since, begins)
        since = ended if ends is None else ends
    return used + hours.minutes_between(since, ended)


def _moment(hours: Calendar, run: _Run, minutes: float) -> int:
    """When so many working minutes are used up, the finished pauses left out."""
    since, left = run.started_at, round(minutes * MINUTE)
    for begins, ends in run.pauses:
        due_at = hours.after(since, left / MINUTE)
        if ends is None or due_at < begins:
            return due_at
        left -= round(hours.minutes_between(since, begins) * MINUTE)
        since = ends
    return hours.after(since, left / MINUTE)

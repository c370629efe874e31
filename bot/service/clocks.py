"""The clocks of service levels: first response, next response, resolution.

A clock runs in the working hours of its queue. The one of resolution stands still while it is the
customer who has to say something. Every clock can tell its start, pauses, due time and rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.service.hours import ALWAYS, Calendar
from bot.service.policy import Clock, Sla


@dataclass(frozen=True)
class Mark:
    """Something that clocks go by: ``opened``, ``customer`` (wrote), ``answered`` (a person's
    words) or ``closed``."""

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
    due_at: int | None  # None while it is paused
    warn_at: int | None
    stopped_at: int | None
    used: float  # working minutes, pauses not counted
    breached: bool


def standings(sla: Sla, calendar: Calendar, marks: Sequence[Mark], now: int) -> list[Standing]:
    """Every clock of a ticket, the finished runs included; ``marks`` in order of time."""
    hours = ALWAYS if sla.always else calendar
    found = []
    for clock, started, pauses, stopped in _runs(marks):
        minutes = sla.targets.get(clock)
        if minutes is not None:
            found.append(
                _standing(clock, sla, minutes, hours, started, pauses, stopped=stopped, now=now)
            )
    return found


def first_due(found: Iterable[Standing]) -> Standing | None:
    """The running clock that runs out first."""
    running = [it for it in found if it.stopped_at is None and it.due_at is not None]
    return min(running, key=lambda it: it.due_at or 0, default=None)


Pauses = list[tuple[int, int | None]]


def _runs(marks: Sequence[Mark]) -> Iterator[tuple[Clock, int, Pauses, int | None]]:
    """Each run of each clock: start, pauses and stop."""
    if not marks:
        return
    opened = marks[0].at
    closed = next((it.at for it in marks if it.kind == "closed"), None)
    answers = [it.at for it in marks if it.kind == "answered"]
    yield Clock.FIRST_RESPONSE, opened, [], answers[0] if answers else closed
    since: int | None = None
    answered = False
    pauses: Pauses = []
    for mark in marks:
        if mark.kind == "answered":
            if since is not None:
                yield Clock.NEXT_RESPONSE, since, [], mark.at
            since, answered = None, True
            if not pauses or pauses[-1][1] is not None:
                pauses.append((mark.at, None))
        elif mark.kind == "customer" and answered:
            since = mark.at if since is None else since
            if pauses and pauses[-1][1] is None:
                pauses[-1] = (pauses[-1][0], mark.at)
        elif mark.kind == "closed":
            break
    if since is not None:
        yield Clock.NEXT_RESPONSE, since, [], closed
    if closed is not None and pauses and pauses[-1][1] is None:
        pauses[-1] = (pauses[-1][0], closed)
    yield Clock.RESOLUTION, opened, pauses, closed


def _standing(
    clock: Clock,
    sla: Sla,
    minutes: int,
    hours: Calendar,
    started: int,
    pauses: Pauses,
    *,
    stopped: int | None,
    now: int,
) -> Standing:
    end = now if stopped is None else stopped
    used = hours.minutes_between(started, end)
    for begins, ends in pauses:
        used -= hours.minutes_between(begins, min(end, ends if ends is not None else end))
    paused = bool(pauses) and pauses[-1][1] is None
    due_at = warn_at = None
    if not paused:
        due_at = _moment(hours, started, pauses, minutes)
        warn_at = _moment(hours, started, pauses, minutes * sla.warn)
    # While it is due, it is late; an answer in that very moment is not.
    late = used > minutes or (stopped is None and due_at is not None and now >= due_at)
    return Standing(
        clock=clock,
        rule=sla.name,
        minutes=minutes,
        started_at=started,
        pauses=tuple(pauses),
        due_at=due_at,
        warn_at=warn_at,
        stopped_at=stopped,
        used=used,
        breached=late,
    )


def _moment(hours: Calendar, started: int, pauses: Pauses, minutes: float) -> int:
    """When so many working minutes are used up, finished pauses left out."""
    since, left = started, minutes
    for begins, ends in pauses:
        worked = hours.minutes_between(since, begins)
        if worked >= left:
            break
        left -= worked
        since = ends if ends is not None else begins
    return hours.after(since, left)

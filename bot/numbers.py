"""Numbers for those who lead support. Each can tell the rows that it was made of.

Times are working minutes of the queue's hours. A percentile is the value at that rank (nearest
rank). The interval of a share is Wilson's score interval at 95 % (Wilson, 1927).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from bot import wording
from bot.service import history
from bot.service.clocks import Mark, Standing, standings
from bot.service.policy import DAY, Clock, Service, Sla
from bot.store import numbers as rows_of
from bot.store.database import Database

GOOD = 4  # ratings from here up count as satisfied (CSAT)
REOPENED_DAYS = 7
TIMES = (Clock.FIRST_RESPONSE, Clock.RESOLUTION)
_MEASURED = Sla("", dict.fromkeys(Clock, 1))
"""Any policy will do to measure how long something took."""


@dataclass(frozen=True)
class Shown:
    """One ticket or conversation behind a number."""

    conversation_id: str
    name: str  # R-1001, or the beginning of the conversation's id
    at: int
    queue: str = ""
    agent: str = ""
    state: str = ""
    value: str = ""  # what it adds to the number


@dataclass
class Number:
    """A number with what is behind it. ``low`` and ``high``: the interval of a share."""

    title: str
    value: float | None
    unit: str  # "", "min", "%"
    rows: list[Shown] = field(default_factory=list)
    of: int | None = None  # of how many a share is
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Ticket:
    """A ticket with how its clocks ran."""

    row: Row[Any]
    clocks: list[Standing]  # by its own policy; [] without one
    took: dict[Clock, float]  # working minutes; only what has come to its end


@dataclass(frozen=True)
class Period:
    """What happened in a stretch of time."""

    since: int
    until: int
    now: int
    tickets: list[Ticket]
    alone: list[Row[Any]]  # conversations that the bot had alone
    reopened: dict[str, list[int]]  # conversation: when a resolved ticket of it was reopened
    waiting: list[Row[Any]]


class Numbers:
    """Computes the numbers of one store."""

    def __init__(self, database: Database, service: Service):
        self._database = database
        self._service = service

    def period(self, days: int) -> Period:
        """The last ``days`` days."""
        with self._database.reading() as tx:
            now = self._database.now(tx)
            since = now - days * DAY
            rows = rows_of.opened_between(tx, since, now + 1)
            marks: dict[int, list[Mark]] = defaultdict(list)
            for row in rows_of.marks_between(tx, since, now + 1):
                marks[row.ticket_id].append(Mark(row.at, history.MARKS.get(row.kind, "closed")))
            reopened: dict[str, list[int]] = defaultdict(list)
            resolved = {row.conversation_id for row in rows if row.state == "resolved"}
            for row in rows_of.reopenings(tx, resolved):
                reopened[row.conversation_id].append(row.opened_at)
            return Period(
                since,
                now,
                now,
                [self._ticket(row, marks[row.id], now) for row in rows],
                rows_of.without_ticket(tx, since, now + 1),
                reopened,
                rows_of.waiting_now(tx),
            )

    def _ticket(self, row: Row[Any], marks: list[Mark], now: int) -> Ticket:
        hours = self._service.hours(row.queue)
        policy = self._service.sla(queue=row.queue, priority=row.priority, channel=row.channel)
        took: dict[Clock, float] = {}
        for clock in standings(_MEASURED, hours, marks, now):
            answered = clock.clock is not Clock.FIRST_RESPONSE or row.first_answered_at
            if clock.clock in TIMES and clock.stopped_at is not None and answered:
                took[clock.clock] = clock.used
        return Ticket(row, standings(policy, hours, marks, now) if policy else [], took)

    def hour_of(self, ticket: Ticket) -> int:
        """The hour of the day at which it was opened, by the clock of its queue."""
        return self._service.hours(ticket.row.queue).hour_of(ticket.row.opened_at)

    # The numbers.

    def overview(self, period: Period) -> list[Number]:
        return [
            self._waiting(period),
            *(self._time(period.tickets, clock, share) for clock in TIMES for share in (0.5, 0.9)),
            *self._kept(period),
            *self._outcomes(period),
            self._reopened(period),
            *self._csat(period),
        ]

    def by(
        self, period: Period, key: Callable[[Ticket], Any]
    ) -> dict[Any, tuple[int, list[Number]]]:
        """For each value of ``key``: how many tickets, and their times."""
        groups: dict[Any, list[Ticket]] = defaultdict(list)
        for ticket in period.tickets:
            groups[key(ticket)].append(ticket)
        return {
            name: (
                len(found),
                [self._time(found, clock, share) for clock in TIMES for share in (0.5, 0.9)],
            )
            for name, found in sorted(groups.items())
        }

    def _waiting(self, period: Period) -> Number:
        queue = {it.id: it for it in period.waiting}
        shown = [
            _shown(it, value=f"{_minutes(period.now - it.row.waiting_since)} min")
            for it in period.tickets
            if it.row.id in queue
        ]
        return Number("Waiting now", len(queue), "", shown)

    def _time(self, found: Iterable[Ticket], clock: Clock, share: float) -> Number:
        taken = sorted(
            ((it.took[clock], it) for it in found if clock in it.took), key=lambda pair: pair[0]
        )
        what = "First response" if clock is Clock.FIRST_RESPONSE else "Resolution"
        title = f"{what}, {'median' if share == 0.5 else '90 % within'}"
        rows = [_shown(it, value=f"{minutes:.0f} min") for minutes, it in reversed(taken)]
        value = taken[math.ceil(share * len(taken)) - 1][0] if taken else None
        return Number(title, value, "min", rows)

    def _kept(self, period: Period) -> Iterable[Number]:
        for clock in Clock:
            ran = [
                (it, any(run.breached for run in it.clocks if run.clock is clock))
                for it in period.tickets
                if any(
                    run.clock is clock and (run.stopped_at is not None or run.breached)
                    for run in it.clocks
                )
            ]
            late = [_shown(it, value="too late") for it, breached in ran if breached]
            title = f"{clock.value.replace('_', ' ').capitalize()} in time"
            yield _share(title, len(ran) - len(late), len(ran), late)

    def _outcomes(self, period: Period) -> Iterable[Number]:
        handed = {it.row.conversation_id: it for it in period.tickets}
        left, solved = [], []
        for row in period.alone:
            missed = row.outcome != "answered" or bool((row.understood or {}).get("missed"))
            (left if missed else solved).append(row)
        total = len(handed) + len(period.alone)
        yield _share("Resolved by the bot", len(solved), total, [_alone(row) for row in solved])
        yield _share("Handed over", len(handed), total, [_shown(it) for it in handed.values()])
        yield _share("Left without an answer", len(left), total, [_alone(row) for row in left])

    def _reopened(self, period: Period) -> Number:
        resolved = [it for it in period.tickets if it.row.state == "resolved"]
        again = [
            it
            for it in resolved
            if any(
                0 <= at - (it.row.closed_at or 0) <= REOPENED_DAYS * DAY
                for at in period.reopened.get(it.row.conversation_id, ())
            )
        ]
        title = f"Reopened within {REOPENED_DAYS} days"
        return _share(title, len(again), len(resolved), [_shown(it) for it in again])

    def _csat(self, period: Period) -> Iterable[Number]:
        asked = [it for it in period.tickets if it.row.asked_rating_at is not None]
        rated = [it for it in asked if it.row.rating is not None]
        good = [it for it in rated if it.row.rating >= GOOD]
        rows = [
            _shown(it, value=f"{it.row.rating} of 5 {it.row.rating_comment or ''}".strip())
            for it in sorted(rated, key=lambda it: it.row.rating)
        ]
        yield _share("Satisfied (4 or 5 of 5)", len(good), len(rated), rows)
        yield _share("Answered the question", len(rated), len(asked), rows)


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95 % score interval of a share, in 0..1; the whole of it when nothing was counted."""
    if not total:
        return 0.0, 1.0
    z = 1.959964
    share, square = hits / total, z * z
    middle = (share + square / (2 * total)) / (1 + square / total)
    spread = share * (1 - share) / total + square / (4 * total * total)
    reach = z * math.sqrt(spread) / (1 + square / total)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _share(title: str, hits: int, total: int, rows: Sequence[Shown]) -> Number:
    low, high = wilson(hits, total)
    value = 100 * hits / total if total else None
    return Number(title, value, "%", list(rows), total, 100 * low, 100 * high)


def _shown(ticket: Ticket, value: str = "") -> Shown:
    row = ticket.row
    return Shown(
        row.conversation_id,
        wording.ticket_number(row.id),
        row.opened_at,
        queue=row.queue,
        agent=row.agent_name or "",
        state=row.state,
        value=value,
    )


def _alone(row: Row[Any]) -> Shown:
    return Shown(row.id, row.id[:8], row.created_at, state=row.outcome or "")


def _minutes(milliseconds: int) -> int:
    return milliseconds // 60_000

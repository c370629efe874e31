"""Opening hours: breaks, holidays and time zones, and how to count in them.

Moments are milliseconds since the epoch, UTC. Durations are real ones: when the clocks go back a
day has an hour more, and it counts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

MINUTE = 60_000
FAR = 400  # days; a calendar that does not open within them never does
FAR_AWAY = FAR * 1440 * MINUTE

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)  # and no strftime, which speaks the language of the machine


@dataclass(frozen=True, order=True)
class Span:
    """From one minute of the day to another: 0 <= start < end <= 1440."""

    start: int
    end: int


WHOLE_DAY = (Span(0, 1440),)


@dataclass(frozen=True)
class Calendar:
    """When somebody is there.

    A wall time that the clocks skip is the first moment after the gap; of one that comes twice the
    first counts. Threads may share a calendar.

    Args:
        name: what the file calls it.
        zone: IANA name of the time zone.
        zone_words: said to customers after a time ("UK time"); "": nothing.
        week: the spans of each day, Monday first, each day's in order; breaks are the gaps
            between them.
        country, region: whose public holidays are closed, as the package ``holidays`` names them.
        closed: days that are closed besides.
        special: days with hours of their own, whatever else holds.
    """

    name: str
    zone: str = "UTC"
    zone_words: str = ""
    week: tuple[tuple[Span, ...], ...] = (WHOLE_DAY,) * 7
    country: str = ""
    region: str = ""
    closed: frozenset[date] = frozenset()
    special: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)

    def spans_of(self, day: date) -> tuple[Span, ...]:
        """The spans of one day."""
        if day in self.special:
            return self.special[day]
        if day in self.closed:
            return ()
        if self.country and day in _holidays(self.country, self.region, day.year):
            return ()
        return self.week[day.weekday()]

    def is_open(self, at: int) -> bool:
        return self._always or self._table(at, at).holding(at) is not None

    def next_opening(self, at: int) -> int | None:
        """The first open moment from ``at`` on; None if there is none within 400 days."""
        if self._always:
            return at
        found = self._table(at, at + FAR_AWAY)
        if found.holding(at) is not None:
            return at
        following = bisect_right(found.starts, at)
        if following == len(found.starts) or found.starts[following] > at + FAR_AWAY:
            return None
        return found.starts[following]

    def closes_at(self, at: int) -> int | None:
        """When it closes, given that ``at`` is open; None when it is closed, or does not close
        within 400 days."""
        if self._always:
            return None
        found = self._table(at, at + FAR_AWAY)
        span = found.holding(at)
        if span is None or found.ends[span] > at + FAR_AWAY:
            return None
        return found.ends[span]

    def after(self, start: int, minutes: float) -> int:
        """The first moment at which so many open minutes have passed since ``start``; in 400 days
        if they have not passed by then."""
        left = max(0, round(minutes * MINUTE))
        if self._always or not left:
            return start + left
        found = self._table(start, start + FAR_AWAY)
        wanted = found.open_until(start) + left
        span = bisect_left(found.totals, wanted)
        if span == len(found.totals):
            return start + FAR_AWAY
        return min(found.ends[span] - (found.totals[span] - wanted), start + FAR_AWAY)

    def minutes_between(self, start: int, end: int) -> float:
        """The open minutes from ``start`` to ``end``; 0 if it does not lie after ``start``."""
        if end <= start:
            return 0.0
        if self._always:
            return (end - start) / MINUTE
        found = self._table(start, end)
        return (found.open_until(end) - found.open_until(start)) / MINUTE

    def hour_of(self, at: int) -> int:
        """The hour of the day, 0 to 23, by the clock of the zone."""
        return self._local(at).hour

    # In words.

    def in_words(self, at: int, now: int) -> str:
        """A moment as one says it: "at 13:00 today", "on Monday at 9:00"."""
        then, today = self._local(at), self._local(now).date()
        clock = _time(then.hour * 60 + then.minute)
        days = (then.date() - today).days
        if days == 0:
            words = f"at {clock} today"
        elif days == 1:
            words = f"at {clock} tomorrow"
        elif 1 < days < 7:
            words = f"on {DAYS[then.weekday()]} at {clock}"
        else:
            year = f" {then.year}" if then.year != today.year else ""
            month = MONTHS[then.month - 1]
            words = f"on {DAYS[then.weekday()]} {then.day} {month}{year} at {clock}"
        return f"{words} {self.zone_words}".strip()

    def hours_in_words(self) -> str:
        """The usual week as one says it: "Monday to Friday 9:00 to 17:30, Saturday 10:00 to
        16:00". A night is said with the day on which it begins: "Friday 22:00 to 4:00"."""
        if all(spans == WHOLE_DAY for spans in self.week):
            return "day and night"
        week = [self._as_said(day) for day in range(7)]
        parts: list[str] = []
        day = 0
        while day < 7:
            last = day
            while last < 6 and week[last + 1] == week[day]:
                last += 1
            if week[day]:
                days = DAYS[day] if last == day else f"{DAYS[day]} to {DAYS[last]}"
                parts.append(f"{'every day' if last - day == 6 else days} {week[day]}")
            day = last + 1
        return ", ".join(parts) if parts else "never"

    def _as_said(self, day: int) -> str:
        """The spans of a weekday, with what goes on after midnight, without what is from before."""
        spans = list(self.week[day])
        if _into_night(self.week[day - 1], self.week[day]):
            spans = spans[1:]
        ends = [span.end for span in spans]
        tomorrow = self.week[(day + 1) % 7]
        if _into_night(self.week[day], tomorrow):
            ends[-1] = tomorrow[0].end
        return " and ".join(
            f"{_time(span.start)} to {_time(end)}" for span, end in zip(spans, ends, strict=True)
        )

    # Within.

    @cached_property
    def _always(self) -> bool:
        return (
            all(spans == WHOLE_DAY for spans in self.week)
            and not self.country
            and not self.closed
            and not self.special
        )

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @cached_property
    def _held(self) -> list[_Table]:
        return []  # one table at most; replaced by a larger one, never changed

    def _local(self, at: int) -> datetime:
        return datetime.fromtimestamp(at / 1000, self._zone)

    def _table(self, start: int, end: int) -> _Table:
        """The spans of all days from that of ``start`` to that of ``end``, and of more."""
        held = self._held[0] if self._held else None
        if held is not None and held.begins <= start and end < held.finishes:
            return held
        first, last = self._local(start).year, self._local(end).year
        if held is not None:
            first, last = min(first, held.first), max(last, held.last)
        found = self._filled(first, last)
        self._held[:] = [found]
        return found

    def _filled(self, first: int, last: int) -> _Table:
        """The table of some years, both included."""
        day, until = date(first, 1, 1), date(last + 1, 1, 1)
        begins, finishes = self._moment(day, 0), self._moment(until, 0)
        starts: list[int] = []
        ends: list[int] = []
        while day < until:
            for span in self.spans_of(day):
                start, end = self._moment(day, span.start), self._moment(day, span.end)
                if starts and start <= ends[-1]:
                    ends[-1] = max(ends[-1], end)  # they touch, over midnight too: one span
                elif start < end:
                    starts.append(start)
                    ends.append(end)
            day += timedelta(days=1)
        totals, total = [], 0
        for start, end in zip(starts, ends, strict=True):
            total += end - start
            totals.append(total)
        return _Table(first, last, begins, finishes, starts=starts, ends=ends, totals=totals)

    def _moment(self, day: date, minute: int) -> int:
        """A wall time as a moment."""
        if minute == 1440:
            day, minute = day + timedelta(days=1), 0
        wall = datetime.combine(day, time(minute // 60, minute % 60))
        while True:
            moment = wall.replace(tzinfo=self._zone).astimezone(UTC)
            if moment.astimezone(self._zone).replace(tzinfo=None) == wall:
                return int(moment.timestamp()) * 1000
            wall += timedelta(minutes=1)  # the clocks skip it


@dataclass(frozen=True)
class _Table:
    """The spans of some years as moments, in order, those that touch as one."""

    first: int  # year
    last: int
    begins: int
    finishes: int
    starts: Sequence[int]
    ends: Sequence[int]
    totals: Sequence[int]  # open milliseconds up to the end of each

    def holding(self, at: int) -> int | None:
        """Which span ``at`` is in."""
        span = bisect_right(self.starts, at) - 1
        return span if span >= 0 and at < self.ends[span] else None

    def open_until(self, at: int) -> int:
        """Open milliseconds from the beginning to ``at``."""
        span = bisect_right(self.starts, at) - 1
        if span < 0:
            return 0
        return self.totals[span] - max(0, self.ends[span] - at)


@lru_cache(maxsize=500)
def _holidays(country: str, region: str, year: int) -> frozenset[date]:
    import holidays  # takes a moment, and most calendars of tests have none

    return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year))


def _into_night(spans: Sequence[Span], tomorrow: Sequence[Span]) -> bool:
    """Whether the last span goes on after midnight, for a part of the next day."""
    return (
        bool(spans and tomorrow)
        and spans[-1].end == 1440
        and spans[-1].start > 0
        and tomorrow[0].start == 0
        and tomorrow[0].end < 1440
    )


def _time(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02d}"


ALWAYS = Calendar("always")

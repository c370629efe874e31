"""Opening hours: breaks, holidays and time zones, and how to count in them.

Moments are milliseconds since the epoch, UTC. Durations are real ones: when the clocks go back a
day has an hour more, and it counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

MINUTE = 60_000
FAR = 400  # days; a calendar that does not open within them never does

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, order=True)
class Span:
    """From one minute of the day to another: 0 <= start < end <= 1440."""

    start: int
    end: int


WHOLE_DAY = (Span(0, 1440),)


@dataclass(frozen=True)
class Calendar:
    """When somebody is there.

    Args:
        name: what the file calls it.
        zone: IANA name of the time zone.
        zone_words: said to customers after a time ("UK time"); "": nothing.
        week: the spans of each day, Monday first; breaks are the gaps between them.
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
        if day in self.closed or (self._holidays is not None and day in self._holidays):
            return ()
        return self.week[day.weekday()]

    def is_open(self, at: int) -> bool:
        return self._always or any(start <= at < end for start, end in self._spans(self._day(at)))

    def next_opening(self, at: int) -> int | None:
        """The first open moment from ``at`` on; None if there is none within 400 days."""
        if self._always:
            return at
        for start, end in self._from(at):
            if end > at:
                return max(start, at)
        return None

    def closes_at(self, at: int) -> int | None:
        """When it closes, given that ``at`` is open; None when it is closed or never closes."""
        if self._always or not self.is_open(at):
            return None
        closes = at
        for start, end in self._from(at):
            if start > closes:
                break
            closes = max(closes, end)
        return closes

    def after(self, start: int, minutes: float) -> int:
        """The moment at which so many open minutes have passed since ``start``; in 400 days if it
        does not open."""
        left = int(minutes * MINUTE)
        if self._always:
            return start + left
        for begins, ends in self._from(start):
            begins = max(begins, start)
            if ends - begins >= left:
                return max(begins, start) + left if ends > begins or not left else start
            left -= max(0, ends - begins)
        return start + FAR * 1440 * MINUTE

    def minutes_between(self, start: int, end: int) -> float:
        """The open minutes from ``start`` to ``end``."""
        if end <= start:
            return 0.0
        if self._always:
            return (end - start) / MINUTE
        total = 0
        for begins, ends in self._from(start, until=end):
            total += max(0, min(ends, end) - max(begins, start))
        return total / MINUTE

    def hour_of(self, at: int) -> int:
        """The hour of the day, 0 to 23, by the clock of the zone."""
        return self._local(at).hour

    # In words.

    def in_words(self, at: int, now: int) -> str:
        """A moment as one says it: "at 13:00 today", "on Monday at 9:00"."""
        then, today = self._local(at), self._local(now).date()
        clock = f"{then.hour}:{then.minute:02d}"
        days = (then.date() - today).days
        if days == 0:
            words = f"at {clock} today"
        elif days == 1:
            words = f"at {clock} tomorrow"
        elif 1 < days < 7:
            words = f"on {DAYS[then.weekday()]} at {clock}"
        else:
            year = f" {then.year}" if then.year != today.year else ""
            words = f"on {DAYS[then.weekday()]} {then.day} {then:%B}{year} at {clock}"
        return f"{words} {self.zone_words}".strip()

    def hours_in_words(self) -> str:
        """The week as one says it: "Monday to Friday 9:00 to 17:30, Saturday 10:00 to 16:00"."""
        if all(spans == WHOLE_DAY for spans in self.week):
            return "day and night"
        parts: list[str] = []
        day = 0
        while day < 7:
            last = day
            while last < 6 and self.week[last + 1] == self.week[day]:
                last += 1
            if self.week[day]:
                days = DAYS[day] if last == day else f"{DAYS[day]} to {DAYS[last]}"
                times = " and ".join(
                    f"{_time(span.start)} to {_time(span.end)}" for span in self.week[day]
                )
                parts.append(f"{days} {times}")
            day = last + 1
        return ", ".join(parts) if parts else "never"

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
    def _holidays(self) -> Mapping[date, str] | None:
        if not self.country:
            return None
        import holidays

        return holidays.country_holidays(self.country, subdiv=self.region or None)

    @cached_property
    def _known(self) -> dict[date, tuple[tuple[int, int], ...]]:
        return {}

    def _local(self, at: int) -> datetime:
        return datetime.fromtimestamp(at / 1000, self._zone)

    def _day(self, at: int) -> date:
        return self._local(at).date()

    def _spans(self, day: date) -> tuple[tuple[int, int], ...]:
        """The day's spans as moments."""
        found = self._known.get(day)
        if found is None:
            spans = (
                (self._moment(day, span.start), self._moment(day, span.end))
                for span in self.spans_of(day)
            )
            found = self._known[day] = tuple(span for span in spans if span[0] < span[1])
        return found

    def _moment(self, day: date, minute: int) -> int:
        """A wall time as a moment: one that the clocks skip is the first moment after the gap, one
        that comes twice the first of the two."""
        if minute == 1440:
            day, minute = day + timedelta(days=1), 0
        wall = datetime.combine(day, time(minute // 60, minute % 60))
        while True:
            moment = wall.replace(tzinfo=self._zone).astimezone(UTC)
            if moment.astimezone(self._zone).replace(tzinfo=None) == wall:
                return int(moment.timestamp()) * 1000
            wall += timedelta(minutes=1)

    def _from(self, at: int, until: int | None = None) -> Iterator[tuple[int, int]]:
        """Spans from the day of ``at`` on, for 400 days or until a moment."""
        day = self._day(at)
        last = self._day(until) if until is not None else day + timedelta(days=FAR)
        while day <= last:
            yield from self._spans(day)
            day += timedelta(days=1)


def _time(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02d}"


ALWAYS = Calendar("always")

"""Dates, times of day and opening hours in a sentence. Rules only; English names."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun",
            "july jul", "august aug", "september sept sep", "october oct", "november nov",
            "december dec",
        ), 1
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_DATE = re.compile(
    rf"\b(?P<year1>(?:19|20)\d\d)-(?P<month1>\d\d)-(?P<day1>\d\d)\b"
    rf"|\b(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month2>{_MONTH})\b\.?"
    rf"(?:,?\s+(?P<year2>(?:19|20)\d\d)\b)?"
    rf"|\b(?P<month3>{_MONTH})\b\.?\s+(?P<day3>\d{{1,2}})(?:st|nd|rd|th)?\b(?![:.]\d)"
    rf"(?:,?\s+(?P<year3>(?:19|20)\d\d)\b)?"
    rf"|\b(?P<day4>\d{{1,2}})[./](?P<month4>\d{{1,2}})[./](?P<year4>(?:19|20)\d\d)\b"
    rf"|\b(?P<month5>{_MONTH})\b\.?,?\s+(?P<year5>(?:19|20)\d\d)\b",
    re.IGNORECASE,
)

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_NUMBERS = {
    short: number
    for number, day in enumerate(DAYS)
    for short in (day, day + "s", day[:3], day[:4], day[:5])
}
_DAY = "|".join(sorted(_DAY_NUMBERS, key=len, reverse=True))
_SOME_DAYS = {
    "weekday": range(5), "weekdays": range(5), "weekend": range(5, 7), "weekends": range(5, 7),
    "daily": range(7), "every day": range(7), "seven days a week": range(7),
    "7 days a week": range(7),
}  # fmt: skip
_DAYS = re.compile(
    rf"\b(?P<first>{_DAY})\b\.?\s*(?:–|—|-|to|until|through)\s*(?P<last>{_DAY})\b"
    rf"|\b(?P<some>{'|'.join(_SOME_DAYS)})\b"
    rf"|\b(?P<one>{_DAY})\b",
    re.IGNORECASE,
)
_CLOCK = (
    r"(?:\d{1,2}(?:[:.][0-5]\d)?\s?(?:am|pm|a\.m\.?|p\.m\.?)|\d{1,2}:[0-5]\d|noon|midday|midnight)"
)
_LOOSE = r"(?:\d{1,2}(?:[:.][0-5]\d)?)"
_HOURS = re.compile(
    rf"(?<![\w.:])(?:(?P<from>{_CLOCK})|(?P<loose>{_LOOSE}))\s*(?:–|—|-|to|until|till|and)\s*"
    rf"(?P<until>{_CLOCK})",
    re.IGNORECASE,
)
_TIME = re.compile(rf"(?<![\w.:–—-])(?P<time>{_CLOCK})(?![\w:])", re.IGNORECASE)


@dataclass(frozen=True)
class Day:
    """A date as far as it is written: `year` or `day` may be missing (None)."""

    year: int | None
    month: int
    day: int | None
    text: str
    start: int
    end: int

    def last(self) -> date | None:
        """The last day it can mean, where the year is known."""
        if self.year is None:
            return None
        if self.day is not None:
            return date(self.year, self.month, self.day)
        following = date(self.year + self.month // 12, self.month % 12 + 1, 1)
        return date.fromordinal(following.toordinal() - 1)


@dataclass(frozen=True)
class Hours:
    """Opening hours: minutes after midnight, and the days they hold for (0 is Monday; empty: not
    said). A single time of day has `until` equal to `begin`."""

    days: frozenset[int]
    begin: int
    until: int
    text: str
    start: int
    end: int


def dates(text: str) -> Iterator[Day]:
    """The dates of a text that exist in the calendar, in order."""
    for match in _DATE.finditer(text):
        parts = {key[:-1]: value for key, value in match.groupdict().items() if value}
        month = parts["month"].lower()
        number = MONTHS[month] if month in MONTHS else int(month)
        year = int(parts["year"]) if "year" in parts else None
        day = int(parts["day"]) if "day" in parts else None
        if month == "may" and day is None:
            continue  # "you may 2026 times": the verb
        try:
            date(year or 2024, number, day or 1)
        except ValueError:
            continue
        yield Day(year, number, day, match[0], match.start(), match.end())


def hours(text: str) -> list[Hours]:
    """The opening hours of a text, and its single times of day."""
    spans = list(_HOURS.finditer(text))
    days = _days_of(text, spans)
    found = []
    for span, named in zip(spans, days, strict=True):
        begin = _minutes(span["from"] or span["loose"], like=span["until"])
        until = _minutes(span["until"])
        if begin is not None and until is not None and begin != until:
            found.append(Hours(named, begin, until, span[0], span.start(), span.end()))
    for match in _TIME.finditer(text):
        minutes = _minutes(match["time"])
        inside = any(span.start() <= match.start() < span.end() for span in spans)
        if minutes is not None and not inside:
            found.append(Hours(frozenset(), minutes, minutes, match[0], match.start(), match.end()))
    return found


def _days_of(text: str, spans: list[re.Match]) -> list[frozenset[int]]:
    """The days that each span of hours holds for.

    They stand before their hours ("Monday to Friday 9:00–18:00") or after ("9am to 6pm, Monday to
    Friday"): whichever the text begins with, if that leaves no span without days. Otherwise each
    name of days goes with the hours it is closest to.
    """
    named = [(match.start(), match.end(), _day_set(match)) for match in _DAYS.finditer(text)]
    if not named or not spans:
        return [frozenset()] * len(spans)
    days: list[set[int]] = [set() for _ in spans]
    starts, ends = [span.start() for span in spans], [span.end() for span in spans]
    if named[0][0] < starts[0]:
        owners = [bisect_left(starts, end) for _, end, _ in named]
    else:
        owners = [bisect_right(ends, start) - 1 for start, _, _ in named]
    if {at for at in owners if 0 <= at < len(spans)} != set(range(len(spans))):
        owners = [
            min(range(len(spans)), key=lambda at: max(starts[at] - end, start - ends[at]))
            for start, end, _ in named
        ]
    for owner, (_, _, some) in zip(owners, named, strict=True):
        if 0 <= owner < len(spans):
            days[owner] |= some
    return [frozenset(some) for some in days]


def _day_set(match: re.Match) -> frozenset[int]:
    if match["some"]:
        return frozenset(_SOME_DAYS[match["some"].lower()])
    if match["one"]:
        return frozenset({_DAY_NUMBERS[match["one"].lower()]})
    first, last = (_DAY_NUMBERS[match[end].lower()] for end in ("first", "last"))
    return frozenset((first + step) % 7 for step in range((last - first) % 7 + 1))


def _minutes(text: str, like: str = "") -> int | None:
    """Minutes after midnight; a bare "9" is read like the end of its span ("9-5pm": 9 in the
    morning, because it may not come after the end). None for no time of day."""
    text = text.lower().replace(".m.", "m").replace(".m", "m")
    if text in {"noon", "midday"}:
        return 720
    if text == "midnight":
        return 1440
    hour, minute, half = re.fullmatch(r"(\d{1,2})(?:[:.](\d\d))?\s?(am|pm)?", text).groups()
    value = int(hour) * 60 + int(minute or 0)
    if half:
        if not 1 <= int(hour) <= 12:
            return None
        value = value % 720 + (720 if half == "pm" else 0)
    elif like and re.search(r"p\.?m", like, re.IGNORECASE):
        end = _minutes(like)
        value = value + 720 if end and value % 720 + 720 < end and int(hour) < 7 else value
    return value if value <= 1440 else None

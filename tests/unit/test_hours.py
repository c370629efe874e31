"""Opening hours: breaks, holidays, nights, and clocks that are changed twice a year."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.service.hours import ALWAYS, Calendar, Span

MINUTE = 60_000
DESK = Calendar(
    "desk",
    zone="Europe/London",
    zone_words="UK time",
    week=((Span(540, 720), Span(780, 1020)),) * 5 + ((Span(600, 960),), ()),
    country="GB",
    region="ENG",
    closed=frozenset({date(2026, 12, 24)}),
    special={date(2026, 12, 25): (Span(600, 660),)},
)
NIGHT = Calendar("night", week=((Span(0, 360), Span(1200, 1440)),) * 7)
NEVER = Calendar("never", week=((),) * 7)
DAY = 1440 * MINUTE


def at(*parts: int) -> int:
    """A moment of UTC."""
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (at(2026, 3, 2, 9, 0), True),
        (at(2026, 3, 2, 8, 59), False),
        (at(2026, 3, 2, 12, 0), False),  # the break
        (at(2026, 3, 2, 13, 0), True),
        (at(2026, 3, 2, 17, 0), False),
        (at(2026, 3, 7, 15, 59), True),  # Saturday
        (at(2026, 3, 8, 12, 30), False),  # Sunday
        (at(2026, 4, 3, 10, 0), False),  # Good Friday
        (at(2026, 7, 1, 8, 0), True),  # 9:00 in summer
        (at(2026, 12, 24, 10, 0), False),
        (at(2026, 12, 25, 10, 30), True),  # a day with hours of its own, holiday or not
    ],
)
def test_open_or_closed(moment, is_open):
    assert DESK.is_open(moment) is is_open


def test_the_next_opening_steps_over_breaks_nights_and_holidays():
    assert DESK.next_opening(at(2026, 3, 2, 10, 0)) == at(2026, 3, 2, 10, 0)
    assert DESK.next_opening(at(2026, 3, 2, 12, 30)) == at(2026, 3, 2, 13, 0)
    assert DESK.next_opening(at(2026, 3, 7, 16, 0)) == at(2026, 3, 9, 9, 0)
    # Good Friday, Saturday is open, Easter Monday is not; in summer time from 29 March on.
    assert DESK.next_opening(at(2026, 4, 2, 17, 0)) == at(2026, 4, 4, 9, 0)
    assert DESK.next_opening(at(2026, 4, 4, 16, 0)) == at(2026, 4, 7, 8, 0)
    assert NEVER.next_opening(at(2026, 3, 2)) is None


# What the British government lists for England and Wales.
BANK_HOLIDAYS = {(1, 1), (4, 3), (4, 6), (5, 4), (5, 25), (8, 31), (12, 25), (12, 28)}


def test_the_bank_holidays_of_england():
    office = Calendar(
        "office", week=((Span(540, 1020),),) * 5 + ((), ()), country="GB", region="ENG"
    )
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    closed = {
        (day.month, day.day) for day in days if day.weekday() < 5 and not office.spans_of(day)
    }
    assert closed == BANK_HOLIDAYS  # Boxing Day is a Saturday: the Monday is free instead
    assert office.next_opening(at(2026, 12, 24, 17, 0)) == at(2026, 12, 29, 9, 0)


def test_a_special_day_wins_over_holidays_and_closed_days():
    day = date(2026, 12, 28)
    odd = Calendar("odd", country="GB", closed=frozenset({day}), special={day: (Span(600, 720),)})
    assert odd.minutes_between(at(2026, 12, 28), at(2026, 12, 29)) == 120
    assert odd.next_opening(at(2026, 12, 28)) == at(2026, 12, 28, 10, 0)


def test_spans_that_touch_over_midnight_are_one():
    assert NIGHT.closes_at(at(2026, 3, 2, 23, 0)) == at(2026, 3, 3, 6, 0)
    assert DESK.closes_at(at(2026, 3, 2, 9, 0)) == at(2026, 3, 2, 12, 0)
    assert DESK.closes_at(at(2026, 3, 2, 12, 0)) is None
    assert ALWAYS.closes_at(at(2026, 3, 2)) is None
    holiday = Calendar("holiday", closed=frozenset({date(2026, 12, 25)}))
    assert holiday.closes_at(at(2026, 3, 2)) == at(2026, 12, 25)
    assert holiday.closes_at(at(2027, 1, 1)) is None  # never again, as far as it looks
    # From one year into the next, whatever was asked before.
    assert NIGHT.is_open(at(2026, 12, 31, 23, 0))
    assert NIGHT.closes_at(at(2026, 12, 31, 23, 0)) == at(2027, 1, 1, 6, 0)


def test_working_minutes_lie_in_working_hours():
    assert DESK.after(at(2026, 3, 2, 11, 30), 60) == at(2026, 3, 2, 13, 30)
    assert DESK.after(at(2026, 3, 2, 16, 30), 60) == at(2026, 3, 3, 9, 30)
    assert DESK.after(at(2026, 3, 8, 3, 0), 10) == at(2026, 3, 9, 9, 10)
    assert DESK.minutes_between(at(2026, 3, 2, 11, 0), at(2026, 3, 2, 14, 0)) == 120
    assert DESK.minutes_between(at(2026, 3, 2, 14, 0), at(2026, 3, 2, 11, 0)) == 0
    assert NEVER.after(at(2026, 3, 2), 1) == at(2026, 3, 2) + 400 * DAY
    # No minutes are no time, closed or not.
    assert DESK.after(at(2026, 3, 8, 3, 0), 0) == at(2026, 3, 8, 3, 0)


def test_nothing_lies_more_than_400_days_ahead():
    last = date(2027, 4, 6)  # day 400 after 2 March 2026
    late = Calendar("late", week=((),) * 7, special={last: (Span(1380, 1440),)})
    assert late.next_opening(at(2026, 3, 2, 1, 0)) is None
    assert late.after(at(2026, 3, 2, 1, 0), 30) == at(2026, 3, 2, 1, 0) + 400 * DAY
    assert late.next_opening(at(2026, 3, 3, 1, 0)) == at(2027, 4, 6, 23, 0)
    assert late.after(at(2026, 3, 3, 1, 0), 30) == at(2027, 4, 6, 23, 30)
    assert late.after(at(2026, 3, 3, 1, 0), 61) == at(2026, 3, 3, 1, 0) + 400 * DAY


def test_an_hour_that_does_not_exist_and_one_that_comes_twice():
    early = Calendar("early", zone="Europe/London", week=((Span(90, 180),),) * 7)  # 1:30 to 3:00
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    # On 29 March the clocks go from 1:00 to 2:00: what is left are 2:00 to 3:00 of summer time.
    begins = at(2026, 3, 29, 1, 0)
    assert early.next_opening(at(2026, 3, 29, 0, 0)) == begins
    assert early.minutes_between(at(2026, 3, 29), at(2026, 3, 30)) == 60
    # On 25 October 1:00 to 2:00 comes twice: from the first 1:30 to 3:00 are two and a half hours.
    assert early.minutes_between(at(2026, 10, 24, 12), at(2026, 10, 25, 12)) == 150
    assert early.spans_of(spring) == early.spans_of(autumn)


@pytest.mark.parametrize(
    ("then", "words"),
    [
        (at(2026, 3, 2, 13, 0), "at 13:00 today UK time"),
        (at(2026, 3, 3, 9, 0), "at 9:00 tomorrow UK time"),
        (at(2026, 3, 6, 9, 5), "on Friday at 9:05 UK time"),
        (at(2026, 3, 9, 9, 0), "on Monday 9 March at 9:00 UK time"),
        (at(2027, 1, 4, 9, 0), "on Monday 4 January 2027 at 9:00 UK time"),
    ],
)
def test_moments_are_said_as_people_say_them(then, words):
    assert DESK.in_words(then, at(2026, 3, 2, 10, 0)) == words


def test_hours_in_words():
    assert DESK.hours_in_words() == (
        "Monday to Friday 9:00 to 12:00 and 13:00 to 17:00, Saturday 10:00 to 16:00"
    )
    assert ALWAYS.hours_in_words() == "day and night"
    assert NEVER.hours_in_words() == "never"
    assert NIGHT.hours_in_words() == "every day 20:00 to 6:00"
    late = Calendar("late", week=((),) * 4 + ((Span(1080, 1440),), (Span(0, 120),), ()))
    assert late.hours_in_words() == "Friday 18:00 to 2:00"
    whole = Calendar("whole", week=((),) * 4 + ((Span(1080, 1440),), (Span(0, 1440),), ()))
    assert whole.hours_in_words() == "Friday 18:00 to 24:00, Saturday 0:00 to 24:00"


MOMENTS = st.integers(at(2026, 1, 1) // MINUTE, at(2027, 1, 1) // MINUTE).map(lambda m: m * MINUTE)


@given(start=MOMENTS, minutes=st.integers(1, 3000))
def test_after_and_between_agree(start, minutes):
    end = DESK.after(start, minutes)
    assert DESK.minutes_between(start, end) == minutes
    assert DESK.is_open(end - 1)


@given(moments=st.lists(MOMENTS, min_size=3, max_size=3).map(sorted))
def test_time_adds_up(moments):
    first, middle, last = moments
    assert DESK.minutes_between(first, last) == pytest.approx(
        DESK.minutes_between(first, middle) + DESK.minutes_between(middle, last)
    )


@given(moment=MOMENTS)
def test_the_next_opening_is_open_and_nothing_before_it_is(moment):
    opening = DESK.next_opening(moment)
    assert opening is not None and DESK.is_open(opening)
    assert DESK.minutes_between(moment, opening) == 0


@given(
    calendar=st.sampled_from((DESK, NIGHT, NEVER, ALWAYS)), start=MOMENTS, ahead=st.integers(0, 900)
)
def test_more_minutes_never_end_earlier(calendar, start, ahead):
    ends = [calendar.after(start, minutes) for minutes in (0, ahead / 7, ahead, ahead + 0.5)]
    assert ends == sorted(ends) and ends[0] == start and ends[-1] <= start + 400 * DAY


# Minute by minute, and around every kind of change that clocks make.

CHANGES = (
    ("Europe/London", date(2026, 3, 29)),  # 1:00 to 2:00 does not exist
    ("Europe/London", date(2026, 10, 25)),  # 1:00 to 2:00 comes twice
    ("America/Sao_Paulo", date(2018, 11, 4)),  # the day begins at 1:00
    ("America/Sao_Paulo", date(2018, 2, 17)),  # 23:00 to 24:00 comes twice
    ("America/Havana", date(2026, 11, 1)),  # 0:00 to 1:00 comes twice
    ("Australia/Lord_Howe", date(2026, 4, 5)),  # half an hour
    ("Pacific/Apia", date(2011, 12, 30)),  # the whole day does not exist
)


def spans(times: list[int]) -> tuple[Span, ...]:
    return tuple(Span(a, b) for a, b in list(pairwise(sorted(times)))[::2])


DAYS_OF_SPANS = st.lists(
    st.sampled_from(
        (0, 1, 30, 60, 61, 75, 90, 119, 120, 150, 180, 540, 720, 1380, 1410, 1439, 1440)
    ),
    max_size=6,
    unique=True,
).map(spans)


def open_minutes(calendar: Calendar, days: list[date]) -> list[bool]:
    """For each minute of the days (of UTC), by a rule of its own: a span goes from the first
    minute whose wall time is at or past its start to the first at or past its end."""
    zone = ZoneInfo(calendar.zone)
    begin = datetime(days[0].year, days[0].month, days[0].day, tzinfo=UTC)
    walls = [
        (begin + timedelta(minutes=n)).astimezone(zone).replace(tzinfo=None)
        for n in range(1440 * len(days))
    ]

    def first(day: date, minute: int) -> int:
        wanted = datetime.combine(day, time()) + timedelta(minutes=minute)
        return next((n for n, wall in enumerate(walls) if wall >= wanted), len(walls))

    found = [False] * len(walls)
    for day in (days[0] - timedelta(days=1), *days, days[-1] + timedelta(days=1)):
        for span in calendar.spans_of(day):
            for n in range(first(day, span.start), first(day, span.end)):
                found[n] = True
    return found


@pytest.mark.parametrize(("zone", "day"), CHANGES)
@settings(max_examples=12, deadline=None)
@given(
    week=st.lists(DAYS_OF_SPANS, min_size=7, max_size=7),
    looks=st.lists(st.integers(1440, 3 * 1440), min_size=2, max_size=8).map(sorted),
)
def test_it_agrees_with_counting_each_minute(zone, day, week, looks):
    calendar = Calendar("any", zone=zone, week=tuple(week))
    days = [day + timedelta(days=n) for n in range(-2, 3)]
    minutes = open_minutes(calendar, days)
    begin = at(days[0].year, days[0].month, days[0].day)
    for look, later in pairwise(looks):
        moment = begin + look * MINUTE
        assert calendar.is_open(moment) is minutes[look]
        opened = sum(minutes[look:later])
        assert calendar.minutes_between(moment, begin + later * MINUTE) == opened
        opening = next((n for n in range(look, len(minutes)) if minutes[n]), None)
        if opening is not None:
            assert calendar.next_opening(moment) == begin + opening * MINUTE
        closing = next((n for n in range(look, len(minutes)) if not minutes[n]), None)
        if minutes[look] and closing is not None:
            assert calendar.closes_at(moment) == begin + closing * MINUTE
        if opened:
            last = max(n for n in range(look, later) if minutes[n])
            assert calendar.after(moment, opened) == begin + (last + 1) * MINUTE

"""Opening hours: breaks, holidays, nights, and clocks that are changed twice a year."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
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


def test_spans_that_touch_over_midnight_are_one():
    assert NIGHT.closes_at(at(2026, 3, 2, 23, 0)) == at(2026, 3, 3, 6, 0)
    assert DESK.closes_at(at(2026, 3, 2, 9, 0)) == at(2026, 3, 2, 12, 0)
    assert DESK.closes_at(at(2026, 3, 2, 12, 0)) is None
    assert ALWAYS.closes_at(at(2026, 3, 2)) is None


def test_working_minutes_lie_in_working_hours():
    assert DESK.after(at(2026, 3, 2, 11, 30), 60) == at(2026, 3, 2, 13, 30)
    assert DESK.after(at(2026, 3, 2, 16, 30), 60) == at(2026, 3, 3, 9, 30)
    assert DESK.after(at(2026, 3, 8, 3, 0), 10) == at(2026, 3, 9, 9, 10)
    assert DESK.minutes_between(at(2026, 3, 2, 11, 0), at(2026, 3, 2, 14, 0)) == 120
    assert DESK.minutes_between(at(2026, 3, 2, 14, 0), at(2026, 3, 2, 11, 0)) == 0
    assert NEVER.after(at(2026, 3, 2), 1) == at(2026, 3, 2) + 400 * 1440 * MINUTE


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

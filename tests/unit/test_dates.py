"""Days in what customers write, on a Wednesday: 18 March 2026."""

from __future__ import annotations

from datetime import date

import pytest

from bot.engine.dates import find_dates
from bot.engine.dates_feasts import easter

TODAY = date(2026, 3, 18)

DAYS = [
    # the same day, whatever is said around it
    ("it came yesterday", "yesterday", "2026-03-17"),
    ("it came the day before yesterday", "the day before yesterday", "2026-03-16"),
    ("will it come the day after tomorrow", "the day after tomorrow", "2026-03-20"),
    ("deliver tomorrow morning please", "tomorrow morning", "2026-03-19"),
    ("can it come tmrw", "tmrw", "2026-03-19"),
    ("I opened it this morning", "this morning", "2026-03-18"),
    ("my order from last night", "from last night", "2026-03-17"),
    ("ordered 2026-03-04", "2026-03-04", "2026-03-04"),
    ("ordered 2026-03-04T10:00", "2026-03-04", "2026-03-04"),
    ("order of 03/04/2026", "03/04/2026", "2026-04-03"),
    ("order of 3.4.26 please", "3.4.26", "2026-04-03"),
    ("order of 5-12-2025", "5-12-2025", "2025-12-05"),
    ("order of 5/13/2026", "5/13/2026", "2026-05-13"),
    ("ordered on 14/02", "on 14/02", "2026-02-14"),
    ("arrived 3 March", "3 March", "2026-03-03"),
    ("arrived 3rd of March", "3rd of March", "2026-03-03"),
    ("bought on the 12th April 2025", "on the 12th April 2025", "2025-04-12"),
    ("it came on March 3rd", "on March 3rd", "2026-03-03"),
    ("delivery on May 5, 2026", "on May 5, 2026", "2026-05-05"),
    ("we get married May the fourth", "May the fourth", "2026-05-04"),
    ("we leave on the twenty-first of June", "on the twenty-first of June", "2026-06-21"),
    ("I bought it on 12 Dec", "on 12 Dec", "2025-12-12"),
    ("I need it by 12 Dec", "by 12 Dec", "2026-12-12"),
    ("I'm at home on Wednesday 25th March", "on Wednesday 25th March", "2026-03-25"),
    ("bought 12 febuary", "12 febuary", "2026-02-12"),
    # a day of the month: the tense decides
    ("my return was posted on the 3rd", "on the 3rd", "2026-03-03"),
    ("I need it on the 3rd", "on the 3rd", "2026-04-03"),
    ("I sent it on the 20th", "on the 20th", "2026-02-20"),
    ("ordered on the 2nd of last month", "on the 2nd of last month", "2026-02-02"),
    ("I ordered on the first of the month", "on the first of the month", "2026-03-01"),
    ("it was due by the 31st", "by the 31st", "2026-01-31"),
    # days of the week
    ("I ordered it last Tuesday", "last Tuesday", "2026-03-17"),
    ("I ordered it last Wednesday", "last Wednesday", "2026-03-11"),
    ("can you deliver next Monday", "next Monday", "2026-03-23"),
    ("can you deliver next Wednesday", "next Wednesday", "2026-03-25"),
    ("waiting since Friday", "since Friday", "2026-03-13"),
    ("tracking says out for delivery since tuesday", "since tuesday", "2026-03-17"),
    ("it arrived on tuseday", "on tuseday", "2026-03-17"),
    ("it came on wendesday", "on wendesday", "2026-03-18"),
    ("it came on Thurs", "on Thurs", "2026-03-12"),
    ("will it arrive on Tuesday", "on Tuesday", "2026-03-24"),
    ("it was supposed to arrive on Tuesday", "on Tuesday", "2026-03-17"),
    ("should have arrived on Friday", "on Friday", "2026-03-13"),
    ("it should be delivered on Friday", "on Friday", "2026-03-20"),
    ("I need the tent I ordered on Monday", "on Monday", "2026-03-16"),
    ("I was told Thursday", "Thursday", "2026-03-12"),
    ("by friday please", "by friday", "2026-03-20"),
    ("delivered sat morning", "sat morning", "2026-03-14"),
    ("can it come on sun?", "on sun", "2026-03-22"),
    ("wednesday week is fine", "wednesday week", "2026-04-01"),
    ("a week on Friday", "a week on Friday", "2026-03-27"),
    ("I rang you. It will come on Monday", "on Monday", "2026-03-23"),
    # so long ago, so far ahead
    ("it broke two weeks ago", "two weeks ago", "2026-03-04"),
    ("a couple of weeks ago", "a couple of weeks ago", "2026-03-04"),
    ("I sent it 10 days ago", "10 days ago", "2026-03-08"),
    ("bought it a month ago", "a month ago", "2026-02-18"),
    ("bought it two years ago", "two years ago", "2024-03-18"),
    ("half a year ago", "half a year ago", "2025-09-18"),
    ("a fortnight ago", "a fortnight ago", "2026-03-04"),
    ("5 working days ago", "5 working days ago", "2026-03-11"),
    ("we leave in three days", "in three days", "2026-03-21"),
    ("we leave in a fortnight", "in a fortnight", "2026-04-01"),
    ("in two weeks' time", "in two weeks' time", "2026-04-01"),
    ("three days from now", "three days from now", "2026-03-21"),
    # feasts
    ("I need it by Christmas Eve", "by Christmas Eve", "2026-12-24"),
    ("I got it for xmas", "for xmas", "2025-12-25"),
    ("are you open on Boxing Day", "on Boxing Day", "2026-12-26"),
    ("are you open on Easter Monday", "on Easter Monday", "2026-04-06"),
    ("will there be offers on Black Friday", "on Black Friday", "2026-11-27"),
    ("I bought it on black friday", "on black friday", "2025-11-28"),
    ("are you open on New Year's Day", "on New Year's Day", "2027-01-01"),
]

SPANS = [
    ("I rang you last week", "2026-03-09", "2026-03-15"),
    ("can you deliver next week", "2026-03-23", "2026-03-29"),
    ("I bought it last month", "2026-02-01", "2026-02-28"),
    ("it was bought last year", "2025-01-01", "2025-12-31"),
    ("bought in May", "2025-05-01", "2025-05-31"),
    ("we go to Iceland in May", "2026-05-01", "2026-05-31"),
    ("since February it leaks", "2026-02-01", "2026-02-28"),
    ("bought in October 2024", "2024-10-01", "2024-10-31"),
    ("bought in 2024", "2024-01-01", "2024-12-31"),
    ("this weekend I am away", "2026-03-21", "2026-03-22"),
    ("over the weekend nothing came", "2026-03-14", "2026-03-15"),
    ("we are away from 3 to 5 April", "2026-04-03", "2026-04-05"),
    ("I bought it in early September", "2025-09-01", "2025-09-10"),
]

NONE = [
    "may I return this", "you may keep it", "size 5 may be too small", "they march up the hill",
    "I lost my sun hat", "on sun hats", "I sat down", "the sat nav", "size 42",
    "where is my second parcel", "the third time I write", "3 items were missing", "on the 3rd floor",
    "open 24/7 and 10/10 for you", "4/5 stars", "a weekend rucksack", "two man tent",
    "the Christmas jumper", "an Easter egg", "the 31st of June", "I waited for two weeks",
    "NP-123456", "call 07700 900123", "it weighs 1.2.3", "version 3.14", "money for my holiday",
    "every now and then", "the zip broke in three days", "do you open on Fridays", "we wed", "£20",
    "a day hike", "a 3 season tent", "my mum August", "",
]  # fmt: skip


@pytest.mark.parametrize(("text", "words", "day"), DAYS)
def test_a_day(text: str, words: str, day: str):
    (found,) = find_dates(text, TODAY)
    assert (text[found.start : found.end], found.value) == (words, day)


@pytest.mark.parametrize(("text", "first", "last"), SPANS)
def test_a_span(text: str, first: str, last: str):
    (found,) = find_dates(text, TODAY)
    assert (found.extra["start"], found.extra["end"], found.value) == (first, last, first)


@pytest.mark.parametrize("text", NONE)
def test_no_day(text: str):
    assert find_dates(text, TODAY) == []


def test_what_goes_with_it():
    since, when = find_dates("Waiting since Friday, I need it by tomorrow morning!", TODAY)
    assert since.extra == {"relation": "since", "direction": "past"}
    assert when.extra == {"relation": "by", "part": "morning", "direction": "future"}
    (rough,) = find_dates("a few days ago", TODAY)
    assert rough.extra["approximate"] and rough.extra["direction"] == "past"


def test_the_american_order():
    (found,) = find_dates("on 03/04/2026", TODAY, day_first=False)
    assert found.value == "2026-03-04"


def test_odd_days_end_in_no_error():
    assert find_dates("on the 29th", date(2026, 3, 1))[0].value == "2026-03-29"
    assert find_dates("born 29 February", TODAY)[0].value in ("2024-02-29", "2028-02-29")
    assert find_dates("9999 years ago, in 300 months, 99/99/2026", TODAY) is not None
    assert find_dates("3rd\u200bMarch שלום 3 March", TODAY)[-1].value == "2026-03-03"
    long = "on the 3rd of march and " * 300
    assert len(find_dates(long, TODAY)) == 300


@pytest.mark.parametrize(
    ("year", "day"), [(2024, "2024-03-31"), (2025, "2025-04-20"), (2026, "2026-04-05")]
)
def test_easter(year: int, day: str):
    assert easter(year).isoformat() == day

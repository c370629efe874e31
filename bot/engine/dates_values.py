"""Which day a phrase means, given the day on which it was written and the tense around it."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Callable, Dict, Optional, Text, Tuple

from bot.engine.dates_feasts import feast_in
from bot.engine.dates_patterns import DAYS, MONTHS, NUMBERS, ORDINALS

Value = Optional[Tuple[Text, Dict[Text, Any]]]  # ISO day and what more is known


@dataclass(frozen=True)
class Meaning:
    """What a phrase is read against: the day of writing, the tense ("past", "future", "")."""

    today: date
    tense: Text
    day_first: bool


def value(kind: Text, match: Any, meaning: Meaning) -> Value:
    """The day of a phrase that a pattern of this kind found; None: it is no day after all."""
    groups = {name: text for name, text in match.groupdict().items() if text}
    try:
        understood = _READERS[kind](groups, meaning)
    except (ValueError, OverflowError):  # the 31st of June, the year 0
        return None
    if understood is None:
        return None
    iso, extra = understood
    relation = groups.get("relation")
    if relation in ("since", "until", "till", "by", "before", "after", "from"):
        extra["relation"] = "until" if relation == "till" else relation
    if "part" in groups:
        extra["part"] = groups["part"]
    extra.setdefault("direction", _direction(date.fromisoformat(iso), extra, meaning.today))
    return iso, extra


def _direction(day: date, extra: Dict[Text, Any], today: date) -> Text:
    last = date.fromisoformat(extra.get("end", day.isoformat()))
    return "past" if last < today else "future" if day > today else "present"


def _one(day: date, **extra: Any) -> Value:
    return day.isoformat(), extra


def _span(first: date, last: date, **extra: Any) -> Value:
    return first.isoformat(), {"start": first.isoformat(), "end": last.isoformat(), **extra}


def _year(written: Text) -> int:
    return int(written) if len(written) == 4 else 2000 + int(written)


def _number(written: Text) -> int:
    """ "3rd", "third", "12" to a number."""
    return ORDINALS.get(written) or int(re.match(r"\d+", written).group())


def _month(written: Text) -> int:
    return next(at for at, name in enumerate(MONTHS, 1) if name.startswith(written[:3]))


def _weekday(written: Text) -> int:
    return next(at for at, name in enumerate(DAYS) if name.startswith(written[:3]))


def _last_of(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def _months_on(day: date, months: int) -> date:
    """The same day so many months on, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year, month + 1, min(day.day, _last_of(year, month + 1).day))


def _nearest_year(month: int, day: int, meaning: Meaning) -> date:
    """The day in the year that the tense asks for; without one, whichever is nearer."""
    found = []
    for year in range(meaning.today.year - 4, meaning.today.year + 5):  # 29 February
        try:
            found.append(date(year, month, day))
        except ValueError:
            continue
    if not found:
        raise ValueError("no such day")
    return _by_tense(found, meaning)


def _by_tense(days: Any, meaning: Meaning) -> date:
    past = [day for day in days if day <= meaning.today]
    future = [day for day in days if day >= meaning.today]
    if meaning.tense == "past" and past:
        return max(past)
    if meaning.tense == "future" and future:
        return min(future)
    return min(days, key=lambda day: (abs((day - meaning.today).days), day))


def _iso(groups: Dict[Text, Text], meaning: Meaning) -> Value:
    return _one(date(int(groups["year"]), int(groups["month"]), int(groups["day"])))


def _numeric(groups: Dict[Text, Text], meaning: Meaning) -> Value:
    first, second = int(groups["one"]), int(groups["two"])
    day, month = (first, second) if meaning.day_first else (second, first)
    if month > 12 >= day:
        day, month = month, day  # only one way round is a day at all
    if "year" in groups:
        return _one(date(_year(groups["year"]), month, day))
    return _one(_nearest_year(month, day, meaning))


def _day(groups: Dict[Text, Text], meaning: Meaning) -> Value:
    day, month = _number(groups["day"]), _month(groups["month"])
    if "year" in groups:
        return _one(date(_year(groups["year"]), month, day))
    return _one(_nearest_year(month, day, meaning))


def _days(groups: Dict[Text, Text], meaning: Meaning) -> Value:
    month = _month(groups["month"])
    if "year" in groups:
        first = date(_year(groups["year"]), month, int(groups["one"]))
    else:
        first = _nearest_year(month, int(groups["one"]), meaning)
    return _span(first, first.replace(day=int(groups["two"])))


def _of_month(groups: Dict[Text, Text], meaning: Meaning) -> Value:
    if groups["which"] == "the":
        return _day_of_month(groups, meaning)
    shift = {"last": -1, "this": 0, "next": 1}[groups["which"]]
    there = _months_on(meaning.today.replace(day=1), shift)
    return _one(there.replace(day=_number(groups["day"])))


def _day_of_month(groups: Dict[Text, Text], meaning: Meaning) -> Value:
    wanted, here = _number(groups["day"]), meaning.today.replace(day=1)
    days = []
    for shift in range(-3, 4):
        there = _months_on(here, shift)
        if 1 <= wanted <= _last_of(there.year, there.month).day:
            days.append(there.replace(day=wanted))
    if not days:
        return None
    return _one(_by_tense(days, meaning))


def _weekday_value(groups: Dict[Text, Text], meaning: Meaning) -> Value:
    """ "last" and "next" are strictly before and after today; "this" is of this week."""
    if groups["day"] in ("sat", "sun", "wed") and not {"which", "relation", "part"} & set(groups):
        return None  # "we wed"
    ahead = (_weekday(groups["day"]) - meaning.today.weekday()) % 7
    which = groups.get("which", "").strip()
    today = meaning.today
    if which in ("last", "past", "this past"):
        return _one(today + timedelta(days=ahead - 7))
    if which in ("next", "coming", "this coming"):
        return _one(today + timedelta(days=ahead or 7))
    if groups.get("relation") == "since":
        return _one(today + timedelta(days=ahead - 7))
    future = meaning.tense == "future" or (which == "this" and meaning.tense != "past")
    if groups.get("relation") in ("until", "till", "by") and meaning.tense != "past":
        future = True
    # Who writes to a shop tells what has happened, unless the words say otherwise.
    return _one(today + timedelta(days=ahead if future or not ahead else ahead - 7))


def _week_on(groups: Dict[Text, Text], meaning: Meaning) -> Value:
    ahead = (_weekday(groups["day"]) - meaning.today.weekday()) % 7
    return _one(meaning.today + timedelta(days=(ahead or 7) + 7))


def _count(written: Text) -> int:
    written = re.sub(r"^(?:an? )(?=couple|few)|^another ", "", written)
    return int(written) if written.isdigit() else NUMBERS.get(written, 0)


def _moved(today: date, count: int, unit: Text, sign: int) -> date:
    if unit.startswith(("month", "mth")):
        return _months_on(today, sign * count)
    if unit.startswith(("year", "yr")):
        return _months_on(today, sign * count * 12)
    if unit.startswith("working"):
        day = today
        while count:
            day += timedelta(days=sign)
            count -= day.weekday() < 5
        return day
    days = {"d": 1, "n": 1, "w": 7, "f": 14}[unit[0]]
    return today + timedelta(days=sign * count * days)


def _relative(sign: int) -> Callable[[Dict[Text, Text], Meaning], Value]:
    def read(groups: Dict[Text, Text], meaning: Meaning) -> Value:
        written, unit = groups["count"], groups["unit"]
        if sign > 0 and (unit.startswith(("year", "yr")) or meaning.tense == "past"):
            return None  # "the zip broke in three days": how long it took
        rough = {"approximate": True} if re.search("couple|few|several|half", written) else {}
        if written.startswith("half"):
            if unit.startswith("year"):
                return _one(_months_on(meaning.today, sign * 6), **rough)
            return None
        count = _count(written)
        if not count:
            return None
        return _one(_moved(meaning.today, count, unit, sign), **rough)

    return read


def _fixed(groups: Dict[Text, Text], meaning: Meaning) -> Value:
    word = groups["word"].replace("the ", "")
    shift = {"yesterday": -1, "last night": -1, "tomorrow": 1, "day before yesterday": -2,
             "day after tomorrow": 2}.get(word, 0)  # fmt: skip
    part = {"last night": "night", "tonight": "night"}.get(word)
    return _one(meaning.today + timedelta(days=shift), **({"part": part} if part else {}))


def _weekend(groups: Dict[Text, Text], meaning: Meaning) -> Value:
    which = groups.get("which", "").strip()
    if not which and "relation" not in groups:
        return None  # "a weekend rucksack"
    saturday = meaning.today + timedelta(days=5 - meaning.today.weekday())
    back = which == "last" or (which not in ("this", "next", "coming", "this coming")
                               and meaning.tense == "past")  # fmt: skip
    if back:
        saturday -= timedelta(days=7)
    elif which == "next" and meaning.today.weekday() >= 5:
        saturday += timedelta(days=7)
    return _span(saturday, saturday + timedelta(days=1))


def _period(groups: Dict[Text, Text], meaning: Meaning) -> Value:
    shift = {"last": -1, "previous": -1, "next": 1, "the following": 1}.get(groups["which"], 0)
    today, unit = meaning.today, groups["unit"]
    if unit == "week":
        first = today - timedelta(days=today.weekday()) + timedelta(days=7 * shift)
        last = first + timedelta(days=6)
    elif unit == "month":
        first = _months_on(today.replace(day=1), shift)
        last = _last_of(first.year, first.month)
    else:
        first, last = date(today.year + shift, 1, 1), date(today.year + shift, 12, 31)
    return _part_of(first, last, groups.get("edge", ""))


def _part_of(first: date, last: date, edge: Text) -> Value:
    """The beginning, middle or end of a span, a third each."""
    third = timedelta(days=(last - first).days // 3)
    if re.search("early|earlier|beginning|start", edge):
        return _span(first, first + third, approximate=True)
    if re.search("late|end", edge):
        return _span(last - third, last, approximate=True)
    if "mid" in edge:
        return _span(first + third, last - third, approximate=True)
    return _span(first, last)


def _month_value(groups: Dict[Text, Text], meaning: Meaning) -> Value:
    month, today = _month(groups["month"]), meaning.today
    which = groups.get("which", "").strip()
    if "year" in groups:
        year = int(groups["year"])
    elif which == "last":
        year = today.year - (month >= today.month)
    elif which == "next":
        year = today.year + (month <= today.month)
    elif month == today.month or which == "this":
        year = today.year
    else:
        first_days = [date(today.year + shift, month, 1) for shift in (-1, 0, 1)]
        if groups.get("relation") == "since":
            meaning = Meaning(today, "past", meaning.day_first)
        year = _by_tense(first_days, meaning).year
    return _part_of(date(year, month, 1), _last_of(year, month), groups.get("edge", ""))


def _year_value(groups: Dict[Text, Text], meaning: Meaning) -> Value:
    year = int(groups["year"])
    return _span(date(year, 1, 1), date(year, 12, 31))


def _week_of(groups: Dict[Text, Text], meaning: Meaning) -> Value:
    first = date.fromisoformat(_day(groups, meaning)[0])
    return _span(first, first + timedelta(days=6))


def _feast(groups: Dict[Text, Text], meaning: Meaning) -> Value:
    name = re.sub(r"['.]", "", groups["feast"])
    if "year" in groups:
        return _one(feast_in(name, int(groups["year"])))
    days = [feast_in(name, meaning.today.year + shift) for shift in (-1, 0, 1, 2)]
    which = groups.get("this", "").strip()
    tense = {"last": "past", "next": "future"}.get(which, meaning.tense)
    if groups.get("relation") in ("by", "for", "until", "till", "before") and tense != "past":
        tense = "future"
    return _one(_by_tense(days, Meaning(meaning.today, tense, meaning.day_first)))


_READERS: Dict[Text, Callable[[Dict[Text, Text], Meaning], Value]] = {
    "iso": _iso, "numeric": _numeric, "day": _day, "days": _days, "of_month": _of_month,
    "day_of_month": _day_of_month, "weekday": _weekday_value, "week_on": _week_on,
    "ago": _relative(-1), "ahead": _relative(1), "fixed": _fixed, "weekend": _weekend,
    "period": _period, "week_of": _week_of, "month": _month_value, "year": _year_value,
    "feast": _feast,
}  # fmt: skip

"""On which day a feast falls: Christmas, Easter, Mother's Day as in Britain, Black Friday."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Text


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar, by the anonymous computation."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    f = (b - (b + 8) // 25 + 1) // 3
    g = (19 * a + b - d - f + 15) % 30
    h, i = divmod(c, 4)
    j = (32 + 2 * e + 2 * h - g - i) % 7
    k = (a + 11 * g + 22 * j) // 451
    month, day = divmod(g + j - 7 * k + 114, 31)
    return date(year, month, day + 1)


def _nth(year: int, month: int, *, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def feast_in(name: Text, year: int) -> date:
    """The day in that year of a feast as `dates_patterns.FEASTS` writes it, without apostrophes."""
    fixed = {"christmas eve": (12, 24), "christmas": (12, 25), "christmas day": (12, 25),
             "boxing day": (12, 26), "new years eve": (12, 31), "new years day": (1, 1),
             "new year": (1, 1), "halloween": (10, 31), "bonfire night": (11, 5),
             "guy fawkes": (11, 5), "valentines": (2, 14), "valentines day": (2, 14),
             "st patricks day": (3, 17)}  # fmt: skip
    if name in fixed:
        return date(year, *fixed[name])
    if name in ("black friday", "cyber monday"):
        thursday = _nth(year, 11, weekday=3, nth=4)
        return thursday + timedelta(days=1 if name == "black friday" else 4)
    if name == "fathers day":
        return _nth(year, 6, weekday=6, nth=3)
    shift = {"good friday": -2, "easter monday": 1, "mothers day": -21}.get(name, 0)
    return easter(year) + timedelta(days=shift)

"""What was true once: dates that have passed, and articles that nobody has looked at. Rules only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from knowledge_base.check.clock import MONTHS, dates
from knowledge_base.check.finding import Finding
from knowledge_base.check.library import Library
from knowledge_base.check.page import Page
from knowledge_base.check.prose import Sentence, sentences, shortened

OLD_MONTHS = 18
"""Months after which an article should be looked at again."""

_END = re.compile(
    r"(?:\b(?:until|till|by|before|through|to|up to|ends?(?: on)?|closes(?: on)?|deadline(?: is)?"
    r"|expires?(?: on)?|no later than|and)|[–—-])\s*(?:the\s+|midnight on\s+|end of\s+)?$",
    re.IGNORECASE,
)
_FUTURE = re.compile(
    r"\b(?:will|shall|we'll|going to|plans?|planned|expected|coming|soon|upcoming|deadline)\b",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?:since|founded|act|regulations?|directive|law|iso|en|version|edition|standard|copyright"
    r"|published|was|were|had|did|first|born)\b|©",
    re.IGNORECASE,
)
_YEAR = re.compile(
    r"(?P<before>\b(?:until|till|by|before|through|for|in|end of|during|spring|summer|autumn|fall"
    r"|winter|christmas|easter|season|black friday|sale|catalogue)\s+(?:the\s+)?)"
    r"(?P<year>20\d\d)\b(?![-/\d]|\.\d)",
    re.IGNORECASE,
)
_SEASON = re.compile(
    r"\b(?:until|till|end of|spring|summer|autumn|fall|winter|christmas|easter|season|black friday"
    r"|sale|catalogue)\b",
    re.IGNORECASE,
)


def stale_dates(page: Page, library: Library) -> Iterator[Finding]:
    """Dates that have passed where the text speaks of the future, and articles long not updated.

    "Until 31 March 2025" is wrong from one day to the next, and nobody is told.
    """
    for block in page.blocks:
        for sentence in sentences(block):
            said = stale(sentence.text, library.as_of)
            if said:
                yield _passed(page, sentence, said)
    updated = page.article.updated
    if updated and _months(updated, library.as_of) >= OLD_MONTHS:
        yield Finding(
            "stale-dates",
            "note",
            page.place(page.line_of_field("updated")),
            f"last updated on {updated.day} {_month(updated)} {updated.year}, more than "
            f"{OLD_MONTHS} months ago; read it again and set `updated`",
        )


def stale(sentence: str, as_of: date) -> str:
    """The date or year of a sentence that has passed though it is spoken of as to come; or ""."""
    days = list(dates(sentence))
    for day in days:
        last = day.last()
        if last is None or last >= as_of:
            continue
        ends = _END.search(sentence[: day.start])
        if (ends and ends[0].strip().lower() not in {"and", "–", "—", "-", "to"}) or (
            ends and any(other.end <= ends.start() for other in days)
        ):
            return day.text
        if _FUTURE.search(sentence) and not _PAST.search(sentence):
            return day.text
    for match in _YEAR.finditer(sentence):
        inside = any(day.start <= match.start("year") < day.end for day in days)
        if inside or int(match["year"]) >= as_of.year or _PAST.search(sentence):
            continue
        if _FUTURE.search(sentence) or _SEASON.search(match["before"]):
            return match["year"]
    return ""


def _passed(page: Page, sentence: Sentence, said: str) -> Finding:
    return Finding(
        "stale-dates",
        "warning",
        page.place(sentence.line),
        f"{said} has passed: “{shortened(sentence.text)}” Say what holds now",
    )


def _months(earlier: date, later: date) -> int:
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    return months - (later.day < earlier.day)


def _month(day: date) -> str:
    return next(name for name, number in MONTHS.items() if number == day.month).capitalize()

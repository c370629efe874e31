"""What an article states with a number in it, made ready to be compared. Rules only.

A `Statement` is a sentence, a list item or a table's cell that holds quantities; a `Fact` is one of
them with the words of its clause: "inspected within 3 working days" and "issued within 5 working
days" may share a sentence and are two matters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from knowledge_base.check.clock import Day, Hours, dates, hours
from knowledge_base.check.finding import Place
from knowledge_base.check.page import Page
from knowledge_base.check.prose import Block, sentences
from knowledge_base.check.quantities import Quantity, quantities
from knowledge_base.parse import Article
from knowledge_base.words import content_words

Value = Quantity | Hours | Day
Verdict = Literal["same", "differ", "counted differently", "incomparable"]

MASK = "…"
"""Stands for a quantity in a masked sentence."""

# A relative clause ("which takes up to ...") is about what stands before it, and stays with it.
_BORDER = re.compile(r"(?:[;:(]|,(?!\s(?:which|that|who|whose|where)\b))\s|\)|\s[–—-]\s")
# Between two quantities an "and" begins another clause; elsewhere it may join two nouns.
_AND = re.compile(r"\s(?:and|but|or|while|whereas|unless)\s")
_FEWEST = 2
"""Stems below which a clause, or a sentence, is too short to tell what its number is about."""

_POINTING = re.compile(r"(?:it|they|this|that|these|those|afterwards|then)\b", re.IGNORECASE)

_TIMES = {"day", "working day", "night", "month", "phone"}
FARTHEST = 5
"""Prices and counts farther apart than this factor are of two things ("£4", "free from £50")."""

_MONTH_DAYS = 30.4
_SLACK = 0.1
"""Part by which a span in months may differ from one in days: a month has no fixed length."""


@dataclass(frozen=True)
class Fact:
    """A quantity, the stems of the clause that it stands in, and those of the whole sentence."""

    value: Value
    stems: frozenset[str]
    sentence: frozenset[str]


@dataclass(frozen=True, eq=False)
class Statement:
    """A sentence with quantities. `masked` is the sentence without them; `about` are the stems of
    the title and headings above it."""

    article: Article
    place: Place
    heading: str
    text: str
    masked: str
    about: frozenset[str]
    facts: tuple[Fact, ...] = field(repr=False)


def statements(page: Page) -> Iterator[Statement]:
    """The statements of an article, in order."""
    title = page.article.title
    for block in page.blocks:
        if block.kind == "heading":
            continue
        heading = page.heading_at(block.line)
        name = heading.text if heading else ""
        about = frozenset(content_words(f"{title} {name} {block.label}"))
        for sentence in sentences(block):
            values = values_of(sentence.text)
            if values:
                facts = tuple(_fact(block, sentence.text, value, among=values) for value in values)
                masked = _masked(block, sentence.text, values)
                if _POINTING.match(sentence.text) or len(facts[0].sentence) <= _FEWEST:
                    # "It takes up to 5 days": what "it" is stands in the heading.
                    masked = f"{name or title}: {masked}"
                yield Statement(
                    page.article,
                    page.place(sentence.line),
                    name,
                    sentence.text,
                    masked,
                    about,
                    facts,
                )


def values_of(text: str) -> list[Value]:
    """Every quantity, date and time of a text; none overlaps another."""
    days, times = list(dates(text)), hours(text)
    taken = [(it.start, it.end) for it in (*days, *times)]
    others = [
        it for it in quantities(text) if not any(a < it.end and it.start < b for a, b in taken)
    ]
    return sorted([*days, *times, *others], key=lambda it: it.start)


def compare(a: Value, b: Value) -> Verdict:
    """Whether two quantities can both hold of the same matter."""
    if isinstance(a, Hours) and isinstance(b, Hours):
        return _compare_hours(a, b)
    if isinstance(a, Day) and isinstance(b, Day):
        return _compare_days(a, b)
    if isinstance(a, Quantity) and isinstance(b, Quantity):
        return _compare_quantities(a, b)
    return "incomparable"


def _compare_hours(a: Hours, b: Hours) -> Verdict:
    single = a.begin == a.until, b.begin == b.until
    if single[0] != single[1] or bool(a.days) != bool(b.days) or (a.days and not a.days & b.days):
        return "incomparable"
    return "same" if (a.begin, a.until) == (b.begin, b.until) else "differ"


def _compare_days(a: Day, b: Day) -> Verdict:
    if (a.day is None) != (b.day is None):
        return "incomparable"
    years = a.year == b.year or a.year is None or b.year is None
    return "same" if years and (a.month, a.day) == (b.month, b.day) else "differ"


def _compare_quantities(a: Quantity, b: Quantity) -> Verdict:
    if {a.role, b.role} == {"most", "least"}:
        return "incomparable"
    if a.unit == b.unit:
        if a.unit == "count" and not set(a.nouns) & set(b.nouns):
            return "incomparable"
        if _agree(a, b):
            return "same"
        far = a.unit not in _TIMES and max(a.high, b.high) > FARTHEST * min(a.high, b.high)
        return "incomparable" if far else "differ"
    units = {a.unit, b.unit}
    if units == {"day", "working day"}:
        calendar, working = (a, b) if a.unit == "day" else (b, a)
        return _compare_working(calendar, working)
    if units == {"day", "month"}:
        low, high = (
            (it.low, it.high) if it.unit == "day" else (it.low * _MONTH_DAYS, it.high * _MONTH_DAYS)
            for it in (a, b)
        )
        near = abs(low[0] - high[0]) <= _SLACK * low[0] and abs(low[1] - high[1]) <= _SLACK * low[1]
        return "same" if near else "differ"
    return "incomparable"


def _compare_working(calendar: Quantity, working: Quantity) -> Verdict:
    """Days beside working days: "8 days" and "5–8 working days" may be meant to be the same."""
    if calendar.high < 1:
        return "differ"  # hours against days
    low, high = working.low, working.high * 7 / 5 + 2
    apart = calendar.high < low or calendar.low > high
    return "differ" if apart else "counted differently"


def _agree(a: Quantity, b: Quantity) -> bool:
    """Equal, or one is a single value inside the other's range ("8 days", "5–8 days")."""
    near = 1e-10 * max(1.0, abs(a.high))
    if abs(a.low - b.low) <= near and abs(a.high - b.high) <= near:
        return True
    if (a.low == a.high) == (b.low == b.high):
        return False
    single, span = (a, b) if a.low == a.high else (b, a)
    return span.low - near <= single.low <= span.high + near


def _masked(block: Block, text: str, values: list[Value]) -> str:
    parts, at = [], 0
    for value in values:
        parts += [text[at : value.start], MASK]
        at = value.end
    masked = "".join([*parts, text[at:]])
    return f"{block.label} {masked}" if block.label else masked


def _fact(block: Block, text: str, value: Value, *, among: list[Value]) -> Fact:
    """The words around a quantity; other quantities are no words."""
    blank = text
    for other in among:
        blank = blank[: other.start] + " " * (other.end - other.start) + blank[other.end :]
    first, last = among[0].start, among[-1].end
    borders = [
        match
        for pattern in (_BORDER, _AND)
        for match in pattern.finditer(blank)
        if pattern is _BORDER or first < match.start() < last
    ]
    low = max((it.end() for it in borders if it.end() <= value.start), default=0)
    high = min((it.start() for it in borders if it.start() >= value.end), default=len(text))
    clause = frozenset(content_words(blank[low:high]))
    nouns = frozenset(value.nouns) if isinstance(value, Quantity) else frozenset()
    whole = frozenset(content_words(f"{block.label} {blank}")) | nouns
    # A cell is about its row; the words that announce a list are about the whole list.
    label = frozenset(content_words(block.label if block.kind == "cell" else ""))
    near = clause | label | nouns
    return Fact(value, near if len(near) >= _FEWEST else whole, whole)

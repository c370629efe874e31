"""Whether articles state what a rule of the bot's own says: "60 days", "€6.95". Rules only.

The bot decides by its rules and shows articles; a customer must not read one thing and be told
another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from knowledge_base.check.facts import Fact, Statement, statements
from knowledge_base.check.finding import Finding, Place, Severity
from knowledge_base.check.page import Page
from knowledge_base.check.quantities import Quantity, quantities
from knowledge_base.words import content_words

RULE = "orders"

_FAMILIES = {"day": "time", "working day": "time", "month": "time"}


@dataclass(frozen=True)
class Stated:
    """A rule, what it is ("5 working days"), the article that is to state it, and the rule's place.

    `words` are those by which an article speaks of it; they tell "your bank may take 5 working
    days" from "is issued within 5 working days". They need not be there.
    """

    rule: str
    text: str
    article: str
    path: str
    line: int
    words: str = ""


def unstated(rules: Iterable[Stated], pages: Mapping[str, Page]) -> Iterator[Finding]:
    """What differs between rules and articles. `pages` are all articles by id, those for staff,
    too."""
    for it in rules:
        page = pages.get(it.article)
        if page is None:
            close = get_close_matches(it.article, list(pages), n=1)
            perhaps = f"; did you mean `{close[0]}`?" if close else "."
            told = f"there is no article `{it.article}`, or it cannot be read{perhaps}"
            yield _finding(it, "error", f"{told} Name the one that states “{it.text}”")
        elif page.article.audience == "staff":
            told = f"`{it.article}` is for staff only, and customers are to read “{it.text}” there"
            yield _finding(it, "error", f"{told}; name an article for customers")
        else:
            yield from _compared(it, page)


def _compared(rule: Stated, page: Page) -> Iterator[Finding]:
    wanted = next(iter(quantities(rule.text)), None)
    if wanted is None or not wanted.high:
        return  # nothing to pay is no number in an article
    found = [
        (said, fact)
        for said in statements(page)
        for fact in said.facts
        if isinstance(fact.value, Quantity) and _family(fact.value) == _family(wanted)
    ]
    about = frozenset(content_words(rule.words))
    topical = [(said, fact) for said, fact in found if fact.stems & about]
    equal = [said for said, fact in found if _same(wanted, fact.value)]
    if not equal:
        yield _missing(rule, page, topical or found)
        return
    # The first sentence on the matter is what customers go by; a later one may be left from before.
    first = next((it for it in topical if _single(it[1].value, wanted.unit)), None)
    if first and not _same(wanted, first[1].value):
        if any(said is first[0] and _same(wanted, fact.value) for said, fact in found):
            return
        yield _finding(
            rule,
            "warning",
            f"it is {rule.text}; where `{rule.article}` first speaks of it, it says "
            f"“{first[1].value.text}”: “{_short(first[0].text)}”. Let both say the same",
            first[0].place,
        )


def _missing(rule: Stated, page: Page, found: list[tuple[Statement, Fact]]) -> Finding:
    """The article does not say it; what it says instead is the nearest of the same unit."""
    wanted = quantities(rule.text)[0]
    near = [it for it in found if it[1].value.unit == wanted.unit] or found
    if not near:
        told = f"`{rule.article}` does not state “{rule.text}”, nor anything like it"
        told += "; write it there, or name another article"
        return _finding(rule, "error", told, page.place(1))
    said, fact = near[0]
    told = f"`{rule.article}` does not state “{rule.text}”; it says “{fact.value.text}”"
    return _finding(
        rule,
        "error",
        f"{told}: “{_short(said.text)}”. Let both say the same, or name another article",
        said.place,
    )


def _same(a: Quantity, b: Quantity) -> bool:
    """The same single value in the same unit; a range ("5–8 working days") states none."""
    near = 1e-9 * max(1.0, a.high)
    return a.unit == b.unit and abs(a.low - b.low) <= near and abs(a.high - b.high) <= near


def _single(it: Quantity, unit: str) -> bool:
    return it.unit == unit and it.low == it.high


def _family(it: Quantity) -> str:
    return _FAMILIES.get(it.unit, it.unit)


def _short(text: str) -> str:
    text = text.rstrip(".")
    return text if len(text) <= 160 else f"{text[:159].rstrip()}…"


def _finding(rule: Stated, severity: Severity, message: str, see: Place | None = None) -> Finding:
    place = Place(rule.path, rule.line)
    return Finding(RULE, severity, place, f"{rule.rule}: {message}", see)

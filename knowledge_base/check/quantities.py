"""Quantities in a sentence, in units that can be compared: "two weeks" is 14 days. Rules only.

English words and signs. What is no quantity (a phone number, an order number, an address, the name
of a norm) is left out first, because its digits would be read as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge_base.words import STOP_WORDS, stem

_WORDS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
    )
} | {
    "fourteen": 14, "fifteen": 15, "twenty": 20, "twenty-one": 21, "twenty-four": 24,
    "twenty-eight": 28, "thirty": 30, "forty": 40, "forty-eight": 48, "fifty": 50, "sixty": 60,
    "ninety": 90, "hundred": 100,
}  # fmt: skip

_DIGITS = r"\d{1,3}(?:[,\u00a0\u202f’']\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?"
_NUMBER = rf"(?:{_DIGITS}|(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})\b)"
_TO = r"\s*(?:–|—|-|−|to|or|and|bis)\s*"
_RANGE = rf"(?<![\w.,:/])(?P<low>{_NUMBER})(?:{_TO}(?P<high>{_NUMBER}))?"

# Factor and unit. Months are not days: "2 months" and "60 days" are compared with some slack.
_SPANS = {
    "second": (1 / 86400, "day"), "sec": (1 / 86400, "day"),
    "minute": (1 / 1440, "day"), "min": (1 / 1440, "day"),
    "hour": (1 / 24, "day"), "hr": (1 / 24, "day"),
    "day": (1, "day"), "night": (1, "night"), "week": (7, "day"), "fortnight": (14, "day"),
    "month": (1, "month"), "year": (12, "month"), "yr": (12, "month"),
}  # fmt: skip
_WORKING = r"(?:working|business|week|office|banking)"
_SPAN = re.compile(
    rf"{_RANGE}[\s-]*(?P<more>more\s+|full\s+|calendar\s+|consecutive\s+|whole\s+)*"
    rf"(?P<working>{_WORKING}[\s-]*)?"
    rf"(?P<unit>seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|nights?|weeks?|fortnights?|months?"
    rf"|years?|yrs?)\b(?!\s+(?:of\s+age|old))",
    re.IGNORECASE,
)
_ONE_SPAN = re.compile(
    rf"\b(?P<before>within|after|in|for|under|every|than|take|takes|last|lasts|valid|about)\s+"
    rf"(?P<half>half\s+)?(?:an?|one)\s+(?P<working>{_WORKING}\s+)?"
    rf"(?P<unit>second|minute|hour|day|week|fortnight|month|year)\b",
    re.IGNORECASE,
)

_CURRENCIES = {
    "£": "GBP", "gbp": "GBP", "pound": "GBP", "pounds": "GBP", "quid": "GBP",
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR",
    "$": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD",
    "¥": "JPY", "chf": "CHF", "nok": "NOK", "sek": "SEK", "dkk": "DKK", "pln": "PLN",
}  # fmt: skip
_SIGN = r"[£€$¥]|\b(?:GBP|EUR|USD|CHF|NOK|SEK|DKK|PLN)\b"
_AMOUNT = r"\d{1,3}(?:[.,\u00a0\u202f’']\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_MONEY = re.compile(
    rf"(?P<sign>{_SIGN})\s?(?P<low>{_AMOUNT})(?:\s*(?:–|—|-|to)\s*(?:{_SIGN})?\s?(?P<high>{_AMOUNT}))?"
    rf"|(?<![\w.,])(?P<low2>{_AMOUNT})(?:\s*(?:–|—|-|to)\s*(?P<high2>{_AMOUNT}))?"
    rf"[\s-]?(?P<word>[£€$]|GBP|EUR|USD|CHF|NOK|SEK|DKK|PLN|pounds?|euros?|dollars?)(?!\w)",
    re.IGNORECASE,
)
_PENCE = re.compile(r"(?<![\w.,])(?P<low>\d{1,3})(?:p|\s?pence|\s?cents?)\b")
_PERCENT = re.compile(rf"{_RANGE}\s?(?:%|per\s?cent\b|percent\b)", re.IGNORECASE)

_MEASURES = {
    "mm": (0.1, "cm"), "cm": (1, "cm"), "m": (100, "cm"), "metre": (100, "cm"),
    "meter": (100, "cm"), "km": (1e5, "cm"), "mile": (160934.4, "cm"), "inch": (2.54, "cm"),
    "g": (1, "g"), "gram": (1, "g"), "kg": (1000, "g"), "kilo": (1000, "g"), "lb": (453.6, "g"),
    "°c": (1, "°C"), "°f": (1, "°F"), "ml": (1, "ml"), "litre": (1000, "ml"),
    "liter": (1000, "ml"), "kb": (1, "KB"), "mb": (1000, "KB"), "gb": (1e6, "KB"),
}  # fmt: skip
_MEASURE = re.compile(
    rf"{_RANGE}[\s-]?(?P<unit>mm|cm|m|km|kg|g|lbs?|ml|[kmg]b|°\s?[cf]"
    rf"|(?:metre|meter|mile|inche?|gram|kilo|litre|liter)s?)(?![\w'’])",
    re.IGNORECASE,
)

# A count needs its noun, as written: "16-character code", "5 gift cards".
_COUNT = re.compile(
    rf"{_RANGE}(?P<hyphen>-|\s+(?:more\s+|different\s+)?)(?P<noun>[a-z]{{3,}}(?:\s+[a-z]{{3,}})?)"
)
_PHONE = re.compile(r"(?<![\w.,£€$])(?:\+|00|\(?0)\d[\d\s()/-]{6,}\d(?![\w%])")
_NO_QUANTITY = re.compile(
    r"https?://\S+|\bwww\.\S+|\S+@\S+"
    r"|\b[A-Z]{1,6}[-\u00a0]?\d[\w.-]*"  # NP-123456, A4, EN12277
    r"|\b(?:WCAG|ISO|EN|DIN|BS|RFC|HTTP|version|v|size|sizes|step|no\.|number|section|article|page)"
    r"\s\d[\w.:-]*"
    r"|#\d+|\b\d+[a-z]\d\w*|\b\d{1,2}/7\b",
    re.IGNORECASE,
)

_MOST = re.compile(
    r"(?:within|up\s+to|at\s+most|no\s+(?:more|longer|later)\s+than|not\s+more\s+than|less\s+than"
    r"|under|below|maximum(?:\s+of)?|max\.?)\s*$",
    re.IGNORECASE,
)
_LEAST = re.compile(
    r"(?:at\s+least|no\s+less\s+than|minimum(?:\s+of)?|min\.?|from|starting\s+at)\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Quantity:
    """A quantity: `low` and `high` are the same for a single value. `unit` is what it counts:
    "day", "working day", "night", "month", a currency ("GBP"), "%", a measure ("cm"), "phone", or
    "count". `nouns` are the stems of what a count is of. `role` tells a limit from a value."""

    unit: str
    low: float
    high: float
    text: str
    start: int
    end: int
    role: str = ""
    nouns: tuple[str, ...] = ()


def quantities(sentence: str) -> list[Quantity]:
    """The quantities of a sentence, in order; none overlaps another. For dates, times and opening
    hours see `clock.py`."""
    found: list[Quantity] = []
    taken = [match.span() for match in _NO_QUANTITY.finditer(sentence)]
    for reader in (_phones, _money, _percents, _spans, _measures, _counts):
        for quantity in reader(sentence):
            if not any(a < quantity.end and quantity.start < b for a, b in taken):
                found.append(quantity)
                taken.append((quantity.start, quantity.end))
    return sorted(found, key=lambda quantity: quantity.start)


def role(sentence: str, start: int) -> str:
    """What the words before a quantity make of it: "most", "least" or ""."""
    before = sentence[max(0, start - 24) : start]
    if _MOST.search(before):
        return "most"
    return "least" if _LEAST.search(before) else ""


def number(text: str) -> float:
    """A number as written: "1,000", "3,5", "twelve"."""
    word = text.lower()
    if word in _WORDS:
        return float(_WORDS[word])
    text = re.sub(r"[\u00a0\u202f’']", "", text)
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", text):
        return float(text.replace(",", ""))
    return float(text.replace(",", "."))


def _make(sentence: str, match: re.Match, unit: str, *, factor: float = 1, **more) -> Quantity:
    low = more.pop("low", None) or number(match["low"])
    high = more.pop("high", None) or (number(match["high"]) if match["high"] else low)
    return Quantity(
        unit,
        min(low, high) * factor,
        max(low, high) * factor,
        match[0].strip(),
        match.start(),
        match.end(),
        role(sentence, match.start()),
        **more,
    )


def _phones(sentence: str) -> Iterator[Quantity]:
    for match in _PHONE.finditer(sentence):
        digits = re.sub(r"\D", "", match[0].replace("(0)", ""))
        if 9 <= len(digits) <= 15:
            # With and without the country's code it is the same number.
            value = float(digits[-9:])
            yield Quantity("phone", value, value, match[0], match.start(), match.end())


def _money(sentence: str) -> Iterator[Quantity]:
    for match in _MONEY.finditer(sentence):
        sign = (match["sign"] or match["word"]).lower()
        low = _amount(match["low"] or match["low2"])
        high = match["high"] or match["high2"]
        high = _amount(high) if high else low
        yield Quantity(
            _CURRENCIES[sign],
            min(low, high),
            max(low, high),
            match[0],
            match.start(),
            match.end(),
            role(sentence, match.start()),
        )
    for match in _PENCE.finditer(sentence):
        value = float(match["low"]) / 100
        unit = "EUR" if "cent" in match[0] else "GBP"
        yield Quantity(unit, value, value, match[0], match.start(), match.end())


def _amount(text: str) -> float:
    """An amount of money: the last separator is the decimal one if two digits or fewer follow."""
    text = re.sub(r"[\u00a0\u202f’']", "", text)
    whole, mark, cents = re.fullmatch(r"(.*?)(?:([.,])(\d{1,2}))?", text).groups()
    return float(re.sub(r"[.,]", "", whole) + (f".{cents}" if mark else ""))


def _percents(sentence: str) -> Iterator[Quantity]:
    for match in _PERCENT.finditer(sentence):
        yield _make(sentence, match, "%")


def _spans(sentence: str) -> Iterator[Quantity]:
    for match in _SPAN.finditer(sentence):
        factor, unit = _SPANS[match["unit"].lower().rstrip("s")]
        if match["working"] and match["unit"].lower().startswith("day"):
            unit = "working day"
        yield _make(sentence, match, unit, factor=factor)
    for match in _ONE_SPAN.finditer(sentence):
        factor, unit = _SPANS[match["unit"].lower()]
        if match["working"] and match["unit"].lower() == "day":
            unit = "working day"
        value = factor * (0.5 if match["half"] else 1)
        start = match.end("before") + 1
        yield Quantity(
            unit,
            value,
            value,
            sentence[start : match.end()],
            start,
            match.end(),
            role(sentence, start),
        )


def _measures(sentence: str) -> Iterator[Quantity]:
    for match in _MEASURE.finditer(sentence):
        unit = match["unit"].lower().replace(" ", "")
        unit = {"inches": "inch", "lbs": "lb"}.get(unit, unit)
        unit = unit if unit in _MEASURES else unit.rstrip("s")
        factor, name = _MEASURES[unit]
        yield _make(sentence, match, name, factor=factor)


def _counts(sentence: str) -> Iterator[Quantity]:
    for match in _COUNT.finditer(sentence):
        low = match["low"]
        if low.lower() in {"zero", "one"} or re.fullmatch(r"(?:19|20)\d\d|.*\.\d+", low):
            continue  # "one of them", a year, a version
        nouns = tuple(stem(word) for word in match["noun"].split())
        if match["noun"].split()[0] in STOP_WORDS:
            continue  # "the first two of"
        yield _make(sentence, match, "count", nouns=nouns)

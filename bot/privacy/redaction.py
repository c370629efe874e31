"""Card numbers never reach a table, a log or the engine: they are masked in the first function that
sees a text.

A card number is 12 to 19 digits that begin as an issuer's numbers do and pass the Luhn check
(ISO/IEC 7812-1), written with or without spaces, dashes, dots or slashes between the digits. What
looks like one and is not (an order number, a phone number, a parcel number) stays.
"""

from __future__ import annotations

import re
import unicodedata

MASK = "[card number removed]"
SECURITY_CODE_MASK = "[security code removed]"

# Digits with at most two separators between neighbours; the zero-width ones are how numbers come
# out of a copied web page.
_SEPARATOR = r"[ \t\u00a0\u2000-\u200d\u202f\u2060\ufeff.\-_/\u2010-\u2015\u2212,|\n\r]{0,3}"
_RUN = re.compile(rf"\d(?:{_SEPARATOR}\d){{11,}}")
_CODE = re.compile(
    r"(?P<name>\b(?:cvv2?|cvc2?|cid|csc|security\s+(?:code|number)|card\s+verification\s+\w+)\b"
    r"\s*(?:is|was|:|=|-|code|number|no\.?)?\s*)(?P<code>\d{3,4})\b",
    re.IGNORECASE,
)

# Issuer identification ranges (first digits) with the lengths they are issued in.
_ISSUERS: tuple[tuple[re.Pattern[str], frozenset[int]], ...] = (
    (re.compile(r"4"), frozenset({13, 16, 19})),  # Visa
    (re.compile(r"1"), frozenset({15})),  # UATP
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), frozenset({16})),  # Mastercard
    (re.compile(r"3[47]"), frozenset({15})),  # American Express
    (re.compile(r"3(?:0[0-5]|095|[689])"), frozenset({14, 15, 16, 17, 18, 19})),  # Diners
    (re.compile(r"6011|64[4-9]|65|622"), frozenset({16, 17, 18, 19})),  # Discover
    (re.compile(r"35(?:2[89]|[3-8])"), frozenset({16, 17, 18, 19})),  # JCB
    (re.compile(r"62|81"), frozenset({16, 17, 18, 19})),  # UnionPay
    (re.compile(r"50|5[6-9]|6[0-9]"), frozenset(range(12, 20))),  # Maestro
    (re.compile(r"220[0-4]|9792"), frozenset({16})),  # Mir, Troy
)


def mask(text: str) -> str:
    """The text with card numbers and their security codes replaced by a note."""
    digits = _as_ascii_digits(text)
    masked = _mask_runs(text, digits)
    if MASK in masked or re.search(r"\bcard\b", masked, re.IGNORECASE):
        masked = _CODE.sub(lambda found: found["name"] + SECURITY_CODE_MASK, masked)
    return masked


def is_card_number(digits: str) -> bool:
    """Whether a string of ASCII digits is a number that a card issuer could have given out."""
    if not _issued(digits) or len(set(digits)) == 1:
        return False
    return luhn(digits)


def luhn(digits: str) -> bool:
    """The check of ISO/IEC 7812-1, annex B: doubled every second digit from the right."""
    total = 0
    for position, character in enumerate(reversed(digits)):
        value = int(character)
        if position % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def _issued(digits: str) -> bool:
    return any(start.match(digits) and len(digits) in lengths for start, lengths in _ISSUERS)


def _as_ascii_digits(text: str) -> str:
    """The text with every Unicode decimal digit as ASCII, character by character."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character
        for character in text
    )


def _mask_runs(text: str, digits: str) -> str:
    pieces: list[str] = []
    done = 0
    for run in _RUN.finditer(digits):
        for start, end in _cards_in(digits, run.start(), run.end()):
            pieces += [text[done:start], MASK]
            done = end
    return "".join([*pieces, text[done:]])


def _cards_in(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Spans of card numbers in a run; the longest from the leftmost digit first.

    A run may hold more than the card ("4242 4242 4242 4242 12/27"), so every digit that does not
    continue another unseparated number is tried as the first.
    """
    places = [index for index in range(start, end) if text[index].isdigit()]
    spans: list[tuple[int, int]] = []
    first = 0
    while first + 12 <= len(places):
        length = next(
            (
                size
                for size in range(min(19, len(places) - first), 11, -1)
                if _bounded(places, first, first + size)
                and is_card_number("".join(text[place] for place in places[first : first + size]))
            ),
            0,
        )
        if length:
            spans.append((places[first], places[first + length - 1] + 1))
            first += length
        else:
            first += 1
    return spans


def _bounded(places: list[int], first: int, last: int) -> bool:
    """Whether the digits stand alone: no digit touches them on either side."""
    left = first == 0 or places[first - 1] != places[first] - 1
    right = last == len(places) or places[last] != places[last - 1] + 1
    return left and right

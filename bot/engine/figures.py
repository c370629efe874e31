"""Order numbers, e-mail addresses, phone numbers and amounts as customers write them. No Rasa.

Each function yields (start, end, value, extra keys) with the value in one form: "NP-123456", an
address in lower case, "+" and digits, "49.95" with its currency in `additional_info`.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, Optional, Text, Tuple

HYPHENS = "\u2010\u2011\u2013-"  # people paste the typographic ones; "-" last, for [...]
Figure = Tuple[int, int, Text, Dict[Text, Any]]

# --- order numbers --------------------------------------------------------------------------------


def order_numbers(text: Text, prefix: Text, digits: int) -> Iterator[Figure]:
    """Those written with their letters: NP-123456, np 123 456, NP no. 123456, np#123456."""
    pattern = re.compile(
        rf"(?<![^\W_])({re.escape(prefix)})(?:\s*(?:no|nr|num|number)\b\.?)?[\s.:#/_{HYPHENS}]*"
        rf"(\d(?:[\s.{HYPHENS}]?\d){{{digits - 1}}})(?![\s.{HYPHENS}]?\d)(?![^\W\d_])",
        re.IGNORECASE,
    )
    for match in pattern.finditer(text):
        value = f"{prefix}-{re.sub(r'[^0-9]', '', match.group(2))}"
        yield match.start(1), match.end(2), value, {}


# --- e-mail addresses -----------------------------------------------------------------------------

_TOP = (
    "com|net|org|info|biz|eu|uk|ie|de|fr|es|it|nl|be|at|ch|se|no|dk|fi|pl|pt|us|ca|au|nz|io|me|"
    "co|scot|wales|cymru|edu|gov|ac|example|email|online|shop|app|dev"
)
_SPOKEN_EMAIL = re.compile(
    r"(?<![\w@])(?P<name>[a-z0-9][\w.+-]*(?:\s+(?:dot|underscore|dash|hyphen)\s+[a-z0-9]+)*)"
    r"(?P<at>\s*[(\[{]\s*at\s*[)\]}]\s*|\s+at\s+|\s+@\s*|@\s+|@)"
    r"(?P<host>[a-z0-9-]+(?:(?:\s*[(\[{]\s*dot\s*[)\]}]\s*|\s+dot\s+|\.)[a-z0-9-]+)*"
    rf"(?:\s*[(\[{{]\s*dot\s*[)\]}}]\s*|\s+dot\s+|\.)(?:{_TOP}))(?![\w@])",
    re.IGNORECASE,
)
# "I looked at northpeak dot com" names a shop and no address.
_NO_NAMES = {
    "look", "looked", "looking", "looks", "shop", "shopped", "shopping", "buy", "bought", "order",
    "ordered", "ordering", "see", "saw", "seen", "find", "found", "read", "it", "me", "is", "was",
    "i'm", "am", "are", "you", "us", "them", "him", "her", "here", "there", "log", "logged", "page",
    "account", "stuff", "things", "items", "price", "prices", "one", "email", "mail", "contact",
    "write", "reach", "message", "sale", "live", "working", "work", "worked", "arrive", "arrived",
    "back", "only", "directly", "online", "available", "registered",
}  # fmt: skip


def spoken_emails(text: Text) -> Iterator[Figure]:
    """Addresses with "at" and "dot" written out: jo at example dot com, jo (at) example.com."""
    for match in _SPOKEN_EMAIL.finditer(text):
        name, host = match.group("name"), match.group("host")
        bare = match.group("at").strip().lower() == "at"
        if bare and (name.lower() in _NO_NAMES or not _named(name, host)):
            continue
        yield match.start(), match.end(), f"{_joined(name)}@{_joined(host)}", {}


def _named(name: Text, host: Text) -> bool:
    """Whether "x at y" is an address: with "dot" written out too, or a name as only those have."""
    return bool(re.search(r"\bdot\b", host, re.IGNORECASE) or re.search(r"[\d._+-]", name))


def _joined(written: Text) -> Text:
    signs = {"dot": ".", "underscore": "_", "dash": "-", "hyphen": "-"}
    spelt = re.sub(
        r"\s*[(\[{]?\s*\b(dot|underscore|dash|hyphen)\b\s*[)\]}]?\s*",
        lambda match: signs[match.group(1).lower()],
        written,
        flags=re.IGNORECASE,
    )
    return re.sub(r"\s", "", spelt).lower().strip(".")


# --- amounts --------------------------------------------------------------------------------------

CURRENCIES = {
    "£": "GBP", "gbp": "GBP", "quid": "GBP", "pound": "GBP", "pounds": "GBP", "sterling": "GBP",
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR",
    "$": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD",
}  # fmt: skip
_ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
NUMBER_WORDS = {word: number for number, word in enumerate(_ONES)}
NUMBER_WORDS.update({word: 20 + 10 * at for at, word in enumerate(_TENS)})
_IN_WORDS = (
    rf"(?:(?:an?|one) hundred|(?:{'|'.join(_TENS)})(?:[\s-](?:{'|'.join(_ONES[1:10])}))?|"
    rf"{'|'.join(sorted(_ONES[1:], key=len, reverse=True))})"
)
_DIGITS = r"\d{1,3}(?:[,.' ]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_NAME = "gbp|eur|usd|quid|pounds?|euros?|dollars?"
_AMOUNT = re.compile(
    rf"(?<![\w.,])(?P<sign>£|€|\$|gbp|eur|usd)\s?(?P<signed>{_DIGITS})(?![\d%])(?!,\d)"
    rf"|(?<![\w.,/-])(?P<number>{_DIGITS})\s?(?P<unit>£|€|{_NAME})(?!\w)"
    r"(?:\s(?P<pence>\d\d)(?:p|\s?pence|\s?cents?)?(?!\w|[.,/-]\d))?"
    rf"|\b(?P<words>{_IN_WORDS})\s(?P<named>{_NAME})(?!\w)"
    rf"(?:\s(?P<change>{_IN_WORDS})(?:\s(?:p|pence|cents?))?(?!\w))?"
    r"|(?<![\w.,/-])(?P<pennies>\d{1,2})\s?(?:p|pence)(?!\w|\.\s?m)",
    re.IGNORECASE,
)
# Pounds that are a weight.
_WEIGHT = re.compile(r"\bweigh\w*(?:\s+\w+)?\s*$|\bload of\s*$", re.IGNORECASE)
_HEAVY = re.compile(r"\s*(?:in weight|heavy|heavier|lighter|of weight)\b", re.IGNORECASE)


def amounts(text: Text) -> Iterator[Figure]:
    """Money: £49.95, 49,95 €, 1.299,00 EUR, forty quid, twelve pounds fifty, 99p."""
    for match in _AMOUNT.finditer(text):
        group = match.groupdict()
        unit = (group["sign"] or group["unit"] or group["named"] or "").lower()
        if unit.startswith("pound") and (
            _WEIGHT.search(text[: match.start()]) or _HEAVY.match(text[match.end() :])
        ):
            continue
        if group["pennies"]:
            value, unit = int(group["pennies"]) / 100, "£"
        elif group["words"]:
            value = float(in_words(group["words"]))
            if group["change"]:
                value += in_words(group["change"]) / 100
        else:
            value = decimal(group["signed"] or group["number"])
            if group["pence"] and value == int(value):
                value += int(group["pence"]) / 100
        currency = {"currency": CURRENCIES[unit]}
        yield match.start(), match.end(), f"{value:.2f}", {"additional_info": currency}


def in_words(written: Text) -> int:
    """ "forty-two" to 42, "a hundred" to 100."""
    parts = re.split(r"[\s-]", written.lower())
    if parts[-1] == "hundred":
        return 100
    return sum(NUMBER_WORDS[part] for part in parts)


def decimal(written: Text) -> float:
    """ "1,299.50", "1.299,50", "49,95", "1 299": the last mark is a point when one or two digits
    follow it, and every other mark parts thousands."""
    whole, _, cents = re.match(r"^(.*?)(?:([.,])(\d{1,2}))?$", written).groups()
    return float(f"{re.sub(r'[^0-9]', '', whole)}.{cents or 0}")


# --- phone numbers --------------------------------------------------------------------------------

_PHONE = re.compile(rf"(?<![\w.{HYPHENS}])\+?\(?\+?\d[\d\s().{HYPHENS}]*\d(?![\w])")
_DATE = re.compile(r"\b\d{1,2}[-.]\d{1,2}[-.](19|20)\d\d\b|\b(19|20)\d\d-\d\d-\d\d\b")
_AMERICAN = re.compile(
    rf"(?:1[\s.{HYPHENS}]?)?(?:\([2-9]\d\d\)\s?|[2-9]\d\d[\s.{HYPHENS}])[2-9]\d\d[\s.{HYPHENS}]\d{{4}}"
)
_IRISH_MOBILE = re.compile(r"08[35679]\d{7}")
MIN_PHONE, MAX_PHONE = 9, 15  # digits; fifteen is E.164's most


def phones(text: Text, calling_code: Text) -> Iterator[Figure]:
    """British, Irish and American numbers, and any that begins with its calling code."""
    for match in _PHONE.finditer(text):
        value = phone(match.group(), calling_code)
        if value:
            yield match.start(), match.end(), value, {}


def phone(written: Text, calling_code: Text) -> Optional[Text]:
    """The number as "+" and digits, or None: no phone number, or one without its area."""
    plus = written.lstrip("(").startswith("+")
    if _DATE.search(written) or (not plus and card_like(written)):
        return None
    international = plus or written.startswith("00")
    if international:
        written = re.sub(r"\(0\)", "", written)  # +44 (0)20 ...
    digits = re.sub(r"\D", "", written)
    if not MIN_PHONE <= len(digits) <= MAX_PHONE:
        return None
    if international:
        return f"+{digits if plus else digits[2:]}"
    if _AMERICAN.fullmatch(written):
        return f"+{digits if digits.startswith('1') else '1' + digits}"
    if not digits.startswith("0"):
        return None
    if _IRISH_MOBILE.fullmatch(digits):
        return f"+353{digits[1:]}"
    return f"+{calling_code}{digits[1:]}"


def card_like(written: Text) -> bool:
    """Whether the digits could be a bank card's: 13 to 19, with the right check digit."""
    digits = [int(digit) for digit in re.sub(r"\D", "", written)]
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0

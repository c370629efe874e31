"""What a message says, read for the question that was asked before it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from bot.orders.policy import Policy

NUMBER_WORDS = {
    "zero": "0", "oh": "0", "o": "0", "nought": "0", "one": "1", "two": "2", "three": "3",
    "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip

POSTCODE = re.compile(r"\b([A-Z]{1,2}\d[A-Z\d]?)\s*(\d[A-Z]{2})\b", re.I)
CODE = re.compile(r"(?<![\d-])(\d{3})[\s-]?(\d{3})(?![\d-])")
# Pieces are bounded, and begin where a word does: a long message is read once, not once a letter.
_PIECE = r"[^\s<>()\[\],;:=\"@]"
EMAIL = re.compile(rf"(?<!{_PIECE}){_PIECE}{{1,64}}@{_PIECE}{{1,253}}\.[a-z]{{2,63}}", re.I)
_HYPHENS = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")

_YES = (
    r"yes|yep|yeah|yup|ya|aye|sure|ok|okay|fine|please do|do it|do that|go ahead|go for it|correct|"
    r"right|exactly|that'?s (?:right|correct|it|fine)|it is|sounds good|perfect|confirm(?:ed)?|i do|"
    r"please|y|of course|absolutely|definitely"
)
_NO = (
    r"no|nope|nah|not really|n|don'?t(?: do (?:it|that))?|do not|wrong|that'?s (?:wrong|not it)|"
    r"not (?:that|this|yet|quite|now)|leave it"
)
_POLITE = r"thanks?|thank you|please|then|now|sorry"
YES = re.compile(rf"(?:{_YES})(?: (?:{_YES}|{_POLITE}))*")
NO = re.compile(rf"(?:{_NO})(?: (?:{_NO}|{_POLITE}))*")
UNSURE = re.compile(r"\b(no idea|no clue|not sure|unsure|don'?t know|dunno|maybe|perhaps)\b")
RESERVED = re.compile(r"\b(but|except|only|wait|not|don'?t|no|before|unless|if|instead)\b")
"""After a yes: what makes it more, or less, than one."""

STOP = re.compile(
    r"\b(never ?mind|forget (it|about it)|abort|quit|changed my mind|don'?t bother|"
    r"no longer needed|scrap that)\b|"
    r"\b(leave it|drop it|cancel (this|that)( request)?|(^|please |no )stop( it| this| that)?)"
    r"( (please|now|then|thanks|thank you|for now|as it is|be))*$"
)
FEW_WORDS = 8  # of a message, to be an answer and no story
ALL = re.compile(
    r"\b(all( of (it|them))?|everything|the (whole|entire|full)( order| lot| thing)?|whole order|"
    r"both|each|complete order)\b",
    re.I,
)


@dataclass(frozen=True)
class Heard:
    """A message. ``code``, ``email``, ``postcode``: "" where there is none."""

    text: str
    intent: str
    confidence: float
    numbers: tuple[str, ...]
    code: str
    email: str
    postcode: str

    @property
    def plain(self) -> str:
        """The words in small letters, one space between them."""
        return " ".join(re.sub(r"[^\w']+", " ", _same_quotes(self.text)).split())

    @property
    def _opening(self) -> str:
        """The words up to the first comma or full stop."""
        words = re.match(r"[\w' ]+", _same_quotes(self.text[:200]).strip(" .,!¡*\"'“”"))
        return " ".join(words.group().split()) if words else ""

    @property
    def _few(self) -> bool:
        return len(self.plain.split()) <= FEW_WORDS

    @property
    def says_yes(self) -> bool:
        if self._few and YES.fullmatch(self.plain):
            return True
        rest = self.plain.removeprefix(self._opening)
        if self.text.rstrip().endswith("?") or UNSURE.search(self.plain) or RESERVED.search(rest):
            return False
        opens = bool(YES.fullmatch(self._opening)) and self._few
        return opens or (self.intent == "affirm" and not RESERVED.search(self.plain))

    @property
    def says_no(self) -> bool:
        if UNSURE.search(self.plain):
            return False
        if (self._few and NO.fullmatch(self.plain)) or NO.fullmatch(self._opening):
            return True
        return self.intent == "deny" and not YES.fullmatch(self._opening)

    @property
    def stops(self) -> bool:
        return not self.numbers and self._few and bool(STOP.search(self.plain))

    @property
    def bare(self) -> bool:
        """Whether there is hardly a word beside numbers, addresses and postcodes."""
        left = POSTCODE.sub(" ", EMAIL.sub(" ", self.text))
        return len(re.findall(r"[A-Za-z']{3,}", left)) < 2

    @property
    def says_all(self) -> bool:
        return bool(ALL.search(self.text))

    @property
    def asks(self) -> bool:
        """Whether it is a question rather than an answer."""
        opening = r"(what|how|when|where|why|who|which|can|could|do|does|is|are|will|would)\b"
        return self.text.rstrip().endswith("?") or bool(re.match(opening, self.plain))


def _same_quotes(text: str) -> str:
    return text.casefold().replace("’", "'").replace("‘", "'")


def heard(message: dict[str, Any], text: str, policy: Policy) -> Heard:
    """A message of the engine, read by the shop's rules.

    Args:
        message: the tracker's latest message: intent and entities.
        text: the words, which may be one clause of it.
    """
    entities = message.get("entities") or []
    found = [str(one["value"]) for one in entities if one.get("entity") == "order_number"]
    email = next((str(it["value"]) for it in entities if it.get("entity") == "email"), "")
    figures = plain_figures(text)
    spoken = EMAIL.search(text)
    postcode = POSTCODE.search(figures)
    code = CODE.search(figures)
    intent = message.get("intent") or {}
    return Heard(
        text=text,
        intent=str(intent.get("name") or ""),
        confidence=float(intent.get("confidence") or 0.0),
        numbers=tuple(dict.fromkeys([*found, *order_numbers(text, policy)])),
        code="".join(code.groups()) if code else "",
        email=email or (spoken.group().rstrip(".") if spoken else ""),
        postcode=" ".join(postcode.groups()).upper() if postcode else "",
    )


def plain_figures(text: str) -> str:
    """The text, of the same length, with the digits of all scripts as 0 to 9, and plain hyphens."""
    digits = (str(unicodedata.decimal(it)) if it.isdecimal() else it for it in text)
    return "".join(digits).translate(_HYPHENS)


def order_numbers(text: str, policy: Policy) -> list[str]:
    """Order numbers as people write them: "np 123 456", "#NP123456", "no. 123456", "one two three
    four five six". Digits that belong to something else are none: a card, a phone number, a date, an
    amount, another kind of reference."""
    text = plain_figures(text)
    letters = re.escape(policy.number_prefix.strip("-# "))
    digits = policy.number_digits
    spaced = r"[^\S\n]?[.\-]?[^\S\n]?".join([r"\d"] * digits)
    named = rf"{letters}\s{{0,3}}[-#:.]?\s{{0,3}}|#\s{{0,3}}" if letters else r"#\s{0,3}"
    pattern = re.compile(rf"(?<![\w+])({named})?({spaced})(?!\w)", re.I)
    found = [
        policy.number_prefix + re.sub(r"\D", "", match.group(2))
        for match in pattern.finditer(text)
        if _stands_alone(text, match)
    ]
    return list(dict.fromkeys(found or _spelled_out(text, policy)))


def _stands_alone(text: str, match: re.Match[str]) -> bool:
    """Whether the digits are an order number's, and not part of something else."""
    before, after = text[max(0, match.start() - 12) : match.start()], text[match.end() :][:12]
    groups = re.findall(r"\d+", match.group(2))
    if match.group(1):
        return len(groups) == 1 or not re.match(r"[^\S\n]?[.\-]?\d", after)
    if re.search(r"[\d+]\)?[^\S\n]{0,3}[\-./]?\Z", before) or re.match(r"[^\S\n]?[\-./]?\d", after):
        return False
    if re.search(r"[£€$][^\S\n]?\Z", before) or re.match(_CURRENCY, after, re.I):
        return False
    if re.search(r"\w-\Z", before) and not re.search(r"(?i)\b(order|number|no|nr)-$", before):
        return False  # another reference: "RT-123456"
    return len(groups) == 1 or _grouped(match.group(2), groups)


_CURRENCY = r"\s?([£€$]|(pounds?|euros?|dollars?|gbp|eur|usd)\b)"


def _grouped(written: str, groups: list[str]) -> bool:
    """Whether digits are grouped as people group a number: evenly, and not as a date or a bank's
    sort code, 12-11-26."""
    sizes = {len(it) for it in groups}
    if len(sizes) > 1 or "." in written:
        return False
    if sizes != {2}:
        return True
    looks_like_date = len(groups) == 3 and 1 <= int(groups[0]) <= 31 and 1 <= int(groups[1]) <= 12
    return "-" not in written and not looks_like_date


def _spelled_out(text: str, policy: Policy) -> list[str]:
    """Numbers in words, single digits among them."""
    found: list[str] = []
    run: list[str] = []
    for word in [*re.findall(r"[a-z]+|\d+|[£€$/:.]", text.casefold()), ""]:
        if word in NUMBER_WORDS or (word.isdigit() and len(word) == 1):
            run.append(word)
            continue
        if len(run) == policy.number_digits and not all(it.isdigit() for it in run):
            found.append(policy.number_prefix + "".join(NUMBER_WORDS.get(it, it) for it in run))
        run = []
    return found


def chosen(text: str, titles: list[str]) -> int | None:
    """Which of some choices a message names: by its number, its title, or words that only it has.
    None when it is none of them, or more than one."""
    said = " ".join(re.findall(r"\w+", text.casefold()))
    plain = [" ".join(re.findall(r"\w+", title.casefold())) for title in titles]
    if said in plain:
        return plain.index(said)
    number = re.fullmatch(r"(?:number |no |the )?(\d{1,2})", said)
    if number and 1 <= int(number.group(1)) <= len(titles):
        return int(number.group(1)) - 1
    ordinals = ("first", "second", "third", "fourth", "fifth")
    ordinal = re.fullmatch(rf"(?:the )?({'|'.join(ordinals)})(?: one)?", said)
    if ordinal and ordinals.index(ordinal.group(1)) < len(titles):
        return ordinals.index(ordinal.group(1))
    named = [at for at, title in enumerate(plain) if title and title in said]
    if len(named) == 1:
        return named[0]
    words = [{_stem(word) for word in title.split()} for title in plain]
    mine = {_stem(word) for word in said.split()} - _EMPTY
    scores = [
        sum(1 for word in mine & own if sum(word in other for other in words) == 1) for own in words
    ]
    best = max(scores, default=0)
    return scores.index(best) if best and scores.count(best) == 1 else None


def named_in(text: str, titles: list[str]) -> list[tuple[int, str]]:
    """The choices that a message names, one clause each, with the clauses."""
    found: dict[int, str] = {}
    for clause in re.split(r",| and |\+|&|;", text):
        one = chosen(clause, titles) if clause.strip() else None
        if one is not None:
            found.setdefault(one, clause)
    return list(found.items())


def by_place(text: str, titles: list[str]) -> list[int]:
    """The choices that a message names by nothing but their places: "2", "1 and 3", "the first"."""
    clauses = [it for it in re.split(r",| and |\+|&|;", text) if it.strip()]
    plain = [" ".join(re.findall(r"\w+", it.casefold())) for it in clauses]
    if not plain or not all(_PLACE.fullmatch(it) for it in plain):
        return []
    return several_chosen(text, titles)


def several_chosen(text: str, titles: list[str]) -> list[int]:
    """The choices that a message names, one clause each."""
    return [one for one, _ in named_in(text, titles)]


_PLACE = re.compile(
    r"(?:number |no |the )?(?:\d{1,2}|first|second|third|fourth|fifth)(?: one)?", re.I
)
_EMPTY = {"the", "a", "an", "my", "one", "it", "is", "of", "and", "please", "just", "only", "i",
          "t", "s", "doesn", "isn", "don", "didn"}  # fmt: skip


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word

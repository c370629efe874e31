"""What a message says, read for the question that was asked before it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bot.orders.policy import Policy

NUMBER_WORDS = {
    "zero": "0", "oh": "0", "o": "0", "nought": "0", "one": "1", "two": "2", "three": "3",
    "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip

POSTCODE = re.compile(r"\b([A-Z]{1,2}\d[A-Z\d]?)\s*(\d[A-Z]{2})\b", re.I)
CODE = re.compile(r"(?<![\d-])(\d{3})[\s-]?(\d{3})(?![\d-])")
# Bounded, and without another "@" inside: what people can write must not keep us busy.
EMAIL = re.compile(r"[^\s<>()\[\],;:\"@]{1,64}@[^\s<>()\[\],;:\"@]{1,190}\.[a-z]{2,24}", re.I)

YES = re.compile(
    r"(yes|yep|yeah|yup|ya|aye|sure|ok|okay|fine|please do|do it|go ahead|go for it|correct|"
    r"right|exactly|that'?s (right|correct|it|fine)|sounds good|perfect|confirm(ed)?|i do|please|"
    r"y|of course|absolutely|definitely)",
    re.I,
)
NO = re.compile(
    r"(no|nope|nah|not really|n|no thanks?|no thank you|don'?t|do not|wrong|that'?s (wrong|not it)|"
    r"not (that|this|yet|quite))",
    re.I,
)
STOP = re.compile(
    r"\b(never ?mind|forget (it|about it)|leave it|cancel (this|that)( request)?|stop( it| this)?|"
    r"drop it|changed my mind|don'?t bother|no longer needed|scrap that|abort|quit)\b",
    re.I,
)
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
        return re.sub(r"[^\w' ]+", " ", self.text.casefold()).strip()

    @property
    def says_yes(self) -> bool:
        first = re.match(r"[\w' ]+", self.text.casefold().strip(" .,!¡*\"'“”"))
        words = self.plain
        return (
            bool(YES.fullmatch(words))
            or self.intent == "affirm"
            or bool(first and YES.fullmatch(first.group().strip()) and len(words.split()) <= 8)
        )

    @property
    def says_no(self) -> bool:
        first = re.match(r"[\w' ]+", self.text.casefold().strip(" .,!¡*\"'“”"))
        return (
            self.intent == "deny"
            or bool(NO.fullmatch(self.plain))
            or bool(first and NO.fullmatch(first.group().strip()))
        )

    @property
    def stops(self) -> bool:
        return bool(STOP.search(self.text)) and len(self.plain.split()) <= 8

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


def heard(message: dict[str, Any], text: str, policy: Policy) -> Heard:
    """A message of the engine, read by the shop's rules.

    Args:
        message: the tracker's latest message: intent and entities.
        text: the words, which may be one clause of it.
    """
    entities = message.get("entities") or []
    found = [str(one["value"]) for one in entities if one.get("entity") == "order_number"]
    email = next((str(it["value"]) for it in entities if it.get("entity") == "email"), "")
    spoken = EMAIL.search(text)
    postcode = POSTCODE.search(text)
    code = CODE.search(text)
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


def order_numbers(text: str, policy: Policy) -> list[str]:
    """Order numbers as people write them: "np 123 456", "#NP123456", "no. 123456", "one two three
    four five six". Digits that belong to something longer, a card or a phone number, are none."""
    letters = re.escape(policy.number_prefix.strip("-# "))
    digits = policy.number_digits
    spaced = r"[\s.\-]?".join([r"\d"] * digits)
    pattern = re.compile(rf"(?<![\w+])(?:{letters}\s*[-#:.]?\s*|#\s*)?({spaced})(?![\d\w])", re.I)
    found = [
        policy.number_prefix + re.sub(r"\D", "", match.group(1))
        for match in pattern.finditer(text)
        if not re.search(r"[\d+]\s*[\s\-.]?$", text[: match.start()])
        and not re.match(r"[\s\-.]?\d", text[match.end() :])
    ]
    words = re.findall(r"[a-z]+|\d", text.casefold())
    run: list[str] = []
    for word in [*words, ""]:
        if word.isdigit() or word in NUMBER_WORDS:
            run.append(word if word.isdigit() else NUMBER_WORDS[word])
            continue
        if len(run) == digits and not found:
            found.append(policy.number_prefix + "".join(run))
        run = []
    return list(dict.fromkeys(found))


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


def several_chosen(text: str, titles: list[str]) -> list[int]:
    """The choices that a message names, one clause each."""
    found = []
    for clause in re.split(r",| and |\+|&|;", text):
        one = chosen(clause, titles)
        if one is not None and one not in found:
            found.append(one)
    return found


_EMPTY = {"the", "a", "an", "my", "one", "it", "is", "of", "and", "please", "just", "only", "i"}


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word

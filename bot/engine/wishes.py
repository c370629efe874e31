"""Several wishes in one message, and two intents that are too close to tell. No Rasa.

What a clause wants is judged by the classifier that judges whole messages. The numbers were chosen on
`tests/data/wishes_dev.tsv` and by cross-validation on the training messages; docs/quality.md has what
they give, `python scripts/quality_dialogue.py` measures it again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, List, Optional, Sequence, Text, Tuple

import numpy as np

from bot.engine.clauses import Clause, Cutter

JOBS = {
    "track_order", "cancel_order", "start_return", "exchange_item", "refund_status", "report_damage",
    "report_missing_item", "change_address", "update_contact", "invoice_copy", "warranty_claim",
    "gift_card_balance", "loyalty_points", "unsubscribe", "data_request",
}  # fmt: skip
QUESTION, PERSON = "ask_question", "request_person"
WISHES = JOBS | {QUESTION}

ENOUGH = {"request": 0.5, "question": 0.5, "statement": 0.6}
"""Confidence from which a clause is a wish for something done, by how it asks."""

ENOUGH_FOR_STATEMENT_FIRST = 0.75
"""A sentence that tells something stays a wish beside the request after it only from here on;
below, it is the story that led to the request."""

ENOUGH_FOR_QUESTION = 0.6
"""For a question to the articles, whether the classifier takes it for one on the shop or not: of a
clause without its sentence it cannot tell."""

ENOUGH_FOR_PERSON = 0.8
MOST_CLAUSES = 8

# What customers say together about one and the same case: the second is the reason for the first, or
# what they hope for from it.
_GOODS = ("report_damage", "report_missing_item", "start_return", "exchange_item", "warranty_claim")
_ONE_CASE: FrozenSet[FrozenSet[Text]] = frozenset(
    [frozenset((one, other)) for one in _GOODS for other in _GOODS if one != other]
    + [frozenset((one, "refund_status")) for one in (*_GOODS, "cancel_order")]
    + [
        frozenset(pair)
        for pair in (
            ("track_order", "report_missing_item"),
            ("track_order", "cancel_order"),
            ("track_order", "refund_status"),
            ("cancel_order", "start_return"),
            ("cancel_order", "exchange_item"),
        )
    ]
)

_TO_ARTICLES = {QUESTION, "out_of_scope"}
_BACK = re.compile(r"\b(?:it|they|them|that|this|these|those|one|do so)\b", re.IGNORECASE)
_OTHER = re.compile(r"\b(?:other|second|another|different|rest)\b", re.IGNORECASE)
_AMISS = re.compile(
    r"n['’]?t\b|\b(?:not|never|no|nothing|nobody|still|wait\w*|late|lost|stuck|delay\w*|overdue|missing)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d{5,}")

Judge = Callable[[Sequence[Text]], Tuple[Sequence[Text], np.ndarray]]
"""Texts to the names of the intents and their probabilities, (texts, intents)."""


@dataclass(frozen=True)
class Wish:
    """One of several things that a message wants: [start, end) of the text, its words."""

    intent: Text
    confidence: float
    text: Text
    start: int
    end: int

    def as_dict(self) -> Dict[Text, Any]:
        return {
            "intent": self.intent,
            "confidence": round(self.confidence, 4),
            "text": self.text,
            "start": self.start,
            "end": self.end,
        }


class Wishes:
    """Finds them; make one and keep it."""

    def __init__(self) -> None:
        self._cutter = Cutter()

    def find(self, text: Text, judge: Judge) -> List[Wish]:
        """Distinct wishes in the order of the text: two at least, or a single one for a person, or
        none. A text without any sign of a second clause is not judged again."""
        clauses = self._cutter.cut(text)
        if not 1 < len(clauses) <= MOST_CLAUSES:
            return []
        names, probabilities = judge([clause.text for clause in clauses])
        judged = [_judged(clause, names, row) for clause, row in zip(clauses, probabilities)]
        for _, wish in judged:
            if wish is not None and wish.intent == PERSON:
                return [wish]
        kept: List[Tuple[Clause, Wish]] = []
        for clause, wish in judged:
            if wish is not None:
                _take(kept, clause, wish)
        return [wish for _, wish in kept] if len(kept) > 1 else []


def _judged(
    clause: Clause, names: Sequence[Text], row: np.ndarray
) -> Tuple[Clause, Optional[Wish]]:
    best = int(np.argmax(row))
    intent, confidence = str(names[best]), float(row[best])
    if intent in JOBS:
        wanted = ENOUGH[clause.form]
    elif intent == PERSON:
        wanted = ENOUGH_FOR_PERSON
    elif intent in _TO_ARTICLES and _asks(clause):
        intent, wanted = QUESTION, ENOUGH_FOR_QUESTION
        confidence = float(sum(p for name, p in zip(names, row) if name in _TO_ARTICLES))
    else:
        return clause, None
    told = intent == "track_order" and clause.form == "statement"
    if confidence < wanted or (told and not _AMISS.search(clause.text)):
        return clause, None  # "I ordered on Monday" tells of an order and asks nothing of it
    return clause, Wish(intent, confidence, clause.text, clause.start, clause.end)


def _asks(clause: Clause) -> bool:
    """Whether a clause is a question of its own: not "how often", nor "how long will it take"."""
    words = clause.text.split()
    if clause.form == "statement" or len(words) < 4:
        return False
    return len(words) > 8 or not _BACK.search(clause.text)


def _take(kept: List[Tuple[Clause, Wish]], clause: Clause, wish: Wish) -> None:
    """Add a wish, or let it be a part of one that is there."""
    for at, (other, before) in enumerate(kept):
        if before.intent == wish.intent:
            return  # said twice
        if _same_case(other, before, clause, wish):
            if other.form == "statement" and clause.form != "statement":
                kept[at] = (clause, wish)  # the reason came first
            return
    if clause.form == "statement" and not clause.added and kept:
        return  # goes on telling
    if len(kept) == 1 and not clause.added:
        other, before = kept[0]
        if other.form == "statement" and before.confidence < ENOUGH_FOR_STATEMENT_FIRST:
            kept[0] = (clause, wish)  # a story with its wish at the end
            return
    kept.append((clause, wish))


def _same_case(one: Clause, before: Wish, other: Clause, wish: Wish) -> bool:
    if frozenset((before.intent, wish.intent)) not in _ONE_CASE or _another(before, wish):
        return False
    if "statement" in (one.form, other.form):
        return not other.added
    # "cancel it and where is my refund" are two; "return it and get my money back" is one.
    return "question" not in (one.form, other.form) and not other.added


def _another(before: Wish, wish: Wish) -> bool:
    """Whether the words say that it is about something else than before."""
    first, second = (set(_NUMBER.findall(one.text)) for one in (before, wish))
    return bool(_OTHER.search(wish.text)) or bool(first and second and not first & second)


def close_call(
    names: Sequence[Text], probabilities: np.ndarray, *, margin: float, least: float, most: float
) -> Optional[Tuple[Text, Text]]:
    """The two likeliest intents when the first leads by less than `margin`, has at least `least` and
    less than `most`, and both are things a customer can mean: jobs, or a question and a job."""
    order = np.argsort(probabilities)[::-1]
    first, second = str(names[order[0]]), str(names[order[1]])
    top, next_ = float(probabilities[order[0]]), float(probabilities[order[1]])
    if not least <= top < most or top - next_ >= margin:
        return None
    return (first, second) if {first, second} <= WISHES else None

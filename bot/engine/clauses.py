"""A message cut into clauses: sentences, and what "and", "also" or a list puts beside each other.

spaCy's English tokenizer, and no parser: a coordination is cut only where what follows it begins as a
clause does, with a question word, an auxiliary, a subject, a "please" or a verb of wishing. "The boots
and the jacket" stays in one piece.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Optional, Sequence, Text

import spacy
from spacy.language import Language
from spacy.tokens import Token

# Only a message with one of these can hold two wishes; a plain one is not even tokenized.
_MARKER = re.compile(
    r"\b(?:and|also|plus|but|then|another|separately|second(?:ly)?|as well|while i'?m|oh|btw|"
    r"by the way|besides|additionally|furthermore|on top)\b|&|;|\n|"
    r"[.!?]\s*\S|,\s*(?:can|could|where|when|how|"
    r"what|please|i|my)\b|(?:^|\s)2[.)]",
    re.IGNORECASE,
)
FEWEST_WORDS = 5

_JOINING = {
    "and", "also", "plus", "but", "then", "&", "besides", "additionally", "furthermore", "or",
}  # fmt: skip
# What may stand between the joining word and the clause: "and by the way, please also ..."
_FILLING = {
    "and", "also", "then", "please", "pls", "plus", "but", "oh", "so", "well", "by", "the", "way",
    "btw", "while", "i'm", "im", "here", "secondly", "second", "separately", "another", "thing",
    "one", "more", "as", "too", "besides", "additionally", "furthermore", "on", "top", "of", "that",
    "just", "first", "lastly", "finally", "if", "possible", ",", ":", "-", "before", "not",
}  # fmt: skip
_QUESTION = {
    "where", "when", "how", "what", "why", "which", "who", "whose", "whether", "wheres", "whens",
    "hows", "whats", "do", "does", "did", "is", "are", "was", "were", "can", "could", "would",
    "will", "has", "have", "may", "should", "shall", "cld",
}  # fmt: skip
_SUBJECT = {"i", "we", "you", "it", "he", "she", "they", "there", "im", "ive", "id", "nobody"}
_OWNER = {"my", "the", "our", "your", "this", "that", "these", "those", "a", "an", "one", "some"}
_WISHING = {
    "cancel", "change", "send", "return", "refund", "update", "track", "check", "exchange", "swap",
    "delete", "remove", "unsubscribe", "stop", "tell", "give", "take", "claim", "report", "find",
    "look", "resend", "replace", "add", "merge", "close", "email", "e-mail", "redeem", "let",
    "correct", "amend", "edit", "erase", "export", "download", "chase", "arrange", "issue",
    "reissue", "book", "want", "need", "no",
}  # fmt: skip
_ALONE = {"unsubscribe"}  # a wish in one word
_FINITE = re.compile(
    r"^(?:is|are|was|were|has|have|had|does|did|do|will|won|never|still|came|broke|arrived|went|fell|"
    r"got|isn|hasn|haven|didn|doesn|wasn|n't|n’t|'s|’s|keeps?|\w{3,}ed)$"
)


@dataclass(frozen=True)
class Clause:
    """A part of the text, [start, end), and how it asks: `question`, `request` or `statement`.
    `added`: a word such as "also" says that it is one more thing."""

    start: int
    end: int
    text: Text
    form: Text
    added: bool


class Cutter:
    """Cuts messages; make one and keep it."""

    def __init__(self) -> None:
        self._nlp: Language = spacy.blank("en")

    def cut(self, text: Text) -> List[Clause]:
        """The clauses in their order; an empty list where there can be only one."""
        if len(text.split()) < FEWEST_WORDS or not _MARKER.search(text):
            return []
        tokens = list(self._nlp(text))
        borders = [0]
        for at in range(1, len(tokens)):
            # "Do you also have ..." is one clause: its beginning is none.
            inside = _lower(tokens[at]) in ("also", "then", "but") and not tokens[at - 1].is_punct
            few = 3 if inside else 1
            if _border(tokens, at) and _words(tokens[borders[-1] : at]) >= few:
                borders.append(at)
        spans = [tokens[first:last] for first, last in zip(borders, [*borders[1:], len(tokens)])]
        clauses = [clause for clause in (_clause(text, span) for span in spans) if clause]
        return clauses if len(clauses) > 1 else []


def _words(tokens: Sequence[Token]) -> int:
    """How many words say something: "and by the way" has none."""
    return sum(1 for one in tokens if one.text[:1].isalnum() and _lower(one) not in _FILLING)


def _lower(token: Token) -> Text:
    return token.lower_.replace("’", "'")


def _border(tokens: Sequence[Token], at: int) -> bool:
    """Whether a clause begins with this token."""
    before, here = tokens[at - 1], tokens[at]
    if "\n" in before.text or before.text == ";":
        return True
    if here.text in "-•*" and here.i and "\n" in before.text:
        return True
    if before.text[-1:] in ".!?…" and before.text[0] in ".!?…" and not here.is_punct:
        return True
    if here.like_num and at + 1 < len(tokens) and tokens[at + 1].text in (".", ")"):
        return at > 0 and len(here.text) == 1  # "1. ... 2. ..."
    if _lower(here) in _JOINING and _lower(before) not in _JOINING:
        return _begins(tokens, at + 1)
    if before.text in (",", "-", "–", "—"):
        return _begins(tokens, at)
    return False


def _begins(tokens: Sequence[Token], at: int) -> bool:
    """Whether the words from here on begin a clause of their own."""
    polite = False
    while at < len(tokens) and _lower(tokens[at]) in _FILLING:
        polite = polite or _lower(tokens[at]) in ("please", "pls", "also", "i'm")
        at += 1
    word = _lower(tokens[at]) if at < len(tokens) else ""
    if at >= len(tokens) - 1:
        return word in _ALONE
    if word in _QUESTION or word in _SUBJECT or word in _WISHING or polite:
        return True
    if word in _OWNER:
        return any(_FINITE.match(_lower(token)) for token in tokens[at + 1 : at + 7])
    return False


_LEAD = re.compile(
    r"^(?:[\s,;:.•*–—-]|\d[.)]\s|(?:and|also|plus|but|then|oh|btw|by the way|secondly|separately|"
    r"besides|additionally|furthermore|while i['’]?m (?:here|at it)|another thing|one more thing|"
    r"on top of that|as well|first|if not|before that|hi|hello|hey|thanks|thank you)\b[\s,:]*)+",
    re.IGNORECASE,
)
_ADDED = re.compile(
    r"\b(?:also|plus|separately|secondly|by the way|btw|another thing|one more thing|as well|besides|"
    r"additionally|furthermore|while i['’]?m|too|on top of that)\b|(?:^|\s)2[.)]",
    re.IGNORECASE,
)


def _clause(text: Text, span: Sequence[Token]) -> Optional[Clause]:
    if not span:
        return None
    start, end = span[0].idx, span[-1].idx + len(span[-1])
    whole = text[start:end]
    lead = _LEAD.match(whole)
    first = start + (lead.end() if lead else 0)
    words = text[first:end].strip(" \t\n,;-–—")
    if len(words.split()) < 2 and words.lower().strip(".!") not in _ALONE:
        return None
    return Clause(first, first + len(words), words, form(words), bool(_ADDED.search(whole)))


_ASKS = re.compile(
    r"^(?:(?:so|just|hi|hello|please|and|tell me|let me know|i(?:'d| would) (?:like|love) to know|"
    r"do you know|can you (?:tell|say)(?: me)?|could you (?:tell|say)(?: me)?|i wonder|whether|if)\s+)*"
    r"(?:where|when|how|what|why|which|who|whose|whether|wheres|whens|hows|whats|do|does|did|is|are|was|"
    r"were|has|have|may|should)(?:'s|’s)?\b",
    re.IGNORECASE,
)
_REQUESTS = re.compile(
    r"\b(?:please|pls|plz|want|wanna|need|like to|i['’]?d like|could you|can you|can i|could i|"
    r"would you|will you|let me|may i|might i)\b",
    re.IGNORECASE,
)


def form(words: Text) -> Text:
    """How a clause asks: `question`, `request` or `statement`."""
    if _ASKS.match(words):
        return "question" if not re.match(r"(?:i|we) ", words, re.IGNORECASE) else "statement"
    first = words.split()[0].lower().strip(",.")
    if first in _WISHING or _REQUESTS.search(words):
        return "request"
    return "question" if words.rstrip().endswith("?") else "statement"

"""Days that a message names: "last tuesday", "the 3rd", "two weeks ago", "in May". No spaCy, no Rasa.

The text is brought into one form (lower case, single spaces, spelling mistakes in the names of days
and months corrected), `dates_patterns` finds phrases in it, and `dates_values` says which days they
are. Where a phrase alone is open ("on Friday"), the tense of the words before it decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Dict, List, Text, Tuple

from bot.engine.dates_patterns import DAYS, HINT, MONTHS, PATTERNS
from bot.engine.dates_values import Meaning, value
from bot.engine.typos import Speller

_WORD = re.compile(r"[^\W\d_]+|\s+|.", re.DOTALL)
_LONG_NAMES = [
    *DAYS, *(month for month in MONTHS if len(month) > 4 and month != "march"),
    "today", "tomorrow", "yesterday", "tonight", "fortnight", "weekend", "christmas", "halloween",
]  # fmt: skip
# Words that are one mistake away from a day or a month, and mean themselves.
_REAL = ["toady", "tomorrows", "weekends", "weekender", "weekenders", "today's", "mondays"]
_SHORT = {"tmrw": "tomorrow", "tmr": "tomorrow", "tmoz": "tomorrow", "tomoz": "tomorrow",
          "yest": "yesterday", "wkend": "weekend", "xmas": "christmas", "eves": "eve"}  # fmt: skip
_SPELLER = Speller(_LONG_NAMES, real=_REAL, long=7)

# What says that a thing has been, and what says that it is to come.
_PAST = re.compile(
    r"\b(?:was|were|did|didn['’]?t|had|hadn['’]?t|has|have|haven['’]?t|hasn['’]?t|been|got|came|bought|"
    r"sent|said|told|paid|took|left|broke|went|gave|saw|rang|wrote|spoke|made|put|found|tore|lost|"
    r"should(?:['’]ve| have) \w+|(?:supposed|meant|due) to(?: be)? \w+|\w{2,}ed|waiting|already)\b"
)
_FUTURE = re.compile(
    r"\b(?:will|won['’]?t|shall|ll|going|gonna|go|need|needs|want|wants|can|could|would|please|leave|"
    r"leaving|leaves|away|should|is|are|does|do|deliver|delivery|open|opening|possible|available|arrive|"
    r"arrives|arriving|come|coming|get|until|till|by|move|moving|fly|flying|travel|travelling|trip|"
    r"holiday|tomorrow|d like|hope|hoping|before|in time|book|collect|pick|send|ready)\b"
)
# "will be delivered", "get it delivered", "have them replaced": no past, whatever the ending.
_PASSIVE = re.compile(r"\b(?:be|being|get|getting|(?:have|get) (?:it|them|this|that|one)) $")
_NEEDED = re.compile(r"\bneed$|\bneeded$")
_END = re.compile(r"[.!?;\n]")


@dataclass(frozen=True)
class Found:
    """A phrase of the text, [start, end), the ISO day (or the first one of a span) and what more is
    known of it: `start` and `end` of a span, `direction`, `part` of the day, `relation`,
    `approximate`."""

    start: int
    end: int
    value: Text
    extra: Dict[Text, Any]


def find_dates(text: Text, today: date, *, day_first: bool = True) -> List[Found]:
    """Every day that the text names, in its order, none overlapping another.

    Args:
        today: the day on which it was written, where the writer is.
        day_first: whether 3/4 is the 3rd of April (Britain) or the 4th of March.
    """
    plain, places = _plain(text)
    if not HINT.search(plain):
        return []
    found: List[Found] = []
    taken: List[Tuple[int, int]] = []
    for kind, pattern in PATTERNS:
        for match in pattern.finditer(plain):
            first, last = match.span()
            if any(first < end and begin < last for begin, end in taken):
                continue
            meaning = Meaning(today, tense(plain[:first], plain[last:]), day_first)
            understood = value(kind, match, meaning)
            if understood is None:
                continue
            taken.append((first, last))
            iso, extra = understood
            found.append(Found(places[first], places[last - 1] + 1, iso, extra))
    # The end of the last word: a corrected word may be shorter or longer than what was written.
    return sorted((_to_word_end(one, text) for one in found), key=lambda one: one.start)


def _to_word_end(found: Found, text: Text) -> Found:
    end = found.end
    while end < len(text) and end > 0 and text[end - 1].isalpha() and text[end].isalpha():
        end += 1
    return Found(found.start, end, found.value, found.extra)


def _plain(text: Text) -> Tuple[Text, List[int]]:
    """The text in one form, and for each of its letters where it stands in the text."""
    pieces: List[Text] = []
    places: List[int] = []
    for match in _WORD.finditer(text):
        written, start = match.group(), match.start()
        if written.isspace():
            word = "\n" if "\n" in written else " "
        elif written.isalpha():
            word = written.lower()
            word = _SHORT.get(word) or _SPELLER.meant(word) or word
        else:
            word = {"’": "'", "–": "-", "—": "-", "‑": "-"}.get(written, written)
        last = start + len(written) - 1
        pieces.append(word)
        places += [min(start + at, last) for at in range(len(word))]
    return "".join(pieces), places


def tense(before: Text, after: Text) -> Text:
    """`past`, `future` or "" by the words around a phrase: those before it, nearest first, in its
    own sentence; where they say nothing, those after it."""
    ends = [match.end() for match in _END.finditer(before)]
    clause = before[ends[-1] :] if ends else before
    past, future = _last(_PAST, clause, skip_passive=True), _last(_FUTURE, clause)
    if past or future:
        return "past" if past >= future else "future"
    rest = _END.split(after, maxsplit=1)[0]
    early = _PAST.search(rest), _FUTURE.search(rest)
    if early[0] and not (early[1] and early[1].start() < early[0].start()):
        return "past"
    return "future" if early[1] else ""


def _last(pattern: Any, clause: Text, skip_passive: bool = False) -> int:
    """Where the last match ends; 0: there is none."""
    end = 0
    for match in pattern.finditer(clause):
        word = match.group()
        if skip_passive and (_NEEDED.search(word) or _PASSIVE.search(clause[: match.start()])):
            continue
        end = match.end()
    return end

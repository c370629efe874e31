"""Promises in what an agent is about to send: words that bind, and times that no rule stands behind.

A wording aid: the agent is asked once whether it can be kept.
"""

from __future__ import annotations

import re

_NUMBER = r"(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|a few|a couple of)"
_UNIT = r"(?:minutes?|hours?|(?:working |business )?days?|weeks?)"
_PHRASES = (
    r"(?:i|we)(?: can| will|'ll|’ll)? (?:guarantee|promise|assure you)\b[^.!?\n]{0,40}",
    r"\bguaranteed?\b",
    r"\b(?:definitely|for sure|without fail|certainly|100 ?%)\b",
    r"\b(?:will|'ll|’ll|shall|going to) (?:be )?(?:refund|replace|deliver|arrive|compensate|waive|send)"
    r"\w*[^.!?\n]{0,40}",
    rf"\b(?:within|in less than|in under|in) (?:the next )?{_NUMBER} {_UNIT}\b",
    r"\bby (?:today|tonight|tomorrow|noon|midnight|(?:the end of|this|next) (?:the )?(?:day|week|month)"
    r"|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b",
    r"\b(?:today|tomorrow|tonight) at the latest\b",
    r"\bnever again\b",
)
_PATTERN = re.compile("|".join(f"(?:{phrase})" for phrase in _PHRASES), re.IGNORECASE)
_NOT = re.compile(
    r"\b(?:cannot|can't|can’t|can not|could not|do not|don't|don’t|no|not|never|if|unable to)\b"
    r"[^.!?\n]{0,20}$",
    re.IGNORECASE,
)
MOST = 5


def promises(text: str) -> list[str]:
    """The words of a text that promise something, in order, each once; [] if none do."""
    found: dict[str, None] = {}
    for match in _PATTERN.finditer(text):
        if not _NOT.search(text[: match.start()]):
            found.setdefault(" ".join(match.group().split()))
    return list(found)[:MOST]

"""What people add to a wish to show whose it is: an e-mail address, a postcode.

"Cancel NP-123456, my email is me@example.com" wants one thing. The classifier reads it without the
detail, which else looks like a wish to change an address.
"""

from __future__ import annotations

import re
from typing import Text

# Pieces are bounded, and begin where a word does: a long message is read once, not once a letter.
_PIECE = r"[^\s<>()\[\],;:\"@]"
_EMAIL = rf"{_PIECE}{{1,64}}@{_PIECE}{{1,253}}\.[A-Za-z]{{2,63}}"
_POSTCODE = r"\b[A-Za-z]{1,2}\d[A-Za-z\d]?\s?\d[A-Za-z]{2}\b"
_GAP = r"\s{1,5}"
_NAMED = re.compile(
    rf"(?:[,;.]\s{{0,5}}|(?<!\s){_GAP}|^)(?:(?:and|with|from|using){_GAP})?"
    rf"(?:(?:my|the|its|it's|our)\s{{0,5}})?"
    rf"(?:e-?mail|mail|post\s?code|zip(?:{_GAP}code)?)(?:{_GAP}address)?"
    rf"(?:{_GAP}(?:on{_GAP}it|for{_GAP}it|there))?(?:{_GAP}(?:is|was))?"
    rf"\s{{0,5}}[:=]?\s{{0,5}}(?:{_EMAIL}|{_POSTCODE})",
    re.IGNORECASE,
)
_BARE = re.compile(rf"(?<!{_PIECE}){_EMAIL}|{_POSTCODE}", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z']{2,}")
FEWEST_WORDS = 2


def without_details(text: Text) -> Text:
    """The text with its details blanked, each letter by a space, so that places stay what they are;
    the text as it is where too little would be left to say what is wanted."""
    if "@" not in text and not any(character.isdigit() for character in text):
        return text
    left = _BARE.sub(_blank, _NAMED.sub(_blank, text))
    return left if len(_WORD.findall(left)) >= FEWEST_WORDS else text


def _blank(found: re.Match[Text]) -> Text:
    return " " * len(found.group())

"""What people add to a wish to show whose it is: an e-mail address, a postcode.

"Cancel NP-123456, my email is me@example.com" wants one thing. The classifier reads it without the
detail, which else looks like a wish to change an address.
"""

from __future__ import annotations

import re
from typing import Text

# Bounded, and without another "@" inside: what people can write must not keep us busy.
_EMAIL = r"[^\s<>()\[\],;:\"@]{1,64}@[^\s<>()\[\],;:\"@]{1,190}\.[A-Za-z]{2,24}"
_POSTCODE = r"\b[A-Za-z]{1,2}\d[A-Za-z\d]?\s?\d[A-Za-z]{2}\b"
_NAMED = re.compile(
    r"(?:[,;.]\s*|\s+|^)(?:and\s+|with\s+|from\s+|using\s+)?(?:my|the|its|it's|our)?\s*"
    r"(?:e-?mail|mail|post\s?code|zip(?:\s+code)?)(?:\s+address)?(?:\s+(?:on\s+it|for\s+it|there))?"
    rf"(?:\s+(?:is|was))?\s*[:=]?\s*(?:{_EMAIL}|{_POSTCODE})",
    re.IGNORECASE,
)
_BARE = re.compile(rf"{_EMAIL}|{_POSTCODE}", re.IGNORECASE)
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

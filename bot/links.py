"""Short addresses of articles, for text messages: ``/s/k3xq7b``.

Nothing is stored: a code is the beginning of a hash of the article's address, so it leads there for as
long as the heading is there.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode

LENGTH = 6  # of 32 signs: a thousand million codes, for some thousand headings


def code(url: str) -> str:
    """The code of an address below our own origin."""
    digest = hashlib.sha256(url.encode()).digest()
    return b32encode(digest).decode().lower()[:LENGTH]


def short_link(origin: str, url: str) -> str:
    """A short address for the article's; what is on another site stays as it is."""
    return f"{origin}/s/{code(url)}" if url.startswith("/") else url

"""Who a customer is, as the shop's own site says in a signed token (JWT, HS256).

The site makes it for whoever is signed in there, with the claims ``sub`` (the customer's id at the
shop), ``exp`` (at most a day ahead) and, if it likes, ``name`` and ``email``.
"""

from __future__ import annotations

from dataclasses import dataclass

import jwt

LONGEST = 24 * 3600  # seconds that a token may be good for
LEEWAY = 30  # seconds by which two clocks may differ
SHORTEST_SECRET = 32  # characters: RFC 7518, 3.2 asks for as many bytes as the hash has


class NotProven(Exception):
    """The token proves nothing; the text is for whoever builds it into the site."""


@dataclass(frozen=True)
class Identity:
    """A customer as the shop knows them."""

    subject: str
    name: str | None = None
    email: str | None = None


def proven(token: str, secret: str, now: float) -> Identity:
    """Whom a token names.

    Args:
        token: the JWT.
        secret: what the shop's site signs with; never empty.
        now: seconds since the epoch.

    Raises:
        NotProven: it is not signed with the secret, has run out, or lacks a claim.
    """
    if len(secret) < SHORTEST_SECRET:
        raise NotProven("no identity is set up here")
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            leeway=LEEWAY,
            options={"require": ["exp", "sub"], "verify_aud": False},
        )
    except jwt.ExpiredSignatureError as error:
        raise NotProven("the token has run out: make one for each page") from error
    except jwt.PyJWTError as error:
        raise NotProven(f"the token is not valid ({type(error).__name__})") from error
    if claims["exp"] - now > LONGEST + LEEWAY:
        raise NotProven("the token is good for more than a day: make it shorter")
    subject = str(claims["sub"]).strip()
    if not subject or len(subject) > 120 or "\x00" in subject:
        raise NotProven("“sub” is a text of 1 to 120 characters")
    return Identity(subject, _short(claims.get("name"), 100), _short(claims.get("email"), 254))


def _short(value: object, most: int) -> str | None:
    text = value.replace("\x00", "").strip() if isinstance(value, str) else ""
    return text[:most] or None

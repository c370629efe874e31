"""The detail that shows whose an order is: its e-mail address or its postcode, as people write them."""

from __future__ import annotations

import hashlib
import hmac
import re

from bot.orders.contract import Order


def plain_email(text: str) -> str:
    return text.strip().casefold()


def plain_postcode(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def fits(order: Order | None, *, email: str, postcode: str) -> bool:
    """Whether a detail is the order's. Takes as long for an order that there is not, and for one
    whose first letters are right."""
    address = plain_email(order.email) if order else "nobody@invalid"
    code = plain_postcode(order.address.postcode) if order else "0"
    by_email = _same(plain_email(email), address) and bool(email)
    by_postcode = _same(plain_postcode(postcode), code) and len(plain_postcode(postcode)) >= 4
    return order is not None and (by_email or by_postcode)


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(_digest(left), _digest(right))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def fingerprint(email: str, postcode: str) -> str:
    """A detail as it is kept to count guesses: its hash."""
    return _digest(f"{plain_email(email)}/{plain_postcode(postcode)}")


def masked_email(address: str) -> str:
    """ "j•••@example.com": enough to know one's own by, and no more."""
    name, _, host = address.partition("@")
    return f"{name[:1]}•••@{host}"


def masked_phone(number: str) -> str:
    return f"the number ending in {number[-3:]}"

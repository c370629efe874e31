"""What the demo shop knows, blocking, from its file."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from bot.orders import wire
from bot.orders.contract import Customer, Done, GiftCard, NotFound, Order
from bot.orders.demo import rules
from bot.orders.demo.book import Book, anchored
from bot.orders.demo.stories import moved

Noun = TypeVar("Noun", Order, Customer, GiftCard)

_NUMBER = re.compile(r"NP-[0-9]{6}")
_CUSTOMER = re.compile(r"C[0-9]{5}")
_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f\ud800-\udfff<>()\",;:]+@[^\s@]+\.[A-Za-z]{2,}")


class Reading:
    """Everything that changes nothing. Dates are as they are today."""

    def __init__(self, book: Book, now: Callable[[], datetime]):
        self._book = book
        self._now = now

    # What is asked for.

    def order(self, number: str) -> Order:
        with self._book.reading() as tx:
            return self._order(tx, number)[0]

    def orders_of(self, customer_id: str, limit: int) -> list[Order]:
        if not _CUSTOMER.fullmatch(customer_id) or limit < 1:
            return []
        with self._book.reading() as tx:
            rows = tx.execute(
                "SELECT anchor, body FROM orders WHERE customer_id = ?", (customer_id,)
            ).fetchall()
        found = [self._read(Order, *row) for row in rows]
        return sorted(found, key=lambda it: (it.placed_at, it.number), reverse=True)[:limit]

    def customer(self, customer_id: str) -> Customer:
        with self._book.reading() as tx:
            return self._customer(tx, customer_id)

    def customer_by_email(self, email: str) -> Customer:
        if not is_email(email):
            raise NotFound("no account has this e-mail address")
        with self._book.reading() as tx:
            row = tx.execute(
                "SELECT anchor, body FROM customers WHERE email = ?", (email.casefold(),)
            ).fetchone()
        if row is None:
            raise NotFound("no account has this e-mail address")
        return self._read(Customer, *row)

    def gift_card(self, code: str) -> GiftCard:
        code = re.sub(r"[ -]", "", code).upper().replace("O", "0").replace("I", "1")
        row = None
        if re.fullmatch("[0-9A-Z]{16}", code):
            with self._book.reading() as tx:
                row = tx.execute(
                    "SELECT anchor, body FROM gift_cards WHERE code = ?", (code,)
                ).fetchone()
        if row is None:
            raise NotFound("there is no gift card with this code")
        return self._read(GiftCard, *row)

    def outcome(self, key: str) -> Done | None:
        wire.checked_key(key)
        with self._book.reading() as tx:
            row = tx.execute("SELECT done FROM writes WHERE key = ?", (key,)).fetchone()
        return wire.read(Done, row[0]) if row else None

    def effects(self) -> list[tuple[str, str, dict[str, Any]]]:
        """What was done, in order: operation, order number or customer id, and more."""
        with self._book.reading() as tx:
            rows = tx.execute("SELECT operation, about, body FROM effects ORDER BY id").fetchall()
        return [(operation, about, json.loads(more)) for operation, about, more in rows]

    def size(self) -> int:
        """How many orders there are."""
        with self._book.reading() as tx:
            return int(tx.execute("SELECT count(*) FROM orders").fetchone()[0])

    # How.

    def _today(self) -> date:
        return rules.day_of(self._now())

    def _moment(self) -> datetime:
        return self._now().astimezone(UTC).replace(microsecond=0)

    def _order(self, tx: sqlite3.Connection, number: str) -> tuple[Order, str]:
        row = None
        if _NUMBER.fullmatch(number):
            row = tx.execute(
                "SELECT anchor, body, paid FROM orders WHERE number = ?", (number,)
            ).fetchone()
        if row is None:
            raise NotFound("there is no such order")
        return self._read(Order, row[0], row[1]), row[2]

    def _customer(self, tx: sqlite3.Connection, customer_id: str) -> Customer:
        row = None
        if _CUSTOMER.fullmatch(customer_id):
            row = tx.execute(
                "SELECT anchor, body FROM customers WHERE id = ?", (customer_id,)
            ).fetchone()
        if row is None:
            raise NotFound("there is no such account")
        return self._read(Customer, *row)

    def _read(self, kind: type[Noun], anchor: str | None, text: str) -> Noun:
        return moved(wire.read(kind, text), anchored(anchor, self._today()))


def is_email(text: str) -> bool:
    return len(text) <= 254 and bool(_EMAIL.fullmatch(text))

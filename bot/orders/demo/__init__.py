"""The demo shop Northpeak: 1,000 customers and 5,000 orders on SQLite, and the rules of its articles.

- `cases`: orders by what they show, for those who try it
- `seed`, `stories`, `people`, `goods`: what a new shop has · `rules`: what it allows
- `book`: its file · `reading`, `desk`: what it knows and does, blocking
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from anyio import to_thread

from bot.orders.contract import (
    Address,
    Customer,
    Done,
    GiftCard,
    Money,
    Operation,
    Order,
    Part,
    ProblemReport,
    ReturnRequest,
)
from bot.orders.demo.book import Book
from bot.orders.demo.desk import Desk
from bot.orders.demo.seed import SEED
from bot.orders.wire import checked_key

T = TypeVar("T")


class DemoShop:
    """An `OrderSystem` that needs no shop.

    Seeded orders keep their distance to today, however old the file is: what was delivered ten days
    ago was always delivered ten days ago. From a return, or a cancellation with a refund, on an
    order's dates are real.

    Args:
        path: its file, made at the first use, which takes some seconds.
        now: the present moment, with its zone.
        seed: of a new file; one that exists keeps its own.
    """

    name = "demo"
    can = frozenset(Operation)

    def __init__(
        self,
        path: Path | str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        seed: int = SEED,
    ):
        self._book = Book(Path(path), seed)
        self._desk = Desk(self._book, now)

    async def order(self, number: str) -> Order:
        return await _aside(self._desk.order, number)

    async def orders_of(self, customer_id: str, limit: int = 10) -> list[Order]:
        return await _aside(self._desk.orders_of, customer_id, limit)

    async def customer(self, customer_id: str) -> Customer:
        return await _aside(self._desk.customer, customer_id)

    async def customer_by_email(self, email: str) -> Customer:
        return await _aside(self._desk.customer_by_email, email)

    async def gift_card(self, code: str) -> GiftCard:
        return await _aside(self._desk.gift_card, code)

    async def cancel(self, number: str, parts: tuple[Part, ...], *, key: str) -> Done:
        return await _aside(self._desk.cancel, number, parts, checked_key(key))

    async def start_return(self, number: str, request: ReturnRequest, *, key: str) -> Done:
        return await _aside(self._desk.start_return, number, request, checked_key(key))

    async def report(self, number: str, report: ProblemReport, *, key: str) -> Done:
        return await _aside(self._desk.report, number, report, checked_key(key))

    async def change_address(self, number: str, address: Address, *, key: str) -> Done:
        return await _aside(self._desk.change_address, number, address, checked_key(key))

    async def change_contact(
        self, customer_id: str, *, email: str = "", phone: str = "", key: str
    ) -> Done:
        return await _aside(self._desk.change_contact, customer_id, email, phone, checked_key(key))

    async def send_invoice(self, number: str, *, key: str) -> Done:
        return await _aside(self._desk.send_invoice, number, checked_key(key))

    async def unsubscribe(self, email: str, *, key: str) -> Done:
        return await _aside(self._desk.unsubscribe, email, checked_key(key))

    async def give_credit(self, number: str, amount: Money, reason: str, *, key: str) -> Done:
        return await _aside(self._desk.give_credit, number, amount, reason, checked_key(key))

    async def outcome(self, key: str) -> Done | None:
        return await _aside(self._desk.outcome, key)

    async def effects(self) -> list[tuple[str, str, dict[str, Any]]]:
        """All that was done, in order: operation, order number or customer id, and more. For those
        who look on."""
        return await _aside(self._desk.effects)

    async def check(self) -> str:
        return f"the demo shop Northpeak with {await _aside(self._desk.size):,} orders"

    async def close(self) -> None:
        await to_thread.run_sync(self._book.close)


async def _aside(work: Callable[..., T], *arguments: Any) -> T:
    """Blocking work in a thread; given up at a shutdown, it ends whole or not at all by itself."""
    return await to_thread.run_sync(partial(work, *arguments))

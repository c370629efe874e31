"""Every shop system does what `bot.orders.contract` says: the demo shop, and the HTTP contract."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.orders.contract import Money
from bot.orders.demo import DemoShop
from bot.orders.demo.book import Book
from bot.orders.demo.cases import CASES
from bot.orders.http import HttpShop
from bot.simulate.shop import LocalShop
from tests.contract.order_conformance import OrderConformance, Trial

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)

ORDERS = {
    "received": "received",
    "received_two_lines": "received_two_lines",
    "packed": "packed",
    "dispatched": "dispatched_on_time",
    "split": "split",
    "delivered": "delivered_10_days",
    "delivered_two_lines": "delivered_two_lines_10_days",
    "abroad": "abroad_ireland",
    "too_late": "delivered_61_days",
    "not_returnable": "not_returnable",
    "returned": "return_registered",
    "refunded": "refund_issued_20_days",
    "cancelled": "cancelled",
    "guest": "received_guest",
}


def trial_of(system, demo: DemoShop) -> Trial:  # type: ignore[no-untyped-def]
    async def effects() -> dict[str, int]:
        return Counter(operation for operation, _, _ in await demo.effects())

    return Trial(
        system,
        orders={case: CASES[name].number for case, name in ORDERS.items()},
        missing="NP-000001",
        customer=CASES["several_orders"].customer_id,
        other=CASES["received"].customer_id,
        exchange_for="L, Slate",
        gift_card=CASES["gift_card"].code,
        expired_gift_card=CASES["gift_card_expired"].code,
        effects=effects,
        abroad_costs=Money(695, "EUR"),
    )


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo shop to copy: quicker than to seed one for each test."""
    path = tmp_path_factory.mktemp("demo") / "shop.db"
    book = Book(path, 2026)
    with book.reading():
        pass
    book.close()
    return path


@pytest.fixture
def file(seeded: Path, tmp_path: Path) -> Iterator[Path]:
    yield Path(shutil.copy(seeded, tmp_path / "shop.db"))


class TestDemoShop(OrderConformance):
    @pytest.fixture
    async def shop(self, file: Path) -> AsyncIterator[Trial]:
        demo = DemoShop(file, now=lambda: NOW)
        yield trial_of(demo, demo)
        await demo.close()


class TestHttpShop(OrderConformance):
    @pytest.fixture
    async def shop(self, file: Path) -> AsyncIterator[Trial]:
        with LocalShop(DemoShop(file, now=lambda: NOW)) as server:
            system = HttpShop(server.url, server.token)
            yield trial_of(system, server.demo)
            await system.close()

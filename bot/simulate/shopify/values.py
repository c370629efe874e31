"""Small things in Shopify's shapes: moments, amounts, names."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Thing = dict[str, Any]


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def now() -> str:
    return stamp(datetime.now(UTC))


def bag(minor: int, currency: str = "GBP") -> Thing:
    """A `MoneyBag`; the shop's own currency is left as it is paid."""
    value = {"amount": str(Decimal(minor).scaleb(-2)), "currencyCode": currency}
    return {"presentmentMoney": value, "shopMoney": value}


def split_name(name: str) -> tuple[str, str]:
    first, _, last = name.rpartition(" ")
    return first, last


def minor_of(line: Thing) -> int:
    value = line["discountedUnitPriceAfterAllDiscountsSet"]["presentmentMoney"]["amount"]
    return int(Decimal(value).scaleb(2))


def placed_at(order: Thing) -> str:
    found: str = order["processedAt"]
    return found

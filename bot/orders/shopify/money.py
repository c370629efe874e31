"""Amounts: Shopify's decimal strings, and our minor units."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bot.orders.contract import Money

# Digits after the point where they are not two (ISO 4217).
NONE = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"}
    | {"RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"}
)
THREE = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


def digits(currency: str) -> int:
    """How many digits a currency has after the point."""
    return 0 if currency in NONE else 3 if currency in THREE else 2


def money(bag: dict[str, Any]) -> Money:
    """A `MoneyBag` as the customer saw it: in the currency of the checkout."""
    return amount(bag["presentmentMoney"])


def amount(value: dict[str, Any]) -> Money:
    """A `MoneyV2`."""
    currency = str(value["currencyCode"])
    minor = Decimal(str(value["amount"])).scaleb(digits(currency))
    return Money(int(minor.to_integral_value()), currency)


def decimal(value: Money) -> str:
    """What Shopify takes for an amount."""
    return str(Decimal(value.minor).scaleb(-digits(value.currency)))

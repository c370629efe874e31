"""The order system that the settings name."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.orders.contract import OrderSystem
from bot.settings import Settings

DEMO_FILE = "demo-shop.db"  # in DATA_DIR


def make_orders(settings: Settings) -> OrderSystem | None:
    """The shop's orders; None where there are none (ORDERS=none). Nothing is called or written yet.

    Raises:
        ValueError: a setting is of no use to the system; the text says which and what to do.
    """
    # Each brings a client or a database of its own; only the one that is used is loaded.
    if settings.orders == "demo":
        from bot.orders.demo import DemoShop

        return DemoShop(settings.data_dir / DEMO_FILE, now=lambda: datetime.now(UTC))
    if settings.orders == "http":
        from bot.orders.http import HttpShop

        try:
            return HttpShop(settings.orders_url, settings.orders_token.get_secret_value())
        except ValueError as error:
            raise ValueError(f"ORDERS_URL or ORDERS_TOKEN: {error}") from error
    if settings.orders == "shopify":
        from bot.orders.shopify import ShopifyShop

        try:
            return ShopifyShop(
                settings.shopify_domain,
                settings.shopify_token.get_secret_value(),
                api_url=settings.shopify_api_url,
                country=settings.phone_country,
            )
        except ValueError as error:
            raise ValueError(f"SHOPIFY_DOMAIN or SHOPIFY_TOKEN: {error}") from error
    return None

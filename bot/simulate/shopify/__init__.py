"""A local server that behaves like Shopify's Admin GraphQL API, as far as we use it: it takes only
what the schema in `schema.graphql` allows, keeps orders in memory, and can fail in every way in which
a vendor does. Needs the package ``graphql-core``."""

from bot.simulate.shopify.faults import (
    denied,
    error_after,
    reset_after,
    reset_before,
    slow,
    slow_after,
    status,
    throttled,
    user_error,
)
from bot.simulate.shopify.server import TOKEN, LocalShopify

__all__ = [
    "TOKEN",
    "LocalShopify",
    "denied",
    "error_after",
    "reset_after",
    "reset_before",
    "slow",
    "slow_after",
    "status",
    "throttled",
    "user_error",
]

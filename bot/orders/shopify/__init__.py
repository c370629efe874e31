"""Shopify as a system of orders, by its Admin GraphQL API.

- `shop`: `ShopifyShop`, the door
- `access`, `client`: tokens, and requests over HTTP with their errors
- `queries`, `mutations`: what is asked and told
- `search`, `words`, `money`, `states`, `reading`: Shopify's words to ours, and back
- `reader`: what is looked up
- `once`, `marks`: writes that happen once for a key
- `cancelling`, `returning`, `changing`, `helping`: the writes
"""

from bot.orders.shopify.shop import ShopifyShop

__all__ = ["ShopifyShop"]

"""What the bot knows of orders, and what it can have done to them.

- `contract`: the nouns, the errors and the Protocol `OrderSystem`
- `demo`: the demo shop, on SQLite
- `http`: any shop that implements our HTTP contract (`docs/orders-api.yaml`)
- `shopify`: Shopify, by its Admin GraphQL API
"""

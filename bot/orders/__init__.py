"""What the bot knows of orders, and what it can have done to them.

- `contract`: the nouns, the errors and the Protocol `OrderSystem`
- `demo`: the demo shop, on SQLite
- `http`: any shop that implements our HTTP contract (`docs/orders-api.yaml`) · `http_calls`: its calls
- `wire`: the nouns as JSON, strictly
- `shopify`: Shopify, by its Admin GraphQL API
- `choose`: the one of them that the settings name
- `policy`, `policy_file`: the shop's rules for orders, and `orders.yml`, which states them
- `checks`: what `make check` says about all of it
"""

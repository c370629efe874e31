"""The server's answers to queries."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from bot.simulate.shopify.values import Thing

if TYPE_CHECKING:
    from bot.simulate.shopify.faults import Call
    from bot.simulate.shopify.server import LocalShopify

TERM = re.compile(r'(?:(\w+):)?(?:"((?:[^"\\]|\\.)*)"|(\S+))')
REASONS = ("too-small", "too-large", "changed-mind", "defective", "wrong-item", "other")


class Queries:
    """The root of a query."""

    def __init__(self, shop: LocalShopify, call: Call):
        self.shop, self.state, self.call = shop, shop.state, call

    def fields(self) -> dict[str, Any]:
        state = self.state
        return {
            "shop": {
                "id": "gid://shopify/Shop/1",
                "name": state.name,
                "myshopifyDomain": state.domain,
                "currencyCode": state.currency,
                "ianaTimezone": "Europe/London",
            },
            "currentAppInstallation": {
                "id": "gid://shopify/AppInstallation/1",
                "accessScopes": [{"handle": it} for it in sorted(self.shop.scopes)],
                "metafield": lambda namespace, key: state.marks.get((namespace, key)),
                "metafields": lambda namespace, **_: [
                    it for (space, _), it in state.marks.items() if space == namespace
                ],
            },
            "order": lambda id: self._thing(id, "Order"),
            "customer": lambda id: self._thing(id, "Customer"),
            "node": lambda id: state.things.get(id),
            "orders": self.orders,
            "customerByIdentifier": self.customer,
            "job": self.job,
            "returnableFulfillments": self.returnable,
            "returnReasonDefinitions": self.reasons,
            "codeDiscountNodeByCode": lambda code: state.discounts.get(code.upper()),
        }

    def _thing(self, global_id: str, kind: str) -> Thing | None:
        found = self.state.things.get(global_id)
        return found if found and found["__typename"] == kind else None

    def orders(self, query: str = "", reverse: bool = False, **_: Any) -> list[Thing]:
        """Those that a search finds; the order of terms and connectives is Shopify's, simplified:
        terms are all needed, unless ``OR`` stands between them."""
        found = [it for it in self.state.orders if matches(it, query)]
        return sorted(found, key=lambda it: it["processedAt"])  # the page turns them round

    def customer(self, identifier: dict[str, str]) -> Thing | None:
        for it in self.state.customers:
            email = (it["defaultEmailAddress"] or {}).get("emailAddress", "").lower()
            phone = (it["defaultPhoneNumber"] or {}).get("phoneNumber")
            if identifier.get("emailAddress", "").lower() == email != "":
                return it
            if identifier.get("id") == it["id"] or (
                phone and identifier.get("phoneNumber") == phone
            ):
                return it
        return None

    def job(self, id: str) -> Thing | None:
        if id not in self.state.jobs:
            return None
        return {"id": id, "done": time.monotonic() >= self.state.jobs[id]}

    def returnable(self, orderId: str, **_: Any) -> list[Thing]:
        order = self._thing(orderId, "Order")
        items = [
            {"fulfillmentLineItem": it, "quantity": quantity}
            for it, quantity in (self.state.returnable(order) if order else [])
        ]
        if not items:
            return []
        return [
            {"id": "gid://shopify/ReturnableFulfillment/1", "returnableFulfillmentLineItems": items}
        ]

    def reasons(self, handles: list[str] | None = None, **_: Any) -> list[Thing]:
        made = []
        for handle in REASONS:
            if handles is None or handle in handles:
                global_id = f"gid://shopify/ReturnReasonDefinition/{handle}"
                made.append(
                    {
                        "__typename": "ReturnReasonDefinition",
                        "id": global_id,
                        "handle": handle,
                        "name": handle,
                        "deleted": False,
                    }
                )
                self.state.things.setdefault(global_id, made[-1])
        return made


def matches(order: Thing, query: str) -> bool:
    """Whether a search finds an order."""
    if not query.strip():
        return True
    return any(all(_term(order, *it) for it in TERM.findall(part)) for part in query.split(" OR "))


def _term(order: Thing, field: str, phrase: str, word: str) -> bool:
    wanted = (re.sub(r"\\(.)", r"\1", phrase) or word).casefold().removeprefix("#")
    has = {
        "name": order["name"].casefold().removeprefix("#"),
        "email": (order["email"] or "").casefold(),
    }
    texts = [has[field]] if field in has else list(has.values())
    if word.endswith("*"):
        return any(it.startswith(wanted[:-1]) for it in texts)
    return any(wanted == it or wanted in it.split("-") for it in texts)

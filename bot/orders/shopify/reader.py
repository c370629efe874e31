"""What is looked up in a shop, for answers and before writes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.orders.contract import Customer, NotFound, Order, Unavailable
from bot.orders.shopify import queries, reading
from bot.orders.shopify.client import Client
from bot.orders.shopify.clock import Deadline
from bot.orders.shopify.search import gid, order_search, plain
from bot.orders.shopify.words import email_address

AT_ONCE = 3  # orders of a customer that are read at the same time
MOST_ORDERS = 50


@dataclass(frozen=True)
class Facts:
    """What is the same for all orders of a shop."""

    name: str
    domain: str
    currency: str
    zone: ZoneInfo
    installation: str  # the global id of our app in this shop
    scopes: frozenset[str]


class Reader:
    """Looks things up in one shop."""

    def __init__(self, client: Client):
        self.client = client
        self._facts: Facts | None = None

    async def facts(self, deadline: Deadline, *, fresh: bool = False) -> Facts:
        """The shop's facts, which are asked for once."""
        if self._facts is None or fresh:
            data = await self.client.read(queries.FACTS, deadline)
            with sensible():
                self._facts = _facts(data)
        return self._facts

    async def order_id(self, number: str, deadline: Deadline) -> str:
        """The global id of the order with this name. Raises: NotFound."""
        search = order_search(number)
        if search:
            data = await self.client.read(queries.FIND_ORDER, deadline, search=search)
            with sensible():
                for found in data["orders"]["nodes"]:
                    if plain(found["name"]) == plain(number):
                        return str(found["id"])
        raise NotFound("there is no order of this number")

    async def raw(self, order_id: str, deadline: Deadline) -> dict[str, Any]:
        """An order as Shopify tells it, with all pages of its parts. Raises: NotFound."""
        data = await self.client.read(queries.ORDER, deadline, id=order_id)
        found: dict[str, Any] | None = data.get("order")
        if not found:
            raise NotFound("the order is no longer there")
        with sensible():
            if len(found["fulfillments"]) >= queries.PARCELS:
                data = await self.client.read(queries.MORE_PARCELS, deadline, id=order_id)
                found["fulfillments"] = data["order"]["fulfillments"]
            pages = [("lineItems", found)]
            pages += [("fulfillmentLineItems", it) for it in found["fulfillments"]]
            pages += [("returnLineItems", it) for it in found["returns"]["nodes"]]
            pages += [("refundLineItems", it) for it in found["refunds"]]
            for field, owner in pages:
                await self._rest(field, owner, deadline)
        return found

    async def order(self, order_id: str, deadline: Deadline) -> Order:
        """An order by its global id."""
        facts = await self.facts(deadline)
        return await self.nouns(await self.raw(order_id, deadline), facts.zone)

    async def nouns(self, found: dict[str, Any], zone: ZoneInfo) -> Order:
        """A raw order in our nouns."""
        with sensible():
            return reading.order(found, zone)

    async def orders_of(self, customer_id: str, limit: int, deadline: Deadline) -> list[Order]:
        """A customer's orders, the newest first; [] for one that is not known."""
        known = gid("Customer", customer_id)
        if not known or limit < 1:
            return []
        data = await self.client.read(
            queries.ORDERS_OF, deadline, id=known, limit=min(limit, MOST_ORDERS)
        )
        ids = [it["id"] for it in data["customer"]["orders"]["nodes"]] if data["customer"] else []
        await self.facts(deadline)
        some = asyncio.Semaphore(AT_ONCE)

        async def one(order_id: str) -> Order:
            async with some:
                return await self.order(order_id, deadline)

        return list(await asyncio.gather(*(one(it) for it in ids)))

    async def customer(self, customer_id: str, deadline: Deadline) -> Customer:
        """An account by its id. Raises: NotFound."""
        known = gid("Customer", customer_id)
        data = await self.client.read(queries.CUSTOMER, deadline, id=known) if known else {}
        return self._customer(data.get("customer"))

    async def customer_by(self, deadline: Deadline, **by: str) -> Customer:
        """An account by its ``emailAddress`` or ``phoneNumber``. Raises: NotFound."""
        data = await self.client.read(queries.FIND_CUSTOMER, deadline, by=by)
        return self._customer(data.get("customerByIdentifier"))

    async def customer_by_email(self, email: str, deadline: Deadline) -> Customer:
        """An account by its e-mail address, in any case. Raises: NotFound."""
        wanted = email_address(email)
        if not wanted:
            raise NotFound("there is no account of this address")
        return await self.customer_by(deadline, emailAddress=wanted.lower())

    def _customer(self, found: dict[str, Any] | None) -> Customer:
        if not found:
            raise NotFound("there is no such account")
        with sensible():
            return reading.customer(found)

    async def _rest(self, field: str, owner: dict[str, Any], deadline: Deadline) -> None:
        """Further pages of what belongs to something, added to the first."""
        page = owner[field]["pageInfo"]
        while page["hasNextPage"]:
            data = await self.client.read(
                queries.REST[field], deadline, id=owner["id"], after=page["endCursor"]
            )
            more = data["node"][field]
            owner[field]["nodes"] += more["nodes"]
            page = more["pageInfo"]


class sensible:
    """What does not look as Shopify's schema says makes the shop `Unavailable`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyError | TypeError | ValueError | IndexError | AttributeError):
            raise Unavailable(f"Shopify's answer has another shape: {error!r}") from error


def _facts(data: dict[str, Any]) -> Facts:
    shop, app = data["shop"], data["currentAppInstallation"]
    try:
        zone = ZoneInfo(shop["ianaTimezone"])
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    return Facts(
        name=shop["name"],
        domain=shop["myshopifyDomain"],
        currency=shop["currencyCode"],
        zone=zone,
        installation=app["id"],
        scopes=frozenset(it["handle"] for it in app["accessScopes"]),
    )

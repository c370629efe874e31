"""Shopify as an `OrderSystem`. docs/shopify.md says how a shop is set up for it, and what works."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from bot.orders.contract import (
    Address,
    Customer,
    Done,
    GiftCard,
    Money,
    NotAllowed,
    Operation,
    Order,
    Part,
    ProblemReport,
    ReturnRequest,
)
from bot.orders.shopify import cancelling, changing, helping, returning
from bot.orders.shopify.access import Access, shop_domain
from bot.orders.shopify.client import Client, Denied
from bot.orders.shopify.clock import Deadline
from bot.orders.shopify.once import Act, Once, Plan
from bot.orders.shopify.reader import Reader

VERSION = "2026-07"
# What the app has to be allowed, and what for.
SCOPES = {
    "read_orders": "orders, their parcels and refunds",
    "write_orders": "cancelling, addresses, notes, invoices",
    "write_order_edits": "cancelling a part of an order",
    "read_merchant_managed_fulfillment_orders": "whether the warehouse has begun",
    "read_third_party_fulfillment_orders": "whether a fulfilment service has begun",
    "read_returns": "returns",
    "write_returns": "registering returns and exchanges",
    "read_products": "sizes and colours for exchanges",
    "read_customers": "accounts",
    "write_customers": "contact details and newsletters",
    "read_discounts": "vouchers that exist",
    "write_discounts": "vouchers",
}
ALL_ORDERS = "read_all_orders"  # without it, Shopify shows those of the last 60 days


class ShopifyShop:
    """A shop at Shopify.

    Args:
        domain: ``northpeak.myshopify.com``.
        token: the app's access token, or its client ID and secret as ``ID:SECRET`` (`Access`).
        version: of the Admin GraphQL API.
        timeout: seconds that a call takes at most.
        api_url: another server that speaks Shopify's API, to try things out.
        country: where phone numbers without a country code are at home.

    Raises:
        ValueError: the domain is none.
    """

    name = "Shopify"
    can = frozenset(
        {
            Operation.CANCEL,
            Operation.START_RETURN,
            Operation.REPORT,
            Operation.CHANGE_ADDRESS,
            Operation.CHANGE_CONTACT,
            Operation.SEND_INVOICE,
            Operation.UNSUBSCRIBE,
            Operation.GIVE_CREDIT,
        }
    )

    def __init__(
        self,
        domain: str,
        token: str,
        *,
        version: str = VERSION,
        timeout: float = 5.0,
        api_url: str = "",
        country: str = "GB",
    ):
        base = api_url.rstrip("/") or f"https://{shop_domain(domain)}"
        self.timeout, self.country, self._secret = timeout, country, token
        self.client = Client(Access(base, token), version)
        self.reader = Reader(self.client)
        self.once = Once(self.reader, ACTS, timeout)

    # Reading.

    async def order(self, number: str) -> Order:
        deadline = self._deadline()
        return await self.reader.order(await self.reader.order_id(number, deadline), deadline)

    async def orders_of(self, customer_id: str, limit: int = 10) -> list[Order]:
        return await self.reader.orders_of(customer_id, limit, self._deadline())

    async def customer(self, customer_id: str) -> Customer:
        return await self.reader.customer(customer_id, self._deadline())

    async def customer_by_email(self, email: str) -> Customer:
        return await self.reader.customer_by_email(email, self._deadline())

    async def gift_card(self, code: str) -> GiftCard:
        """Left out: what Shopify shows of a card are its last four characters, so what a search finds
        cannot be compared with the whole code, and a balance could be shown to the wrong person."""
        raise NotAllowed("a gift card of Shopify's cannot be compared with its whole code")

    # Writing.

    async def cancel(self, number: str, parts: tuple[Part, ...], *, key: str) -> Done:
        of = [number, sorted([it.line_id, it.quantity] for it in parts)]
        return await self._write(
            key, Operation.CANCEL, of, lambda *it: cancelling.plan(self.reader, number, parts, *it)
        )

    async def start_return(self, number: str, request: ReturnRequest, *, key: str) -> Done:
        return await self._write(
            key,
            Operation.START_RETURN,
            [number, repr(request)],
            lambda *it: returning.plan(self.reader, number, request, *it),
        )

    async def report(self, number: str, report: ProblemReport, *, key: str) -> Done:
        return await self._write(
            key,
            Operation.REPORT,
            [number, repr(report)],
            lambda *it: helping.plan_report(self.reader, number, report, *it),
        )

    async def change_address(self, number: str, address: Address, *, key: str) -> Done:
        return await self._write(
            key,
            Operation.CHANGE_ADDRESS,
            [number, repr(address)],
            lambda *it: changing.plan_address(self.reader, number, address, *it),
        )

    async def change_contact(
        self, customer_id: str, *, email: str = "", phone: str = "", key: str
    ) -> Done:
        return await self._write(
            key,
            Operation.CHANGE_CONTACT,
            [customer_id, email, phone],
            lambda _, deadline: changing.plan_contact(
                self.reader,
                customer_id,
                email=email,
                phone=phone,
                country=self.country,
                deadline=deadline,
            ),
        )

    async def send_invoice(self, number: str, *, key: str) -> Done:
        return await self._write(
            key,
            Operation.SEND_INVOICE,
            [number],
            lambda *it: helping.plan_invoice(self.reader, number, *it),
        )

    async def unsubscribe(self, email: str, *, key: str) -> Done:
        return await self._write(
            key,
            Operation.UNSUBSCRIBE,
            [email],
            lambda *it: changing.plan_consent(self.reader, email, *it),
        )

    async def give_credit(self, number: str, amount: Money, reason: str, *, key: str) -> Done:
        return await self._write(
            key,
            Operation.GIVE_CREDIT,
            [number, amount.minor, amount.currency, reason],
            lambda mark, deadline: helping.plan_voucher(
                self.reader,
                number,
                amount,
                reason,
                code=helping.voucher_code(self._secret, mark),
                deadline=deadline,
            ),
        )

    async def outcome(self, key: str) -> Done | None:
        return await self.once.outcome(key)

    # The connection.

    async def check(self) -> str:
        try:
            facts = await self.reader.facts(self._deadline(), fresh=True)
        except Denied as error:
            raise NotAllowed(str(error)) from error
        granted = facts.scopes | {
            it.replace("write_", "read_", 1) for it in facts.scopes if it.startswith("write_")
        }
        missing = [f"{scope} ({why})" for scope, why in SCOPES.items() if scope not in granted]
        if missing:
            raise NotAllowed(
                f"the app in {facts.domain} lacks access scopes: {', '.join(missing)}. Add them in "
                "the app's settings, and install it again (docs/shopify.md)"
            )
        said = f"Shopify {self.client.served or VERSION}, {facts.name} ({facts.domain})"
        if ALL_ORDERS not in granted:
            said += f"; orders of the last 60 days only, for want of {ALL_ORDERS}"
        return said

    async def close(self) -> None:
        await self.client.close()

    def _deadline(self) -> Deadline:
        return Deadline(self.timeout)

    async def _write(
        self,
        key: str,
        operation: Operation,
        of: list[Any],
        plan: Callable[[str, Deadline], Awaitable[Plan]],
    ) -> Done:
        return await self.once.do(key, str(operation), of, plan)


ACTS = {
    str(Operation.CANCEL): Act(cancelling.act, cancelling.seen),
    str(Operation.START_RETURN): Act(returning.act, returning.seen),
    str(Operation.REPORT): Act(helping.act_report, helping.seen_report),
    str(Operation.CHANGE_ADDRESS): Act(changing.act_address, changing.seen_address),
    str(Operation.CHANGE_CONTACT): Act(changing.act_contact, changing.seen_contact),
    str(Operation.SEND_INVOICE): Act(helping.act_invoice, helping.seen_invoice),
    str(Operation.UNSUBSCRIBE): Act(changing.act_consent, changing.seen_consent),
    str(Operation.GIVE_CREDIT): Act(helping.act_voucher, helping.seen_voucher),
}

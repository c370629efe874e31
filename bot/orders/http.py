"""Any shop that implements our HTTP contract: `docs/orders-api.yaml`, explained in `docs/orders.md`."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from bot.orders import wire
from bot.orders.contract import (
    Address,
    Customer,
    Done,
    GiftCard,
    Money,
    NotAllowed,
    NotFound,
    Operation,
    Order,
    Part,
    ProblemReport,
    ReturnRequest,
)
from bot.orders.http_calls import LONGEST, Calls, Route, odd, segment, worth_asking


class _Hello(BaseModel, strict=True):
    """What a shop says of itself."""

    name: str
    version: str = ""
    can: list[str]


class _Outcome(BaseModel, strict=True):
    """What became of a key; null: nothing was done."""

    done: dict[str, Any] | None


class HttpShop:
    """An `OrderSystem` behind our HTTP contract; `Calls` tells what its failures mean.

    ``can`` is everything until `check` has asked the shop.

    Args:
        url: where it is: ``https://shop.example/rapport``.
        token: sent as ``Authorization: Bearer``.
        timeout: seconds for a whole call, the one repetition of a question included.

    Raises:
        ValueError: the address or the token is none.
    """

    name = "http"

    def __init__(self, url: str, token: str, *, timeout: float = 5.0):
        self.can = frozenset(Operation)
        self._calls = Calls(url, token, timeout=timeout)

    # Reading.

    async def order(self, number: str) -> Order:
        route = Route("GET", "/orders/{}", segment(number))
        found = await self._calls.read(Order, route)
        if found.number.casefold() != number.casefold():
            raise odd(route, "number: another order than was asked for")
        return found

    async def orders_of(self, customer_id: str, limit: int = 10) -> list[Order]:
        if limit < 1:
            return []
        try:
            ident = segment(customer_id)
            route = Route("GET", "/customers/{}/orders", ident, f"?limit={limit}")
            found = await self._calls.read(list[Order], route)
        except NotFound:
            return []
        if any(order.customer_id != customer_id for order in found):
            raise odd(route, "customer_id: another customer's order")
        return sorted(found, key=lambda it: it.placed_at, reverse=True)[:limit]

    async def customer(self, customer_id: str) -> Customer:
        route = Route("GET", "/customers/{}", segment(customer_id))
        found = await self._calls.read(Customer, route)
        if found.id != customer_id:
            raise odd(route, "id: another account than was asked for")
        return found

    async def customer_by_email(self, email: str) -> Customer:
        route, body = Route("POST", "/customers/find"), {"email": worth_asking(email)}
        found = await self._calls.read(Customer, route, body)
        if found.email.casefold() != email.casefold():
            raise odd(route, "email: another account than was asked for")
        return found

    async def gift_card(self, code: str) -> GiftCard:
        body = {"code": worth_asking(code)}
        return await self._calls.read(GiftCard, Route("POST", "/gift-cards/balance"), body)

    async def outcome(self, key: str) -> Done | None:
        route = Route("GET", "/outcomes/{}", wire.checked_key(key))
        found = await self._calls.read(_Outcome, route)
        try:
            return None if found.done is None else wire.read(Done, json.dumps(found.done))
        except wire.Misfit as misfit:
            raise odd(route, f"done.{misfit}") from None

    async def check(self) -> str:
        hello = await self._calls.read(_Hello, Route("GET", "/"))
        known = {str(it) for it in Operation}
        self.can = frozenset(Operation(it) for it in hello.can if it in known)
        return f"{hello.name} {hello.version}".strip()[:LONGEST] or "a shop without a name"

    # Writing.

    async def cancel(self, number: str, parts: tuple[Part, ...], *, key: str) -> Done:
        body = {"parts": [wire.write(part) for part in parts]}
        return await self._write("/orders/{}/cancellation", number, body, key)

    async def start_return(self, number: str, request: ReturnRequest, *, key: str) -> Done:
        return await self._write("/orders/{}/returns", number, wire.write(request), key)

    async def report(self, number: str, report: ProblemReport, *, key: str) -> Done:
        return await self._write("/orders/{}/reports", number, wire.write(report), key)

    async def change_address(self, number: str, address: Address, *, key: str) -> Done:
        return await self._write("/orders/{}/address", number, wire.write(address), key)

    async def change_contact(
        self, customer_id: str, *, email: str = "", phone: str = "", key: str
    ) -> Done:
        body = {"email": email, "phone": phone}
        return await self._write("/customers/{}/contact", customer_id, body, key)

    async def send_invoice(self, number: str, *, key: str) -> Done:
        return await self._write("/orders/{}/invoice", number, {}, key)

    async def unsubscribe(self, email: str, *, key: str) -> Done:
        try:
            body = {"email": worth_asking(email)}
        except NotFound:
            raise NotAllowed("that is no e-mail address") from None
        return await self._calls.write(Route("POST", "/newsletter/unsubscribe"), body, key)

    async def give_credit(self, number: str, amount: Money, reason: str, *, key: str) -> Done:
        body = {"amount": wire.write(amount), "reason": reason}
        return await self._write("/orders/{}/credit", number, body, key)

    async def close(self) -> None:
        await self._calls.close()

    async def _write(self, path: str, value: str, body: dict[str, Any], key: str) -> Done:
        return await self._calls.write(Route("POST", path, segment(value)), body, key)

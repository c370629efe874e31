"""Shopify's Admin GraphQL API over HTTP: one request in, its data or an error of ours out.

Reads are sent again while there is time: when the connection broke, Shopify had a fault, or we
asked for too much at once. Writes are sent once. What came back decides what is known about them:

- no connection, a refusal (401, 403, 429, `THROTTLED`), a document that Shopify does not
  understand: nothing was done (`Unavailable`, `NotAllowed`)
- no answer, half an answer, a fault of Shopify's (5xx, `INTERNAL_SERVER_ERROR`): it may have been
  done (`Unknown`)
"""

from __future__ import annotations

import asyncio
import re
import ssl
from functools import cache
from typing import Any

import httpx

from bot.orders.contract import NotAllowed, Unavailable, Unknown
from bot.orders.shopify.access import Access
from bot.orders.shopify.clock import Deadline

NAME = re.compile(r"(?:query|mutation)\s+(\w+)")
PAUSE = 0.1  # seconds before the second attempt of a read; doubles
# They were not connected: the request never left.
BEFORE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
ADVICE = {
    401: "it does not know our token: was the app uninstalled, or its token replaced?",
    402: "the shop is frozen; its owner settles that with Shopify",
    403: "our token may not do this: install the app again with the scopes of docs/shopify.md",
    404: "there is no such shop or API version: check the domain and the version",
    423: "the shop is locked",
}


@cache
def _trust() -> ssl.SSLContext:
    """Whom we believe to be Shopify; reading the certificates takes its time, so once."""
    return httpx.create_ssl_context()


class Denied(Unavailable):
    """The app lacks an access scope, which the text names."""


class Slow(Unknown):
    """Shopify did not answer within our time, and may still be at it."""


class Again(Exception):
    """Nothing was done, and it may go better soon."""

    def __init__(self, why: str, pause: float = 0.0):
        super().__init__(why)
        self.pause = pause


class Client:
    """Requests to one shop.

    Args:
        access: who we are there.
        version: of the API, as ``2026-07``.
    """

    def __init__(self, access: Access, version: str):
        self.access = access
        self.url = f"{access.base}/admin/api/{version}/graphql.json"
        self.served = ""  # the version that answered: Shopify takes a newer one for an old one
        self._http: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def read(self, document: str, deadline: Deadline, /, **variables: Any) -> dict[str, Any]:
        """The data of a query.

        Raises:
            Unavailable: no answer within the time, or not a sensible one.
        """
        pause = PAUSE
        while True:
            try:
                return await self._ask(document, variables, deadline)
            except Again as error:
                wait = max(error.pause, pause)
                if wait >= deadline.left:
                    raise Unavailable(f"Shopify: {error}") from error
                await asyncio.sleep(wait)
                pause *= 2
            except Unknown as error:
                if pause >= deadline.left:
                    raise Unavailable(f"Shopify: {error}") from error
                await asyncio.sleep(pause)
                pause *= 2

    async def write(self, document: str, deadline: Deadline, /, **variables: Any) -> dict[str, Any]:
        """The data of a mutation.

        Raises:
            Unavailable: nothing was done.
            NotAllowed: nothing was done, the app may not.
            Unknown: it may have been done.
        """
        try:
            return await self._ask(document, variables, deadline)
        except Again as error:
            raise Unavailable(f"Shopify: {error}") from error
        except Denied as error:
            raise NotAllowed(str(error)) from error

    async def close(self) -> None:
        if self._http and self._loop is asyncio.get_running_loop():
            await self._http.aclose()
        self._http = None

    def _connections(self) -> httpx.AsyncClient:
        """Connections live in one event loop: another one gets its own."""
        loop = asyncio.get_running_loop()
        if self._http is None or self._loop is not loop:
            # Each request ends by its call's deadline; this is for what nobody waits for any more.
            self._http, self._loop = httpx.AsyncClient(timeout=60, verify=_trust()), loop
            self.access.opened()
        return self._http

    async def _ask(
        self, document: str, variables: dict[str, Any], deadline: Deadline
    ) -> dict[str, Any]:
        http = self._connections()
        token = await self.access.token(http, deadline)
        answer = await self._post(http, token, document, variables, deadline=deadline)
        if answer.status_code == 401 and self.access.renewable:
            self.access.drop(token)
            token = await self.access.token(http, deadline)
            answer = await self._post(http, token, document, variables, deadline=deadline)
        return self._data(answer)

    async def _post(
        self,
        http: httpx.AsyncClient,
        token: str,
        document: str,
        variables: dict[str, Any],
        *,
        deadline: Deadline,
    ) -> httpx.Response:
        named = NAME.search(document)
        body = {"query": document, "variables": variables}
        if named:
            body["operationName"] = named[1]
        if not deadline.left:
            raise Unavailable("Shopify took too long")
        try:
            async with asyncio.timeout(deadline.left):
                return await http.post(
                    self.url, json=body, headers={"X-Shopify-Access-Token": token}
                )
        except BEFORE as error:
            raise Again(f"no connection ({type(error).__name__})") from error
        except TimeoutError as error:
            raise Slow("no answer in time") from error
        except httpx.HTTPError as error:
            raise Unknown(f"no answer ({type(error).__name__})") from error

    def _data(self, answer: httpx.Response) -> dict[str, Any]:
        code = answer.status_code
        if code == 429:
            raise Again("too many requests", _seconds(answer.headers.get("Retry-After")))
        if code >= 500:
            raise Unknown(f"status {code}")
        if code != 200:
            said = ADVICE.get(code, "an answer that we do not understand")
            raise Unavailable(f"Shopify answers {code}: {said}")
        self.served = answer.headers.get("X-Shopify-API-Version", self.served)
        try:
            body = answer.json()
            data, errors = body.get("data"), body.get("errors")
        except (ValueError, AttributeError) as error:
            raise Unknown("the answer is no JSON object") from error
        if errors:
            _complain(errors, body)
        if not isinstance(data, dict):
            raise Unknown("the answer has no data")
        return data


def _complain(errors: Any, body: dict[str, Any]) -> None:
    """Raise what Shopify's errors mean."""
    found = errors if isinstance(errors, list) else [{"message": str(errors)}]
    said = "; ".join(str(it.get("message", it)) for it in found if isinstance(it, dict))
    codes = {(it.get("extensions") or {}).get("code") for it in found if isinstance(it, dict)}
    if "THROTTLED" in codes:
        raise Again("we ask for more than our share", _refill(body))
    if "INTERNAL_SERVER_ERROR" in codes or "TIMEOUT" in codes:
        raise Unknown(said)
    if "ACCESS_DENIED" in codes:
        raise Denied(f"Shopify denies access: {said}")
    raise Unavailable(f"Shopify does not take our request: {said}")


def _refill(body: dict[str, Any]) -> float:
    """Seconds until there are enough points for this request."""
    try:
        cost = body["extensions"]["cost"]
        status = cost["throttleStatus"]
        missing = cost["requestedQueryCost"] - status["currentlyAvailable"]
        return max(0.0, missing / status["restoreRate"])
    except (KeyError, TypeError, ZeroDivisionError):
        return 1.0


def _seconds(text: str | None) -> float:
    try:
        return max(0.0, float(text or 1))
    except ValueError:
        return 1.0

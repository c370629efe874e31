"""Who we are to Shopify: the shop's address, and the token that each request carries."""

from __future__ import annotations

import asyncio
import re
import time

import httpx

from bot.orders.contract import Unavailable
from bot.orders.shopify.clock import Deadline

SHOP = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")
EARLY = 300  # seconds before its end at which a token is renewed


def shop_domain(text: str) -> str:
    """``northpeak`` or ``northpeak.myshopify.com`` as the latter.

    The token is sent there, so nothing else passes: no path, no other host.

    Raises:
        ValueError: it is another thing.
    """
    name = text.strip().lower().removeprefix("https://").rstrip("/")
    name = name if "." in name else f"{name}.myshopify.com"
    if not SHOP.fullmatch(name):
        raise ValueError(
            f"{text!r} is no shop's domain: give the one that ends in .myshopify.com, "
            "which the Shopify admin shows under Settings > Domains"
        )
    return name


class Access:
    """The token for a shop.

    Args:
        base: the shop's address, without a slash at the end.
        token: an Admin API access token (``shpat_...``), which stays as it is; or ``ID:SECRET``,
            the client ID and the client secret of an app from the Dev Dashboard, with which a
            token is fetched that is good for a day, and another before it ends.
    """

    def __init__(self, base: str, token: str):
        self.base = base
        self._id, _, self._secret = token.strip().partition(":")
        self._token = "" if self._secret else self._id
        self._until = 0.0 if self._secret else float("inf")
        self._lock: asyncio.Lock | None = None

    @property
    def renewable(self) -> bool:
        """Whether a token that was refused can be replaced."""
        return bool(self._secret)

    def drop(self, token: str) -> None:
        """Shopify refused this token: fetch another next time."""
        if self.renewable and token == self._token:
            self._until = 0.0

    def opened(self) -> None:
        """A new event loop: its own lock."""
        self._lock = asyncio.Lock()

    async def token(self, http: httpx.AsyncClient, deadline: Deadline) -> str:
        """A token that is good now.

        Raises:
            Unavailable: there is none; the text says what to do.
        """
        assert self._lock
        async with self._lock:
            if time.time() < self._until - EARLY:
                return self._token
            return await self._fetch(http, deadline)

    async def _fetch(self, http: httpx.AsyncClient, deadline: Deadline) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._id,
            "client_secret": self._secret,
        }
        try:
            async with asyncio.timeout(deadline.left):
                answer = await http.post(f"{self.base}/admin/oauth/access_token", data=form)
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unavailable(f"Shopify gave no token: {type(error).__name__}") from error
        if answer.status_code != 200:
            raise Unavailable(
                f"Shopify gave no token (status {answer.status_code}): check the client ID and "
                "secret, and that the app is installed in this shop by the organisation that owns "
                "both"
            )
        try:
            body = answer.json()
            self._token, seconds = str(body["access_token"]), float(body["expires_in"])
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable("Shopify's answer to the request for a token is no token") from error
        self._until = time.time() + seconds
        return self._token

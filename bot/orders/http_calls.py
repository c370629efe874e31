"""Calls by our HTTP contract, and what their failures mean.

That depends on whether the request had left. A write whose answer is missing or makes no sense may
have been done (`Unknown`); what was never sent, or was refused, was not (`Unavailable`). Logs name
routes, states and fields, never what is in them.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote, urlsplit

import httpx
import structlog

from bot.orders import wire
from bot.orders.contract import (
    Conflict,
    Done,
    NotAllowed,
    NotFound,
    OrderError,
    Unavailable,
    Unknown,
)

T = TypeVar("T")

LARGEST = 1024 * 1024  # bytes of an answer
LONGEST = 200  # characters of a number, an id or an address that is worth asking for

_PROBLEM = "application/problem+json"
_CODES: dict[tuple[int, str], type[OrderError]] = {
    (404, "not_found"): NotFound,
    (403, "not_allowed"): NotAllowed,
    (409, "conflict"): Conflict,
}
_UNSENDABLE = re.compile("[\x00\ud800-\udfff]")  # JSON or databases do not take them
_DOTS = re.compile(r"(^|[/\\])\.{1,2}($|[/\\])")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

log = structlog.get_logger("orders")


@dataclass(frozen=True)
class Route:
    """A method and a path. ``{}`` in it stands for ``value``, which logs do not see."""

    method: str
    path: str
    value: str = ""
    query: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def where(self) -> str:
        return self.path.replace("{}", quote(self.value, safe="")) + self.query


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: httpx.Headers
    body: bytes

    def code(self) -> str:
        """The code of a problem; "" where it is none of ours."""
        if self.headers.get("content-type", "").partition(";")[0].strip().lower() != _PROBLEM:
            return ""
        try:
            problem = json.loads(self.body)
        except (ValueError, RecursionError):
            return ""
        code = problem.get("code") if isinstance(problem, dict) else None
        return code if isinstance(code, str) and re.fullmatch("[a-z_]{1,40}", code) else ""

    def wait(self) -> float | None:
        """Seconds until a question may be asked again; None: it may not, or need not."""
        after = self.headers.get("retry-after", "")
        busy = self.status in (429, 503) and re.fullmatch(r"[0-9]{1,6}", after)
        return float(after) if busy else None


class _TooLarge(Exception):
    """An answer that nobody wants to read."""


_FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TimeoutError, _TooLarge)


class Calls:
    """The way to one shop.

    Args:
        url: where it is: ``https://shop.example/rapport``.
        token: sent as ``Authorization: Bearer``.
        timeout: seconds for a whole call, its one repetition included.

    Raises:
        ValueError: the address or the token is none.
    """

    def __init__(self, url: str, token: str, *, timeout: float):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the shop's address starts with https://")
        if parts.query or parts.fragment or parts.username:
            raise ValueError("the shop's address has no user, “?” or “#” in it")
        if not re.fullmatch(r"[!-~]+", token):
            raise ValueError("the shop's token is printable ASCII without spaces")
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._client = httpx.AsyncClient(
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": f"application/json, {_PROBLEM}",
                "Accept-Encoding": "identity",  # what is small on the way may be large here
            },
            timeout=timeout,
            follow_redirects=False,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def read(self, kind: type[T], route: Route, body: Any = None) -> T:
        """Ask, and once more where that can help. Raises: NotFound, NotAllowed, Unavailable."""
        sent = asyncio.Event()
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._ask(route, body, sent)
        except _FAILURES as error:
            self._lost(route, error, Unavailable)
        if answer.status != 200:
            self._refused(route, answer, write=False)
        try:
            return wire.read(kind, answer.body)
        except wire.Misfit as misfit:
            raise odd(route, str(misfit)) from None

    async def write(self, route: Route, body: Any, key: str) -> Done:
        """Have something done, asking once only. Raises: every `OrderError`."""
        headers = {"Idempotency-Key": wire.checked_key(key)}
        sent = asyncio.Event()
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._send(route, body, headers, sent)
        except _FAILURES as error:
            self._lost(route, error, Unknown if sent.is_set() else Unavailable)
        if not 200 <= answer.status < 300:
            self._refused(route, answer, write=True)
        try:
            return wire.read(Done, answer.body)
        except wire.Misfit as misfit:
            log.warning("order_answer", route=str(route), misfit=str(misfit))
            raise Unknown(f"{route}: {misfit}") from None

    async def _ask(self, route: Route, body: Any, sent: asyncio.Event) -> _Answer:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout
        try:
            answer = await self._send(route, body, {}, sent)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            # Most of all a connection that was kept, and has gone in the meantime.
            return await self._send(route, body, {}, sent)
        wait = answer.wait()
        if wait is None or loop.time() + wait >= deadline:
            return answer
        await asyncio.sleep(wait)
        return await self._send(route, body, {}, sent)

    async def _send(
        self, route: Route, body: Any, headers: dict[str, str], sent: asyncio.Event
    ) -> _Answer:
        """One request. Sets ``sent`` as soon as any of it may have left."""

        async def trace(event: str, _: Any) -> None:
            if event.endswith("send_request_headers.started"):
                sent.set()

        content = None
        if body is not None:
            content = json.dumps(_sendable(body)).encode()
            headers = {**headers, "Content-Type": "application/json"}
        async with self._client.stream(
            route.method,
            self._url + route.where(),
            content=content,
            headers=headers,
            extensions={"trace": trace},
        ) as response:
            found = bytearray()
            async for piece in response.aiter_raw():
                found += piece
                if len(found) > LARGEST:
                    raise _TooLarge(f"an answer of more than {LARGEST} bytes")
            return _Answer(response.status_code, response.headers, bytes(found))

    def _lost(
        self, route: Route, error: Exception, kind: type[Unavailable] | type[Unknown]
    ) -> NoReturn:
        what = f"{route}: {type(error).__name__}"
        if isinstance(error, _TooLarge):
            what = f"{what}, {error}"
        elif isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            what = f"{what}: nobody answers at {self._url}"
        log.warning("order_call", call=what, meaning=kind.__name__)
        raise kind(what) from None

    def _refused(self, route: Route, answer: _Answer, *, write: bool) -> NoReturn:
        """Raise what an answer other than success means."""
        status, code = answer.status, answer.code()
        if ours := _CODES.get((status, code)):
            raise ours(f"{route}: {code}")
        kind: type[OrderError] = Unavailable
        text = f"answered {status}"
        if status in (401, 403):
            text += ": it does not take our token; compare it with the one that the shop expects"
        elif status == 404:
            text += " without our code: is this the address of the shop's interface for us?"
        elif 300 <= status < 400:
            text += ": redirects are not followed; set the address that it leads to"
        elif write and (status == 408 or status >= 500) and status != 503:
            kind = Unknown
        log.warning("order_call", call=f"{route}: {text}", code=code, meaning=kind.__name__)
        raise kind(f"{route}: {text}")


def odd(route: Route, misfit: str) -> Unavailable:
    """An answer that does not fit, as what the caller is told."""
    log.warning("order_answer", route=str(route), misfit=misfit)
    return Unavailable(f"{route}: {misfit}")


def segment(text: str) -> str:
    """A customer's number or id, where it can be one segment of a path. Raises: NotFound."""
    text = worth_asking(text)
    if _DOTS.search(text):  # servers and proxies would walk there
        raise NotFound("nothing has such a number")
    return text


def worth_asking(text: str) -> str:
    """What a customer gave, where a shop may know it. Raises: NotFound."""
    if not text.strip() or len(text) > LONGEST or _CONTROL.search(text):
        raise NotFound("nothing has such a number")
    return text


def _sendable(value: Any) -> Any:
    """The same without what JSON and databases do not take."""
    if isinstance(value, str):
        return _UNSENDABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {name: _sendable(it) for name, it in value.items()}
    return [_sendable(it) for it in value] if isinstance(value, list) else value

"""How what happens in the workspace reaches the app: over its web sockets, or by HTTP to its URL."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

EVENTS, COMMANDS, INTERACTIVE = "events_api", "slash_commands", "interactive"
FORM = "application/x-www-form-urlencoded"
AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"


@dataclass(frozen=True)
class Ack:
    """The app said it has something. ``seconds`` is how long that took since it was last sent."""

    envelope_id: str
    kind: str
    event_id: str | None
    time: float
    seconds: float
    payload: dict[str, Any] | None
    attempt: int
    how: str  # "socket" or "http"


@dataclass
class Delivery:
    """One thing the app is told, until it has acknowledged it or Slack gives up."""

    kind: str
    payload: dict[str, Any]
    event_id: str | None = None
    attempt: int = 0
    reason: str | None = None  # of the attempt after the first
    sent: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)  # what HTTP was answered
    ack: Ack | None = None
    gave_up: bool = False
    answered: Callable[[dict[str, Any] | None], None] = lambda payload: None
    envelopes: list[str] = field(default_factory=list)
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def response(self) -> dict[str, Any] | None:
        return self.ack.payload if self.ack else None


@dataclass(frozen=True)
class Answer:
    """What the app's URL answered."""

    status: int
    headers: dict[str, str]
    text: str


class Dispatcher:
    """Lives in the server's loop; what is not said to be otherwise is called there."""

    def __init__(self, secret: Callable[[], str], ack_seconds: float, delays: tuple[float, ...]):
        self._secret = secret
        self.ack_seconds, self.delays = ack_seconds, delays
        self.deliveries: list[Delivery] = []
        self.acks: list[Ack] = []
        self.sockets: dict[web.WebSocketResponse, asyncio.BaseTransport | None] = {}
        self.urls: dict[str, str] = {}
        self.away = False
        self.held: list[Delivery] | None = None
        self._envelopes: dict[str, Delivery] = {}
        self._turn = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._http = aiohttp.ClientSession(trust_env=False)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await self.cut_sockets()
        if self._http:
            await self._http.close()

    async def start(self, delivery: Delivery) -> None:
        if self.held is not None:
            self.held.append(delivery)
        else:
            self._spawn(delivery)

    async def hold(self) -> None:
        if self.held is None:
            self.held = []

    async def release(self, reverse: bool) -> None:
        held, self.held = self.held or [], None
        for delivery in reversed(held) if reverse else held:
            self._spawn(delivery)

    def _spawn(self, delivery: Delivery) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, delivery: Delivery) -> None:
        """Only events come again. A command or a press that is not acknowledged in time is lost,
        and whoever did it is told so."""
        delays = self.delays if delivery.kind == EVENTS else ()
        for delay in (0.0, *delays):
            await asyncio.sleep(delay)
            delivery.sent.append(time.time())
            delivery.reason = await self._attempt(delivery)
            if delivery.reason is None or delivery.reason == "no_retry":
                break
            delivery.attempt += 1
        if delivery.ack is None:
            delivery.gave_up = True

    async def _attempt(self, delivery: Delivery) -> str | None:
        """Why it has to be tried again, if it has to be."""
        if delivery.kind in self.urls and not self.away:
            return await self._by_http(delivery, self.urls[delivery.kind])
        return await self._by_socket(delivery)

    # Socket Mode.

    async def _by_socket(self, delivery: Delivery) -> str | None:
        envelope = str(uuid.uuid4())
        delivery.envelopes.append(envelope)
        self._envelopes[envelope] = delivery
        message: dict[str, Any] = {
            "envelope_id": envelope, "type": delivery.kind, "payload": delivery.payload,
            "accepts_response_payload": delivery.kind != EVENTS,
        }  # fmt: skip
        if delivery.kind == EVENTS:
            message |= {"retry_attempt": delivery.attempt, "retry_reason": delivery.reason or ""}
        open_ones = [it for it in self.sockets if not it.closed]
        if open_ones:
            self._turn += 1
            with contextlib.suppress(ConnectionError, RuntimeError):
                await open_ones[self._turn % len(open_ones)].send_json(message)
        elif delivery.kind != EVENTS:
            return "dispatch_failed"
        try:
            await asyncio.wait_for(delivery._heard.wait(), self.ack_seconds)
        except TimeoutError:
            return "timeout"
        return None

    def acknowledged(self, message: dict[str, Any]) -> None:
        """Something came over a socket. An answer that comes too late still counts for nothing more
        than that it came."""
        delivery = self._envelopes.get(message.get("envelope_id", ""))
        if delivery is not None:
            self._note(delivery, message["envelope_id"], message.get("payload"), "socket")

    def _note(
        self, delivery: Delivery, envelope: str, payload: dict[str, Any] | None, how: str
    ) -> None:
        now = time.time()
        ack = Ack(
            envelope, delivery.kind, delivery.event_id, now, now - delivery.sent[-1], payload,
            delivery.attempt, how,
        )  # fmt: skip
        self.acks.append(ack)
        if delivery.ack is None and not delivery.gave_up:
            delivery.ack = ack
            delivery.answered(payload)
        delivery._heard.set()

    async def say(self, message: dict[str, Any]) -> None:
        for socket in list(self.sockets):
            with contextlib.suppress(ConnectionError, RuntimeError):
                await socket.send_json(message)

    async def cut_sockets(self) -> None:
        """As when a cable is pulled: no goodbye."""
        for transport in self.sockets.values():
            if isinstance(transport, asyncio.Transport):
                transport.abort()
        self.sockets.clear()

    # HTTP.

    async def _by_http(self, delivery: Delivery, url: str) -> str | None:
        body, kind = _body(delivery)
        headers = {}
        if delivery.attempt:
            headers["X-Slack-Retry-Num"] = str(delivery.attempt)
            headers["X-Slack-Retry-Reason"] = str(delivery.reason)
        try:
            answer = await self.post(url, body, kind, headers=headers, seconds=self.ack_seconds)
        except TimeoutError:
            return "http_timeout"
        except aiohttp.ClientError:
            return "connection_failed"
        delivery.statuses.append(answer.status)
        if answer.status != 200:
            wanted = answer.headers.get("x-slack-no-retry") != "1"
            return "http_error" if wanted else "no_retry"
        self._note(delivery, "", _answer_payload(answer), "http")
        return None

    async def post(
        self,
        url: str,
        body: str,
        kind: str = "application/json",
        *,
        secret: str | None = None,
        age: float = 0,
        headers: dict[str, str] | None = None,
        seconds: float = 10,
    ) -> Answer:
        """Signed as Slack signs, or with another secret, or long ago."""
        assert self._http is not None
        stamp = str(int(time.time() - age))
        signed = {
            "Content-Type": kind, "User-Agent": AGENT, "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature(secret or self._secret(), stamp, body),
        }  # fmt: skip
        async with self._http.post(
            url,
            data=body.encode(),
            headers=signed | (headers or {}),
            timeout=aiohttp.ClientTimeout(total=seconds),
        ) as response:
            lower = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, lower, await response.text())


def signature(secret: str, stamp: str, body: str) -> str:
    signed = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256)
    return f"v0={signed.hexdigest()}"


def _body(delivery: Delivery) -> tuple[str, str]:
    if delivery.kind == EVENTS:
        return json.dumps(delivery.payload), "application/json"
    if delivery.kind == COMMANDS:
        return urlencode(delivery.payload), FORM
    return urlencode({"payload": json.dumps(delivery.payload)}), FORM


def _answer_payload(answer: Answer) -> dict[str, Any] | None:
    if not answer.text:
        return None
    if answer.headers.get("content-type", "").startswith("application/json"):
        payload = json.loads(answer.text)
        return payload if isinstance(payload, dict) else None
    return {"text": answer.text}

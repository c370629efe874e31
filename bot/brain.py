"""One question to the engine, and the four ways it can end: heard, failed, silent, unavailable."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp

ASK_PATH = "/webhooks/rapport/ask"
MOST_AT_ONCE = 256  # turns in flight; the others wait for one to end


@dataclass(frozen=True)
class Turn:
    """One customer message on its way to the engine."""

    id: str
    conversation_id: str
    text: str
    attempt: int = 1
    mood: dict[str, Any] | None = None
    offer: dict[str, Any] | None = None
    """An offer of a person that the gateway added to the reply before this message."""


@dataclass(frozen=True)
class Heard:
    """What the engine understood, felt, did and said."""

    replies: tuple[dict[str, Any], ...]
    intent: str
    confidence: float
    entities: list[dict[str, Any]] = field(default_factory=list)
    emotion: dict[str, Any] = field(default_factory=dict)
    mood: dict[str, Any] | None = None
    actions: list[str] = field(default_factory=list)
    slots: dict[str, Any] = field(default_factory=dict)


class BrainError(Exception):
    """The engine did not answer this turn; ``kind`` is the word for the record."""

    kind = "error"


class BrainUnavailable(BrainError):
    """Nobody answered before the deadline: the engine is down, starting or stuck."""

    kind = "unavailable"


class BrainFailed(BrainError):
    """The engine answered that the turn failed inside."""

    kind = "failed"


class BrainSilent(BrainError):
    """The engine did its work and said nothing, which is a failure to the customer."""

    kind = "silent"


class Brain:
    """The engine, over HTTP on loopback.

    Args:
        url: where Rasa listens.
        secret: the shared secret that our connector wants.
        ask_seconds: deadline of one turn, retries while the engine starts included.
        orders: whether orders can be looked up, which the wording follows.
    """

    def __init__(self, url: str, secret: str, ask_seconds: float = 10.0, *, orders: bool = False):
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {secret}"}
        self._ask_seconds = ask_seconds
        self._orders = orders
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, turn: Turn) -> Heard:
        """Put one turn to the engine.

        Raises:
            BrainUnavailable: no answer before the deadline.
            BrainFailed: the engine reports a failure, or answers what we do not understand.
            BrainSilent: there was no reply in the answer.
        """
        deadline = time.monotonic() + self._ask_seconds
        pause = 0.1
        attempt = turn.attempt
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise BrainUnavailable(f"no answer within {self._ask_seconds:g} s")
            try:
                response = await asyncio.wait_for(self._post(turn, attempt), left)
            except TimeoutError as error:
                raise BrainUnavailable(f"no answer within {self._ask_seconds:g} s") from error
            except aiohttp.ClientError:
                # Not there, starting, or killed in the middle of this turn. The engine does the
                # same turn again without harm: it knows a turn by its id.
                attempt += 1
                await asyncio.sleep(min(pause, max(0.0, deadline - time.monotonic())))
                pause = min(1.0, pause * 2)
                continue
            if response.status == 503:
                await asyncio.sleep(min(pause, max(0.0, deadline - time.monotonic())))
                pause = min(1.0, pause * 2)
                continue
            return _heard(response)

    async def ready(self) -> bool:
        """Whether the engine has a model loaded and answers our connector."""
        url, timeout = f"{self._url}/webhooks/rapport/ready", aiohttp.ClientTimeout(2.0)
        try:
            async with self._open().get(url, timeout=timeout) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        """The connections, which belong to the loop that is running."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(self._ask_seconds, sock_connect=2.0),
                connector=aiohttp.TCPConnector(limit=MOST_AT_ONCE),
                trust_env=False,  # loopback only: a proxy setting must not carry turns elsewhere
            )
        return self._session

    async def _post(self, turn: Turn, attempt: int) -> _Response:
        asked = {
            "conversation_id": turn.conversation_id,
            "turn_id": turn.id,
            "text": turn.text,
            "attempt": attempt,
            "mood": turn.mood,
            "offer": turn.offer,
            "orders": self._orders,
        }
        async with self._open().post(f"{self._url}{ASK_PATH}", json=asked) as response:
            return _Response(response.status, await response.read())


@dataclass(frozen=True)
class _Response:
    status: int
    body: bytes


def _heard(response: _Response) -> Heard:
    if response.status != 200:
        raise BrainFailed(f"the engine answered {response.status}: {_detail(response)}")
    try:
        body = json.loads(response.body)
        heard = Heard(
            replies=tuple(body["replies"]),
            intent=str(body["intent"]["name"]),
            confidence=float(body["intent"]["confidence"]),
            entities=body["entities"],
            emotion=body["emotion"],
            mood=body["mood"],
            actions=body["actions"],
            slots=body["slots"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BrainFailed(f"the engine's answer cannot be read: {type(error).__name__}") from error
    if not heard.replies:
        raise BrainSilent(f"no reply after {', '.join(heard.actions) or 'no action'}")
    return heard


def _detail(response: _Response) -> str:
    try:
        return str(json.loads(response.body).get("detail", ""))[:200]
    except (ValueError, AttributeError):
        return "no reason given"

"""The public web API: open a conversation, write, read, be told when there is something to read."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sse_starlette.sse import EventSourceResponse, ServerSentEvent

from bot.identity import NotProven, proven
from bot.settings import Settings
from bot.support import Conflict, NotFound, Received, Support, TooMany
from bot.turns import Turns
from bot.wakeups import Wakeups
from bot.wording import ASKS_FOR_PERSON
from channels.contract import CannotText, Inbound, Outbound, Texting

CHANNEL = "web"
PING_SECONDS = 15
LOOK_SECONDS = 2.0  # how soon news from another gateway are noticed; our own arrive at once
LONGEST_BODY = 64 * 1024


class Opened(BaseModel):
    """A new conversation. The token is shown once and opens this conversation only."""

    conversation_id: str
    token: str


class NewMessage(BaseModel):
    """What the customer wrote. The same ``client_id`` again has no second effect."""

    model_config = ConfigDict(extra="forbid")

    client_id: UUID
    text: Annotated[str, StringConstraints(min_length=1)]


class PersonRequest(BaseModel):
    """The customer pressed "talk to a person"."""

    model_config = ConfigDict(extra="forbid")

    client_id: UUID


class Signed(BaseModel):
    """Who is signed in on the shop's site: a JWT, see docs/identity.md."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, StringConstraints(min_length=1, max_length=4000)]


class Phone(BaseModel):
    """The number at which the customer wants to go on."""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[str, StringConstraints(min_length=3, max_length=40)]


class Code(BaseModel):
    """The six digits that were texted."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, StringConstraints(min_length=1, max_length=20)]


class SentTo(BaseModel):
    """The number, all but its end."""

    number: str


class Accepted(BaseModel):
    """The message is stored; the answer comes as a message of its own."""

    message_id: int


class Source(BaseModel):
    """The passage that an answer was taken from, word for word."""

    title: str
    heading: str
    url: str
    article: str
    hash: str = Field(description="SHA-256 of the passage's text")
    confidence: float


class Button(BaseModel):
    """A suggested reply: send ``text`` as the next message."""

    title: str
    text: str


class OrderLine(BaseModel):
    """So many of one product."""

    title: str
    count: int = Field(description="as ordered")
    left: int = Field(description="of these neither cancelled nor returned")


class Parcel(BaseModel):
    """One parcel of an order."""

    state: str
    words: str = Field(description="the state, as it is said")
    carrier: str
    url: str = Field(description="where to follow it: https, or empty")


class OrderCard(BaseModel):
    """The order that a message is about, as it stood when the message was written."""

    number: str
    state: Literal["received", "packed", "dispatched", "ready_to_collect", "delivered", "cancelled"]
    words: str = Field(description="the state, as it is said")
    placed: str | None = Field(description="YYYY-MM-DD")
    promised: str | None = Field(description="YYYY-MM-DD")
    total: str
    lines: list[OrderLine]
    more: int = Field(description="lines that are not among these")
    parcels: list[Parcel]


class Message(BaseModel):
    """One message of the transcript."""

    id: int = Field(description="1, 2, 3 … in this conversation")
    author: Literal["customer", "bot", "agent", "system"]
    author_name: str = Field(description="an agent's first name, else empty")
    text: str = Field(description="markdown from the bot, plain text from everybody else")
    time: datetime
    client_id: str | None = Field(description="the customer's own id of the message")
    sources: list[Source]
    buttons: list[Button]
    order: OrderCard | None


class Transcript(BaseModel):
    """The messages asked for, and how the conversation stands."""

    messages: list[Message]
    owner: Literal["bot", "waiting", "human", "resolved"]
    typing: bool = Field(description="the bot is working on an answer")
    ticket: str | None = Field(description="the number of the open request for a person")


class WebChannel:
    """Delivery on the web: the message is readable already, so its readers are told to look."""

    name = CHANNEL

    def __init__(self, wakeups: Wakeups):
        self._wakeups = wakeups

    async def send(self, outbound: Outbound) -> None:
        self._wakeups.wake(outbound.conversation_id)

    async def taken(self, outbound: Outbound) -> bool:
        return True  # it is in the store, and the page reads it from there


class Doorkeeper:
    """Who may pass, and how fast."""

    def __init__(self, support: Support, settings: Settings):
        self._support = support
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._messages = parse(settings.message_rate)
        self._conversations = parse(settings.conversation_rate)
        self.longest = settings.max_message_characters

    async def authorise(
        self, conversation_id: str, authorization: Annotated[str, Header()] = ""
    ) -> str:
        """The conversation's id, once its token was shown; else 404, known or not."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise not_found()
        try:
            await to_thread.run_sync(self._support.authorise, conversation_id, token.strip())
        except NotFound as error:
            raise not_found() from error
        return conversation_id

    def may_open(self, address: str) -> None:
        if not self._limiter.hit(self._conversations, "open", address):
            raise too_fast("Too many conversations were opened from this address.", 60)

    def may_write(self, conversation_id: str) -> bool:
        return self._limiter.hit(self._messages, "write", conversation_id)

    def check_length(self, text: str) -> None:
        if len(text) > self.longest:
            raise HTTPException(
                413,
                f"This message has {len(text)} characters; {self.longest} can be sent at once.",
            )
        if not text.strip():
            raise HTTPException(422, "The message is empty.")
        if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise HTTPException(422, "The message holds characters that cannot be stored.")


def router(
    support: Support,
    turns: Turns,
    wakeups: Wakeups,
    settings: Settings,
    texting: Texting | None = None,
) -> APIRouter:
    """The routes under ``/api``. With ``texting`` a conversation can go on by text."""
    api = APIRouter(prefix="/api", tags=["conversations"])
    door = Doorkeeper(support, settings)
    authorised = Depends(door.authorise)

    async def accept(inbound: Inbound) -> Accepted:
        received = await store(inbound)
        if received.lease:
            turns.start(inbound.conversation_id, received.lease)
        return Accepted(message_id=received.message_id)

    async def store(inbound: Inbound) -> Received:
        if not door.may_write(inbound.conversation_id):
            # A repetition of what was accepted is no new message, however fast it comes.
            known = await to_thread.run_sync(support.known, inbound.channel, inbound.vendor_id)
            if known is None:
                raise too_fast("You are writing faster than we can read. Wait a moment.", 5)
            return Received(known, duplicate=True, lease=None)
        try:
            return await to_thread.run_sync(support.receive, inbound)
        except NotFound as error:
            raise not_found() from error

    @api.post("/conversations", status_code=201)
    async def open_conversation(request: Request) -> Opened:
        """Open a conversation."""
        door.may_open(request.client.host if request.client else "unknown")
        spoken = request.headers.get("accept-language", "")[:2].lower()
        language = spoken if spoken.isalpha() else None
        opened = await to_thread.run_sync(support.open_conversation, CHANNEL, language)
        return Opened(conversation_id=opened.conversation_id, token=opened.token)

    @api.post(
        "/conversations/{conversation_id}/messages",
        status_code=202,
        responses={
            404: {"description": "No such conversation, or not its token."},
            413: {"description": "The message is too long."},
            429: {"description": "Too fast; Retry-After says when to try again."},
        },
    )
    async def write(message: NewMessage, conversation_id: str = authorised) -> Accepted:
        """Write a message. It is stored before this answers; the reply is read separately."""
        door.check_length(message.text)
        return await accept(
            Inbound(
                CHANNEL, conversation_id, f"{conversation_id}/{message.client_id}", message.text
            )
        )

    @api.post("/conversations/{conversation_id}/person", status_code=202)
    async def ask_for_person(wish: PersonRequest, conversation_id: str = authorised) -> Accepted:
        """Ask for a person. Works whether or not the assistant does."""
        return await accept(
            Inbound(
                CHANNEL,
                conversation_id,
                f"{conversation_id}/{wish.client_id}",
                ASKS_FOR_PERSON,
                asks_for_person=True,
            )
        )

    @api.get("/conversations/{conversation_id}/messages")
    async def read(
        conversation_id: str = authorised, after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0
    ) -> Transcript:
        """The messages after number ``after``, in order."""
        return Transcript.model_validate(
            await to_thread.run_sync(support.read, conversation_id, after)
        )

    @api.post("/conversations/{conversation_id}/identity", status_code=204)
    async def identify(signed: Signed, conversation_id: str = authorised) -> Response:
        """Say who writes, as the shop's site has signed it."""
        secret = settings.identity_secret.get_secret_value()
        try:
            identity = proven(signed.token, secret, time.time())
            await to_thread.run_sync(support.identify, conversation_id, identity)
        except NotProven as error:
            raise HTTPException(403, str(error)) from error
        except Conflict as error:
            raise HTTPException(409, str(error)) from error
        return Response(status_code=204)

    if texting is not None:
        _continuing(api, authorised, support, texting)

    @api.get(
        "/conversations/{conversation_id}/events",
        response_class=Response,
        responses={200: {"content": {"text/event-stream": {}}, "description": "`event: news`"}},
    )
    async def events(request: Request, conversation_id: str = authorised) -> EventSourceResponse:
        """Server-sent events that only say that something new is there to read."""

        async def news() -> AsyncIterator[ServerSentEvent]:
            with wakeups.listener(conversation_id) as listener:
                yield ServerSentEvent(event="news", data="{}")  # look once: we listen from now on
                seen = await to_thread.run_sync(support.stand, conversation_id)
                while not await request.is_disconnected():
                    woken = await listener.wait(LOOK_SECONDS)
                    stand = await to_thread.run_sync(support.stand, conversation_id)
                    if woken or stand != seen:
                        seen = stand
                        yield ServerSentEvent(event="news", data="{}")

        return EventSourceResponse(news(), ping=PING_SECONDS, headers={"Cache-Control": "no-store"})

    return api


def _continuing(api: APIRouter, authorised: Any, support: Support, texting: Texting) -> None:
    """Going on by text, with a number that is proven by a code."""

    @api.post("/conversations/{conversation_id}/phone", status_code=202)
    async def phone(wish: Phone, conversation_id: str = authorised) -> SentTo:
        """Send a code to a number."""
        number = texting.normal(wish.number)
        if number is None:
            raise HTTPException(422, "This is no phone number. Write it with its country code.")
        try:
            made = await to_thread.run_sync(
                support.make_code, conversation_id, texting.channel, number
            )
            await to_thread.run_sync(texting.send_code, made.address, made.code)
        except (Conflict, CannotText) as error:
            raise HTTPException(409, str(error)) from error
        except TooMany as error:
            raise HTTPException(429, str(error), headers={"Retry-After": "3600"}) from error
        return SentTo(number=f"{number[:3]}…{number[-3:]}")

    @api.post("/conversations/{conversation_id}/phone/confirm", status_code=204)
    async def confirm(said: Code, conversation_id: str = authorised) -> Response:
        """Prove the number by its code. From then on replies go there, too."""

        def use() -> None:
            support.use_code(
                conversation_id, said.code, via=texting.sender, words=texting.continues
            )

        try:
            await to_thread.run_sync(use)
        except NotFound as error:
            raise HTTPException(404, str(error)) from error
        except Conflict as error:
            raise HTTPException(409, str(error)) from error
        except TooMany as error:
            raise HTTPException(429, str(error)) from error
        return Response(status_code=204)


def not_found() -> HTTPException:
    return HTTPException(404, "There is no such conversation.")


def too_fast(reason: str, seconds: int) -> HTTPException:
    return HTTPException(429, reason, headers={"Retry-After": str(seconds)})


def describe(error: dict[str, Any]) -> str:
    """A validation error in words: where, and what is expected."""
    place = ".".join(str(part) for part in error["loc"] if part not in ("body", "query", "path"))
    return f"{place or 'body'}: {error['msg']}"

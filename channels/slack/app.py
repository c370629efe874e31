"""Slack's way in: Bolt checks what comes, we store it, and only then is it acknowledged."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from slack_bolt.adapter.fastapi.async_handler import AsyncSlackRequestHandler
from slack_bolt.adapter.socket_mode.websockets import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.editing import Editing
from bot.settings import Settings
from bot.store.agents import Agents
from bot.support import Support
from channels.slack.ask import Asking
from channels.slack.inbox import Inbox
from channels.slack.posts import Poster
from channels.slack.serve import Serving
from knowledge_base.search import KnowledgeBase

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0  # seconds between two tries to connect
_ALL = re.compile(".*", re.DOTALL)

log = structlog.get_logger("slack")


class Slack:
    """The whole of it: what comes in, what is done about it, what goes out."""

    def __init__(
        self,
        support: Support,
        agents: Agents,
        knowledge_base: KnowledgeBase,
        editing: Editing,
        settings: Settings,
    ):
        self._settings = settings
        database = support.database
        # Bolt's own retries would post a second time after a connection that broke.
        self.client = AsyncWebClient(
            token=settings.slack_bot_token.get_secret_value(),
            base_url=settings.slack_api_url,
            retry_handlers=[],
            timeout=10,
        )
        self.serving = (
            Serving(support, agents, self.client, settings) if settings.slack_queues else None
        )
        self.asking = Asking(database, knowledge_base, editing, self.client, settings, self.serving)
        self.inbox = Inbox(database, self.asking.handle)
        self.poster = Poster(database, self.client)
        self.app = _app(self.client, settings, self.inbox.take)

    async def run(self) -> None:
        """Until cancelled: the inbox, the posts, and the socket where there is no public address."""
        parts = [self.inbox.run(), self.poster.run()]
        token = self._settings.slack_app_token.get_secret_value()
        if self.serving is not None:
            parts.append(self.serving.run())
        if token:
            parts.append(self._listen(token))
        await asyncio.gather(*parts)

    async def _listen(self, token: str) -> None:
        """Socket Mode. The handler reconnects by itself; one that never connected is made anew, for
        the address that it got is good for once."""
        pause = FIRST_PAUSE
        while True:
            handler = AsyncSocketModeHandler(self.app, token)
            try:
                await handler.connect_async()
                log.info("slack.connected")
                pause = FIRST_PAUSE
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await handler.close_async()
                raise
            except Exception as error:
                log.error("slack.not_connected", reason=f"{type(error).__name__}: {error}"[:200])
                await handler.close_async()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def router(self) -> APIRouter:
        """``POST /channels/slack``, for HTTP with signatures."""
        routes = APIRouter(include_in_schema=False)
        handler = AsyncSlackRequestHandler(self.app)
        verifier = SignatureVerifier(self._settings.slack_signing_secret.get_secret_value())

        @routes.post("/channels/slack")
        async def slack(request: Request) -> Response:
            """Events, commands and buttons, signed by Slack; anything else is 401."""
            if not _signed(verifier, request.headers, await request.body()):
                log.warning("slack.unsigned")
                return Response("Not signed by Slack.", 401)
            answer: Response = await handler.handle(request)
            return answer

        return routes


def _signed(verifier: SignatureVerifier, headers: Mapping[str, str], body: bytes) -> bool:
    """Looked at before Bolt does, which raises at bytes that are no text and stamps that are none."""
    stamp = headers.get("x-slack-request-timestamp", "")
    signature = headers.get("x-slack-signature", "")
    try:
        body.decode("utf-8")
        return bool(verifier.is_valid(body, stamp, signature))
    except (ValueError, TypeError):
        return False


def _app(
    client: AsyncWebClient, settings: Settings, take: Callable[[dict[str, Any]], Awaitable[None]]
) -> AsyncApp:
    async def store(body: dict[str, Any], next: Callable[[], Awaitable[None]]) -> None:
        # Raises when the store does; then Slack gets no acknowledgement, and sends it again.
        await take(body)
        await next()

    app = AsyncApp(
        client=client,
        signing_secret=settings.slack_signing_secret.get_secret_value() or "by socket only",
        before_authorize=store,
        # It would answer 200 to anybody who writes ssl_check=1; Slack asks so no more.
        ssl_check_enabled=False,
    )

    # Whatever is stored is acknowledged: without a listener Slack would send it again.
    async def nothing() -> None: ...

    async def acknowledge(ack: Callable[[], Awaitable[None]]) -> None:
        await ack()

    app.event(_ALL)(nothing)
    for kind in (app.command, app.action, app.view, app.shortcut, app.options):
        kind(_ALL)(acknowledge)
    return app

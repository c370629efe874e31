"""The server itself, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
import time
from collections.abc import Coroutine, Iterable
from concurrent.futures import Future
from typing import Any

from aiohttp import WSMsgType, web

from bot.simulate.slackd.api import Api, Limits, arguments
from bot.simulate.slackd.delivery import COMMANDS, EVENTS, INTERACTIVE, Answer, Dispatcher
from bot.simulate.slackd.faults import Fault, Faults
from bot.simulate.slackd.looking import Call, Looking
from bot.simulate.slackd.people import People
from bot.simulate.slackd.views import Views
from bot.simulate.slackd.workspace import SCOPES, Workspace


class Slackd(Looking, People, Faults):
    """``with Slackd() as slack:`` and everything is at ``slack.url``."""

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        scopes: Iterable[str] = SCOPES,
        ack_seconds: float = 3.0,
        retry_delays: tuple[float, ...] = (0.0, 0.0, 0.0),
        messages_a_second: float | None = None,
        burst: int = 4,
        trigger_seconds: float = 3.0,
        ticket_seconds: float = 30.0,
        echo: bool = True,
    ):
        """Slack itself waits ``retry_delays=(0, 60, 300)`` and takes ``messages_a_second=1``."""
        self.workspace = Workspace(scopes)
        self.views = Views(self.workspace, trigger_seconds)
        self.api = Api(self.workspace, self.views, self._tell, self._ticket)
        self.dispatcher = Dispatcher(
            lambda: self.workspace.signing_secret, ack_seconds, retry_delays
        )
        self.calls: list[Call] = []
        self.responses: list[tuple[str, dict[str, Any]]] = []  # what came to response URLs
        self._limits = Limits(messages_a_second, burst)
        self._ticket_seconds = ticket_seconds
        self._tickets: dict[str, float] = {}
        self._host, self._port = host, port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None
        People.__init__(self)
        Faults.__init__(self)
        self.echo = echo

    # Starting and stopping.

    def __enter__(self) -> Slackd:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._thread.start()
        self.run(self._open()).result(10)

    def stop(self) -> None:
        self.run(self._close()).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    @property
    def url(self) -> str:  # type: ignore[override]
        return f"http://{self._host}:{self._port}"

    async def _open(self) -> None:
        app = web.Application(client_max_size=8 * 2**20)
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_post("/respond/{name}", self._response)
        app.router.add_get("/link", self._socket)
        self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await self.dispatcher.open()
        await self._go_up()

    async def _close(self) -> None:
        await self.dispatcher.close()
        assert self._runner is not None
        await self._runner.cleanup()
        others = [it for it in asyncio.all_tasks() if it is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _go_up(self) -> None:
        assert self._runner is not None
        site = web.TCPSite(self._runner, self._host, self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.dispatcher.away = False

    async def _go_down(self) -> None:
        assert self._runner is not None and self._runner.server is not None
        self.dispatcher.away = True
        for site in list(self._runner.sites):
            await site.stop()
        await self.dispatcher.cut_sockets()
        for connection in list(self._runner.server.connections):
            if connection.transport is not None:
                connection.transport.abort()

    # The Web API.

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        args, token = await _given(request)
        self.calls.append(Call(method, args, time.time(), token, dict(request.headers)))
        fault = self.take_fault(method)
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        elif fault is not None and fault.kind != "reset_after":
            return self._fault_answer(request, fault)
        with self.workspace.lock:
            wait = self._limits.wait(args.get("channel", "")) if method == _POST else 0
            if wait:
                return _limited(wait)
            answer = self.api.answer(method, arguments(args), token)
        if fault is not None and fault.kind == "reset_after":
            return _cut(request)
        scopes = ",".join(sorted(self.workspace.scopes))
        return web.json_response(answer, headers={"x-oauth-scopes": scopes})

    def _fault_answer(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.kind == "reset_before":
            return _cut(request)
        if fault.kind == "ratelimited":
            return _limited(int(fault.seconds))
        if fault.status >= 500:
            return web.Response(
                status=fault.status, text="upstream error", content_type="text/html"
            )
        return web.json_response({"ok": False, "error": fault.error}, status=fault.status)

    async def _response(self, request: web.Request) -> web.StreamResponse:
        fault = self.take_fault("response_url")
        try:
            body = await request.json()
        except ValueError:
            body = None
        self.responses.append((request.match_info["name"], body))
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        elif fault is not None and fault.kind != "reset_after":
            return self._fault_answer(request, fault)
        status, text = self.respond(request.match_info["name"], body)
        if fault is not None and fault.kind == "reset_after":
            return _cut(request)
        if status == 200:
            return web.Response(text=text)
        return web.json_response({"ok": False, "error": text}, status=status)

    # Web sockets.

    def _ticket(self) -> str:
        ticket = secrets.token_hex(12)
        self._tickets[ticket] = time.time() + self._ticket_seconds
        return f"ws://{self._host}:{self._port}/link?ticket={ticket}&app_id={self.workspace.app_id}"

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        """An address is good for one connection, and not for long."""
        fault = self.take_fault("link", only=True)
        if fault is not None:
            return self._fault_answer(request, fault)
        if self._tickets.pop(request.query.get("ticket", ""), 0) < time.time():
            return web.Response(status=400, text="ticket is not valid")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        sockets = self.dispatcher.sockets
        await socket.send_json({
            "type": "hello", "num_connections": len(sockets) + 1,
            "connection_info": {"app_id": self.workspace.app_id},
            "debug_info": {
                "host": "applink-local", "build_number": 1, "approximate_connection_time": 18060,
            },
        })  # fmt: skip
        sockets[socket] = request.transport
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT and message.data.startswith("{"):
                    self.dispatcher.acknowledged(message.json())
        finally:
            sockets.pop(socket, None)
        return socket

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Slack asks for a new connection: "warning" some seconds before, "refresh_requested" now,
        "link_disabled" when Socket Mode was turned off."""
        notice = {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-local"}}
        self.run(self.dispatcher.say(notice)).result(5)

    def drop(self) -> None:
        """The web sockets' connections are cut."""
        self.run(self.dispatcher.cut_sockets()).result(5)

    # By HTTP.

    def deliver_http(
        self, url: str | None, *, commands: str | None = None, interactive: str | None = None
    ) -> None:
        """From now on to this URL; None goes back to web sockets. Commands and interactions may have
        URLs of their own."""
        self.dispatcher.urls = {}
        if url is not None:
            self.dispatcher.urls = {
                EVENTS: url, COMMANDS: commands or url, INTERACTIVE: interactive or url,
            }  # fmt: skip

    def verify_url(self, url: str | None = None) -> Future[bool]:
        """Slack's question when an URL is entered: it has to give back the challenge."""
        return self.run(self._verify(url or self.dispatcher.urls[EVENTS]))

    async def _verify(self, url: str) -> bool:
        challenge = secrets.token_hex(20)
        body = {"token": "verification-token", "challenge": challenge, "type": "url_verification"}
        answer = await self.dispatcher.post(url, web.json_response(body).text or "")
        return answer.status == 200 and challenge in answer.text

    def post(
        self,
        body: str,
        kind: str = "application/json",
        *,
        url: str | None = None,
        secret: str | None = None,
        age: float = 0,
        headers: dict[str, str] | None = None,
    ) -> Future[Answer]:
        """Any body to the app's URL, once: signed with another ``secret``, ``age`` seconds ago, or
        with ``headers`` that replace the right ones."""
        where = url or self.dispatcher.urls[EVENTS]
        return self.run(
            self.dispatcher.post(where, body, kind, secret=secret, age=age, headers=headers)
        )


_POST = "chat.postMessage"


async def _given(request: web.Request) -> tuple[dict[str, Any], str | None]:
    """The arguments, from wherever they are, and the token."""
    args: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        with contextlib.suppress(ValueError):
            body = await request.json()
            args |= body if isinstance(body, dict) else {}
    else:
        args |= dict(await request.post())
    given = request.headers.get("Authorization", "")
    token = given.removeprefix("Bearer ") if given.startswith("Bearer ") else None
    return args, token or args.pop("token", None)


def _limited(seconds: int) -> web.Response:
    return web.json_response(
        {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(seconds)}
    )


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()

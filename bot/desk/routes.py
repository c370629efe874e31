"""The desk's page, its log-in and what the page reads. All of it under ``/desk``.

Annotations are no strings here: FastAPI could not look up those that name a router's own guard.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi import Path as InPath
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict
from sse_starlette.sse import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException as StarletteHTTPException

from bot.desk.sessions import Guard, TooManyGuesses, address_of, read_form, token_of
from bot.settings import Settings
from bot.store.agents import Agent, Agents
from bot.support import Conflict, NotFound, Support
from bot.wakeups import DESK, Wakeups

HERE = Path(__file__).resolve().parent
ROUND_SECONDS = 15  # of the event stream: how soon it notices that the session has ended
LONGEST_NOTE = 2000

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}

ConversationId = Annotated[str, InPath(min_length=1, max_length=64, pattern="^[0-9A-Za-z_-]+$")]
Number = Annotated[int, InPath(ge=1, le=2**31 - 1)]


class Body(BaseModel):
    """What the page sends; nothing but the fields named here."""

    model_config = ConfigDict(extra="forbid")


class Nothing(Body):
    """An empty object."""


class DeskRoute(APIRoute):
    """Every answer of the desk has its headers, and the service's errors have their status."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()

        async def handle_for_desk(request: Request) -> Response:
            try:
                response = await handle(request)
            except StarletteHTTPException as error:
                response = await http_exception_handler(request, error)
            except NotFound as error:
                response = await _refuse(request, 404, error)
            except Conflict as error:
                response = await _refuse(request, 409, error)
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return handle_for_desk


async def _refuse(request: Request, status: int, error: Exception) -> Response:
    return await http_exception_handler(request, HTTPException(status, str(error)))


def router(support: Support, agents: Agents, wakeups: Wakeups, settings: Settings) -> APIRouter:
    """The routes under ``/desk``."""
    guard = Guard(agents, settings)
    routes = APIRouter(prefix="/desk", route_class=DeskRoute, include_in_schema=False)
    _pages(routes, guard, settings)
    _files(routes)
    _reading(routes, guard, support)
    _events(routes, guard, wakeups)
    return routes


def page_templates(settings: Settings) -> Environment:
    """The desk's templates; whatever is put into one is escaped."""
    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["business"] = settings.business_name
    return templates


def _pages(routes: APIRouter, guard: Guard, settings: Settings) -> None:
    templates = page_templates(settings)

    def login_page(status: int = 200, problem: str = "", notice: str = "", email: str = "") -> Any:
        html = templates.get_template("login.html").render(
            problem=problem, notice=notice, email=email
        )
        # Under "no-referrer" browsers send this form with "Origin: null", and a log-in over plain
        # HTTP could not be told from a forged one.
        return HTMLResponse(html, status, {"Referrer-Policy": "same-origin"})

    @routes.get("")
    async def desk(request: Request) -> Response:
        agent = await guard.who(token_of(request))
        if agent is None:
            return RedirectResponse("/desk/login", 303)
        if agent.role == "editor":
            return RedirectResponse("/desk/knowledge", 303)
        page = templates.get_template("desk.html")
        return HTMLResponse(
            page.render(limit=settings.max_message_characters, note_limit=LONGEST_NOTE)
        )

    @routes.get("/login")
    async def log_in_page(request: Request, ended: bool = False) -> Response:
        if await guard.who(token_of(request)) is not None:
            return RedirectResponse("/desk", 303)
        notice = "Your session has ended. Log in again; what you were writing is kept."
        return login_page(notice=notice if ended else "")

    @routes.post("/login")
    async def log_in(request: Request) -> Response:
        if not guard.from_here(request):
            return login_page(403, "This form was sent from another site. Log in here instead.")
        form = await read_form(request)
        email, password = form.get("email", "").strip(), form.get("password", "")
        if not email or not password:
            return login_page(422, "Fill in your e-mail address and your password.", email=email)
        try:
            agent = await guard.log_in(email, password, address_of(request))
        except TooManyGuesses:
            words = "There were too many wrong passwords. Wait ten minutes, then try again."
            page = login_page(429, words, email=email)
            page.headers["Retry-After"] = "600"
            return page
        if agent is None:
            return login_page(401, "This e-mail address and password do not match.", email=email)
        response = RedirectResponse("/desk", 303)
        await guard.begin(request, response, agent)
        return response

    @routes.post("/logout", dependencies=[Depends(guard.acting)])
    async def log_out(request: Request) -> Response:
        response = Response(status_code=204)
        await guard.end(request, response)
        return response


def _files(routes: APIRouter) -> None:
    """The page's scripts and style, read once; browsers ask each time whether they changed."""
    files = {
        path.name: (path.read_bytes(), _TYPES[path.suffix])
        for path in (HERE / "static").iterdir()
        if path.suffix in _TYPES
    }
    tags = {name: f'"{hashlib.sha256(body).hexdigest()[:24]}"' for name, (body, _) in files.items()}

    @routes.get("/static/{name}")
    async def file(name: str, request: Request) -> Response:
        if name not in files:
            raise HTTPException(404, "There is no such file.")
        headers = {"ETag": tags[name], "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == tags[name]:
            return Response(status_code=304, headers=headers)
        body, content_type = files[name]
        return Response(body, headers=headers, media_type=content_type)


def _reading(routes: APIRouter, guard: Guard, support: Support) -> None:
    Reader = Annotated[Agent, Depends(guard.serving)]

    @routes.get("/api/tickets")
    async def tickets(agent: Reader) -> Response:
        """Who is logged in, the queues' titles, and the tickets: who waits, who is with whom, and
        what was closed lately."""
        who = {
            "id": agent.id,
            "email": agent.email,
            "name": agent.name,
            "role": agent.role,
            "away": agent.away,
        }
        listed = await to_thread.run_sync(support.tickets_as_json, agent.id)
        # Not looked through once more on its way out: that costs more than all the rest.
        queues = {queue.name: queue.title for queue in support.service.queues.values()}
        head = json.dumps({"agent": who, "queues": queues}, ensure_ascii=False)[:-1]
        body = b"".join((head.encode(), b', "tickets": ', listed, b"}"))
        return Response(body, media_type="application/json")

    @routes.get("/api/conversations/{conversation_id}")
    async def conversation(
        conversation_id: ConversationId,
        agent: Reader,
        after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    ) -> dict[str, Any]:
        """The transcript after message number ``after``, and the latest ticket."""
        return await to_thread.run_sync(
            support.conversation_for_desk, conversation_id, agent.id, after
        )


def _events(routes: APIRouter, guard: Guard, wakeups: Wakeups) -> None:
    @routes.get("/api/events", dependencies=[Depends(guard.serving)])
    async def events(request: Request) -> Response:
        """Server-sent events that only say "look now"."""
        token = token_of(request)

        async def news() -> AsyncIterator[ServerSentEvent]:
            with wakeups.listener(DESK) as listener:
                yield ServerSentEvent(event="news", data="{}")  # look once: we listen from now on
                while True:
                    woken = await listener.wait(ROUND_SECONDS)
                    if await guard.who(token) is None:
                        return  # the page asks again and learns that it has to log in
                    if woken:
                        yield ServerSentEvent(event="news", data="{}")

        return EventSourceResponse(news(), ping=ROUND_SECONDS)

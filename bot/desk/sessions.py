"""Who is at the desk: the cookie, the header against forged requests, the brake on guessing.

The cookie holds a random token; the store knows only its hash. It is SameSite=Strict, and every
POST of the API must carry a header that no other site can add without being asked first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from anyio import to_thread
from fastapi import HTTPException, Request, Response

from bot.settings import Settings
from bot.store.agents import Agent, Agents

COOKIE = "rapport_desk"
HEADER = "X-Rapport-Desk"
LONGEST_FORM = 8 * 1024


class TooManyGuesses(Exception):
    """This e-mail or this address was tried too often with a wrong password."""


class Guard:
    """Lets agents in, and tells who a request comes from."""

    def __init__(self, agents: Agents, settings: Settings):
        self._agents = agents
        self._settings = settings
        # One at a time: guesses sent together are counted like guesses sent one by one, and a
        # flood of log-ins cannot fill the memory (a password check needs 64 MiB).
        self._turn = asyncio.Lock()

    async def who(self, token: str) -> Agent | None:
        """The agent whose session this token opens, or None."""
        if not token:
            return None
        return await to_thread.run_sync(self._agents.agent_of_session, token)

    async def reading(self, request: Request) -> Agent:
        """The logged-in agent; else 401."""
        agent = await self.who(token_of(request))
        if agent is None:
            raise HTTPException(401, "Log in first.")
        return agent

    async def acting(self, request: Request) -> Agent:
        """The logged-in agent, for requests that change something: those need our header."""
        agent = await self.reading(request)
        if request.headers.get(HEADER) != "1":
            raise HTTPException(403, f"The header {HEADER}: 1 is missing.")
        return agent

    def role(self, *roles: str) -> Callable[[Request], Awaitable[Agent]]:
        """The logged-in agent with one of these roles; else 401 or 403."""

        async def having(request: Request) -> Agent:
            agent = await self.reading(request)
            if agent.role not in roles:
                raise HTTPException(403, not_for(agent))
            return agent

        return having

    async def serving(self, request: Request) -> Agent:
        """The logged-in agent who may read conversations: everybody but editors."""
        agent = await self.reading(request)
        if agent.role == "editor":
            raise HTTPException(403, not_for(agent))
        return agent

    async def acting_for_customers(self, request: Request) -> Agent:
        """`serving`, for requests that change something."""
        await self.serving(request)
        return await self.acting(request)

    async def log_in(self, email: str, password: str, address: str) -> Agent | None:
        """The agent with this e-mail and password, or None.

        Raises:
            TooManyGuesses: not even looked at, because of the guesses before it.
        """
        async with self._turn:
            if not await to_thread.run_sync(self._agents.may_try, email, address):
                raise TooManyGuesses
            agent = await self._authenticate(email, password)
            await to_thread.run_sync(self._agents.note_log_in, email, address, agent)
        return agent

    async def _authenticate(self, email: str, password: str) -> Agent | None:
        if "\x00" in email:  # PostgreSQL has no such text, so nobody is called that
            return None
        return await to_thread.run_sync(self._agents.authenticate, email, password)

    async def begin(self, request: Request, response: Response, agent: Agent) -> None:
        """A session with a new token; one that the browser had before ends."""
        await self._close(token_of(request))
        token = await to_thread.run_sync(self._agents.open_session, agent.id)
        response.set_cookie(COOKIE, token, **self._cookie())

    async def end(self, request: Request, response: Response) -> None:
        await self._close(token_of(request))
        response.delete_cookie(COOKIE, **self._cookie())

    async def _close(self, token: str) -> None:
        if token:
            await to_thread.run_sync(self._agents.close_session, token)

    def _cookie(self) -> dict[str, Any]:
        secure = self._settings.secure_cookies
        return {"path": "/desk", "httponly": True, "samesite": "strict", "secure": secure}

    def from_here(self, request: Request) -> bool:
        """Whether our own page sent this form, as far as the browser tells.

        The host that was asked counts as ours too: the same gateway answers at 127.0.0.1, at
        localhost, and behind a proxy at its public name.
        """
        site = request.headers.get("sec-fetch-site")
        if site:
            return site in ("same-origin", "none")
        origin = request.headers.get("origin")
        if origin is None:
            return True
        own = (urlsplit(self._settings.origin).netloc, request.headers.get("host", ""))
        return urlsplit(origin).netloc in own


def not_for(agent: Agent) -> str:
    return f"This is not for the role “{agent.role}”. Whoever looks after Rapport can change it."


def token_of(request: Request) -> str:
    return request.cookies.get(COOKIE, "")


def address_of(request: Request) -> str:
    return request.client.host if request.client else "unknown"


async def read_form(request: Request, longest: int = LONGEST_FORM) -> dict[str, str]:
    """The fields of a plain HTML form; empty when it is none.

    By hand, because the two fields of one form do not merit python-multipart.
    """
    body = await request.body()
    if len(body) > longest:
        raise HTTPException(413, "The form is too large.")
    try:
        fields = parse_qs(body.decode("latin-1"), keep_blank_values=True, max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}

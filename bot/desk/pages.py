"""What all server-rendered pages of the desk have in common: who asks, forms, the templates."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment

from bot.desk.routes import DeskRoute
from bot.desk.sessions import LONGEST_FORM, Guard, not_for, read_form, token_of
from bot.store.agents import Agent


class NotLoggedIn(Exception):
    """Nobody is logged in: the page to see is the log-in."""


class PageRoute(DeskRoute):
    """A page of the desk: whoever is not logged in is sent to the log-in."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()

        async def handle_page(request: Request) -> Response:
            try:
                return await handle(request)
            except NotLoggedIn:
                return RedirectResponse("/desk/login", 303)

        return handle_page


class DeskPages:
    """Pages and forms for whoever is logged in."""

    def __init__(self, guard: Guard, templates: Environment):
        self.guard = guard
        self.templates = templates

    async def agent(self, request: Request, *roles: str) -> Agent:
        """Who asks; with ``roles``, only those (else 403)."""
        agent = await self.guard.who(token_of(request))
        if agent is None:
            raise NotLoggedIn
        if roles and agent.role not in roles:
            raise HTTPException(403, not_for(agent))
        return agent

    async def form(
        self, request: Request, *roles: str, longest: int = LONGEST_FORM
    ) -> tuple[Agent, dict[str, str]]:
        """Who sent a form of ours, and its fields. The cookie is SameSite=Strict, so a form on
        another site does not even come with it."""
        agent = await self.agent(request, *roles)
        if not self.guard.from_here(request):
            raise HTTPException(403, "This form was sent from another site.")
        form = await read_form(request, longest)
        return agent, {name: value.replace("\x00", "") for name, value in form.items()}

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        html = self.templates.get_template(template).render({"problem": "", "notice": "", **values})
        # Under "no-referrer" browsers send forms with "Origin: null", as on the log-in page.
        return HTMLResponse(html, status, {"Referrer-Policy": "same-origin"})

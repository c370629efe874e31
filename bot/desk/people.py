"""The people at the desk: ``/desk/people`` for admins, ``/desk/me`` for everybody, ``/desk/audit``
for those who lead. Plain pages and forms."""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from bot.desk.knowledge_views import moment
from bot.desk.pages import DeskPages, PageRoute
from bot.desk.routes import page_templates
from bot.desk.sessions import Guard, token_of
from bot.service.policy import ROLES
from bot.settings import Settings
from bot.store import audit
from bot.store.agents import SHORTEST_PASSWORD, Agents, new_password
from bot.store.database import Database
from bot.support import Support

ADMIN = ("admin",)
LEADS = ("lead", "admin")
PAGE = 50
NOTICES = {
    "changed": "Changed.",
    "disabled": "Cannot log in any more, and is signed out everywhere.",
    "enabled": "Can log in again.",
    "out": "Signed out everywhere else.",
    "password": "The new password counts from now on; other sessions have ended.",
}
ABOUT = {
    "agent": "serves customers",
    "lead": "serves customers; sees numbers and who did what",
    "editor": "looks after the articles; sees no customers",
    "admin": "everything, and the people",
}


def router(database: Database, support: Support, agents: Agents, settings: Settings) -> APIRouter:
    """The routes under ``/desk``."""
    routes = APIRouter(prefix="/desk", route_class=PageRoute, include_in_schema=False)
    pages = People(database, support, agents, settings)
    routes.get("/people")(pages.people)
    routes.post("/people")(pages.add)
    routes.post("/people/{agent_id}")(pages.change)
    routes.get("/me")(pages.me)
    routes.post("/me/password")(pages.own_password)
    routes.post("/me/sign-out")(pages.sign_out)
    routes.get("/audit")(pages.audit)
    return routes


class People(DeskPages):
    """The pages over one store."""

    def __init__(self, database: Database, support: Support, agents: Agents, settings: Settings):
        templates = page_templates(settings)
        templates.filters.update(moment=moment)
        super().__init__(Guard(agents, settings), templates)
        self._database = database
        self._support = support
        self._agents = agents

    # Admins.

    async def people(self, request: Request) -> Response:
        agent = await self.agent(request, *ADMIN)
        notice = NOTICES.get(request.query_params.get("notice", ""), "")
        return await self._people(agent, notice=notice)

    async def _people(self, agent: Any, status: int = 200, **values: Any) -> Response:
        service = self._support.service
        return self.page(
            "people.html",
            status,
            agent=agent,
            people=await to_thread.run_sync(self._agents.list),
            roles=ROLES,
            about=ABOUT,
            queues=service.queues,
            skills=sorted({it for queue in service.queues.values() for it in queue.skills}),
            usual=service.assignment.capacity,
            **values,
        )

    async def add(self, request: Request) -> Response:
        """A new agent, with a password that is shown once."""
        agent, form = await self.form(request, *ADMIN)
        password = new_password()

        def do() -> Any:
            return self._agents.add(
                form.get("email", ""),
                form.get("name", ""),
                password,
                form.get("role", "agent"),
                by=agent.id,
            )

        try:
            made = await to_thread.run_sync(do)
        except ValueError as error:
            return await self._people(agent, 422, problem=f"{error}.", form=form)
        return await self._people(agent, made=made, password=password)

    async def change(self, request: Request, agent_id: int) -> Response:
        """What the form's button says: save, disable, enable, reset, sign out."""
        agent, form = await self.form(request, *ADMIN)
        person = await to_thread.run_sync(self._agents.get, agent_id)
        if person is None:
            raise HTTPException(404, "There is no such agent.")
        do = form.get("do", "save")
        password = new_password()

        def act() -> str:
            if do == "disable":
                self._agents.disable(person.email, by=agent.id)
                return "disabled"
            if do == "enable":
                self._agents.enable(person.email, by=agent.id)
                return "enabled"
            if do == "reset":
                self._agents.set_password(person.email, password, by=agent.id)
                return "reset"
            if do == "sign-out":
                self._agents.close_sessions(person.id, by=agent.id, but=token_of(request))
                return "out"
            self._agents.update(person.id, by=agent.id, **_values(form))
            return "changed"

        try:
            done = await to_thread.run_sync(act)
        except ValueError as error:
            return await self._people(agent, 422, problem=f"{person.email}: {error}.")
        if done == "reset":
            return await self._people(agent, made=person, password=password)
        return RedirectResponse(f"/desk/people?notice={done}", 303)

    # Everybody.

    async def me(self, request: Request) -> Response:
        agent = await self.agent(request)
        notice = NOTICES.get(request.query_params.get("notice", ""), "")
        return await self._me(agent, notice=notice)

    async def _me(self, agent: Any, status: int = 200, **values: Any) -> Response:
        sessions = await to_thread.run_sync(self._agents.sessions, agent.id)
        return self.page(
            "me.html",
            status,
            agent=agent,
            sessions=sessions,
            shortest=SHORTEST_PASSWORD,
            about=ABOUT[agent.role],
            **values,
        )

    async def own_password(self, request: Request) -> Response:
        """A new password, for who knows the old one. Other sessions end."""
        agent, form = await self.form(request)
        old, new = form.get("old", ""), form.get("new", "")
        if await to_thread.run_sync(self._agents.authenticate, agent.email, old) is None:
            return await self._me(agent, 422, problem="The present password is not right.")
        if new != form.get("again", ""):
            return await self._me(agent, 422, problem="The two new passwords are not the same.")

        def act() -> None:
            self._agents.set_password(agent.email, new, by=agent.id)

        try:
            await to_thread.run_sync(act)
        except ValueError as error:
            return await self._me(agent, 422, problem=f"Not changed: {error}.")
        response = RedirectResponse("/desk/me?notice=password", 303)
        await self.guard.begin(request, response, agent)  # this browser stays logged in
        return response

    async def sign_out(self, request: Request) -> Response:
        agent, _ = await self.form(request)
        token = token_of(request)

        def act() -> int:
            return self._agents.close_sessions(agent.id, but=token, by=agent.id)

        await to_thread.run_sync(act)
        return RedirectResponse("/desk/me?notice=out", 303)

    # Those who lead.

    async def audit(self, request: Request, before: int | None = None) -> Response:
        """Who did what, the latest first."""
        agent = await self.agent(request, *LEADS)

        def read() -> list[Any]:
            with self._database.reading() as tx:
                return audit.latest(tx, before=before, limit=PAGE + 1)

        rows = await to_thread.run_sync(read)
        more = rows[PAGE - 1].id if len(rows) > PAGE else None
        return self.page("audit.html", agent=agent, rows=rows[:PAGE], more=more)


def _values(form: dict[str, str]) -> dict[str, Any]:
    """The fields of the form as `Agents.update` takes them; an empty list of queues is all."""
    queues = form.get("queues", "").strip()
    capacity = form.get("capacity", "").strip()
    if capacity and not capacity.isdecimal():
        raise ValueError("the capacity is a whole number")
    return {
        "name": form.get("name", ""),
        "role": form.get("role", ""),
        "queues": queues.split(",") if queues else None,
        "skills": form.get("skills", "").split(","),
        "languages": form.get("languages", "").split(","),
        "capacity": int(capacity) if capacity else None,
    }

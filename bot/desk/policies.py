"""Hours, queues, response times and escalation, for those who lead: ``/desk/policies``. The two files
themselves, checked before they are saved, and in words what counts now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from bot.desk.pages import DeskPages, PageRoute
from bot.desk.routes import page_templates
from bot.desk.sessions import Guard
from bot.policies import (
    CHANGES_KEPT,
    LONGEST,
    NotWritten,
    Policies,
    Stale,
    Written,
    fingerprint,
    plain,
)
from bot.service.hours import DAYS, MONTHS, Calendar
from bot.service.policy import Service
from bot.settings import Settings
from bot.store import audit
from bot.store.agents import Agent, Agents
from bot.store.database import Database
from bot.support import Support
from bot.yaml_nodes import FileWrong, Problem

LEADS = ("lead", "admin")
AHEAD = 60  # days in which closed days are named
TITLES = {"service": "Hours, queues and times", "escalation": "When a person is needed"}
NOTICES = {
    "saved": "Saved. It counts from now on, for open tickets too.",
    "same": "Nothing was changed.",
    "right": "No mistakes were found. It is not saved yet.",
}


@dataclass(frozen=True)
class QueueNow:
    """A queue in words: its hours, and whether somebody is there now."""

    title: str
    hours: str
    now: str
    closed: list[str]


def router(
    policies: Policies, database: Database, support: Support, agents: Agents, settings: Settings
) -> APIRouter:
    """The routes under ``/desk/policies``."""
    routes = APIRouter(prefix="/desk", route_class=PageRoute, include_in_schema=False)
    pages = Pages(policies, database, support, Guard(agents, settings), settings)
    routes.get("/policies")(pages.show)
    routes.post("/policies")(pages.change)
    return routes


class Pages(DeskPages):
    """The page, with one of the files open."""

    def __init__(
        self,
        policies: Policies,
        database: Database,
        support: Support,
        guard: Guard,
        settings: Settings,
    ):
        super().__init__(guard, page_templates(settings))
        self._policies = policies
        self._database = database
        self._support = support

    async def show(self, request: Request, file: str = "service") -> Response:
        agent = await self.agent(request, *LEADS)
        name = self._known(file)
        notice = NOTICES.get(request.query_params.get("notice", ""), "")
        try:
            text = await to_thread.run_sync(self._policies.files[name].read)
        except FileWrong as wrong:
            return await self._page(agent, name, "", 200, problem=str(wrong))
        return await self._page(agent, name, text, notice=notice)

    async def change(self, request: Request) -> Response:
        """Check the text, or check and save it."""
        agent, form = await self.form(request, *LEADS, longest=4 * LONGEST)
        name = self._known(form.get("file", ""))
        text, base = form.get("text", ""), form.get("base", "")
        if len(text) > LONGEST:
            told = f"The text has {len(text)} characters; {LONGEST} can be saved."
            return await self._page(agent, name, text, 413, base=base, problem=told)
        file = self._policies.files[name]
        try:
            if form.get("do") != "save":
                await to_thread.run_sync(file.parse, plain(text), file.path.name)
                return await self._page(agent, name, text, base=base, notice=NOTICES["right"])
            written = await to_thread.run_sync(self._save, agent, name, text, base)
        except FileWrong as wrong:
            return await self._page(agent, name, text, 422, base=base, wrong=wrong.problems)
        except Stale:
            now = await to_thread.run_sync(file.read)
            told = (
                "Somebody has changed this file since you opened it, so yours is not saved. Their "
                "text is below yours: take over what you need, and save again."
            )
            return await self._page(
                agent, name, text, 409, base=fingerprint(now), theirs=now, problem=told
            )
        except NotWritten as error:
            return await self._page(agent, name, text, 500, base=base, problem=str(error))
        done = "saved" if written.changes else "same"
        return RedirectResponse(f"/desk/policies?file={name}&notice={done}", 303)

    def _save(self, agent: Agent, name: str, text: str, base: str) -> Written:
        written = self._policies.save(name, text, base)
        if written.changes:
            with self._database.transaction() as tx:
                audit.note(
                    tx,
                    "policy.changed",
                    now=self._database.now(tx),
                    agent_id=agent.id,
                    subject=self._policies.files[name].path.name,
                    data={
                        "changes": " ".join(written.changes)[:CHANGES_KEPT],
                        "before": written.kept.name,
                    },
                )
        return written

    async def _page(
        self, agent: Agent, name: str, text: str, status: int = 200, **values: Any
    ) -> Response:
        def found() -> dict[str, Any]:
            with self._database.reading() as tx:
                now = self._database.now(tx)
            service, rules = self._support.service, self._support.escalation
            return {
                "queues": queues_now(service, now),
                "rules": rules.rules,
                "strange": sorted(rules.queues - service.queues.keys()),
                "instead": service.queue("").title,
                "refused": self._policies.problems.get(name, ()),
            }

        values.setdefault("base", fingerprint(text))
        values.setdefault("wrong", ())
        return self.page(
            "policies.html",
            status,
            agent=agent,
            file=name,
            path=self._policies.files[name].path.name,
            titles=TITLES,
            text=text,
            most=LONGEST,
            line_of=line_of,
            **values,
            **await to_thread.run_sync(found),
        )

    def _known(self, name: str) -> str:
        if name not in self._policies.files:
            raise HTTPException(404, f"Choose one of {', '.join(self._policies.files)}.")
        return name


def line_of(problem: Problem) -> str:
    """A mistake as it reads beside the text itself."""
    return f"Line {problem.line}: {problem.message}" if problem.line else problem.message


def queues_now(service: Service, now: int) -> list[QueueNow]:
    """Each queue's hours in words, what holds now, and the days of the next weeks that differ."""
    found = []
    for queue in service.queues.values():
        hours = service.hours(queue.name)
        found.append(
            QueueNow(queue.title, hours.hours_in_words(), _now(hours, now), _closed(hours, now))
        )
    return found


def _now(hours: Calendar, now: int) -> str:
    if not hours.is_open(now):
        opening = hours.next_opening(now)
        return f"closed, opens {hours.in_words(opening, now)}" if opening else "closed, never opens"
    closing = hours.closes_at(now)
    return f"open, closes {hours.in_words(closing, now)}" if closing else "open"


def _closed(hours: Calendar, now: int) -> list[str]:
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    days = (today + timedelta(days=ahead) for ahead in range(AHEAD))
    return [
        f"{_day(day)}{'' if not hours.spans_of(day) else ' (other hours)'}"
        for day in days
        if hours.spans_of(day) != hours.week[day.weekday()]
    ]


def _day(day: date) -> str:
    return f"{DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"

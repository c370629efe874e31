"""Numbers, for those who lead: ``/desk/numbers``. Each number opens the rows behind it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from bot.desk.knowledge_views import moment
from bot.desk.pages import DeskPages, PageRoute
from bot.desk.routes import page_templates
from bot.desk.sessions import Guard
from bot.numbers import Number, Numbers
from bot.settings import Settings
from bot.store.agents import Agents
from bot.store.database import Database
from bot.support import Support

PERIODS = (1, 7, 30, 90)
MOST_ROWS = 200
LEADS = ("lead", "admin")


def router(database: Database, support: Support, agents: Agents, settings: Settings) -> APIRouter:
    """The routes under ``/desk/numbers``."""
    routes = APIRouter(prefix="/desk", route_class=PageRoute, include_in_schema=False)
    pages = Pages(database, support, Guard(agents, settings), settings)
    routes.get("/numbers")(pages.overview)
    routes.get("/numbers/rows")(pages.rows)
    return routes


class Pages(DeskPages):
    """The two pages."""

    def __init__(self, database: Database, support: Support, guard: Guard, settings: Settings):
        templates = page_templates(settings)
        templates.filters.update(moment=moment, number=in_words)
        super().__init__(guard, templates)
        self._database = database
        self._support = support

    async def overview(self, request: Request, days: int = 7, json: bool = False) -> Response:
        """All numbers of the last days; ``json`` gives them without their rows."""
        agent = await self.agent(request, *LEADS)
        found = await to_thread.run_sync(self._compute, _period(days))
        if json:
            return JSONResponse(
                {
                    "days": days,
                    "numbers": [_plain(it) for it in found["numbers"]],
                    "queues": {
                        name: {"tickets": count, "numbers": [_plain(it) for it in times]}
                        for name, (count, times) in found["queues"].items()
                    },
                    "hours": {
                        str(name): {"tickets": count, "numbers": [_plain(it) for it in times]}
                        for name, (count, times) in found["hours"].items()
                    },
                }
            )
        titles = {name: queue.title for name, queue in self._support.service.queues.items()}
        return self.page(
            "numbers.html", agent=agent, days=days, periods=PERIODS, titles=titles, **found
        )

    async def rows(
        self, request: Request, name: str, days: int = 7, queue: str = "", hour: int = -1
    ) -> Response:
        """What is behind one number: of all tickets, of a queue's, or of an hour of the day."""
        agent = await self.agent(request, *LEADS)
        found = await to_thread.run_sync(self._compute, _period(days))
        numbers = found["numbers"]
        if queue:
            numbers = found["queues"].get(queue, (0, []))[1]
        elif hour >= 0:
            numbers = found["hours"].get(hour, (0, []))[1]
        number = next((it for it in numbers if it.title == name), None)
        if number is None:
            raise HTTPException(404, "There is no such number.")
        where = f" in “{self._support.service.queue(queue).title}”" if queue else ""
        where += f" opened between {hour}:00 and {hour + 1}:00" if hour >= 0 else ""
        return self.page(
            "numbers_rows.html",
            agent=agent,
            days=days,
            number=number,
            where=where,
            most=MOST_ROWS,
            titles={key: it.title for key, it in self._support.service.queues.items()},
        )

    def _compute(self, days: int) -> dict[str, Any]:
        numbers = Numbers(self._database, self._support.service)
        period = numbers.period(days)
        return {
            "numbers": numbers.overview(period),
            "queues": numbers.by(period, lambda it: it.row.queue),
            "hours": numbers.by(period, numbers.hour_of),
        }


def _period(days: int) -> int:
    if days not in PERIODS:
        raise HTTPException(404, f"Choose one of {', '.join(map(str, PERIODS))} days.")
    return days


def in_words(number: Number) -> str:
    """As the page shows it; nothing counted yet is a dash and no 0."""
    if number.value is None:
        return "–"
    if number.unit == "%":
        return f"{number.value:.0f} %"
    if number.unit == "min":
        whole = round(number.value)
        return f"{whole} min" if whole < 120 else f"{whole // 60} h {whole % 60} min"
    return f"{number.value:.0f}"


def _plain(number: Number) -> dict[str, Any]:
    plain = asdict(number)
    plain["rows"] = len(number.rows)
    return plain

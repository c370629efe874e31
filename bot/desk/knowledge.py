"""The editors' pages below ``/desk``: the articles, one article, gaps, and a preview of answers.

Plain pages and forms, for whoever is logged in at the desk; a script only saves a reload. An
article's own anchors are ids on its page, so ids of ours hold a dot, which no anchor can.
"""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment

from bot.desk import knowledge_views as views
from bot.desk.lately import SHOWN_GAPS, Lately
from bot.desk.pages import NotLoggedIn, PageRoute
from bot.desk.preview import Preview
from bot.desk.routes import page_templates
from bot.desk.sessions import Guard, read_form, token_of
from bot.editing import USE_DAYS, Editing, Use
from bot.settings import Settings
from bot.store.agents import Agent, Agents
from knowledge_base.gaps import NoSuchGap, pick
from knowledge_base.parse import AUDIENCES
from knowledge_base.search import KnowledgeBase

LONGEST_QUESTION = 800
"""Characters; even three bytes each, percent-encoded, they fit into the largest form."""

NOTICES = {
    "closed": "Closed. It comes back if customers ask it in vain again.",
    "opened": "Open again.",
}
SHOWN_CLOSURES = 10


def router(
    knowledge_base: KnowledgeBase,
    editing: Editing,
    agents: Agents,
    *,
    preview: Preview,
    settings: Settings,
) -> APIRouter:
    """The editors' routes under ``/desk``."""
    routes = APIRouter(prefix="/desk", route_class=PageRoute, include_in_schema=False)
    pages = Pages(knowledge_base, editing, Guard(agents, settings), preview, settings=settings)
    routes.get("/knowledge")(pages.overview)
    routes.get("/knowledge/{article_id:path}")(pages.article)
    routes.post("/gaps")(pages.close_gap)
    routes.post("/gaps/open")(pages.open_gap)
    routes.get("/preview")(pages.preview_form)
    routes.post("/preview")(pages.preview)
    return routes


class Pages:
    """The pages over one knowledge base and one store."""

    def __init__(
        self,
        knowledge_base: KnowledgeBase,
        editing: Editing,
        guard: Guard,
        preview: Preview,
        *,
        settings: Settings,
    ):
        self._knowledge_base = knowledge_base
        self._editing = editing
        self._guard = guard
        self._preview = preview
        self._lately = Lately(editing)
        self._folder = settings.articles_dir
        self._templates = _templates(settings)

    # The list

    async def overview(
        self, request: Request, find: str = "", sort: str = "title", down: bool = False
    ) -> Response:
        agent = await self._agent(request)
        notice = NOTICES.get(request.query_params.get("notice", ""), "")
        return await self._overview(agent, find=find, sort=sort, down=down, notice=notice)

    async def _overview(
        self,
        agent: Agent,
        *,
        find: str = "",
        sort: str = "title",
        down: bool = False,
        notice: str = "",
        problem: str = "",
        gap_id: str = "",
    ) -> Response:
        findings = await self._lately.findings()
        faults = views.problems(self._knowledge_base.problems(), self._folder)
        articles = self._knowledge_base.articles("staff")
        sort = sort if sort in views.SORTS else "title"
        return self._page(
            "knowledge.html",
            422 if problem else 200,
            agent=agent,
            findings=findings,
            gaps=findings.gaps[:SHOWN_GAPS] if findings else [],
            closures=(await to_thread.run_sync(self._editing.closures))[:SHOWN_CLOSURES],
            faults=faults,
            articles=articles,
            rows=views.rows(articles, faults, findings, find=find[:200], sort=sort, down=down),
            find=find[:200],
            sort=sort,
            down=down,
            notice=notice,
            problem=problem,
            problem_gap=gap_id,
        )

    # One article

    async def article(self, request: Request, article_id: str) -> Response:
        agent = await self._agent(request)
        found = self._knowledge_base.article(article_id, "staff")
        if found is None:
            return self._page("knowledge_missing.html", 404, agent=agent, article_id=article_id)
        findings = await self._lately.findings()
        use = findings.record.uses.get(found.id, Use()) if findings else Use()
        faults = views.problems(self._knowledge_base.problems(), self._folder)
        return self._page(
            "knowledge_article.html",
            agent=agent,
            article=found,
            body=views.article_html(found, self._knowledge_base),
            use=use,
            cited=views.cited(found, use),
            near=findings.near.get(found.id, []) if findings else [],
            findings=findings,
            faults=[fault for fault in faults if fault.article_id == found.id],
        )

    # Gaps

    async def close_gap(self, request: Request) -> Response:
        agent, form = await self._form(request)
        gap_id, article_id = form.get("gap", ""), form.get("article", "").strip()
        because = "not for us"
        if form.get("why") != "not_for_us":
            article_id = article_id.removeprefix("/help/").partition("#")[0].removesuffix(".md")
            if self._knowledge_base.article(article_id, "staff") is None:
                words = "There is no such article. Name it by its file, or choose “not for us”."
                return await self._overview(agent, problem=words, gap_id=gap_id)
            because = f"answered by {article_id}"
        findings = await self._lately.findings(patience=30)
        try:
            gap = pick(findings.gaps if findings else [], gap_id)
        except NoSuchGap:
            words = "This gap is not open any more: a colleague was first, or it was never there."
            return await self._overview(agent, problem=words)
        await to_thread.run_sync(self._editing.close, gap, because, agent.name)
        self._lately.without(gap.id)
        return RedirectResponse("/desk/knowledge?notice=closed", 303)

    async def open_gap(self, request: Request) -> Response:
        agent, form = await self._form(request)
        number = form.get("closure", "")
        found = number.isascii() and number.isdigit() and len(number) < 10
        if not found or not await to_thread.run_sync(self._editing.open_again, int(number)):
            return await self._overview(agent, problem="It is open already.")
        self._lately.forget()
        return RedirectResponse("/desk/knowledge?notice=opened", 303)

    # Preview

    async def preview_form(self, request: Request) -> Response:
        agent = await self._agent(request)
        return self._page("preview.html", agent=agent, result=None)

    async def preview(self, request: Request) -> Response:
        agent, form = await self._form(request)
        question, audience = form.get("question", "").strip(), form.get("audience", "public")
        values: dict[str, Any] = {"agent": agent, "question": question, "result": None}
        values["audience"] = audience = audience if audience in AUDIENCES else "public"
        if not question:
            return self._page("preview.html", 422, **values, problem="Write a question first.")
        if len(question) > LONGEST_QUESTION:
            words = f"This is too long; a question of {LONGEST_QUESTION} characters can be tried."
            return self._page("preview.html", 422, **values, problem=words)
        result = await to_thread.run_sync(self._knowledge_base.ask, question, audience)
        values["result"] = result
        if audience == "public":
            spoken = await self._preview.say(question)
            values["said"] = [views.said(it, self._knowledge_base) for it in spoken]
        elif result.kind == "answer":
            values["best"] = views.passage_html(result.hits[0].passage, self._knowledge_base)
        return self._page("preview.html", **values)

    # What all have in common

    async def _agent(self, request: Request) -> Agent:
        agent = await self._guard.who(token_of(request))
        if agent is None:
            raise NotLoggedIn
        return agent

    async def _form(self, request: Request) -> tuple[Agent, dict[str, str]]:
        """Who sent a form of ours, and its fields. The cookie is SameSite=Strict, so a form on
        another site does not even come with it."""
        agent = await self._agent(request)
        if not self._guard.from_here(request):
            raise HTTPException(403, "This form was sent from another site.")
        form = await read_form(request)
        return agent, {name: value.replace("\x00", "") for name, value in form.items()}

    def _page(self, template: str, status: int = 200, **values: Any) -> Response:
        defaults = {"question": "", "audience": "public", "problem": "", "notice": ""}
        defaults |= {"said": [], "best": ""}
        html = self._templates.get_template(template).render(
            {**defaults, "threshold": self._knowledge_base.threshold, **values}
        )
        # Under "no-referrer" browsers send forms with "Origin: null", as on the log-in page.
        return HTMLResponse(html, status, {"Referrer-Policy": "same-origin"})


def _templates(settings: Settings) -> Environment:
    templates = page_templates(settings)
    templates.filters.update(
        address=views.address,
        moment=views.moment,
        why=views.why_in_words,
        kind=views.kind_in_words,
        hits=views.hits,
    )
    templates.globals.update(
        advice=views.ADVICE,
        use_days=USE_DAYS,
        longest=LONGEST_QUESTION,
    )
    return templates

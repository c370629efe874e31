"""Where short addresses lead: ``/s/k3xq7b``, see `bot.links`."""

from __future__ import annotations

from anyio import to_thread
from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from bot.links import code
from knowledge_base.search import KnowledgeBase


def router(knowledge_base: KnowledgeBase) -> APIRouter:
    """The route ``/s/…``."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/s/{wanted}")
    async def follow(wanted: str) -> RedirectResponse:
        """To the article; to the help centre's start where it is gone. Staff's are never found."""
        found = await to_thread.run_sync(_find, knowledge_base, wanted.lower())
        return RedirectResponse(found or "/help", 302, {"Cache-Control": "no-store"})

    return routes


def _find(knowledge_base: KnowledgeBase, wanted: str) -> str | None:
    passages = knowledge_base.shelf("public").passages
    return next((it.url for it in passages if code(it.url) == wanted), None)

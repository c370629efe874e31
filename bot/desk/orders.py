"""The orders of whoever an agent writes with, read from the shop while the agent looks.

Annotations are no strings here: FastAPI could not look up those that name a router's own guard.
"""

import asyncio
from typing import Annotated, Any

import structlog
from anyio import to_thread
from fastapi import APIRouter, Depends

from bot.desk.routes import ConversationId, DeskRoute
from bot.desk.sessions import Guard
from bot.jobs.clerk import Clerk
from bot.orders.card import card, checked
from bot.orders.contract import Order, OrderError
from bot.settings import Settings
from bot.store import tickets
from bot.store.agents import Agent, Agents
from bot.support import NotFound, Support

MOST_PROVEN = 10  # looked up one by one
LATEST = 5
LONGEST_SECONDS = 12.0  # for all of them; the page itself gives up after twenty
DOWN = "The shop does not answer just now, so not all orders can be shown. Try again in a minute."

log = structlog.get_logger("orders")


def router(clerk: Clerk | None, support: Support, agents: Agents, settings: Settings) -> APIRouter:
    """The route under ``/desk/api``. ``clerk``: None where there are no orders."""
    guard = Guard(agents, settings)
    routes = APIRouter(prefix="/desk/api", route_class=DeskRoute, include_in_schema=False)
    Reader = Annotated[Agent, Depends(guard.serving)]

    @routes.get("/conversations/{conversation_id}/orders")
    async def orders(conversation_id: ConversationId, agent: Reader) -> dict[str, Any]:
        """Orders proven in this conversation, the latest proof first, then the latest of somebody
        who is signed in at the shop. ``problem``: a sentence, when the shop does not answer."""
        await to_thread.run_sync(_handed_over, support, conversation_id)
        found, problem = await _look(clerk, conversation_id) if clerk else ([], "")
        return {"orders": [it for it in map(checked, map(card, found)) if it], "problem": problem}

    return routes


def _handed_over(support: Support, conversation_id: str) -> None:
    """Agents see conversations for which a person was asked, and no others. Raises `NotFound`."""
    with support.database.reading() as tx:
        if tickets.latest_of(tx, conversation_id) is None:
            raise NotFound("Nobody has asked for a person in this conversation.")


async def _look(clerk: Clerk, conversation_id: str) -> tuple[list[Order], str]:
    """What the shop tells in time, each order once, and a sentence when that is not all."""
    numbers = (await clerk.proven(conversation_id))[:MOST_PROVEN]
    asked = [
        *(_one(clerk, conversation_id, number) for number in numbers),
        clerk.orders(conversation_id, LATEST),
    ]
    found: dict[str, Order] = {}
    problem = ""
    for answer in await asyncio.gather(*map(_in_time, asked)):
        if answer is None:
            problem = DOWN
        for order in answer or []:
            found.setdefault(order.number, order)
    return list(found.values()), problem


async def _one(clerk: Clerk, conversation_id: str, number: str) -> list[Order]:
    order = await clerk.order(conversation_id, number)
    return [order] if order is not None else []


async def _in_time(asking: Any) -> list[Order] | None:
    """The orders; None when the shop does not tell."""
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            return list(await asking)
    except (OrderError, TimeoutError) as error:
        log.warning("desk.orders_not_read", reason=type(error).__name__)
        return None

"""Cancelling an order, or lines of it.

All of an order is cancelled by `orderCancel`, which works through a job: we wait for its end. Lines
are taken out by an order edit, whose last step is its only effect, and which sets quantities.
"""

from __future__ import annotations

import asyncio
from typing import Any

from bot.orders.contract import NotAllowed, Order, OrderState, Part
from bot.orders.shopify import mutations, queries
from bot.orders.shopify.client import Slow
from bot.orders.shopify.clock import Deadline
from bot.orders.shopify.errors import told
from bot.orders.shopify.reader import Reader, sensible
from bot.orders.shopify.search import short

LOOK = 0.15  # seconds between two looks at the job


async def plan(
    reader: Reader, number: str, parts: tuple[Part, ...], mark: str, deadline: Deadline
) -> dict[str, Any]:
    """What is to be so: the order cancelled, or so many left of each line."""
    order_id = await reader.order_id(number, deadline)
    order = await reader.order(order_id, deadline)
    if order.state is not OrderState.RECEIVED:
        raise NotAllowed(f"the order is {order.state}")
    left = _left(order, parts)
    everything = not parts or all(left.get(line.id, line.left) == 0 for line in order.lines)
    if everything and order.shipments:
        raise NotAllowed("a part of the order was sent already")
    return {
        "order": order_id,
        "number": order.number,
        "left": None if everything else left,
        "mark": mark,
    }


def _left(order: Order, parts: tuple[Part, ...]) -> dict[str, int]:
    """How many are left of each line that is touched."""
    left: dict[str, int] = {}
    known = {line.id: line for line in order.lines}
    sent: dict[str, int] = {}
    for shipment in order.shipments:
        for part in shipment.parts:
            sent[part.line_id] = sent.get(part.line_id, 0) + part.quantity
    for part in parts:
        if part.line_id not in known:
            raise NotAllowed("the order has no such line")
        line = known[part.line_id]
        rest = left.get(line.id, line.quantity - line.cancelled) - part.quantity
        if part.quantity < 1 or rest < max(sent.get(line.id, 0), line.returned):
            raise NotAllowed("there are not so many of it that can be cancelled")
        left[line.id] = rest
    return left


async def act(reader: Reader, plan: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
    note = f"The customer cancelled this with the bot (Rapport {plan['mark']})."
    if plan["left"] is None:
        await _cancel(reader, plan["order"], note, deadline)
    else:
        await _edit(reader, plan, note, deadline)
    result = await seen(reader, plan, deadline)
    if result is None:
        raise NotAllowed("Shopify's job ended, and the order is not cancelled")
    return result


async def seen(reader: Reader, plan: dict[str, Any], deadline: Deadline) -> dict[str, Any] | None:
    order = await reader.order(plan["order"], deadline)
    if plan["left"] is None:
        so = order.state is OrderState.CANCELLED
    else:
        left = {line.id: line.quantity - line.cancelled for line in order.lines}
        so = all(left.get(line_id, 0) <= many for line_id, many in plan["left"].items())
    if not so:
        return None
    refund = None
    if plan["left"] is None and order.refunds:
        refund = [sum(it.amount.minor for it in order.refunds), order.total.currency]
    return {"reference": plan["number"], "refund": refund}


async def _cancel(reader: Reader, order_id: str, note: str, deadline: Deadline) -> None:
    data = await reader.client.write(mutations.CANCEL, deadline, id=order_id, note=note)
    payload = told(data["orderCancel"], "orderCancelUserErrors")
    job = payload["job"]
    while job and not job["done"]:
        if deadline.left < 2 * LOOK:
            raise Slow("Shopify has not ended the cancellation in time")
        await asyncio.sleep(LOOK)
        job = (await reader.client.read(queries.JOB, deadline, id=job["id"]))["job"]


async def _edit(reader: Reader, plan: dict[str, Any], note: str, deadline: Deadline) -> None:
    """Begin, set each quantity, commit. Before the commit nothing has happened."""
    write = reader.client.read  # up to the commit it may be tried again
    payload = told(
        (await write(mutations.EDIT_BEGIN, deadline, id=plan["order"]))["orderEditBegin"]
    )
    with sensible():
        edit = payload["calculatedOrder"]
        lines = {short(it["id"]): it["id"] for it in edit["lineItems"]["nodes"]}
    for line_id, many in plan["left"].items():
        if line_id not in lines:
            raise NotAllowed("the line can no longer be edited")
        data = await write(
            mutations.EDIT_QUANTITY, deadline, id=edit["id"], line=lines[line_id], quantity=many
        )
        told(data["orderEditSetQuantity"])
    data = await reader.client.write(mutations.EDIT_COMMIT, deadline, id=edit["id"], note=note)
    told(data["orderEditCommit"])

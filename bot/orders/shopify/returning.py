"""Returns and exchanges.

A return is created open, that is: allowed. Shopify makes no labels by itself; one that the shop or
its returns app attaches shows up on the return.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.orders.contract import NotAllowed, OrderState, Part, ReturnRequest, Unknown
from bot.orders.shopify import mutations, queries, reading
from bot.orders.shopify.clock import Deadline
from bot.orders.shopify.errors import told
from bot.orders.shopify.reader import Reader, sensible
from bot.orders.shopify.search import gid, short
from bot.orders.shopify.words import clean

NOTE = 255  # characters that Shopify takes

# A policy's reason -> Shopify's, the best first. Handles that a shop does not have are passed over.
REASONS = {
    "too_small": ("too-small", "too-tight", "size-too-small"),
    "too_large": ("too-large", "too-loose", "size-too-large"),
    "too_big": ("too-large", "too-loose", "size-too-large"),
    "changed_mind": ("changed-mind", "unwanted", "no-longer-needed"),
    "not_as_described": ("not-as-described", "quality"),
    "damaged": ("damaged", "defective", "quality"),
    "faulty": ("defective", "quality"),
    "wrong": ("wrong-item", "received-wrong-item"),
    "late": ("arrived-late",),
    "colour": ("color", "color-too-bright"),
    "style": ("style",),
}


async def plan(
    reader: Reader, number: str, request: ReturnRequest, mark: str, deadline: Deadline
) -> dict[str, Any]:
    """The `ReturnInput`, once it is clear that all of it can come back."""
    order_id = await reader.order_id(number, deadline)
    order = await reader.order(order_id, deadline)
    if not request.parts:
        raise NotAllowed("nothing is to be returned")
    if order.state is OrderState.CANCELLED:
        raise NotAllowed("the order is cancelled")
    known = {line.id: line for line in order.lines}
    for part in request.parts:
        if part.line_id not in known:
            raise NotAllowed("the order has no such line")
        if part.quantity < 1 or not known[part.line_id].returnable:
            raise NotAllowed("this cannot be returned")
    items = _allot(request.parts, await _returnable(reader, order_id, deadline))
    reason = await _reason(reader, request.reason, deadline)
    said = f"{request.reason}: {request.words}" if request.words else request.reason
    tail = f" (Rapport {mark})"
    for item in items:
        item["returnReasonNote"] = clean(said, NOTE - len(tail)) + tail
        if reason:
            item["returnReasonDefinitionId"] = reason
    wanted = {
        "orderId": order_id,
        "returnLineItems": items,
        "requestedAt": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if request.exchange_for:
        wanted["exchangeLineItems"] = [
            {
                "variantId": await _variant(reader, part.line_id, request.exchange_for, deadline),
                "quantity": part.quantity,
            }
            for part in request.parts
        ]
    return {"order": order_id, "number": order.number, "return": wanted, "mark": mark}


async def act(reader: Reader, plan: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
    data = await reader.client.write(mutations.RETURN, deadline, **{"return": plan["return"]})
    payload = told(data["returnCreate"])
    if not payload["return"]:
        raise Unknown("Shopify does not say which return it made")
    return {"reference": payload["return"]["name"]}


async def seen(reader: Reader, plan: dict[str, Any], deadline: Deadline) -> dict[str, Any] | None:
    """The return whose note has the mark."""
    found = await reader.raw(plan["order"], deadline)
    with sensible():
        for it in found["returns"]["nodes"]:
            notes = [item["returnReasonNote"] or "" for item in it["returnLineItems"]["nodes"]]
            if any(plan["mark"] in note for note in notes):
                return {"reference": it["name"], "label_url": reading.back(it).label_url}
    return None


def _allot(parts: tuple[Part, ...], free: list[list[Any]]) -> list[dict[str, Any]]:
    """Which of the sent things come back: Shopify wants them by parcel.

    ``free`` has the sent line's id, the line's id, and how many of it can be returned.
    """
    items = []
    for part in parts:
        missing = part.quantity
        for it in free:
            take = min(missing, it[2]) if it[1] == part.line_id else 0
            if take:
                items.append({"fulfillmentLineItemId": it[0], "quantity": take})
                it[2] -= take
                missing -= take
        if missing:
            raise NotAllowed("there are not so many of it that can be returned")
    return items


async def _returnable(reader: Reader, order_id: str, deadline: Deadline) -> list[list[Any]]:
    found: list[list[Any]] = []
    after = None
    while True:
        data = await reader.client.read(queries.RETURNABLE, deadline, id=order_id, after=after)
        with sensible():
            page = data["returnableFulfillments"]
            for parcel in page["nodes"]:
                for it in parcel["returnableFulfillmentLineItems"]["nodes"]:
                    sent = it["fulfillmentLineItem"]
                    found.append([sent["id"], short(sent["lineItem"]["id"]), it["quantity"]])
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]


async def _reason(reader: Reader, reason: str, deadline: Deadline) -> str:
    """The id of Shopify's reason for a policy's; "" if it has none like it."""
    handles = list(dict.fromkeys([reason.replace("_", "-"), *REASONS.get(reason, ()), "other"]))
    handles = [it for it in handles if it.isascii() and it.replace("-", "").isalnum()]
    data = await reader.client.read(queries.REASONS, deadline, handles=handles)
    with sensible():
        found = {
            it["handle"]: it["id"]
            for it in data["returnReasonDefinitions"]["nodes"]
            if not it["deleted"]
        }
    return next((found[it] for it in handles if it in found), "")


async def _variant(reader: Reader, line_id: str, wanted: str, deadline: Deadline) -> str:
    """The id of the variant with this title, of the line's own product."""
    data = await reader.client.read(queries.VARIANTS, deadline, id=gid("LineItem", line_id))
    with sensible():
        product = data["node"]["product"]
        variants = product["variants"]["nodes"] if product else []
    for it in variants:
        if _plain(it["title"]) == _plain(wanted):
            if not it["availableForSale"]:
                raise NotAllowed("the variant is sold out")
            return str(it["id"])
    raise NotAllowed("the product has no such variant")


def _plain(title: str) -> str:
    """``L / Navy`` is ``l, navy``."""
    return ",".join(it.strip() for it in title.replace("/", ",").split(",")).casefold()

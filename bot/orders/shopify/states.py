"""Shopify's many states, as customers know them."""

from __future__ import annotations

from typing import Any

from bot.orders.contract import Line, OrderState, Shipment, ShipmentState

SHIPMENTS = {
    "SUBMITTED": ShipmentState.PREPARING,
    "CONFIRMED": ShipmentState.PREPARING,
    "LABEL_PURCHASED": ShipmentState.PREPARING,
    "LABEL_PRINTED": ShipmentState.PREPARING,
    "LABEL_VOIDED": ShipmentState.PREPARING,
    "FULFILLED": ShipmentState.IN_TRANSIT,
    "MARKED_AS_FULFILLED": ShipmentState.IN_TRANSIT,
    "CARRIER_PICKED_UP": ShipmentState.IN_TRANSIT,
    "IN_TRANSIT": ShipmentState.IN_TRANSIT,
    "DELAYED": ShipmentState.IN_TRANSIT,
    "OUT_FOR_DELIVERY": ShipmentState.OUT_FOR_DELIVERY,
    "READY_FOR_PICKUP": ShipmentState.READY_TO_COLLECT,
    "ATTEMPTED_DELIVERY": ShipmentState.FAILED,
    "NOT_DELIVERED": ShipmentState.FAILED,
    "FAILURE": ShipmentState.FAILED,
    "DELIVERED": ShipmentState.DELIVERED,
    "PICKED_UP": ShipmentState.DELIVERED,
}
AT_WORK = ("IN_PROGRESS", "PENDING_FULFILLMENT")  # the warehouse has begun


def shipment_state(display: str | None) -> ShipmentState:
    """Of a `FulfillmentDisplayStatus`; one that is new to us is on its way."""
    return SHIPMENTS.get(display or "", ShipmentState.IN_TRANSIT)


def order_state(
    found: dict[str, Any], lines: tuple[Line, ...], shipments: tuple[Shipment, ...]
) -> OrderState:
    """The state of the part that is furthest behind.

    Shopify does not know "packed": it is when the warehouse has begun, or a label is printed.
    """
    if found["cancelledAt"] or (lines and all(it.cancelled == it.quantity for it in lines)):
        return OrderState.CANCELLED
    status = found["displayFulfillmentStatus"]
    begun = any(it["status"] == "IN_PROGRESS" for it in found["fulfillmentOrders"]["nodes"])
    if status in AT_WORK or (status != "FULFILLED" and begun):
        return OrderState.PACKED
    if status != "FULFILLED" or not shipments:
        return OrderState.DISPATCHED if status == "FULFILLED" else OrderState.RECEIVED
    states = {it.state for it in shipments}
    if ShipmentState.PREPARING in states:
        return OrderState.PACKED
    if states == {ShipmentState.DELIVERED}:
        return OrderState.DELIVERED
    if states <= {ShipmentState.DELIVERED, ShipmentState.READY_TO_COLLECT}:
        return OrderState.READY_TO_COLLECT
    return OrderState.DISPATCHED

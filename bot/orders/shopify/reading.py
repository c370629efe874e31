"""An order as Shopify tells it, in our nouns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.orders.contract import (
    Address,
    Customer,
    Line,
    Money,
    Order,
    Part,
    Refund,
    RefundState,
    Return,
    ReturnState,
    Shipment,
    ShipmentState,
)
from bot.orders.shopify.money import money
from bot.orders.shopify.search import short
from bot.orders.shopify.states import order_state, shipment_state

GONE = ("CANCELED", "DECLINED")  # returns that keep nothing from being returned again
GIFT_CARD = "Gift cards cannot be returned."
NOT_SENT = "It was not sent as a parcel, so it cannot be sent back."
NOWHERE = Address("", "", "", "", "")


def moment(text: str | None) -> datetime | None:
    """A `DateTime`, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def day(text: str | None, zone: ZoneInfo) -> date | None:
    """The day of a `DateTime` at the shop's place."""
    return datetime.fromisoformat(text).astimezone(zone).date() if text else None


def order(found: dict[str, Any], zone: ZoneInfo) -> Order:
    """An order with all pages of its parts."""
    parcels = [it for it in found["fulfillments"] if it["displayStatus"] != "CANCELED"]
    shipments = tuple(shipment(it, zone) for it in parcels)
    ways = [it["deliveryMethod"] for it in found["fulfillmentOrders"]["nodes"]]
    total = money(found["totalPriceSet"])
    lines = _lines(found)
    arrived = [it.delivered_at for it in shipments]
    state = order_state(found, lines, shipments)
    latest = [way["maxDeliveryDateTime"] for way in ways if way and way["maxDeliveryDateTime"]]
    return Order(
        number=found["name"],
        customer_id=short(found["customer"]["id"]) if found["customer"] else "",
        email=found["email"] or "",
        phone=found["phone"] or (found["shippingAddress"] or {}).get("phone") or "",
        placed_at=_known(found["processedAt"]),
        state=state,
        lines=lines,
        address=address(found["shippingAddress"]),
        total=total,
        delivery=(found["shippingLine"] or {}).get("title", ""),
        delivery_price=(
            money(found["shippingLine"]["discountedPriceSet"])
            if found["shippingLine"]
            else Money(0, total.currency)
        ),
        promised=max((day(it, zone) for it in latest), default=None),  # type: ignore[type-var]
        delivered_at=max(arrived) if arrived and state == "delivered" and all(arrived) else None,  # type: ignore[type-var]
        shipments=shipments,
        returns=tuple(back(it) for it in found["returns"]["nodes"] if it["status"] != "CANCELED"),
        refunds=tuple(refund(it) for it in found["refunds"] if money(it["totalRefundedSet"]).minor),
        invoice_ready=ready_to_invoice(found),
        collects=any(way and way["methodType"] == "PICK_UP" for way in ways),
    )


def ready_to_invoice(found: dict[str, Any]) -> bool:
    """Whether Shopify can mail an invoice that is final: it is paid, and there is an address."""
    return bool(found["canNotifyCustomer"] and found["fullyPaid"] and not found["cancelledAt"])


def _known(text: str) -> datetime:
    found = moment(text)
    assert found
    return found


def address(found: dict[str, Any] | None) -> Address:
    """A `MailingAddress`; blank where nothing is sent."""
    if not found:
        return NOWHERE
    street = "\n".join(it for it in (found["address1"], found["address2"]) if it)
    return Address(
        name=found["name"] or "",
        street=street,
        city=found["city"] or "",
        postcode=found["zip"] or "",
        country=found["countryCodeV2"] or "",
    )


def line_of(item: dict[str, Any]) -> str:
    """The id of the line that a part of a return is of."""
    sent = item.get("fulfillmentLineItem")
    return short((sent["lineItem"] if sent else item["lineItem"])["id"])


def _lines(found: dict[str, Any]) -> tuple[Line, ...]:
    """Lines with what became of them.

    Shopify tells how many of a line are left after removals and refunds; which of the missing were
    cancelled and which came back follows from returns and refunds.
    """
    coming: Counter[str] = Counter()  # in a return, whatever became of it
    refunded: Counter[str] = Counter()  # of these, no longer counted by Shopify
    for it in found["returns"]["nodes"]:
        for item in it["returnLineItems"]["nodes"] if it["status"] not in GONE else ():
            coming[line_of(item)] += item["quantity"]
            refunded[line_of(item)] += item["refundedQuantity"]
    brought: Counter[str] = Counter()  # came back and were refunded, without a return
    for it in found["refunds"]:
        for item in it["refundLineItems"]["nodes"] if not it["return"] else ():
            if item["restockType"] == "RETURN":
                brought[short(item["lineItem"]["id"])] += item["quantity"]
    lines = []
    for it in found["lineItems"]["nodes"]:
        key = short(it["id"])
        missing = it["quantity"] - it["currentQuantity"] - refunded[key] - brought[key]
        returned = min(it["quantity"], coming[key] + brought[key])
        left = it["quantity"] - returned
        cancelled = left if found["cancelledAt"] else min(left, max(0, missing))
        lines.append(_line(it, cancelled, returned))
    return tuple(lines)


def _line(found: dict[str, Any], cancelled: int, returned: int) -> Line:
    why = GIFT_CARD if found["isGiftCard"] else "" if found["requiresShipping"] else NOT_SENT
    variant = found["variantTitle"] or ""
    return Line(
        id=short(found["id"]),
        product=found["title"],
        variant="" if variant == "Default Title" else variant,
        quantity=found["quantity"],
        price=money(found["discountedUnitPriceAfterAllDiscountsSet"]),
        cancelled=cancelled,
        returned=returned,
        returnable=not why,
        why_not=why,
    )


def shipment(found: dict[str, Any], zone: ZoneInfo) -> Shipment:
    """A `Fulfillment`."""
    state = shipment_state(found["displayStatus"])
    tracking = (found["trackingInfo"] or [{}])[0]
    left = found["inTransitAt"] or found["createdAt"]
    return Shipment(
        id=short(found["id"]),
        parts=_parts(
            found["fulfillmentLineItems"]["nodes"], lambda item: short(item["lineItem"]["id"])
        ),
        state=state,
        carrier=tracking.get("company") or "",
        tracking_number=tracking.get("number") or "",
        tracking_url=tracking.get("url") or "",
        dispatched_at=None if state is ShipmentState.PREPARING else moment(left),
        expected=day(found["estimatedDeliveryAt"], zone),
        delivered_at=moment(found["deliveredAt"]) if state is ShipmentState.DELIVERED else None,
    )


def _parts(items: list[dict[str, Any]], of: Callable[[dict[str, Any]], str]) -> tuple[Part, ...]:
    sums: Counter[str] = Counter()
    for item in items:
        sums[of(item)] += item["quantity"] or 0
    return tuple(Part(line_id, quantity) for line_id, quantity in sums.items() if quantity)


def back(found: dict[str, Any]) -> Return:
    """A `Return`. It has arrived once the shop has booked the first of its things."""
    reverse = found["reverseFulfillmentOrders"]["nodes"]
    booked = [
        disposition["createdAt"]
        for it in reverse
        for item in it["lineItems"]["nodes"]
        for disposition in item["dispositions"]
    ]
    state = ReturnState.ARRIVED if booked else ReturnState.REGISTERED
    if found["status"] == "CLOSED":
        state = ReturnState.CLOSED
    elif found["status"] in GONE:
        state = ReturnState.REFUSED
    return Return(
        id=found["name"],
        parts=_parts(found["returnLineItems"]["nodes"], line_of),
        exchange=bool(found["exchangeLineItems"]["nodes"]),
        state=state,
        registered_at=_known(found["createdAt"]),
        label_url=_label(reverse),
        arrived_at=moment(min(booked, default=None)),
    )


def _label(reverse: list[dict[str, Any]]) -> str:
    for it in reverse:
        for delivery in it["reverseDeliveries"]["nodes"]:
            label = (delivery["deliverable"] or {}).get("label")
            if label and label["publicFileUrl"]:
                return str(label["publicFileUrl"])
    return ""


def refund(found: dict[str, Any]) -> Refund:
    """A `Refund`: issued when all its transactions went through, failed when one did not."""
    paid = [it for it in found["transactions"]["nodes"] if it["kind"] in ("REFUND", "VOID")]
    states = {it["status"] for it in paid}
    state = RefundState.PENDING
    if states & {"ERROR", "FAILURE"}:
        state = RefundState.FAILED
    elif states == {"SUCCESS"}:
        state = RefundState.ISSUED
    issued = [it["processedAt"] for it in paid if it["status"] == "SUCCESS" and it["processedAt"]]
    return Refund(
        id=short(found["id"]),
        amount=money(found["totalRefundedSet"]),
        state=state,
        method=", ".join(dict.fromkeys(_method(it) for it in paid if _method(it))),
        return_id=short(found["return"]["id"]) if found["return"] else "",
        created_at=moment(found["createdAt"]),
        issued_at=moment(max(issued, default=None)) if state is RefundState.ISSUED else None,
    )


def _method(found: dict[str, Any]) -> str:
    """``Visa ending 4242``, ``PayPal``."""
    name = str(found["formattedGateway"] or "")
    digits = "".join(it for it in found["accountNumber"] or "" if it.isdigit())[-4:]
    return f"{name} ending {digits}".strip() if len(digits) == 4 else name


def customer(found: dict[str, Any]) -> Customer:
    """A `Customer`. Shopify has no points."""
    email = found["defaultEmailAddress"] or {}
    return Customer(
        id=short(found["id"]),
        name=found["displayName"],
        email=email.get("emailAddress", ""),
        phone=(found["defaultPhoneNumber"] or {}).get("phoneNumber", ""),
        points=None,
        marketing=email.get("marketingState") in ("SUBSCRIBED", "PENDING"),
    )

"""A shop's orders and customers as dicts in the shape of Shopify's types."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.simulate.shopify.values import Thing, bag, minor_of, now, placed_at, split_name, stamp

RETURNED = ("OPEN", "CLOSED", "REQUESTED")


@dataclass
class State:
    """Everything there is; ``things`` has each by its global id."""

    name: str = "Northpeak"
    domain: str = "northpeak.myshopify.com"
    currency: str = "GBP"
    things: dict[str, Thing] = field(default_factory=dict)
    orders: list[Thing] = field(default_factory=list)
    customers: list[Thing] = field(default_factory=list)
    marks: dict[tuple[str, str], Thing] = field(default_factory=dict)
    discounts: dict[str, Thing] = field(default_factory=dict)
    jobs: dict[str, float] = field(default_factory=dict)  # until when they run
    job_seconds: float = 0.0
    numbers: Any = field(default_factory=lambda: itertools.count(5001))

    def add(self, kind: str, /, **fields: Any) -> Thing:
        """A new thing of a type."""
        thing = {"__typename": kind, "id": f"gid://shopify/{kind}/{next(self.numbers)}", **fields}
        self.things[thing["id"]] = thing
        return thing

    def order(self, name: str) -> Thing:
        """An order by its name."""
        return next(it for it in self.orders if it["name"] == name)

    # Making them.

    def customer(
        self, name: str, email: str, phone: str = "", *, marketing: str = "SUBSCRIBED"
    ) -> Thing:
        made = self.add(
            "Customer",
            displayName=name,
            defaultEmailAddress={"emailAddress": email, "marketingState": marketing},
            defaultPhoneNumber={"phoneNumber": phone} if phone else None,
        )
        made["orders"] = lambda **arguments: [
            it for it in sorted(self.orders, key=placed_at) if it["customer"] is made
        ]
        self.customers.append(made)
        return made

    def product(self, *variants: str, sold_out: tuple[str, ...] = ()) -> Thing:
        made = [
            self.add("ProductVariant", title=it, availableForSale=it not in sold_out)
            for it in variants
        ]
        return self.add("Product", variants=made)

    def line(
        self,
        title: str,
        variant: str | None,
        quantity: int,
        minor: int,
        *,
        currency: str = "GBP",
        **more: Any,
    ) -> Thing:
        return self.add(
            "LineItem",
            title=title,
            variantTitle=variant,
            quantity=quantity,
            currentQuantity=quantity,
            unfulfilledQuantity=quantity,
            discountedUnitPriceAfterAllDiscountsSet=bag(minor, currency),
            **{"isGiftCard": False, "requiresShipping": True, "product": None, **more},
        )

    def placed(
        self,
        name: str,
        lines: list[Thing],
        *,
        customer: Thing | None,
        email: str,
        at: datetime,
        address: Thing | None,
        delivery: tuple[str, int] | None = ("Standard delivery", 495),
        currency: str = "GBP",
    ) -> Thing:
        """An order as it is after the checkout: paid later, at dispatch."""
        total = sum(minor_of(it) * it["quantity"] for it in lines) + (
            delivery[1] if delivery else 0
        )
        method = self.add(
            "DeliveryMethod",
            methodType="SHIPPING" if delivery else "PICK_UP",
            maxDeliveryDateTime=None,
        )
        made = self.add(
            "Order",
            name=name,
            email=email,
            phone=None,
            note=None,
            tags=[],
            createdAt=stamp(at),
            processedAt=stamp(at),
            cancelledAt=None,
            cancellation=None,
            canNotifyCustomer=bool(email),
            fullyPaid=False,
            displayFulfillmentStatus="UNFULFILLED",
            customer=customer,
            shippingAddress=address,
            shippingLine=(
                {"title": delivery[0], "discountedPriceSet": bag(delivery[1], currency)}
                if delivery
                else None
            ),
            totalPriceSet=bag(total, currency),
            currentTotalPriceSet=bag(total, currency),
            lineItems=lines,
            fulfillments=[],
            fulfillmentOrders=[self.add("FulfillmentOrder", status="OPEN", deliveryMethod=method)],
            returns=[],
            refunds=[],
        )
        self.orders.append(made)
        return made

    def address(self, name: str, street: str, city: str, code: str, country: str = "GB") -> Thing:
        first, last = split_name(name)
        return self.add(
            "MailingAddress",
            name=name,
            firstName=first,
            lastName=last,
            address1=street,
            address2=None,
            city=city,
            zip=code,
            provinceCode=None,
            countryCodeV2=country,
            phone=None,
        )

    # What the shop's people and carriers do.

    def packs(self, order: Thing) -> None:
        order["displayFulfillmentStatus"] = "IN_PROGRESS"
        order["fulfillmentOrders"][0]["status"] = "IN_PROGRESS"

    def sends(
        self,
        order: Thing,
        lines: list[Thing],
        *,
        at: datetime,
        status: str = "IN_TRANSIT",
        arrived: datetime | None = None,
        expected: datetime | None = None,
    ) -> Thing:
        """A parcel with all of some lines; the order is paid with its first."""
        sent = [
            self.add("FulfillmentLineItem", quantity=it["unfulfilledQuantity"], lineItem=it)
            for it in lines
        ]
        for it in lines:
            it["unfulfilledQuantity"] = 0
        number = f"PF{next(self.numbers)}GB"
        made = self.add(
            "Fulfillment",
            createdAt=stamp(at),
            inTransitAt=stamp(at),
            deliveredAt=stamp(arrived) if arrived else None,
            estimatedDeliveryAt=stamp(expected) if expected else None,
            displayStatus="DELIVERED" if arrived else status,
            trackingInfo=[
                {
                    "company": "Fellparcel",
                    "number": number,
                    "url": f"https://track.fellparcel.example/{number}",
                }
            ],
            fulfillmentLineItems=sent,
        )
        order["fulfillments"].append(made)
        order["fullyPaid"] = True
        rest = any(it["unfulfilledQuantity"] for it in order["lineItems"])
        order["displayFulfillmentStatus"] = "PARTIALLY_FULFILLED" if rest else "FULFILLED"
        order["fulfillmentOrders"][0]["status"] = "OPEN" if rest else "CLOSED"
        return made

    def returns(self, order: Thing, items: list[tuple[Thing, int, str, str]]) -> Thing:
        """A return of (sent line, quantity, note, reason's id)."""
        made = self.add(
            "Return",
            name=f"{order['name']}-R{len(order['returns']) + 1}",
            status="OPEN",
            createdAt=now(),
            closedAt=None,
            exchangeLineItems=[],
            returnLineItems=[
                self.add(
                    "ReturnLineItem",
                    quantity=quantity,
                    refundedQuantity=0,
                    returnReasonNote=note,
                    returnReasonDefinition=self.things.get(reason),
                    fulfillmentLineItem=sent,
                )
                for sent, quantity, note, reason in items
            ],
            reverseFulfillmentOrders=[
                self.add(
                    "ReverseFulfillmentOrder",
                    status="OPEN",
                    lineItems=[self.add("ReverseFulfillmentOrderLineItem", dispositions=[])],
                    reverseDeliveries=[],
                )
            ],
        )
        order["returns"].append(made)
        return made

    def labels(self, back: Thing, url: str) -> None:
        """The shop attaches a label to a return."""
        label = {"__typename": "ReverseDeliveryLabelV2", "publicFileUrl": url}
        deliverable = {"__typename": "ReverseDeliveryShippingDeliverable", "label": label}
        delivery = self.add("ReverseDelivery", deliverable=deliverable)
        back["reverseFulfillmentOrders"][0]["reverseDeliveries"].append(delivery)

    def books(self, back: Thing) -> None:
        """A return arrives."""
        booked = self.add("ReverseFulfillmentOrderDisposition", createdAt=now())
        back["reverseFulfillmentOrders"][0]["lineItems"][0]["dispositions"].append(booked)

    def refunds(
        self,
        order: Thing,
        minor: int,
        *,
        back: Thing | None = None,
        items: tuple[tuple[Thing, int, str], ...] = (),
        status: str = "SUCCESS",
    ) -> Thing:
        """Money back, for (line, quantity, restock type)."""
        currency = order["totalPriceSet"]["presentmentMoney"]["currencyCode"]
        paid = self.add(
            "OrderTransaction",
            kind="REFUND",
            status=status,
            formattedGateway="Visa",
            accountNumber="•••• •••• •••• 4242",
            processedAt=now() if status == "SUCCESS" else None,
        )
        made = self.add(
            "Refund",
            createdAt=now(),
            totalRefundedSet=bag(minor, currency),
            refundLineItems=[
                {"id": None, "lineItem": line, "quantity": quantity, "restockType": kind}
                for line, quantity, kind in items
            ],
            transactions=[paid],
        )
        made["return"] = back
        for line, quantity, _ in items:
            line["currentQuantity"] -= quantity
        order["refunds"].append(made)
        return made

    def returnable(self, order: Thing) -> list[tuple[Thing, int]]:
        """What of an order's parcels can still come back."""
        coming: Counter[str] = Counter()
        for back in order["returns"]:
            for it in back["returnLineItems"] if back["status"] in RETURNED else ():
                coming[it["fulfillmentLineItem"]["id"]] += it["quantity"]
        sent = [it for parcel in order["fulfillments"] for it in parcel["fulfillmentLineItems"]]
        free = [(it, it["quantity"] - coming[it["id"]]) for it in sent]
        return [it for it in free if it[1] > 0 and not order["cancelledAt"]]

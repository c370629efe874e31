"""The demo shop's orders, as they would be at Shopify."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.simulate.shopify.state import State
from bot.simulate.shopify.values import Thing

# What an order shows -> its number.
CASES = {
    "received": "NP-200001",
    "received_two_lines": "NP-200002",
    "packed": "NP-200003",
    "dispatched": "NP-200004",
    "split": "NP-200005",
    "delivered": "NP-200006",
    "delivered_two_lines": "NP-200007",
    "abroad": "NP-200008",
    "not_returnable": "NP-200009",
    "returned": "NP-200010",
    "refunded": "NP-200011",
    "cancelled": "NP-200012",
    "guest": "NP-200013",
}
COLLECT, LONG, HELD, FAILED = "NP-200014", "NP-200015", "NP-200016", "NP-200017"
PAID, EXCHANGED, OUT, LABEL = "NP-200018", "NP-200019", "NP-200020", "NP-200021"
MISSING = "NP-299999"
EXCHANGE_FOR = "L, Moss"


def seeded() -> State:
    """A shop with some thirty orders; moments are told from now."""
    shop = _Seed()
    shop.waiting()
    shop.on_the_way()
    shop.arrived()
    shop.odd()
    for number in range(22, 32):  # some more of one customer
        shop.delivered(f"NP-2000{number}", [shop.fleece()], ago=40 + number)
    return shop.state


class _Seed:
    def __init__(self) -> None:
        self.state = State()
        self.ada = self.state.customer("Ada Hill", "ada.hill@mail.example", "+447700900111")
        self.ben = self.state.customer("Ben Frost", "ben.frost@mail.example", "+447700900222")
        self.home = ("Ada Hill", "14 Mill Lane", "Leeds", "LS1 4DY")
        self.clothes = self.state.product(
            "S / Moss", "M / Moss", "L / Moss", "XL / Moss", sold_out=("XL / Moss",)
        )
        self.now = datetime.now(UTC).replace(microsecond=0)

    def ago(self, days: float) -> datetime:
        return self.now - timedelta(days=days)

    def fleece(self, quantity: int = 1, currency: str = "GBP") -> Thing:
        return self.state.line(
            "Tarnside Fleece", "M / Moss", quantity, 6500, currency=currency, product=self.clothes
        )

    def socks(self, quantity: int = 2) -> Thing:
        return self.state.line("Merrinwell Socks", "6-8", quantity, 1450)

    def place(self, number: str, lines: list[Thing], days: float, **more: Any) -> Thing:
        values = {
            "customer": self.ada,
            "email": "ada.hill@mail.example",
            "address": self.state.address(*self.home),
            **more,
        }
        return self.state.placed(number, lines, at=self.ago(days), **values)

    def delivered(self, number: str, lines: list[Thing], ago: float, **more: Any) -> Thing:
        order = self.place(number, lines, ago, **more)
        self.state.sends(order, lines, at=self.ago(ago - 1), arrived=self.ago(ago - 3))
        return order

    def waiting(self) -> None:
        self.place(CASES["received"], [self.fleece()], 0.02)
        self.place(CASES["received_two_lines"], [self.fleece(2), self.socks()], 0.03)
        self.state.packs(self.place(CASES["packed"], [self.fleece()], 0.2))
        cancelled = self.place(CASES["cancelled"], [self.fleece()], 9)
        cancelled["cancelledAt"] = cancelled["createdAt"]
        for line in cancelled["lineItems"]:
            line["currentQuantity"] = line["unfulfilledQuantity"] = 0
        self.place(CASES["guest"], [self.socks()], 0.5, customer=None, email="guest@mail.example")
        held = self.place(HELD, [self.fleece()], 1, customer=self.ben)
        held["displayFulfillmentStatus"] = "ON_HOLD"
        self.place(PAID, [self.fleece()], 0.1, customer=self.ben)["fullyPaid"] = True

    def on_the_way(self) -> None:
        lines = [self.fleece()]
        order = self.place(CASES["dispatched"], lines, 2)
        self.state.sends(order, lines, at=self.ago(1), expected=self.now + timedelta(days=1))
        lines = [self.fleece(), self.socks()]
        order = self.place(CASES["split"], lines, 5)
        self.state.sends(order, lines[:1], at=self.ago(4), arrived=self.ago(2))
        self.state.sends(order, lines[1:], at=self.ago(1), status="OUT_FOR_DELIVERY")
        lines = [self.fleece()]
        order = self.place(FAILED, lines, 4, customer=self.ben)
        self.state.sends(order, lines, at=self.ago(3), status="ATTEMPTED_DELIVERY")
        lines = [self.fleece()]
        order = self.place(OUT, lines, 4, customer=self.ben)
        self.state.sends(order, lines, at=self.ago(3), status="DELAYED")

    def arrived(self) -> None:
        self.delivered(CASES["delivered"], [self.fleece()], 12)
        self.delivered(CASES["delivered_two_lines"], [self.fleece(), self.socks()], 14)
        euros = self.fleece(currency="EUR")
        self.delivered(
            CASES["abroad"],
            [euros],
            15,
            currency="EUR",
            address=self.state.address("Ada Hill", "Calle Mayor 3", "Madrid", "28013", "ES"),
        )
        card = self.state.line("Gift card", None, 1, 5000, isGiftCard=True, requiresShipping=False)
        self.delivered(CASES["not_returnable"], [card, self.socks()], 16)
        order = self.delivered(CASES["returned"], [self.fleece()], 20)
        sent = order["fulfillments"][0]["fulfillmentLineItems"]
        self.state.returns(order, [(sent[0], 1, "too small", "")])
        order = self.delivered(CASES["refunded"], [self.fleece()], 30)
        sent = order["fulfillments"][0]["fulfillmentLineItems"]
        back = self.state.returns(order, [(sent[0], 1, "too small", "")])
        self.state.books(back)
        back["status"] = "CLOSED"
        back["returnLineItems"][0]["refundedQuantity"] = 1
        self.state.refunds(order, 6500, back=back, items=((sent[0]["lineItem"], 1, "RETURN"),))

    def odd(self) -> None:
        """What other suites look at: collection, very long orders, exchanges, labels."""
        lines = [self.fleece()]
        order = self.place(COLLECT, lines, 3, customer=self.ben, address=None, delivery=None)
        self.state.sends(order, lines, at=self.ago(1), status="READY_FOR_PICKUP")
        many = [self.state.line(f"Tent peg {it}", None, 1, 100) for it in range(1, 131)]
        order = self.place(LONG, many, 50, customer=self.ben)
        self.state.sends(order, many[:100], at=self.ago(49), arrived=self.ago(48))
        for it in many[100:]:
            self.state.sends(order, [it], at=self.ago(49), arrived=self.ago(47))
        order["fulfillments"] = order["fulfillments"][:20]
        order = self.delivered(EXCHANGED, [self.fleece()], 21, customer=self.ben)
        sent = order["fulfillments"][0]["fulfillmentLineItems"]
        back = self.state.returns(order, [(sent[0], 1, "", "")])
        back["exchangeLineItems"].append(self.state.add("ExchangeLineItem"))
        order = self.delivered(LABEL, [self.fleece()], 22, customer=self.ben)
        sent = order["fulfillments"][0]["fulfillmentLineItems"]
        back = self.state.returns(order, [(sent[0], 1, "", "")])
        self.state.labels(back, "https://labels.shop.example/1.pdf")
        self.state.books(back)

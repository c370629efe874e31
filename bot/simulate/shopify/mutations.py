"""What the server does."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bot.simulate.shopify.values import Thing, bag, now

if TYPE_CHECKING:
    from bot.simulate.shopify.faults import Call
    from bot.simulate.shopify.server import LocalShopify

Payload = dict[str, Any]
ABSENT = object()


def no(message: str, code: str = "", at: str = "") -> Payload:
    """A user error."""
    error: Payload = {"message": message, "field": [at] if at else None, "code": code or None}
    return {"userErrors": [error], "orderCancelUserErrors": [error]}


def yes(**fields: Any) -> Payload:
    return {"userErrors": [], "orderCancelUserErrors": [], **fields}


class Mutations:
    """The root of a mutation."""

    def __init__(self, shop: LocalShopify, call: Call):
        self.shop, self.state, self.call = shop, shop.state, call

    def fields(self) -> dict[str, Callable[..., Payload]]:
        found: dict[str, Callable[..., Payload]] = {
            "metafieldsSet": self.set_marks,
            "metafieldsDelete": self.delete_marks,
            "orderCancel": self.cancel,
            "orderEditBegin": self.edit_begin,
            "orderEditSetQuantity": self.edit_quantity,
            "orderEditCommit": self.edit_commit,
            "returnCreate": self.create_return,
            "orderUpdate": self.update_order,
            "tagsAdd": self.add_tags,
            "customerUpdate": self.update_customer,
            "customerEmailMarketingConsentUpdate": self.consent,
            "orderInvoiceSend": self.invoice,
            "discountCodeBasicCreate": self.voucher,
        }
        return {name: self._counted(name, act) for name, act in found.items()}

    def _counted(self, name: str, act: Callable[..., Payload]) -> Callable[..., Payload]:
        def counted(**arguments: Any) -> Payload:
            if self.call.user_errors:
                errors = [{"code": None, **it} for it in self.call.user_errors]
                return {"userErrors": errors, "orderCancelUserErrors": errors}
            payload = act(**arguments)
            if not payload["userErrors"]:
                self.shop.done[name] += 1
            return payload

        return counted

    def _order(self, global_id: str) -> Thing | None:
        return next((it for it in self.state.orders if it["id"] == global_id), None)

    # Metafields of the app's installation.

    def set_marks(self, metafields: list[Payload]) -> Payload:
        made = []
        for it in metafields:
            place = (it["namespace"], it["key"])
            before = self.state.marks.get(place)
            wanted = it.get("compareDigest", ABSENT)
            if wanted is not ABSENT and wanted != (before["compareDigest"] if before else None):
                return no("The resource has been updated since it was loaded.", "STALE_OBJECT")
            digest = hashlib.sha256(it["value"].encode()).hexdigest()
            made.append(
                self.state.add(
                    "Metafield",
                    namespace=it["namespace"],
                    key=it["key"],
                    value=it["value"],
                    compareDigest=digest,
                    updatedAt=now(),
                )
            )
            self.state.marks[place] = made[-1]
        return yes(metafields=made)

    def delete_marks(self, metafields: list[Payload]) -> Payload:
        for it in metafields:
            self.state.marks.pop((it["namespace"], it["key"]), None)
        return yes(deletedMetafields=metafields)

    # Orders.

    def cancel(self, orderId: str, staffNote: str = "", **_: Any) -> Payload:
        order = self._order(orderId)
        if order is None:
            return no("Order does not exist", "NOT_FOUND", "orderId")
        if order["cancelledAt"] or order["fulfillments"]:
            return no("Cannot cancel an order that is cancelled or fulfilled", "INVALID", "orderId")
        order["cancelledAt"] = now()
        order["cancellation"] = {"staffNote": staffNote}
        if order["fullyPaid"]:
            items = tuple((it, it["currentQuantity"], "CANCEL") for it in order["lineItems"])
            total = order["currentTotalPriceSet"]["presentmentMoney"]["amount"]
            self.state.refunds(order, round(float(total) * 100), items=items)
        for it in order["lineItems"]:
            it["currentQuantity"] = it["unfulfilledQuantity"] = 0
        job = f"gid://shopify/Job/{next(self.state.numbers)}"
        self.state.jobs[job] = time.monotonic() + self.state.job_seconds
        return yes(job={"id": job, "done": False})

    def edit_begin(self, id: str) -> Payload:
        order = self._order(id)
        if order is None or order["cancelledAt"]:
            return no("The order cannot be edited", at="id")
        lines = [
            {
                "id": it["id"].replace("/LineItem/", "/CalculatedLineItem/"),
                "quantity": it["currentQuantity"],
            }
            for it in order["lineItems"]
            if it["currentQuantity"]
        ]
        edit = self.state.add("CalculatedOrder", lineItems=lines)
        edit["order"] = order
        return yes(calculatedOrder=edit)

    def edit_quantity(self, id: str, lineItemId: str, quantity: int, **_: Any) -> Payload:
        edit = self.state.things[id]
        line = next((it for it in edit["lineItems"] if it["id"] == lineItemId), None)
        if line is None or not 0 <= quantity <= line["quantity"]:
            return no("Quantity is not valid", at="quantity")
        line["quantity"] = quantity
        return yes(calculatedLineItem=line, calculatedOrder=edit)

    def edit_commit(self, id: str, **_: Any) -> Payload:
        edit = self.state.things[id]
        order = edit["order"]
        for it in edit["lineItems"]:
            line = self.state.things[it["id"].replace("/CalculatedLineItem/", "/LineItem/")]
            gone = line["currentQuantity"] - it["quantity"]
            line["currentQuantity"] -= gone
            line["unfulfilledQuantity"] -= gone
        return yes(order=order)

    def update_order(self, input: Payload) -> Payload:
        order = self._order(input["id"])
        if order is None:
            return no("Order does not exist", at="id")
        if len(input.get("note") or "") > 5000:
            return no("Note is too long (maximum is 5000 characters)", at="note")
        if "note" in input:
            order["note"] = input["note"]
        if "shippingAddress" in input:
            wanted = dict(input["shippingAddress"])
            wanted["countryCodeV2"] = wanted.pop("countryCode")
            names = (wanted.get("firstName"), wanted.get("lastName"))
            wanted["name"] = " ".join(it for it in names if it)
            order["shippingAddress"] = {**order["shippingAddress"], **wanted}
        return yes(order=order)

    def add_tags(self, id: str, tags: list[str]) -> Payload:
        order = self._order(id)
        if order is None:
            return no("Order does not exist", at="id")
        order["tags"] = sorted({*order["tags"], *tags})
        return yes(node=order)

    def invoice(self, id: str) -> Payload:
        order = self._order(id)
        if order is None or not order["email"]:
            return no("The invoice was not sent", "ORDER_INVOICE_SEND_UNSUCCESSFUL")
        return yes(order=order)

    def create_return(self, returnInput: Payload) -> Payload:
        order = self._order(returnInput["orderId"])
        if order is None:
            return no("Order does not exist", "NOT_FOUND", "orderId")
        free = {it["id"]: (it, quantity) for it, quantity in self.state.returnable(order)}
        items = []
        for it in returnInput["returnLineItems"]:
            sent, most = free.get(it["fulfillmentLineItemId"], (None, 0))
            if sent is None or not 1 <= it["quantity"] <= most:
                return no("Quantity is not returnable", "INVALID", "returnLineItems")
            if len(it["returnReasonNote"]) > 255:
                return no("Note is too long", "TOO_LONG", "returnReasonNote")
            free[sent["id"]] = (sent, most - it["quantity"])
            reason = it.get("returnReasonDefinitionId", "")
            items.append((sent, it["quantity"], it["returnReasonNote"], reason))
        made = self.state.returns(order, items)
        for _ in returnInput.get("exchangeLineItems") or ():
            made["exchangeLineItems"].append(self.state.add("ExchangeLineItem"))
        return yes(**{"return": made})

    # Customers and vouchers.

    def update_customer(self, input: Payload) -> Payload:
        found = self.state.things.get(input.get("id", ""))
        if not found:
            return no("Customer does not exist", at="id")
        for other in self.state.customers:
            taken = (other["defaultEmailAddress"] or {}).get("emailAddress", "").lower()
            if other is not found and taken and taken == input.get("email", "").lower():
                return no("Email has already been taken", at="email")
        if input.get("email"):
            state = (found["defaultEmailAddress"] or {}).get("marketingState", "NOT_SUBSCRIBED")
            address = input["email"].lower()
            found["defaultEmailAddress"] = {"emailAddress": address, "marketingState": state}
        if input.get("phone"):
            found["defaultPhoneNumber"] = {"phoneNumber": input["phone"]}
        return yes(customer=found)

    def consent(self, input: Payload) -> Payload:
        found = self.state.things.get(input["customerId"])
        if not found or not found["defaultEmailAddress"]:
            return no("Customer has no email address", "INVALID", "customerId")
        state = input["emailMarketingConsent"]["marketingState"]
        found["defaultEmailAddress"]["marketingState"] = state
        return yes(customer=found)

    def voucher(self, basicCodeDiscount: Payload) -> Payload:
        code = basicCodeDiscount["code"].upper()
        if code in self.state.discounts:
            return no("Code must be unique", "TAKEN", "code")
        amount = basicCodeDiscount["customerGets"]["value"]["discountAmount"]["amount"]
        made = self.state.add("DiscountCodeNode", worth=bag(round(float(amount) * 100)))
        self.state.discounts[code] = made
        return yes(codeDiscountNode=made)

"""Changes of an address, of an account's contact, and of the consent to newsletters. All of them
set what is wanted, whatever was there: done twice is done once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.orders.contract import Address, Conflict, NotAllowed, NotFound, OrderState
from bot.orders.shopify import mutations
from bot.orders.shopify.clock import Deadline
from bot.orders.shopify.errors import told
from bot.orders.shopify.reader import Reader
from bot.orders.shopify.search import gid
from bot.orders.shopify.words import address_fields, email_address, phone_number

Plan = dict[str, Any]


async def plan_address(
    reader: Reader, number: str, address: Address, mark: str, deadline: Deadline
) -> Plan:
    order_id = await reader.order_id(number, deadline)
    order = await reader.order(order_id, deadline)
    if order.state is not OrderState.RECEIVED or order.shipments:
        raise NotAllowed(f"the order is {order.state}")
    if order.collects or not order.address.country:
        raise NotAllowed("nothing of this order is sent")
    if address.country != order.address.country:
        raise NotAllowed("the country cannot be changed")
    fields = address_fields(address)
    if order.phone:
        fields["phone"] = order.phone
    return {"order": order_id, "number": order.number, "address": fields}


async def act_address(reader: Reader, plan: Plan, deadline: Deadline) -> Plan:
    data = await reader.client.write(
        mutations.ADDRESS, deadline, id=plan["order"], address=plan["address"]
    )
    told(data["orderUpdate"])
    return {"reference": plan["number"]}


async def seen_address(reader: Reader, plan: Plan, deadline: Deadline) -> Plan | None:
    found = (await reader.raw(plan["order"], deadline))["shippingAddress"] or {}
    wanted = {key: text for key, text in plan["address"].items() if key != "phone"}
    wanted["countryCodeV2"] = wanted.pop("countryCode")
    so = all((found.get(key) or "") == text for key, text in wanted.items())
    return {"reference": plan["number"]} if so else None


async def plan_contact(
    reader: Reader,
    customer_id: str,
    *,
    email: str,
    phone: str,
    country: str,
    deadline: Deadline,
) -> Plan:
    before = await reader.customer(customer_id, deadline)
    wanted = {"id": gid("Customer", before.id)}
    if email:
        address = email_address(email)
        if not address:
            raise NotAllowed("this is no e-mail address")
        await _free(reader, before.id, deadline, emailAddress=address.lower())
        wanted["email"] = address
    if phone:
        number = phone_number(phone, country)
        if not number:
            raise NotAllowed("this is no phone number")
        await _free(reader, before.id, deadline, phoneNumber=number)
        wanted["phone"] = number
    if len(wanted) == 1:
        raise NotAllowed("nothing is to be changed")
    return {"customer": wanted}


async def _free(reader: Reader, customer_id: str, deadline: Deadline, **by: str) -> None:
    """Raises: Conflict, another account has this."""
    try:
        found = await reader.customer_by(deadline, **by)
    except NotFound:
        return
    if found.id != customer_id:
        raise Conflict("another account has this address or number")


async def act_contact(reader: Reader, plan: Plan, deadline: Deadline) -> Plan:
    data = await reader.client.write(mutations.CONTACT, deadline, customer=plan["customer"])
    try:
        told(data["customerUpdate"])
    except NotAllowed as error:  # Shopify gives no codes here
        if "taken" in str(error):
            raise Conflict(str(error)) from error
        raise
    return {"reference": plan["customer"]["id"].rsplit("/", 1)[-1]}


async def seen_contact(reader: Reader, plan: Plan, deadline: Deadline) -> Plan | None:
    wanted = plan["customer"]
    found = await reader.customer(wanted["id"], deadline)
    so = found.email.lower() == wanted.get("email", found.email).lower()
    so = so and found.phone == wanted.get("phone", found.phone)
    return {"reference": found.id} if so else None


async def plan_consent(reader: Reader, email: str, mark: str, deadline: Deadline) -> Plan:
    address = email_address(email)
    if not address:
        raise NotAllowed("this is no e-mail address")
    try:
        found = await reader.customer_by_email(address, deadline)
    except NotFound:
        return {"customer": None, "mark": mark}
    return {"customer": gid("Customer", found.id), "mark": mark}


async def act_consent(reader: Reader, plan: Plan, deadline: Deadline) -> Plan:
    """Shopify mails nothing to an address that it does not know: then there is nothing to do."""
    if plan["customer"]:
        consent = {
            "customerId": plan["customer"],
            "emailMarketingConsent": {
                "marketingState": "UNSUBSCRIBED",
                "consentUpdatedAt": datetime.now(UTC).isoformat(timespec="seconds"),
            },
        }
        data = await reader.client.write(mutations.CONSENT, deadline, consent=consent)
        told(data["customerEmailMarketingConsentUpdate"])
    return {"reference": plan["mark"][:8]}


async def seen_consent(reader: Reader, plan: Plan, deadline: Deadline) -> Plan | None:
    if plan["customer"] and (await reader.customer(plan["customer"], deadline)).marketing:
        return None
    return {"reference": plan["mark"][:8]}

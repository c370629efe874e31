"""Reports of problems, invoices, vouchers.

Shopify has nothing for a report: it goes into the order's note, where staff read it, and the order
gets a tag by which they find it. A voucher is a discount code that is made from the key: a second
one of the same key is refused by Shopify itself. An invoice is Shopify's own mail.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from bot.orders.contract import Conflict, Money, NotAllowed, ProblemReport
from bot.orders.shopify import mutations, queries
from bot.orders.shopify.clock import Deadline
from bot.orders.shopify.errors import told
from bot.orders.shopify.money import decimal
from bot.orders.shopify.reader import Reader, sensible
from bot.orders.shopify.reading import ready_to_invoice
from bot.orders.shopify.search import gid
from bot.orders.shopify.words import clean

Plan = dict[str, Any]
TAG = "rapport-problem"
NOTE = 5000  # characters that Shopify takes
WORDS = 600


async def plan_report(
    reader: Reader, number: str, report: ProblemReport, mark: str, deadline: Deadline
) -> Plan:
    order_id = await reader.order_id(number, deadline)
    order = await reader.order(order_id, deadline)
    known = {line.id: line for line in order.lines}
    things = []
    for part in report.parts:
        line = known.get(part.line_id)
        if not line or not 1 <= part.quantity <= line.quantity:
            raise NotAllowed("the order has no such line, or not so many of it")
        things.append(f"{part.quantity} × {line.title}")
    today = datetime.now(UTC).date().isoformat()
    said = f' "{clean(report.words, WORDS)}"' if report.words.strip() else ""
    paragraph = (
        f"{today}: the customer told the bot of a problem: {report.problem}; would like: "
        f"{report.remedy}; {', '.join(things) or 'the whole order'}.{said} (Rapport {mark})"
    )
    return {"order": order_id, "number": order.number, "note": paragraph, "mark": mark}


async def act_report(reader: Reader, plan: Plan, deadline: Deadline) -> Plan:
    """The note is read and written again: what staff write in the moment between is lost, so that
    moment is kept short."""
    before = ((await reader.raw(plan["order"], deadline)).get("note") or "").rstrip()
    note = f"{before}\n\n{plan['note']}" if before else plan["note"]
    if len(note) > NOTE:
        raise NotAllowed("the order's note is full")
    data = await reader.client.write(
        mutations.NOTE, deadline, id=plan["order"], note=note, tags=[TAG]
    )
    told(data["orderUpdate"])
    return _reported(plan)


async def seen_report(reader: Reader, plan: Plan, deadline: Deadline) -> Plan | None:
    note = (await reader.raw(plan["order"], deadline)).get("note") or ""
    return _reported(plan) if plan["mark"] in note else None


def _reported(plan: Plan) -> Plan:
    return {"reference": f"{plan['number']}/{plan['mark'][:6].upper()}"}


async def plan_invoice(reader: Reader, number: str, mark: str, deadline: Deadline) -> Plan:
    order_id = await reader.order_id(number, deadline)
    found = await reader.raw(order_id, deadline)
    with sensible():
        if not ready_to_invoice(found):
            raise NotAllowed("there is no invoice yet, or nowhere to send it")
        return {"order": order_id, "number": found["name"]}


async def act_invoice(reader: Reader, plan: Plan, deadline: Deadline) -> Plan:
    data = await reader.client.write(mutations.INVOICE, deadline, id=plan["order"])
    told(data["orderInvoiceSend"])
    return {"reference": plan["number"]}


async def seen_invoice(reader: Reader, plan: Plan, deadline: Deadline) -> Plan | None:
    """Mails leave nothing that can be looked up."""
    return None


def voucher_code(secret: str, mark: str) -> str:
    """A code that nobody can guess who does not know our token."""
    digest = hmac.new(secret.encode(), mark.encode(), hashlib.sha256).digest()
    return "THANKS-" + base64.b32encode(digest).decode()[:12]


async def plan_voucher(
    reader: Reader,
    number: str,
    amount: Money,
    reason: str,
    *,
    code: str,
    deadline: Deadline,
) -> Plan:
    order_id = await reader.order_id(number, deadline)
    found = await reader.raw(order_id, deadline)
    facts = await reader.facts(deadline)
    if amount.minor <= 0:
        raise NotAllowed("a voucher is worth more than nothing")
    if amount.currency != facts.currency:
        raise NotAllowed(f"vouchers of this shop are in {facts.currency}")
    customer = found["customer"]
    voucher = {
        "title": f"Thank you, order {found['name']}",
        "code": code,
        "startsAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "usageLimit": 1,
        "appliesOncePerCustomer": True,
        "context": {"customers": {"add": [customer["id"]]}} if customer else {"all": "ALL"},
        "customerGets": {
            "items": {"all": True},
            "value": {"discountAmount": {"amount": decimal(amount), "appliesOnEachItem": False}},
        },
        "tags": ["rapport", *([words] if (words := clean(reason, 200)) else [])],
    }
    return {"order": gid("Order", order_id), "voucher": voucher}


async def act_voucher(reader: Reader, plan: Plan, deadline: Deadline) -> Plan:
    data = await reader.client.write(mutations.VOUCHER, deadline, voucher=plan["voucher"])
    with suppress(Conflict):  # the code is there: it is the one of this key
        told(data["discountCodeBasicCreate"])
    return {"reference": plan["voucher"]["code"]}


async def seen_voucher(reader: Reader, plan: Plan, deadline: Deadline) -> Plan | None:
    code = plan["voucher"]["code"]
    data = await reader.client.read(queries.VOUCHER, deadline, code=code)
    return {"reference": code} if data["codeDiscountNodeByCode"] else None

"""What is written to the shop once it is confirmed, and what is said about it.

Every write has a key made from the turn, so a turn that is done again does nothing twice. Where no
answer came back the shop is asked what became of it; only what is known is said.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from actions.jobs.replies import (
    Link,
    Masked,
    Number,
    Phrase,
    Reference,
    Theirs,
    fee_of,
    items_of,
)
from actions.jobs.rules import PROBLEMS, RETURNS
from actions.jobs.state import Job
from bot.jobs.clerk import Clerk
from bot.jobs.details import masked_email
from bot.orders.contract import (
    Address,
    Done,
    Order,
    OrderError,
    Part,
    Problem,
    ProblemReport,
    Remedy,
    ReturnRequest,
    Unknown,
)

Reply = tuple[str, dict[str, Any]]
REMEDIES = {"A replacement": Remedy.REPLACEMENT, "A refund": Remedy.REFUND}
PROBLEM_OF = {
    "report_damage": Problem.DAMAGED,
    "report_missing_item": Problem.MISSING,
    "warranty_claim": Problem.FAULTY,
}


async def once(clerk: Clerk, key: str, write: Callable[[], Awaitable[Done]]) -> Done:
    """Do a write; when no answer comes back, find out, and do it again with the same key when it was
    not done. Raises what `OrderSystem` raises; `Unknown` when it cannot be found out."""
    try:
        return await write()
    except Unknown:
        try:
            done = await clerk.system.outcome(key)
        except OrderError as error:
            raise Unknown("nor can it be found out") from error
        return done if done is not None else await write()


def confirmation(job: Job, order: Order | None, clerk: Clerk) -> Reply:
    """What will happen, said before it does."""
    policy = clerk.policy
    if job.kind == "unsubscribe":
        return "unsubscribe_confirm", {"email": Theirs(job.email)}
    assert order is not None
    number, items = Number(order.number), items_of(order, job.items)
    if job.kind == "cancel_order":
        return "cancel_confirm", {
            "number": number, "items": items, "bank": policy.reservation_released
        }  # fmt: skip
    if job.kind == "start_return":
        fee = fee_of(order, policy)
        return "return_confirm", {"items": items, "fee": fee, "refund": policy.refund_issued}
    if job.kind == "exchange_item":
        return "exchange_confirm", {
            "items": items,
            "variant": Theirs(job.variant),
            "fee": fee_of(order, policy),
            "reserved": policy.exchange_reserved,
        }
    if job.kind in PROBLEMS:
        remedy = Phrase(job.remedy.casefold())
        return "problem_confirm", {"items": items, "remedy": remedy, "details": Theirs(job.details)}
    if job.kind == "warranty_claim":
        return "warranty_confirm", {"items": items, "details": Theirs(job.details)}
    if job.kind == "change_address":
        return "address_confirm", {"number": number, "address": Theirs(in_a_line(job.address))}
    return "contact_confirm", {"contact": Theirs(", ".join(job.contact.values()))}


async def carry_out(job: Job, order: Order | None, clerk: Clerk, key: str) -> Reply:
    """Do what was confirmed; returns what to say. Raises what `OrderSystem` raises."""
    system, policy = clerk.system, clerk.policy
    if job.kind == "unsubscribe":
        await once(clerk, key, lambda: system.unsubscribe(job.email, key=key))
        return "unsubscribed", {"email": Theirs(job.email), "span": policy.unsubscribed}
    assert order is not None
    number, items = Number(order.number), items_of(order, job.items)
    parts = tuple(Part(line, count) for line, count in job.items.items())
    if job.kind == "cancel_order":
        await once(clerk, key, lambda: system.cancel(order.number, parts, key=key))
        return "cancelled", {"number": number, "items": items, "bank": policy.reservation_released}
    if job.kind in RETURNS:
        request = ReturnRequest(parts, job.reason or "size", job.details[:500], job.variant[:100])
        done = await once(clerk, key, lambda: system.start_return(order.number, request, key=key))
        about: dict[str, Any] = {
            "items": items, "reference": Reference(done.reference), "label": label(done)
        }  # fmt: skip
        if job.kind == "start_return":
            return "return_done", {**about, "refund": policy.refund_issued}
        more = {"variant": Theirs(job.variant), "reserved": policy.exchange_reserved}
        return "exchange_done", {**about, **more}
    if job.kind in PROBLEM_OF:
        problem = PROBLEM_OF[job.kind]
        if problem is Problem.MISSING and "wrong" in f"{job.first_words} {job.details}".casefold():
            problem = Problem.WRONG
        remedy = REMEDIES.get(job.remedy, Remedy.REPAIR)
        report = ProblemReport(parts, problem, remedy, job.details[:1000])
        done = await once(clerk, key, lambda: system.report(order.number, report, key=key))
        about = {
            "items": items,
            "reference": Reference(done.reference),
            "photos": photos(policy.photos_to, done.reference),
        }
        if job.kind == "warranty_claim":
            return "warranty_done", {**about, "assessed": policy.assessed}
        return "problem_done", about
    if job.kind == "change_address":
        address = Address(
            **{
                **job.address,
                "name": job.address.get("name") or order.address.name,
                "country": order.address.country,
            }
        )
        await once(clerk, key, lambda: system.change_address(order.number, address, key=key))
        return "address_done", {"number": number, "address": Theirs(in_a_line(job.address))}
    assert job.kind == "update_contact"
    contact = {name: job.contact.get(name, "") for name in ("email", "phone")}
    await once(clerk, key, lambda: system.change_contact(order.customer_id, **contact, key=key))
    return "contact_done", {"contact": Theirs(", ".join(job.contact.values()))}


async def send_invoice(order: Order, clerk: Clerk, key: str) -> Reply:
    """It goes to the order's own address, so nobody has to be asked."""
    await once(clerk, key, lambda: clerk.system.send_invoice(order.number, key=key))
    return "invoice_sent", {"number": Number(order.number), "to": Masked(masked_email(order.email))}


def credit_key(order: Order) -> str:
    """An order gets a voucher for its lateness once, whoever asks how often."""
    return f"late/{order.number}"[:80]


async def give_credit(order: Order, clerk: Clerk) -> Reply:
    """The voucher for an order that is late."""
    amount, key = clerk.policy.late_credit, credit_key(order)
    assert amount is not None
    done = await once(
        clerk, key, lambda: clerk.system.give_credit(order.number, amount, "late", key=key)
    )
    return "credit_given", {"credit": amount, "reference": Reference(done.reference)}


def label(done: Done) -> Phrase:
    if not done.label_url:
        return Phrase("The label comes by e-mail.")
    return Phrase(f"Your label, to print or to show on a phone: {Link(done.label_url)}")


def photos(address: str, reference: str) -> Phrase:
    if not address:
        return Phrase("A colleague asks you for photos by e-mail.")
    return Phrase(
        f"Please send photos of the item and the packaging to {address}, with {reference} in the "
        "subject line; I can't take pictures here."
    )


def in_a_line(address: dict[str, str]) -> str:
    fields = ("name", "street", "city", "postcode")
    return ", ".join(address[it].replace("\n", ", ") for it in fields if address.get(it))

"""What may be done with which part of an order, by the record and the policy: pure functions."""

from __future__ import annotations

from datetime import date
from typing import Any

from actions.jobs.replies import Items, Number, Phrase, items_of
from bot.orders.contract import Line, Order, OrderState, ShipmentState
from bot.orders.policy import Policy

Reply = tuple[str, dict[str, Any]]
WITH_ITEMS = ("cancel_order", "start_return", "exchange_item", "report_damage",
              "report_missing_item", "warranty_claim")  # fmt: skip
RETURNS = ("start_return", "exchange_item")
PROBLEMS = ("report_damage", "report_missing_item")
TROUBLES = (*PROBLEMS, "warranty_claim")


def refusal(kind: str, order: Order, policy: Policy, today: date) -> Reply | None:
    """Why this job cannot be done on this order; None when it can."""
    number = Number(order.number)
    if kind == "cancel_order":
        if order.state is OrderState.CANCELLED:
            return "cancel_already", {"number": number}
        if order.state is not OrderState.RECEIVED:
            return "cancel_too_late", {"number": number, "window": policy.return_window}
    if kind == "change_address" and order.state is not OrderState.RECEIVED:
        return "address_too_late", {"number": number}
    if kind == "invoice_copy" and not order.invoice_ready:
        return "invoice_not_yet", {"number": number}
    if kind in RETURNS + PROBLEMS + ("warranty_claim",):
        return _not_now(kind, order, policy, today)
    return None


def _not_now(kind: str, order: Order, policy: Policy, today: date) -> Reply | None:
    number = Number(order.number)
    arrived = arrival(order)
    if arrived is None:
        return "not_arrived", {"number": number}
    if not any(line.left for line in order.lines):
        return "nothing_left", {"number": number}
    if kind in PROBLEMS and policy.problem_window.after(arrived) < today:
        return "problem_too_late", {"window": policy.problem_window, "warranty": policy.warranty}
    if kind == "warranty_claim" and policy.warranty.after(arrived) < today:
        last = policy.warranty.after(arrived)
        return "warranty_over", {
            "items": items_of(order), "warranty": policy.warranty, "last": last
        }  # fmt: skip
    if kind in RETURNS:
        last = policy.return_window.after(arrived)
        if last < today:
            return "window_over", {
                "items": items_of(order), "window": policy.return_window, "last": last
            }  # fmt: skip
        if not lines_for(kind, order):
            line = next(line for line in order.lines if line.left)
            return not_returnable(line)
    return None


def not_returnable(line: Line) -> Reply:
    why = Phrase(line.why_not or "It is among the things that cannot be returned.")
    return "not_returnable", {"items": Items(((line, line.left),)), "why": why}


def arrival(order: Order) -> date | None:
    """The day on which the latest parcel arrived; None when none has."""
    days = [it.delivered_at.date() for it in order.shipments if it.delivered_at]
    if order.delivered_at:
        days.append(order.delivered_at.date())
    return max(days, default=None)


def lines_for(kind: str, order: Order) -> list[Line]:
    """The lines that the job can be about."""
    left = [line for line in order.lines if line.left > 0]
    if kind == "cancel_order":
        return left
    coming = {
        part.line_id
        for parcel in order.shipments
        if parcel.state is not ShipmentState.DELIVERED
        for part in parcel.parts
    }
    here = [line for line in left if line.id not in coming] or left
    return [line for line in here if line.returnable] if kind in RETURNS else here

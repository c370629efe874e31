"""Every reply of a job: its fields, each with its type, and how a value of that type is written.

The wording itself is in ``domain.yml``, with the tones. A field takes what an order record or a rule
says, and nothing else can be put there: `say` refuses a value of another type.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NewType

from actions.base import CollectingDispatcher
from bot.orders.contract import Line, Money, Order
from bot.orders.policy import Policy, Span


@dataclass(frozen=True)
class Items:
    """Some of an order's lines, each with how many."""

    parts: tuple[tuple[Line, int], ...]

    def __str__(self) -> str:
        return joined([f"{count} × {line.title}" for line, count in self.parts])


@dataclass(frozen=True)
class Listed:
    """A paragraph for each of several things, made by `actions.jobs.status`."""

    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(f"- {line}" for line in self.lines)


@dataclass(frozen=True)
class Phrase:
    """Words that follow from a record, made by `actions.jobs.status`; may be none."""

    words: str

    def __str__(self) -> str:
        return self.words


Number = NewType("Number", str)  # of an order
Masked = NewType("Masked", str)  # an address, of which just enough is shown
Theirs = NewType("Theirs", str)  # what the customer said, given back
Reference = NewType("Reference", str)  # the shop's
Link = NewType("Link", str)

N, I, D, M = Number, Items, date, Money  # noqa: E741

FIELDS: dict[str, dict[str, Any]] = {
    # Which order, and whose.
    "which_order": {"example": N},
    "which_of": {},
    "one_at_a_time": {},
    "no_number": {"example": N},
    "proof": {"number": N},
    "no_match": {},
    "no_match_over": {},
    # Where it is.
    "status_received": {"number": N, "items": I, "when": Phrase},
    "status_packed": {"number": N, "items": I, "when": Phrase},
    "status_on_its_way": {"number": N, "items": I, "when": Phrase, "tracking": Phrase},
    "status_late": {"number": N, "items": I, "promised": D, "where": Phrase, "tracking": Phrase},
    "status_ready": {"number": N, "items": I},
    "status_failed": {"number": N, "items": I, "tracking": Phrase},
    "status_lost": {"number": N, "items": I},
    "status_came_back": {"number": N, "items": I},
    "status_delivered": {"number": N, "items": I, "day": D},
    "status_cancelled": {"number": N},
    "status_split": {"number": N, "parcels": Listed},
    "late_credit": {"credit": M},
    "credit_given": {"credit": M, "reference": Reference},
    "credit_refused": {},
    # Cancelling.
    "cancel_which": {"number": N},
    "cancel_confirm": {"number": N, "items": I, "bank": Span},
    "cancelled": {"number": N, "items": I, "bank": Span},
    "cancel_too_late": {"number": N, "window": Span},
    "cancel_already": {"number": N},
    # Returning and exchanging.
    "return_which": {"number": N},
    "return_reason": {},
    "return_unused": {},
    "return_confirm": {"items": I, "fee": Phrase, "refund": Span},
    "return_done": {"items": I, "reference": Reference, "label": Phrase, "refund": Span},
    "exchange_for": {"items": I},
    "exchange_confirm": {"items": I, "variant": Theirs, "fee": Phrase, "reserved": Span},
    "exchange_done": {
        "items": I, "variant": Theirs, "reference": Reference, "label": Phrase, "reserved": Span,
    },
    "not_arrived": {"number": N},
    "window_over": {"items": I, "window": Span, "last": D},
    "not_returnable": {"items": I, "why": Phrase},
    "used": {},
    "nothing_left": {"number": N},
    # Money.
    "refund_none": {"number": N},
    "refund_waits": {"number": N, "refund": Span},
    "refund_pending": {"number": N, "amount": M, "method": Phrase, "due": D},
    "refund_issued": {"number": N, "amount": M, "method": Phrase, "day": D, "due": D},
    "refund_overdue": {"number": N, "amount": M, "method": Phrase, "day": D, "due": D},
    # Something is wrong with it.
    "problem_which": {"number": N},
    "problem_details": {"items": I},
    "problem_remedy": {},
    "problem_confirm": {"items": I, "remedy": Phrase, "details": Theirs},
    "problem_done": {"items": I, "reference": Reference, "photos": Phrase},
    "problem_too_late": {"window": Span, "warranty": Span},
    "warranty_confirm": {"items": I, "details": Theirs},
    "warranty_done": {"items": I, "reference": Reference, "photos": Phrase, "assessed": Span},
    "warranty_over": {"items": I, "warranty": Span, "last": D},
    # Addresses.
    "address_ask": {"number": N},
    "address_incomplete": {},
    "address_abroad": {},
    "address_confirm": {"number": N, "address": Theirs},
    "address_done": {"number": N, "address": Theirs},
    "address_too_late": {"number": N},
    "contact_ask": {},
    "contact_guest": {},
    "contact_confirm": {"contact": Theirs},
    "contact_done": {"contact": Theirs},
    # The rest.
    "invoice_sent": {"number": N, "to": Masked},
    "invoice_not_yet": {"number": N},
    "points": {"points": Phrase},
    "points_none": {},
    "unsubscribe_email": {},
    "unsubscribe_confirm": {"email": Theirs},
    "unsubscribed": {"email": Theirs, "span": Span},
    # The dialogue.
    "acknowledge": {},
    "code_sent": {"to": Masked},
    "code_wrong": {},
    "code_over": {"to": Masked},
    "code_impossible": {},
    "not_understood": {},
    "not_understood_again": {},
    "stopped": {},
    "next_wish": {"wish": Phrase},
    "shop_refuses": {},
    "cannot": {},
}  # fmt: skip


def say(
    dispatcher: CollectingDispatcher,
    name: str,
    *,
    buttons: Sequence[str] = (),
    custom: dict[str, Any] | None = None,
    **values: Any,
) -> None:
    """Say a reply. Raises TypeError when the values are not those that it takes."""
    dispatcher.utter_message(
        response=f"utter_job_{name}",
        buttons=[{"title": one} for one in buttons] or None,
        json_message={"job": True, **(custom or {})},
        **written(name, values),
    )


def written(name: str, values: dict[str, Any]) -> dict[str, str]:
    """The values as texts, each checked against its type."""
    wanted = FIELDS[name]
    if set(values) != set(wanted):
        raise TypeError(f"{name} takes {sorted(wanted)}, not {sorted(values)}")
    texts = {}
    for field, value in values.items():
        kind = getattr(wanted[field], "__supertype__", wanted[field])
        if type(value) is not kind:
            raise TypeError(f"{name}: {field} is a {kind.__name__}, not {type(value).__name__}")
        texts[field] = day_in_words(value) if isinstance(value, date) else _safe(str(value))
    return texts


def _safe(text: str) -> str:
    """Words that cannot be taken for a field of the template they are put into."""
    return text.replace("{", "(").replace("}", ")")


def day_in_words(day: date) -> str:
    """ "Friday 27 November 2026"; the year is always said, as orders reach back for years."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def joined(words: Sequence[str]) -> str:
    """ "a, b and c"."""
    words = list(words)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def items_of(order: Order, counts: dict[str, int] | None = None) -> Items:
    """Some lines of an order, or all that is left of it; of an order with nothing left, all."""
    if counts:
        return Items(tuple((order.line(line), count) for line, count in counts.items()))
    left = [(line, line.left) for line in order.lines if line.left]
    return Items(tuple(left or [(line, line.quantity) for line in order.lines]))


def fee_of(order: Order, policy: Policy) -> Phrase:
    """What a return costs."""
    if order.address.country == policy.home_country:
        return Phrase("The label is free.")
    fee = policy.return_fee_abroad
    return Phrase(f"The return costs {fee}, which is taken off the refund.")

"""The shop's rules for orders, as `orders.yml` states them: pure values, and the arithmetic on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.orders.contract import Money


class Unit(StrEnum):
    """What a span counts."""

    HOURS = "hours"
    DAYS = "days"
    WORKING_DAYS = "working days"
    MONTHS = "months"
    YEARS = "years"


@dataclass(frozen=True)
class Span:
    """A length of time as people say it: "60 days", "5 working days"."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        unit = str(self.unit)
        return f"{self.count} {unit[:-1] if self.count == 1 else unit}"

    def after(self, day: date) -> date:
        """The last day of a span that begins on the day before it: 60 days from delivery. Working
        days are Monday to Friday; hours count as the day on which they end."""
        if self.unit is Unit.WORKING_DAYS:
            left = self.count
            while left:
                day += timedelta(days=1)
                left -= day.weekday() < 5
            return day
        if self.unit is Unit.HOURS:
            return day + timedelta(days=-(-self.count // 24))
        if self.unit is Unit.DAYS:
            return day + timedelta(days=self.count)
        months = self.count * (12 if self.unit is Unit.YEARS else 1)
        year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
        for last in (day.day, 30, 29, 28):
            try:
                return date(year, month + 1, last)
            except ValueError:
                continue
        raise AssertionError("every month has 28 days")


@dataclass(frozen=True)
class Policy:
    """What the bot may do, and within what limits.

    Every span and amount is stated by an article as well; ``articles`` has which, by the rule's name,
    for `knowledge_base check`.
    """

    # How order numbers look: a prefix, and so many digits.
    number_prefix: str = "NP-"
    number_digits: int = 6
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/London"))

    # Rules with an article behind each.
    return_window: Span = Span(60, Unit.DAYS)  # from delivery
    problem_window: Span = Span(14, Unit.DAYS)  # from delivery: damaged, wrong, missing
    warranty: Span = Span(2, Unit.YEARS)  # from delivery
    refund_issued: Span = Span(5, Unit.WORKING_DAYS)  # after a return has arrived
    refund_at_bank: Span = Span(5, Unit.WORKING_DAYS)  # after it was issued
    reservation_released: Span = Span(5, Unit.WORKING_DAYS)  # the bank, after a cancellation
    exchange_reserved: Span = Span(10, Unit.DAYS)
    assessed: Span = Span(3, Unit.WORKING_DAYS)  # a warranty claim, after it has arrived
    unsubscribed: Span = Span(48, Unit.HOURS)
    return_fee_abroad: Money = field(default_factory=lambda: Money(695, "EUR"))
    home_country: str = "GB"

    # Who may have what done.
    code_when_signed_in: frozenset[str] = frozenset({"change_address", "update_contact"})

    # What may be offered for an order that is later than promised; None: nothing.
    late_credit: Money | None = None
    late_by: int = 2  # days after the promised one

    photos_to: str = ""  # where photos of damage are sent; "" where there is no such address
    return_reasons: Mapping[str, str] = field(
        default_factory=lambda: {
            "size": "It doesn't fit",
            "changed_mind": "I changed my mind",
            "not_as_expected": "It isn't as I expected",
            "faulty": "It is faulty or damaged",
        }
    )
    articles: Mapping[str, str] = field(default_factory=dict)

    @property
    def number_example(self) -> str:
        return self.number_prefix + ("1234567890" * 2)[: self.number_digits]

    def today(self, now: datetime) -> date:
        """The day at the shop."""
        return now.astimezone(self.time_zone).date()

"""Orders as the bot sees them, whatever shop system stands behind.

Amounts are `Money` in minor units (pence, cents). Days are `datetime.date` at the shop's place,
moments aware `datetime` in UTC. All values are immutable; a system returns new ones.

Whose order it is, is decided by the caller (`bot/jobs`): a system answers for any number, and its
answers are shown to nobody before that is proven.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

# What can go wrong.


class OrderError(Exception):
    """Something was not done. The text is for the log; customers never see it."""


class NotFound(OrderError):
    """There is no such order, customer or gift card."""


class NotAllowed(OrderError):
    """The shop refuses, whoever asks: the order is packed, the item cannot be returned."""


class Conflict(OrderError):
    """Things changed in between: read again, then decide anew. Nothing was done."""


class Unavailable(OrderError):
    """The shop did not answer, or not sensibly, and *nothing was done*: it may be tried again."""


class Unknown(OrderError):
    """The write left, and no answer came back: it may have been done. Ask `OrderSystem.outcome`;
    the same write with the same key is safe."""


# The nouns.


@dataclass(frozen=True)
class Money:
    """An amount in minor units of an ISO 4217 currency."""

    minor: int
    currency: str = "GBP"

    def __str__(self) -> str:
        sign = {"GBP": "£", "EUR": "€", "USD": "$"}.get(self.currency)
        amount = f"{abs(self.minor) // 100}.{abs(self.minor) % 100:02d}"
        minus = "-" if self.minor < 0 else ""
        return f"{minus}{sign}{amount}" if sign else f"{minus}{amount} {self.currency}"

    def __add__(self, other: Money) -> Money:
        if self.currency != other.currency:
            raise ValueError(f"{self} and {other} are of two currencies")
        return Money(self.minor + other.minor, self.currency)

    def __mul__(self, times: int) -> Money:
        return Money(self.minor * times, self.currency)


class OrderState(StrEnum):
    """Where an order is, as customers read it in the articles. It is the state of the part that is
    furthest behind; shipments have their own."""

    RECEIVED = "received"
    PACKED = "packed"
    DISPATCHED = "dispatched"
    READY_TO_COLLECT = "ready_to_collect"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class ShipmentState(StrEnum):
    """Where a parcel is."""

    PREPARING = "preparing"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    READY_TO_COLLECT = "ready_to_collect"
    FAILED = "failed"  # tried, nobody there, or address wrong
    DELIVERED = "delivered"
    LOST = "lost"
    RETURNED = "returned"  # came back to the shop undelivered


@dataclass(frozen=True)
class Address:
    """Where a parcel goes. ``country`` is ISO 3166-1 alpha-2."""

    name: str
    street: str  # number and street, further lines separated by newlines
    city: str
    postcode: str
    country: str


@dataclass(frozen=True)
class Line:
    """One product of an order."""

    id: str
    product: str
    variant: str  # size and colour as shown; "" if there is none
    quantity: int  # as ordered
    price: Money  # of one, as paid
    cancelled: int = 0  # how many of them were cancelled
    returned: int = 0  # how many are in a return, or were returned
    returnable: bool = True
    why_not: str = ""  # why it cannot be returned, in words for customers

    @property
    def left(self) -> int:
        """How many the customer still has coming, or has."""
        return self.quantity - self.cancelled - self.returned

    @property
    def title(self) -> str:
        return f"{self.product}, {self.variant}" if self.variant else self.product


@dataclass(frozen=True)
class Part:
    """So many of a line."""

    line_id: str
    quantity: int


@dataclass(frozen=True)
class Shipment:
    """One parcel."""

    id: str
    parts: tuple[Part, ...]
    state: ShipmentState
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""
    dispatched_at: datetime | None = None
    expected: date | None = None  # the carrier's or the shop's day
    delivered_at: datetime | None = None


class ReturnState(StrEnum):
    """Where a return is."""

    REGISTERED = "registered"
    ARRIVED = "arrived"
    CLOSED = "closed"  # inspected, and refunded or exchanged
    REFUSED = "refused"


@dataclass(frozen=True)
class Return:
    """Things on their way back."""

    id: str
    parts: tuple[Part, ...]
    exchange: bool
    state: ReturnState
    registered_at: datetime
    label_url: str = ""
    arrived_at: datetime | None = None


class RefundState(StrEnum):
    """Where money is."""

    PENDING = "pending"  # decided, not yet issued
    ISSUED = "issued"  # left the shop; the bank takes its time
    FAILED = "failed"


@dataclass(frozen=True)
class Refund:
    """Money back to the method of payment."""

    id: str
    amount: Money
    state: RefundState
    method: str  # "Visa ending 4242", "PayPal", "gift card"
    return_id: str = ""
    created_at: datetime | None = None
    issued_at: datetime | None = None


@dataclass(frozen=True)
class Order:
    """An order with everything that belongs to it."""

    number: str
    customer_id: str  # "" for a guest
    email: str
    phone: str
    placed_at: datetime
    state: OrderState
    lines: tuple[Line, ...]
    address: Address
    total: Money  # as paid, delivery included
    delivery: str  # the method in words: "Standard delivery"
    delivery_price: Money
    promised: date | None = None  # the last day by which it should arrive, as told at the checkout
    delivered_at: datetime | None = None  # when the last parcel arrived
    shipments: tuple[Shipment, ...] = ()
    returns: tuple[Return, ...] = ()
    refunds: tuple[Refund, ...] = ()
    invoice_ready: bool = False
    collects: bool = False  # click and collect: nothing is delivered

    def line(self, line_id: str) -> Line:
        """The line of that id.

        Raises:
            KeyError: there is none.
        """
        for line in self.lines:
            if line.id == line_id:
                return line
        raise KeyError(line_id)


@dataclass(frozen=True)
class Customer:
    """Somebody with an account. ``points`` is None for those who are not in the loyalty club."""

    id: str
    name: str
    email: str
    phone: str
    points: int | None
    marketing: bool  # whether they get newsletters
    points_expire: date | None = None


@dataclass(frozen=True)
class GiftCard:
    """What is left on a gift card."""

    last4: str
    balance: Money
    expires: date | None


# What is written.


class Problem(StrEnum):
    """What is wrong with something that arrived, or did not."""

    DAMAGED = "damaged"
    WRONG = "wrong"
    MISSING = "missing"
    FAULTY = "faulty"  # under the warranty


class Remedy(StrEnum):
    """What the customer would like."""

    REPLACEMENT = "replacement"
    REFUND = "refund"
    REPAIR = "repair"


@dataclass(frozen=True)
class ReturnRequest:
    """A return or an exchange that is to be registered."""

    parts: tuple[Part, ...]
    reason: str  # one of the policy's reasons, as its key
    words: str = ""  # the customer's own
    exchange_for: str = ""  # the variant wanted in place of it; "" for a refund


@dataclass(frozen=True)
class ProblemReport:
    """Something damaged, wrong, missing or faulty."""

    parts: tuple[Part, ...]
    problem: Problem
    remedy: Remedy
    words: str = ""


@dataclass(frozen=True)
class Done:
    """What a write did."""

    reference: str  # what the customer may quote
    refund: Money | None = None  # that follows by itself
    label_url: str = ""  # to print, or show on a phone
    order: Order | None = None  # as it is now


class Operation(StrEnum):
    """What a system may be able to do; the names of its methods."""

    CANCEL = "cancel"
    START_RETURN = "start_return"
    REPORT = "report"
    CHANGE_ADDRESS = "change_address"
    CHANGE_CONTACT = "change_contact"
    SEND_INVOICE = "send_invoice"
    UNSUBSCRIBE = "unsubscribe"
    GIVE_CREDIT = "give_credit"
    GIFT_CARD = "gift_card"
    POINTS = "points"


class OrderSystem(Protocol):
    """A shop's orders. Every method may raise `Unavailable`; those that write may raise `Unknown`,
    `NotAllowed` and `Conflict`, too. No call takes longer than its system's timeout.

    A write's ``key`` makes it happen once: the same key again returns what the first did, also when
    the order has changed since. Keys are at most 80 characters of ``[A-Za-z0-9_./-]``.
    """

    name: str
    can: frozenset[Operation]

    async def order(self, number: str) -> Order:
        """The order of a number in the shop's form. Raises: NotFound."""

    async def orders_of(self, customer_id: str, limit: int = 10) -> list[Order]:
        """A customer's latest orders, the newest first; [] for one that is not known."""

    async def customer(self, customer_id: str) -> Customer:
        """An account by the shop's id. Raises: NotFound."""

    async def customer_by_email(self, email: str) -> Customer:
        """An account by its e-mail address, in any case. Raises: NotFound."""

    async def gift_card(self, code: str) -> GiftCard:
        """What is left on the card with this whole code. Raises: NotFound."""

    async def cancel(self, number: str, parts: tuple[Part, ...], *, key: str) -> Done:
        """Cancel parts of an order, or with () all of it. Raises: NotFound, NotAllowed (packed)."""

    async def start_return(self, number: str, request: ReturnRequest, *, key: str) -> Done:
        """Register a return or an exchange, with its label. Raises: NotFound, NotAllowed."""

    async def report(self, number: str, report: ProblemReport, *, key: str) -> Done:
        """Note a problem for the shop's people to confirm. Raises: NotFound, NotAllowed."""

    async def change_address(self, number: str, address: Address, *, key: str) -> Done:
        """Send an order elsewhere. Raises: NotFound, NotAllowed (packed, or another country)."""

    async def change_contact(
        self, customer_id: str, *, email: str = "", phone: str = "", key: str
    ) -> Done:
        """Change an account's e-mail address or phone number; "" leaves it. Raises: NotFound,
        Conflict (another account has this e-mail address)."""

    async def send_invoice(self, number: str, *, key: str) -> Done:
        """Send the invoice to the order's own e-mail address. Raises: NotFound, NotAllowed (there
        is none yet)."""

    async def unsubscribe(self, email: str, *, key: str) -> Done:
        """No more newsletters to this address, whether or not it is known."""

    async def give_credit(self, number: str, amount: Money, reason: str, *, key: str) -> Done:
        """A voucher for the buyer of an order. Raises: NotFound, NotAllowed."""

    async def outcome(self, key: str) -> Done | None:
        """What the write with this key did; None when it was not done."""

    async def check(self) -> str:
        """Whether the system can be reached and lets us in: its name and version in words. Raises:
        Unavailable, with what to do about it; NotAllowed, naming what our key may not do."""

    async def close(self) -> None:
        """Give back connections."""

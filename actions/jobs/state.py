"""A job as it stands: what was asked for, what is known, what was asked last."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

FORGOTTEN_AFTER = 3600.0  # seconds after which a job that nobody went on with is over

NEEDS = {
    "track_order": ("order",),
    "cancel_order": ("order", "items", "confirm"),
    "start_return": ("order", "items", "reason", "unused", "confirm"),
    "exchange_item": ("order", "items", "variant", "unused", "confirm"),
    "refund_status": ("order",),
    "report_damage": ("order", "items", "remedy", "details", "confirm"),
    "report_missing_item": ("order", "items", "remedy", "details", "confirm"),
    "change_address": ("order", "address", "confirm"),
    "update_contact": ("order", "contact", "confirm"),
    "invoice_copy": ("order",),
    "warranty_claim": ("order", "items", "details", "confirm"),
    "loyalty_points": ("order",),
    "unsubscribe": ("email", "confirm"),
}
"""What each job needs, in the order in which it is asked for; "order" is the order and the proof that
it is theirs, "confirm" a yes, or the code that stands for it."""


@dataclass
class Job:
    """Everything about the job that is being done. JSON through and through."""

    kind: str
    order: str = ""
    items: dict[str, int] = field(default_factory=dict)  # quantities by line id
    named: str = ""  # the same in words
    reason: str = ""
    unused: bool | None = None
    variant: str = ""
    remedy: str = ""
    details: str = ""
    address: dict[str, str] = field(default_factory=dict)
    contact: dict[str, str] = field(default_factory=dict)
    email: str = ""
    said: dict[str, str] = field(default_factory=dict)  # an e-mail address or postcode, to prove
    offered: list[str] = field(default_factory=list)  # what the last question let choose from
    code_to: str = ""  # where the code was sent, masked; "" while none was
    confirmed: bool = False
    need: str = ""  # what was asked last
    misses: int = 0
    first_words: str = ""
    waiting: list[dict[str, str]] = field(default_factory=list)  # further wishes: kind, text
    at: float = 0.0

    def as_slot(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_slot(cls, slot: Any) -> Job | None:
        """The job in the slot; None where there is none, or one that another version wrote."""
        if not isinstance(slot, dict) or slot.get("kind") not in NEEDS:
            return None
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in slot.items() if name in known})

    def forget_order(self) -> None:
        """Another order: what belongs to the former one is no longer true."""
        self.items, self.offered = {}, []
        self.code_to, self.confirmed = "", False
        self.named = self.variant = ""

"""What a channel is: it verifies, translates in, and translates out. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Inbound:
    """One message of a customer, as every channel hands it to `bot.support.Support.receive`.

    ``vendor_id`` is the sender's own name for the message, unique on its channel: the second one
    with the same id is a repetition and has no effect.
    """

    channel: str
    conversation_id: str
    vendor_id: str
    text: str
    asks_for_person: bool = False


@dataclass(frozen=True)
class Outbound:
    """One message to a customer that is stored and wants delivery."""

    delivery_id: int
    conversation_id: str
    message_id: int
    text: str
    extra: dict[str, Any] = field(default_factory=dict)


class DeliveryFailed(Exception):
    """The vendor certainly did not take the message; it may be sent again."""


class DeliveryUnknown(Exception):
    """Nobody can say whether the vendor took the message; it must not be sent again blindly."""


class Channel(Protocol):
    """How replies leave. Raises `DeliveryFailed` or `DeliveryUnknown`; returning means sent."""

    name: str

    async def send(self, outbound: Outbound) -> None: ...

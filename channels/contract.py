"""What a channel is: it verifies, translates in, and translates out. Standard library only."""

from __future__ import annotations

from collections.abc import Callable
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
    author: str = "bot"
    queued_at: int = 0  # milliseconds since the epoch
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Arrived:
    """One message from somebody who is known by an address: a phone number.

    ``vendor_id`` as in `Inbound`; ``via`` is our own address that was written to, ``account`` ours at
    the vendor. With an ``answer`` the message is not for the bot: that is said to it, or nothing where
    it is ""; with ``last`` that is said although nothing may be sent to the address any more.
    ``heads_up`` is said besides, whoever answers.
    """

    channel: str
    address: str
    vendor_id: str
    text: str
    via: str = ""
    account: str = ""
    answer: str | None = None
    heads_up: str = ""
    last: bool = False


class DeliveryFailed(Exception):
    """The vendor certainly did not take the message.

    Args:
        reason: for our log and for agents.
        final: it is not sent again; else it is, ``after`` so many seconds when the vendor says.
        until: milliseconds since the epoch before which it may not be sent; those behind it go on.
        matters: whether an agent has to know that it did not arrive.
    """

    def __init__(
        self,
        reason: str,
        *,
        final: bool = False,
        after: float = 0,
        until: int = 0,
        matters: bool = True,
    ):
        super().__init__(reason)
        self.final = final
        self.after = after
        self.until = until
        self.matters = matters


class DeliveryUnknown(Exception):
    """Nobody can say whether the vendor took the message; it must not be sent again blindly: the
    courier asks `Channel.taken` first."""


class CannotText(Exception):
    """No text can be sent to this number; the text is for the customer."""


class Texting(Protocol):
    """A channel on which a conversation can go on that was begun elsewhere."""

    channel: str
    sender: str
    continues: str

    def normal(self, number: str) -> str | None:
        """A number as the channel writes it; None when it is none."""

    def send_code(self, number: str, code: str) -> None:
        """Send a code, blocking. Raises `CannotText`."""


Note = Callable[[Any], None]
"""Something to write, inside a transaction of the store that it is called with."""


class Channel(Protocol):
    """How replies leave."""

    name: str

    async def send(self, outbound: Outbound) -> Note | None:
        """Returning means sent; what it returns is done in the transaction that notes it as sent.
        Raises `DeliveryFailed` or `DeliveryUnknown`."""

    async def taken(self, outbound: Outbound) -> bool:
        """Whether the vendor took a message of which that was unknown; false means certainly not.
        Raises `DeliveryUnknown` while it cannot be told."""

"""The use cases: what customers, agents and the engine's actions do to a conversation.

Every public method is one transaction, safe to call from any thread. After the commit it wakes
whoever waits for news; what it stored is what counts. `Support` is all of them: customers (here),
handing over, ratings, the desk, and what the service does by itself, each in its own module.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot import wording
from bot.conversation import State
from bot.privacy.redaction import mask
from bot.proving import Proving, TooMany
from bot.store import ledger
from bot.store.database import is_duplicate
from bot.use_case import Conflict, NotFound
from bot.views import public_message
from bot.wakeups import DESK
from channels.contract import Inbound

__all__ = ["Conflict", "NotFound", "Opened", "Received", "Support", "TooMany"]

SEEN_MILLISECONDS = 20_000  # how exactly it is known when a customer's page last looked


@dataclass(frozen=True)
class Opened:
    """A new conversation and the only copy of its token."""

    conversation_id: str
    token: str


@dataclass(frozen=True)
class Received:
    """A stored message. With a ``lease`` the caller has to work on the conversation now."""

    message_id: int
    duplicate: bool
    lease: str | None


class Support(Proving):
    """Everything that can be done; `bot.use_case.UseCase` says what it is made of."""

    def open_conversation(self, channel: str, language: str | None = None) -> Opened:
        """A new conversation; ``language`` as the customer's browser says: en, de ..."""
        opened = Opened(uuid.uuid4().hex, secrets.token_urlsafe(32))
        with self.database.transaction() as tx:
            ledger.add_conversation(
                tx,
                opened.conversation_id,
                _hash(opened.token),
                channel=channel,
                language=language,
                now=self.database.now(tx),
            )
        return opened

    def authorise(self, conversation_id: str, token: str) -> None:
        """Raises `NotFound` unless ``token`` opens this conversation."""
        with self.database.reading() as tx:
            row = ledger.conversation(tx, conversation_id)
        if row is None or not hmac.compare_digest(row.token_hash, _hash(token)):
            raise NotFound("There is no such conversation.")

    def known(self, channel: str, vendor_id: str) -> int | None:
        """The number of a message that was accepted before, or None."""
        with self.database.reading() as tx:
            row = ledger.find_message(tx, channel, vendor_id)
        return row.seq if row else None

    def receive(self, inbound: Inbound) -> Received:
        """Store a customer's message, masked, once.

        Raises:
            NotFound: the conversation does not exist.
        """
        try:
            with self.database.transaction(ahead=True) as tx:
                received = self._receive(tx, inbound)
        except IntegrityError as error:
            if not is_duplicate(error):
                raise
            number = self.known(inbound.channel, inbound.vendor_id)
            if number is None:
                raise
            return Received(number, duplicate=True, lease=None)
        if not received.duplicate:
            self.wake(inbound.conversation_id, DESK)
        return received

    def _receive(self, tx: Connection, inbound: Inbound) -> Received:
        known = ledger.find_message(tx, inbound.channel, inbound.vendor_id)
        if known is not None:
            return Received(known.seq, duplicate=True, lease=None)
        if ledger.lock_conversation(tx, inbound.conversation_id) is None:
            raise NotFound("There is no such conversation.")
        now = self.database.now(tx)
        message = ledger.append_message(
            tx,
            inbound.conversation_id,
            "customer",
            mask(inbound.text),
            now=now,
            channel=inbound.channel,
            vendor_id=inbound.vendor_id,
            asks_for_person=inbound.asks_for_person,
        )
        lease = self.take_lease(tx, inbound.conversation_id, now)
        return Received(message.seq, duplicate=False, lease=lease)

    def stand(self, conversation_id: str) -> tuple[int, int]:
        """What changes whenever there is news: the number of messages, and the last change."""
        with self.database.reading() as tx:
            row = ledger.conversation(tx, conversation_id)
        return (row.last_seq, row.updated_at) if row else (0, 0)

    def read(self, conversation_id: str, after_number: int = 0) -> dict[str, Any]:
        """`messages` for the customer's own page; that it looked is noted."""
        view = self.messages(conversation_id, after_number)
        if view["owner"] in (State.WAITING, State.HUMAN):
            with self.database.reading() as tx:
                row = ledger.conversation(tx, conversation_id)
                stale = row is not None and self.database.now(tx) - (row.seen_at or 0)
            if stale and stale > SEEN_MILLISECONDS:
                with self.database.transaction() as tx:
                    ledger.seen(tx, conversation_id, self.database.now(tx))
        return view

    def messages(self, conversation_id: str, after_number: int = 0) -> dict[str, Any]:
        """The transcript after a message number, and how the conversation stands."""
        with self.database.reading() as tx:
            row = ledger.conversation(tx, conversation_id)
            if row is None:
                raise NotFound("There is no such conversation.")
            rows = ledger.transcript(tx, conversation_id, after_number)
            typing = State(row.state) in (State.BOT, State.RESOLVED) and ledger.has_unhandled(
                tx, conversation_id
            )
        return {
            "messages": [public_message(message, conversation_id) for message in rows],
            "owner": row.state,
            "typing": typing,
            "ticket": wording.ticket_number(row.ticket_id) if row.ticket_id else None,
        }


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

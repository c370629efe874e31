"""Messages from people who are known by an address, a phone number, and not by a token."""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from bot import wording
from bot.conversation import State
from bot.privacy.redaction import mask
from bot.service.policy import HOUR
from bot.store import addresses, ledger
from bot.store.database import is_duplicate
from bot.wakeups import DESK
from bot.watch import Watching
from channels.contract import Arrived

SESSION_HOURS = 24
"""A conversation that has been silent for longer, and that nobody owes anything, is over: the next
message begins another. Never shorter than the table by which resolved ones reopen."""

_NUMBER = re.compile(r"\W{0,3}(\d{1,2})\W{0,3}")


@dataclass(frozen=True)
class Landed:
    """A stored message and its conversation. With a ``lease`` the caller has to work on it now."""

    conversation_id: str
    message_id: int
    duplicate: bool
    lease: str | None


class Arriving(Watching):
    """Finding or opening the conversation that a message belongs to."""

    def arrive(self, arrived: Arrived) -> Landed:
        """Store a message, masked, once; in the conversation of its address, or in a new one."""
        try:
            with self.database.transaction(ahead=True) as tx:
                landed = self._arrive(tx, arrived)
        except IntegrityError as error:
            known = self._landed(arrived) if is_duplicate(error) else None
            if known is None:
                raise
            return known
        if not landed.duplicate:
            self.wake(landed.conversation_id, DESK)
        return landed

    def _landed(self, arrived: Arrived) -> Landed | None:
        with self.database.reading() as tx:
            row = ledger.find_message(tx, arrived.channel, arrived.vendor_id)
        return Landed(row.conversation_id, row.seq, True, None) if row is not None else None

    def _arrive(self, tx: Connection, arrived: Arrived) -> Landed:
        now = self.database.now(tx)
        address = addresses.lock(tx, arrived.channel, arrived.address, now)
        known = ledger.find_message(tx, arrived.channel, arrived.vendor_id)
        if known is not None:  # it came twice at once, and the other one was first
            return Landed(known.conversation_id, known.seq, True, None)
        row = self._conversation_of(tx, address, now)
        conversation_id = row.id if row is not None else self._open(tx, address, arrived, now)
        row = ledger.lock_conversation(tx, conversation_id)
        assert row is not None
        if (row.via, row.account) != (arrived.via or row.via, arrived.account or row.account):
            # Answered from where it was written to last.
            ledger.change_conversation(
                tx, row.id, now, via=arrived.via or row.via, account=arrived.account or row.account
            )
        for_bot = arrived.answer is None
        chosen = self._chosen(tx, conversation_id, arrived.text) if for_bot else ""
        message = ledger.append_message(
            tx,
            conversation_id,
            "customer",
            mask(chosen or arrived.text),
            now=now,
            channel=arrived.channel,
            vendor_id=arrived.vendor_id,
            asks_for_person=chosen == wording.ASKS_FOR_PERSON,
            handled_at=None if for_bot else now,
            extra={"typed": arrived.text.strip()} if chosen else None,
        )
        extra = {"asked": True} | ({"last": True} if arrived.last else {})
        for text in filter(None, (arrived.answer, arrived.heads_up)):
            ledger.say(tx, conversation_id, "system", text, now=now, extra=extra)
        if not for_bot and State(row.state) in (State.WAITING, State.HUMAN):
            self.customer_wrote(tx, row, "", now)
        lease = self.take_lease(tx, conversation_id, now) if for_bot else None
        return Landed(conversation_id, message.seq, False, lease)

    def _conversation_of(self, tx: Connection, address: Row[Any], now: int) -> Row[Any] | None:
        """The conversation that goes on; None when a new one begins."""
        if not address.conversation_id:
            return None
        row = ledger.conversation(tx, address.conversation_id)
        if row is None:
            return None
        if State(row.state) in (State.WAITING, State.HUMAN):
            return row
        hours = max([SESSION_HOURS, *(it.within_hours for it in self.service.reopening)])
        return row if now - row.updated_at < hours * HOUR else None

    def _open(self, tx: Connection, address: Row[Any], arrived: Arrived, now: int) -> str:
        conversation_id = uuid.uuid4().hex
        ledger.add_conversation(
            tx,
            conversation_id,
            secrets.token_hex(32),  # the hash of no token: it has none
            channel=arrived.channel,
            now=now,
            address=arrived.address,
            via=arrived.via or None,
            account=arrived.account or None,
            customer_id=address.customer_id if address.proven_at else None,
        )
        addresses.change(tx, address.id, conversation_id=conversation_id)
        return conversation_id

    def _chosen(self, tx: Connection, conversation_id: str, text: str) -> str:
        """What the number means that somebody answers with; "" when it is no choice."""
        match = _NUMBER.fullmatch(text)
        if not match:
            return ""
        said = ledger.last_said(tx, conversation_id, 1)
        buttons = ((said[0].extra or {}).get("buttons") if said else None) or []
        number = int(match.group(1))
        if not 1 <= number <= len(buttons) or all(it["text"].isdigit() for it in buttons):
            return ""  # ratings are numbers themselves
        return str(buttons[number - 1]["text"])

    # Who wants no messages.

    def opt_out(self, arrived: Arrived, *, stopped: bool) -> tuple[Landed, bool]:
        """Note that somebody wants no more messages, or wants them again, with what is said to it;
        once, however often the vendor calls. Returns whether that is news, too."""
        with self.database.transaction() as tx:
            now = self.database.now(tx)
            addresses.lock(tx, arrived.channel, arrived.address, now)
            if ledger.find_message(tx, arrived.channel, arrived.vendor_id) is None:
                news = addresses.note_opt_out(
                    tx,
                    arrived.channel,
                    arrived.address,
                    stopped=stopped,
                    words=mask(arrived.text),
                    source="customer",
                    now=now,
                )
                landed = self._arrive(tx, arrived if news else replace(arrived, answer=""))
            else:
                landed, news = None, False
        if landed is None:
            found = self._landed(arrived)
            assert found is not None
            return found, False
        self.wake(landed.conversation_id, DESK)
        return landed, news

    def stopped(self, channel: str, address: str) -> bool:
        """Whether nothing may be sent there."""
        with self.database.reading() as tx:
            return addresses.stopped_at(tx, channel, address)

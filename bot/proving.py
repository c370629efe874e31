"""One person, several addresses: proven by the shop's site, or by a code that was sent to a number."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, Row

from bot import wording
from bot.arriving import Arriving
from bot.conversation import State
from bot.identity import Identity
from bot.service.policy import HOUR, MINUTE
from bot.store import addresses, ledger
from bot.use_case import Conflict, NotFound
from bot.wakeups import DESK

CODE_MINUTES = 10
MOST_TRIES = 5
MOST_CODES = 3  # in an hour, for one conversation and to one number


class TooMany(Exception):
    """Codes or tries are used up; the text is for the customer."""


@dataclass(frozen=True)
class Code:
    """A code that is to be sent, and to whom. Shown nowhere else."""

    channel: str
    address: str
    code: str


class Proving(Arriving):
    """Nobody is taken for somebody by typing a name or a number."""

    def identify(self, conversation_id: str, identity: Identity) -> None:
        """Note who writes in a conversation, as the shop's site has signed it.

        Raises:
            NotFound: there is no such conversation.
            Conflict: it belongs to somebody else.
        """
        with self.database.transaction() as tx:
            row = ledger.lock_conversation(tx, conversation_id)
            if row is None:
                raise NotFound("There is no such conversation.")
            now = self.database.now(tx)
            customer_id = addresses.customer_of_subject(
                tx, identity.subject, name=identity.name, email=identity.email, now=now
            )
            self._belongs_to(tx, row, customer_id, now)
        self.wake(conversation_id, DESK)

    def _belongs_to(self, tx: Connection, row: Row, customer_id: int, now: int) -> None:
        if row.customer_id == customer_id:
            return
        if row.customer_id is not None:
            before = addresses.customer(tx, row.customer_id)
            if before is not None and before.subject:
                raise Conflict("This conversation belongs to somebody else.")
            addresses.same_person(tx, of=customer_id, is_also=row.customer_id)
        ledger.change_conversation(tx, row.id, now, customer_id=customer_id)

    def make_code(self, conversation_id: str, channel: str, address: str) -> Code:
        """A code for an address that the customer says is theirs.

        Raises:
            NotFound: there is no such conversation.
            Conflict: nothing may be sent there, or it is in use.
            TooMany: there were several lately.
        """
        code = f"{secrets.randbelow(10**6):06d}"
        with self.database.transaction() as tx:
            row = ledger.lock_conversation(tx, conversation_id)
            if row is None:
                raise NotFound("There is no such conversation.")
            now = self.database.now(tx)
            if row.channel == channel and row.address == address:
                raise Conflict(wording.CONTINUES_ALREADY)
            if addresses.stopped_at(tx, channel, address):
                raise Conflict(wording.NUMBER_STOPPED)
            since = now - HOUR
            of_conversation = addresses.codes_since(tx, since, conversation_id=conversation_id)
            of_address = addresses.codes_since(tx, since, address=address)
            if of_conversation >= MOST_CODES or of_address >= MOST_CODES:
                raise TooMany(wording.TOO_MANY_CODES)
            addresses.add_code(
                tx,
                conversation_id=conversation_id,
                channel=channel,
                address=address,
                code_hash=_hash(conversation_id, code),
                created_at=now,
                expires_at=now + CODE_MINUTES * MINUTE,
            )
        return Code(channel, address, code)

    def use_code(self, conversation_id: str, code: str, *, via: str, words: str) -> str:
        """Prove the address by the code that was sent there, and go on there: from now on replies
        leave for it. ``via`` is our own address on that channel; ``words`` are said there first.
        Returns the address.

        Raises:
            NotFound: no code is waited for.
            Conflict: the code is wrong; the text says how many tries are left.
            TooMany: no try is left, or the code has run out.
        """
        with self.database.transaction() as tx:
            row = ledger.lock_conversation(tx, conversation_id)
            sent = addresses.latest_code(tx, conversation_id) if row is not None else None
            if row is None or sent is None or sent.used_at is not None:
                raise NotFound("No code was sent. Ask for one first.")
            now = self.database.now(tx)
            over = now >= sent.expires_at or sent.tries >= MOST_TRIES
            right = hmac.compare_digest(sent.code_hash, _hash(conversation_id, code.strip()))
            if not over and right:
                addresses.change_code(tx, sent.id, used_at=now)
                self._go_on_there(tx, row, sent, now, via=via, words=words)
            else:
                addresses.change_code(tx, sent.id, tries=sent.tries + 1)
        # After the commit: a try counts, whatever is said to it.
        if over:
            raise TooMany(wording.CODE_OVER)
        if not right:
            raise Conflict(wording.code_wrong(MOST_TRIES - sent.tries - 1))
        self.wake(conversation_id, DESK)
        return str(sent.address)

    def _go_on_there(
        self, tx: Connection, row: Row, sent: Row, now: int, *, via: str, words: str
    ) -> None:
        address = addresses.lock(tx, sent.channel, sent.address, now)
        customer_id = row.customer_id
        if address.customer_id is not None and address.proven_at:
            if customer_id is None:
                customer_id = address.customer_id
            elif customer_id != address.customer_id:
                other = addresses.customer(tx, address.customer_id)
                if other is None or not other.subject:
                    addresses.same_person(tx, of=customer_id, is_also=address.customer_id)
        if customer_id is None:
            customer_id = addresses.new_customer(tx, now)
        before = (
            ledger.conversation(tx, address.conversation_id) if address.conversation_id else None
        )
        if before is not None and before.id != row.id:
            # What was written from that number before was this person's, too.
            if before.customer_id is None:
                ledger.change_conversation(tx, before.id, now, customer_id=customer_id)
            if State(before.state) in (State.WAITING, State.HUMAN):
                raise Conflict(wording.OPEN_ELSEWHERE)
        addresses.change(
            tx, address.id, conversation_id=row.id, customer_id=customer_id, proven_at=now
        )
        ledger.change_conversation(
            tx,
            row.id,
            now,
            channel=sent.channel,
            address=sent.address,
            via=via or None,
            customer_id=customer_id,
        )
        ledger.say(tx, row.id, "system", words, now=now, extra={"asked": True})


def _hash(conversation_id: str, code: str) -> str:
    return hashlib.sha256(f"{conversation_id}/{code}".encode("utf-8", "replace")).hexdigest()

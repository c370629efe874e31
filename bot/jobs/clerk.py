"""Shows orders to those whose they are, and to nobody else.

An order is somebody's when the shop's own site has signed who they are, when they write from the phone
number on it, or when they name its number with the e-mail address or the postcode on it. A change needs
a code that was sent to an address on file. Guessing is counted by conversation, by order and by detail,
and what is said does not tell which half was wrong.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import structlog
from anyio import to_thread
from sqlalchemy import Connection

from bot.jobs.details import fingerprint, fits, masked_email, masked_phone, plain_email
from bot.orders.contract import Customer, NotFound, Order, OrderSystem
from bot.orders.policy import Policy
from bot.service.policy import HOUR, MINUTE
from bot.store import addresses, ledger, orders, tickets
from bot.store.database import Database

PROOF_HOURS = 12
TRIES_A_CONVERSATION = 3
TRIES_AN_ORDER = 6  # an hour, whoever tries
TRIES_A_DETAIL = 6  # an hour, on whatever orders
ALARM = 60  # wrong tries an hour, all together
CODE_MINUTES = 10
CODE_TRIES = 5
CODES_AN_HOUR = 3

log = structlog.get_logger("orders")

DETAIL, CODE = "detail", "code"


class Refused(Exception):
    """The detail and the order do not go together, or too often did not."""

    def __init__(self, *, over: bool):
        super().__init__("no more tries" if over else "no match")
        self.over = over


class CodeProblem(Exception):
    """The code was not right. ``left``: tries that are left; 0: ask for another."""

    def __init__(self, left: int):
        super().__init__(f"{left} tries left")
        self.left = left


class CannotSend(Exception):
    """No code can be sent: no mail server and no texts, no address, or too many lately."""


@dataclass(frozen=True)
class Person:
    """Who writes, as far as it is known."""

    signed_in: str = ""  # the shop's id of the customer, from its own site
    email: str = ""  # theirs, from there
    phone: str = ""  # the number they text from


Send = Callable[[str, str], None]
"""Takes a code to an address: (address, text), blocking. Raises whatever it likes when it cannot."""


class Clerk:
    """One shop's counter.

    Args:
        database: the store.
        system: the shop.
        policy: its rules.
        business: the shop's name, as codes are signed.
        by_mail, by_text: how codes leave; None where there is no such way.
    """

    def __init__(
        self,
        database: Database,
        system: OrderSystem,
        policy: Policy,
        *,
        business: str,
        by_mail: Send | None = None,
        by_text: Send | None = None,
    ):
        self.system = system
        self.policy = policy
        self._database = database
        self._business = business
        self._by_mail = by_mail
        self._by_text = by_text

    def today(self) -> date:
        """The day at the shop, by the store's clock."""
        return self.policy.today(self.moment())

    def moment(self) -> datetime:
        with self._database.reading() as tx:
            return datetime.fromtimestamp(self._database.now(tx) / 1000, UTC)

    async def handed_over_since(self, conversation_id: str, at: float) -> bool:
        """Whether a person was brought in since a moment, in seconds since the epoch."""

        def looked() -> bool:
            with self._database.reading() as tx:
                return tickets.opened_since(tx, conversation_id, int(at * 1000))

        return await to_thread.run_sync(looked)

    async def silent_seconds(self, conversation_id: str) -> float:
        """How long the customer had not written before the latest message; 0 after only one."""

        def looked() -> float:
            with self._database.reading() as tx:
                times = ledger.customer_times(tx, conversation_id, 2)
            return (times[0] - times[1]) / 1000 if len(times) == 2 else 0.0

        return await to_thread.run_sync(looked)

    # Whose is it?

    async def person(self, conversation_id: str) -> Person:
        return await to_thread.run_sync(self._person, conversation_id)

    def _person(self, conversation_id: str) -> Person:
        with self._database.reading() as tx:
            row = ledger.conversation(tx, conversation_id)
            if row is None:
                return Person()
            known: Any = addresses.customer(tx, row.customer_id) if row.customer_id else None
            signed_in = bool(known is not None and known.subject)
            return Person(
                signed_in=str(known.subject) if signed_in else "",
                email=str(known.email or "") if signed_in else "",
                phone=str(row.address or "") if row.channel == "sms" else "",
            )

    async def proven(self, conversation_id: str) -> list[str]:
        """The numbers of the orders that were proven in this conversation, the latest first."""
        found = await to_thread.run_sync(self._proofs, conversation_id)
        return list(dict.fromkeys(number for number, _ in found))

    def _proofs(self, conversation_id: str) -> list[tuple[str, str]]:
        with self._database.reading() as tx:
            if ledger.conversation(tx, conversation_id) is None:
                return []
            since = self._database.now(tx) - PROOF_HOURS * HOUR
            return orders.proofs(tx, conversation_id, since)

    async def order(self, conversation_id: str, number: str) -> Order | None:
        """The order, when it is theirs; None when that has yet to be proven, or there is none.
        Raises `bot.orders.contract.Unavailable`."""
        person = await self.person(conversation_id)
        proofs = await to_thread.run_sync(self._proofs, conversation_id)
        proven = any(number == one for one, _ in proofs)
        if not (proven or person.signed_in or person.phone):
            return None
        try:
            order = await self.system.order(number)
        except NotFound:
            return None
        return order if proven or _theirs(order, person) else None

    async def orders(self, conversation_id: str, limit: int = 5) -> list[Order]:
        """The latest orders of somebody whom the shop's site has signed in; [] for others."""
        person = await self.person(conversation_id)
        return await self.system.orders_of(person.signed_in, limit) if person.signed_in else []

    async def customer(self, conversation_id: str, order: Order | None = None) -> Customer | None:
        """The account of whoever is signed in, or of a proven order; None for a guest."""
        person = await self.person(conversation_id)
        known = person.signed_in or (order.customer_id if order else "")
        try:
            return await self.system.customer(known) if known else None
        except NotFound:
            return None

    async def prove(
        self, conversation_id: str, number: str, *, email: str = "", postcode: str = ""
    ) -> Order:
        """The order with this number, when the detail is its own.

        Raises:
            Refused: it is not, or there is no such order, or there were too many tries.
            Unavailable: the shop does not answer.
        """
        mark = fingerprint(email, postcode)
        if await to_thread.run_sync(self._over, conversation_id, number, mark):
            raise Refused(over=True)
        try:
            order: Order | None = await self.system.order(number)
        except NotFound:
            order = None
        right = fits(order, email=email, postcode=postcode)
        over = await to_thread.run_sync(self._note, conversation_id, number, mark, right)
        if over or not right or order is None:
            raise Refused(over=over)
        return order

    def _over(self, conversation_id: str, number: str, mark: str) -> bool:
        with self._database.reading() as tx:
            if ledger.conversation(tx, conversation_id) is None:
                return True  # somebody talks to the engine without the gateway: nothing is proven
            return _too_many(tx, self._database.now(tx), conversation_id, number, mark)

    def _note(self, conversation_id: str, number: str, mark: str, right: bool) -> bool:
        """Keep what was proven, or tried; whether that was the last try."""
        with self._database.transaction() as tx:
            if ledger.conversation(tx, conversation_id) is None:
                return True
            now = self._database.now(tx)
            if right:
                # Others may have tried while the shop was asked: guesses side by side are no more.
                if _too_many(tx, now, conversation_id, number, mark):
                    return True
                orders.note_proof(tx, conversation_id, number, DETAIL, now)
                return False
            orders.note_try(tx, conversation_id, number, detail_hash=mark, now=now)
            since = now - HOUR
            mine = orders.tries(tx, since, conversation_id=conversation_id)
            of_order = orders.tries(tx, since, order_number=number)
            everywhere = orders.tries(tx, since)
        if of_order >= TRIES_AN_ORDER:
            log.error("orders.guessing", about="one order", tries=of_order)
        if everywhere >= ALARM:
            log.error("orders.guessing", about="many orders", tries=everywhere)
        return mine >= TRIES_A_CONVERSATION

    # May they change it?

    async def may_change(self, conversation_id: str, order: Order, job: str) -> bool:
        """Whether no code is needed any more for this job on this order."""
        person = await self.person(conversation_id)
        proofs = await to_thread.run_sync(self._proofs, conversation_id)
        if (order.number, CODE) in proofs:
            return True
        return _signed_in_owner(order, person) and job not in self.policy.code_when_signed_in

    async def send_code(self, conversation_id: str, order: Order) -> str:
        """Send a code to an address on file; returns where to, masked. Raises `CannotSend`."""
        person = await self.person(conversation_id)
        same_phone = bool(person.phone) and _digits(person.phone) == _digits(order.phone)
        ways: list[tuple[Send | None, str, str]] = [
            (self._by_mail, order.email, masked_email(order.email)),
            (self._by_text, order.phone, masked_phone(order.phone)),
        ]
        if same_phone:
            ways.reverse()
        for send, address, shown in ways:
            if send is None or not address:
                continue
            code = await to_thread.run_sync(self._new_code, conversation_id, order.number, address)
            text = (
                f"{code} is your {self._business} code. It is good for {CODE_MINUTES} minutes. "
                "If you have not asked for it, you need do nothing; give it to nobody."
            )
            try:
                await to_thread.run_sync(send, address, text)
            except Exception as error:
                log.warning("orders.code_not_sent", reason=type(error).__name__)
                continue
            return shown
        raise CannotSend

    def _new_code(self, conversation_id: str, number: str, address: str) -> str:
        code = f"{secrets.randbelow(10**6):06d}"
        with self._database.transaction() as tx:
            now = self._database.now(tx)
            lately = max(
                addresses.codes_since(tx, now - HOUR, conversation_id=conversation_id),
                addresses.codes_since(tx, now - HOUR, address=address[:80]),
            )
            if lately >= CODES_AN_HOUR:
                raise CannotSend
            addresses.add_code(
                tx,
                conversation_id=conversation_id,
                channel="order",
                address=address[:80],
                purpose=_purpose(number),
                code_hash=_hash(conversation_id, number, code),
                created_at=now,
                expires_at=now + CODE_MINUTES * MINUTE,
            )
        return code

    async def use_code(self, conversation_id: str, number: str, code: str) -> None:
        """Prove that a change is wanted by whoever has the address. Raises `CodeProblem`."""
        await to_thread.run_sync(self._use_code, conversation_id, number, code)

    def _use_code(self, conversation_id: str, number: str, code: str) -> None:
        with self._database.transaction() as tx:
            now = self._database.now(tx)
            sent = addresses.latest_code(tx, conversation_id, _purpose(number))
            right = sent is not None and hmac.compare_digest(
                sent.code_hash, _hash(conversation_id, number, code)
            )
            if sent is None or now >= sent.expires_at or sent.tries >= CODE_TRIES:
                left = 0
            elif right:
                # Also when it was used before: a turn that a crash cut short is done again, and here
                # it opens nothing that is not open already.
                addresses.change_code(tx, sent.id, used_at=sent.used_at or now)
                orders.note_proof(tx, conversation_id, number, CODE, now)
                return
            elif sent.used_at:
                left = 0
            else:
                addresses.change_code(tx, sent.id, tries=sent.tries + 1)
                left = CODE_TRIES - sent.tries - 1
        raise CodeProblem(left)  # after the commit: a try counts


def _too_many(tx: Connection, now: int, conversation_id: str, number: str, mark: str) -> bool:
    """Whether there were too many wrong tries in the last hour to look at another."""
    since = now - HOUR
    return (
        orders.tries(tx, since, conversation_id=conversation_id) >= TRIES_A_CONVERSATION
        or orders.tries(tx, since, order_number=number) >= TRIES_AN_ORDER
        or orders.tries(tx, since, detail_hash=mark) >= TRIES_A_DETAIL
    )


def _signed_in_owner(order: Order, person: Person) -> bool:
    if not person.signed_in:
        return False
    by_email = bool(person.email) and plain_email(person.email) == plain_email(order.email)
    return person.signed_in == order.customer_id or (not order.customer_id and by_email)


def _theirs(order: Order, person: Person) -> bool:
    """Whether it is theirs by who they are: signed in by the shop's site, or texting from the number
    on the order, where the answer goes."""
    by_phone = bool(person.phone and order.phone) and _digits(person.phone) == _digits(order.phone)
    return _signed_in_owner(order, person) or by_phone


def _digits(number: str) -> str:
    digits = "".join(it for it in number if it.isdigit())
    return f"44{digits[1:]}" if digits.startswith("0") else digits


def _purpose(number: str) -> str:
    return f"order/{number}"[:80]


def _hash(conversation_id: str, number: str, code: str) -> str:
    return hashlib.sha256(
        f"{conversation_id}/{number}/{code}".encode("utf-8", "replace")
    ).hexdigest()

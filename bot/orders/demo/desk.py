"""What the demo shop does, blocking, in its file."""

from __future__ import annotations

import dataclasses
import json
import re
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bot.orders import wire
from bot.orders.contract import (
    Address,
    Conflict,
    Customer,
    Done,
    Money,
    NotAllowed,
    Operation,
    Order,
    Part,
    ProblemReport,
    Refund,
    RefundState,
    Return,
    ReturnRequest,
    ReturnState,
)
from bot.orders.demo import rules
from bot.orders.demo.book import body
from bot.orders.demo.goods import ENGRAVED
from bot.orders.demo.reading import Reading, is_email
from bot.orders.demo.stories import BASE, moved

RESERVED_DAYS = 10
MOST_CREDIT = 5000  # minor units: the shop's own limit
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{5,24}", re.ASCII)


class Desk(Reading):
    """The shop's people, as it were. Every write happens once for its key."""

    def cancel(self, number: str, parts: tuple[Part, ...], key: str) -> Done:
        def do(tx: sqlite3.Connection) -> Done:
            order, paid = self._order(tx, number)
            after = rules.cancelled(order, parts)
            reference = self._effect(tx, Operation.CANCEL, number, {"parts": _plain(parts)})
            left = after.total.minor if any(line.left for line in after.lines) else 0
            refund = None
            # All others are only charged at dispatch. Delivery that costs something again may be
            # more than what was cancelled.
            if paid == "gift card" and left < order.total.minor:
                refund = Money(order.total.minor - left, order.total.currency)
                now = self._moment()
                back = Refund(
                    reference.replace("CX", "RF"), refund, RefundState.ISSUED, paid, "", now, now
                )
                after = dataclasses.replace(after, refunds=(*after.refunds, back))
            self._save(tx, after, freeze=refund is not None)
            return Done(reference, refund=refund, order=after)

        return self._once(key, (Operation.CANCEL, number, _plain(parts)), do)

    def start_return(self, number: str, request: ReturnRequest, key: str) -> Done:
        def do(tx: sqlite3.Connection) -> Done:
            order, _ = self._order(tx, number)
            rules.check_return(order, request.parts, self._today())
            more = _plain(request)
            if request.exchange_for:
                more["reserved"] = self._reserve(tx, order, request)
                more["until"] = (self._today() + timedelta(days=RESERVED_DAYS)).isoformat()
            reference = self._effect(tx, Operation.START_RETURN, number, more)
            label = f"https://northpeak.example/labels/{reference}"
            coming = Return(
                id=reference,
                parts=request.parts,
                exchange=bool(request.exchange_for),
                state=ReturnState.REGISTERED,
                registered_at=self._moment(),
                label_url=label,
            )
            refund = None
            if not request.exchange_for:
                refund = rules.refund_for(order, request.parts, request.reason, self._today())
            after = dataclasses.replace(
                order,
                lines=tuple(rules.returned(line, request.parts) for line in order.lines),
                returns=(*order.returns, coming),
            )
            self._save(tx, after, freeze=True)
            return Done(reference, refund=refund, label_url=label, order=after)

        return self._once(key, (Operation.START_RETURN, number, _plain(request)), do)

    def report(self, number: str, report: ProblemReport, key: str) -> Done:
        def do(tx: sqlite3.Connection) -> Done:
            order, _ = self._order(tx, number)
            rules.check_report(order, report.parts)
            return Done(self._effect(tx, Operation.REPORT, number, _plain(report)), order=order)

        return self._once(key, (Operation.REPORT, number, _plain(report)), do)

    def change_address(self, number: str, address: Address, key: str) -> Done:
        def do(tx: sqlite3.Connection) -> Done:
            order, _ = self._order(tx, number)
            rules.check_address(order, address)
            after = dataclasses.replace(order, address=address)
            self._save(tx, after, freeze=False)
            reference = self._effect(tx, Operation.CHANGE_ADDRESS, number, _plain(address))
            return Done(reference, order=after)

        return self._once(key, (Operation.CHANGE_ADDRESS, number, _plain(address)), do)

    def change_contact(self, customer_id: str, email: str, phone: str, key: str) -> Done:
        def do(tx: sqlite3.Connection) -> Done:
            account = self._customer(tx, customer_id)
            if not email and not phone:
                raise NotAllowed("there is nothing to change")
            if email and not is_email(email):
                raise NotAllowed("that is no e-mail address")
            if email and self._is_taken(tx, email, by_other_than=customer_id):
                raise Conflict("another account has this e-mail address")
            after = dataclasses.replace(
                account,
                email=email or account.email,
                phone=_e164(phone) if phone else account.phone,
            )
            self._save_customer(tx, after)
            what = {"email": bool(email), "phone": bool(phone)}
            return Done(self._effect(tx, Operation.CHANGE_CONTACT, customer_id, what))

        return self._once(key, (Operation.CHANGE_CONTACT, customer_id, email, phone), do)

    def send_invoice(self, number: str, key: str) -> Done:
        def do(tx: sqlite3.Connection) -> Done:
            order, _ = self._order(tx, number)
            if not order.invoice_ready:
                raise NotAllowed("the invoice is made when all of the order is dispatched")
            return Done(self._effect(tx, Operation.SEND_INVOICE, number, {}), order=order)

        return self._once(key, (Operation.SEND_INVOICE, number), do)

    def unsubscribe(self, email: str, key: str) -> Done:
        def do(tx: sqlite3.Connection) -> Done:
            if not is_email(email):
                raise NotAllowed("that is no e-mail address")
            row = tx.execute(
                "SELECT anchor, body FROM customers WHERE email = ?", (email.casefold(),)
            ).fetchone()
            if row:
                account = self._read(Customer, *row)
                self._save_customer(tx, dataclasses.replace(account, marketing=False))
            return Done(self._effect(tx, Operation.UNSUBSCRIBE, email.casefold(), {}))

        return self._once(key, (Operation.UNSUBSCRIBE, email), do)

    def give_credit(self, number: str, amount: Money, reason: str, key: str) -> Done:
        def do(tx: sqlite3.Connection) -> Done:
            order, _ = self._order(tx, number)
            if amount.currency != order.total.currency:
                raise NotAllowed(f"the order is in {order.total.currency}")
            if not 0 < amount.minor <= MOST_CREDIT:
                raise NotAllowed("a voucher is worth more than nothing and at most 50")
            more = {"amount": _plain(amount), "reason": reason}
            return Done(self._effect(tx, Operation.GIVE_CREDIT, number, more), order=order)

        return self._once(key, (Operation.GIVE_CREDIT, number, _plain(amount), reason), do)

    # How.

    def _once(self, key: str, request: tuple[Any, ...], do: Callable[..., Done]) -> Done:
        """Do it in one transaction with the note that it is done, unless that stands there."""
        asked = json.dumps(request, sort_keys=True)
        with self._book.writing() as tx:
            row = tx.execute("SELECT request, done FROM writes WHERE key = ?", (key,)).fetchone()
            if row and row[0] != asked:
                raise Conflict("this key belongs to another write")
            if row:
                return wire.read(Done, row[1])
            done = do(tx)
            tx.execute(
                "INSERT INTO writes VALUES (?, ?, ?, ?)",
                (key, asked, body(done), self._moment().isoformat()),
            )
            return done

    def _save(self, tx: sqlite3.Connection, order: Order, *, freeze: bool) -> None:
        """``freeze``: its dates are real ones from now on, for something in it has really happened."""
        days = (self._today() - BASE).days
        if not freeze:
            tx.execute(
                "UPDATE orders SET body = CASE WHEN anchor IS NULL THEN ? ELSE ? END "
                "WHERE number = ?",
                (body(order), body(moved(order, -days)), order.number),
            )
            return
        tx.execute(
            "UPDATE orders SET anchor = NULL, body = ? WHERE number = ?",
            (body(order), order.number),
        )

    def _save_customer(self, tx: sqlite3.Connection, account: Customer) -> None:
        days = (self._today() - BASE).days
        tx.execute(
            "UPDATE customers SET email = ?, body = ? WHERE id = ?",
            (account.email.casefold(), body(moved(account, -days)), account.id),
        )

    def _is_taken(self, tx: sqlite3.Connection, email: str, *, by_other_than: str) -> bool:
        row = tx.execute("SELECT id FROM customers WHERE email = ?", (email.casefold(),)).fetchone()
        return row is not None and row[0] != by_other_than

    def _reserve(self, tx: sqlite3.Connection, order: Order, request: ReturnRequest) -> list[str]:
        """Take the wanted variant of every product from stock. Raises: NotAllowed."""
        reserved = []
        for part in request.parts:
            line = order.line(part.line_id)
            rows = tx.execute(
                "SELECT variant, quantity FROM stock WHERE product = ?", (line.product,)
            ).fetchall()
            wanted = _variant(request.exchange_for, line.variant, [row[0] for row in rows])
            if wanted is None:
                raise NotAllowed("there is no such size or colour of it")
            if dict(rows)[wanted] < part.quantity:
                raise NotAllowed("that size or colour is sold out")
            tx.execute(
                "UPDATE stock SET quantity = quantity - ? WHERE product = ? AND variant = ?",
                (part.quantity, line.product, wanted),
            )
            reserved.append(wanted)
        return reserved

    def _effect(
        self, tx: sqlite3.Connection, operation: Operation, about: str, more: dict[str, Any]
    ) -> str:
        """Note what is done. Gives its reference, as customers may quote it."""
        cursor = tx.execute(
            "INSERT INTO effects (operation, about, body, at) VALUES (?, ?, ?, ?)",
            (operation, about, json.dumps(more), self._moment().isoformat()),
        )
        return f"{_LETTERS[operation]}-{700000 + (cursor.lastrowid or 0)}"


_LETTERS = {
    Operation.CANCEL: "CX",
    Operation.START_RETURN: "RT",
    Operation.REPORT: "PR",
    Operation.CHANGE_ADDRESS: "AD",
    Operation.CHANGE_CONTACT: "CO",
    Operation.SEND_INVOICE: "IN",
    Operation.UNSUBSCRIBE: "UN",
    Operation.GIVE_CREDIT: "TH",
}


def _plain(value: Any) -> Any:
    """What is kept of a request, as JSON takes it."""
    if isinstance(value, tuple):
        return [_plain(it) for it in value]
    return dataclasses.asdict(value)


def _e164(text: str) -> str:
    """A phone number as it is kept. Raises: NotAllowed."""
    digits = re.sub(r"[^0-9]", "", text)
    if not _PHONE.fullmatch(text.strip()) or not 7 <= len(digits) <= 15:
        raise NotAllowed("that is no phone number")
    return f"+44{digits[1:]}" if digits.startswith("0") else f"+{digits}"


def _variant(wanted: str, present: str, variants: list[str]) -> str | None:
    """The variant that is meant: "L" of "M, Slate" is "L, Slate". None where none is, or two are."""
    if ENGRAVED in present:
        return None
    by_name = {it.casefold(): it for it in variants if it != present}
    if wanted.casefold() in by_name:
        return by_name[wanted.casefold()]
    words = _words(wanted)
    close = [it for it in by_name.values() if words and words <= _words(it)]
    if not close:
        return None
    most = max(len(_words(it) & _words(present)) for it in close)
    best = [it for it in close if len(_words(it) & _words(present)) == most]
    return best[0] if len(best) == 1 else None


def _words(text: str) -> set[str]:
    return set(re.findall(r"[\w./–-]+", text.casefold())) - {"size", "uk", "in", "colour"}

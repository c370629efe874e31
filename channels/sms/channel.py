"""How replies leave as text messages: rendered, within the budget, by day, and never twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import structlog
from anyio import to_thread
from sqlalchemy import Connection, Row

from bot.store import addresses, ledger, sendings
from bot.store.database import Database
from channels.contract import DeliveryFailed, DeliveryUnknown, Note, Outbound
from channels.sms import text
from channels.sms.quiet import country_prefix, quiet_until, zone_of
from channels.sms.vendor import OPTED_OUT, NotTaken, Twilio, Unknown, Unreachable

CHANNEL = "sms"
ANSWER_WITHIN = 15 * 60_000
"""Milliseconds after the customer's last message in which what the service says counts as an answer,
and goes out at night too."""

LOOK_AFTER = 20_000  # until the vendor lists what it has just taken
SLACK = 5 * 60_000  # between the vendor's clock and ours

log = structlog.get_logger("sms")


@dataclass(frozen=True)
class Budget:
    """Messages that may leave in a day, against people who make us text for their profit.

    Args:
        number: to one number.
        country: to all numbers with one country code.
        countries: the country codes that are texted at all, as "+44"; none: every one.
    """

    number: int = 60
    country: int = 1000
    countries: frozenset[str] = frozenset()


class SmsChannel:
    """One account's texts.

    Args:
        database: the store.
        twilio: the vendor.
        sender: our number, or the SID of a Messaging Service; where a customer wrote to another
            number of ours, that one.
        callback: address that the vendor tells of delivery states; "": none.
        short: an address as a short link.
        budget: what may leave in a day.
        quiet: the hours, by the customer's clock, in which nothing leaves that is no answer.
    """

    name = CHANNEL

    def __init__(
        self,
        database: Database,
        twilio: Twilio,
        *,
        sender: str,
        callback: str = "",
        short: Callable[[str], str] = lambda url: url,
        budget: Budget | None = None,
        quiet: tuple[time, time] | None = None,
    ):
        self._database = database
        self._twilio = twilio
        self._sender = sender
        self._callback = callback
        self._short = short
        self._budget = budget or Budget()
        self._quiet = quiet

    async def send(self, outbound: Outbound) -> Note | None:
        return await to_thread.run_sync(self._send, outbound)

    async def taken(self, outbound: Outbound) -> bool:
        return await to_thread.run_sync(self._taken, outbound)

    def rendered(self, outbound: Outbound) -> str:
        """The message as words."""
        extra = outbound.extra
        buttons = [it for it in extra.get("buttons") or [] if not it["text"].isdigit()]
        sources = extra.get("sources") or []
        return text.composed(
            outbound.text,
            choices=[text.Choice(it["title"]) for it in buttons],
            link=self._short(sources[0]["url"]) if sources else "",
            whole=outbound.author == "agent",
        )

    # Sending.

    def _send(self, outbound: Outbound) -> Note | None:
        parts = text.parts(self.rendered(outbound))
        with self._database.reading() as tx:
            now = self._database.now(tx)
            to = self._to(tx, outbound, now)
            done = sendings.of_delivery(tx, outbound.delivery_id)
        if any(it.state in (sendings.SENDING, sendings.UNKNOWN) for it in done):
            raise DeliveryUnknown("it was on its way when something broke")
        note: Note | None = None
        for number, part in enumerate(parts):
            if number >= len([it for it in done if it.state == sendings.TAKEN]):
                if note is not None:
                    self._write(note)
                note = self._send_part(outbound, to, number, part)
        return note

    def _to(self, tx: Connection, outbound: Outbound, now: int) -> Row[Any]:
        """The conversation, if it may be texted now; raises DeliveryFailed."""
        row = ledger.conversation(tx, outbound.conversation_id)
        if row is None or not row.address:
            raise DeliveryFailed("the conversation has no number", final=True)
        if addresses.stopped_at(tx, CHANNEL, row.address) and not outbound.extra.get("last"):
            raise DeliveryFailed("the customer wants no texts", final=True)
        wrote = ledger.customer_wrote_at(tx, outbound.conversation_id)
        if not _can_answer(row.address):
            raise DeliveryFailed("no text can be sent to this kind of sender", final=True)
        answer = (
            outbound.author in ("bot", "agent")
            or outbound.extra.get("asked")
            or outbound.queued_at - wrote < ANSWER_WITHIN
        )
        if not answer and row.last_seq > outbound.message_id and now - outbound.queued_at > SLACK:
            raise DeliveryFailed("more was said since it was held back", final=True, matters=False)
        until = None if answer else quiet_until(row.address, self._quiet, now)
        if until:
            raise DeliveryFailed("it is night where the customer is", until=until)
        self._within_budget(tx, row.address, now)
        return row

    def _within_budget(self, tx: Connection, number: str, now: int) -> None:
        prefix = country_prefix(number)
        allowed = self._budget.countries
        if prefix and allowed and prefix not in allowed:
            raise DeliveryFailed(f"{prefix} is not among SMS_COUNTRIES", final=True)
        local = datetime.fromtimestamp(now / 1000, zone_of(number))
        day = local.replace(hour=0, minute=0, second=0, microsecond=0)
        since = int(day.timestamp() * 1000)
        to_number = sendings.count(tx, CHANNEL, since, address=number)
        to_country = sendings.count(tx, CHANNEL, since, prefix=prefix) if prefix else 0
        for sent, most, what in (
            (to_number, self._budget.number, "number"),
            (to_country, self._budget.country, f"country ({prefix})"),
        ):
            if sent >= most:
                log.warning("sms.budget", sent=sent, most=most, of=what)
                tomorrow = since + 24 * 3_600_000
                raise DeliveryFailed(f"the day's budget for this {what} is used up", until=tomorrow)

    def _send_part(self, outbound: Outbound, row: Row[Any], number: int, body: str) -> Note:
        """Send one part; returns what has to be written when the vendor has taken it."""
        sending_id = self._begin(outbound.delivery_id, row, number, body)
        try:
            sid = self._twilio.send(
                to=row.address,
                sender=row.via or self._sender,
                body=body,
                callback=self._callback,
                account=row.account or "",
            )
        except NotTaken as error:
            self._not_taken(sending_id, row.address, error)
            raise DeliveryFailed(str(error), final=error.final, after=error.after) from error
        except Unknown as error:
            self._change(sending_id, state=sendings.UNKNOWN, error=str(error)[:200])
            raise DeliveryUnknown(str(error)) from error
        return lambda tx: sendings.change(tx, sending_id, state=sendings.TAKEN, vendor_id=sid)

    def _begin(self, delivery_id: int, row: Row[Any], number: int, body: str) -> int:
        with self._database.transaction() as tx:
            return sendings.begin(
                tx,
                now=self._database.now(tx),
                delivery_id=delivery_id,
                part=number,
                channel=CHANNEL,
                address=row.address,
                via=row.via or self._sender,
                account=row.account,
                text=body,
                segments=text.segments(body),
            )

    def _not_taken(self, sending_id: int, number: str, error: NotTaken) -> None:
        """Nothing left; a number that has opted out at the vendor has opted out here, too."""
        with self._database.transaction() as tx:
            sendings.forget(tx, sending_id)
            if error.code == OPTED_OUT:
                addresses.note_opt_out(
                    tx,
                    CHANNEL,
                    number,
                    stopped=True,
                    words=f"Twilio: {OPTED_OUT}",
                    source="vendor",
                    now=self._database.now(tx),
                )

    def _change(self, sending_id: int, **values: Any) -> None:
        self._write(lambda tx: sendings.change(tx, sending_id, **values))

    def _write(self, note: Note) -> None:
        with self._database.transaction() as tx:
            note(tx)

    def send_code(self, number: str, body: str) -> None:
        """Send a text that is in no conversation, within the budget. Raises DeliveryFailed. What is
        in it is not kept."""
        with self._database.reading() as tx:
            now = self._database.now(tx)
            self._within_budget(tx, number, now)
        with self._database.transaction() as tx:
            sending_id = sendings.begin(
                tx,
                now=now,
                delivery_id=None,
                part=0,
                channel=CHANNEL,
                address=number,
                via=self._sender,
                text="",
                segments=text.segments(body),
            )
        try:
            sid = self._twilio.send(to=number, sender=self._sender, body=body, callback="")
        except NotTaken as error:
            self._not_taken(sending_id, number, error)
            raise DeliveryFailed(str(error), final=True) from error
        except Unknown as error:
            # It may arrive; whoever waits for it in vain asks for another.
            self._change(sending_id, state=sendings.UNKNOWN, error=str(error)[:200])
            return
        self._change(sending_id, state=sendings.TAKEN, vendor_id=sid)

    # What became of it?

    def _taken(self, outbound: Outbound) -> bool:
        """Looks for parts of unknown fate at the vendor. True when the whole message was taken;
        false when it can go on being sent."""
        with self._database.reading() as tx:
            now = self._database.now(tx)
            tried = sendings.of_delivery(tx, outbound.delivery_id)
        doubtful = [it for it in tried if it.state in (sendings.SENDING, sendings.UNKNOWN)]
        for row in doubtful:
            if now - row.created_at < LOOK_AFTER:
                raise DeliveryUnknown("it is too early to look whether it was taken")
            self._look_for(row)
        parts = text.parts(self.rendered(outbound))
        with self._database.reading() as tx:
            tried = sendings.of_delivery(tx, outbound.delivery_id)
        return len([it for it in tried if it.state == sendings.TAKEN]) >= len(parts)

    def _look_for(self, row: Row[Any]) -> None:
        since = datetime.fromtimestamp((row.created_at - SLACK) / 1000, UTC)
        try:
            found = self._twilio.lately(to=row.address, since=since, account=row.account or "")
        except Unreachable as error:
            raise DeliveryUnknown(f"it cannot be looked up: {error}") from error
        with self._database.transaction() as tx:
            ours = sendings.known(tx, CHANNEL, [it.sid for it in found])
            same = [it for it in found if it.sid not in ours and it.body == row.text]
            if same:
                oldest = min(same, key=lambda it: it.created or since)
                sendings.change(tx, row.id, state=sendings.TAKEN, vendor_id=oldest.sid, error=None)
                log.info("sms.found", sending_id=row.id, sid=oldest.sid)
            else:
                sendings.forget(tx, row.id)
                log.info("sms.not_there", sending_id=row.id)


def _can_answer(number: str) -> bool:
    """Phone numbers and short codes; names, as banks send from, take no answers."""
    digits = number.removeprefix("+")
    return digits.isascii() and digits.isdigit() and 3 <= len(digits) <= 15

"""What people at the desk do with tickets. Every public method is one transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from bot import wording
from bot.conversation import Event, State
from bot.desk_reading import DeskReading
from bot.privacy.redaction import mask
from bot.service import history
from bot.service.policy import DAY, MINUTE
from bot.store import addresses, audit, ledger, tickets
from bot.store import agents as agent_rows
from bot.use_case import Conflict, NotFound, step
from bot.views import desk_ticket, first_name
from bot.wakeups import DESK

LONGEST_NOTE = 2000
MOST_TAGS = 10
LONGEST_SNOOZE = 30 * DAY


class DeskWork(DeskReading):
    """Claim, answer, resolve, hand back, pass on, put off, note, tag, join."""

    # Taking and answering.

    def claim(self, ticket_id: int, agent_id: int) -> dict[str, Any]:
        """Raises `NotFound`; `Conflict` when somebody else was first or it is closed."""
        with self.database.transaction() as tx:
            ticket = self._ticket(tx, ticket_id)
            now = self.database.now(tx)
            if not self.hold(tx, ticket, agent_id, now, history.CLAIMED):
                shown = tickets.shown(tx, ticket_id)
                if shown.state == "human" and shown.agent_id == agent_id:
                    return desk_ticket(shown, agent_id)
                raise Conflict(_taken(shown))
            shown = tickets.shown(tx, ticket_id)
        self.wake(ticket.conversation_id, DESK)
        return desk_ticket(shown, agent_id)

    def reply_as_person(
        self, conversation_id: str, agent_id: int, text: str, client_id: str
    ) -> int:
        """Send an agent's words to the customer; returns the message's number, once per client id.

        Raises:
            ValueError: the text is empty.
            NotFound: the conversation does not exist.
            Conflict: the agent does not hold the conversation, or the customer wants no messages.
        """
        if not text.strip():
            raise ValueError("Write something before you send it.")
        vendor_id = f"desk/{agent_id}/{conversation_id}/{client_id}"
        with self.database.transaction() as tx:
            row = self._held_by(tx, conversation_id, agent_id, vendor_id)
            if isinstance(row, int):
                return row
            now = self.database.now(tx)
            if row.address and addresses.stopped_at(tx, row.channel, row.address):
                raise Conflict(wording.WANTS_NO_TEXTS)
            message = ledger.say(
                tx,
                conversation_id,
                "agent",
                mask(text),
                now=now,
                agent_id=agent_id,
                vendor_id=vendor_id,
            )
            self._answered(tx, row, agent_id, now)
            self.answer_by_mail(tx, row, mask(text), now)
        self.wake(conversation_id, DESK)
        return int(message.seq)

    def _answered(self, tx: Connection, row: Row[Any], agent_id: int, now: int) -> None:
        """The clocks hear that a person has answered; a promise is kept."""
        ticket = tickets.get(tx, row.ticket_id)
        if ticket is None:
            return
        tickets.note(tx, ticket.id, history.ANSWERED, now, agent_id=agent_id)
        if ticket.promised_for is not None and now <= ticket.promised_for:
            tickets.note(tx, ticket.id, history.PROMISE_KEPT, now, agent_id=agent_id)
        tickets.change(
            tx,
            ticket.id,
            customer_since=None,
            answered_at=now,
            first_answered_at=ticket.first_answered_at or now,
            promised_for=None,
            nudged_at=None,
            sla_warned=None,
        )
        self.retime(tx, ticket.id, now)

    def answer_by_mail(self, tx: Connection, row: Row[Any], text: str, now: int) -> None:
        """Send the answer to the address that the customer left, when nobody looks at the page."""
        if self.mail is None or not row.contact or row.channel != "web":
            return
        if row.seen_at is not None and now - row.seen_at < MINUTE:
            return
        self.mail(tx, row, text, now)

    def _held_by(
        self, tx: Connection, conversation_id: str, agent_id: int, vendor_id: str
    ) -> Row[Any] | int:
        """The locked conversation that this agent holds, or the number of a repeated message."""
        row = ledger.lock_conversation(tx, conversation_id)
        if row is None:
            raise NotFound("There is no such conversation.")
        known = ledger.find_message(tx, row.channel, vendor_id)
        if known is not None:
            return int(known.seq)
        _require_holder(tx, row, agent_id)
        return row

    # Closing.

    def resolve(self, conversation_id: str, agent_id: int) -> dict[str, Any]:
        """Close the ticket and ask the customer for a rating. Raises `NotFound`, `Conflict`."""
        return self._close(conversation_id, agent_id, Event.RESOLVED)

    def hand_back(
        self, conversation_id: str, agent_id: int, note: str = "", settled: str = ""
    ) -> dict[str, Any]:
        """Give the conversation back to the bot, which tells the customer what is ``settled``; the
        ``note`` is for colleagues. Raises `NotFound`, `Conflict`."""
        return self._close(conversation_id, agent_id, Event.HANDED_BACK, note, settled)

    def _close(
        self, conversation_id: str, agent_id: int, event: Event, note: str = "", settled: str = ""
    ) -> dict[str, Any]:
        resolved = event is Event.RESOLVED
        kind = history.RESOLVED if resolved else history.HANDED_BACK
        note = mask(note.strip())[:LONGEST_NOTE]
        settled = mask(settled.strip())[:LONGEST_NOTE]
        with self.database.transaction() as tx:
            row = ledger.lock_conversation(tx, conversation_id)
            if row is None:
                raise NotFound("There is no such conversation.")
            _require_holder(tx, row, agent_id)
            now = self.database.now(tx)
            ticket = self._ticket(tx, row.ticket_id)
            asks = resolved and self.rating_question(tx, ticket, row, now)
            tickets.change(
                tx,
                ticket.id,
                state="resolved" if resolved else "handed_back",
                closed_at=now,
                note=note or None,
                settled=settled or None,
                sla_due_at=None,
                snoozed_until=None,
            )
            tickets.note(tx, ticket.id, kind, now, agent_id=agent_id)
            ledger.change_conversation(
                tx,
                conversation_id,
                now,
                state=step(row, event),
                agent_id=None,
                ticket_id=None,
                rating_ticket_id=ticket.id if asks else None,
                rating_until=self.rating_until(now) if asks else None,
            )
            name = first_name(agent_rows.name_of(tx, agent_id))
            if not resolved:
                text = wording.handed_back(name, settled)
            else:
                text = wording.ask_rating(name) if asks else wording.closed(name)
            extra = {"buttons": wording.RATING_BUTTONS} if asks else None
            ledger.say(tx, conversation_id, "system", text, now=now, extra=extra)
            shown = tickets.shown(tx, ticket.id)
        self.wake(conversation_id, DESK)
        return desk_ticket(shown, agent_id)

    # Passing on, putting off, remarks.

    def pass_on(
        self,
        ticket_id: int,
        agent_id: int,
        *,
        queue: str = "",
        to_agent: int | None = None,
        note: str = "",
    ) -> dict[str, Any]:
        """Give an own ticket to a colleague or to a queue, with a note for them.

        Raises:
            ValueError: neither or an unknown queue or colleague is named.
            NotFound, Conflict: as `claim`.
        """
        if bool(queue) == (to_agent is not None):
            raise ValueError("Choose a queue or a colleague.")
        if queue and queue not in self.service.queues:
            raise ValueError(f"There is no queue “{queue}”.")
        with self.database.transaction() as tx:
            ticket = self._mine(tx, ticket_id, agent_id)
            if to_agent is not None and not agent_rows.works(tx, to_agent):
                raise ValueError("There is no such colleague.")
            now = self.database.now(tx)
            name = first_name(agent_rows.name_of(tx, agent_id))
            values: dict[str, Any] = {"wanted_agent_id": to_agent}
            if queue:
                values["queue"] = queue
            self._note(tx, ticket.id, agent_id, note, now)
            self.release(
                tx,
                ticket,
                now,
                kind=history.TRANSFERRED,
                text=wording.passed_on(name, wording.ticket_number(ticket.id)),
                agent_id=agent_id,
                values=values,
                data={"queue": queue or None, "to": to_agent},
            )
            if to_agent is not None:
                # The colleague has it at once: passed on is not put down.
                self.hold(tx, tickets.get(tx, ticket.id), to_agent, now, history.ASSIGNED)
            else:
                self.announce(tx, "ticket.waiting", tickets.shown(tx, ticket.id), now)
            shown = tickets.shown(tx, ticket.id)
        self.wake(ticket.conversation_id, DESK)
        return desk_ticket(shown, agent_id)

    def snooze(self, ticket_id: int, agent_id: int, until: int) -> dict[str, Any]:
        """Put an own ticket off until a moment; a customer's message makes it due at once.

        Raises ValueError for a moment that has passed or is too far; NotFound, Conflict.
        """
        with self.database.transaction() as tx:
            ticket = self._mine(tx, ticket_id, agent_id)
            now = self.database.now(tx)
            if not now < until <= now + LONGEST_SNOOZE:
                raise ValueError("Choose a time between now and thirty days from now.")
            if ticket.customer_since is not None:
                raise Conflict("The customer waits for an answer: give one, then put it off.")
            tickets.change(tx, ticket.id, snoozed_until=until)
            tickets.note(tx, ticket.id, history.SNOOZED, now, agent_id=agent_id, until=until)
            self.retime(tx, ticket.id, now)
            shown = tickets.shown(tx, ticket.id)
        self.wake(DESK)
        return desk_ticket(shown, agent_id)

    def note(self, ticket_id: int, agent_id: int, text: str) -> None:
        """A remark for colleagues: kept apart from the messages, so that no way leads from it to
        the customer. Raises ValueError when empty; NotFound."""
        if not text.strip():
            raise ValueError("Write something before you keep it.")
        with self.database.transaction() as tx:
            self._ticket(tx, ticket_id)
            self._note(tx, ticket_id, agent_id, text, self.database.now(tx))
        self.wake(DESK)

    def tag(self, ticket_id: int, agent_id: int, tags: list[str]) -> dict[str, Any]:
        """Set the ticket's tags. Raises ValueError, NotFound."""
        wanted = list(dict.fromkeys(" ".join(tag.lower().split())[:40] for tag in tags))
        wanted = [tag for tag in wanted if tag]
        if len(wanted) > MOST_TAGS:
            raise ValueError(f"A ticket has at most {MOST_TAGS} tags.")
        with self.database.transaction() as tx:
            ticket = self._ticket(tx, ticket_id)
            if wanted != (ticket.tags or []):
                now = self.database.now(tx)
                tickets.change(tx, ticket_id, tags=wanted or None)
                tickets.note(tx, ticket_id, history.TAGGED, now, agent_id=agent_id, tags=wanted)
            shown = tickets.shown(tx, ticket_id)
        self.wake(DESK)
        return desk_ticket(shown, agent_id)

    def merge(self, ticket_id: int, into_id: int, agent_id: int) -> dict[str, Any]:
        """Join an open ticket with another of the same person: it is closed, its customer is told
        where the answer comes, and what is written there later is noted on the other.

        Raises ValueError for one ticket, NotFound, Conflict for a closed one or a colleague's.
        """
        if ticket_id == into_id:
            raise ValueError("Choose another ticket.")
        with self.database.transaction() as tx:
            ticket, into = self._ticket(tx, ticket_id), self._ticket(tx, into_id)
            row = ledger.lock_conversation(tx, ticket.conversation_id)
            for it in (ticket, into):
                if it.state not in tickets.OPEN:
                    raise Conflict(f"{wording.ticket_number(it.id)} is closed already.")
                if it.state == "human" and it.agent_id != agent_id:
                    name = first_name(agent_rows.name_of(tx, it.agent_id))
                    raise Conflict(f"{name} has {wording.ticket_number(it.id)}.")
            now = self.database.now(tx)
            number, into_number = (wording.ticket_number(it.id) for it in (ticket, into))
            tickets.change(
                tx,
                ticket.id,
                state="merged",
                merged_into=into.id,
                closed_at=now,
                sla_due_at=None,
                snoozed_until=None,
            )
            tickets.note(tx, ticket.id, history.MERGED, now, agent_id=agent_id, into=into_number)
            tickets.note(tx, into.id, history.MERGED, now, agent_id=agent_id, other=number)
            tickets.change(
                tx,
                into.id,
                priority=min(ticket.priority, into.priority),
                tags=list(dict.fromkeys([*(into.tags or []), *(ticket.tags or [])])) or None,
            )
            ledger.change_conversation(
                tx,
                ticket.conversation_id,
                now,
                state=step(row, Event.CLOSED),
                agent_id=None,
                ticket_id=None,
            )
            text = wording.merged(number, into_number)
            ledger.say(tx, ticket.conversation_id, "system", text, now=now)
            self.retime(tx, into.id, now)
            shown = tickets.shown(tx, into.id)
        self.wake(ticket.conversation_id, into.conversation_id, DESK)
        return desk_ticket(shown, agent_id)

    def goes_to_merged(self, tx: Connection, row: Row[Any], message: Row[Any], now: int) -> bool:
        """Whether a message in a closed conversation belongs to the ticket that it was joined with:
        then it is noted there, and the customer is told where the answer comes."""
        if State(row.state) is not State.RESOLVED:
            return False
        ticket = tickets.latest_of(tx, row.id)
        into = tickets.get(tx, ticket.merged_into) if ticket and ticket.merged_into else None
        if into is None or into.state not in tickets.OPEN:
            return False
        number, into_number = wording.ticket_number(ticket.id), wording.ticket_number(into.id)
        tickets.note(tx, into.id, history.CUSTOMER, now)
        tickets.note(tx, into.id, history.NOTED, now, text=message.text, written_in=number)
        tickets.change(tx, into.id, customer_since=into.customer_since or now, snoozed_until=None)
        self.retime(tx, into.id, now)
        text = wording.noted_on_merged(into_number)
        ledger.say(tx, row.id, "system", text, now=now)
        return True

    # Saved replies.

    def saved_replies(self) -> list[dict[str, Any]]:
        with self.database.reading() as tx:
            rows = tickets.saved_replies(tx)
        return [{"id": row.id, "name": row.name, "text": row.text} for row in rows]

    def save_reply(self, agent_id: int, name: str, text: str) -> None:
        """Keep a reply under a name; the same name again replaces it. Raises ValueError."""
        name, text = " ".join(name.split())[:80], text.strip()
        if not name or not text:
            raise ValueError("A saved reply has a name and a text.")
        wording.fill_saved(text, {})  # raises ValueError for a field that there is not
        with self.database.transaction() as tx:
            now = self.database.now(tx)
            tickets.save_reply(tx, name, mask(text), agent_id=agent_id, now=now)
            audit.note(tx, "reply.saved", agent_id=agent_id, subject=name, now=now)

    def delete_reply(self, agent_id: int, reply_id: int) -> None:
        with self.database.transaction() as tx:
            name = tickets.delete_reply(tx, reply_id)
            if name is None:
                raise NotFound("There is no such saved reply.")
            now = self.database.now(tx)
            audit.note(tx, "reply.deleted", agent_id=agent_id, subject=name, now=now)

    def _note(self, tx: Connection, ticket_id: int, agent_id: int, text: str, now: int) -> None:
        text = mask(text.strip())[:LONGEST_NOTE]
        if text:
            tickets.note(tx, ticket_id, history.NOTED, now, agent_id=agent_id, text=text)

    def _ticket(self, tx: Connection, ticket_id: int) -> Row[Any]:
        ticket = tickets.get(tx, ticket_id)
        if ticket is None:
            raise NotFound("There is no such ticket.")
        return ticket

    def _mine(self, tx: Connection, ticket_id: int, agent_id: int) -> Row[Any]:
        """The agent's own open ticket, its conversation locked."""
        ticket = self._ticket(tx, ticket_id)
        row = ledger.lock_conversation(tx, ticket.conversation_id)
        if row is None or row.ticket_id != ticket_id:
            raise Conflict("It is closed already.")
        _require_holder(tx, row, agent_id)
        return self._ticket(tx, ticket_id)


def _require_holder(tx: Connection, row: Row[Any], agent_id: int) -> None:
    if State(row.state) is State.HUMAN and row.agent_id == agent_id:
        return
    if State(row.state) is State.HUMAN:
        raise Conflict(f"{first_name(agent_rows.name_of(tx, row.agent_id))} has this conversation.")
    if State(row.state) is State.WAITING:
        raise Conflict("Claim this conversation first.")
    if State(row.state) is State.RESOLVED:
        raise Conflict("This conversation is closed.")
    raise Conflict("This conversation is with the bot again.")


def _taken(shown: Row[Any]) -> str:
    if shown.state == "human":
        return f"{shown.agent_name} has claimed it."
    return "It is closed already."

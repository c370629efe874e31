"""The use cases: what customers, agents and the engine's actions do to a conversation.

Every public method is one transaction, safe to call from any thread. After the commit it wakes
whoever waits for news; what it stored is what counts.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from bot import wording
from bot.conversation import Event, NotPossible, State, after
from bot.escalation import Decision, Escalation, with_mood
from bot.privacy.redaction import mask
from bot.store import agents as agent_rows
from bot.store import ledger, tickets
from bot.store.database import Database, is_duplicate
from bot.views import desk_ticket, first_name, public_message
from bot.views import mood as mood_view
from bot.wakeups import DESK
from channels.contract import Inbound

RATING_MILLISECONDS = 24 * 3600 * 1000
CLOSED_SHOWN_MILLISECONDS = 8 * 3600 * 1000


class NotFound(Exception):
    """There is no such conversation or ticket (or the token is not its token)."""


class Conflict(Exception):
    """Somebody else was first, or the state does not allow it; the text is for the agent."""


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


class Support:
    """The service over one store.

    Args:
        database: the store.
        wake: called with the keys that have news, after each commit.
        gateway: name of this gateway; leases are held in its name.
        lease_milliseconds: after this a crashed turn is taken up by anyone.
        reminder_milliseconds: a waiting customer hears from us again after this.
        escalation: the rules of when a person is needed.
    """

    def __init__(
        self,
        database: Database,
        *,
        wake: Callable[..., None] = lambda *keys: None,
        gateway: str = "gateway",
        lease_milliseconds: int = 20_000,
        reminder_milliseconds: int = 300_000,
        escalation: Escalation | None = None,
    ):
        self.database = database
        self.wake = wake
        self.gateway = gateway
        self.lease_milliseconds = lease_milliseconds
        self.reminder_milliseconds = reminder_milliseconds
        self.escalation = escalation or Escalation()

    # Customers

    def open_conversation(self, channel: str) -> Opened:
        opened = Opened(uuid.uuid4().hex, secrets.token_urlsafe(32))
        with self.database.transaction() as tx:
            ledger.add_conversation(
                tx,
                opened.conversation_id,
                _hash(opened.token),
                channel=channel,
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
            with self.database.transaction() as tx:
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

    def take_lease(self, tx: Connection, conversation_id: str, now: int) -> str | None:
        """A lease of its own name each time, so that a worker that overran can tell it lost."""
        lease = f"{self.gateway}/{uuid.uuid4().hex}"
        taken = ledger.take_lease(
            tx, conversation_id, lease, now=now, milliseconds=self.lease_milliseconds
        )
        return lease if taken else None

    def stand(self, conversation_id: str) -> tuple[int, int]:
        """What changes whenever there is news: the number of messages, and the last change."""
        with self.database.reading() as tx:
            row = ledger.conversation(tx, conversation_id)
        return (row.last_seq, row.updated_at) if row else (0, 0)

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

    # Handing over

    def request_person(
        self,
        conversation_id: str,
        *,
        cause: str,
        reason_type: str,
        reason: str,
        mood: dict[str, Any] | None = None,
    ) -> str:
        """Put the conversation in the queue; returns its number. Once per ``cause``.

        Raises:
            NotFound: the conversation does not exist.
        """
        with self.database.transaction() as tx:
            number, _ = self.open_ticket(
                tx, conversation_id, cause=cause, reason_type=reason_type, reason=reason, mood=mood
            )
        self.wake(conversation_id, DESK)
        return number

    def open_ticket(
        self,
        tx: Connection,
        conversation_id: str,
        *,
        cause: str,
        reason_type: str,
        reason: str,
        mood: dict[str, Any] | None = None,
        say: Callable[..., str] | None = None,
        decision: Decision | None = None,
    ) -> tuple[str, bool]:
        """`request_person` inside a transaction, with its receipt to the customer.

        Returns the number, and whether the ticket is new. In whatever state the conversation is,
        the customer gets a sentence with a number. ``decision`` is the rule that asks for it.
        """
        row = ledger.lock_conversation(tx, conversation_id)
        if row is None:
            raise NotFound("There is no such conversation.")
        earlier = tickets.by_cause(tx, cause)
        if earlier is not None:
            return wording.ticket_number(earlier.id), False
        now = self.database.now(tx)
        state = State(row.state)
        if state in (State.WAITING, State.HUMAN) and row.ticket_id:
            number = wording.ticket_number(row.ticket_id)
            name = agent_rows.name_of(tx, row.agent_id) if row.agent_id else None
            text = (
                wording.already_with(first_name(name)) if name else wording.already_waiting(number)
            )
            ledger.say(tx, conversation_id, "system", text, now=now)
            return number, False
        mood = mood or row.mood
        standing = self.escalation.standing(reason_type, mood)
        ticket_id = tickets.add(
            tx,
            conversation_id,
            now=now,
            cause=cause,
            reason_type=reason_type,
            reason=mask(reason),
            mood=mood,
            priority=with_mood(decision.rule.priority, mood) if decision else standing.priority,
            queue=decision.rule.queue if decision else standing.queue,
            rule=decision.rule.name if decision else None,
            rules=[decision.rule.name] if decision else None,
        )
        ledger.change_conversation(
            tx,
            conversation_id,
            now,
            state=after(state, Event.PERSON_REQUESTED),
            ticket_id=ticket_id,
            agent_id=None,
            failures=0,
            rating_ticket_id=None,
        )
        number = wording.ticket_number(ticket_id)
        if decision is not None and decision.rule.reply:
            self.say_fixed(tx, conversation_id, decision, ticket_id)
        else:
            say = say or self._receipt(tx, conversation_id, mood)
            text = say(number, anyone_online=agent_rows.online(tx, now) > 0)
            ledger.say(tx, conversation_id, "bot", text, now=now)
        tickets.add_follow_up(
            tx,
            "waiting_reminder",
            conversation_id,
            ticket_id=ticket_id,
            due_at=now + self.reminder_milliseconds,
        )
        return number, True

    def _receipt(
        self, tx: Connection, conversation_id: str, mood: dict[str, Any] | None
    ) -> Callable[..., str]:
        """The receipt for this mood; who was told lately that we are sorry is not told again."""
        said = ledger.last_said(tx, conversation_id)
        return partial(
            wording.receipt,
            mood=(mood or {}).get("label", "neutral"),
            apologised=any(it.author == "bot" and wording.apologises(it.text) for it in said),
        )

    def say_fixed(
        self,
        tx: Connection,
        conversation_id: str,
        decision: Decision,
        ticket_id: int,
        *,
        agent_id: int | None = None,
        author: str = "bot",
    ) -> None:
        """Say a rule's own reply; ``agent_id`` is who has the conversation."""
        now = self.database.now(tx)
        number = wording.ticket_number(ticket_id)
        anyone = agent_rows.online(tx, now) > 0
        text = wording.fixed_reply(
            decision.rule.reply,
            number,
            anyone_online=anyone,
            agent=first_name(agent_rows.name_of(tx, agent_id)) if agent_id else "",
            help_lines=self.escalation.help_lines,
            # The reply has said all there is to say of feelings.
            receipt=wording.receipt(number, mood="neutral", anyone_online=anyone),
        )
        extra = {"rule": decision.rule.name}
        ledger.say(tx, conversation_id, author, text, now=now, extra=extra)

    def running_turn(self, conversation_id: str, turn_id: str) -> bool:
        """Whether this turn is being worked on: the right to act in its name."""
        with self.database.reading() as tx:
            row = ledger.turn(tx, turn_id)
        return row is not None and row.conversation_id == conversation_id and row.state == "running"

    # Agents

    def tickets(self, agent_id: int) -> list[dict[str, Any]]:
        """Open tickets and those closed lately, as the desk shows them."""
        with self.database.reading() as tx:
            now = self.database.now(tx)
            rows = tickets.for_desk(tx, now - CLOSED_SHOWN_MILLISECONDS)
        return [desk_ticket(row, agent_id) for row in rows]

    def conversation_for_desk(
        self, conversation_id: str, agent_id: int, after_number: int = 0
    ) -> dict[str, Any]:
        view = self.messages(conversation_id, after_number)
        with self.database.reading() as tx:
            ticket = tickets.latest_of(tx, conversation_id)
            rows = ledger.transcript(tx, conversation_id, after_number)
        if ticket is None:
            raise NotFound("Nobody has asked for a person in this conversation.")
        for shown, row in zip(view["messages"], rows, strict=False):
            shown["mood"] = mood_view(row.mood) if row.mood else None
            shown["rule"] = (row.extra or {}).get("rule") if row.author == "customer" else None
            shown["understood"] = (
                {"intent": row.intent, "confidence": row.confidence} if row.intent else None
            )
        return {**view, "ticket": desk_ticket(ticket, agent_id)}

    def claim(self, ticket_id: int, agent_id: int) -> dict[str, Any]:
        """Raises `NotFound`; `Conflict` when somebody else was first or it is closed."""
        with self.database.transaction() as tx:
            ticket = tickets.get(tx, ticket_id)
            if ticket is None:
                raise NotFound("There is no such ticket.")
            row = ledger.lock_conversation(tx, ticket.conversation_id)
            now = self.database.now(tx)
            if not tickets.claim(tx, ticket_id, agent_id, now):
                shown = tickets.shown(tx, ticket_id)
                if shown.state == "human" and shown.agent_id == agent_id:
                    return desk_ticket(shown, agent_id)
                raise Conflict(_taken(shown))
            ledger.change_conversation(
                tx,
                ticket.conversation_id,
                now,
                state=_step(row, Event.CLAIMED),
                agent_id=agent_id,
            )
            name = first_name(agent_rows.name_of(tx, agent_id))
            ledger.say(tx, ticket.conversation_id, "system", wording.joined(name), now=now)
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
            Conflict: the agent does not hold the conversation.
        """
        if not text.strip():
            raise ValueError("Write something before you send it.")
        vendor_id = f"desk/{agent_id}/{conversation_id}/{client_id}"
        with self.database.transaction() as tx:
            row = self._held_by(tx, conversation_id, agent_id, vendor_id)
            if isinstance(row, int):
                return row
            message = ledger.say(
                tx,
                conversation_id,
                "agent",
                mask(text),
                now=self.database.now(tx),
                agent_id=agent_id,
                vendor_id=vendor_id,
            )
        self.wake(conversation_id, DESK)
        return int(message.seq)

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

    def resolve(self, conversation_id: str, agent_id: int) -> dict[str, Any]:
        """Close the ticket and ask the customer for a rating. Raises `NotFound`, `Conflict`."""
        return self._close(conversation_id, agent_id, Event.RESOLVED, "resolved")

    def hand_back(self, conversation_id: str, agent_id: int, note: str = "") -> dict[str, Any]:
        """Give the conversation back to the bot. Raises `NotFound`, `Conflict`."""
        return self._close(conversation_id, agent_id, Event.HANDED_BACK, "handed_back", note)

    def _close(
        self, conversation_id: str, agent_id: int, event: Event, ticket_state: str, note: str = ""
    ) -> dict[str, Any]:
        with self.database.transaction() as tx:
            row = ledger.lock_conversation(tx, conversation_id)
            if row is None:
                raise NotFound("There is no such conversation.")
            _require_holder(tx, row, agent_id)
            now = self.database.now(tx)
            tickets.change(
                tx,
                row.ticket_id,
                state=ticket_state,
                closed_at=now,
                note=mask(note.strip())[:2000] or None,
            )
            resolved = event is Event.RESOLVED
            ledger.change_conversation(
                tx,
                conversation_id,
                now,
                state=_step(row, event),
                agent_id=None,
                ticket_id=None,
                rating_ticket_id=row.ticket_id if resolved else None,
                rating_until=now + RATING_MILLISECONDS if resolved else None,
            )
            name = first_name(agent_rows.name_of(tx, agent_id))
            text = wording.ask_rating(name) if resolved else wording.handed_back(name)
            extra = {"buttons": wording.RATING_BUTTONS} if resolved else None
            ledger.say(tx, conversation_id, "system", text, now=now, extra=extra)
            shown = tickets.shown(tx, row.ticket_id)
        self.wake(conversation_id, DESK)
        return desk_ticket(shown, agent_id)


def _require_holder(tx: Connection, row: Row[Any], agent_id: int) -> None:
    if State(row.state) is State.HUMAN and row.agent_id == agent_id:
        return
    if State(row.state) is State.HUMAN:
        raise Conflict(f"{first_name(agent_rows.name_of(tx, row.agent_id))} has this conversation.")
    if State(row.state) is State.WAITING:
        raise Conflict("Claim this conversation first.")
    raise Conflict("This conversation is with the bot again.")


def _step(row: Row[Any] | None, event: Event) -> State:
    if row is None:
        raise NotFound("There is no such conversation.")
    try:
        return after(State(row.state), event)
    except NotPossible as error:
        raise Conflict(str(error)) from error


def _taken(shown: Row[Any]) -> str:
    if shown.state == "human":
        return f"{shown.agent_name} has claimed it."
    return "It is closed already."


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

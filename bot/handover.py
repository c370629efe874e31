"""Handing over to a person: the ticket, its receipt, and what customers add while they wait."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

from bot import wording
from bot.conversation import Closed, Event, State, after, reopens
from bot.escalation import Decision, with_mood
from bot.privacy.redaction import mask
from bot.service import history
from bot.service.policy import COURTESIES
from bot.store import agents as agent_rows
from bot.store import ledger, tickets
from bot.summary import summary
from bot.use_case import NotFound, UseCase
from bot.views import first_name
from bot.wakeups import DESK

_ADDRESS = re.compile(r"[^\s@<>,;:\"'()]{1,64}@[^\s@<>,;:\"'()]{1,180}\.[a-zA-Z]{2,24}")


class HandingOver(UseCase):
    """What brings a person in. It cannot fail for want of a queue, an agent or an engine."""

    def request_person(
        self,
        conversation_id: str,
        *,
        cause: str,
        reason_type: str,
        reason: str,
        mood: dict[str, Any] | None = None,
        first: str = "",
    ) -> str:
        """Put the conversation in the queue; returns its number. Once per ``cause``. ``first`` is said
        before the receipt: why it comes to that.

        Raises:
            NotFound: the conversation does not exist.
        """
        with self.database.transaction() as tx:
            if first and tickets.by_cause(tx, cause) is None:
                ledger.say(tx, conversation_id, "bot", first, now=self.database.now(tx))
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
        values: dict[str, Any] | None = None,
    ) -> tuple[str, bool]:
        """`request_person` inside a transaction, with its receipt to the customer.

        Returns the number, and whether the ticket is new. In whatever state the conversation is,
        the customer gets a sentence with a number. ``say`` words the receipt (number, desk=...);
        ``decision`` is the rule that asks for it; ``values`` are further columns of the ticket.
        """
        row = ledger.lock_conversation(tx, conversation_id)
        if row is None:
            raise NotFound("There is no such conversation.")
        earlier = tickets.by_cause(tx, cause)
        if earlier is not None:
            return wording.ticket_number(earlier.id), False
        now = self.database.now(tx)
        if State(row.state) in (State.WAITING, State.HUMAN) and row.ticket_id:
            return self._already(tx, row, now), False
        mood = mood or row.mood
        standing = self.escalation.standing(reason_type, mood)
        queue = decision.rule.queue if decision else standing.queue
        priority = with_mood(decision.rule.priority, mood) if decision else standing.priority
        given = {
            "mood": mood,
            "priority": priority,
            "priority_why": [_why(reason_type, priority, decision, mood)],
            "queue": self.service.queue(queue).name,
            "rule": decision.rule.name if decision else None,
            "rules": [decision.rule.name] if decision else None,
            "summary": summary(
                ledger.transcript(tx, conversation_id),
                ledger.turns_of(tx, conversation_id),
                mood,
            ),
        }
        ticket_id = tickets.add(
            tx,
            conversation_id,
            now=now,
            cause=cause,
            reason_type=reason_type,
            reason=mask(reason),
            **(given | (values or {})),
        )
        ledger.change_conversation(
            tx,
            conversation_id,
            now,
            state=after(State(row.state), Event.PERSON_REQUESTED),
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
            text = say(
                number, desk=self.desk_now(tx, now, queue, ticket_id=ticket_id, channel=row.channel)
            )
            ledger.say(tx, conversation_id, "bot", text, now=now)
        self.retime(tx, ticket_id, now)
        self.announce(tx, "ticket.waiting", tickets.shown(tx, ticket_id), now)
        return number, True

    def _already(self, tx: Connection, row: Row[Any], now: int) -> str:
        """Asked for again, where somebody is asked already."""
        number = wording.ticket_number(row.ticket_id)
        name = agent_rows.name_of(tx, row.agent_id) if row.agent_id else None
        text = wording.already_with(first_name(name)) if name else wording.already_waiting(number)
        ledger.say(tx, row.id, "system", text, now=now)
        self.customer_wrote(tx, row, "", now)
        return number

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
        if agent_id:
            name = first_name(agent_rows.name_of(tx, agent_id))
            desk = wording.at_the_desk(anyone_online=True, agent=name)
        else:
            row = ledger.conversation(tx, conversation_id)
            channel = row.channel if row is not None else "web"
            desk = self.desk_now(tx, now, decision.rule.queue, channel=channel)
        text = wording.fixed_reply(
            decision.rule.reply,
            number,
            desk=desk,
            help_lines=self.escalation.help_lines,
            # The reply has said all there is to say of feelings.
            receipt=wording.receipt(number, mood="neutral", desk=desk),
        )
        extra = {"rule": decision.rule.name}
        ledger.say(tx, conversation_id, author, text, now=now, extra=extra)

    def running_turn(self, conversation_id: str, turn_id: str) -> bool:
        """Whether this turn is being worked on: the right to act in its name."""
        with self.database.reading() as tx:
            row = ledger.turn(tx, turn_id)
        return row is not None and row.conversation_id == conversation_id and row.state == "running"

    def customer_wrote(self, tx: Connection, row: Row[Any], text: str, now: int) -> None:
        """A message in a conversation that waits for a person or has one: the clocks go on, a
        ticket that was put off is due again, an address that was left is noted."""
        ticket = tickets.get(tx, row.ticket_id) if row.ticket_id else None
        if ticket is None:
            return
        tickets.note(tx, ticket.id, history.CUSTOMER, now)
        values: dict[str, Any] = {"customer_since": ticket.customer_since or now}
        if ticket.snoozed_until is not None:
            values["snoozed_until"] = None
            tickets.note(tx, ticket.id, history.WOKEN, now)
        tickets.change(tx, ticket.id, **values)
        found = _ADDRESS.search(text) if self.mails_customers else None
        if found and found.group() != row.contact:
            address = found.group().rstrip(".").lower()
            ledger.change_conversation(tx, row.id, now, contact=address)
            if row.state == State.WAITING:
                ledger.say(tx, row.id, "system", wording.contact_noted(address), now=now)
        self.retime(tx, ticket.id, now)

    # A message after the conversation was resolved.

    def reopening(
        self, tx: Connection, conversation_id: str, intent: str, now: int
    ) -> tuple[str, Row[Any] | None]:
        """Who deals with a message after the close (``agent``, ``queue``, ``bot``), and the ticket
        that was closed."""
        ticket = tickets.latest_of(tx, conversation_id)
        if ticket is None or ticket.closed_at is None or ticket.state != "resolved":
            return "bot", None
        closed = Closed(
            ticket.closed_at,
            by_person=ticket.first_answered_at is not None,
            agent_at_desk=any(it.id == ticket.agent_id for it in agent_rows.present(tx, now)),
        )
        table = [(row.within_hours, row.to, row.otherwise) for row in self.service.reopening]
        return reopens(closed, now, table, courtesy=intent in COURTESIES), ticket

    def reopen(
        self,
        tx: Connection,
        ticket: Row[Any],
        *,
        to: str,
        cause: str,
        text: str,
        mood: dict[str, Any] | None,
    ) -> None:
        """A new ticket for a conversation that was resolved before, for who had it or the queue."""
        agent = first_name(ticket.agent_name) if to == "agent" else ""
        number = wording.ticket_number(ticket.id)
        self.open_ticket(
            tx,
            ticket.conversation_id,
            cause=cause,
            reason_type="reopened",
            reason=f"Wrote again after {number} was resolved: “{text[:160]}”",
            mood=mood,
            say=partial(wording.reopened, agent=agent),
            values={
                "queue": ticket.queue,
                "wanted_agent_id": ticket.agent_id if to == "agent" else None,
                "tags": ticket.tags,
            },
        )


def _why(
    reason_type: str, priority: int, decision: Decision | None, mood: dict[str, Any] | None
) -> str:
    """Where a priority comes from, for colleagues."""
    if decision is None:
        return f"{priority}: the usual for “{reason_type}”" + _felt(mood)
    rule = decision.rule
    if priority != rule.priority:
        return f"{priority}: {rule.priority} by the rule “{rule.name}”" + _felt(mood)
    return f"{priority}: by the rule “{rule.name}”"


def _felt(mood: dict[str, Any] | None) -> str:
    label = (mood or {}).get("label", "neutral")
    return f", with a customer who is {label}" if label not in ("neutral", "") else ""

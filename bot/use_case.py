"""What all use cases share: the store, the rules, who is told, and a ticket's next time."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from bot import wording
from bot.conversation import Event, NotPossible, State, after
from bot.escalation import Escalation
from bot.service import clocks, waiting
from bot.service.policy import Service
from bot.store import agents as agent_rows
from bot.store import ledger, tickets
from bot.store.database import Database
from bot.views import first_name


class NotFound(Exception):
    """There is no such conversation or ticket (or the token is not its token)."""


class Conflict(Exception):
    """Somebody else was first, or the state does not allow it; the text is for the agent."""


@dataclass(frozen=True)
class Ahead:
    """An open ticket with everything that lies ahead of it, the earliest first."""

    ticket: Row[Any]
    steps: list[waiting.Due]
    standings: list[clocks.Standing]


class UseCase:
    """The service over one store.

    Args:
        database: the store.
        wake: called with the keys that have news, after each commit.
        gateway: name of this gateway; leases are held in its name.
        lease_milliseconds: after this a crashed turn is taken up by anyone.
        escalation: the rules of when a person is needed.
        service: hours, queues, response times, and what is due when.
        announce: tells colleagues outside the desk, in the caller's transaction: (transaction,
            kind, ticket's row, now).
        mail: writes to a customer who left an address, in the caller's transaction: (transaction,
            conversation's row, text, now); None where no mail can be sent.
    """

    def __init__(
        self,
        database: Database,
        *,
        wake: Callable[..., None] = lambda *keys: None,
        gateway: str = "gateway",
        lease_milliseconds: int = 20_000,
        escalation: Escalation | None = None,
        service: Service | None = None,
        announce: Callable[[Connection, str, Row[Any], int], None] = lambda *_: None,
        mail: Callable[[Connection, Row[Any], str, int], None] | None = None,
    ):
        self.database = database
        self._wake = wake
        self.changes = 0  # of this gateway's, each told by `wake`
        self.gateway = gateway
        self.lease_milliseconds = lease_milliseconds
        self.escalation = escalation or Escalation()
        self.service = service or Service()
        self.announce = announce
        self.mail = mail

    def wake(self, *keys: str) -> None:
        """Tell whoever waits for news of the keys; called after each commit that makes any."""
        self.changes += 1
        self._wake(*keys)

    @property
    def mails_customers(self) -> bool:
        """Whether customers may be asked for an address."""
        return self.mail is not None

    def take_lease(self, tx: Connection, conversation_id: str, now: int) -> str | None:
        """A lease of its own name each time, so that a worker that overran can tell it lost."""
        lease = f"{self.gateway}/{uuid.uuid4().hex}"
        taken = ledger.take_lease(
            tx, conversation_id, lease, now=now, milliseconds=self.lease_milliseconds
        )
        return lease if taken else None

    # A ticket's times.

    def look_ahead(self, tx: Connection, ticket_id: int, now: int) -> Ahead:
        """What lies ahead of an open ticket."""
        ticket = tickets.shown(tx, ticket_id)
        queue = self.service.queue(ticket.queue)
        policy = self.service.sla(
            queue=queue.name, priority=ticket.priority, channel=ticket.channel
        )
        standings = (
            clocks.standings(
                policy, self.service.hours(queue.name), tickets.marks(tx, ticket_id), now
            )
            if policy
            else []
        )
        return Ahead(
            ticket, waiting.steps(_facts(ticket), self.service, queue, standings), standings
        )

    def retime(self, tx: Connection, ticket_id: int, now: int, *, done: bool = False) -> None:
        """Store when the ticket has to be looked at next, and its most urgent clock.

        With ``done`` everything due by now was just done, and the next time lies after now.
        """
        ahead = self.look_ahead(tx, ticket_id, now)
        first = clocks.first_due(ahead.standings)
        next_at = waiting.next_look(ahead.steps, now) if done else ahead.steps[0].at
        tickets.change(
            tx,
            ticket_id,
            sla=ahead.standings[0].rule if ahead.standings else None,
            sla_due_at=first.due_at if first else None,
            sla_clock=first.clock if first else None,
            next_at=next_at,
        )

    # Who is there, in words.

    def desk_now(
        self,
        tx: Connection,
        now: int,
        queue: str,
        *,
        ticket_id: int | None = None,
        channel: str = "web",
    ) -> str:
        """Who is there to read it, and what the wait is like: for the customer, on their channel."""
        hours = self.service.hours(queue)
        if not hours.is_open(now):
            opening = hours.next_opening(now)
            return wording.desk_closed(
                hours.in_words(opening, now) if opening else "",
                hours=hours.hours_in_words() if opening else "",
                asks_contact=self.mails_customers,
                by_text=by_text(channel),
            )
        online = agent_rows.online(tx, now)
        if not online:
            return wording.at_the_desk(anyone_online=False)
        place = tickets.place(tx, ticket_id, self.service, now, online) if ticket_id else ""
        return f"{wording.at_the_desk(anyone_online=True)} {place}".strip()

    # Taking and leaving.

    def hold(self, tx: Connection, ticket: Row[Any], agent_id: int, now: int, kind: str) -> bool:
        """Give a waiting ticket to an agent; false when somebody else was first."""
        row = ledger.lock_conversation(tx, ticket.conversation_id)
        if not tickets.claim(tx, ticket.id, agent_id, now):
            return False
        ledger.change_conversation(
            tx, ticket.conversation_id, now, state=step(row, Event.CLAIMED), agent_id=agent_id
        )
        name = first_name(agent_rows.name_of(tx, agent_id))
        ledger.say(tx, ticket.conversation_id, "system", wording.joined(name), now=now)
        tickets.note(tx, ticket.id, kind, now, agent_id=agent_id)
        self.retime(tx, ticket.id, now)
        return True

    def release(
        self,
        tx: Connection,
        ticket: Row[Any],
        now: int,
        *,
        kind: str,
        text: str,
        agent_id: int | None = None,
        values: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        """Put a ticket that an agent has back into a queue, and tell the customer ``text``."""
        row = ledger.lock_conversation(tx, ticket.conversation_id)
        tickets.change(
            tx,
            ticket.id,
            state="waiting",
            agent_id=None,
            waiting_since=now,
            reminders=0,
            nudged_at=None,
            snoozed_until=None,
            also_in=None,
            **(values or {}),
        )
        ledger.change_conversation(
            tx, ticket.conversation_id, now, state=step(row, Event.GIVEN_BACK), agent_id=None
        )
        tickets.note(tx, ticket.id, kind, now, agent_id=agent_id, **(data or {}))
        if text:
            ledger.say(tx, ticket.conversation_id, "system", text, now=now)
        self.retime(tx, ticket.id, now)


def by_text(channel: str) -> bool:
    """Whether a channel reaches the customer wherever they are, and shows nothing but words."""
    return channel == "sms"


def step(row: Row[Any] | None, event: Event) -> State:
    """The state after ``event``. Raises NotFound, Conflict."""
    if row is None:
        raise NotFound("There is no such conversation.")
    try:
        return after(State(row.state), event)
    except NotPossible as error:
        raise Conflict(str(error)) from error


def _facts(ticket: Row[Any]) -> waiting.Facts:
    return waiting.Facts(
        state=ticket.state,
        waiting_since=ticket.waiting_since or ticket.opened_at,
        claimed_at=ticket.claimed_at,
        customer_since=ticket.customer_since,
        answered_at=ticket.answered_at,
        snoozed_until=ticket.snoozed_until,
        promised_for=ticket.promised_for,
        promise_warned="promise" in (ticket.sla_warned or ()),
        reminders=ticket.reminders,
        widened=bool(ticket.also_in),
        nudged=ticket.nudged_at is not None,
        warned=frozenset(ticket.sla_warned or ()),
        breached=frozenset(ticket.sla_breached or ()),
    )

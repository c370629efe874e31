"""What the service does by itself about open tickets, so that none is forgotten."""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy import Connection, Row

from bot import wording
from bot.conversation import Event
from bot.desk_work import DeskWork
from bot.escalation import Escalation
from bot.service import history
from bot.service.policy import Service, Sla
from bot.service.routing import Colleague, assignments
from bot.service.waiting import Due, Step
from bot.store import agents as agent_rows
from bot.store import ledger, tickets
from bot.use_case import by_text, step
from bot.views import first_name
from bot.wakeups import DESK
from bot.wording import ticket_number

log = structlog.get_logger("watch")

MOST_URGENT_BY_ITSELF = 2  # priority 1 is a rule's to give


class Watching(DeskWork):
    """The ticker's part. Each ticket is one transaction, claimed by its row: two tickers do no
    harm."""

    def watch(self) -> int:
        """Do what is due for open tickets, then give out those that can be; returns how many were
        looked at."""
        with self.database.reading() as tx:
            due = tickets.to_look_at(tx, self.database.now(tx))
        for row in due:
            try:
                with self.database.transaction() as tx:
                    ledger.lock_conversation(tx, row.conversation_id)
                    done = self._look_at(tx, row.id, self.database.now(tx))
            except Exception:
                # One ticket that cannot be dealt with must not keep the others from it.
                log.exception("ticket.not_watched", ticket_id=row.id)
                continue
            if done:
                self.wake(row.conversation_id, DESK)
        self._assign()
        return len(due)

    def adopt(self, service: Service, escalation: Escalation) -> None:
        """Go by new rules from here on, for open tickets too."""
        self.service, self.escalation = service, escalation
        with self.database.transaction() as tx:
            tickets.look_again(tx, self.database.now(tx))
        self.wake(DESK)

    def _look_at(self, tx: Connection, ticket_id: int, now: int) -> list[Due]:
        """Do the steps of one ticket whose time has come."""
        ticket = tickets.get(tx, ticket_id)
        if ticket is None or ticket.state not in tickets.OPEN or ticket.next_at > now:
            return []
        state, done = ticket.state, []
        for due in self.look_ahead(tx, ticket_id, now).steps:
            ticket = tickets.shown(tx, ticket_id)
            if due.at > now or ticket.state != state:
                break
            self._do(tx, due, ticket, now)
            done.append(due)
        if tickets.shown(tx, ticket_id).state in tickets.OPEN:
            self.retime(tx, ticket_id, now, done=True)
        return done

    def _do(self, tx: Connection, due: Due, ticket: Row[Any], now: int) -> None:
        if due.step is Step.REMIND:
            self._remind(tx, ticket, now)
        elif due.step is Step.WIDEN:
            self._widen(tx, ticket, now)
        elif due.step is Step.PROMISE:
            self._promise(tx, ticket, now)
        elif due.step is Step.PROMISE_SOON:
            tickets.change(tx, ticket.id, sla_warned=[*(ticket.sla_warned or []), "promise"])
            self.announce(tx, "ticket.promise_due", ticket, now)
        elif due.step is Step.PROMISE_MISSED:
            self._miss(tx, ticket, now)
        elif due.step is Step.NUDGE:
            tickets.change(tx, ticket.id, nudged_at=now)
            tickets.note(tx, ticket.id, history.NUDGED, now)
            self.announce(tx, "ticket.reminder", ticket, now)
        elif due.step is Step.GIVE_BACK:
            self._give_back(tx, ticket, now)
        elif due.step is Step.EXPIRE:
            self._expire(tx, ticket, now)
        elif due.step is Step.WAKE:
            tickets.change(tx, ticket.id, snoozed_until=None)
            tickets.note(tx, ticket.id, history.WOKEN, now)
        else:
            self._clock(tx, due, ticket, now)

    # Somebody waits.

    def _remind(self, tx: Connection, ticket: Row[Any], now: int) -> None:
        number = ticket_number(ticket.id)
        place = tickets.place(tx, ticket.id, self.service, now, agent_rows.online(tx, now))
        text = wording.still_waiting(number, place, by_text=by_text(ticket.channel))
        ledger.say(tx, ticket.conversation_id, "system", text, now=now)
        tickets.change(tx, ticket.id, reminders=ticket.reminders + 1)
        tickets.note(tx, ticket.id, history.REMINDED, now)
        self.announce(tx, "ticket.reminder", ticket, now)

    def _widen(self, tx: Connection, ticket: Row[Any], now: int) -> None:
        more = list(self.service.queue(ticket.queue).widen_to)
        if not more or ticket.also_in:
            return
        tickets.change(tx, ticket.id, also_in=more)
        tickets.note(tx, ticket.id, history.WIDENED, now, queues=more)
        self.announce(tx, "ticket.reminder", ticket, now)

    def _promise(self, tx: Connection, ticket: Row[Any], now: int) -> None:
        by, words = self._new_promise(ticket, now)
        text = wording.promised(
            ticket_number(ticket.id),
            words,
            asks_contact=self.mails_customers and not ticket.contact,
            by_text=by_text(ticket.channel),
        )
        ledger.say(tx, ticket.conversation_id, "system", text, now=now)
        tickets.change(tx, ticket.id, promised_for=by)
        tickets.note(tx, ticket.id, history.PROMISED, now, by=by)

    def _miss(self, tx: Connection, ticket: Row[Any], now: int) -> None:
        by, words = self._new_promise(ticket, now)
        text = wording.promise_missed(ticket_number(ticket.id), words)
        ledger.say(tx, ticket.conversation_id, "system", text, now=now)
        tickets.note(tx, ticket.id, history.PROMISE_MISSED, now)
        warned = [it for it in ticket.sla_warned or [] if it != "promise"]
        tickets.change(tx, ticket.id, promised_for=by, sla_warned=warned or None)
        self._raise(tx, ticket, now, "a promised time has passed")
        self.announce(tx, "ticket.breached", ticket, now)

    def _new_promise(self, ticket: Row[Any], now: int) -> tuple[int, str]:
        hours = self.service.hours(ticket.queue)
        by = hours.after(now, self.service.waiting.promise_within)
        return by, hours.in_words(by, now)

    def _give_back(self, tx: Connection, ticket: Row[Any], now: int) -> None:
        number, name = ticket_number(ticket.id), first_name(ticket.agent_name)
        self.release(
            tx,
            ticket,
            now,
            kind=history.GIVEN_BACK,
            text=wording.given_back(
                name, number, self.desk_now(tx, now, ticket.queue, channel=ticket.channel)
            ),
            data={"from": ticket.agent_id},
        )
        log.warning("ticket.given_back", ticket_id=ticket.id, agent_id=ticket.agent_id)
        self.announce(tx, "ticket.given_back", tickets.shown(tx, ticket.id), now)

    def _expire(self, tx: Connection, ticket: Row[Any], now: int) -> None:
        row = ledger.lock_conversation(tx, ticket.conversation_id)
        text = wording.expired(self.service.silence.customer_hours)
        ledger.say(tx, ticket.conversation_id, "system", text, now=now)
        ledger.change_conversation(
            tx,
            ticket.conversation_id,
            now,
            state=step(row, Event.CLOSED),
            agent_id=None,
            ticket_id=None,
        )
        tickets.change(tx, ticket.id, state="resolved", closed_at=now, sla_due_at=None)
        tickets.note(tx, ticket.id, history.EXPIRED, now)

    # The clocks of the SLA.

    def _clock(self, tx: Connection, due: Due, ticket: Row[Any], now: int) -> None:
        policy = self.service.sla(
            queue=ticket.queue, priority=ticket.priority, channel=ticket.channel
        )
        if policy is None:
            return
        breach = due.step is Step.BREACH
        column = "sla_breached" if breach else "sla_warned"
        tickets.change(
            tx, ticket.id, **{column: sorted({*(getattr(ticket, column) or []), due.clock})}
        )
        kind = history.BREACHED if breach else history.WARNED
        tickets.note(tx, ticket.id, kind, now, clock=due.clock, rule=policy.name, due_at=due.at)
        self._act(tx, policy, due, ticket, now)

    def _act(self, tx: Connection, policy: Sla, due: Due, ticket: Row[Any], now: int) -> None:
        breach = due.step is Step.BREACH
        for action in policy.on_breach if breach else policy.on_warning:
            ticket = tickets.shown(tx, ticket.id)
            if action == "notify":
                self.announce(tx, "ticket.breached" if breach else "ticket.warned", ticket, now)
            elif action == "raise":
                what = due.clock.replace("_", " ")
                self._raise(tx, ticket, now, f"{what} {'is late' if breach else 'is nearly late'}")
            elif action == "reassign" and ticket.state == "waiting":
                self._widen(tx, ticket, now)
            elif action == "reassign" and ticket.customer_since is not None:
                self._give_back(tx, ticket, now)

    def _raise(self, tx: Connection, ticket: Row[Any], now: int, why: str) -> None:
        priority = max(min(ticket.priority, MOST_URGENT_BY_ITSELF), ticket.priority - 1)
        if priority == ticket.priority:
            return
        reasons = [*(ticket.priority_why or []), f"{priority}: {why}"]
        tickets.change(tx, ticket.id, priority=priority, priority_why=reasons)
        tickets.note(tx, ticket.id, history.RAISED, now, priority=priority, why=why)

    # Giving out.

    def _assign(self) -> None:
        """Give waiting tickets to agents with room: all where ``assignment`` is automatic, else
        those whose customer a certain agent has helped before."""
        with self.database.reading() as tx:
            queue = [
                it for it in tickets.waiting(tx) if self.service.assignment.automatic or it.wanted
            ]
            if not queue:
                return
            agents = self._colleagues(tx, self.database.now(tx))
        if not self.service.assignment.automatic:
            wanted = {it.wanted for it in queue}
            agents = [agent for agent in agents if agent.id in wanted]
        for ticket_id, agent_id in assignments(queue, agents, self.service):
            if not self.service.assignment.automatic and not any(
                it.id == ticket_id and it.wanted == agent_id for it in queue
            ):
                continue
            with self.database.transaction() as tx:
                ticket = tickets.get(tx, ticket_id)
                held = ticket is not None and self.hold(
                    tx, ticket, agent_id, self.database.now(tx), history.ASSIGNED
                )
            if held and ticket is not None:
                self.wake(ticket.conversation_id, DESK)

    def _colleagues(self, tx: Connection, now: int) -> list[Colleague]:
        loads = tickets.loads(tx)
        return [
            Colleague(
                id=row.id,
                queues=frozenset(row.queues) if row.queues is not None else None,
                skills=frozenset(row.skills or ()),
                languages=frozenset(row.languages or ()),
                capacity=row.capacity or self.service.assignment.capacity,
                load=loads.get(row.id, (0, 0))[0],
                free_since=loads.get(row.id, (0, 0))[1],
            )
            for row in agent_rows.present(tx, now)
        ]

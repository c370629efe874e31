"""The day itself: events in the order of their time, each done by the real use cases."""

from __future__ import annotations

import heapq
import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, event, select, update

from bot.brain import Heard
from bot.escalation import Escalation
from bot.service.policy import Service
from bot.service.routing import Colleague, may_take, order
from bot.simulate.people import HOUR, MINUTE, Agent, Customer, arrivals, customer, minutes, shifts
from bot.store import ledger, schema, tickets
from bot.store.agents import Agents
from bot.store.database import Database
from bot.support import Conflict, Support
from bot.turns import LeaseLost, Turns, Work
from channels.contract import Inbound

TICK = 20_000
NIGHT_TICK = 300_000  # nobody is there; what is due then can wait as long
CRASH = 2 * MINUTE  # how long the gateway is gone
DEPARTS = 3 * HOUR  # a customer who was not answered looks again later


class TurnedDatabase(Database):
    """A store whose clock is turned by the simulation. Nothing is synced to disk: a power cut is not
    part of the day."""

    def __init__(self, url: str, now: int):
        super().__init__(url)
        self.time = now
        event.listen(self.engine, "connect", _unsynced)

    def now(self, connection: Connection) -> int:
        return self.time


def _unsynced(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


@dataclass(frozen=True)
class Plan:
    """What is simulated. ``midnight`` is the day's beginning, in milliseconds."""

    conversations: int = 2000
    agents: int = 12
    seed: int = 1
    midnight: int = 1_772_409_600_000  # Monday, 2 March 2026, UTC
    crash_hour: float | None = 12.0


class Day:
    """One simulated day, and the morning after it."""

    def __init__(self, folder: Path, plan: Plan, service: Service, escalation: Escalation):
        self.plan = plan
        self.random = Random(plan.seed)
        self.database = TurnedDatabase(f"sqlite:///{folder / 'day.db'}", plan.midnight)
        self.database.migrate()
        self.service = service
        self.told: list[str] = []
        self.support = Support(
            self.database,
            service=service,
            escalation=escalation,
            announce=lambda tx, kind, ticket, now: self.told.append(kind),
            mail=lambda *_: None,
        )
        self.turns = Turns(self.support, None, None)  # type: ignore[arg-type]
        self.customers: dict[str, Customer] = {}
        self.agents = list(shifts(self.random, self._hire()))
        # Whoever works here has learnt everything; whom a queue is kept from is another question.
        self._skills = frozenset(
            skill for queue in service.queues.values() for skill in queue.skills
        )
        self.down_until = 0
        self.dropped = 0
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def _hire(self) -> list[int]:
        people = Agents(self.database)
        return [
            people.add(f"agent{number}@sim.example", f"Agent{number}", "a simulated password").id
            for number in range(self.plan.agents)
        ]

    # The loop.

    def run(self, progress: Callable[[float], None] = lambda share: None) -> None:
        """From midnight to 11:00 of the next day, so that the night's tickets are answered too."""
        start, end = self.plan.midnight, self.plan.midnight + 35 * HOUR
        for at in arrivals(self.random, self.plan.conversations, start):
            self.at(at, self._comes)
        for at in range(start, end, TICK):
            by_day = 8 * HOUR <= (at - start) % (24 * HOUR) < 20 * HOUR
            if by_day or at % NIGHT_TICK == 0:
                self.at(at, self._tick)
        if self.plan.crash_hour is not None:
            self.at(start + int(self.plan.crash_hour * HOUR), self._crash)
        while self._events:
            at, _, act = heapq.heappop(self._events)
            if at > end:
                break
            if at < self.down_until:  # nobody answers the door: everybody tries again
                self.at(self.down_until + self.random.randrange(20_000), act)
                continue
            self.database.time = max(self.database.time, at)
            act()
            progress((at - start) / (end - start))

    def at(self, moment: int, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._order), act))

    def later(self, milliseconds: int, act: Callable[[], None]) -> None:
        self.at(self.database.time + milliseconds, act)

    def _tick(self) -> None:
        self._stay_at_desk()
        self.support.watch()
        for conversation, lease in self.turns._take_forgotten():
            self._think(conversation, lease)
        for agent in self.agents:
            if self._there(agent):
                self._work(agent)

    def _crash(self) -> None:
        """The gateway is killed: what it was thinking is lost, and it is gone for two minutes."""
        self.down_until = self.database.time + CRASH

    # Customers.

    def _comes(self) -> None:
        conversation = self.support.open_conversation("web").conversation_id
        self.customers[conversation] = customer(self.random, conversation)
        self._asks(self.customers[conversation])

    def _asks(self, who: Customer) -> None:
        """The next question to the bot, or the wish for a person, or away."""
        if who.asked < len(who.questions):
            text = who.questions[who.asked]
            who.asked += 1
            self._write(who, text)
        elif who.wants_person and who.asked == len(who.questions):
            who.asked += 1
            self._write(who, "I would like to talk to a person.", person=True)
            self.later(DEPARTS, lambda: self._looks_again(who))

    def _looks_again(self, who: Customer) -> None:
        if not who.done and self._row(who).state == "waiting":
            self._write(who, "is anybody there?")

    def _write(self, who: Customer, text: str, *, person: bool = False) -> None:
        vendor_id = f"{who.conversation}/{uuid.UUID(int=self.random.getrandbits(128))}"
        inbound = Inbound("web", who.conversation, vendor_id, text, asks_for_person=person)
        received = self.support.receive(inbound)
        if received.lease:
            self._think(who.conversation, received.lease)

    def _think(self, conversation: str, lease: str) -> None:
        """The engine is asked, and answers some time later."""
        try:
            work = self._next(conversation, lease)
        except LeaseLost:
            return
        if work is None:
            self._reads(conversation)
            return
        begun = self.database.time
        slow = self.random.random() < 0.01
        self.later(
            self.random.randrange(5_000, 9_000) if slow else self.random.randrange(30, 300),
            lambda: self._answered(work, lease, begun),
        )

    def _next(self, conversation: str, lease: str) -> Work | None:
        while True:
            work, more = self.turns._begin(conversation, lease)
            if work is not None or not more:
                return work

    def _answered(self, work: Work, lease: str, begun: int) -> None:
        if begun < self.down_until <= self.database.time:
            return  # it was being thought when the gateway was killed
        who = self.customers[work.turn.conversation_id]
        levels = {"neutral": 0, "worried": 1, "upset": 2, "angry": 3}
        heard = Heard(
            replies=({"text": "As the article says: five days.", "custom": {"sources": []}},),
            intent="thank" if work.message.text.startswith("thank") else "ask_question",
            confidence=0.9,
            mood={"label": who.mood, "level": levels[who.mood], "why": ""},
        )
        try:
            outcome, more = self.turns._end(work, heard)
        except LeaseLost:
            return
        self.dropped += outcome == "dropped"
        if more:
            self._think(who.conversation, lease)
        else:
            self._reads(who.conversation)

    def _reads(self, conversation: str) -> None:
        """The customer has read what the bot said, and goes on."""
        who = self.customers[conversation]
        if self._row(who).state == "bot":
            self.later(minutes(self.random, 0.7), lambda: self._goes_on(who))

    def _goes_on(self, who: Customer) -> None:
        if self._row(who).state == "bot":
            self._asks(who)

    def _reads_agent(self, who: Customer, closes: bool) -> None:
        state = self._row(who).state
        if state == "resolved" and closes:
            who.done = True
            if who.rates is not None:
                self._write(who, str(who.rates))
            if who.returns:
                who.returns = False
                self.later(minutes(self.random, 120), lambda: self._write(who, "it is still wrong"))
        elif state == "human":
            self._write(who, self.random.choice(("yes", "order NP-123456", "and the other one?")))

    def _row(self, who: Customer) -> Any:
        with self.database.reading() as tx:
            return ledger.conversation(tx, who.conversation)

    # Agents.

    def _there(self, agent: Agent) -> bool:
        day, minute = divmod((self.database.time - self.plan.midnight) // MINUTE, 1440)
        return day in (0, 1) and agent.there(int(minute))

    def _stay_at_desk(self) -> None:
        """Whoever is there has the desk's page open."""
        now = self.database.time
        sessions = schema.desk_sessions
        with self.database.transaction() as tx:
            for agent in self.agents:
                values = {"seen_at": now if self._there(agent) else 0, "expires_at": now + HOUR}
                mine = sessions.c.agent_id == agent.id
                if not tx.execute(update(sessions).where(mine).values(**values)).rowcount:
                    token = f"{agent.id:064d}"
                    tx.execute(
                        sessions.insert().values(
                            token_hash=token, agent_id=agent.id, created_at=now, **values
                        )
                    )

    def _work(self, agent: Agent) -> None:
        """Answer whoever waits for this agent's words; claim another while there is room."""
        with self.database.reading() as tx:
            mine = tx.execute(
                select(schema.tickets).where(
                    schema.tickets.c.agent_id == agent.id, schema.tickets.c.state == "human"
                )
            ).all()
            queue = order(tickets.waiting(tx)) if len(mine) < 4 else []
        for ticket in mine:
            owed = ticket.customer_since is not None
            if owed and ticket.id not in agent.busy | agent.forgotten:
                self._begin_answer(agent, ticket)
        me = Colleague(agent.id, skills=self._skills)
        room = 4 - len(mine)
        for waiting in [it for it in queue if may_take(me, it, self.service)][: min(room, 1)]:
            try:
                self.support.claim(waiting.id, agent.id)
            except Conflict:
                continue  # a colleague was first
            agent.forgotten.discard(waiting.id)
            if self.random.random() < agent.forgets:
                agent.forgotten.add(waiting.id)

    def _begin_answer(self, agent: Agent, ticket: Any) -> None:
        agent.busy.add(ticket.id)
        self.later(
            minutes(self.random, agent.pace),
            lambda: self._answer(agent, ticket.id, ticket.conversation_id),
        )

    def _answer(self, agent: Agent, ticket_id: int, conversation: str) -> None:
        if not self._there(agent):  # at lunch, or gone: it is said when back
            self.later(5 * MINUTE, lambda: self._answer(agent, ticket_id, conversation))
            return
        agent.busy.discard(ticket_id)
        who = self.customers[conversation]
        who.agent_words += 1
        key = f"{ticket_id}-{who.agent_words}-{self.database.time}"
        try:
            self.support.reply_as_person(conversation, agent.id, "Let me see to that.", key)
            closes = self.random.random() < 0.45
            if closes:
                self._close(agent, ticket_id, conversation)
        except Conflict:
            return  # it was given back meanwhile
        self.later(minutes(self.random, 1.2), lambda: self._reads_agent(who, closes))

    def _close(self, agent: Agent, ticket_id: int, conversation: str) -> None:
        chance = self.random.random()
        if chance < 0.08:
            self.support.hand_back(conversation, agent.id, "", "your return is registered")
        elif chance < 0.13:
            to = self.random.choice([it.id for it in self.agents if it is not agent])
            self.support.pass_on(ticket_id, agent.id, to_agent=to)
        else:
            self.support.resolve(conversation, agent.id)

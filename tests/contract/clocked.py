"""A store whose clock the test turns, and a conversation's work done step by step."""

from __future__ import annotations

import uuid
from pathlib import Path

from sqlalchemy import Connection, func, select, update

from bot.brain import Heard
from bot.store import schema
from bot.store.agents import Agents
from bot.store.database import Database
from bot.support import Support
from bot.turns import Turns, Work
from channels.contract import Inbound

MONDAY = 1_772_442_000_000
"""2 March 2026, 9:00 UTC."""


class ClockedDatabase(Database):
    """Its clock stands still until it is turned."""

    def __init__(self, url: str, now: int = MONDAY):
        super().__init__(url)
        self.time = now

    def now(self, connection: Connection) -> int:
        return self.time


class Stage:
    """The real store and use cases; the engine's part is what the test says was heard."""

    def __init__(self, path: Path, now: int = MONDAY, **options):
        self.database = ClockedDatabase(f"sqlite:///{path}", now)
        self.support = Support(self.database, **options)
        self.turns = Turns(self.support, None, None)
        self.agents = Agents(self.database)

    def agent(self, name: str, **values) -> int:
        agent = self.agents.add(f"{name.lower()}@x.example", name, "long enough pw")
        if values:
            with self.database.transaction() as tx:
                mine = schema.agents.c.id == agent.id
                tx.execute(update(schema.agents).where(mine).values(**values))
        self.at_desk(agent.id)
        return agent.id

    def at_desk(self, agent_id: int) -> None:
        self.agents.open_session(agent_id)

    def open(self) -> str:
        return self.support.open_conversation("web").conversation_id

    def write(self, conversation: str, text: str, *, person: bool = False) -> str | None:
        """A customer's message; the lease, if this caller has to work."""
        vendor_id = f"{conversation}/{uuid.uuid4()}"
        inbound = Inbound("web", conversation, vendor_id, text, asks_for_person=person)
        return self.support.receive(inbound).lease

    def begin(self, conversation: str, lease: str) -> Work | None:
        """Deal with messages until one is for the engine (its work is given back) or none is left."""
        while True:
            work, more = self.turns._begin(conversation, lease)
            if work is not None or not more:
                return work

    def end(self, work: Work, answer: str = "Five days.", intent: str = "ask_question", **more):
        """The engine's answer to a message; returns the turn's outcome."""
        heard = Heard(replies=({"text": answer},), intent=intent, confidence=0.9, **more)
        outcome, self.more = self.turns._end(work, heard)
        return outcome

    def say(self, conversation: str, text: str, *, person: bool = False, **heard) -> None:
        """Write and have it dealt with, the engine's answer included."""
        lease = self.write(conversation, text, person=person)
        self.more = bool(lease)
        while self.more and (work := self.begin(conversation, lease)) is not None:
            self.end(work, **heard)

    def resume(self) -> list[tuple[str, str]]:
        return self.turns._take_forgotten()

    def pass_minutes(self, minutes: float, *agents: int) -> None:
        """Turn the clock on, agents at the desk all the while, and do what is due."""
        self.database.time += int(minutes * 60_000)
        for agent in agents:
            self.at_desk(agent)
        self.support.watch()

    # What is in the store.

    def rows(self, table, **values):
        with self.database.reading() as tx:
            where = [table.c[name] == value for name, value in values.items()]
            order = list(table.primary_key.columns)
            return tx.execute(select(table).where(*where).order_by(*order)).all()

    def count(self, table, **values) -> int:
        with self.database.reading() as tx:
            where = [table.c[name] == value for name, value in values.items()]
            return tx.execute(select(func.count()).select_from(table).where(*where)).scalar_one()

    def conversation(self, conversation: str):
        return self.rows(schema.conversations, id=conversation)[0]

    def ticket(self, conversation: str):
        """The latest ticket."""
        return self.rows(schema.tickets, conversation_id=conversation)[-1]

    def said(self, conversation: str) -> list[tuple[str, str]]:
        return [
            (m.author, m.text) for m in self.rows(schema.messages, conversation_id=conversation)
        ]

    def last(self, conversation: str) -> str:
        return self.said(conversation)[-1][1]

    def kinds(self, conversation: str) -> list[str]:
        ticket = self.ticket(conversation)
        return [it.kind for it in self.rows(schema.ticket_events, ticket_id=ticket.id)]

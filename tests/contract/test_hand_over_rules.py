"""The invariants of handing over, under random sequences of what customers, agents, clocks and
crashes do. The store and the use cases are the real ones."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from bot.service.policy import DAY
from bot.store import schema
from bot.support import Conflict
from bot.turns import LeaseLost
from tests.contract.clocked import Stage
from tests.contract.test_handing_over import SERVICE

OPEN = ("waiting", "human")
TEXTS = ("where is my parcel", "thank you", "4", "2, too slow", "it is broken", "sam@x.example")
INTENTS = ("ask_question", "thank", "complaint")


class HandingOver(RuleBasedStateMachine):
    conversations = Bundle("conversations")
    works = Bundle("works")

    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp(prefix="rapport-rules-"))
        shutil.copy(self.template, self.folder / "rapport.db")
        self.stage = Stage(self.folder / "rapport.db", service=SERVICE, mail=lambda *_: None)
        self.people = [self.stage.agent(name) for name in ("Sam", "Kim")]
        self.owed: list[tuple[str, int]] = []  # a person was asked for after this message
        self.written = 0

    def teardown(self):
        if hasattr(self, "stage"):
            try:
                self.settle()
            finally:
                self.stage.database.close()
                shutil.rmtree(self.folder, ignore_errors=True)

    # Customers and the engine.

    @rule(target=conversations)
    def comes(self):
        return self.stage.open()

    @rule(target=works, conversation=conversations, text=st.sampled_from(TEXTS))
    def writes(self, conversation, text):
        """A message; the engine begins to think, and may never end."""
        lease = self.stage.write(conversation, text)
        self.written += 1
        work = self.stage.begin(conversation, lease) if lease else None
        return work if work is not None else multiple()

    @rule(conversation=conversations)
    def asks_for_a_person(self, conversation):
        lease = self.stage.write(conversation, "a person, please", person=True)
        self.written += 1
        last = self.stage.conversation(conversation).last_seq
        self.owed.append((conversation, last))
        if lease:
            self.think_all(conversation, lease)

    @rule(work=works, intent=st.sampled_from(INTENTS))
    def is_answered(self, work, intent):
        """The engine's answer comes, however late, or its lease is gone by then."""
        conversation = work.turn.conversation_id
        before = self.stage.conversation(conversation)
        said = len(self.stage.said(conversation))
        try:
            outcome = self.stage.end(work, "An answer.", intent)
        except LeaseLost:
            return
        if before.state == "human":
            assert outcome in ("dropped", "person")
            assert len(self.stage.said(conversation)) == said, "the bot spoke over a person"

    @rule()
    def crash(self):
        """Whatever is being thought is lost; another gateway takes the leases when they run out."""
        self.stage.database.time += self.stage.support.lease_milliseconds + 1
        for conversation, lease in self.stage.resume():
            self.think_all(conversation, lease)

    # Agents.

    @rule(data=st.data(), who=st.integers(0, 1))
    def claims(self, data, who):
        self.try_on(data, lambda t: self.stage.support.claim(t.id, self.people[who]))

    @rule(data=st.data(), who=st.integers(0, 1))
    def replies(self, data, who):
        key = f"c{self.stage.count(schema.messages)}"
        self.try_on(
            data,
            lambda t: self.stage.support.reply_as_person(
                t.conversation_id, self.people[who], "I will see.", key
            ),
        )

    @rule(data=st.data(), who=st.integers(0, 1))
    def resolves(self, data, who):
        self.try_on(data, lambda t: self.stage.support.resolve(t.conversation_id, self.people[who]))

    @rule(data=st.data(), who=st.integers(0, 1))
    def hands_back(self, data, who):
        self.try_on(
            data,
            lambda t: self.stage.support.hand_back(
                t.conversation_id, self.people[who], "", "all is well"
            ),
        )

    @rule(data=st.data(), who=st.integers(0, 1), queue=st.booleans())
    def passes_on(self, data, who, queue):
        to = {"queue": "second"} if queue else {"to_agent": self.people[1 - who]}
        self.try_on(data, lambda t: self.stage.support.pass_on(t.id, self.people[who], **to))

    @rule(data=st.data(), who=st.integers(0, 1), hours=st.integers(1, 48))
    def puts_off(self, data, who, hours):
        until = self.stage.database.time + hours * 3_600_000
        self.try_on(data, lambda t: self.stage.support.snooze(t.id, self.people[who], until))

    @rule(data=st.data(), who=st.integers(0, 1))
    def joins(self, data, who):
        open_ones = self.open_tickets()
        if len(open_ones) > 1:
            into = data.draw(st.sampled_from([it.id for it in open_ones]))
            self.try_on(
                data,
                lambda t: t.id != into and self.stage.support.merge(t.id, into, self.people[who]),
            )

    # Time.

    @rule(minutes=st.sampled_from((1, 4, 11, 40, 200, 1500, 6000)), there=st.booleans())
    def time_passes(self, minutes, there):
        self.stage.pass_minutes(minutes, *(self.people if there else ()))

    @rule(minutes=st.sampled_from((1, 30)))
    def the_clock_is_set_back(self, minutes):
        self.stage.database.time -= minutes * 60_000
        self.stage.support.watch()

    # What always holds.

    @invariant()
    def exactly_one_owner(self):
        if not hasattr(self, "stage"):
            return
        tickets = self.stage.rows(schema.tickets)
        for row in self.stage.rows(schema.conversations):
            open_ones = [it for it in tickets if it.conversation_id == row.id and it.state in OPEN]
            if row.state in OPEN:
                assert [it.id for it in open_ones] == [row.ticket_id]
                assert open_ones[0].state == row.state
                assert open_ones[0].agent_id == row.agent_id
            else:
                assert not open_ones and row.agent_id is None and row.ticket_id is None

    @invariant()
    def no_open_ticket_without_a_next_time(self):
        if not hasattr(self, "stage"):
            return
        for ticket in self.open_tickets():
            assert ticket.next_at is not None
            assert ticket.next_at <= self.stage.database.time + 31 * DAY

    @invariant()
    def asking_for_a_person_yields_a_number_or_a_name(self):
        if not hasattr(self, "stage"):
            return
        for conversation, number in self.owed:
            rows = self.stage.rows(schema.messages, conversation_id=conversation)
            asked = next(it for it in rows if it.seq == number)
            if asked.handled_at is None:
                continue  # it waits behind an earlier message
            after = [it.text for it in rows if it.seq > number and it.author != "customer"]
            assert any("R-1" in text or "talking with" in text for text in after), after

    # The end: everybody was dealt with.

    def settle(self):
        for _ in range(20):
            self.crash()
            if not self.stage.count(schema.messages, author="customer", handled_at=None):
                break
        assert self.stage.count(schema.messages, author="customer", handled_at=None) == 0
        for _ in range(40):
            self.stage.pass_minutes(250)
        for ticket in self.open_tickets():
            # Nobody came for a week: there is a promise, or it was answered and waits for the customer.
            assert ticket.state == "waiting"
            assert ticket.promised_for is not None, "waits with no promise"

    # Helpers.

    def think_all(self, conversation, lease):
        self.stage.more = True
        while self.stage.more and (work := self.stage.begin(conversation, lease)) is not None:
            self.stage.end(work, "An answer.", "ask_question")

    def open_tickets(self):
        return [it for it in self.stage.rows(schema.tickets) if it.state in OPEN]

    def try_on(self, data, act):
        tickets = self.stage.rows(schema.tickets)
        if not tickets:
            return
        try:
            act(data.draw(st.sampled_from(tickets)))
        except Conflict as refused:
            assert str(refused).endswith(".")


@pytest.fixture(scope="module", autouse=True)
def template(migrated_sqlite):
    HandingOver.template = migrated_sqlite


TestHandingOver = pytest.mark.usefixtures("template")(HandingOver.TestCase)
TestHandingOver.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

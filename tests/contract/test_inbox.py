"""The inbox on both stores: stored first, answered once, in order, one at a time, never silence."""

from __future__ import annotations

import asyncio
import os
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.brain import Brain
from bot.deliveries import Courier
from bot.followups import Ticker
from bot.privacy.redaction import MASK
from bot.service_file import load
from bot.store import schema
from bot.store.agents import Agents
from bot.store.database import Database
from bot.support import Conflict, NotFound, Support
from bot.turns import LeaseLost, Turns
from bot.wakeups import Wakeups
from channels.contract import Inbound
from channels.web.api import WebChannel
from tests.contract.stand_in_engine import SECRET, StandInEngine

CARD = "4242 4242 4242 4242"


class Desk:
    """A gateway's heart without its HTTP edges, and one conversation in it."""

    def __init__(self, database: Database, engine: StandInEngine, name: str = "gateway"):
        self.database = database
        self.engine = engine
        service = load(Path(os.environ["SERVICE_FILE"]))
        self.support = Support(database, gateway=name, lease_milliseconds=2_500, service=service)
        self.agents = Agents(database)
        self.id = self.support.open_conversation("web").conversation_id

    def inbound(self, text: str, client_id: str = "", *, person: bool = False) -> Inbound:
        client_id = client_id or str(uuid.uuid4())
        return Inbound("web", self.id, f"{self.id}/{client_id}", text, asks_for_person=person)

    def run(self, *texts: str | Inbound, seconds: float = 12, ask_seconds: float = 1.0) -> None:
        """Receive the texts and work until every message is dealt with."""
        asyncio.run(self._run(texts, seconds, ask_seconds))

    async def _run(self, texts, seconds: float, ask_seconds: float) -> None:
        brain = Brain(self.engine.url, SECRET, ask_seconds)
        courier = Courier(self.database, {"web": WebChannel(Wakeups())})
        turns = Turns(self.support, brain, courier)
        ticker = asyncio.create_task(Ticker(self.support, turns, courier, seconds=0.05).run())
        try:
            for text in texts:
                inbound = text if isinstance(text, Inbound) else self.inbound(text)
                received = await asyncio.to_thread(self.support.receive, inbound)
                if received.lease:
                    turns.start(inbound.conversation_id, received.lease)
            async with asyncio.timeout(seconds):
                while self.unhandled() or self.count(schema.deliveries, state="queued"):
                    await asyncio.sleep(0.02)
        finally:
            ticker.cancel()
            await turns.finish(2)
            await brain.close()

    def unhandled(self) -> int:
        return self.count(schema.messages, author="customer", handled_at=None)

    def count(self, table, **values) -> int:
        with self.database.reading() as tx:
            where = [table.c[name] == value for name, value in values.items()]
            return tx.execute(select(func.count()).select_from(table).where(*where)).scalar_one()

    def transcript(self) -> list[tuple[str, str]]:
        view = self.support.messages(self.id)
        assert [m["id"] for m in view["messages"]] == list(range(1, len(view["messages"]) + 1))
        return [(m["author"], m["text"]) for m in view["messages"]]

    def owner(self) -> str:
        return str(self.support.messages(self.id)["owner"])

    def agent(self) -> int:
        return self.agents.add(f"{uuid.uuid4().hex}@x.example", "Sam Fell", "long enough pw").id


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    with StandInEngine() as engine:
        yield Desk(database, engine)


def test_messages_are_answered_in_order_one_engine_call_at_a_time(desk):
    desk.engine.pause = 0.03
    texts = [f"question {number}" for number in range(8)]
    desk.run(*texts)
    answers = [text for author, text in desk.transcript() if author == "bot"]
    assert answers == [f"you said: {text}" for text in texts]
    assert desk.engine.most_in_flight == {desk.id: 1}
    assert [question["text"] for question in desk.engine.asked] == texts


def test_a_repeated_message_has_no_second_effect(desk):
    same = desk.inbound("hello", "7f1f6c1e-0000-4000-8000-000000000000")
    desk.run(same, same, same)
    desk.run(same)
    assert desk.transcript() == [("customer", "hello"), ("bot", "you said: hello")]


def test_repetitions_at_the_same_moment_are_one_message(desk):
    same = desk.inbound("hello")
    barrier = threading.Barrier(6)

    def receive(_: int):
        barrier.wait()
        return desk.support.receive(same)

    with ThreadPoolExecutor(6) as pool:
        received = list(pool.map(receive, range(6)))
    assert {r.message_id for r in received} == {1}
    assert [r.duplicate for r in received].count(False) == 1
    assert [r.lease for r in received if r.lease] and len([r for r in received if r.lease]) == 1


def test_writers_at_the_same_moment_get_numbers_without_gaps(desk):
    with ThreadPoolExecutor(8) as pool:
        received = list(pool.map(lambda n: desk.support.receive(desk.inbound(f"m{n}")), range(24)))
    assert sorted(r.message_id for r in received) == list(range(1, 25))
    assert len([r for r in received if r.lease]) == 1


def test_a_card_number_is_masked_before_it_is_stored_and_before_the_engine_sees_it(desk):
    desk.run(f"my card {CARD} was charged twice")
    assert MASK in desk.transcript()[0][1]
    assert CARD not in str(desk.engine.asked)
    with desk.database.reading() as tx:
        for table in schema.metadata.sorted_tables:
            rows = str(tx.execute(select(table)).all())
            assert CARD not in rows and CARD.replace(" ", "") not in rows, table.name


def test_an_unknown_conversation_is_refused(desk):
    with pytest.raises(NotFound):
        desk.support.receive(Inbound("web", "nobody", "nobody/1", "hello"))
    with pytest.raises(NotFound):
        desk.support.authorise(desk.id, "not its token")


@pytest.mark.parametrize("behaviour", ["slow", "unreachable"])
def test_without_an_engine_the_customer_hears_so_and_gets_a_person(desk, behaviour):
    if behaviour == "unreachable":
        desk.engine.url = "http://127.0.0.1:9"  # the discard port: nobody listens
    desk.engine.behaviour = behaviour
    desk.run("are you there?")
    said = desk.transcript()
    assert [author for author, _ in said] == ["customer", "bot"]
    assert "not working on our side" in said[1][1] and "R-1001" in said[1][1]
    assert desk.owner() == "waiting"
    ticket = desk.support.tickets(0)[0]
    assert (ticket["reason_type"], ticket["priority"]) == ("failure", 2)


@pytest.mark.parametrize("behaviour", ["fail", "silent", "garbage"])
def test_a_failed_turn_is_apologised_for_and_the_second_goes_to_a_person(desk, behaviour):
    desk.engine.behaviour = behaviour
    desk.run("first")
    assert "went wrong on our side" in desk.transcript()[-1][1] and desk.owner() == "bot"
    desk.run("second")
    assert desk.owner() == "waiting" and "R-1001" in desk.transcript()[-1][1]


def test_one_good_turn_forgives_a_failed_one(desk):
    for behaviour in ("fail", "answer", "fail"):
        desk.engine.behaviour = behaviour
        desk.run(behaviour)
    assert desk.owner() == "bot"


def test_what_a_dead_worker_left_is_taken_up_when_its_lease_runs_out(desk):
    desk.support.lease_milliseconds = 1_000  # what is waited for here
    received = desk.support.receive(desk.inbound("left behind"))
    assert received.lease  # taken, and the worker dies here
    desk.run("and another")
    assert [text for author, text in desk.transcript() if author == "bot"] == [
        "you said: left behind",
        "you said: and another",
    ]


def test_a_worker_that_lost_its_lease_changes_nothing(desk):
    """A gateway that was frozen in mid-turn wakes up when another one has long answered."""
    desk.support.lease_milliseconds = 1_000  # what is waited for here
    received = desk.support.receive(desk.inbound("hello"))
    frozen = Turns(desk.support, None, None)
    work, _ = frozen._begin(desk.id, received.lease)
    desk.run()
    before = desk.transcript()
    with pytest.raises(LeaseLost):
        frozen._end(work, _heard("too late"))
    assert desk.transcript() == before
    assert ("bot", "too late") not in before and ("bot", "you said: hello") in before


def _heard(text: str):
    from bot.brain import Heard

    return Heard(replies=({"text": text},), intent="x", confidence=1.0)


def test_an_answer_computed_before_a_claim_is_dropped_and_recorded(desk):
    agent = desk.agent()
    received = desk.support.receive(desk.inbound("how long does it take"))
    turns = Turns(desk.support, None, None)
    work, _ = turns._begin(desk.id, received.lease)
    desk.support.request_person(desk.id, cause="x", reason_type="asked", reason="asked")
    desk.support.claim(desk.support.tickets(agent)[0]["id"], agent)
    assert turns._end(work, _heard("an answer nobody wants now"))[0] == "dropped"
    assert "nobody wants" not in str(desk.transcript())
    assert desk.count(schema.turns, outcome="dropped") == 1


def test_while_a_person_has_it_the_bot_is_silent(desk):
    agent = desk.agent()
    desk.run(desk.inbound("I would like to talk to a person.", person=True))
    desk.run("hello?", "are you there?")
    desk.support.claim(desk.support.tickets(agent)[0]["id"], agent)
    desk.run("how long does a return take?", "hello bot")
    assert desk.engine.asked == []
    assert desk.owner() == "human"


def test_the_whole_hand_over(desk):
    agent = desk.agent()
    desk.run(desk.inbound("I would like to talk to a person.", person=True))
    ticket = desk.support.tickets(agent)[0]
    desk.support.claim(ticket["id"], agent)
    desk.support.reply_as_person(desk.id, agent, "Hello, Sam here.", "c1")
    desk.support.reply_as_person(desk.id, agent, "Hello, Sam here.", "c1")
    assert [t for a, t in desk.transcript() if a == "agent"] == ["Hello, Sam here."]
    desk.support.resolve(desk.id, agent)
    last = desk.support.messages(desk.id)["messages"][-1]
    assert [button["text"] for button in last["buttons"]] == list("12345")
    desk.run("5")
    assert desk.support.tickets(agent)[0]["rating"] == 5
    assert desk.engine.asked == []
    desk.run("one more question")
    assert desk.owner() == "waiting" and "R-1002" in desk.transcript()[-1][1]


def test_two_agents_cannot_both_claim(desk):
    agents = [desk.agent() for _ in range(4)]
    desk.run(desk.inbound("person", person=True))
    ticket = desk.support.tickets(0)[0]["id"]
    barrier = threading.Barrier(4)

    def claim(agent: int) -> bool:
        barrier.wait()
        try:
            desk.support.claim(ticket, agent)
        except Conflict as error:
            assert "Sam" in str(error)
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(claim, agents)) == [False, False, False, True]
    joined = [text for author, text in desk.transcript() if "has joined" in text]
    assert len(joined) == 1


def test_only_the_holder_may_act(desk):
    holder, other = desk.agent(), desk.agent()
    desk.run(desk.inbound("person", person=True))
    ticket = desk.support.tickets(holder)[0]["id"]
    with pytest.raises(Conflict, match="Claim"):
        desk.support.reply_as_person(desk.id, holder, "hello", "c1")
    desk.support.claim(ticket, holder)
    for act in (
        lambda: desk.support.reply_as_person(desk.id, other, "hello", "c1"),
        lambda: desk.support.resolve(desk.id, other),
        lambda: desk.support.hand_back(desk.id, other),
    ):
        with pytest.raises(Conflict, match="Sam has this"):
            act()
    desk.support.hand_back(desk.id, holder, f"they paid with {CARD}")
    assert desk.owner() == "bot"
    assert MASK in desk.support.tickets(holder)[0]["note"]
    with pytest.raises(Conflict, match="with the bot"):
        desk.support.resolve(desk.id, holder)


def test_asking_twice_gives_one_ticket_and_always_a_number(desk):
    desk.run(desk.inbound("person", person=True), desk.inbound("person!", person=True))
    numbers = [text for author, text in desk.transcript() if author != "customer"]
    assert len(numbers) == 2 and all("R-1001" in text for text in numbers)
    assert desk.count(schema.tickets) == 1


def test_two_gateways_share_the_work_without_doing_it_twice(desk):
    other = Desk(desk.database, desk.engine, name="other")
    other.id = desk.id

    async def both() -> None:
        await asyncio.gather(
            desk._run([f"a{n}" for n in range(6)], 12, 1.0),
            other._run([f"b{n}" for n in range(6)], 12, 1.0),
        )

    asyncio.run(both())
    said = desk.transcript()
    customers = [text for author, text in said if author == "customer"]
    assert [text for author, text in said if author == "bot"] == [
        f"you said: {text}" for text in customers
    ]
    assert desk.engine.most_in_flight == {desk.id: 1}

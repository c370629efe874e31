"""What the desk shows is gathered once for all, in the background, and again after a change."""

from __future__ import annotations

import asyncio
import threading

from bot.desk.lately import Lately
from bot.editing import Record
from knowledge_base.gaps import Gap


class SlowEditing:
    """Gathers when it is let; finds one gap until that is closed."""

    def __init__(self) -> None:
        self.looks = 0
        self.closed = False
        self.may = threading.Event()
        self.may.set()

    def record(self) -> Record:
        self.looks += 1
        return Record(1, (), {})

    def gaps(self, record: Record) -> list[Gap]:
        found = [] if self.closed else [GAP]
        assert self.may.wait(10)
        return found

    def nearest(self, gap: Gap) -> None:
        return None

    def came_near(self, record: Record) -> dict:
        return {}


GAP = Gap(
    id="abcd1234",
    question="dogs?",
    wordings=(("dogs?", 1),),
    customers=1,
    times=1,
    weight=1.0,
    last_asked=1,
    upset=0,
    handed_over=0,
    badly_rated=0,
    why={},
    answers=(),
    reopened=None,
    known_as=frozenset(["abcd1234"]),
)


def test_nobody_waits_longer_than_they_want_and_all_wait_for_the_same():
    async def look() -> None:
        editing = SlowEditing()
        editing.may.clear()
        lately = Lately(editing)
        assert await asyncio.gather(*(lately.findings(0.05) for _ in range(5))) == [None] * 5
        editing.may.set()
        found = await lately.findings()
        assert found.gaps == [GAP] and editing.looks == 1
        assert await lately.findings() is found

    asyncio.run(look())


def test_what_was_closed_while_it_gathered_does_not_come_back():
    async def look() -> None:
        editing = SlowEditing()
        lately = Lately(editing)
        assert (await lately.findings()).gaps == [GAP]
        lately.forget()
        editing.may.clear()
        assert (await lately.findings(0.05)).gaps == [GAP]  # the last ones, meanwhile
        editing.closed = True
        lately.without(GAP.id)
        assert (await lately.findings(0.05)).gaps == []
        editing.may.set()
        await asyncio.sleep(0.2)
        assert (await lately.findings()).gaps == [] and editing.looks == 3

    asyncio.run(look())

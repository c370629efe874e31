"""A vendor is away for an hour, while customers write and are answered: afterwards everything has left
once, in the order in which it was said."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import Connection, select

import channels.sms.channel as sms
from bot import deliveries
from bot.simulate.slackd import Slackd
from bot.simulate.twilio import LocalTwilio, error_after, reset_after, status
from bot.store import ledger, schema, slack
from channels.slack import posts
from channels.slack.posts import Poster
from tests.conftest import ROOT
from tests.contract.clocked import ClockedDatabase
from tests.contract.shop import RETURNS
from tests.contract.texting import TextShop, text_shop

needs_model = pytest.mark.skipif(
    not (ROOT / "models" / "encoder" / "card.json").exists(),
    reason="no models/encoder; `make train` builds it",
)
STEP = 5  # minutes
STEPS = 12


class Down(TextShop):
    """A shop whose clock, and whose vendor's clock, can be moved on."""

    def __init__(self, client: Any, gateway: Any, twilio: LocalTwilio):
        super().__init__(client, gateway, twilio)
        self.ahead = timedelta()
        database = gateway.store.database
        real = database.now

        def now(connection: Connection) -> int:
            return real(connection) + int(self.ahead.total_seconds() * 1000)

        database.now = now
        twilio.now = lambda: datetime.now(UTC) + self.ahead

    def pass_minutes(self, minutes: float) -> None:
        """Move the clock, and let everything be tried that is due. Nobody may be at work when it
        moves: their leases would run out."""
        self.until(lambda: not self.rows(schema.messages, author="customer", handled_at=None))
        self.ahead += timedelta(minutes=minutes)
        self.until(lambda: not self.due())

    def due(self) -> bool:
        """Whether a message that no other holds back is to be tried now."""
        with self.gateway.store.database.reading() as tx:
            now = self.gateway.store.database.now(tx)
            return bool(ledger.due_deliveries(tx, now, limit=1))

    def open(self) -> list[Any]:
        return [it for it in self.rows(schema.deliveries, channel="sms") if it.sent_at is None]


@pytest.fixture
def shop(migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Down]:
    """With the times of the product, which `text_shop` shortens."""
    first_pause, look_after = deliveries.FIRST_PAUSE, sms.LOOK_AFTER
    with text_shop(migrated_sqlite, tmp_path, monkeypatch, make=Down) as shop:
        monkeypatch.setattr(deliveries, "FIRST_PAUSE", first_pause)
        monkeypatch.setattr(sms, "LOOK_AFTER", look_after)
        shop.gateway.courier._seconds = 0.05  # real ones; it looks at the moved clock each time
        yield shop


@contextmanager
def answering(twilio: LocalTwilio, fault: Any) -> Iterator[None]:
    """Every call meets the fault."""
    twilio.outage = fault
    try:
        yield
    finally:
        twilio.outage = None


Outage = Callable[[LocalTwilio], AbstractContextManager[None]]
OUTAGES: dict[str, Outage] = {
    "503": lambda twilio: answering(twilio, status(503)),
    "429": lambda twilio: answering(twilio, status(429)),
    "refused": lambda twilio: twilio.away(),
    "taken and cut": lambda twilio: answering(twilio, reset_after),
    "taken and 500": lambda twilio: answering(twilio, error_after),
}


@needs_model
@pytest.mark.parametrize("outage", OUTAGES)
def test_texts_leave_once_and_in_order_after_an_hour(shop: Down, outage: str):
    numbers = [shop.number() for _ in range(3)]
    expected: dict[str, list[str]] = {number: [] for number in numbers}

    def write(step: int) -> None:
        for at, number in enumerate(numbers):
            # The same answer more than once, and answers that differ.
            text = RETURNS if step % 3 == at else f"question {step}"
            shop.twilio.texts(number, text)
            expected[number].append("5 days" if text == RETURNS else f"you said: {text}")
        shop.until(lambda: not shop.rows(schema.messages, author="customer", handled_at=None))

    write(0)
    for number in numbers:
        shop.twilio.wait_for(number)
    with OUTAGES[outage](shop.twilio):
        for step in range(1, STEPS + 1):
            write(step)
            shop.pass_minutes(STEP)
        assert shop.open(), "the vendor was not away"
    write(STEPS + 1)
    for _ in range(
        40
    ):  # an outage's backlog goes out one by one, each when the one before is settled
        if not shop.open():
            break
        shop.pass_minutes(STEP)
    for number in numbers:
        said = [text.split("\n")[0] for text in shop.twilio.to(number)]
        assert said == expected[number]
        assert set(shop.deliveries(number)) == {"sent"}
        taken = shop.rows(schema.sendings, address=number)
        assert {it.state for it in taken} == {"taken"} and len(taken) == len(said)
        assert len({it.vendor_id for it in taken}) == len(said)


# Slack.


class Posts:
    """What is queued for Slack, and whoever posts it, on a clock that the test moves."""

    def __init__(self, path: Path, slackd: Slackd):
        self.database = ClockedDatabase(f"sqlite:///{path}")
        self.slackd = slackd
        self.ada = slackd.add_user("ada", "ada@shop.example")
        names = ("support", "lost-parcels")
        self.channels = [slackd.add_channel(name, [self.ada]) for name in names]

    def queue(self, text: str, channel: Any, key: str = "", thread: str = "") -> None:
        with self.database.transaction() as tx:
            payload = {"text": text}
            where = {"channel": channel.id, "thread_ts": thread}
            slack.post(tx, key or text, payload=payload, now=self.database.time, **where)

    def pass_minutes(self, minutes: float) -> None:
        self.database.time += int(minutes * 60_000)
        asyncio.run(self._post())

    async def _post(self) -> None:
        client = AsyncWebClient(
            token=self.slackd.workspace.bot_token,
            base_url=f"{self.slackd.url}/api/",
            retry_handlers=[],
            timeout=10,
        )
        poster = Poster(self.database, client)
        while await poster.send_due():
            pass

    def posted(self, channel: Any) -> list[str]:
        return [it.text for it in channel.messages if it.user == self.slackd.bot.id]

    def states(self) -> set[str]:
        with self.database.reading() as tx:
            return set(tx.execute(select(schema.slack_posts.c.state)).scalars())


@pytest.fixture
def slack_posts(
    migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Posts]:
    monkeypatch.setattr(posts, "PACE", 0.001)
    shutil.copy(migrated_sqlite, tmp_path / "rapport.db")
    with Slackd() as slackd:
        yield Posts(tmp_path / "rapport.db", slackd)


@contextmanager
def failing(begin: Callable[[], None], slackd: Slackd) -> Iterator[None]:
    begin()
    try:
        yield
    finally:
        slackd.forget_faults()


SLACK_OUTAGES = {
    "503": lambda it: failing(lambda: it.fail(status=503, times=10_000), it),
    "cut": lambda it: failing(lambda: it.reset_before(times=10_000), it),
    "posted and cut": lambda it: failing(lambda: it.reset_after(times=10_000), it),
    "none": lambda it: nullcontext(),
}


@pytest.mark.parametrize("outage", SLACK_OUTAGES)
def test_posts_leave_once_and_in_order_after_an_hour(slack_posts: Posts, outage: str):
    says, ada = slack_posts.slackd.says, slack_posts.ada
    threads = [says(ada, channel, "Where is it?").ts for channel in slack_posts.channels]
    with SLACK_OUTAGES[outage](slack_posts.slackd):
        for step in range(STEPS):
            for channel, thread in zip(slack_posts.channels, threads, strict=True):
                slack_posts.queue(f"{step} in {channel.name}", channel, thread=thread)
            slack_posts.pass_minutes(STEP)
    for _ in range(STEPS):
        slack_posts.pass_minutes(STEP)
    for channel in slack_posts.channels:
        assert slack_posts.posted(channel) == [f"{step} in {channel.name}" for step in range(STEPS)]
    assert slack_posts.states() == {slack.SENT}


@pytest.mark.parametrize("outage", SLACK_OUTAGES)
def test_a_card_that_changes_meanwhile_is_posted_once_as_it_is_last(
    slack_posts: Posts, outage: str
):
    channel = slack_posts.channels[0]
    with SLACK_OUTAGES[outage](slack_posts.slackd):
        for step in range(3):
            slack_posts.queue(f"card, change {step}", channel, key="card")
            slack_posts.pass_minutes(STEP)
    for _ in range(5):
        slack_posts.pass_minutes(STEP)
    assert slack_posts.posted(channel) == ["card, change 2"]
    assert slack_posts.states() == {slack.SENT}

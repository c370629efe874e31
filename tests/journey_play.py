"""Plays journeys against the whole system: real gateway and engine, a local shop, mail and texts."""

from __future__ import annotations

import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

import jwt
from aiosmtpd.controller import Controller
from sqlalchemy import create_engine, delete

from bot.orders.demo import DemoShop
from bot.orders.demo.cases import CASES, Case
from bot.simulate import shop as faults
from bot.simulate.shop import LocalShop
from bot.simulate.twilio import ACCOUNT, NUMBER, TOKEN, LocalTwilio
from tests.journey_files import Journey, Step
from tests.postgres import free_port
from tests.system import Customer, DeskAgent, System

SECRET = "a-secret-of-the-journeys-that-is-long-enough-for-hs256"
ANSWER_SECONDS = 25
SETTLED_SECONDS = 0.12  # in which further replies of the same turn are there
WRITES = ("/cancellation", "/returns", "/reports", "/address", "/contact", "/credit")
PUBLIC = "https://support.example.com"


class Post:
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = BytesParser(policy=default).parsebytes(envelope.content)
        self.letters.append(message)  # type: ignore[arg-type]
        return "250 OK"

    def code(self, address: str) -> str:
        """The latest code that was sent there; "000000" where none was."""
        for letter in reversed(self.letters):
            found = re.match(r"(\d{6}) is your", letter.get_content())
            if found and letter["To"] == address:
                return found.group(1)
        return "000000"


@dataclass
class Stage:
    """Everything that journeys are played on."""

    system: System
    shop: LocalShop
    post: Post
    twilio: LocalTwilio
    pristine: Path
    folder: Path
    agent: DeskAgent
    played: int = 0

    def fresh(self) -> None:
        """The shop as on its first day, and nobody has guessed anything."""
        self.played += 1
        self.shop.faults.clear()
        self.shop.run(self.shop.demo.close)
        path = self.folder / f"shop-{self.played}.db"
        shutil.copy(self.pristine, path)
        self.shop.demo = DemoShop(path)
        from bot.store.schema import codes, order_tries

        engine = create_engine(self.system._store_url())
        with engine.begin() as tx:
            tx.execute(delete(order_tries))
            tx.execute(delete(codes))
        engine.dispose()


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """The system, a shop by HTTP, a mail server and a vendor of texts."""
    folder.mkdir(parents=True, exist_ok=True)
    pristine = folder / "pristine.db"
    with ExitStack() as stack:
        demo = DemoShop(pristine)
        shop = stack.enter_context(LocalShop(demo))
        shop.run(demo.order, CASES["received"].number)  # builds the file
        shop.run(demo.close)
        shop.demo = DemoShop(pristine)
        post = Post()
        controller = Controller(post, hostname="127.0.0.1", port=free_port())
        controller.start()
        stack.callback(controller.stop)
        twilio = stack.enter_context(LocalTwilio())
        system = stack.enter_context(
            System(
                folder / "system",
                ORDERS="http",
                ORDERS_URL=shop.url,
                ORDERS_TOKEN=shop.token,
                SMTP_URL=f"smtp://127.0.0.1:{controller.port}",
                MAIL_FROM="Northpeak <help@northpeak.example>",
                IDENTITY_SECRET=SECRET,
                TWILIO_ACCOUNT_SID=ACCOUNT,
                TWILIO_AUTH_TOKEN=TOKEN,
                TWILIO_API_URL=twilio.url,
                SMS_FROM=NUMBER,
                SMS_QUIET="",
                PUBLIC_URL=PUBLIC,
                LEASE_SECONDS="13",
            )
        )
        twilio.webhook = f"{system.url}/channels/sms"
        twilio.public = f"{PUBLIC}/channels/sms"
        agent = system.agent()
        for cookie in agent._client.cookies.jar:
            cookie.secure = False  # the public address is https, the one it is played on is not
        yield Stage(system, shop, post, twilio, pristine, folder, agent)


@dataclass
class Played:
    """How a journey went: what was said, and what was not as it has to be."""

    transcript: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    turns: int = 0


class _Web:
    """The customer in the widget."""

    def __init__(self, stage: Stage, case: Case | None, *, signed_in: bool):
        self.customer = Customer(stage.system.url)
        self.seen = 0
        if signed_in and case is not None:
            claims = {"sub": case.customer_id, "email": case.email, "exp": time.time() + 600}
            token = jwt.encode(claims, SECRET, "HS256")
            answer = self.customer._client.post(
                f"{self.customer.path}/identity", json={"token": token}
            )
            assert answer.status_code == 204, answer.text

    @property
    def conversation_id(self) -> str:
        return self.customer.id

    def write(self, text: str) -> None:
        self.seen = self.customer.write(text)

    def replies(self) -> list[str]:
        """What was said since the last message, once it is all there."""
        seen = self.seen

        def answered(view: dict[str, Any]) -> bool:
            return any(m["author"] != "customer" for m in view["messages"]) and not view["typing"]

        self.customer.wait_for(answered, ANSWER_SECONDS, after=seen)
        time.sleep(SETTLED_SECONDS)
        found = []
        for message in self.customer.messages(after=seen):
            if message["author"] != "customer":
                buttons = [f"[{it['title']}]" for it in message.get("buttons") or []]
                found.append(" ".join([message["text"], *buttons]))
        return found


class _Phone:
    """The customer who texts."""

    def __init__(self, stage: Stage, case: Case | None):
        self._twilio, self._stage = stage.twilio, stage
        self.number = f"+4477009{uuid.uuid4().int % 100000:05d}"
        self.seen = 0

    @property
    def conversation_id(self) -> str:
        from bot.store.schema import conversations

        engine = create_engine(self._stage.system._store_url())
        with engine.begin() as tx:
            query = conversations.select().where(conversations.c.address == self.number)
            found = str(tx.execute(query).one().id)
        engine.dispose()
        return found

    def write(self, text: str) -> None:
        self.seen = len(self._twilio.to(self.number))
        answer = self._twilio.texts(self.number, text)
        assert answer.status_code == 200, answer.text

    def replies(self) -> list[str]:
        self._twilio.wait_for(self.number, self.seen + 1, ANSWER_SECONDS)
        time.sleep(3 * SETTLED_SECONDS)
        return self._twilio.to(self.number)[self.seen :]


def play(stage: Stage, journey: Journey) -> Played:
    """Play a journey to its end, whatever goes wrong in it."""
    stage.fresh()
    player = _Player(stage, journey)
    for step in journey.steps:
        try:
            player.step(step)
        except AssertionError as error:
            player.wrong(step, str(error)[:300])
            break
    stage.shop.faults.clear()
    return player.played


class _Player:
    def __init__(self, stage: Stage, journey: Journey):
        self._stage = stage
        self._case = CASES[journey.order] if journey.order else None
        sms = journey.channel == "sms"
        self._customer: _Web | _Phone = (
            _Phone(stage, self._case)
            if sms
            else _Web(stage, self._case, signed_in=journey.channel == "signed in")
        )
        self._heard: list[str] | None = None
        self.played = Played()

    def wrong(self, step: Step, what: str) -> None:
        self.played.problems.append(f"line {step.line}: {what}")

    def step(self, step: Step) -> None:
        if step.who in ("customer", "shop", "agent") and self._heard is None and self.played.turns:
            self._replies()  # a person reads before writing again
        what = self._filled(step.what)
        getattr(self, f"on_{step.who.replace(' ', '_')}")(step, what)

    def _filled(self, text: str) -> str:
        """The text with what the case knows in place of its fields."""

        def value(match: re.Match[str]) -> str:
            name, _, attribute = match.group(1).rpartition(".")
            if attribute == "code" and not name:
                assert self._case is not None
                return self._stage.post.code(self._case.email)
            case = CASES[name] if name else self._case
            assert case is not None, f"{{{match.group(1)}}} needs “order:”"
            found = getattr(case, attribute)
            return str(found[0] if isinstance(found, tuple) else found)

        return re.sub(r"\{([\w.]+)\}", value, text)

    def _say(self, line: str) -> None:
        self.played.transcript.append(line)

    def _replies(self) -> list[str]:
        if self._heard is None:
            self._heard = self._customer.replies()
            self.played.transcript += [f"  bot: {it}" for it in self._heard]
        return self._heard

    def on_customer(self, step: Step, what: str) -> None:
        self._say(f"customer: {what}")
        self.played.turns += 1
        self._heard = None
        self._customer.write(what)

    def on_bot(self, step: Step, what: str) -> None:
        said = _plain(" ".join(self._replies()))
        if _plain(what) not in said:
            self.wrong(step, f"the bot did not say “{what}”, but “{said[:400]}”")

    def on_never(self, step: Step, what: str) -> None:
        said = _plain(" ".join(self._replies()))
        if _plain(what) in said:
            self.wrong(step, f"the bot said “{what}”: “{said[:400]}”")

    def on_shop(self, step: Step, what: str) -> None:
        shop = self._stage.shop
        if what == "up":
            shop.faults.clear()
        elif what == "down":
            shop.fail(*[faults.status(503)] * 60)
        elif what == "loses its answer":
            # Done, and the connection is gone before anybody is told.
            for write in WRITES:
                shop.fail(faults.reset_after, at=write)
        elif what == "falls silent":
            for write in WRITES:
                shop.fail(faults.reset_after, at=write)
            shop.fail(*[faults.status(503)] * 20, at="/outcomes")
        else:
            raise AssertionError("the shop is up, down, loses its answer, or falls silent")

    def on_order_is(self, step: Step, what: str) -> None:
        assert self._case is not None
        order = self._stage.shop.run(self._stage.shop.demo.order, self._case.number)
        state = (
            f"{order.state.value}; {order.address.street}, {order.address.postcode}; "
            + "; ".join(
                f"{line.title}: {line.cancelled} cancelled, {line.returned} returned"
                for line in order.lines
            )
        )
        if _plain(what) not in _plain(state):
            self.wrong(step, f"the order is not “{what}”: {state}")

    def on_writes(self, step: Step, what: str) -> None:
        found = self._stage.shop.run(self._stage.shop.demo.effects)
        if len(found) != int(what):
            self.wrong(step, f"{what} things should have been done, not {len(found)}: {found}")

    def on_ticket(self, step: Step, what: str) -> None:
        self._replies()
        wanted, found = self._customer.conversation_id, None
        deadline = time.monotonic() + (0 if what == "none" else 5)
        while True:
            mine = [it for it in self._stage.agent.tickets() if it["conversation_id"] == wanted]
            found = mine[-1] if mine else None
            if found or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        if what == "none":
            if found:
                self.wrong(step, f"there is a ticket: {found['reason']}")
        elif not found:
            self.wrong(step, "there is no ticket")
        elif _plain(what) not in _plain(f"{found['reason_type']} {found['reason']}"):
            self.wrong(step, f"the ticket does not say “{what}”: {found['reason']}")

    def on_agent(self, step: Step, what: str) -> None:
        customer: Any = getattr(self._customer, "customer", None)
        assert customer is not None, "agents take part in journeys on the web"
        deed, _, words = what.partition(":")
        agent = self._stage.agent
        answer = {
            "claims": lambda: agent.claim(agent.ticket_of(customer)),
            "says": lambda: agent.reply(customer, words.strip()),
            "hands back": lambda: agent.hand_back(customer, words.strip()),
            "resolves": lambda: agent.resolve(customer),
        }[deed.strip()]()
        assert answer.status_code < 300, answer.text
        self._say(f"agent: {what}")

    def on_clock(self, step: Step, what: str) -> None:
        count, unit = what.split()
        minutes = {"minutes": 1, "hours": 60, "days": 1440}[unit] * int(count)
        customer: Any = getattr(self._customer, "customer", None)
        assert customer is not None, "the clock is moved in journeys on the web"
        self._replies()
        self._stage.system.let_pass(customer, minutes)

    def on_crash(self, step: Step, what: str) -> None:
        """The gateway is killed, now, whatever it is doing; it is started again by itself."""
        if what == "after the shop has done it":
            deadline = time.monotonic() + 10
            while not self._stage.shop.run(self._stage.shop.demo.effects):
                assert time.monotonic() < deadline, "the shop did nothing"
                time.sleep(0.005)
        self._stage.system.kill("gateway")
        self._say("(the gateway is killed)")
        self._stage.system.wait_ready()


def _plain(text: str) -> str:
    text = text.replace("’", "'").replace("“", '"').replace("”", '"')
    return " ".join(text.split()).casefold()

"""A shop that can be texted: a gateway with everything but the engine, and a vendor that is local."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import select

import channels.sms.channel as sms
from bot import deliveries
from bot.app import Gateway, create_app
from bot.settings import Settings
from bot.simulate.twilio import ACCOUNT, NUMBER, TOKEN, LocalTwilio, Message
from bot.store import schema
from tests.contract.shop import Knowing
from tests.contract.stand_in_engine import SECRET

PUBLIC = "https://support.example.com"
HEADERS = {"X-Rapport-Desk": "1"}
PASSWORD = "long enough pw"


class TextShop:
    """The shop, its vendor, and an agent at its desk."""

    def __init__(self, client: TestClient, gateway: Gateway, twilio: LocalTwilio):
        self.client, self.gateway, self.twilio = client, gateway, twilio
        self.agent = gateway.store.agents.add("sam@x.example", "Sam Fell", PASSWORD, "agent")
        self.desk = TestClient(client.app, base_url="https://testserver", follow_redirects=False)
        form = {"email": "sam@x.example", "password": PASSWORD}
        assert self.desk.post("/desk/login", data=form).status_code == 303

    def number(self) -> str:
        """A number that nobody has texted from yet."""
        return f"+4477009{uuid.uuid4().int % 100000:05d}"

    def rows(self, table: Any, **values: Any) -> list[Any]:
        with self.gateway.store.database.reading() as tx:
            where = [table.c[name] == value for name, value in values.items()]
            return list(tx.execute(select(table).where(*where)))

    def taken(self, number: str) -> list[Message]:
        """What the vendor took for a number."""
        return [it for it in self.twilio.messages if it.to == number]

    def conversation(self, number: str) -> Any:
        rows = self.rows(schema.conversations, channel="sms", address=number)
        return max(rows, key=lambda row: row.created_at)

    def messages(self, number: str, author: str = "customer") -> list[str]:
        found = self.conversation(number).id
        rows = self.rows(schema.messages, conversation_id=found, author=author)
        return [row.text for row in sorted(rows, key=lambda row: row.seq)]

    def deliveries(self, number: str) -> list[str]:
        rows = self.rows(schema.deliveries, conversation_id=self.conversation(number).id)
        return [row.state for row in sorted(rows, key=lambda row: row.id)]

    def ticket(self, number: str) -> Any:
        found = self.conversation(number).id
        rows = self.rows(schema.tickets, conversation_id=found)
        return max(rows, key=lambda row: row.id)

    def post(self, path: str, **body: Any) -> Any:
        return self.desk.post(f"/desk/api/{path}", json=body, headers=HEADERS)

    def claim(self, number: str) -> None:
        assert self.post(f"tickets/{self.ticket(number).id}/claim").status_code == 200

    def reply(self, number: str, text: str) -> Any:
        found = self.conversation(number).id
        body = {"client_id": str(uuid.uuid4()), "text": text}
        return self.post(f"conversations/{found}/replies", **body)

    def until(self, holds: Callable[[], Any], seconds: float = 12) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.02)
        return found


@contextmanager
def text_shop(
    template: Path,
    folder: Path,
    monkeypatch: Any,
    *,
    make: type[TextShop] = TextShop,
    **environment: str,
) -> Iterator[Any]:
    """A shop over a copy of a migrated store."""
    shutil.copy(template, folder / "rapport.db")
    monkeypatch.setattr(sms, "LOOK_AFTER", 0)
    monkeypatch.setattr(deliveries, "FIRST_PAUSE", 200)
    with Knowing() as engine, LocalTwilio("http://testserver/channels/sms") as twilio:
        twilio.public = f"{PUBLIC}/channels/sms"
        values = {
            "DATA_DIR": str(folder),
            "PUBLIC_URL": PUBLIC,
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_URL": twilio.url,
            "SMS_FROM": NUMBER,
            "SMS_QUIET": "",
            **environment,
        }
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        settings = Settings(
            engine_port=int(engine.url.rsplit(":", 1)[1]), engine_secret=SecretStr(SECRET)
        )
        gateway = Gateway(settings)
        with TestClient(create_app(settings, gateway)) as client:
            twilio.client = client
            yield make(client, gateway, twilio)

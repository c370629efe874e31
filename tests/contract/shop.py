"""A gateway with everything but the engine, and what customers, agents and editors do with it."""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import structlog
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import func, select
from typer.testing import CliRunner

from bot.app import Gateway, create_app
from bot.settings import Settings
from bot.store import schema
from knowledge_base.__main__ import app as commands
from tests.contract.stand_in_engine import SECRET, StandInEngine

RETURNS = "how long does a return take?"
NO_HELP = "that does not help"
SOURCE = {
    "title": "How to return an item",
    "heading": "How long a return takes",
    "url": "/help/returns/return-an-item#how-long-a-return-takes",
    "article": "returns/return-an-item",
    "hash": "none of now",
    "confidence": 0.91,
}


class Knowing(StandInEngine):
    """It knows returns, thanks and troubles; anything else is a question that no article answers."""

    def _answer(self, question: dict[str, Any]) -> tuple[int, Any]:
        status, body = super()._answer(question)
        text = question["text"]
        if text == RETURNS:
            body["replies"] = [{"text": "5 days", "custom": {"sources": [SOURCE]}}]
        elif text == NO_HELP:
            body["actions"] = ["action_not_helpful"]
        elif text == "thanks":
            body["actions"] = ["utter_thank"]
        if "!" in text:
            body["mood"].update(label="angry", level=3)
        return status, body


class Shop:
    """A running gateway, its customers, an agent at the desk, and the commands."""

    def __init__(self, client: TestClient, gateway: Gateway):
        self.client = client
        self.gateway = gateway
        gateway.store.agents.add("ada@x.example", "Ada Hill", "long enough pw")
        self.browser = TestClient(client.app, follow_redirects=True)
        self.log_in(self.browser)

    def log_in(self, browser: TestClient) -> None:
        form = {"email": "ada@x.example", "password": "long enough pw"}
        assert browser.post("/desk/login", data=form, follow_redirects=False).status_code == 303

    def ask(self, *texts: str, customer: tuple[str, dict] | None = None) -> tuple[str, dict]:
        """A customer writes each text and waits for what is said to it."""
        if customer is None:
            opened = self.client.post("/api/conversations").json()
            token = {"Authorization": f"Bearer {opened['token']}"}
            customer = (f"/api/conversations/{opened['conversation_id']}", token)
        path, token = customer
        for text in texts:
            body = {"client_id": str(uuid.uuid4()), "text": text}
            sent = self.client.post(f"{path}/messages", json=body, headers=token)
            assert sent.status_code == 202, sent.text
            self._wait(path, token, sent.json()["message_id"])
        return customer

    def _wait(self, path: str, token: dict, number: int) -> None:
        deadline = time.monotonic() + 10
        while True:
            view = self.client.get(
                f"{path}/messages", params={"after": number}, headers=token
            ).json()
            if any(message["author"] != "customer" for message in view["messages"]):
                return
            assert time.monotonic() < deadline, "no answer"
            time.sleep(0.02)

    def hand_over(self, customer: tuple[str, dict], *answers: str, rating: str = "") -> None:
        """The customer presses the button; a colleague answers and resolves."""
        path, token = customer
        body = {"client_id": str(uuid.uuid4())}
        sent = self.client.post(f"{path}/person", json=body, headers=token)
        self._wait(path, token, sent.json()["message_id"])
        conversation = path.rsplit("/", 1)[1]
        tickets = self.at_desk("get", "tickets")["tickets"]
        ticket = next(it for it in tickets if it["conversation_id"] == conversation)
        self.at_desk("post", f"tickets/{ticket['id']}/claim")
        for answer in answers:
            reply = {"client_id": str(uuid.uuid4()), "text": answer}
            self.at_desk("post", f"conversations/{conversation}/replies", reply)
        self.at_desk("post", f"conversations/{conversation}/resolve", {})
        if rating:
            self.ask(rating, customer=customer)

    def at_desk(self, method: str, path: str, body: dict | None = None) -> Any:
        more = {"json": body or {}} if method == "post" else {}
        headers = {"X-Rapport-Desk": "1"}
        done = self.browser.request(method, f"/desk/api/{path}", headers=headers, **more)
        assert done.status_code < 300, done.text
        return done.json()

    def command(self, *words: str, status: int = 0) -> str:
        done = run_gaps(*words)
        assert done.exit_code == status, (done.output, done.stderr, done.exception)
        return done.stdout if status == 0 else done.stderr

    def gaps(self, *words: str) -> list[dict[str, Any]]:
        return json.loads(self.command("--json", *words))["gaps"]

    def page(self, path: str, status: int = 200, **form: str) -> Page:
        done = self.browser.post(path, data=form) if form else self.browser.get(path)
        assert done.status_code == status, done.text
        return Page(done.text, dict(done.headers))

    def rows(self) -> int:
        with self.gateway.store.database.reading() as tx:
            return sum(
                tx.execute(select(func.count()).select_from(table)).scalar_one()
                for table in schema.metadata.sorted_tables
            )


@contextmanager
def running_gateway(
    template: Path, folder: Path, patch: Any, engine: StandInEngine, **environment: str
) -> Iterator[tuple[TestClient, Gateway]]:
    """A gateway over a copy of a migrated store in ``folder``, with a client of its application.

    ``patch``: a `pytest.MonkeyPatch` that lasts as long as the gateway."""
    shutil.copy(template, folder / "rapport.db")
    for name, value in {"DATA_DIR": str(folder), **environment}.items():
        patch.setenv(name, value)
    with engine:
        settings = Settings(
            engine_port=int(engine.url.rsplit(":", 1)[1]), engine_secret=SecretStr(SECRET)
        )
        gateway = Gateway(settings)
        with TestClient(create_app(settings, gateway)) as client:
            yield client, gateway


def run_gaps(*words: str):
    """The command in this process. It points the logs at an output that is closed afterwards."""
    try:
        return CliRunner().invoke(commands, ["gaps", *words])
    finally:
        structlog.reset_defaults()


class Page(HTMLParser):
    """A page of the desk: its text, its elements, and whether its headings are in order."""

    def __init__(self, html: str, headers: dict[str, str]):
        super().__init__()
        self.html, self.headers = html, headers
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._said: list[str] = []
        self.feed(html)
        self.text = " ".join(" ".join(self._said).split())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self._said.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def headings(self) -> list[int]:
        return [int(tag[1]) for tag, _ in self.elements if tag in ("h1", "h2", "h3", "h4")]

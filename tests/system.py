"""The whole of Rapport in real processes, and a customer and an agent who use it over HTTP."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import BigInteger, create_engine, select, update

from tests.postgres import free_port

ROOT = Path(__file__).resolve().parent.parent
_MOMENT = re.compile(r"(?:^|_)(?:at|since|until|for)$")
START_SECONDS = 90  # a loaded CI machine; on a quiet one it takes about ten


class System:
    """``python -m bot run`` with its own folder and ports, from ``with`` to its end."""

    def __init__(self, folder: Path, **environment: str):
        self.folder = folder
        self.port, self.engine_port, self.actions_port = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            # What is tried here is the way of an answer, not when one is sure enough to be given.
            "ANSWER_THRESHOLD": "0.7",
            "DATA_DIR": str(folder / "var"),
            "PORT": str(self.port),
            "ENGINE_PORT": str(self.engine_port),
            "ACTIONS_PORT": str(self.actions_port),
            "MESSAGE_RATE": "1000/second",
            "CONVERSATION_RATE": "10000/minute",
            "HOST": "127.0.0.1",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> System:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Asked twice, it does not wait for its parts; nobody needs this system's last turns.
        self.stop(patient=False)

    def start(self, *, wait: bool = True) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "run.log", "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot", "run"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if wait:
            try:
                self.wait_ready()
            except BaseException:
                self.stop()
                raise

    def stop(self, *, patient: bool = True) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            if not patient:
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(0.3)
                self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        self._process = None

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """Until the whole path works; raises AssertionError with the log's end if it never does."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/health/ready", timeout=3).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"Rapport did not get ready:\n{self.log()[-4000:]}")

    def log(self) -> str:
        """Everything that any of its processes wrote."""
        parts = [self.folder / "run.log", *sorted((self.folder / "var" / "log").glob("*"))]
        return "\n".join(part.read_text("utf-8", "replace") for part in parts if part.is_file())

    def child(self, part: str) -> psutil.Process:
        """The process of ``gateway`` or ``engine``; raises LookupError while there is none."""
        assert self._process is not None
        words = {"gateway": ["bot", "gateway"], "engine": ["bot.engine", "run"]}[part]
        for process in psutil.Process(self._process.pid).children(recursive=True):
            try:
                line = process.cmdline()
            except psutil.Error:
                continue
            if all(word in line for word in words):
                return process
        raise LookupError(part)

    def kill(self, part: str) -> None:
        """kill -9."""
        self.child(part).kill()

    def memory(self) -> dict[str, int]:
        """Resident bytes of both processes."""
        return {part: self.child(part).memory_info().rss for part in ("gateway", "engine")}

    def customer(self) -> Customer:
        return Customer(self.url)

    def agent(self, email: str = "", password: str = "") -> DeskAgent:
        """An agent who is logged in: the one made at the first start, unless named."""
        if not email:
            email, password = self._test_agent()
        return DeskAgent(self.url, email, password)

    def _test_agent(self) -> tuple[str, str]:
        """An agent named Sam Fell, the same one each time."""
        kept = self.folder / "var" / "agent.json"
        if not kept.exists():
            kept.write_text(json.dumps(self.add_agent("Sam Fell")))
        email, password = json.loads(kept.read_text())
        return email, password

    def add_agent(self, name: str) -> tuple[str, str]:
        """A new agent; their e-mail and password. Done here, for the command takes two seconds to
        start."""
        from bot.store.agents import Agents
        from bot.store.database import Database

        email, password = f"{uuid.uuid4().hex[:8]}@northpeak.example", "a-long-password"
        database = Database(self._store_url())
        Agents(database).add(email, name, password)
        database.close()
        return email, password

    def let_pass(self, customer: Customer, minutes: float) -> None:
        """As if so much time had gone by for one conversation: all its moments are put back."""
        from bot.store.schema import conversations, messages, ticket_events, tickets, turns

        back = int(minutes * 60_000)
        of_ticket = select(tickets.c.id).where(tickets.c.conversation_id == customer.id)
        engine = create_engine(self._store_url())
        with engine.begin() as tx:
            for table in (tickets, ticket_events, conversations, messages, turns):
                moments = [
                    column
                    for column in table.c
                    if isinstance(column.type, BigInteger) and _MOMENT.search(column.name)
                ]
                if table is ticket_events:
                    where = table.c.ticket_id.in_(of_ticket)
                elif table is conversations:
                    where = table.c.id == customer.id
                else:
                    where = table.c.conversation_id == customer.id
                tx.execute(
                    update(table).where(where).values({it.name: it - back for it in moments})
                )
        engine.dispose()

    def _store_url(self) -> str:
        url = self.environment.get("DATABASE_URL", "")
        if not url:
            return f"sqlite:///{self.folder}/var/rapport.db"
        return url.replace("postgresql://", "postgresql+pg8000://")

    def run_command(self, *words: str) -> str:
        """``python -m bot …`` against this system's settings."""
        done = subprocess.run(
            [sys.executable, "-m", "bot", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


class Customer:
    """A customer on the web API."""

    def __init__(self, url: str):
        self._client = httpx.Client(base_url=url, timeout=15)
        response = self._client.post("/api/conversations")
        assert response.status_code == 201, response.text
        opened = response.json()
        self.id, self.token = opened["conversation_id"], opened["token"]
        self._client.headers["Authorization"] = f"Bearer {self.token}"
        self.path = f"/api/conversations/{self.id}"

    def post(self, text: str, client_id: str | None = None) -> httpx.Response:
        body = {"client_id": client_id or str(uuid.uuid4()), "text": text}
        return self._client.post(f"{self.path}/messages", json=body)

    def write(self, text: str, client_id: str | None = None) -> int:
        """Send a message; returns its number."""
        response = self.post(text, client_id)
        assert response.status_code == 202, response.text
        return int(response.json()["message_id"])

    def press_person(self) -> int:
        response = self._client.post(f"{self.path}/person", json={"client_id": str(uuid.uuid4())})
        assert response.status_code == 202, response.text
        return int(response.json()["message_id"])

    def view(self, after: int = 0) -> dict[str, Any]:
        response = self._client.get(f"{self.path}/messages", params={"after": after})
        assert response.status_code == 200, response.text
        return dict(response.json())

    def messages(self, after: int = 0) -> list[dict[str, Any]]:
        return list(self.view(after)["messages"])

    def wait_for(
        self, what: Callable[[dict[str, Any]], bool], seconds: float = 20, after: int = 0
    ) -> dict[str, Any]:
        """The first view that ``what`` accepts; raises AssertionError when none comes in time."""
        deadline = time.monotonic() + seconds
        while True:
            view = self.view(after)
            if what(view):
                return view
            assert time.monotonic() < deadline, f"it did not happen; last seen: {view}"
            time.sleep(0.02)

    def ask(self, text: str, seconds: float = 20) -> dict[str, Any]:
        """Write, and return the first message that answers it."""
        number = self.write(text)
        view = self.wait_for(
            lambda view: any(m["author"] != "customer" for m in view["messages"]),
            seconds,
            after=number,
        )
        return next(m for m in view["messages"] if m["author"] != "customer")


class DeskAgent:
    """An agent on the desk's API."""

    def __init__(self, url: str, email: str, password: str):
        self._client = httpx.Client(
            base_url=url, timeout=15, headers={"X-Rapport-Desk": "1", "Origin": url}
        )
        response = self._client.post("/desk/login", data={"email": email, "password": password})
        assert response.status_code in (200, 302, 303), response.text
        self.email = email

    def tickets(self) -> list[dict[str, Any]]:
        response = self._client.get("/desk/api/tickets")
        assert response.status_code == 200, response.text
        return list(response.json()["tickets"])

    def ticket_of(self, customer: Customer, seconds: float = 10) -> dict[str, Any]:
        """The customer's newest ticket, as soon as the desk shows it."""
        deadline = time.monotonic() + seconds
        while True:
            mine = [t for t in self.tickets() if t["conversation_id"] == customer.id]
            if mine:
                return max(mine, key=lambda ticket: ticket["id"])
            assert time.monotonic() < deadline, "the desk shows no ticket"
            time.sleep(0.05)

    def get(self, path: str) -> dict[str, Any]:
        response = self._client.get(f"/desk/api/{path}")
        assert response.status_code == 200, response.text
        return dict(response.json())

    def post(self, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        return self._client.post(f"/desk/api/{path}", json=body or {})

    def claim(self, ticket: dict[str, Any]) -> httpx.Response:
        return self.post(f"tickets/{ticket['id']}/claim")

    def reply(self, customer: Customer, text: str, client_id: str | None = None) -> httpx.Response:
        body = {"client_id": client_id or str(uuid.uuid4()), "text": text}
        return self.post(f"conversations/{customer.id}/replies", body)

    def resolve(self, customer: Customer) -> httpx.Response:
        return self.post(f"conversations/{customer.id}/resolve")

    def hand_back(self, customer: Customer, note: str = "") -> httpx.Response:
        return self.post(f"conversations/{customer.id}/hand-back", {"note": note})

    def conversation(self, customer: Customer) -> httpx.Response:
        return self._client.get(f"/desk/api/conversations/{customer.id}")

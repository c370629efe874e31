"""How live the desk is: part of `scripts/bench.py`, and by itself `python scripts/bench_desk.py`.

200 open conversations, 20 agents' pages connected, each of which looks as the page in the browser
does (an event stream, and one look after it for all news of a quarter of a second). Measured is the
time from an agent's click to the customer's page being able to read it; then the gateway's time for
the queue with 500 open tickets.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import typer

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.store.database import Database  # noqa: E402
from bot.support import Support  # noqa: E402
from tests.system import Customer, DeskAgent, System  # noqa: E402

PASSWORD = "a-long-password"
SHORTEST = 0.25  # as in live.js
SERVICE = ROOT / "tests" / "data" / "service.yml"


class Page(threading.Thread):
    """An open page of the desk."""

    def __init__(self, url: str, cookies: httpx.Cookies):
        super().__init__(daemon=True)
        # The stream stays open for as long as the page does; a look is a request of its own.
        self._stream = httpx.Client(
            base_url=url, cookies=cookies, timeout=httpx.Timeout(10, read=60)
        )
        self._looks = httpx.Client(base_url=url, cookies=cookies, timeout=30)
        self.looks: list[float] = []

    def run(self) -> None:
        with suppress(httpx.HTTPError), self._stream.stream("GET", "/desk/api/events") as stream:
            for line in stream.iter_lines():
                if line.startswith("event: news"):
                    begun = time.perf_counter()
                    self._looks.get("/desk/api/tickets")
                    self.looks.append(1000 * (time.perf_counter() - begun))
                    time.sleep(SHORTEST)


def spread(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "median": statistics.median(ordered),
        "p95": ordered[int(0.95 * (len(ordered) - 1))],
        "count": len(ordered),
    }


def measure(conversations: int = 200, pages: int = 20, replies: int = 60) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="rapport-bench-"))
    system = System(folder, SERVICE_FILE=str(SERVICE))
    try:
        system.start()
        customers = [system.customer() for _ in range(conversations)]
        for customer in customers:
            customer.press_person()
        agents = []
        for number in range(pages):
            email = f"bench{number}@x.example"
            system.run_command(
                "agent", "add", email, "--name", "Sam", "--password", "a-long-password"
            )
            agents.append(system.agent(email, "a-long-password"))
        looking = [Page(system.url, agent._client.cookies) for agent in agents]
        for page in looking:
            page.start()
        time.sleep(2)
        claims, answers = [], []
        tickets = {it["conversation_id"]: it for it in agents[0].tickets()}
        for number, customer in enumerate(customers[:replies]):
            agent = agents[number % pages]
            ticket = tickets[customer.id]
            claims.append(_until_seen(customer, partial(agent.claim, ticket)))
            answers.append(_until_seen(customer, partial(agent.reply, customer, "I will see.")))
            time.sleep(0.1)
        queue = _queue(system, agents[0], 500 - conversations)
    finally:
        system.stop()
        shutil.rmtree(folder, ignore_errors=True)
    looks = [it for page in looking for it in page.looks]
    return {
        "claim": spread(claims),
        "reply": spread(answers),
        "look": spread(looks),
        "queue": queue,
        "conversations": conversations,
        "pages": pages,
    }


def _until_seen(customer: Customer, act: Any) -> float:
    """Milliseconds from the click to the message being readable."""
    last = customer.messages()[-1]["id"]
    begun = time.perf_counter()
    answer = act()
    assert answer.status_code < 300, answer.text
    while not customer.messages(after=last):
        time.sleep(0.005)
    return 1000 * (time.perf_counter() - begun)


def _queue(system: System, agent: DeskAgent, more: int) -> dict[str, float]:
    """The time of the queue's request with so many tickets more."""
    support = Support(Database(f"sqlite:///{system.folder / 'var' / 'rapport.db'}"))
    for number in range(more):
        conversation = support.open_conversation("web").conversation_id
        support.request_person(
            conversation, cause=f"bench/{number}", reason_type="asked", reason="Asked for a person."
        )
    time.sleep(3)
    times = []
    for _ in range(30):
        begun = time.perf_counter()
        shown = agent.tickets()
        times.append(1000 * (time.perf_counter() - begun))
        time.sleep(0.1)
    return {**spread(times), "tickets": len(shown)}


def report(found: dict[str, Any]) -> list[str]:
    """A section for docs/benchmarks.md."""
    return [
        "## The desk", "",
        f"{found['conversations']} open conversations, {found['pages']} agents’ pages connected; from "
        "an agent’s click to the customer’s page being able to read it.", "",
        "| what | median ms | p95 ms | goal |", "|---|---|---|---|",
        f"| a claim | {found['claim']['median']:.0f} | {found['claim']['p95']:.0f} | p95 ≤ 300 |",
        f"| a reply | {found['reply']['median']:.0f} | {found['reply']['p95']:.0f} | p95 ≤ 300 |",
        f"| the queue with {found['queue']['tickets']} tickets, pages connected | "
        f"{found['queue']['median']:.0f} | {found['queue']['p95']:.0f} | ≤ 150 |", "",
    ]  # fmt: skip


if __name__ == "__main__":
    typer.echo(json.dumps(measure(), indent=2))

"""Speed and memory, as ratios against a stock Rasa assistant in the same run.

Run with ``make bench``; writes ``docs/benchmarks.md``. The baseline is what ``rasa init`` makes
(DIET, ResponseSelector, TED, UnexpecTED), with one custom action per turn. Both engines call the
same trivial action server, so that the difference is the engines' own.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import psutil
import typer
import uvicorn
import yaml
from fastapi import FastAPI, Request

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.launch import engine_environment  # noqa: E402
from bot.orders.demo.cases import CASES  # noqa: E402
from bot.settings import Settings  # noqa: E402
from scripts import bench_channels, bench_desk, bench_knowledge  # noqa: E402
from tests.postgres import free_port  # noqa: E402
from tests.system import System  # noqa: E402

ENGINE_PYTHON = ROOT / ".venv-engine" / "bin" / "python"
STOCK = ROOT / "var" / "bench" / "stock"
SECRET = "a-secret-of-the-benchmark"
# What the stock assistant answers by a rule, so with exactly one action a turn.
TALK = ("bye", "are you a bot?", "see you later", "am I talking to a human?", "goodbye")
QUESTIONS = (
    "how long does a return take?",
    "do you deliver to Norway and what does it cost",
    "how do i wash my down jacket",
    "can I pay with a gift card and a credit card together?",
    "my zip broke after a year, is that covered",
)


def stock_model() -> Path:
    """The trained baseline: `rasa init`, and a custom action instead of each response."""
    if (STOCK / "models" / "stock.tar.gz").exists():
        return STOCK / "models" / "stock.tar.gz"
    shutil.rmtree(STOCK, ignore_errors=True)
    STOCK.mkdir(parents=True)
    print("training the stock assistant (a few minutes, once) ...", flush=True)
    engine("init", "--no-prompt", "--init-dir", ".", cwd=STOCK)
    domain = yaml.safe_load((STOCK / "domain.yml").read_text())
    domain["actions"] = sorted(f"action_{name}" for name in domain["responses"])
    (STOCK / "domain.yml").write_text(yaml.safe_dump(domain))
    for path in (STOCK / "data").glob("*.yml"):
        text = path.read_text()
        if path.name != "nlu.yml":
            text = text.replace("action: utter_", "action: action_utter_")
        path.write_text(text)
    engine("train", "--fixed-model-name", "stock", cwd=STOCK)
    return STOCK / "models" / "stock.tar.gz"


def engine(*words: str, cwd: Path) -> None:
    environment = {**os.environ, "RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [ENGINE_PYTHON, "-m", "rasa", *words],
        cwd=cwd, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"rasa {words[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def action_server(port: int) -> uvicorn.Server:
    """Says one sentence, whatever action is asked for."""
    app = FastAPI()

    @app.post("/webhook")
    async def webhook(request: Request) -> dict[str, Any]:
        await request.body()
        return {"events": [], "responses": [{"text": "done"}]}

    return uvicorn.Server(
        uvicorn.Config(app, port=port, log_level="critical", access_log=False, workers=1)
    )


@contextmanager
def running_engine(model: Path, actions_port: int, *, ours: bool):
    """An engine on a free port; yields its base URL and its process."""
    folder = Path(tempfile.mkdtemp(prefix="rapport-bench-"))
    port = free_port()
    store = "bot.engine.tracker_store.RapportTrackerStore" if ours else "SQL"
    tracker = {"type": store, "dialect": "sqlite", "db": str(folder / "tracker.db")}
    endpoints = {
        "action_endpoint": {
            "url": f"http://127.0.0.1:{actions_port}/webhook",
            **({"enable_selective_domain": True} if ours else {}),
        },
        "tracker_store": tracker,
    }
    (folder / "endpoints.yml").write_text(yaml.safe_dump(endpoints))
    credentials = {"bot.engine.connector.RapportInput": {}} if ours else {"rest": {}}
    (folder / "credentials.yml").write_text(yaml.safe_dump(credentials))
    process = subprocess.Popen(
        [ENGINE_PYTHON, "-m", "bot.engine" if ours else "rasa", "run", "--model", model,
         "--endpoints", folder / "endpoints.yml", "--credentials", folder / "credentials.yml",
         "-i", "127.0.0.1", "-p", str(port)],
        cwd=ROOT if ours else STOCK,
        # Each as its users start it: ours in the supervisor's environment.
        env=engine_environment(Settings(engine_secret=SECRET)) if ours else {
            **os.environ, "RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3",
            "LOG_LEVEL": "ERROR", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                path = "/webhooks/rapport/ready" if ours else "/status"
                answer = httpx.get(url + path, headers={"Authorization": f"Bearer {SECRET}"})
                if answer.status_code in ((200,) if ours else (200, 404)):
                    break
            except httpx.HTTPError:
                pass
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit("the engine did not start")
            time.sleep(0.2)
        yield url, process
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


async def throughput(
    ask: Callable[[httpx.AsyncClient, str, int], Awaitable[None]], conversations: int, turns: int
) -> dict[str, float]:
    """Messages a second of parallel conversations, and the latency of a message in ms."""
    times: list[float] = []

    async def talk(client: httpx.AsyncClient) -> None:
        name = uuid.uuid4().hex
        for number in range(turns):
            started = time.perf_counter()
            await ask(client, name, number)
            times.append(1000 * (time.perf_counter() - started))

    async with httpx.AsyncClient(timeout=60) as client:
        await asyncio.gather(*(talk(client) for _ in range(2)))  # warm-up
        times.clear()
        started = time.perf_counter()
        await asyncio.gather(*(talk(client) for _ in range(conversations)))
        wall = time.perf_counter() - started
    return {"rate": len(times) / wall, **spread(times)}


def spread(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "median": statistics.median(ordered),
        "p95": ordered[int(0.95 * (len(ordered) - 1))],
        "count": len(ordered),
    }


async def measure_engines(rounds: int, conversations: int, turns: int) -> dict[str, Any]:
    model = stock_model()
    port = free_port()
    server = action_server(port)
    serving = asyncio.create_task(server.serve())
    results: dict[str, list[dict[str, float]]] = {"stock": [], "rapport": []}
    try:
        for _ in range(rounds):
            with running_engine(model, port, ours=False) as (url, process):
                address = f"{url}/webhooks/rest/webhook"

                async def ask_stock(
                    client: httpx.AsyncClient, name: str, number: int, address: str = address
                ) -> None:
                    text = TALK[number % len(TALK)]
                    answer = await client.post(address, json={"sender": name, "message": text})
                    assert answer.json(), "the stock assistant said nothing"

                result = await throughput(ask_stock, conversations, turns)
                results["stock"].append({**result, "rss": process_rss(process)})
            ours = ROOT / "models" / "engine" / "rapport.tar.gz"
            with running_engine(ours, port, ours=True) as (url, process):
                address = f"{url}/webhooks/rapport/ask"

                async def ask_ours(
                    client: httpx.AsyncClient, name: str, number: int, address: str = address
                ) -> None:
                    answer = await client.post(
                        address,
                        json={"conversation_id": name, "turn_id": uuid.uuid4().hex,
                              "text": QUESTIONS[number % len(QUESTIONS)]},
                        headers={"Authorization": f"Bearer {SECRET}"},
                    )  # fmt: skip
                    assert "done" in answer.text, answer.text

                result = await throughput(ask_ours, conversations, turns)
                results["rapport"].append({**result, "rss": process_rss(process)})
    finally:
        server.should_exit = True
        await serving
    return {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for name, runs in results.items()
    }


def process_rss(process: subprocess.Popen[bytes]) -> int:
    root = psutil.Process(process.pid)
    return sum(p.memory_info().rss for p in [root, *root.children(recursive=True)])


def measure_understanding(rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds to understand a message on one core: the median of the runs, in turn."""
    models = {
        "stock": (stock_model(), STOCK),
        "rapport": (ROOT / "models" / "engine" / "rapport.tar.gz", ROOT),
    }
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in models}
    for _ in range(rounds):
        for name, (model, folder) in models.items():
            done = subprocess.run(
                [ENGINE_PYTHON, ROOT / "scripts" / "bench_understanding.py", model],
                cwd=folder, capture_output=True, text=True,
                env={**os.environ, "RASA_TELEMETRY_ENABLED": "false"},
            )  # fmt: skip
            if done.returncode:
                sys.exit(f"bench_understanding.py failed:\n{done.stderr[-2000:]}")
            runs[name].append(json.loads(done.stdout.splitlines()[-1]))
    return {
        name: {key: statistics.median(run[key] for run in found) for key in found[0]}
        for name, found in runs.items()
    }


def measure_whole_path(messages: int) -> dict[str, Any]:
    """One customer on the web API: from the request that sends to the reply being readable."""
    folder = Path(tempfile.mkdtemp(prefix="rapport-bench-"))
    system = System(folder)
    started = time.monotonic()
    try:
        system.start()
        ready = time.monotonic() - started
        customer = system.customer()
        for text in QUESTIONS:
            customer.ask(text)
        times, accepted, jobs = [], [], []
        order = CASES["dispatched_on_time"]
        for number in range(messages):
            if number % 50 == 0:
                customer, buyer = system.customer(), system.customer()
                buyer.ask(f"where is order {order.number}? {order.email}")  # proven from here on
            begun = time.perf_counter()
            sent = customer.write(QUESTIONS[number % len(QUESTIONS)])
            accepted.append(1000 * (time.perf_counter() - begun))
            while not customer.messages(after=sent):
                time.sleep(0.002)
            times.append(1000 * (time.perf_counter() - begun))
            if number % 2:
                continue
            begun = time.perf_counter()
            sent = buyer.write(f"where is order {order.number}?")
            while not buyer.messages(after=sent):
                time.sleep(0.002)
            jobs.append(1000 * (time.perf_counter() - begun))
        memory = system.memory()
    finally:
        system.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "path": spread(times),
        "jobs": spread(jobs),
        "accepted": spread(accepted),
        "ready": ready,
        "memory": memory,
    }


def report(
    engines: dict[str, Any], path: dict[str, Any], understanding: dict[str, Any], command: str
) -> str:
    ours, stock = engines["rapport"], engines["stock"]
    heard, plain = understanding["rapport"], understanding["stock"]
    memory = path["memory"]
    total = sum(memory.values())
    rows = [
        ("Engine throughput against stock", f"{ours['rate'] / stock['rate']:.1f} ×", "≥ 4 ×"),
        ("Understanding a message, one core, median", f"{heard['median']:.1f} ms", "≤ 6 ms"),
        ("Stock's understanding, without emotion", f"{plain['median']:.1f} ms", "4 × ours"),
        ("Whole path, median", f"{path['path']['median']:.0f} ms", "≤ 60 ms"),
        ("Whole path, 95th percentile", f"{path['path']['p95']:.0f} ms", "≤ 150 ms"),
        (
            "A job's turn (where an order is) against an answer's, medians",
            f"{path['jobs']['median'] / path['path']['median']:.2f} ×",
            "≤ 1.3 ×",
        ),
        ("Start to ready, trained system", f"{path['ready']:.1f} s", "≤ 20 s"),
        ("Resident memory, both processes", f"{total / 1e9:.2f} GB", "≤ 1.3 GB"),
    ]
    lines = [
        "# Benchmarks", "",
        f"Made by `{command}` on {time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, "
        f"Python {sys.version.split()[0]}. Absolute times are of that machine; ratios are of one "
        "run.", "",
        "| what | measured | goal |", "|---|---|---|",
        *[f"| {name} | {value} | {goal} |" for name, value, goal in rows], "",
        "## Engines", "",
        "Stock is what `rasa init` makes (DIET, ResponseSelector, TED, UnexpecTED) with one custom "
        "action per turn; ours is `models/engine/rapport.tar.gz`. Both call the same trivial action "
        f"server; {ours['count']:.0f} messages of parallel conversations a run, the median of the "
        "runs, the two engines in turn.", "",
        "| engine | messages/s | median ms | p95 ms | resident MB |", "|---|---|---|---|---|",
        *[
            f"| {name} | {row['rate']:.1f} | {row['median']:.1f} | {row['p95']:.1f} | "
            f"{row['rss'] / 1e6:.0f} |"
            for name, row in engines.items()
        ], "",
        "## Understanding", "",
        "`Agent.parse_message` in a process of its own on one core, "
        f"{heard['count']:.0f} messages of one to sixteen words. Ours: sentence vector, intent, "
        "several wishes, entities, emotion. Stock: DIET and ResponseSelector, no emotion.", "",
        "| pipeline | median ms | p95 ms |", "|---|---|---|",
        *[
            f"| {name} | {row['median']:.1f} | {row['p95']:.1f} |"
            for name, row in understanding.items()
        ], "",
        "## The whole path", "",
        "One customer on the web API; from sending the request to the reply being readable, polled "
        f"every 2 ms; {path['path']['count']} messages. Accepting alone (the message is stored when "
        f"202 arrives): median {path['accepted']['median']:.1f} ms, 95th percentile "
        f"{path['accepted']['p95']:.1f} ms. Resident memory: gateway "
        f"{memory['gateway'] / 1e6:.0f} MB, engine {memory['engine'] / 1e6:.0f} MB.", "",
    ]  # fmt: skip
    return "\n".join(lines)


def main(
    rounds: Annotated[int, typer.Option(help="How often both engines are measured.")] = 3,
    conversations: Annotated[int, typer.Option(help="Conversations at a time.")] = 8,
    turns: Annotated[int, typer.Option(help="Messages a conversation.")] = 30,
    messages: Annotated[int, typer.Option(help="Messages on the whole path.")] = 200,
    knowledge: Annotated[bool, typer.Option(help="Measure the knowledge base, too.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures, write nothing.")] = False,
) -> None:
    """Measure speed and memory, and write docs/benchmarks.md.

    A million passages take 15 GB and half an hour: `python scripts/bench_knowledge.py --size 1000000`.
    """
    path = measure_whole_path(messages)
    understanding = measure_understanding(rounds)
    engines = asyncio.run(measure_engines(rounds, conversations, turns))
    desk = bench_desk.measure()
    channels = bench_channels.measure()
    articles = bench_knowledge.measure() if knowledge else None
    if as_json:
        print(json.dumps(
            {"engines": engines, "whole_path": path, "understanding": understanding,
             "desk": desk, "channels": channels, "knowledge_base": articles}
        ))  # fmt: skip
        return
    text = report(engines, path, understanding, "make bench")
    text += "\n" + "\n".join(bench_desk.report(desk))
    text += "\n" + "\n".join(bench_channels.report(channels))
    if articles:
        text += "\n" + "\n".join(bench_knowledge.report(articles))
    (ROOT / "docs" / "benchmarks.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    typer.run(main)

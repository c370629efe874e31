"""How texting holds up: part of `scripts/bench.py`, and by itself `python scripts/bench_channels.py`.

First: how soon a webhook is acknowledged at 50 a second, while every engine turn takes two seconds.
Then: webhooks delivered one to four times each, in random order, to two gateways on one PostgreSQL;
afterwards each message must be there once, have had one turn, and be answered by one text. Vendor and
engine are local servers; gateways and store are the real ones.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from sqlalchemy import create_engine, text

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.simulate.twilio import ACCOUNT, NUMBER, TOKEN, LocalTwilio  # noqa: E402
from tests.contract.stand_in_engine import SECRET, StandInEngine  # noqa: E402
from tests.postgres import Cluster, find_binaries, free_port  # noqa: E402

PUBLIC = "https://support.example.com"
A_SECOND = 50
ENGINE_SECONDS = 2.0
NUMBERS = 1000


@contextmanager
def gateway(folder: Path, engine: StandInEngine, twilio: LocalTwilio, **more: str) -> Iterator[str]:
    """A gateway process; its address."""
    port = free_port()
    environment = {
        **os.environ,
        "DATA_DIR": str(folder),
        "PORT": str(port),
        "ACTIONS_PORT": str(free_port()),
        "ENGINE_PORT": engine.url.rsplit(":", 1)[1],
        "ENGINE_SECRET": SECRET,
        "PUBLIC_URL": PUBLIC,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_API_URL": twilio.url,
        "SMS_FROM": NUMBER,
        "SMS_QUIET": "",
        "SMS_DAILY_NUMBER": "100000",
        "SMS_DAILY_COUNTRY": "1000000",
        "SERVICE_FILE": str(ROOT / "tests" / "data" / "service.yml"),
        "LOG_LEVEL": "ERROR",
        **more,
    }
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "gateway.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "gateway"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _until_live(url)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _until_live(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{url}/health/live").status_code == 200:
                return
        except httpx.HTTPError:
            pass
        if time.monotonic() > deadline:
            raise RuntimeError("the gateway does not start")
        time.sleep(0.1)


def number(at: int) -> str:
    return f"+447400{at:06d}"


def acknowledged(messages: int = 1000) -> dict[str, Any]:
    """Milliseconds until a webhook is answered, at 50 a second, with a slow engine."""
    with ExitStack() as stack:
        engine = stack.enter_context(StandInEngine())
        twilio = stack.enter_context(LocalTwilio())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(gateway(folder, engine, twilio))
        engine.pause = ENGINE_SECONDS
        twilio.public = f"{PUBLIC}/channels/sms"
        twilio.webhook = f"{url}/channels/sms"
        pool = stack.enter_context(ThreadPoolExecutor(32))
        local = threading.local()

        def text_in(at: int) -> float:
            if not hasattr(local, "client"):
                local.client = httpx.Client(timeout=30)
            fields = twilio.fields(number(at), f"question {at}")
            begun = time.perf_counter()
            answer = _post(twilio, local.client, fields)
            assert answer.status_code == 200, answer.text
            return 1000 * (time.perf_counter() - begun)

        pending = []
        start = time.perf_counter()
        for at in range(messages):
            time.sleep(max(0.0, start + at / A_SECOND - time.perf_counter()))
            pending.append(pool.submit(text_in, at))
        times = sorted(it.result() for it in pending)
        answered = _all_answered(twilio, messages, seconds=120)
    return {
        "messages": messages,
        "a_second": A_SECOND,
        "engine_seconds": ENGINE_SECONDS,
        "median": statistics.median(times),
        "p99": times[int(0.99 * len(times))],
        "answered": answered,
    }


def _post(twilio: LocalTwilio, client: httpx.Client, fields: dict[str, str], url: str = "") -> Any:
    from urllib.parse import urlencode

    from bot.simulate.twilio import signed

    headers = signed(twilio.public, fields, token=TOKEN)
    body = urlencode(fields).encode()
    return client.post(url or twilio.webhook, content=body, headers=headers)


def _all_answered(twilio: LocalTwilio, wanted: int, seconds: float) -> int:
    """How many texts left, once they are all there or nothing has come for a while."""
    deadline, last = time.monotonic() + seconds, -1
    while len(twilio.messages) < wanted and time.monotonic() < deadline:
        if len(twilio.messages) != last:
            last, deadline = len(twilio.messages), time.monotonic() + seconds
        time.sleep(0.2)
    return len(twilio.messages)


def repeated(messages: int = 10_000, seed: int = 20261123) -> dict[str, Any]:
    """Webhooks one to four times each, in random order, to two gateways on PostgreSQL."""
    binaries = find_binaries()
    if binaries is None:
        return {}
    rng = random.Random(seed)
    with ExitStack() as stack:
        engine = stack.enter_context(StandInEngine())
        twilio = stack.enter_context(LocalTwilio())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "pg").mkdir()
        folder.chmod(0o755)  # the server runs as another user where this one is root
        cluster = Cluster(binaries, folder / "pg")
        cluster.start()
        stack.callback(cluster.stop)
        database = cluster.create_database()
        urls = [
            stack.enter_context(gateway(folder / name, engine, twilio, DATABASE_URL=database))
            for name in ("one", "two")
        ]
        twilio.public = f"{PUBLIC}/channels/sms"
        webhooks = [
            twilio.fields(number(at % NUMBERS), f"message {at}", sid=f"SM{at:032d}")
            for at in range(messages)
        ]
        sent = [it for it in webhooks for _ in range(rng.randint(1, 4))]
        rng.shuffle(sent)
        targets = [f"{rng.choice(urls)}/channels/sms" for _ in sent]
        local = threading.local()

        def deliver(fields: dict[str, str], url: str) -> int:
            if not hasattr(local, "client"):
                local.client = httpx.Client(timeout=60)
            return int(_post(twilio, local.client, fields, url).status_code)

        begun = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            statuses = Counter(pool.map(deliver, sent, targets))
        taken = time.monotonic() - begun
        _all_answered(twilio, messages, seconds=60)
        time.sleep(3)  # time for one too many
        rows = _counts(database)
        bodies = Counter((it.to, it.body) for it in twilio.messages)
    return {
        "messages": messages,
        "webhooks": len(sent),
        "statuses": dict(statuses),
        "seconds": round(taken, 1),
        **rows,
        "texts": sum(bodies.values()),
        "texts_more_than_once": sum(1 for count in bodies.values() if count > 1),
    }


def _counts(database: str) -> dict[str, int]:
    engine = create_engine(database.replace("postgresql://", "postgresql+pg8000://"))
    asked = {
        "stored": "SELECT count(*) FROM messages WHERE author = 'customer'",
        "conversations": "SELECT count(*) FROM conversations",
        "turns": "SELECT count(*) FROM turns WHERE outcome = 'answered'",
        "replies": "SELECT count(*) FROM messages WHERE author = 'bot'",
        "delivered": "SELECT count(*) FROM deliveries WHERE state = 'sent'",
    }
    with engine.connect() as tx:
        found = {name: int(tx.execute(text(query)).scalar_one()) for name, query in asked.items()}
    engine.dispose()
    return found


def measure() -> dict[str, Any]:
    return {"acknowledged": acknowledged(), "repeated": repeated()}


def report(found: dict[str, Any]) -> list[str]:
    """The section of docs/benchmarks.md."""
    first, second = found["acknowledged"], found["repeated"]
    lines = [
        "## Texting",
        "",
        "A webhook is acknowledged once the message is stored; meanwhile every engine turn takes "
        f"{first['engine_seconds']:.0f} s. {first['messages']} at {first['a_second']} a second, on "
        f"SQLite; {first['answered']} answers left.",
        "",
        "| what | measured | goal |",
        "|---|---|---|",
        f"| acknowledged, median | {first['median']:.0f} ms | |",
        f"| acknowledged, 99th percentile | {first['p99']:.0f} ms | ≤ 250 ms |",
    ]
    if second:
        lines += [
            "",
            f"{second['messages']} messages of {NUMBERS} numbers as {second['webhooks']} webhooks, one "
            "to four of each in random order, to two gateways on one PostgreSQL, in "
            f"{second['seconds']:.0f} s:",
            "",
            "| stored | conversations | turns | replies | texts sent | sent more than once |",
            "|---|---|---|---|---|---|",
            f"| {second['stored']} | {second['conversations']} | {second['turns']} | "
            f"{second['replies']} | {second['texts']} | {second['texts_more_than_once']} |",
        ]
    return [*lines, ""]


def main(
    messages: Annotated[int, typer.Option(help="Messages that come one to four times.")] = 10_000,
) -> None:
    """Measure, and print what was found."""
    found = {"acknowledged": acknowledged(), "repeated": repeated(messages)}
    typer.echo(json.dumps(found, indent=2))


if __name__ == "__main__":
    typer.run(main)

"""Which processes make up a running Rapport, what each is given, and what is said when it is up."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml

from bot.child_logs import log_file, skeleton
from bot.settings import ROOT, Settings
from bot.supervisor import Child, Supervisor

STORE = "bot.engine.tracker_store.RapportTrackerStore"
ENGINE_PYTHON = ROOT / ".venv-engine" / "bin" / "python"
SLOW_START = 60  # seconds after which we say that something takes too long


class AlreadyRunning(RuntimeError):
    """Another Rapport runs from the same DATA_DIR."""


def run(settings: Settings, say: Callable[[str], None] = print) -> None:
    """Run engine and gateway until stopped. Raises AlreadyRunning."""
    started = time.monotonic()
    with only_one(settings):
        supervisor = Supervisor([engine(settings), gateway(settings)], say)
        threading.Thread(
            target=_announce, args=(settings, supervisor, say, started), daemon=True
        ).start()
        supervisor.run()


def gateway(settings: Settings) -> Child:
    """The gateway: our own environment and all settings."""
    return Child(
        "gateway",
        [sys.executable, "-m", "bot", "gateway"],
        cwd=ROOT,
        log=log_file(settings.data_dir / "log" / "gateway.log"),
    )


def engine(settings: Settings) -> Child:
    """The Rasa engine: old parts inside, so it gets an environment of its own making and nothing
    that it does not need."""
    # With LOG_LEVEL=DEBUG everything is kept, what customers wrote included.
    keep = str if settings.log_level.upper() == "DEBUG" else skeleton
    return Child(
        "engine",
        [
            ENGINE_PYTHON, "-m", "bot.engine", "run",
            "--model", settings.models_dir / "engine" / "rapport.tar.gz",
            "--endpoints", write_endpoints(settings),
            "--credentials", ROOT / "credentials.yml",
            "-i", "127.0.0.1",
            "-p", str(settings.engine_port),
        ],
        env=engine_environment(settings),
        cwd=ROOT,
        log=log_file(settings.data_dir / "log" / "engine.log"),
        keep=keep,
    )  # fmt: skip


def engine_environment(settings: Settings) -> dict[str, str]:
    """Everything the engine is told. No setting of ours but the secret that both share."""
    passed = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    return passed | {
        "PYTHONPATH": str(ROOT),
        "ENGINE_SECRET": settings.shared_secret,
        "TICKET_LOCK_LIFETIME": "300",  # Rasa's 60 s let later messages overtake a slow action
        "SANIC_WORKERS": "1",
        "RASA_TELEMETRY_ENABLED": "false",
        "LOG_LEVEL": "DEBUG" if settings.log_level.upper() == "DEBUG" else "WARNING",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # One thread each: turns run side by side, and the gateway wants the other core.
        "OMP_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_INTRA_OP_PARALLELISM_THREADS": "1",
        "TF_INTER_OP_PARALLELISM_THREADS": "1",
    }


def write_endpoints(settings: Settings) -> Path:
    """endpoints.yml with this installation's ports and databases, for this user's eyes only."""
    endpoints = yaml.safe_load((ROOT / "endpoints.yml").read_text(encoding="utf-8")) or {}
    endpoints["action_endpoint"] = {
        **(endpoints.get("action_endpoint") or {}),
        "url": f"http://127.0.0.1:{settings.actions_port}/webhook",
    }
    endpoints["tracker_store"] = tracker_store(settings)
    path = settings.data_dir / "engine" / "endpoints.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.unlink(missing_ok=True)
    with open(partial, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        # JSON is YAML, and Rasa leaves ${...} in quoted text alone: a password may hold anything.
        file.write("# Made from endpoints.yml at each start.\n" + json.dumps(endpoints, indent=2))
    partial.replace(path)
    return path


def tracker_store(settings: Settings) -> dict[str, Any]:
    """Rasa's words for the tracker store: PostgreSQL by URL, or SQLite in DATA_DIR."""
    url = settings.tracker_database_url.get_secret_value()
    if not url:
        return {"type": STORE, "dialect": "sqlite", "db": str(settings.data_dir / "tracker.db")}
    parts = urlsplit(url)
    if parts.scheme.split("+")[0] not in {"postgres", "postgresql"} or not parts.hostname:
        raise ValueError("TRACKER_DATABASE_URL must look like postgresql://user:password@host/name")
    store: dict[str, Any] = {
        "type": STORE,
        "dialect": "postgresql",
        "url": parts.hostname,
        "port": parts.port or 5432,
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "db": unquote(parts.path.lstrip("/")),
    }
    return store | ({"query": dict(parse_qsl(parts.query))} if parts.query else {})


def taken_ports(settings: Settings) -> list[str]:
    """For each port that something else holds: which, and the setting that changes it."""
    wanted = [
        ("PORT", settings.host, settings.port, "the web server"),
        ("ENGINE_PORT", "127.0.0.1", settings.engine_port, "the engine"),
        ("ACTIONS_PORT", "127.0.0.1", settings.actions_port, "the engine's calls to our actions"),
    ]
    return [
        f"{host}:{port}, for {purpose}, cannot be used ({why}); choose another with {setting}="
        for setting, host, port, purpose in wanted
        if (why := _cannot_listen(host, port))
    ]


def _cannot_listen(host: str, port: int) -> str:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return ""


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Hold DATA_DIR's lock. Raises AlreadyRunning."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with (settings.data_dir / "run.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(f"Rapport runs already from {settings.data_dir}.") from None
        yield


def is_running(settings: Settings) -> bool:
    """Whether a supervisor holds DATA_DIR's lock."""
    try:
        with only_one(settings):
            return False
    except AlreadyRunning:
        return True


def health(settings: Settings, timeout: float = 1.0) -> int:
    """The status of the gateway's /health/ready; 0 when nobody answers."""
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - asked, not bound
    host = anywhere.get(settings.host, settings.host)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{host}:{settings.port}/health/ready", timeout=timeout) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _announce(
    settings: Settings, supervisor: Supervisor, say: Callable[[str], None], started: float
) -> None:
    """Wait until the gateway says that all is ready, and say where to look."""
    told = False
    while not supervisor.stopping:
        if health(settings) == 200:
            say(welcome(settings, time.monotonic() - started))
            return
        if not told and time.monotonic() - started > SLOW_START:
            told = True
            say(f"not ready after {SLOW_START} s; look into {settings.data_dir / 'log'}")
        time.sleep(0.2)


def welcome(settings: Settings, seconds: float) -> str:
    """What a person needs to know first."""
    origin = settings.origin
    lines = [
        "",
        f"Rapport is ready, after {seconds:.1f} s.",
        "",
        f"  The shop, with the chat   {origin}/",
        f"  Help centre               {origin}/help",
        f"  Agents' desk              {origin}/desk",
    ]
    login = settings.data_dir / "first-login.txt"
    if login.is_file():
        lines += [f"      {line}" for line in login.read_text(encoding="utf-8").splitlines()]
        lines += [f"      (from {login}, which is deleted after the first log-in)"]
    lines += [
        f"  API                       {origin}/openapi.json",
        "",
        f"Logs: {settings.data_dir / 'log'}. Ctrl-C stops it.",
        "",
    ]
    return "\n".join(lines)

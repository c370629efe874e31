"""A local server that speaks the contract of `docs/orders-api.yaml`, with the demo shop behind it.
For trying the interface without a shop, and for tests, which can make it fail in every way in which
a shop does.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from anyio.from_thread import start_blocking_portal

from bot.orders import wire
from bot.orders.contract import (
    Address,
    Conflict,
    Done,
    Money,
    NotAllowed,
    NotFound,
    OrderError,
    Part,
    ProblemReport,
    ReturnRequest,
    Unavailable,
)
from bot.orders.demo import DemoShop

TOKEN = "a-token-of-the-local-shop"
LARGEST = 64 * 1024

Fault = Callable[["_Handler"], bool]


class LocalShop:
    """The shop, in a thread, from ``with`` to its end.

    Args:
        demo: what stands behind it.
        token: that callers need.
        port: 0: any that is free.
    """

    def __init__(self, demo: DemoShop, *, token: str = TOKEN, port: int = 0):
        self.demo = demo
        self.token = token
        self.calls: list[tuple[str, str, bytes]] = []  # method, path, body
        self.answers: list[tuple[str, str, int, Any]] = []  # method, path, status, body
        self.faults: deque[tuple[str, Fault]] = deque()  # with a part of the path they are for
        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
        self._server.daemon_threads = True
        self._server.shop = self  # type: ignore[attr-defined]
        self._portal = start_blocking_portal()
        self.url = f"http://127.0.0.1:{self._server.server_port}/rapport"

    def __enter__(self) -> LocalShop:
        self.run = self._portal.__enter__().call
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.run(self.demo.close)
        self._portal.__exit__(None, None, None)

    def fail(self, *faults: Fault, at: str = "") -> None:
        """What goes wrong with the next calls, one each; ``at``: only calls with this in their path."""
        with self.lock:
            self.faults.extend((at, fault) for fault in faults)

    def fault(self, path: str) -> Fault | None:
        """The fault that a call meets."""
        for pair in self.faults:
            if pair[0] in path:
                self.faults.remove(pair)
                return pair[1]
        return None


# Faults.


def status(code: int, retry_after: int | None = None, **headers: str) -> Fault:
    """Answers with a status that is no problem of ours, and does nothing."""

    def fault(handler: _Handler) -> bool:
        more = {} if retry_after is None else {"Retry-After": str(retry_after)}
        handler.send(code, b"<html>no</html>", "text/html", {**more, **headers})
        return True

    return fault


def error_after(handler: _Handler) -> bool:
    """Does what is asked, and answers 500."""
    handler.instead = (500, b"oops", "text/plain")
    return False


def reset_before(handler: _Handler) -> bool:
    """Cuts the connection before it does anything."""
    handler.cut()
    return True


def reset_after(handler: _Handler) -> bool:
    """Does what is asked, and cuts the connection instead of answering."""
    handler.dumb = True
    return False


def slow(seconds: float) -> Fault:
    """Takes its time, and does what is asked."""

    def fault(handler: _Handler) -> bool:
        time.sleep(seconds)
        return False

    return fault


def slow_after(seconds: float) -> Fault:
    """Does what is asked, and takes its time to answer."""

    def fault(handler: _Handler) -> bool:
        handler.pause = seconds
        return False

    return fault


def garbage(body: bytes = b'{"number": "NP-1', code: int = 200) -> Fault:
    """Does what is asked, and answers something else."""

    def fault(handler: _Handler) -> bool:
        handler.instead = (code, body, "application/json")
        return False

    return fault


def changed(change: Callable[[Any], Any]) -> Fault:
    """Does what is asked, and answers with something changed in it."""

    def fault(handler: _Handler) -> bool:
        handler.change = change
        return False

    return fault


def fine(handler: _Handler) -> bool:
    """Nothing goes wrong with this one."""
    return False


class _Invalid(Exception):
    """A request that does not fit the contract; the text says where."""


class _Handler(BaseHTTPRequestHandler):
    """One request to the interface."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def shop(self) -> LocalShop:
        found: LocalShop = self.server.shop  # type: ignore[attr-defined]
        return found

    def log_message(self, *_: Any) -> None:
        """Keeps quiet."""

    def do_GET(self) -> None:
        self._do(b"")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LARGEST:
            self.close_connection = True
            self._problem(413, "invalid", "The body is too large.")
            return
        self._do(self.rfile.read(int(length)))

    def _do(self, body: bytes) -> None:
        self.dumb, self.pause = False, 0.0  # one handler sees all requests of its connection
        self.instead: tuple[int, bytes, str] | None = None
        self.change: Callable[[Any], Any] | None = None
        with self.shop.lock:
            self.shop.calls.append((self.command, self.path, body))
            fault = self.shop.fault(self.path)
        if fault and fault(self):
            return
        if self.headers.get("Authorization") != f"Bearer {self.shop.token}":
            self._problem(401, "unauthorized", "The token is missing or wrong.")
            return
        try:
            self.answer(200, self._answer_to(body))
        except _Invalid as error:
            self._problem(400, "invalid", str(error))
        except NotFound as error:
            self._problem(404, "not_found", str(error))
        except NotAllowed as error:
            self._problem(403, "not_allowed", str(error))
        except Conflict as error:
            self._problem(409, "conflict", str(error))
        except (Unavailable, OrderError) as error:
            self._problem(503, "unavailable", str(error))

    def _answer_to(self, body: bytes) -> Any:
        parts = urlsplit(self.path)
        if not parts.path.startswith("/rapport/"):
            raise NotFound("nothing is here")
        steps = [unquote(it) for it in parts.path.split("/")[2:]]
        if self.command == "POST":
            return self._post(steps, body)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        demo = self.shop.demo
        match steps:
            case [""]:
                name = self.shop.run(demo.check)
                return {"name": name, "version": "1", "can": sorted(demo.can)}
            case ["orders", number]:
                return wire.write(self.shop.run(demo.order, number))
            case ["customers", ident]:
                return wire.write(self.shop.run(demo.customer, ident))
            case ["customers", ident, "orders"]:
                limit = query.get("limit", "10")
                if not re.fullmatch("[0-9]{1,3}", limit):
                    raise _Invalid("limit: a number")
                found = self.shop.run(demo.orders_of, ident, int(limit))
                return [wire.write(order) for order in found]
            case ["outcomes", key]:
                done = self.shop.run(demo.outcome, self._checked(key))
                return {"done": None if done is None else wire.write(done)}
        raise NotFound("nothing is here")

    def _post(self, steps: list[str], body: bytes) -> Any:
        demo, run = self.shop.demo, self.shop.run
        match steps:
            case ["customers", "find"]:
                return wire.write(run(demo.customer_by_email, self._fields(body, "email")[0]))
            case ["gift-cards", "balance"]:
                return wire.write(run(demo.gift_card, self._fields(body, "code")[0]))
        key = self._checked(self.headers.get("Idempotency-Key", ""))
        return wire.write(self._write(steps, body, key))

    def _write(self, steps: list[str], body: bytes, key: str) -> Done:
        demo = self.shop.demo

        def run(method: Callable[..., Any], *arguments: Any, **more: Any) -> Done:
            done: Done = self.shop.run(lambda: method(*arguments, key=key, **more))
            return done

        match steps:
            case ["newsletter", "unsubscribe"]:
                return run(demo.unsubscribe, self._fields(body, "email")[0])
            case ["customers", ident, "contact"]:
                email, phone = self._fields(body, "email", "phone")
                return run(demo.change_contact, ident, email=email, phone=phone)
            case ["orders", number, "cancellation"]:
                parts = _read(tuple[Part, ...], json.dumps(_object(body).get("parts")))
                return run(demo.cancel, number, parts)
            case ["orders", number, "returns"]:
                return run(demo.start_return, number, _read(ReturnRequest, body))
            case ["orders", number, "reports"]:
                return run(demo.report, number, _read(ProblemReport, body))
            case ["orders", number, "address"]:
                return run(demo.change_address, number, _read(Address, body))
            case ["orders", number, "invoice"]:
                return run(demo.send_invoice, number)
            case ["orders", number, "credit"]:
                amount = _read(Money, json.dumps(_object(body).get("amount")))
                return run(demo.give_credit, number, amount, self._fields(body, "reason")[0])
        raise NotFound("nothing is here")

    def _checked(self, key: str) -> str:
        try:
            return wire.checked_key(key)
        except ValueError as error:
            raise _Invalid(f"Idempotency-Key: {error}") from None

    def _fields(self, body: bytes, *names: str) -> list[str]:
        given = _object(body)
        if any(not isinstance(given.get(name, ""), str) for name in names):
            raise _Invalid(f"{', '.join(names)}: text")
        return [given.get(name, "") for name in names]

    def _problem(self, code: int, word: str, detail: str) -> None:
        self.answer(
            code,
            {"type": "about:blank", "status": code, "code": word, "detail": detail},
            "application/problem+json",
        )

    def answer(self, code: int, body: Any, kind: str = "application/json") -> None:
        with self.shop.lock:
            self.shop.answers.append((self.command, self.path, code, body))
        if self.change:
            body = self.change(body)
        self.send(code, json.dumps(body).encode(), kind)

    def send(
        self, code: int, content: bytes, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        time.sleep(self.pause)
        if self.dumb:
            self.cut()
            return
        if self.instead:
            code, content, kind = self.instead
        with suppress(OSError):  # who asked may have gone
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    def cut(self) -> None:
        """End the connection without an answer."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise _Invalid("the body is no JSON") from None
    if not isinstance(found, dict):
        raise _Invalid("the body is no object")
    return found


def _read(kind: Any, body: bytes | str) -> Any:
    try:
        return wire.read(kind, body)
    except wire.Misfit as misfit:
        raise _Invalid(str(misfit)) from None

"""A local server that behaves like Twilio: takes messages by the REST API, calls our webhooks with
signed requests, tells delivery states. For trying text messages without an account, and for tests,
which can make it fail in every way in which a vendor does.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from bot.simulate.twilio_resources import Message, account_json, number_json, page_json

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "a-token-of-the-local-server"
NUMBER = "+441632960100"

Fault = Callable[["_Handler"], bool]


@dataclass(frozen=True)
class Exchange:
    """A request to the REST API, and what it got."""

    method: str
    path: str
    query: dict[str, list[str]]
    form: dict[str, list[str]]
    content_type: str
    status: int  # 0: the connection was cut instead
    answer: dict[str, Any]


class LocalTwilio:
    """The vendor, in a thread, from ``with`` to its end.

    Args:
        webhook: address of our webhook for messages; its ``/status`` gets delivery states.
        accounts: auth tokens by account SID.
        on_message: told of every message that is taken, from the server's thread.
        port: 0: any that is free.
    """

    def __init__(
        self,
        webhook: str = "",
        *,
        accounts: dict[str, str] | None = None,
        on_message: Callable[[Message], None] = lambda message: None,
        port: int = 0,
    ):
        self.webhook = webhook
        self.public = webhook  # as the webhook is configured, which its signature covers
        self.accounts = accounts or {ACCOUNT: TOKEN}
        self.on_message = on_message
        self.client: Any = httpx.Client(timeout=15)  # by which our webhook is called
        self.messages: list[Message] = []
        self.calls: list[tuple[str, str, dict[str, str]]] = []
        self.on_exchange: Callable[[Exchange], None] | None = None  # told of each, by the server
        self.opted_out: set[str] = set()
        self.refuses: dict[str, int] = {}  # numbers with the error code that they get
        self.numbers: dict[str, dict[str, Any]] = {NUMBER: {}}
        self.services: dict[str, dict[str, Any]] = {}  # Messaging Services by their SID
        self.faults: deque[tuple[str, Fault]] = deque()  # with a part of the path they are for
        self.outage: Fault | None = None  # what goes wrong with every call
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.lock = threading.Lock()
        self._server = self._listen(port)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _listen(self, port: int) -> ThreadingHTTPServer:
        server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
        server.daemon_threads = True
        server.vendor = self  # type: ignore[attr-defined]
        return server

    def __enter__(self) -> LocalTwilio:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def away(self) -> Iterator[None]:
        """New connections are refused, and those that are open are cut."""
        self.outage = reset_before
        self.__exit__()
        try:
            yield
        finally:
            self.outage = None
            self._server = self._listen(self._server.server_port)
            self.__enter__()

    # What customers do.

    def texts(
        self, sender: str, body: str | None, *, sid: str = "", to: str = NUMBER, **more: str
    ) -> httpx.Response:
        """A customer's text, as the webhook gets it. The same ``sid`` again is a repetition."""
        fields = self.fields(sender, body, sid=sid, to=to, **more)
        return self.post(fields)

    def fields(
        self, sender: str, body: str | None, *, sid: str = "", to: str = NUMBER, **more: str
    ) -> dict[str, str]:
        """What Twilio sends for a text."""
        sid = sid or f"SM{uuid.uuid4().hex}"
        fields = {
            "ToCountry": "GB",
            "SmsMessageSid": sid,
            "NumMedia": "0",
            "SmsSid": sid,
            "SmsStatus": "received",
            "To": to,
            "NumSegments": "1",
            "MessageSid": sid,
            "AccountSid": next(iter(self.accounts)),
            "From": sender,
            "ApiVersion": "2010-04-01",
        }
        if body is not None:
            fields["Body"] = body
        return {**fields, **more}

    def post(
        self, fields: dict[str, str], path: str = "", *, shared: tuple[str, str] | None = None
    ) -> httpx.Response:
        """Call our webhook, signed with the account's token, or with a shared key (id, secret)."""
        headers = signed(
            f"{self.public}{path}",
            fields,
            token=self.accounts.get(fields.get("AccountSid", ""), TOKEN),
            shared=shared,
        )
        body = urlencode(fields).encode()
        headers["I-Twilio-Idempotency-Token"] = str(uuid.uuid4())
        answer: httpx.Response = self.client.post(
            f"{self.webhook}{path}", content=body, headers=headers
        )
        return answer

    def tells(self, message: Message, status: str, error: int | None = None) -> httpx.Response:
        """Tell what became of a message of ours."""
        message.status, message.error = status, error
        fields = {
            "SmsSid": message.sid,
            "SmsStatus": status,
            "MessageStatus": status,
            "To": message.to,
            "MessageSid": message.sid,
            "AccountSid": message.account,
            "From": message.sender,
            "ApiVersion": "2010-04-01",
        }
        if error:
            fields["ErrorCode"] = str(error)
        return self.post(fields, "/status")

    # For those who look on.

    def to(self, number: str) -> list[str]:
        """The bodies of all messages to a number."""
        with self.lock:
            return [message.body for message in self.messages if message.to == number]

    def wait_for(self, number: str, count: int = 1, seconds: float = 15) -> list[str]:
        """The messages to a number, once there are so many."""
        deadline = time.monotonic() + seconds
        while len(found := self.to(number)) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{number} got {found}, not {count} messages")
            time.sleep(0.02)
        return found

    def fail(self, *faults: Fault, at: str = "") -> None:
        """What goes wrong with the next calls, one each; ``at``: only calls with this in their path."""
        with self.lock:
            self.faults.extend((at, fault) for fault in faults)

    def fault(self, path: str) -> Fault | None:
        """The fault that a call meets."""
        if self.outage is not None:
            return self.outage
        for pair in self.faults:
            if pair[0] in path:
                self.faults.remove(pair)
                return pair[1]
        return None


def signed(
    url: str, fields: dict[str, str], *, token: str, shared: tuple[str, str] | None = None
) -> dict[str, str]:
    """The headers of a signed form, by Twilio's description: the address, then each field's name and
    value, sorted by name; HMAC with SHA-1, or SHA-256 with a shared key."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    algorithm, secret = hashlib.sha1, token
    if shared:
        algorithm, secret = hashlib.sha256, shared[1]
        headers["X-Twilio-Webhooks-Signature-Settings"] = f"key={shared[0]},algorithm=HMAC_SHA256"
    digest = hmac.new(secret.encode(), text.encode(), algorithm).digest()
    headers["X-Twilio-Signature"] = base64.b64encode(digest).decode()
    return headers


# Faults.


def status(code: int, error: int = 20500, retry_after: int = 0) -> Fault:
    """Answers with a status, and does nothing."""

    def fault(handler: _Handler) -> bool:
        headers = {"Retry-After": str(retry_after)} if retry_after else {}
        handler.answer(code, {"code": error, "message": "no", "status": code}, headers)
        return True

    return fault


def reset_before(handler: _Handler) -> bool:
    """Cuts the connection before it does anything."""
    handler.cut()
    return True


def reset_after(handler: _Handler) -> bool:
    """Does what is asked, and cuts the connection instead of answering."""
    handler.dumb = True
    return False


def error_after(handler: _Handler) -> bool:
    """Does what is asked, and answers 500."""
    handler.instead = 500
    return False


def slow(seconds: float) -> Fault:
    """Takes its time, and does what is asked."""

    def fault(handler: _Handler) -> bool:
        time.sleep(seconds)
        return False

    return fault


def fine(handler: _Handler) -> bool:
    """Nothing goes wrong with this one."""
    return False


class _Handler(BaseHTTPRequestHandler):
    """One request to the REST API."""

    protocol_version = "HTTP/1.1"
    dumb = False
    instead = 0
    fields: dict[str, list[str]]

    @property
    def vendor(self) -> LocalTwilio:
        found: LocalTwilio = self.server.vendor  # type: ignore[attr-defined]
        return found

    def log_message(self, *_: Any) -> None:
        """Keeps quiet."""

    def do_GET(self) -> None:
        self._do({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._do(parse_qs(body.decode(), True))

    def _do(self, fields: dict[str, list[str]]) -> None:
        self.dumb, self.instead = False, 0  # one handler sees all requests of its connection
        self.fields, form = fields, {key: values[0] for key, values in fields.items()}
        parts = urlsplit(self.path)
        with self.vendor.lock:
            self.vendor.calls.append((self.command, parts.path, form))
            fault = self.vendor.fault(parts.path)
        if fault and fault(self):
            return
        service = parts.path.removeprefix("/v1/Services/") if "/v1/" in parts.path else ""
        account = (
            parts.path.split("/")[3].removesuffix(".json") if parts.path.count("/") > 2 else ""
        )
        if service:
            account = next(iter(self.vendor.accounts))
        expected = base64.b64encode(f"{account}:{self.vendor.accounts.get(account)}".encode())
        if self.headers.get("Authorization") != f"Basic {expected.decode()}":
            self.answer(401, {"code": 20003, "message": "Authenticate", "status": 401})
        elif service in self.vendor.services:
            self.answer(200, {"sid": service, **self.vendor.services[service]})
        elif parts.path.endswith("/Messages.json") and self.command == "POST":
            self._create(account, form)
        elif parts.path.endswith("/Messages.json"):
            self._list(account, {key: it[0] for key, it in parse_qs(parts.query).items()})
        elif parts.path.endswith("/IncomingPhoneNumbers.json"):
            query = {key: it[0] for key, it in parse_qs(parts.query).items()}
            found = [
                number_json(account, number, more)
                for number, more in self.vendor.numbers.items()
                if query.get("PhoneNumber", "") in ("", number)
            ]
            self.answer(200, page_json("incoming_phone_numbers", found, self.path, _size(query)))
        elif parts.path.endswith(f"/Accounts/{account}.json"):
            self.answer(200, account_json(account))
        else:
            self.answer(404, {"code": 20404, "message": "not found", "status": 404})

    def _create(self, account: str, form: dict[str, str]) -> None:
        sender = form.get("MessagingServiceSid") or form.get("From", "")
        to, body = form.get("To", ""), form.get("Body", "")
        code = self.vendor.refuses.get(to, 0)
        if to in self.vendor.opted_out:
            code = 21610
        elif not to or not sender or not body:
            code = 21604 if not to else 21602
        elif len(body.encode("utf-16-le")) // 2 > 1600:
            code = 21617
        if code:
            self.answer(400, {"code": code, "message": f"Error {code}", "status": 400})
            return
        callback = form.get("StatusCallback", "")
        message = Message(f"SM{uuid.uuid4().hex}", to, sender, body, account, callback)
        message.created = self.vendor.now()
        with self.vendor.lock:
            self.vendor.messages.append(message)
        self.vendor.on_message(message)
        self.answer(201, message.as_json())

    def _list(self, account: str, query: dict[str, str]) -> None:
        with self.vendor.lock:
            found = [it for it in self.vendor.messages if it.account == account]
        if "To" in query:
            found = [it for it in found if it.to == query["To"]]
        if "DateSent>" in query:
            since = datetime.fromisoformat(query["DateSent>"]).astimezone(UTC)
            found = [
                it
                for it in found
                if it.status not in ("queued", "accepted") and it.created >= since
            ]
        listed = [it.as_json() for it in reversed(found)]
        self.answer(200, page_json("messages", listed, self.path, _size(query)))

    def answer(
        self, code: int, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        if self.dumb:
            self.cut()
            return
        if self.instead:
            code, body = self.instead, {"code": 20500, "message": "oops", "status": self.instead}
        self._tell(code, body)
        content = json.dumps(body).encode()
        self.send_response(code)
        for name, value in {**(headers or {}), "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def cut(self) -> None:
        """End the connection without an answer."""
        self._tell(0, {})
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _tell(self, status: int, answer: dict[str, Any]) -> None:
        if self.vendor.on_exchange is None:
            return
        parts = urlsplit(self.path)
        self.vendor.on_exchange(
            Exchange(
                self.command,
                parts.path,
                parse_qs(parts.query, True),
                self.fields,
                self.headers.get("Content-Type", ""),
                status,
                answer,
            )
        )


def _size(query: dict[str, str]) -> int:
    return int(query.get("PageSize", 50))

"""Twilio's REST API by its own SDK, and what its answers mean for a message: taken, certainly not
taken, or unknown. Blocking; for threads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
import urllib3
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

API = "https://api.twilio.com"
MESSAGING = "https://messaging.twilio.com"  # where Messaging Services are
SECONDS = 10.0
PAGE = 50

OPTED_OUT = 21610
WORDS = {
    20003: "the account SID or the auth token is wrong",
    20404: "there is no such account or number",
    21211: "the number is no number",
    21217: "the number is no number",
    21265: "the number is no number",
    21266: "the number is our own",
    21408: "the account may not text this country: allow it under Geo permissions",
    21606: "SMS_FROM is no number of the account that can send texts",
    21610: "the customer has opted out",
    21612: "this number cannot be reached from SMS_FROM",
    21614: "the number is no mobile number",
    21617: "the text is too long",
    21705: "SMS_FROM names no Messaging Service of the account",
    30001: "too many messages are waiting at the vendor",
    30002: "the account is suspended",
    30003: "the phone is off or out of reach",
    30004: "the network blocks it",
    30005: "the number is not in use",
    30006: "it is a landline",
    30007: "the network took it for spam",
    30008: "the network did not say why",
    30034: "the number is not registered for business texts in the US (A2P 10DLC)",
}
"""Twilio's codes that happen, in words for whoever looks after Rapport or reads the ticket."""

_NEVER_SENT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NameResolutionError,
    urllib3.exceptions.SSLError,
    urllib3.exceptions.ProxyError,
)


class NotTaken(Exception):
    """Certainly not taken. ``final``: nor will it ever be; ``after``: seconds to wait, if known."""

    def __init__(self, reason: str, *, code: int = 0, final: bool = False, after: float = 0):
        super().__init__(reason)
        self.code = code
        self.final = final
        self.after = after


class Unknown(Exception):
    """It may have been taken."""


class Unreachable(Exception):
    """The question was not answered."""


@dataclass(frozen=True)
class Found:
    """A message at the vendor."""

    sid: str
    body: str
    created: datetime | None


class Twilio:
    """The account and its sub-accounts.

    Args:
        account: SID of the account that `SMS_FROM` belongs to.
        tokens: auth token of each account by its SID.
        url: where the API is; another one in tests and when tried out.
    """

    def __init__(self, account: str, tokens: Mapping[str, str], *, url: str = API):
        self.account = account
        self._tokens = dict(tokens)
        self._http = _Http(url.rstrip("/"))
        self._clients: dict[str, Client] = {}

    def send(self, *, to: str, sender: str, body: str, callback: str, account: str = "") -> str:
        """Create a message; returns its SID.

        Raises:
            NotTaken: it was refused, or the vendor was never reached.
            Unknown: the connection broke, or the vendor failed, after the message was handed over.
        """
        by = {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}
        if callback:
            by["status_callback"] = callback
        try:
            made = self._client(account).messages.create(to=to, body=body, **by)
        except TwilioRestException as error:
            raise _meaning(error) from error
        except requests.exceptions.RequestException as error:
            if _never_sent(error):
                raise NotTaken(f"Twilio cannot be reached ({type(error).__name__})") from error
            raise Unknown(f"{type(error).__name__} after the message was sent") from error
        except (TwilioException, ValueError, KeyError) as error:
            # The answer cannot be read: a proxy's page, a body cut short.
            raise Unknown(f"an answer that makes no sense ({type(error).__name__})") from error
        if not made.sid:
            raise Unknown("an answer without the message's SID")
        return str(made.sid)

    def lately(self, *, to: str, since: datetime, account: str = "") -> list[Found]:
        """The messages to a number that were created since a moment. Raises Unreachable."""
        try:
            listed = self._client(account).messages.list(to=to, date_sent_after=since, limit=PAGE)
            # What is not sent yet has no date of that kind.
            listed += self._client(account).messages.list(to=to, limit=PAGE)
        except (TwilioException, requests.exceptions.RequestException, ValueError) as error:
            raise Unreachable(f"{type(error).__name__}: {error}"[:200]) from error
        return list(_found(listed, since))

    def ask(self, path: str, *, account: str = "", params: dict[str, Any] | None = None) -> Any:
        """A resource below the account, by GET; raises NotTaken, Unreachable."""
        client = self._client(account)
        return self._get(client, f"{API}/2010-04-01/Accounts/{client.account_sid}{path}", params)

    def service(self, sid: str) -> Any:
        """A Messaging Service; raises NotTaken, Unreachable."""
        return self._get(self._client(""), f"{MESSAGING}/v1/Services/{sid}", None)

    def _get(self, client: Client, url: str, params: dict[str, Any] | None) -> Any:
        try:
            answer = client.request("GET", url, params=params)
        except (TwilioException, requests.exceptions.RequestException) as error:
            raise Unreachable(f"{type(error).__name__}: {error}"[:200]) from error
        if answer.status_code >= 500:
            raise Unreachable(f"Twilio answers {answer.status_code}")
        if answer.status_code != 200:
            code = 20003 if answer.status_code == 401 else 20404
            raise NotTaken(WORDS[code], code=code, final=True)
        return json.loads(answer.text)

    def _client(self, account: str) -> Client:
        account = account if account in self._tokens else self.account
        if account not in self._clients:
            self._clients[account] = Client(
                account, self._tokens.get(account, ""), http_client=self._http
            )
        return self._clients[account]


class _Http(TwilioHttpClient):
    """The SDK's own, with a deadline, and with the API where the settings say."""

    def __init__(self, url: str):
        super().__init__(timeout=SECONDS)
        self._url = url

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
        if self._url != API:
            url = url.replace(API, self._url).replace(MESSAGING, self._url)
        return super().request(method, url, *args, **options)


def _meaning(error: TwilioRestException) -> NotTaken | Unknown:
    status, code = int(error.status or 0), int(error.code or 0)
    said = WORDS.get(code) or str(error.msg).splitlines()[0][:160]
    if status == 429 or code in (20429, 30001):
        return NotTaken("Twilio asks to wait", code=code, after=5)
    if status >= 500:
        return Unknown(f"Twilio answers {status}")
    if status in (401, 403) or code in (20003, 21606, 21705, 21408, 30002):
        # A setting is wrong, and somebody may mend it.
        return NotTaken(said, code=code, after=300)
    return NotTaken(said, code=code, final=True)


def _never_sent(error: BaseException) -> bool:
    """Whether the connection failed before there was one."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, _NEVER_SENT):
            return True
        inner = getattr(seen, "reason", None) or (seen.args[0] if seen.args else None)
        seen = inner if isinstance(inner, BaseException) else None
    return False


def _found(listed: Iterable[Any], since: datetime) -> Iterable[Found]:
    seen: set[str] = set()
    for message in listed:
        created = message.date_created
        if created is not None and created.tzinfo is None:
            created = created.replace(tzinfo=UTC)
        if message.sid in seen or (created is not None and created < since):
            continue
        seen.add(message.sid)
        yield Found(str(message.sid), str(message.body or ""), created)

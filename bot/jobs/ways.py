"""How one-time codes reach an address on file: by mail, by text, or, in the demo shop, into a mailbox
that can be looked into."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from threading import Lock
from uuid import uuid4

from bot.jobs.clerk import Send
from bot.notices.mail import Server
from bot.settings import Settings


@dataclass(frozen=True)
class Letter:
    """A mail that the demo shop's customer would have got."""

    to: str
    text: str
    at: datetime


class Mailbox:
    """The mail of the demo shop's invented customers: kept here, in memory, and sent nowhere."""

    def __init__(self, most: int = 50):
        self._letters: deque[Letter] = deque(maxlen=most)
        self._lock = Lock()

    def send(self, to: str, text: str) -> None:
        with self._lock:
            self._letters.appendleft(Letter(to, text, datetime.now(UTC)))

    def letters(self) -> list[Letter]:
        """The latest first."""
        with self._lock:
            return list(self._letters)


def by_mail(settings: Settings) -> Send | None:
    """Sends a code by e-mail; None where no mail server is set."""
    url = settings.smtp_url.get_secret_value()
    if not url:
        return None
    server = Server(url, settings.mail_from)

    def send(to: str, text: str) -> None:
        message = EmailMessage()
        message["To"] = to
        message["Subject"] = f"Your {settings.business_name} code"
        message.set_content(text)
        server.send(message, f"code-{uuid4().hex}")

    return send

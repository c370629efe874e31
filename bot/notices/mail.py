"""Notices by e-mail, over SMTP."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import Row

from bot.notices import CUSTOMER_MAIL, NotSent, in_words

SECONDS = 15


class Server:
    """A mail server, by address: smtp://user:password@host:587 or smtps://host:465."""

    def __init__(self, url: str, sender: str):
        """Raises ValueError for an address that is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("write SMTP_URL as smtp://user:password@host:587 or smtps://host:465")
        if "@" not in parseaddr(sender)[1]:
            raise ValueError("MAIL_FROM names no address: write Northpeak <help@shop.example>")
        self._parts = parts
        self._sender = sender

    def send(self, message: EmailMessage, key: str) -> None:
        """Raises NotSent."""
        message["From"] = self._sender
        message["Date"] = formatdate(usegmt=True)
        domain = parseaddr(self._sender)[1].rpartition("@")[2]
        message["Message-ID"] = f"<{key}@{domain}>"  # the same when it is sent again
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies, please
        try:
            with self._connect() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code = max((code for code, _ in error.recipients.values()), default=0)
            raise NotSent(f"refused: {error}"[:200], final=500 <= code < 600) from error
        except smtplib.SMTPResponseException as error:
            final = 500 <= error.smtp_code < 600 and error.smtp_code not in (530, 534, 535)
            raise NotSent(f"{error.smtp_code} {error.smtp_error!r}"[:200], final=final) from error
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(f"{type(error).__name__}: {error}"[:200]) from error

    def _connect(self) -> smtplib.SMTP:
        parts, context = self._parts, ssl.create_default_context()
        host = str(parts.hostname)
        server: smtplib.SMTP
        if parts.scheme == "smtps":
            server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=SECONDS, context=context)
        else:
            server = smtplib.SMTP(host, parts.port or 587, timeout=SECONDS)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
            elif parts.username:
                server.close()
                raise NotSent("the server offers no STARTTLS: the password is not sent in clear")
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        return server


class MailSink:
    """Colleagues are told."""

    name = "mail"

    def __init__(self, server: Server, to: list[str]):
        self._server = server
        self._to = to

    def send(self, notice: Row[Any]) -> None:
        message = EmailMessage()
        message["To"] = ", ".join(self._to)
        it = notice.payload
        message["Subject"] = f"[{it['number']}] {it['title']} (priority {it['priority']})"
        message.set_content("\n".join(in_words(notice)))
        self._server.send(message, f"notice-{notice.id}")


class CustomerMailSink:
    """A customer who left an address is answered there."""

    name = CUSTOMER_MAIL

    def __init__(self, server: Server):
        self._server = server

    def send(self, notice: Row[Any]) -> None:
        message = EmailMessage()
        message["To"] = notice.payload["to"]
        message["Subject"] = notice.payload["subject"]
        message.set_content(notice.payload["text"])
        self._server.send(message, f"answer-{notice.id}")

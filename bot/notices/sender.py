"""Sends what is queued: each notice by whoever claims its row, again after a pause if it fails."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from anyio import to_thread
from sqlalchemy import Row

from bot.notices import NotSent, Sink
from bot.notices.mail import CustomerMailSink, MailSink, Server
from bot.notices.slack import SlackSink
from bot.notices.webhook import WebhookSink
from bot.settings import Settings
from bot.store import notices
from bot.store.database import Database

MOST_ATTEMPTS = 12  # over about nine hours
FIRST_PAUSE, LONGEST_PAUSE = 10_000, 3_600_000

log = structlog.get_logger("notices")


def sinks(settings: Settings) -> tuple[Sink, ...]:
    """The places that are set. Raises ValueError for one that is set by half or wrongly."""
    found: list[Sink] = []
    if url := settings.smtp_url.get_secret_value():
        server = Server(url, settings.mail_from)
        found.append(CustomerMailSink(server))
        if to := [one.strip() for one in settings.notify_mail.split(",") if one.strip()]:
            found.append(MailSink(server, to))
    elif settings.notify_mail:
        raise ValueError("NOTIFY_MAIL is set, but SMTP_URL is not: no mail can be sent")
    token = settings.slack_bot_token.get_secret_value()
    if settings.slack_channel and not token:
        raise ValueError("SLACK_CHANNEL is set, but SLACK_BOT_TOKEN is not: nobody can be told")
    if token and not settings.slack_channel and not settings.slack_asks:
        raise ValueError("SLACK_BOT_TOKEN is set, but neither SLACK_CHANNEL nor SLACK_APP_TOKEN is")
    if settings.slack_channel:
        found.append(SlackSink(token, settings.slack_channel, base_url=settings.slack_api_url))
    secret = settings.webhook_secret.get_secret_value()
    if bool(settings.webhook_url) != bool(secret):
        raise ValueError("WEBHOOK_URL and WEBHOOK_SECRET go together: set both or none")
    if secret:
        found.append(WebhookSink(settings.webhook_url, secret))
    return tuple(found)


class Sender:
    """Runs until cancelled, apart from the ticker: a mail server that takes its time must not keep
    customers waiting. A row is claimed before it is sent, so two gateways do not both send it;
    one that is killed in between sends it once more, with the same id."""

    def __init__(self, database: Database, places: tuple[Sink, ...]):
        self._database = database
        self._places = {place.name: place for place in places}

    async def run(self, seconds: float = 2.0) -> None:
        while True:
            try:
                await to_thread.run_sync(self.send_due)
            except Exception:
                log.exception("notices.round_failed")  # the store is away for a while
            await asyncio.sleep(seconds)

    def send_due(self) -> int:
        """Send what is due; returns how many were tried. A place that fails is left alone for the
        rest of the round."""
        failed: set[str] = set()
        with self._database.reading() as tx:
            found = notices.due(tx, self._database.now(tx))
        for notice in found:
            if notice.sink in failed:
                continue
            attempt = notice.attempts + 1
            with self._database.transaction() as tx:
                now = self._database.now(tx)
                pause = min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE)
                if not notices.claim(tx, notice.id, now=now, again_at=now + pause):
                    continue
            if not self._send(notice, attempt):
                failed.add(notice.sink)
        return len(found)

    def _send(self, notice: Row[Any], attempt: int) -> bool:
        place = self._places.get(notice.sink)
        values: dict[str, Any] = {"state": "sent", "error": None}
        after = None
        try:
            if place is None:
                raise NotSent("this place is not set any more", final=True)
            place.send(notice)
        except NotSent as error:
            last = error.final or attempt >= MOST_ATTEMPTS
            values = {"state": "failed" if last else "queued", "error": str(error)[:200]}
            after = None if last else error.after
            level = log.error if last else log.warning
            level("notice.not_sent", sink=notice.sink, notice_id=notice.id, reason=str(error))
        except Exception as error:  # a fault of ours, or of a library: never the end of the ticker
            last = attempt >= MOST_ATTEMPTS
            values = {"state": "failed" if last else "queued", "error": repr(error)[:200]}
            log.exception("notice.broke", sink=notice.sink, notice_id=notice.id)
        with self._database.transaction() as tx:
            now = self._database.now(tx)
            if values["state"] == "sent":
                values["sent_at"] = now
            if after is not None:
                values["due_at"] = now + int(1000 * min(after, 3600))
            notices.note(tx, notice.id, **values)
        return values["state"] == "sent"

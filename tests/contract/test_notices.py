"""Notices reach mail, Slack and a webhook, whatever fails on the way. The vendors are local servers
that behave like theirs, faults included."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr
from sqlalchemy import select
from standardwebhooks import Webhook

from bot.check import notices as check_notices
from bot.notices import Notifier
from bot.notices.mail import CustomerMailSink, MailSink, Server
from bot.notices.sender import MOST_ATTEMPTS, Sender, sinks
from bot.notices.slack import SlackSink
from bot.notices.webhook import WebhookSink
from bot.settings import Settings
from bot.store import schema
from bot.store.database import Database
from bot.support import Support
from channels.contract import Inbound
from tests.postgres import free_port

SECRET = "whsec_" + base64.b64encode(b"a secret of the test, 32 bytes..").decode()


class Receiver(BaseHTTPRequestHandler):
    """Answers as it is told, in turn; the last answer goes on for ever."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.got.append((self.path, dict(self.headers), body))
        answers = self.server.answers
        status, headers, answer = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        payload = json.dumps(answer).encode()
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def receiver(*answers: tuple[int, dict[str, str], Any]) -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.answers = [], list(answers)
    server.url = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Post:
    """A mail server's handler: keeps what comes, refuses whom it is told to."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.refuse: dict[str, str] = {}

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.got.append(envelope)
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[tuple[Post, str]]:
    post = Post()
    controller = Controller(post, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield post, f"smtp://127.0.0.1:{controller.port}"
    finally:
        controller.stop()


class Desk:
    """A store with a customer who asks for a person, and places that are told."""

    def __init__(self, database: Database, *places: Any):
        self.database = database
        self.notifier = Notifier(Settings(_env_file=None), places)
        self.sender = Sender(database, places)
        self.support = Support(
            database,
            announce=self.notifier.announce,
            mail=self.notifier.mail_customer if self.notifier.mails_customers else None,
        )

    def ask(self) -> str:
        conversation = self.support.open_conversation("web").conversation_id
        self.support.request_person(
            conversation, cause=conversation, reason_type="asked", reason="Asked: “my secret wish”"
        )
        return conversation

    def rows(self) -> list[Any]:
        with self.database.reading() as tx:
            return list(tx.execute(select(schema.notices).order_by(schema.notices.c.id)))

    def send_again(self) -> None:
        """What waits for its next attempt is due now."""
        with self.database.transaction() as tx:
            tx.execute(schema.notices.update().values(due_at=0))
        self.sender.send_due()


def test_a_mail_tells_what_waits_and_not_what_was_written(database):
    with mail_server() as (post, url):
        server = Server(url, "Northpeak <help@shop.example>")
        desk = Desk(database, MailSink(server, ["lead@shop.example", "b@shop.example"]))
        conversation = desk.ask()
        assert desk.sender.send_due() == 1
    (mail,) = post.got
    text = mail.content.decode()
    assert mail.rcpt_tos == ["lead@shop.example", "b@shop.example"]
    assert "Subject: [R-1001] A customer waits for a person (priority 3)" in text
    assert f"/desk#{conversation}" in text and "secret wish" not in text
    assert "Message-ID: <notice-1@shop.example>" in text and "Auto-Submitted" in text
    assert [it.state for it in desk.rows()] == ["sent"]
    assert desk.sender.send_due() == 0


def test_a_mail_server_that_is_down_costs_nobody_anything(database):
    server = Server(f"smtp://127.0.0.1:{free_port()}", "help@shop.example")
    desk = Desk(database, MailSink(server, ["lead@shop.example"]))
    desk.ask()
    desk.ask()
    desk.sender.send_due()
    first, second = desk.rows()
    assert (first.state, first.attempts) == ("queued", 1) and "refused" in first.error.lower()
    assert second.attempts == 0  # the place is left alone for the rest of the round
    assert desk.sender.send_due() == 1  # the first waits for its next time
    for _ in range(MOST_ATTEMPTS):
        desk.send_again()
    assert {it.state for it in desk.rows()} == {"failed", "queued"}


def test_a_refused_recipient_is_not_tried_again_and_a_busy_one_is(database):
    with mail_server() as (post, url):
        post.refuse = {"gone@shop.example": "550 no such user", "full@shop.example": "452 full"}
        server = Server(url, "help@shop.example")
        for address, state in (("gone@shop.example", "failed"), ("full@shop.example", "queued")):
            desk = Desk(database, MailSink(server, [address]))
            desk.ask()
            desk.sender.send_due()
            assert desk.rows()[-1].state == state


def test_a_password_is_not_sent_in_clear(database):
    with mail_server() as (post, url):
        secret = url.replace("//", "//user:word@")
        desk = Desk(database, MailSink(Server(secret, "help@shop.example"), ["a@shop.example"]))
        desk.ask()
        desk.sender.send_due()
        assert post.got == [] and "STARTTLS" in desk.rows()[0].error


def test_a_customer_is_answered_at_the_address_left(database):
    with mail_server() as (post, url):
        desk = Desk(database, CustomerMailSink(Server(url, "Northpeak <help@shop.example>")))
        conversation = desk.ask()
        with database.transaction() as tx:
            tx.execute(schema.conversations.update().values(contact="ada@home.example"))
            agent = tx.execute(
                schema.agents.insert()
                .values(email="s@x.example", name="Sam Fell", password_hash="x", created_at=1)
                .returning(schema.agents.c.id)
            ).scalar_one()
        desk.support.claim(1, agent)
        desk.support.reply_as_person(conversation, agent, "It was sent today. Grüße!", "c1")
        desk.sender.send_due()
    (mail,) = post.got
    assert mail.rcpt_tos == ["ada@home.example"]
    text = mail.content.decode()
    assert "an answer to your request R-1001" in text and "read by nobody" in text


def test_slack_asks_to_wait_and_is_waited_for(database):
    busy = (429, {"Retry-After": "40"}, {"ok": False, "error": "ratelimited"})
    with receiver(busy, (200, {}, {"ok": True, "ts": "1.1"})) as slack:
        desk = Desk(database, SlackSink("xoxb-1", "#support", base_url=slack.url))
        desk.ask()
        desk.sender.send_due()
        (row,) = desk.rows()
        assert row.state == "queued" and row.due_at - row.created_at >= 39_000
        desk.send_again()
        assert desk.rows()[0].state == "sent"
    path, headers, body = slack.got[1]
    assert path == "/chat.postMessage" and headers["Authorization"] == "Bearer xoxb-1"
    assert b"R-1001" in body and b"secret" not in body


def test_what_slack_refuses_is_kept_for_whoever_mends_it(database):
    with receiver((200, {}, {"ok": False, "error": "not_in_channel"})) as slack:
        desk = Desk(database, SlackSink("xoxb-1", "#support", base_url=slack.url))
        desk.ask()
        desk.sender.send_due()
    (row,) = desk.rows()
    assert row.state == "queued" and "not_in_channel" in row.error


def test_a_webhook_is_signed_and_its_id_stays(database):
    with receiver((500, {}, {}), (204, {}, {})) as hook:
        desk = Desk(database, WebhookSink(hook.url, SECRET))
        desk.ask()
        desk.sender.send_due()
        assert desk.rows()[0].state == "queued"
        desk.send_again()
        assert desk.rows()[0].state == "sent"
    told = [Webhook(SECRET).verify(body, headers) for _, headers, body in hook.got]
    assert told[0] == told[1] and told[0]["type"] == "ticket.waiting"
    assert told[0]["data"]["number"] == "R-1001"
    ids = {headers["webhook-id"] for _, headers, _ in hook.got}
    assert ids == {"notice_1"}


def test_a_receiver_that_wants_no_more_gets_no_more(database):
    with receiver((410, {}, {})) as hook:
        desk = Desk(database, WebhookSink(hook.url, SECRET))
        desk.ask()
        desk.sender.send_due()
        desk.send_again()
    assert len(hook.got) == 1 and desk.rows()[0].state == "failed"


def test_killed_between_sending_and_noting_it_is_sent_again_with_the_same_id(database):
    with receiver((200, {}, {})) as hook:
        desk = Desk(database, WebhookSink(hook.url, SECRET))
        desk.ask()
        desk.sender._send = lambda notice, attempt: WebhookSink(hook.url, SECRET).send(notice)
        desk.sender.send_due()  # sent, and then nothing was written
        assert desk.rows()[0].state == "queued"
        del desk.sender._send
        desk.send_again()
    assert len({headers["webhook-id"] for _, headers, _ in hook.got}) == 1 and len(hook.got) == 2


def test_one_place_that_fails_does_not_keep_the_others_from_being_told(database):
    with receiver((200, {}, {})) as hook:
        broken = SlackSink("xoxb-1", "#support", base_url=f"http://127.0.0.1:{free_port()}/")
        desk = Desk(database, broken, WebhookSink(hook.url, SECRET))
        desk.ask()
        desk.sender.send_due()
    assert {it.sink: it.state for it in desk.rows()} == {"slack": "queued", "webhook": "sent"}


def test_a_message_is_accepted_while_every_place_is_down(database):
    desk = Desk(
        database,
        MailSink(Server(f"smtp://127.0.0.1:{free_port()}", "a@b.example"), ["c@d.example"]),
    )
    conversation = desk.ask()
    desk.sender.send_due()
    received = desk.support.receive(Inbound("web", conversation, f"{conversation}/1", "hello?"))
    assert received.message_id and not received.duplicate


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"notify_mail": "a@b.example"}, "SMTP_URL is not"),
        ({"smtp_url": SecretStr("smtp://h")}, "MAIL_FROM"),
        ({"smtp_url": SecretStr("http://h"), "mail_from": "a@b.example"}, "smtps://host:465"),
        ({"slack_channel": "#x"}, "SLACK_BOT_TOKEN is not"),
        ({"webhook_url": "https://x.example"}, "go together"),
        ({"webhook_url": "x.example", "webhook_secret": SecretStr(SECRET)}, "https://"),
        ({"webhook_url": "https://x.example", "webhook_secret": SecretStr("!")}, "whsec_"),
    ],
)
def test_a_place_that_is_set_by_half_is_said_at_the_start(values, told):
    settings = Settings(_env_file=None, **values)
    with pytest.raises(ValueError, match=told):
        sinks(settings)
    (finding,) = check_notices(settings)
    assert finding.level == "error" and told in str(finding)


def test_what_is_set_is_told():
    settings = Settings(
        _env_file=None,
        smtp_url=SecretStr("smtps://mail.example"),
        mail_from="a@b.example",
        notify_mail="c@d.example",
        slack_bot_token=SecretStr("xoxb-1"),
        slack_channel="#x",
        webhook_url="https://x.example",
        webhook_secret=SecretStr(SECRET),
    )
    assert [it.name for it in sinks(settings)] == ["customer_mail", "mail", "slack", "webhook"]
    (finding,) = check_notices(settings)
    assert "mail, slack, webhook" in str(finding)

"""Staff serve customers in Slack: cards, threads, and nothing to a customer by accident."""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import select

from bot.app import Gateway, create_app
from bot.settings import Settings
from bot.simulate.slackd import Slackd
from bot.store import schema
from channels.slack import checks, posts, serve, wording
from tests.conftest import ROOT
from tests.contract.stand_in_engine import SECRET, StandInEngine
from tests.contract.test_slack import until

pytestmark = pytest.mark.skipif(
    not (ROOT / "models" / "encoder" / "card.json").exists(),
    reason="no models/encoder; `make train` builds it",
)
PASSWORD = "long enough pw"
HEADERS = {"X-Rapport-Desk": "1"}


class Team:
    """A workspace with two agents and one who is none, and a customer who waits."""

    def __init__(self, slack: Slackd, client: TestClient, gateway: Gateway, channel: Any):
        self.slack, self.client, self.gateway, self.channel = slack, client, gateway, channel
        self.sam = slack.add_user("sam", "sam@x.example")
        self.kim = slack.add_user("kim", "kim@x.example")
        self.eve = slack.add_user("eve", "eve@x.example")
        for name in ("sam", "kim"):
            gateway.store.agents.add(f"{name}@x.example", f"{name.title()} Fell", PASSWORD)
        self.desk = TestClient(client.app, base_url="https://testserver", follow_redirects=False)
        form = {"email": "kim@x.example", "password": PASSWORD}
        assert self.desk.post("/desk/login", data=form).status_code == 303

    def customer(self, text: str = "where is my <parcel> & @channel?") -> Waiting:
        return Waiting(self, text)

    def rows(self, table: Any, **values: Any) -> list[Any]:
        with self.gateway.store.database.reading() as tx:
            where = [table.c[name] == value for name, value in values.items()]
            return list(tx.execute(select(table).where(*where)))


class Waiting:
    """A customer on the web who has asked for a person, and the card of that."""

    def __init__(self, team: Team, text: str):
        self.team = team
        opened = team.client.post("/api/conversations").json()
        self.token = {"Authorization": f"Bearer {opened['token']}"}
        self.id = opened["conversation_id"]
        self.path = f"/api/conversations/{self.id}"
        self.write(text)
        until(lambda: len(self.read()) > 1)
        team.gateway.support.request_person(
            self.id, cause=uuid.uuid4().hex, reason_type="asked", reason="Asked for a person."
        )
        (self.ticket,) = team.rows(schema.tickets, conversation_id=self.id)

    def write(self, text: str) -> None:
        body = {"client_id": str(uuid.uuid4()), "text": text}
        sent = self.team.client.post(f"{self.path}/messages", json=body, headers=self.token)
        assert sent.status_code == 202

    def read(self) -> list[Any]:
        view = self.team.client.get(f"{self.path}/messages", headers=self.token).json()
        return list(view["messages"])

    def got(self, author: str = "agent") -> list[str]:
        return [it["text"] for it in self.read() if it["author"] == author]

    @property
    def card(self) -> Any:
        def found() -> Any:
            rows = self.team.rows(schema.slack_posts, key=f"ticket/{self.ticket.id}")
            if not rows or not rows[0].ts:
                return None
            thread = self.team.slack.thread(self.team.channel, rows[0].ts)
            return thread[0] if thread else None

        return until(found)

    def thread(self) -> str:
        return "\n".join(
            it.text for it in self.team.slack.thread(self.team.channel, self.card.ts)[1:]
        )

    def says(self, user: Any, text: str) -> Any:
        return self.team.slack.says(user, self.team.channel, text, thread_ts=self.card.ts)

    def presses(self, user: Any, action: str, value: str | None = None) -> Any:
        shown = json.dumps(self.card.blocks)
        assert action in shown, shown
        return self.team.slack.presses(user, self.card.ts, self.team.channel, action, value)

    def state(self) -> tuple[str, int | None]:
        (row,) = self.team.rows(schema.tickets, id=self.ticket.id)
        return row.state, row.agent_id

    def claim(self, user: Any) -> None:
        self.presses(user, "ticket.claim")
        until(lambda: self.state()[0] == "human")
        until(lambda: "ticket.resolve" in json.dumps(self.card.blocks))


@pytest.fixture(scope="module")
def team(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("serve")
    shutil.copy(migrated_sqlite, folder / "rapport.db")
    with pytest.MonkeyPatch.context() as patch, StandInEngine() as engine, Slackd() as slack:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            patch.delenv(name, raising=False)
        patch.setattr(posts, "PACE", 0.01)
        patch.setattr(posts, "LOOK_SECONDS", 0.03)
        patch.setattr(serve, "LOOK_SECONDS", 0.1)
        slack.workspace.scopes |= {"users:read.email"}
        channel = slack.add_channel("support")
        values = {
            "DATA_DIR": str(folder),
            "PUBLIC_URL": "https://support.example.com",
            "SLACK_BOT_TOKEN": slack.workspace.bot_token,
            "SLACK_APP_TOKEN": slack.workspace.app_token,
            "SLACK_API_URL": f"{slack.url}/api/",
            "SLACK_QUEUES": f"*={channel.id}",
        }
        for name, value in values.items():
            patch.setenv(name, value)
        settings = Settings(
            engine_port=int(engine.url.rsplit(":", 1)[1]), engine_secret=SecretStr(SECRET)
        )
        gateway = Gateway(settings)
        with TestClient(create_app(settings, gateway)) as client:
            until(lambda: slack.connections)
            team = Team(slack, client, gateway, channel)
            for user in (team.sam, team.kim, team.eve):
                channel.members.append(user.id)
            yield team


def test_a_waiting_ticket_is_a_card_with_what_was_written(team):
    waiting = team.customer()
    words = json.dumps(waiting.card.blocks, ensure_ascii=False)
    number = f"R-{1000 + waiting.ticket.id}"
    assert number in words and "waits" in words and "Asked for a person." in words
    assert "&lt;parcel&gt; &amp; @channel" in until(waiting.thread)


def test_claiming_writing_and_resolving_in_slack(team):
    waiting = team.customer()
    waiting.claim(team.sam)
    assert "with Sam Fell" in json.dumps(waiting.card.blocks)
    waiting.write("are you there?")
    until(lambda: "are you there?" in waiting.thread())
    waiting.presses(team.sam, "ticket.write")
    until(lambda: team.slack.last_view(team.sam))
    team.slack.submits(team.sam, "ticket.write", {"text": "Yes, I am & <looking>."})
    until(lambda: waiting.got() == ["Yes, I am & <looking>."])
    until(lambda: "Sam to the customer:* Yes, I am &amp; &lt;looking&gt;." in waiting.thread())
    waiting.presses(team.sam, "ticket.resolve")
    until(lambda: waiting.state()[0] == "resolved")
    until(lambda: "closed" in json.dumps(waiting.card.blocks))
    assert "ticket.resolve" not in json.dumps(waiting.card.blocks)


def test_what_colleagues_write_stays_inside(team):
    waiting = team.customer()
    waiting.claim(team.sam)
    for words in (
        "he is a pain",
        "> quoted",
        "&gt;",
        "Sam: say >> hello",
        f"{team.slack.mention} hm",
    ):
        waiting.says(team.sam, words)
    time.sleep(1.5)
    assert waiting.got() == []


def test_a_leading_arrow_goes_out_after_its_preview_and_by_who_wrote_it(team):
    waiting = team.customer()
    waiting.claim(team.sam)
    asked = waiting.says(team.sam, ">> We guarantee that it comes by tomorrow. <3")

    def preview() -> Any:
        rows = team.rows(schema.slack_posts, key=f"preview/{team.channel.id}/{asked.ts}")
        thread = team.slack.thread(team.channel, waiting.card.ts)
        return next((it for it in thread if rows and it.ts == rows[0].ts), None)

    shown = json.dumps(until(preview).blocks, ensure_ascii=False)
    assert "We guarantee" in shown and "promises something" in shown and waiting.got() == []
    team.slack.presses(team.kim, preview().ts, team.channel, "reply.send")
    until(lambda: team.slack.ephemerals(team.kim, team.channel))
    assert wording.NOT_YOURS in team.slack.ephemerals(team.kim, team.channel)[-1].text
    assert waiting.got() == []
    team.slack.presses(team.sam, preview().ts, team.channel, "reply.send")
    until(lambda: waiting.got() == ["We guarantee that it comes by tomorrow. <3"])
    until(lambda: wording.SENT in json.dumps(preview().blocks))
    assert "reply.send" not in json.dumps(preview().blocks)
    # Edited afterwards: nothing is sent again.
    team.slack.edits(team.sam, team.channel, asked.ts, ">> something else")
    time.sleep(0.7)
    assert len(waiting.got()) == 1


def test_a_preview_can_be_dropped(team):
    waiting = team.customer()
    waiting.claim(team.sam)
    asked = waiting.says(team.sam, ">>  not this")
    key = f"preview/{team.channel.id}/{asked.ts}"
    (row,) = until(lambda: [it for it in team.rows(schema.slack_posts, key=key) if it.ts])
    team.slack.presses(team.sam, row.ts, team.channel, "reply.drop")
    until(lambda: wording.DROPPED in str(team.rows(schema.slack_posts, key=key)[0].payload))
    assert waiting.got() == []


def test_whoever_claims_first_wins_in_both(team):
    waiting = team.customer()
    until(waiting.thread)
    team.slack.hold()  # Sam presses, and it is on its way while Kim claims at the desk
    waiting.presses(team.sam, "ticket.claim")
    path = f"/desk/api/tickets/{waiting.ticket.id}/claim"
    assert team.desk.post(path, json={}, headers=HEADERS).status_code == 200
    before = len(team.slack.ephemerals(team.sam, team.channel))
    team.slack.release()
    until(lambda: len(team.slack.ephemerals(team.sam, team.channel)) > before)
    assert "Kim" in team.slack.ephemerals(team.sam, team.channel)[-1].text
    assert waiting.state()[0] == "human"
    until(lambda: "with Kim Fell" in json.dumps(waiting.card.blocks))
    body = {"client_id": str(uuid.uuid4()), "text": "Kim here."}
    path = f"/desk/api/conversations/{waiting.id}/replies"
    assert team.desk.post(path, json=body, headers=HEADERS).status_code == 202
    until(lambda: "Kim here." in waiting.thread())


def test_who_is_no_agent_looks_and_does_not_act(team):
    waiting = team.customer()
    waiting.presses(team.eve, "ticket.claim")
    until(lambda: team.slack.ephemerals(team.eve, team.channel))
    assert "nobody at the desk" in team.slack.ephemerals(team.eve, team.channel)[-1].text
    assert waiting.state() == ("waiting", None)


def test_putting_off_noting_and_handing_back(team):
    waiting = team.customer()
    waiting.claim(team.sam)
    waiting.presses(team.sam, "ticket.note")
    until(lambda: team.slack.last_view(team.sam))
    team.slack.submits(team.sam, "ticket.note", {"text": "has a dog"})
    until(
        lambda: any(
            it.kind == "noted"
            for it in team.rows(schema.ticket_events, ticket_id=waiting.ticket.id)
        )
    )
    body = {"client_id": str(uuid.uuid4()), "text": "One moment."}
    sam = team.rows(schema.agents, email="sam@x.example")[0].id
    team.gateway.support.reply_as_person(waiting.id, sam, body["text"], body["client_id"])
    waiting.presses(team.sam, "ticket.snooze", f"{waiting.ticket.id}:60")
    until(lambda: team.rows(schema.tickets, id=waiting.ticket.id)[0].snoozed_until)
    waiting.presses(team.sam, "ticket.hand_back")
    until(lambda: "hand_back" in str(team.slack.last_view(team.sam)))
    values = {"settled": "The refund was sent", "note": "was patient"}
    team.slack.submits(team.sam, "ticket.hand_back", values)
    until(lambda: "The refund was sent" in str(waiting.read()))
    said = str(waiting.read())
    assert "The refund was sent" in said and "was patient" not in said and "has a dog" not in said


def test_a_closed_tickets_thread_sends_nothing(team):
    waiting = team.customer()
    waiting.claim(team.sam)
    waiting.presses(team.sam, "ticket.resolve")
    until(lambda: waiting.state()[0] == "resolved")
    asked = waiting.says(team.sam, ">> one more thing")
    key = f"preview/{team.channel.id}/{asked.ts}"
    (row,) = until(lambda: [it for it in team.rows(schema.slack_posts, key=key) if it.ts])
    team.slack.presses(team.sam, row.ts, team.channel, "reply.send")
    until(lambda: "reply.send" not in str(team.rows(schema.slack_posts, key=key)[0].payload))
    assert waiting.got() == []
    assert wording.SENT not in str(team.rows(schema.slack_posts, key=key)[0].payload)


def test_a_card_that_broke_after_it_was_posted_is_not_posted_twice(team):
    team.slack.reset_after("chat.postMessage")
    waiting = team.customer(f"unique {uuid.uuid4().hex}")
    card = waiting.card
    number = f"R-{1000 + waiting.ticket.id}"
    mine = [it for it in team.slack.channel(team.channel).messages if it.text.startswith(number)]
    assert [it.ts for it in mine] == [card.ts]


def test_the_check_looks_at_the_channels(team):
    settings = team.gateway.settings

    def findings(queues: str) -> str:
        found = checks.check(settings.model_copy(update={"slack_queues": queues}))
        return "\n".join(f"{it.level}: {it.what}" for it in found)

    assert findings(f"general={team.channel.id}").startswith("ok: Slack knows the bot")
    assert "there is no channel C404" in findings("general=C404")
    away = team.slack.add_channel("away", bot=False)
    assert "the bot is not in #away" in findings(f"general={away.id}")
    shared = team.slack.add_channel("both", is_ext_shared=True)
    assert "shared with another company" in findings(f"*={shared.id}")

"""Staff ask in Slack: through the real SDK and Bolt, against a server that behaves like Slack."""

from __future__ import annotations

import json
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import select

from bot.app import Gateway, create_app
from bot.settings import Settings
from bot.simulate.slackd import Slackd
from bot.store import questions, schema
from channels.slack import audience, checks, posts, wording
from tests.conftest import ROOT
from tests.contract.stand_in_engine import SECRET, StandInEngine

pytestmark = pytest.mark.skipif(
    not (ROOT / "models" / "encoder" / "card.json").exists(),
    reason="no models/encoder; `make train` builds it",
)
PUBLIC_QUESTION = "how long does a return take?"
STAFF_QUESTION = "what are the signs of refund fraud?"


class Workspace:
    """A workspace with colleagues, a guest and a partner, and the gateway that listens to it."""

    def __init__(self, slack: Slackd, client: TestClient, gateway: Gateway):
        self.slack, self.client, self.gateway = slack, client, gateway
        self.ada = slack.add_user("ada", "ada@shop.example")
        self.bo = slack.add_user("bo", "bo@shop.example")
        self.guest = slack.add_user("gus", "gus@else.example", is_ultra_restricted=True)
        self.team = slack.add_channel("team", [self.ada, self.bo])
        self.open = slack.add_channel("open", [self.ada, self.guest])
        self.shared = slack.add_channel("partners", [self.ada], is_ext_shared=True)

    def answer(self, channel: Any, ts: str, count: int = 1, seconds: float = 15) -> list[Any]:
        """What the bot wrote in a thread, once it is so much."""

        def written() -> list[Any]:
            mine = [it for it in self.slack.thread(channel, ts) if it.user == self.slack.bot.id]
            return mine if len(mine) >= count else []

        return until(written, seconds)

    def rows(self, table: Any, **values: Any) -> list[Any]:
        with self.gateway.store.database.reading() as tx:
            where = [table.c[name] == value for name, value in values.items()]
            return list(tx.execute(select(table).where(*where)))

    def settled(self) -> None:
        """Everything that came was dealt with, and everything that is to go has gone."""
        until(lambda: not self.rows(schema.slack_inbox, state="new"))
        until(lambda: not self.rows(schema.slack_posts, state="queued"))


def until(holds: Callable[[], Any], seconds: float = 12) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return found


def shown(message: Any) -> str:
    """All words of a message's blocks."""
    return "\n".join(re.findall(r'"text": "(.*?)"[,}]', json.dumps(message.blocks)))


@pytest.fixture(scope="module", params=["socket", "http"])
def work(
    request: pytest.FixtureRequest,
    migrated_sqlite: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("slack")
    shutil.copy(migrated_sqlite, folder / "rapport.db")
    with pytest.MonkeyPatch.context() as patch, StandInEngine() as engine, Slackd() as slack:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            patch.delenv(name, raising=False)
        patch.setattr(posts, "PACE", 0.02)
        patch.setattr(posts, "LOOK_SECONDS", 0.03)
        patch.setattr(audience, "KEPT", 0.0)
        values = {
            "DATA_DIR": str(folder),
            "PUBLIC_URL": "https://support.example.com",
            "ANSWER_THRESHOLD": "0.6",
            "SLACK_BOT_TOKEN": slack.workspace.bot_token,
            "SLACK_API_URL": f"{slack.url}/api/",
            "SLACK_SIGNING_SECRET": slack.workspace.signing_secret,
        }
        if request.param == "socket":
            values["SLACK_APP_TOKEN"] = slack.workspace.app_token
        for name, value in values.items():
            patch.setenv(name, value)
        settings = Settings(
            engine_port=int(engine.url.rsplit(":", 1)[1]), engine_secret=SecretStr(SECRET)
        )
        gateway = Gateway(settings)
        with TestClient(create_app(settings, gateway)) as client:
            if request.param == "socket":
                until(lambda: slack.connections)
                yield Workspace(slack, client, gateway)
            else:
                with served(create_app(settings, gateway)) as url:
                    slack.deliver_http(f"{url}/channels/slack")
                    yield Workspace(slack, client, gateway)


def served(app: Any) -> Any:
    """The app's routes on a port, without its background work: the TestClient runs that."""
    import threading
    from contextlib import asynccontextmanager, contextmanager

    import uvicorn

    @asynccontextmanager
    async def nothing(_: Any):
        yield

    app.router.lifespan_context = nothing

    @contextmanager
    def serve() -> Iterator[str]:
        from tests.postgres import free_port

        port = free_port()
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        until(lambda: server.started)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()

    return serve()


def test_a_mention_is_answered_once_in_its_thread_with_source_and_confidence(work):
    asked = work.slack.says(work.ada, work.team, f"{work.slack.mention} {PUBLIC_QUESTION}")
    assert len(asked.event_ids) == 2  # it comes as a message and as a mention
    (answer,) = work.answer(work.team, asked.ts)
    work.settled()
    assert "working days" in shown(answer) and "% sure" in shown(answer)
    assert "<https://support.example.com/help/" in shown(answer)
    work.slack.repeat(asked.event_ids[0])
    time.sleep(0.5)
    work.settled()
    assert len(work.answer(work.team, asked.ts)) == 1


def test_what_is_not_for_it_is_left_alone(work):
    one = work.slack.says(work.ada, work.team, PUBLIC_QUESTION)
    other = work.slack.says(work.ada, work.team, f"<@{work.bo.id}> {PUBLIC_QUESTION}")
    work.settled()
    time.sleep(0.3)
    for said in (one, other):
        assert [it.user for it in work.slack.thread(work.team, said.ts)] == [work.ada.id]


def test_a_direct_message_needs_no_mention(work):
    im = work.slack.open_im(work.bo)
    asked = work.slack.says(work.bo, im, PUBLIC_QUESTION)
    assert "working days" in shown(work.answer(im, asked.ts)[0])


def test_articles_for_staff_only_among_colleagues(work):
    for channel, user, staff in (
        (work.team, work.ada, True),
        (work.open, work.ada, False),  # a guest reads along
        (work.shared, work.ada, False),  # another company reads along
        (work.slack.open_im(work.ada), work.ada, True),
        (work.slack.open_im(work.guest), work.guest, False),
    ):
        text = f"{work.slack.mention} {STAFF_QUESTION}"
        asked = work.slack.says(user, channel, text)
        answer = shown(work.answer(channel, asked.ts)[0])
        assert ("staff only" in answer) == staff, (channel.name, answer)
        assert "fraud" not in answer.lower() or staff
        if not staff:
            assert wording.STAFF_MAY_KNOW in answer or wording.NOT_KNOWN in answer


def test_what_it_does_not_know_it_says_and_the_gap_is_logged(work):
    question = f"do you sell blue submarines {uuid.uuid4().hex[:6]}?"
    asked = work.slack.says(work.ada, work.team, f"{work.slack.mention} {question}")
    (answer,) = work.answer(work.team, asked.ts)
    assert wording.NOT_KNOWN in shown(answer) or wording.NOT_SURE in shown(answer)
    for _ in range(2):
        work.slack.presses(work.bo, answer.ts, work.team, "gap.log")
        work.settled()
    until(lambda: len(work.slack.ephemerals(work.bo, work.team)) == 2)
    with work.gateway.store.database.reading() as tx:
        found = [it for it in questions.asked(tx, 0) if it.text == question]
    assert len(found) == 1 and found[0].why == (questions.NO_ARTICLE,)


def test_the_command_answers_only_who_asks(work):
    work.slack.commands(work.ada, "/ask", PUBLIC_QUESTION, channel=work.open)
    until(lambda: work.slack.ephemerals(work.ada, work.open))
    (told,) = work.slack.ephemerals(work.ada, work.open)
    assert "working days" in shown(told)
    work.slack.commands(work.bo, "/ask", "  ", channel=work.team)
    until(lambda: any("/ask how" in shown(it) for it in work.slack.ephemerals(work.bo, work.team)))


def test_an_edited_question_changes_its_answer(work):
    asked = work.slack.says(work.ada, work.team, f"{work.slack.mention} do you sell submarines?")
    work.answer(work.team, asked.ts)
    work.settled()
    work.slack.edits(work.ada, work.team, asked.ts, f"{work.slack.mention} {PUBLIC_QUESTION}")
    until(lambda: "working days" in shown(work.answer(work.team, asked.ts)[0]))
    work.slack.unfurls(work.team, asked.ts)  # a preview was added: the words are the same
    work.slack.deletes(work.ada, work.team, asked.ts)
    work.settled()
    assert len(work.rows(schema.slack_posts, thread_ts=asked.ts)) == 1


def test_what_people_write_is_inert(work):
    text = f"{work.slack.mention} <!channel> & <@{work.bo.id}> \u202eevil {uuid.uuid4().hex}"
    asked = work.slack.says(work.ada, work.team, text)
    (answer,) = work.answer(work.team, asked.ts)
    for element in answer.blocks:
        if element["type"] == "actions":
            continue  # a button's value is shown nowhere
        assert "<!channel>" not in str(element) and f"<@{work.bo.id}>" not in str(element)
    card = work.slack.says(work.ada, work.team, f"{work.slack.mention} 4111 1111 1111 1111?")
    work.answer(work.team, card.ts)
    rows = [*work.rows(schema.slack_inbox), *work.rows(schema.slack_posts)]
    assert "4111 1111 1111" not in str(rows)


@pytest.mark.parametrize("fault", ["reset_after", "500", "reset_before", "429"])
def test_an_answer_is_posted_once_whatever_breaks(work, fault):
    if fault == "500":
        work.slack.fail("chat.postMessage", status=500)
    elif fault == "429":
        work.slack.ratelimited(1, "chat.postMessage")
    else:
        getattr(work.slack, fault)("chat.postMessage")
    asked = work.slack.says(work.ada, work.team, f"{work.slack.mention} {PUBLIC_QUESTION}")
    work.answer(work.team, asked.ts, seconds=25)
    until(
        lambda: {it.state for it in work.rows(schema.slack_posts, thread_ts=asked.ts)} == {"sent"}
    )
    assert len(work.answer(work.team, asked.ts)) == 1


def test_a_revoked_token_loses_nothing(work):
    work.slack.fail("chat.postMessage", status=200, error="token_revoked")
    asked = work.slack.says(work.ada, work.team, f"{work.slack.mention} {PUBLIC_QUESTION}")
    (row,) = until(lambda: work.rows(schema.slack_posts, thread_ts=asked.ts, error="token_revoked"))
    assert row.state == "queued"
    with work.gateway.store.database.transaction() as tx:
        tx.execute(schema.slack_posts.update().values(due_at=0))
    work.answer(work.team, asked.ts)


def test_forged_requests_are_refused(work):
    if not work.client.app.state.gateway.settings.slack_app_token.get_secret_value():
        for how in ({"secret": "wrong"}, {"age": 4000}):
            event = {"type": "message", "ts": "1.1", "channel": "C1", "text": "x"}
            body = json.dumps({"type": "event_callback", "event_id": "Ev0", "event": event})
            answer = work.slack.post(body, **how).result(10)
            assert answer.status == 401
    forged = work.client.post("/channels/slack", data={"ssl_check": "1", "token": "x"})
    assert forged.status_code == 401
    for content, stamp in ((b"\xff", "1"), (b"{}", "soon"), (b"{}", str(int(time.time())))):
        headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": "v0=00"}
        odd = work.client.post("/channels/slack", content=content, headers=headers)
        assert odd.status_code == 401
    assert not any("/C1/1.1" in it.key for it in work.rows(schema.slack_inbox))


def test_the_check_says_what_is_wrong(work):
    settings = work.gateway.settings

    def findings(**changes: Any) -> str:
        found = checks.check(settings.model_copy(update=changes))
        return "\n".join(f"{it.level}: {it.what}" for it in found)

    assert findings().startswith("ok: Slack knows the bot as")
    wrong = SecretStr("xoxb-wrong")
    assert "error: Slack refuses SLACK_BOT_TOKEN (invalid_auth)" in findings(slack_bot_token=wrong)
    app = SecretStr("xapp-wrong")
    assert "error: Slack refuses SLACK_APP_TOKEN (invalid_auth)" in findings(slack_app_token=app)
    work.slack.workspace.scopes.remove("commands")
    assert "error: the bot lacks the scopes commands" in findings()
    work.slack.workspace.scopes.add("commands")
    none = {"slack_app_token": SecretStr(""), "public_url": ""}
    assert "PUBLIC_URL is empty" in findings(**none)
    assert findings(slack_api_url="http://127.0.0.1:9/api/").startswith("warning: Slack cannot")


def test_the_manifest_asks_for_what_is_used():
    manifest = yaml.safe_load((ROOT / "channels" / "slack" / "manifest.yml").read_text("utf-8"))
    assert set(manifest["oauth_config"]["scopes"]["bot"]) >= checks.SCOPES | checks.SERVING
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert [it["command"] for it in manifest["features"]["slash_commands"]] == ["/ask"]

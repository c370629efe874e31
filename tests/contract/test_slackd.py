"""The local server that behaves like Slack, seen by the real slack_sdk and slack_bolt."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler as ByAiohttp
from slack_bolt.adapter.socket_mode.websockets import AsyncSocketModeHandler as ByWebsockets
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.simulate.slackd import Channel, Slackd, User

FORM = "application/x-www-form-urlencoded"


class Shop:
    """A workspace with Ada and Bo, a channel and the direct messages with Ada."""

    def __init__(self, slack: Slackd):
        self.ada: User = slack.add_user("ada", "ada@shop.example")
        self.bo: User = slack.add_user("bo", "bo@shop.example")
        self.help: Channel = slack.add_channel("help", [self.ada, self.bo])
        self.im: Channel = slack.open_im(self.ada)


@pytest.fixture
def slack() -> Iterator[Slackd]:
    with Slackd() as server:
        yield server


@pytest.fixture
def shop(slack: Slackd) -> Shop:
    return Shop(slack)


# The Web API.


def client_of(slack: Slackd, token: str | None = None, **more: Any) -> AsyncWebClient:
    return AsyncWebClient(
        token=token or slack.workspace.bot_token,
        base_url=f"{slack.url}/api/",
        retry_handlers=[],
        **more,
    )


def call(slack: Slackd, method: str, token: str | None = None, **arguments: Any) -> Any:
    return asyncio.run(getattr(client_of(slack, token), method)(**arguments))


def refusal(slack: Slackd, method: str, token: str | None = None, **arguments: Any) -> Any:
    with pytest.raises(SlackApiError) as caught:
        call(slack, method, token, **arguments)
    return caught.value.response


def test_who_it_is_and_what_it_may(slack, shop):
    answer = call(slack, "auth_test")
    assert (answer["user_id"], answer["team_id"]) == (slack.bot.id, slack.workspace.team_id)
    assert answer["bot_id"] == slack.bot.bot_id
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")
    assert call(slack, "api_test", foo="1")["args"]["foo"] == "1"
    assert refusal(slack, "auth_test", "xoxb-other")["error"] == "invalid_auth"
    assert refusal(slack, "auth_test", slack.workspace.app_token)["error"] == (
        "not_allowed_token_type"
    )
    slack.workspace.scopes.remove("users:read.email")
    missing = refusal(slack, "users_lookupByEmail", email="ada@shop.example")
    assert (missing["error"], missing["needed"]) == ("missing_scope", "users:read.email")
    assert "chat:write" in missing["provided"]
    assert "email" not in call(slack, "users_info", user=shop.ada.id)["user"]["profile"]
    slack.revoke()
    assert refusal(slack, "auth_test")["error"] == "token_revoked"
    slack.restore()
    assert call(slack, "auth_test")["ok"]
    assert refusal(slack, "api_call", api_method="no.such")["error"] == "unknown_method"


def test_messages_are_posted_changed_and_deleted(slack, shop):
    said = slack.says(shop.ada, shop.help, "where is <my> order & https://a.example/1 ?")
    assert said.text == "where is &lt;my&gt; order &amp; <https://a.example/1> ?"
    posted = call(
        slack,
        "chat_postMessage",
        channel=shop.help.id,
        text="Here",
        thread_ts=said.ts,
        metadata={"event_type": "reply", "event_payload": {"id": "7"}},
    )
    assert posted["message"]["thread_ts"] == said.ts
    assert [it.text for it in slack.thread(shop.help, said.ts)][1] == "Here"
    call(slack, "chat_update", channel=shop.help.id, ts=posted["ts"], text="There")
    replies = call(
        slack,
        "conversations_replies",
        channel=shop.help.id,
        ts=said.ts,
        include_all_metadata=True,
    )["messages"]
    assert [it["text"] for it in replies][1:] == ["There"]
    assert replies[0]["reply_count"] == 1 and replies[1]["edited"]["user"] == slack.bot.id
    assert replies[1]["metadata"]["event_payload"] == {"id": "7"}
    assert refusal(slack, "chat_update", channel=shop.help.id, ts=said.ts, text="No")["error"] == (
        "cant_update_message"
    )
    assert refusal(slack, "chat_update", channel=shop.help.id, ts="1.2", text="No")["error"] == (
        "message_not_found"
    )
    call(slack, "reactions_add", channel=shop.help.id, timestamp=said.ts, name="eyes")
    again = refusal(slack, "reactions_add", channel=shop.help.id, timestamp=said.ts, name="eyes")
    assert again["error"] == "already_reacted" and said.reactions == {"eyes": [slack.bot.id]}
    call(slack, "chat_delete", channel=shop.help.id, ts=posted["ts"])
    assert [it.text for it in slack.thread(shop.help, said.ts)] == [said.text]
    stamps = [it.ts for it in slack.channel("help").all_messages]
    assert stamps == sorted(set(stamps)) and all(len(it.split(".")[1]) == 6 for it in stamps)


def test_a_form_and_json_are_both_read(slack, shop):
    async def post(**how: Any) -> Any:
        async with aiohttp.ClientSession() as session:
            url = f"{slack.url}/api/chat.postMessage"
            headers = {"Authorization": f"Bearer {slack.workspace.bot_token}"}
            async with session.post(url, headers=headers, **how) as answer:
                return await answer.json()

    blocks = [{"type": "divider"}]
    for how in (
        {"data": {"channel": shop.help.id, "text": "Hi", "blocks": json.dumps(blocks)}},
        {"json": {"channel": shop.help.id, "text": "Hi", "blocks": blocks}},
    ):
        answer = asyncio.run(post(**how))
        assert answer["ok"] and answer["message"]["blocks"][0]["type"] == "divider"
    sent = slack.called("chat.postMessage")[-1]
    assert sent.arguments["text"] == "Hi" and sent.token == slack.workspace.bot_token


def test_where_the_bot_may_write(slack, shop):
    elsewhere = slack.add_channel("elsewhere", [shop.ada], bot=False)
    hidden = slack.add_channel("hidden", [shop.ada], bot=False, is_private=True)
    old = slack.add_channel("old", [shop.ada], is_archived=True)
    for channel, error in (
        (elsewhere, "not_in_channel"),
        (hidden, "channel_not_found"),
        (old, "is_archived"),
    ):
        assert refusal(slack, "chat_postMessage", channel=channel.id, text="Hi")["error"] == error
    assert refusal(slack, "conversations_info", channel="C0")["error"] == "channel_not_found"
    with pytest.warns(UserWarning, match="top-level `text`"):
        empty = refusal(slack, "chat_postMessage", channel=shop.help.id, text=" ")
    assert empty["error"] == "no_text"
    long = refusal(slack, "chat_postMessage", channel=shop.help.id, text="x" * 40_001)
    assert long["error"] == "msg_too_long"
    direct = call(slack, "chat_postMessage", channel=shop.ada.id, text="Hi")
    assert direct["channel"] == shop.im.id
    assert call(slack, "conversations_open", users=shop.ada.id)["channel"]["id"] == shop.im.id
    assert refusal(slack, "conversations_open", users=slack.bot.id)["error"] == "cannot_dm_bot"
    call(slack, "chat_postEphemeral", channel=shop.help.id, user=shop.ada.id, text="For you")
    assert [it.text for it in slack.ephemerals(shop.ada, shop.help)] == ["For you"]
    assert slack.ephemerals(shop.bo, shop.help) == []


def test_people_guests_and_strangers(slack, shop):
    guest = slack.add_user("guest", "g@out.example", is_ultra_restricted=True)
    stranger = slack.add_user("stan", "s@other.example", team_id="T0OTHER")
    slack.add_user("gone", "gone@shop.example", deleted=True)
    shared = slack.add_channel("both", [shop.ada, guest, stranger], is_ext_shared=True)
    assert call(slack, "users_lookupByEmail", email="ADA@shop.example")["user"]["id"] == shop.ada.id
    for email in ("s@other.example", "gone@shop.example", "nobody@shop.example"):
        assert refusal(slack, "users_lookupByEmail", email=email)["error"] == "users_not_found"
    shown = call(slack, "users_info", user=guest.id)["user"]
    assert shown["is_restricted"] and shown["is_ultra_restricted"]
    shown = call(slack, "users_info", user=stranger.id)["user"]
    assert shown["is_stranger"] and shown["team_id"] == "T0OTHER"
    assert "email" not in shown["profile"]
    info = call(slack, "conversations_info", channel=shared.id, include_num_members=True)["channel"]
    assert info["is_ext_shared"] and info["is_shared"] and info["num_members"] == 4
    assert "T0OTHER" in info["shared_team_ids"]
    members, cursor = [], None
    while cursor != "":
        page = call(slack, "conversations_members", channel=shared.id, limit=3, cursor=cursor)
        members += page["members"]
        cursor = page["response_metadata"]["next_cursor"]
    assert members == [shop.ada.id, guest.id, stranger.id, slack.bot.id]
    slack.says(stranger, shared, "Hello")
    assert slack.events[-1]["event"]["user_team"] == "T0OTHER"
    assert slack.events[-1]["is_ext_shared_channel"]


# Block Kit.


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain("Yes"), "action_id": "yes", **more}


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def actions(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements), **more}


def buttons(number: int) -> list[dict[str, Any]]:
    return [button(action_id=f"b{it}") for it in range(number)]


LARGEST: list[list[dict[str, Any]]] = [
    [{"type": "divider"}] * 50,
    [section("x" * 3000)],
    [{"type": "header", "text": plain("x" * 150)}],
    [{"type": "section", "fields": [plain("x" * 2000)] * 10}],
    [actions(*buttons(25))],
    [actions(button(text=plain("x" * 75), value="v" * 2000, action_id="a" * 255))],
    [{"type": "context", "elements": [plain("x")] * 10}],
    [{"type": "divider", "block_id": "x" * 255}],
]
TOO_LARGE: list[tuple[list[Any], str, str]] = [
    ([{"type": "divider"}] * 51, "no more than 50 items", "/blocks]"),
    ([section("x" * 3001)], "must be less than 3001 characters", "/blocks/0/text/text]"),
    ([section("")], "must be more than 0 characters", "/blocks/0/text/text]"),
    ([{"type": "section"}], "missing required field", "/blocks/0]"),
    ([{"type": "header", "text": plain("x" * 151)}], "less than 151", "/blocks/0/text/text]"),
    ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "plain_text", "/0/text]"),
    ([{"type": "section", "fields": [plain("x")] * 11}], "no more than 10", "/0/fields]"),
    ([{"type": "section", "fields": [plain("x" * 2001)]}], "less than 2001", "/fields/0/text]"),
    ([actions(*buttons(26))], "no more than 25", "/blocks/0/elements]"),
    ([actions()], "no fewer than 1", "/blocks/0/elements]"),
    ([actions(button(), button())], "`action_id` must be unique", "/blocks/0/elements]"),
    ([actions(button(text=plain("x" * 76)))], "less than 76", "/elements/0/text/text]"),
    ([actions(button(value="v" * 2001))], "less than 2001", "/elements/0/value]"),
    ([actions(button(action_id="a" * 256))], "less than 256", "/elements/0/action_id]"),
    ([actions(button(style="green"))], "must be one of", "/elements/0/style]"),
    ([{"type": "context", "elements": [plain("x")] * 11}], "no more than 10", "/0/elements]"),
    ([{"type": "divider", "block_id": "x" * 256}], "less than 256", "/blocks/0/block_id]"),
    ([{"type": "divider", "block_id": "a"}] * 2, "`block_id` must be unique", "/blocks]"),
    ([section("x", accessory=button(text=plain("")))], "more than 0", "/accessory/text/text]"),
    ([{"type": "carousel of dreams"}], "unsupported type", "/blocks/0]"),
    (["no block"], "must be an array of objects", "/blocks]"),
]


def test_blocks_of_the_largest_size_are_taken(slack, shop):
    for blocks in LARGEST:
        assert call(slack, "chat_postMessage", channel=shop.help.id, text="x", blocks=blocks)["ok"]


def test_blocks_that_are_too_large_are_refused_with_the_reason(slack, shop):
    for blocks, reason, where in TOO_LARGE:
        answer = refusal(slack, "chat_postMessage", channel=shop.help.id, text="x", blocks=blocks)
        messages = answer["response_metadata"]["messages"]
        assert answer["error"] == "invalid_blocks", blocks
        assert any(reason in it and it.endswith(where) for it in messages), (blocks, messages)
    assert shop.help.messages == []


# An app.


class Bolt:
    """An app made with slack_bolt, in a thread with a loop of its own, as the gateway has one."""

    def __init__(self, slack: Slackd, **options: Any):
        self.slack, self.heard, self.options = slack, [], options
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.answers: dict[str, Any] = {}
        self.url = ""

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def build(self) -> AsyncApp:
        logger = logging.getLogger("a bolt app")
        logger.setLevel(logging.CRITICAL)
        app = AsyncApp(
            client=client_of(self.slack, logger=logger),
            signing_secret=self.slack.workspace.signing_secret,
            logger=logger,
            **self.options,
        )

        @app.event("message")
        async def message(body: Any, context: Any) -> None:
            self.heard.append(("message", body))
            await self.answers.get("message", nothing)(context)

        @app.event("app_mention")
        async def mention(body: Any) -> None:
            self.heard.append(("app_mention", body))

        @app.action("talk")
        async def action(ack: Any, body: Any, client: Any) -> None:
            await ack()
            self.heard.append(("action", body))
            await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

        @app.command("/ask")
        async def command(ack: Any, body: Any, respond: Any) -> None:
            self.heard.append(("command", body))
            await ack(**self.answers.get("command", {"text": "One moment"}))
            await respond("Here it is")

        @app.view("details")
        async def view(ack: Any, body: Any) -> None:
            self.heard.append(("view", body))
            await ack(**self.answers.get("view", {}))

        @app.view_closed("details")
        async def closed(ack: Any, body: Any) -> None:
            await ack()
            self.heard.append(("closed", body))

        return app

    def of(self, kind: str) -> list[Any]:
        return [body for what, body in list(self.heard) if what == kind]


async def nothing(_context: Any) -> None:
    pass


MODAL = {
    "type": "modal",
    "callback_id": "details",
    "title": plain("Details"),
    "submit": plain("Send"),
    "notify_on_close": True,
    "private_metadata": "ticket 7",
    "blocks": [
        {
            "type": "input",
            "block_id": "what",
            "label": plain("What happened?"),
            "element": {"type": "plain_text_input", "action_id": "text", "max_length": 100},
        },
        {
            "type": "input",
            "block_id": "how",
            "label": plain("How urgent?"),
            "optional": True,
            "element": {
                "type": "static_select",
                "action_id": "urgency",
                "options": [{"text": plain("Very"), "value": "1"}],
            },
        },
    ],
}


@contextmanager
def socket_app(slack: Slackd, kind: Any = ByAiohttp, **options: Any) -> Iterator[Bolt]:
    bolt = Bolt(slack, **options)
    bolt.thread.start()

    async def connect() -> Any:
        handler = kind(bolt.build(), slack.workspace.app_token, ping_interval=0.3)
        await handler.connect_async()
        return handler

    handler = bolt.run(connect())
    slack.wait(lambda: slack.connections)
    try:
        yield bolt
    finally:
        bolt.run(handler.close_async())
        stop(bolt)


@contextmanager
def http_app(slack: Slackd, **options: Any) -> Iterator[Bolt]:
    bolt = Bolt(slack, **options)
    bolt.thread.start()

    async def serve() -> web.AppRunner:
        runner = web.AppRunner(bolt.build().web_app(path="/slack/events"), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = bolt.run(serve())
    bolt.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    slack.deliver_http(bolt.url)
    try:
        yield bolt
    finally:
        bolt.run(runner.cleanup())
        stop(bolt)


def stop(bolt: Bolt) -> None:
    async def rest() -> None:
        others = [it for it in asyncio.all_tasks() if it is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    bolt.run(rest())
    bolt.loop.call_soon_threadsafe(bolt.loop.stop)
    bolt.thread.join(5)
    bolt.loop.close()


# Socket Mode.


@pytest.mark.parametrize("kind", [ByAiohttp, ByWebsockets])
def test_a_day_over_a_web_socket(slack, shop, kind):
    with socket_app(slack, kind) as bolt:
        a_day(slack, shop, bolt)
        assert {it.how for it in slack.acks} == {"socket"}


def test_a_day_by_http(slack, shop):
    with http_app(slack) as bolt:
        a_day(slack, shop, bolt)
        assert {it.how for it in slack.acks} == {"http"}


def a_day(slack: Slackd, shop: Shop, bolt: Bolt) -> None:
    """A message, a mention, a button that opens a form, the form, a command; the same for both ways
    to reach the app."""

    async def reply(context: Any) -> None:
        if context.channel_id == shop.help.id:
            blocks = [section("Want to talk?"), actions(button(action_id="talk", value="7"))]
            await context.client.chat_postMessage(
                channel=context.channel_id, text="Want to talk?", blocks=blocks
            )

    bolt.answers["message"] = reply
    said = slack.says(shop.ada, shop.help, f"{slack.mention} hello")
    slack.wait(lambda: bolt.of("app_mention") and bolt.of("message"))
    (message,), (mention,) = bolt.of("message"), bolt.of("app_mention")
    assert message["event"]["channel_type"] == "channel"
    assert message["event"]["ts"] == mention["event"]["ts"] == said.ts
    assert [message["event_id"], mention["event_id"]] == said.event_ids
    assert message["authorizations"][0]["user_id"] == slack.bot.id

    question = slack.wait(lambda: shop.help.messages[1:])[0]
    with pytest.raises(LookupError):
        slack.presses(shop.ada, question.ts, shop.help, "other")
    press = slack.presses(shop.ada, question.ts, shop.help, "talk", "7")
    view = slack.wait(lambda: slack.last_view(shop.ada))
    slack.wait(lambda: press.ack)  # bolt lets what follows ack() overtake it by some milliseconds
    assert bolt.of("action")[0]["actions"][0]["value"] == "7"
    assert bolt.of("action")[0]["message"]["ts"] == question.ts
    with pytest.raises(AssertionError):
        slack.submits(shop.ada, "details", {"urgency": "1"})
    bolt.answers["view"] = {"response_action": "errors", "errors": {"what": "Too short"}}
    sent = slack.submits(shop.ada, view["id"], {"text": "It"})
    slack.wait(lambda: sent.ack)
    assert slack.last_view(shop.ada)["errors"] == {"what": "Too short"}
    bolt.answers["view"] = {}
    slack.submits(shop.ada, "details", {"text": "It broke", "urgency": "1"})
    slack.wait(lambda: slack.last_view(shop.ada) is None)
    submitted = bolt.of("view")[-1]["view"]
    assert submitted["private_metadata"] == "ticket 7"
    assert submitted["state"]["values"]["what"]["text"] == {
        "type": "plain_text_input",
        "value": "It broke",
    }
    chosen = submitted["state"]["values"]["how"]["urgency"]["selected_option"]
    assert chosen["value"] == "1"
    slack.presses(shop.ada, question.ts, shop.help, "talk")
    slack.wait(lambda: slack.last_view(shop.ada))
    slack.closes_view(shop.ada)
    slack.wait(lambda: bolt.of("closed"))

    asked = slack.commands(shop.ada, "/ask", "where is it & why", shop.help)
    slack.wait(lambda: len(slack.ephemerals(shop.ada, shop.help)) == 2)
    assert {it.text for it in slack.ephemerals(shop.ada, shop.help)} == {
        "One moment",
        "Here it is",
    }
    assert asked.response == {"text": "One moment"}
    assert bolt.of("command")[0]["text"] == "where is it & why"
    assert len(bolt.of("message")) == 1  # bolt leaves out what the bot itself said
    slack.wait(lambda: len(slack.acks) == len(slack.deliveries))


def test_edits_deletions_and_previews(slack, shop):
    with socket_app(slack) as bolt:
        said = slack.says(shop.ada, "im", "my ordr")
        slack.edits(shop.ada, "im", said.ts, "my order")
        slack.unfurls(shop.im, said.ts)
        slack.deletes(shop.ada, "im", said.ts)
        slack.wait(lambda: len(bolt.of("message")) == 4)
        first, changed, unfurled, deleted = [
            next(it["event"] for it in bolt.of("message") if it["event_id"] == event_id)
            for event_id in said.event_ids
        ]
        assert first["channel_type"] == "im" and "subtype" not in first
        assert changed["subtype"] == "message_changed"
        assert changed["previous_message"]["text"] == "my ordr"
        assert changed["message"]["text"] == "my order" and changed["message"]["edited"]
        assert changed["message"]["ts"] == said.ts != changed["ts"]
        assert unfurled["message"]["text"] == unfurled["previous_message"]["text"]
        assert unfurled["message"]["attachments"]
        assert deleted["subtype"] == "message_deleted" and deleted["deleted_ts"] == said.ts
        assert shop.im.messages == []
        parent = slack.says(shop.ada, "im", "a question")
        slack.says(shop.ada, "im", "and more", thread_ts=parent.ts)
        slack.deletes(shop.ada, "im", parent.ts)
        assert slack.events[-1]["event"]["message"]["subtype"] == "tombstone"
        assert len(slack.thread(shop.im, parent.ts)) == 2


def test_what_the_bot_may_not_read_it_is_not_told(slack, shop):
    elsewhere = slack.add_channel("elsewhere", [shop.ada], bot=False)
    assert slack.says(shop.ada, elsewhere, f"{slack.mention} hello").event_ids == []
    slack.workspace.scopes.discard("channels:history")
    slack.says(shop.ada, shop.help, f"{slack.mention} hello")
    assert [it["event"]["type"] for it in slack.events] == ["app_mention"]
    slack.says(shop.ada, "im", f"{slack.mention} hello")  # a mention in direct messages is none
    assert [it["event"]["type"] for it in slack.events] == ["app_mention", "message"]


def test_files_comings_and_goings(slack, shop):
    with socket_app(slack) as bolt:
        slack.says(shop.ada, "im", "look", files=[{"id": "F1", "name": "parcel.jpg"}])
        slack.wait(lambda: bolt.of("message"))
        event = bolt.of("message")[0]["event"]
        assert event["subtype"] == "file_share" and event["files"][0]["id"] == "F1"
    cass = slack.add_user("cass")
    slack.joins(cass, shop.help)
    slack.says(cass, shop.help, "hello")
    slack.leaves(cass, shop.help)
    told = [it["event"]["type"] for it in slack.events[1:]]
    assert told == ["member_joined_channel", "message", "member_left_channel"]
    with pytest.raises(LookupError):
        slack.says(cass, shop.help, "still there?")


def test_the_app_hears_itself_unless_it_is_told_not_to(slack, shop):
    call(slack, "chat_postMessage", channel=shop.im.id, text="Hi")
    (event,) = [it["event"] for it in slack.events]
    assert (event["user"], event["bot_id"]) == (slack.bot.id, slack.bot.bot_id)
    slack.echo = False
    call(slack, "chat_postMessage", channel=shop.im.id, text="Hi")
    assert len(slack.events) == 1


def test_what_is_not_acknowledged_comes_again(slack, shop):
    def failing(times: int) -> Callable[..., Any]:
        left = [times]

        async def middleware(next: Any, body: Any) -> None:
            bolt.heard.append(("seen", body))
            if left[0]:
                left[0] -= 1
                raise RuntimeError("the store is away")
            await next()

        return middleware

    slack.ack_seconds = 0.4
    with socket_app(slack, before_authorize=failing(2)) as bolt:
        said = slack.says(shop.ada, shop.help, "hello")
        slack.wait(lambda: slack.acks)
        (delivery,) = slack.deliveries
        assert len(delivery.sent) == 3 and slack.acks[0].attempt == 2
        assert delivery.sent[1] - delivery.sent[0] >= 0.4
        assert {it["event_id"] for it in bolt.of("seen")} == set(said.event_ids)
        assert len(bolt.of("message")) == 1
    with socket_app(slack, before_authorize=failing(9)) as bolt:
        slack.says(shop.ada, shop.help, "hello again")
        press = slack.commands(shop.ada, "/ask", "?")
        slack.wait(lambda: slack.deliveries[-2].gave_up)
        assert len(slack.deliveries[-2].sent) == 4
        assert press.gave_up and len(press.sent) == 1  # only events come again


def test_repeats_and_another_order(slack, shop):
    with socket_app(slack) as bolt:
        slack.hold()
        first = slack.says(shop.ada, shop.help, "first")
        second = slack.says(shop.ada, shop.help, "second")
        time.sleep(0.1)
        assert not bolt.heard
        slack.release(reverse=True)
        slack.wait(lambda: len(bolt.of("message")) == 2)
        assert [it["event_id"] for it in bolt.of("message")] == [
            *second.event_ids,
            *first.event_ids,
        ]
        again = slack.repeat(first.event_ids[0])
        assert slack.delivery(first.event_ids[0]) is again
        slack.wait(lambda: len(bolt.of("message")) == 3)
        assert bolt.of("message")[-1]["event_id"] == first.event_ids[0]
        slack.wait(lambda: len(slack.acks) == 3)
        assert len({it.envelope_id for it in slack.acks}) == 3


@pytest.mark.parametrize("kind", [ByAiohttp, ByWebsockets])
def test_a_connection_is_replaced(slack, shop, kind):
    slack.ack_seconds = 0.5
    with socket_app(slack, kind) as bolt:
        before = len(slack.called("apps.connections.open"))
        slack.disconnect("refresh_requested")
        slack.wait(lambda: len(slack.called("apps.connections.open")) == before + 1)
        slack.wait(lambda: slack.connections == 1)
        slack.says(shop.ada, shop.help, "after the refresh")
        slack.wait(lambda: len(bolt.of("message")) == 1)
        slack.drop()
        assert slack.connections == 0
        slack.says(shop.ada, shop.help, "while nobody listens")
        slack.wait(lambda: slack.connections, 5)
        slack.wait(lambda: len(bolt.of("message")) == 2)
        assert slack.deliveries[-1].attempt > 0


def test_slack_is_away_for_a_while(slack, shop):
    with socket_app(slack) as bolt:
        slack.down(0.6)
        with pytest.raises(aiohttp.ClientConnectionError):
            call(slack, "auth_test")
        slack.wait(lambda: slack.connections, 5)
        slack.says(shop.ada, shop.help, "back again")
        slack.wait(lambda: bolt.of("message"))
        assert call(slack, "auth_test")["ok"]


# HTTP.


def test_a_url_is_verified_and_only_the_right_signature_is_taken(slack, shop):
    with http_app(slack) as bolt:
        assert slack.verify_url().result(5)
        event = json.dumps({"type": "event_callback", "event": {"type": "message"}})
        assert slack.post(event, secret="another").result(5).status == 401
        assert slack.post(event, age=360).result(5).status == 401
        assert slack.post(event, headers={"X-Slack-Signature": "v0=00"}).result(5).status == 401
        assert slack.post(urlencode({"command": "/ask"}), FORM, age=600).result(5).status == 401
        assert not bolt.heard
        assert slack.post(event).result(5).status == 200


def test_http_that_fails_is_tried_again_and_says_why(slack, shop):
    slack.ack_seconds = 0.4
    seen: list[tuple[str | None, str | None]] = []

    async def answer(request: web.Request) -> web.Response:
        num, why = (request.headers.get(f"X-Slack-Retry-{it}") for it in ("Num", "Reason"))
        seen.append((num, why))
        if len(seen) == 2:
            await asyncio.sleep(1)
        return web.Response(status=500 if len(seen) < 3 else 200)

    with served(answer) as url:
        slack.deliver_http(url)
        slack.says(shop.ada, shop.help, "hello")
        slack.wait(lambda: slack.acks)
    assert seen == [(None, None), ("1", "http_error"), ("2", "http_timeout")]
    slack.says(shop.ada, shop.help, "nobody is there")
    slack.wait(lambda: slack.deliveries[-1].gave_up)
    assert slack.deliveries[-1].reason == "connection_failed"

    async def no_more(_request: web.Request) -> web.Response:
        return web.Response(status=500, headers={"X-Slack-No-Retry": "1"})

    with served(no_more) as url:
        slack.deliver_http(url)
        slack.says(shop.ada, shop.help, "once")
        slack.wait(lambda: slack.deliveries[-1].gave_up)
    assert slack.deliveries[-1].statuses == [500]


@contextmanager
def served(answer: Any) -> Iterator[str]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/", answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = asyncio.run_coroutine_threadsafe(start(), loop).result(5)
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


# Response URLs and modals.


def test_a_response_url_takes_five_posts(slack, shop):
    async def send(url: str, body: Any) -> int:
        async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
            return answer.status

    blocks = [actions(button(value="7"))]
    asked = call(slack, "chat_postMessage", channel=shop.help.id, text="Yes?", blocks=blocks)
    url = slack.presses(shop.ada, asked["ts"], shop.help, "yes").payload["response_url"]
    bodies = [
        {"text": "Only you"},
        {"text": "All of you", "response_type": "in_channel"},
        {"text": "Answered", "blocks": [], "replace_original": True},
        {"text": "x", "blocks": [section("x" * 3001)]},
        {"delete_original": True},
        {"text": "Too much"},
    ]
    assert [asyncio.run(send(url, it)) for it in bodies] == [200, 200, 200, 400, 200, 404]
    assert [it.text for it in slack.ephemerals(shop.ada, shop.help)] == ["Only you"]
    assert [it.text for it in shop.help.messages] == ["All of you"]
    assert shop.help.all_messages[0].versions == ["Yes?"]
    assert [body for _, body in slack.responses] == bodies


def test_a_trigger_opens_one_view_and_not_late(shop):
    with Slackd(trigger_seconds=0.2, ack_seconds=0.1) as slack:
        ada = slack.add_user("ada")

        def trigger() -> str:
            return slack.commands(ada, "/ask", "?").payload["trigger_id"]

        first = trigger()
        view = call(slack, "views_open", trigger_id=first, view=MODAL)["view"]
        assert refusal(slack, "views_open", trigger_id=first, view=MODAL)["error"] == (
            "exchanged_trigger_id"
        )
        late = trigger()
        time.sleep(0.25)
        assert refusal(slack, "views_open", trigger_id=late, view=MODAL)["error"] == (
            "expired_trigger_id"
        )
        for change, reason in (
            ({"title": plain("x" * 25)}, "/view/title/text]"),
            ({"submit": plain("x" * 25)}, "/view/submit/text]"),
            ({"close": plain("x" * 25)}, "/view/close/text]"),
            ({"private_metadata": "x" * 3001}, "/view/private_metadata]"),
            ({"blocks": [long_placeholder()]}, "/view/blocks/0/element/placeholder/text]"),
            ({"blocks": [long_option()]}, "/view/blocks/0/element/options/0/text/text]"),
        ):
            answer = refusal(slack, "views_open", trigger_id=trigger(), view={**MODAL, **change})
            assert answer["error"] == "invalid_arguments"
            assert any(it.endswith(reason) for it in answer["response_metadata"]["messages"])
        new = {**MODAL, "title": plain("Once more")}
        stale = refusal(slack, "views_update", view_id=view["id"], view=new, hash="old")
        assert stale["error"] == "hash_conflict"
        call(slack, "views_update", view_id=view["id"], view=new, hash=view["hash"])
        assert slack.last_view(ada)["title"]["text"] == "Once more"
        assert refusal(slack, "views_update", view_id="V0", view=new)["error"] == "not_found"


def long_placeholder() -> dict[str, Any]:
    element = {"type": "plain_text_input", "action_id": "t", "placeholder": plain("x" * 151)}
    return {"type": "input", "label": plain("What?"), "element": element}


def long_option() -> dict[str, Any]:
    options = [{"text": plain("x" * 76), "value": "1"}]
    element = {"type": "static_select", "action_id": "s", "options": options}
    return {"type": "input", "label": plain("What?"), "element": element}


# Faults.


def test_faults_are_used_up_one_by_one(slack, shop):
    def post() -> Any:
        return call(slack, "chat_postMessage", channel=shop.help.id, text="Hi")

    slack.fail("chat.postMessage", status=500)
    slack.fail("chat.postMessage", error="fatal_error")
    slack.reset_before("chat.postMessage")
    slack.reset_after("chat.postMessage")
    slack.ratelimited(7, "chat.postMessage")
    with pytest.raises(SlackApiError) as caught:
        post()
    assert caught.value.response.status_code == 500
    with pytest.raises(SlackApiError, match="fatal_error"):
        post()
    with pytest.raises(aiohttp.ClientError):
        post()
    assert shop.help.messages == []
    with pytest.raises(aiohttp.ClientError):
        post()
    assert len(shop.help.messages) == 1
    with pytest.raises(SlackApiError) as caught:
        post()
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "7"
    assert post()["ok"]
    slack.slow(0.3, times=2)
    slack.fail("auth.test")
    start = time.monotonic()
    assert call(slack, "auth_test")["ok"] and time.monotonic() - start >= 0.3
    assert post()["ok"]
    assert refusal(slack, "auth_test")["error"] == "internal_error"


def test_whoever_stops_waiting_is_posted_for_all_the_same(slack, shop):
    slack.slow(0.4, "chat.postMessage")
    client = client_of(slack)
    client.timeout = 0.1
    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(client.chat_postMessage(channel=shop.help.id, text="Late"))
    slack.wait(lambda: shop.help.messages)


def test_slack_sdk_posts_twice_when_it_is_left_to_its_own(slack, shop):
    """Its usual handler tries a cut connection again, which Slack cannot tell from a new message."""
    client = AsyncWebClient(slack.workspace.bot_token, base_url=f"{slack.url}/api/")
    slack.reset_after("chat.postMessage")
    asyncio.run(client.chat_postMessage(channel=shop.help.id, text="Hi"))
    assert len(shop.help.messages) == 2


def test_about_one_message_a_second(shop):
    with Slackd(messages_a_second=5, burst=3) as slack:
        one, other = slack.add_channel("one"), slack.add_channel("other")
        for _ in range(3):
            call(slack, "chat_postMessage", channel=one.id, text="Hi")
        limited = refusal(slack, "chat_postMessage", channel=one.id, text="Hi")
        assert (limited.status_code, limited["error"]) == (429, "ratelimited")
        assert int(limited.headers["Retry-After"]) >= 1
        assert call(slack, "chat_postMessage", channel=other.id, text="Hi")["ok"]
        time.sleep(0.25)
        assert call(slack, "chat_postMessage", channel=one.id, text="Hi")["ok"]


# What bolt does, and what the gateway has to know of it.


def test_bolt_acknowledges_an_event_before_its_listener_is_done(slack, shop):
    async def break_down(_context: Any) -> None:
        await asyncio.sleep(0.2)
        raise RuntimeError("after the acknowledgement")

    with socket_app(slack) as bolt:
        bolt.answers["message"] = break_down
        slack.says(shop.ada, shop.help, "hello")
        slack.wait(lambda: slack.acks)
        assert slack.acks[0].seconds < 0.2
        time.sleep(0.5)
        assert len(slack.deliveries[0].sent) == 1  # nobody sends it again: it is lost
    slack.ack_seconds = 0.4
    with socket_app(slack, process_before_response=True) as bolt:
        bolt.answers["message"] = break_down
        slack.says(shop.ada, shop.help, "hello")
        slack.wait(lambda: slack.deliveries[1].gave_up)
        assert len(bolt.of("message")) == 4  # once more for every time it failed


def test_bolt_acknowledges_what_it_could_not_authorize(slack, shop):
    with socket_app(slack) as bolt:
        slack.fail("auth.test", error="invalid_auth")
        slack.says(shop.ada, shop.help, "hello")
        slack.wait(lambda: slack.acks)
        assert "apologize" in slack.acks[0].payload["text"] and not bolt.heard
        slack.ack_seconds = 0.4
        slack.reset_before("auth.test")
        slack.says(shop.ada, shop.help, "hello again")
        slack.wait(lambda: bolt.of("message"))
        assert slack.acks[-1].attempt == 1


@pytest.mark.parametrize(("kind", "recovers"), [(ByAiohttp, False), (ByWebsockets, True)])
def test_only_one_of_the_adapters_asks_for_a_new_address(kind, recovers):
    """The one made with aiohttp tries an address that was refused once for ever, though Slack takes
    none that is some seconds old: the app stays deaf until it is started again."""
    with Slackd(ticket_seconds=0.2) as slack, socket_app(slack, kind):
        slack.fail("link", status=503)
        slack.drop()
        if recovers:
            slack.wait(lambda: slack.connections)
        else:
            with pytest.raises(TimeoutError):
                slack.wait(lambda: slack.connections, 2)

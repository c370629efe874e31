"""Staff ask: a mention, a direct message or ``/ask`` is answered from the articles, in the thread."""

from __future__ import annotations

import html
import re
from typing import Any

import structlog
from anyio import to_thread
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.editing import Editing
from bot.settings import Settings
from bot.store import slack
from bot.store.database import Database
from channels.slack import blocks, wording
from channels.slack.audience import Audiences
from channels.slack.blocks import Source
from channels.slack.serve import Serving
from knowledge_base.parse import Audience
from knowledge_base.search import PLAUSIBLE, KnowledgeBase, Result

MOST_NEAR = 3
EDITED_WITHIN = 24 * 3600  # seconds; an older question is not answered anew
_MENTION = re.compile(r"<@[A-Z0-9]+(?:\|[^>]*)?>")
_MARK = re.compile(r"<(?:[#!@])?([^|>]*)(?:\|([^>]*))?>")

log = structlog.get_logger("slack")


class Asking:
    """Deals with what the inbox has.

    Args:
        database: the store.
        knowledge_base: answers.
        editing: keeps gaps.
        client: Slack's Web API.
        settings: addresses, and how long a question may be.
        serving: has first look at what may belong to a ticket.
    """

    def __init__(
        self,
        database: Database,
        knowledge_base: KnowledgeBase,
        editing: Editing,
        client: AsyncWebClient,
        settings: Settings,
        serving: Serving | None = None,
    ):
        self._serving = serving
        self._database = database
        self._knowledge_base = knowledge_base
        self._editing = editing
        self._client = client
        self._origin = settings.origin
        self._longest = settings.max_message_characters
        self._audiences = Audiences(client)
        self._me = ""

    async def handle(self, kind: str, body: dict[str, Any], key: str) -> None:
        """One row of the inbox."""
        if kind == "command":
            await self._command(body, key)
        elif kind == "action":
            await self._action(body)
        elif kind == "view":
            if self._serving is not None:
                await self._serving.view(body, key)
        else:
            await self._event(body)

    # Messages.

    async def _event(self, body: dict[str, Any]) -> None:
        event = body["event"]
        if event.get("type") in ("member_joined_channel", "channel_shared", "team_join"):
            self._audiences.forget()
            return
        if event.get("subtype") == "message_changed":
            await self._edited(body, event)
            return
        if event.get("type") not in ("message", "app_mention"):
            return
        if event.get("subtype") not in (None, "file_share", "thread_broadcast"):
            return
        await self._asked(body, event)

    async def _asked(self, body: dict[str, Any], event: dict[str, Any]) -> None:
        if event.get("bot_id") or not event.get("user"):
            return
        raw = str(event.get("text") or "")
        if self._serving is not None and await self._serving.message(event):
            return
        direct = event.get("channel_type") == "im" or str(event["channel"]).startswith("D")
        if not direct and f"<@{await self._self()}" not in raw:
            return
        question = said(raw)
        team, channel = str(body.get("team_id") or ""), str(event["channel"])
        thread = str(event.get("thread_ts") or event["ts"])
        audience = await self._audiences.of(team, str(event["user"]), channel, alone=direct)
        payload, about = await self._answer(question, audience, channel, thread)
        await to_thread.run_sync(
            self._post, f"answer/{channel}/{event['ts']}", channel, thread, payload, about
        )

    async def _edited(self, body: dict[str, Any], event: dict[str, Any]) -> None:
        """An edited question is answered anew, where its answer stands."""
        inner = dict(event.get("message") or {})
        if inner.get("text") == (event.get("previous_message") or {}).get("text"):
            return
        inner.update(channel=event.get("channel"), channel_type=event.get("channel_type"))
        age = float((inner.get("edited") or {}).get("ts") or 0) - float(inner.get("ts") or 0)
        if age < EDITED_WITHIN and not inner.get("subtype"):
            await self._asked(body, inner)

    async def _answer(
        self, question: str, audience: Audience, channel: str, thread: str
    ) -> tuple[dict[str, Any], dict[str, Any] | None]:
        if not question:
            return blocks.plain(wording.HELLO), None
        if len(question) > self._longest:
            return blocks.plain(wording.TOO_LONG.format(most=self._longest)), None

        def find() -> tuple[dict[str, Any], dict[str, Any]]:
            with self._database.reading() as tx:
                earlier = slack.thread(tx, channel, thread) if thread else []
            history = [text for it in earlier for text in (it["question"], it["answer"]) if text]
            return self._found(question, audience, history)

        return await to_thread.run_sync(find)

    def _found(
        self, question: str, audience: Audience, history: list[str]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        found = self._knowledge_base.ask(question, audience, history)
        about = {"question": question, "answer": ""}
        if found.kind == "answer" or (
            # Colleagues may know what only an account tells; the words on the subject help them.
            found.kind == "needs_account" and found.confidence >= self._knowledge_base.threshold
        ):
            passage = found.hits[0].passage
            text = self._knowledge_base.excerpt(question, passage, history)
            about["answer"] = text
            shown = self._knowledge_base.shown(text, passage, audience)
            source = self._source(found, 0)
            return (
                blocks.answer(shown, [source], confidence=found.confidence, origin=self._origin),
                about,
            )
        near = self._near(found)
        if found.kind == "staff_only":
            words = wording.STAFF_MAY_KNOW
        else:
            words = wording.NOT_SURE if near else wording.NOT_KNOWN
        logs = found.kind != "staff_only"
        return blocks.no_answer(words, near, question, may_log=logs), about

    def _near(self, found: Result) -> list[Source]:
        if found.confidence < PLAUSIBLE or found.kind == "staff_only":
            return []
        articles: dict[str, Source] = {}
        for at, hit in enumerate(found.hits):
            articles.setdefault(hit.passage.article_id, self._source(found, at))
        return list(articles.values())[:MOST_NEAR]

    def _source(self, found: Result, at: int) -> Source:
        passage = found.hits[at].passage
        staff = passage.audience == "staff"
        # An article for staff is read at the desk, by whoever may log in there.
        below = f"/desk/knowledge/{passage.article_id}" if staff else passage.url
        return Source(passage.headed, f"{self._origin}{below}", staff)

    # Commands and buttons.

    async def _command(self, body: dict[str, Any], key: str) -> None:
        """``/ask``: only the one who asks sees the answer."""
        question = said(str(body.get("text") or ""))
        team, user = str(body.get("team_id") or ""), str(body.get("user_id") or "")
        audience = await self._audiences.of(team, user, str(body.get("channel_id")), alone=True)
        payload = blocks.plain(wording.USAGE)
        if question:
            payload, _ = await self._answer(question, audience, "", "")
        await self._respond(body, {**payload, "response_type": "ephemeral"})

    async def _action(self, body: dict[str, Any]) -> None:
        for action in body.get("actions") or []:
            if self._serving is not None and await self._serving.action(body, action):
                continue
            if action.get("action_id") != "gap.log":
                continue
            question = str(action.get("value") or "")
            user = str((body.get("user") or {}).get("name") or "a colleague in Slack")
            fresh = await to_thread.run_sync(self._editing.log_gap, question, user)
            words = wording.LOGGED if fresh else wording.LOGGED_BEFORE
            await self._respond(
                body,
                {**blocks.plain(words), "response_type": "ephemeral", "replace_original": False},
            )

    async def _respond(self, body: dict[str, Any], payload: dict[str, Any]) -> None:
        """By the address that Slack gives for it; the inbox tries again when that fails."""
        address = str(body.get("response_url") or "")
        if not address:
            return
        answer = await AsyncWebhookClient(address, retry_handlers=[]).send_dict(payload)
        if answer.status_code >= 500 or answer.status_code == 429:
            raise RuntimeError(f"Slack answers {answer.status_code}")
        if answer.status_code != 200:
            log.warning("slack.not_told", status=answer.status_code)

    # Below.

    async def _self(self) -> str:
        if not self._me:
            self._me = str((await self._client.auth_test())["user_id"])
        return self._me

    def _post(
        self,
        key: str,
        channel: str,
        thread: str,
        payload: dict[str, Any],
        about: dict[str, Any] | None,
    ) -> None:
        with self._database.transaction() as tx:
            now = self._database.now(tx)
            slack.post(
                tx, key, channel=channel, thread_ts=thread, payload=payload, now=now, about=about
            )


def said(text: str) -> str:
    """The words of a Slack message: without mentions, with links as what they show."""
    bare = _MENTION.sub(" ", text)
    bare = _MARK.sub(lambda found: found[2] or found[1], bare)
    return " ".join(html.unescape(bare).split())

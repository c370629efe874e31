"""Staff serve: tickets as cards in the channel of their queue, the conversation as the card's thread.

What colleagues write in the thread stays inside. Only a button, or a leading ``>>`` that is confirmed
under a preview, reaches the customer.
"""

from __future__ import annotations

import asyncio
import html
import json
import time
from typing import Any

import structlog
from anyio import to_thread
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient
from sqlalchemy import Row

from bot.service.promises import promises
from bot.settings import Settings
from bot.store import ledger, slack, tickets
from bot.store.agents import Agent, Agents
from bot.support import Conflict, NotFound, Support
from bot.wording import ticket_number
from channels.slack import blocks, cards, wording

LOOK_SECONDS = 1.0
LOOK_ANYWAY = 5.0  # another gateway may have changed something
CLOSED_SHOWN = 24 * 3_600_000
SENDS = "&gt;&gt;"  # ">>" as Slack writes it
EMAILS_KEPT = 300.0

log = structlog.get_logger("slack")


class Serving:
    """Keeps the cards as the tickets are, and does what is pressed.

    Args:
        support: the use cases, the same as the desk's.
        agents: who may act; linked by e-mail address.
        client: Slack's Web API.
        settings: which queue's tickets go to which channel.
    """

    def __init__(
        self, support: Support, agents: Agents, client: AsyncWebClient, settings: Settings
    ):
        self._support = support
        self._database = support.database
        self._agents = agents
        self._client = client
        self._origin = settings.origin
        self._channels = settings.slack_channels
        self._emails: dict[str, tuple[float, str]] = {}

    # The cards.

    async def run(self) -> None:
        """Until cancelled."""
        seen, looked = -1, 0.0
        while True:
            changes = self._support.changes
            if changes != seen or time.monotonic() - looked > LOOK_ANYWAY:
                seen, looked = changes, time.monotonic()
                try:
                    await to_thread.run_sync(self.show)
                except Exception:
                    log.exception("slack.cards_failed")
            await asyncio.sleep(LOOK_SECONDS)

    def show(self) -> None:
        """Queue what has changed: new cards, cards of another state, messages for their threads."""
        with self._database.reading() as tx:
            now = self._database.now(tx)
            rows = tickets.for_desk(tx, now - CLOSED_SHOWN)
            keys = [key for row in rows for key in (_key(row.id), _before(row.id))]
            known = slack.posted_all(tx, keys)
        for row in rows:
            card, begun = known.get(_key(row.id)), known.get(_before(row.id))
            channel = self._channels.get(row.queue) or self._channels.get("*")
            if card is None and (channel is None or row.closed_at is not None):
                continue  # nobody is told here, or it was over before Slack was set up
            queue = self._support.service.queue(row.queue).title
            now_so = cards.card(row, queue, self._origin)
            shown = (begun.about or {}).get("seq", 0) if begun is not None else -1
            same = card is not None and card.payload == now_so
            if same and (not card.ts or shown >= row.last_seq):
                continue
            with self._database.transaction() as tx:
                place = card.channel if card is not None else str(channel)
                self._show(tx, row, now_so, place, now)

    def _show(self, tx: Any, row: Row[Any], card: dict[str, Any], channel: str, now: int) -> None:
        about = {"ticket": row.id, "conversation": row.conversation_id}
        slack.post(
            tx, _key(row.id), channel=channel, thread_ts="", payload=card, now=now, about=about
        )
        known = slack.posted(tx, _key(row.id))
        if known is None or not known.ts:
            return  # the thread begins when the card is there
        messages = ledger.transcript(tx, row.conversation_id)
        last = {"seq": messages[-1].seq if messages else 0}
        begun = slack.posted(tx, _before(row.id))
        place = {"channel": channel, "thread_ts": known.ts, "now": now}
        if begun is None:
            slack.post(tx, _before(row.id), payload=cards.so_far(messages), about=last, **place)
            return
        since = (begun.about or {}).get("seq", 0)
        for message in messages:
            if message.seq > since:
                key = f"message/{row.id}/{message.id}"
                slack.post(tx, key, payload=cards.message(message), **place)
        slack.note_post(tx, begun.id, about=last)

    # What colleagues do.

    async def message(self, event: dict[str, Any]) -> bool:
        """A message in a thread; whether it is a ticket's, and so nobody else's business."""
        thread = event.get("thread_ts")
        if not thread:
            return False
        found = await to_thread.run_sync(self._ticket_of, str(event["channel"]), str(thread))
        if found is None:
            return False
        text = str(event.get("text") or "").strip()
        if text.startswith(SENDS) and not event.get("bot_id") and event.get("user"):
            words = html.unescape(text[len(SENDS) :]).strip()
            await self._preview(event, found, words)
        return True

    def _ticket_of(self, channel: str, thread: str) -> int | None:
        with self._database.reading() as tx:
            row = slack.by_place(tx, channel, thread)
        if row is None or not row.key.startswith("ticket/"):
            return None
        return int(row.key.removeprefix("ticket/"))

    async def _preview(self, event: dict[str, Any], ticket_id: int, words: str) -> None:
        agent = await self._agent(str(event["user"]))
        if agent is None:
            payload = blocks.plain(wording.NOT_LINKED)
        elif not words:
            payload = blocks.plain(wording.EMPTY)
        else:
            payload = cards.preview(words, ticket_id, str(event["ts"]), promises(words))
        channel, thread, ts = (str(event[it]) for it in ("channel", "thread_ts", "ts"))
        about = {"words": words, "agent": agent.id} if agent and words else None

        def post() -> None:
            with self._database.transaction() as tx:
                now = self._database.now(tx)
                slack.post(
                    tx,
                    f"preview/{channel}/{ts}",
                    channel=channel,
                    thread_ts=thread,
                    payload=payload,
                    now=now,
                    about=about,
                )

        await to_thread.run_sync(post)

    async def action(self, body: dict[str, Any], action: dict[str, Any]) -> bool:
        """A button of ours; whether it was one."""
        name = str(action.get("action_id") or "")
        if not name.startswith(("ticket.", "reply.")) or name == "ticket.open":
            return name == "ticket.open"
        agent = await self._agent(str((body.get("user") or {}).get("id")))
        if agent is None:
            await self.tell(body, wording.NOT_LINKED)
            return True
        if name.startswith("reply."):
            await self._decide(body, action, agent, send=name == "reply.send")
            return True
        chosen = (action.get("selected_option") or {}).get("value")
        value, _, minutes = str(chosen or action.get("value") or "0").partition(":")
        ticket_id, what = int(value), name.removeprefix("ticket.")
        if what in ("note", "write", "hand_back"):
            view = cards.form(what, ticket_id, ticket_number(ticket_id))
            await self._client.views_open(trigger_id=str(body.get("trigger_id")), view=view)
            return True
        trouble = await to_thread.run_sync(self._do, what, ticket_id, agent, {"minutes": minutes})
        if trouble:
            await self.tell(body, trouble)
        return True

    async def view(self, body: dict[str, Any], key: str) -> None:
        """A modal that was sent."""
        view = body.get("view") or {}
        meta = json.loads(view.get("private_metadata") or "{}")
        agent = await self._agent(str((body.get("user") or {}).get("id")))
        if agent is None or "ticket" not in meta:
            return
        values = (view.get("state") or {}).get("values") or {}
        fields = {name: str(it["text"].get("value") or "") for name, it in values.items()}
        fields["key"] = key
        ticket_id = int(meta["ticket"])
        trouble = await to_thread.run_sync(self._do, meta["what"], ticket_id, agent, fields)
        if trouble:
            await self._tell_in_thread(ticket_id, key, f"{agent.name}: {trouble}")

    def _do(self, what: str, ticket_id: int, agent: Agent, fields: dict[str, Any]) -> str:
        """Do it as that agent; returns what went wrong, or ""."""
        support = self._support
        with self._database.reading() as tx:
            ticket = tickets.get(tx, ticket_id)
            now = self._database.now(tx)
        if ticket is None:
            return "There is no such ticket."
        conversation = ticket.conversation_id
        try:
            if what == "claim":
                support.claim(ticket_id, agent.id)
            elif what == "resolve":
                support.resolve(conversation, agent.id)
            elif what == "hand_back":
                note, settled = fields.get("note", ""), fields.get("settled", "")
                support.hand_back(conversation, agent.id, note, settled)
            elif what == "snooze":
                support.snooze(ticket_id, agent.id, now + int(fields["minutes"]) * 60_000)
            elif what == "note":
                support.note(ticket_id, agent.id, fields.get("text", ""))
            elif what == "write":
                key = str(fields.get("key"))[-60:]
                support.reply_as_person(conversation, agent.id, fields.get("text", ""), key)
        except (Conflict, NotFound, ValueError) as error:
            return str(error)
        return ""

    async def _decide(
        self, body: dict[str, Any], action: dict[str, Any], agent: Agent, *, send: bool
    ) -> None:
        """Send what was previewed, or not; once, and only by who wrote it."""
        value = json.loads(str(action.get("value") or "{}"))
        channel = str((body.get("channel") or {}).get("id"))
        place = f"preview/{channel}/{value.get('key')}"

        def decide() -> tuple[str, bool]:
            with self._database.reading() as tx:
                row = slack.posted(tx, place)
            about = (row.about if row is not None else None) or {}
            if about.get("agent") != agent.id:
                return wording.NOT_YOURS, False
            told = wording.DROPPED
            if send:
                fields = {"text": about["words"], "key": place}
                told = self._do("write", int(value["ticket"]), agent, fields) or wording.SENT
            with self._database.transaction() as tx:
                now = self._database.now(tx)
                over = blocks.plain(f"{about['words']}\n{told}")
                slack.post(
                    tx, place, channel=channel, thread_ts="", payload=over, now=now, about={}
                )
            return told, True

        told, over = await to_thread.run_sync(decide)
        if not over:
            await self.tell(body, told)

    # Telling, and who it is.

    async def tell(self, body: dict[str, Any], words: str) -> None:
        """Only to who pressed."""
        address = str(body.get("response_url") or "")
        if address:
            told = {**blocks.plain(words), "response_type": "ephemeral", "replace_original": False}
            await AsyncWebhookClient(address, retry_handlers=[]).send_dict(told)

    async def _tell_in_thread(self, ticket_id: int, key: str, words: str) -> None:
        def post() -> None:
            with self._database.transaction() as tx:
                card = slack.posted(tx, _key(ticket_id))
                if card is None or not card.ts:
                    return
                slack.post(
                    tx,
                    f"told/{key}"[:200],
                    channel=card.channel,
                    thread_ts=card.ts,
                    payload=blocks.plain(words),
                    now=self._database.now(tx),
                )

        await to_thread.run_sync(post)

    async def _agent(self, user: str) -> Agent | None:
        """Who at the desk has this Slack user's e-mail address."""
        known = self._emails.get(user)
        if known is None or known[0] < time.monotonic():
            found: Any = await self._client.users_info(user=user)
            email = str((found["user"].get("profile") or {}).get("email") or "").lower()
            known = (time.monotonic() + EMAILS_KEPT, email)
            self._emails[user] = known
        email = known[1]
        everybody = await to_thread.run_sync(self._agents.list)
        return next((it for it in everybody if email and it.email == email and _serves(it)), None)


def _serves(agent: Agent) -> bool:
    return agent.role != "editor" and not agent.disabled


def _key(ticket_id: int) -> str:
    return f"ticket/{ticket_id}"


def _before(ticket_id: int) -> str:
    return f"before/{ticket_id}"

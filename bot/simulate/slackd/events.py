"""What the Events API says of messages, and how people's words look by then."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

from bot.simulate.slackd.workspace import Channel, Message, Workspace

_SIGNS = re.compile(r"<(?:[@#!][^<>\s][^<>]*|(?:https?|mailto):[^<>]+)>")
_ADDRESS = re.compile(r"https?://[^\s<>|]+")


def as_slack_writes(text: str) -> str:
    """Three signs escaped and addresses in brackets, as Slack hands on what people write. What is
    written as Slack writes it already, such as <@U1>, stays."""
    parts, at = [], 0
    for sign in _SIGNS.finditer(text):
        parts += [_plain(text[at : sign.start()]), sign.group()]
        at = sign.end()
    return "".join([*parts, _plain(text[at:])])


def _plain(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _ADDRESS.sub(lambda it: f"<{it.group()}>", text)


class Events:
    """Makes events, each in its envelope."""

    def __init__(self, workspace: Workspace):
        self._workspace = workspace

    def wanted(self, channel: Channel, event: dict[str, Any]) -> bool:
        """Slack tells the app what it may read: where it is a member, and has the scope."""
        space = self._workspace
        if space.bot.id not in channel.members or space.revoked:
            return False
        if event["type"] == "app_mention":
            return "app_mentions:read" in space.scopes
        what = "history" if event["type"] == "message" else "read"
        return f"{channel.scope}:{what}" in space.scopes

    def callback(self, channel: Channel, event: dict[str, Any]) -> dict[str, Any]:
        space = self._workspace
        return {
            "token": "verification-token", "team_id": space.team_id,
            "context_team_id": space.team_id, "context_enterprise_id": None,
            "api_app_id": space.app_id, "event": event, "type": "event_callback",
            "event_id": f"Ev{uuid.uuid4().hex[:12].upper()}", "event_time": int(time.time()),
            "authorizations": [{
                "enterprise_id": None, "team_id": space.team_id, "user_id": space.bot.id,
                "is_bot": True, "is_enterprise_install": False,
            }],
            "is_ext_shared_channel": channel.is_ext_shared,
            "event_context": f"4-{uuid.uuid4().hex}",
        }  # fmt: skip

    def posted(self, channel: Channel, message: Message) -> list[dict[str, Any]]:
        """The event of a message, and a second one where it mentions the bot outside of its direct
        messages: an app that hears both is told twice, with different ids."""
        space = self._workspace
        body = message.as_json(space.team_id, metadata=True) | {
            "channel": channel.id, "event_ts": message.ts,
        }  # fmt: skip
        above = space.message(channel, message.thread_ts or "")
        if above is not None and above is not message:
            body["parent_user_id"] = above.user
        author = space.users.get(message.user)
        if author and author.team_id != space.team_id:
            body |= {"user_team": author.team_id, "source_team": author.team_id}
            body["team"] = author.team_id
        events = [body | {"channel_type": channel.type}]
        said_by_bot = message.user == space.bot.id
        if not channel.is_im and f"<@{space.bot.id}>" in message.text and not said_by_bot:
            mention = {name: it for name, it in body.items() if name != "parent_user_id"}
            events.append(mention | {"type": "app_mention"})
        return events

    def changed(
        self, channel: Channel, message: Message, before: dict[str, Any]
    ) -> list[dict[str, Any]]:
        now = self._workspace.ts()
        return [{
            "type": "message", "subtype": "message_changed", "hidden": True, "ts": now,
            "event_ts": now, "channel": channel.id, "channel_type": channel.type,
            "message": message.as_json(self._workspace.team_id), "previous_message": before,
        }]  # fmt: skip

    def deleted(
        self, channel: Channel, message: Message, before: dict[str, Any]
    ) -> list[dict[str, Any]]:
        now = self._workspace.ts()
        return [{
            "type": "message", "subtype": "message_deleted", "hidden": True, "ts": now,
            "event_ts": now, "deleted_ts": message.ts, "channel": channel.id,
            "channel_type": channel.type, "previous_message": before,
        }]  # fmt: skip

    def membership(self, channel: Channel, user: str, joined: bool) -> dict[str, Any]:
        now = self._workspace.ts()
        return {
            "type": "member_joined_channel" if joined else "member_left_channel", "user": user,
            "channel": channel.id, "channel_type": "G" if channel.is_private else "C",
            "team": self._workspace.team_id, "event_ts": now,
        }  # fmt: skip

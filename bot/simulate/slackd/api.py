"""The Web API: what each method takes, does and refuses."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from bot.simulate.slackd.chat import Chat
from bot.simulate.slackd.views import Views
from bot.simulate.slackd.workspace import Channel, Refused, User, Workspace

Args = dict[str, Any]
LISTS = ("blocks", "attachments", "metadata", "view")
"""What a form carries as JSON."""


def arguments(given: Args) -> Args:
    """As a method wants them, however they were sent."""
    args = {name: value for name, value in given.items() if value is not None}
    for name in LISTS:
        if isinstance(args.get(name), str):
            try:
                args[name] = json.loads(args[name])
            except ValueError:
                args[name] = "not JSON"  # which is refused where it is looked at
    return args


def truth(value: Any) -> bool:
    return value in (True, 1, "1", "true", "True")


class Limits:
    """About one message a second in a channel, and a few more now and then."""

    def __init__(self, a_second: float | None, burst: int):
        self.a_second, self.burst = a_second, burst
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, channel: str) -> int:
        """The seconds to wait; 0 means that it may be done, and counts."""
        if self.a_second is None:
            return 0
        now = time.monotonic()
        left, since = self._left.get(channel, (float(self.burst), now))
        left = min(self.burst, left + (now - since) * self.a_second)
        if left < 1:
            self._left[channel] = (left, now)
            return max(1, round((1 - left) / self.a_second + 0.5))
        self._left[channel] = (left - 1, now)
        return 0


class Api(Chat):
    """Called with the workspace's lock held. ``ws_url`` makes an address for a web socket."""

    def __init__(
        self,
        workspace: Workspace,
        views: Views,
        tell: Callable[[str, Any, Any], None],
        ws_url: Callable[[], str],
    ):
        super().__init__(workspace, tell)
        self.views, self._ws_url = views, ws_url
        self._methods: dict[str, tuple[str | None, Callable[[Args], Args]]] = {
            "api.test": (None, self._api_test),
            "auth.test": (None, self._auth_test),
            "apps.connections.open": ("connections:write", self._connections_open),
            "chat.postMessage": ("chat:write", self._post_message),
            "chat.postEphemeral": ("chat:write", self._post_ephemeral),
            "chat.update": ("chat:write", self._update),
            "chat.delete": ("chat:write", self._delete),
            "conversations.info": (None, self._conversation),
            "conversations.members": (None, self._members),
            "conversations.replies": (None, self._replies),
            "conversations.history": (None, self._history),
            "conversations.open": ("im:write", self._open),
            "users.info": ("users:read", self._user),
            "users.lookupByEmail": ("users:read.email", self._by_email),
            "views.open": (None, lambda args: {"view": self.views.open(args)}),
            "views.update": (None, lambda args: {"view": self.views.update(args)}),
            "reactions.add": ("reactions:write", self._react),
        }

    def answer(self, method: str, args: Args, token: str | None) -> Args:
        known = self._methods.get(method)
        try:
            if known is None:
                raise Refused("unknown_method", req_method=method)
            scope, act = known
            if method != "api.test":
                self._authorize(method, token)
            if scope and method != "apps.connections.open":
                self.need(scope)
            return {"ok": True, **act(args)}
        except Refused as refused:
            return {"ok": False, "error": refused.error, **refused.more}

    def _authorize(self, method: str, token: str | None) -> None:
        space = self.workspace
        right, other = space.bot_token, space.app_token
        if method == "apps.connections.open":
            right, other = other, right
        if not token:
            raise Refused("not_authed")
        if token == other:
            raise Refused("not_allowed_token_type")
        if token != right:
            raise Refused("invalid_auth")
        if space.revoked:
            raise Refused("token_revoked")
        if method == "apps.connections.open" and "connections:write" not in space.app_scopes:
            raise Refused("missing_scope", needed="connections:write", provided="")

    # Of itself.

    def _api_test(self, args: Args) -> Args:
        if args.get("error"):
            raise Refused(args["error"], args=args)
        return {"args": args}

    def _auth_test(self, _args: Args) -> Args:
        space = self.workspace
        return {
            "url": f"https://{space.domain}.slack.com/", "team": space.domain,
            "user": space.bot.name, "team_id": space.team_id, "user_id": space.bot.id,
            "bot_id": space.bot.bot_id, "is_enterprise_install": False,
        }  # fmt: skip

    def _connections_open(self, _args: Args) -> Args:
        return {"url": self._ws_url()}

    # Conversations.

    def _readable(self, args: Args, what: str) -> Channel:
        """A channel the bot may see: a private one only when it is in it."""
        space = self.workspace
        channel = space.channels.get(args.get("channel") or "")
        inside = channel is not None and space.bot.id in channel.members
        if channel is None or ((channel.is_private or channel.is_im) and not inside):
            raise Refused("channel_not_found")
        self.need(f"{channel.scope}:{what}")
        if what == "history" and not inside:
            raise Refused("not_in_channel")
        return channel

    def _conversation(self, args: Args) -> Args:
        channel = self._readable(args, "read")
        shape = self.workspace.channel_json(channel)
        if truth(args.get("include_num_members")):
            shape["num_members"] = len(channel.members)
        return {"channel": shape}

    def _members(self, args: Args) -> Args:
        members, cursor = _page(self._readable(args, "read").members, args, 100)
        return {"members": members, "response_metadata": {"next_cursor": cursor}}

    def _replies(self, args: Args) -> Args:
        channel = self._readable(args, "history")
        asked = self.workspace.message(channel, args.get("ts") or "")
        if asked is None or asked.ephemeral_to:
            raise Refused("thread_not_found")
        parent, *rest = self.workspace.thread(channel, asked.thread_ts or asked.ts)
        oldest, latest = args.get("oldest", "0"), args.get("latest", "9" * 10)
        rest = [it for it in rest if float(oldest) < float(it.ts) < float(latest)]
        page, cursor = _page(rest, args, 1000)
        full = truth(args.get("include_all_metadata"))
        team = self.workspace.team_id
        first = parent.as_json(team, metadata=full) | {
            "reply_count": len(rest), "reply_users": sorted({it.user for it in rest}),
        }  # fmt: skip
        return {
            "messages": [first, *(it.as_json(team, metadata=full) for it in page)],
            "has_more": bool(cursor), "response_metadata": {"next_cursor": cursor},
        }  # fmt: skip

    def _history(self, args: Args) -> Args:
        channel = self._readable(args, "history")
        oldest, latest = args.get("oldest", "0"), args.get("latest", "9" * 10)
        found = [
            it
            for it in reversed(channel.messages)
            if not it.ephemeral_to and it.thread_ts in (None, it.ts)
            and float(oldest) < float(it.ts) < float(latest)
        ]  # fmt: skip
        page, cursor = _page(found, args, 1000)
        full, team = truth(args.get("include_all_metadata")), self.workspace.team_id
        return {
            "messages": [it.as_json(team, metadata=full) for it in page],
            "has_more": bool(cursor), "response_metadata": {"next_cursor": cursor},
        }  # fmt: skip

    def _open(self, args: Args) -> Args:
        if args.get("channel"):
            channel = self.workspace.channels.get(args["channel"])
            if channel is None or not channel.is_im:
                raise Refused("channel_not_found")
            return {"channel": {"id": channel.id}}
        ids = args.get("users") or ""
        ids = ids.split(",") if isinstance(ids, str) else ids
        if not any(ids):
            raise Refused("users_list_not_supplied")
        user = self.workspace.users.get(ids[0])
        if user is None:
            raise Refused("user_not_found")
        if user.deleted:
            raise Refused("user_disabled")
        if user.is_bot:
            raise Refused("cannot_dm_bot")
        channel = self.workspace.open_im(user)
        whole = self.workspace.channel_json(channel)
        return {"channel": whole if truth(args.get("return_im")) else {"id": channel.id}}

    # People.

    def _user(self, args: Args) -> Args:
        user = self.workspace.users.get(args.get("user") or "")
        if user is None:
            raise Refused("user_not_found")
        return {"user": self.workspace.user_json(user)}

    def _by_email(self, args: Args) -> Args:
        found: User | None = None
        for user in self.workspace.users.values():
            if user.email and user.email.lower() == str(args.get("email")).lower():
                found = user
        if found is None or found.deleted or found.team_id != self.workspace.team_id:
            raise Refused("users_not_found")
        return {"user": self.workspace.user_json(found)}

    def _react(self, args: Args) -> Args:
        channel = self._readable(args, "read")
        message = self.workspace.message(channel, args.get("timestamp") or "")
        if message is None:
            raise Refused("message_not_found")
        name = str(args.get("name") or "").strip(":")
        if not name:
            raise Refused("invalid_name")
        users = message.reactions.setdefault(name, [])
        if self.workspace.bot.id in users:
            raise Refused("already_reacted")
        users.append(self.workspace.bot.id)
        return {}


def _page(things: list[Any], args: Args, usual: int) -> tuple[list[Any], str]:
    start = int(args.get("cursor") or 0)
    size = min(int(args.get("limit") or usual), 1000)
    more = start + size < len(things)
    return things[start : start + size], str(start + size) if more else ""

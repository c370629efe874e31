"""Who is in the workspace, where they talk, and what was said."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

SCOPES = (
    "app_mentions:read", "channels:history", "channels:read", "chat:write", "commands",
    "groups:history", "groups:read", "im:history", "im:read", "im:write", "reactions:write",
    "users:read", "users:read.email",
)  # fmt: skip


class Refused(Exception):
    """Slack says no. ``more`` goes into the answer next to the word."""

    def __init__(self, error: str, **more: Any):
        super().__init__(error)
        self.error, self.more = error, more


@dataclass
class User:
    id: str
    name: str
    email: str | None = None
    is_bot: bool = False
    deleted: bool = False
    is_restricted: bool = False  # a guest of several channels
    is_ultra_restricted: bool = False  # a guest of one
    team_id: str = ""  # another company's, for a stranger in a shared channel
    bot_id: str | None = None

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"


@dataclass
class Message:
    """One message as it stands now; ``versions`` are the texts it had before."""

    channel: str
    ts: str
    user: str
    text: str
    thread_ts: str | None = None
    blocks: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, Any] | None = None
    bot_id: str | None = None
    app_id: str | None = None
    subtype: str | None = None
    client_msg_id: str | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    edited: dict[str, str] | None = None
    deleted: bool = False
    ephemeral_to: str | None = None
    versions: list[str] = field(default_factory=list)
    event_ids: list[str] = field(default_factory=list)

    @property
    def gone(self) -> bool:
        """Of a deleted message that has replies, a tombstone stays."""
        return self.deleted and self.subtype != "tombstone"

    def as_json(self, team: str, *, metadata: bool = False) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "type": "message", "user": self.user, "text": self.text, "ts": self.ts, "team": team,
        }  # fmt: skip
        for name in ("subtype", "thread_ts", "bot_id", "app_id", "client_msg_id", "edited"):
            if getattr(self, name):
                shape[name] = getattr(self, name)
        for name in ("blocks", "attachments", "files"):
            if getattr(self, name):
                shape[name] = getattr(self, name)
        if self.reactions:
            shape["reactions"] = [
                {"name": name, "users": users, "count": len(users)}
                for name, users in self.reactions.items()
            ]
        if metadata and self.metadata:
            shape["metadata"] = self.metadata
        return shape


@dataclass
class Channel:
    id: str
    name: str
    members: list[str] = field(default_factory=list)
    is_private: bool = False
    is_im: bool = False
    is_archived: bool = False
    is_ext_shared: bool = False  # with another company
    is_shared: bool = False
    all_messages: list[Message] = field(default_factory=list)
    ephemerals: list[Message] = field(default_factory=list)

    @property
    def messages(self) -> list[Message]:
        """What somebody who scrolls through it sees, replies in threads included."""
        return [it for it in self.all_messages if not it.gone]

    @property
    def type(self) -> str:
        return "im" if self.is_im else "group" if self.is_private else "channel"

    @property
    def scope(self) -> str:
        """What a scope for this kind of channel begins with."""
        return {"im": "im", "group": "groups", "channel": "channels"}[self.type]


class Workspace:
    """The state. Whoever reads or writes it holds ``lock``: the server answers in its own thread."""

    def __init__(self, scopes: Iterable[str] = SCOPES) -> None:
        self.lock = threading.RLock()
        self.team_id = "T0000LOCAL"
        self.domain = "rapport-local"
        self.app_id = "A0000LOCAL"
        self.bot_token = "xoxb-local-bot"
        self.app_token = "xapp-1-local-app"
        self.signing_secret = "a signing secret of nobody"
        self.scopes = set(scopes)
        self.app_scopes = {"connections:write"}
        self.revoked = False
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self._numbers = itertools.count(1)
        self._last_ts = 0
        self.bot = self.add_user("rapport", is_bot=True)
        assert self.bot.bot_id

    def id(self, kind: str) -> str:
        return f"{kind}{next(self._numbers):08d}"

    def ts(self) -> str:
        """Now, and later than anything before."""
        with self.lock:
            self._last_ts = max(self._last_ts + 100, time.time_ns() // 1000)
            return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    # Building it.

    def add_user(self, name: str, email: str | None = None, **flags: Any) -> User:
        with self.lock:
            user = User(self.id("U"), name, email, **flags)
            user.team_id = user.team_id or self.team_id
            if user.is_bot:
                user.bot_id = self.id("B")
            self.users[user.id] = user
            return user

    def add_channel(
        self, name: str, members: Iterable[User | str] = (), *, bot: bool = True, **flags: Any
    ) -> Channel:
        with self.lock:
            channel = Channel(self.id("C"), name, **flags)
            channel.members = [self.user(it).id for it in members]
            channel.is_shared = channel.is_shared or channel.is_ext_shared
            if bot:
                channel.members.append(self.bot.id)
            self.channels[channel.id] = channel
            return channel

    def open_im(self, user: User | str) -> Channel:
        """The direct messages between somebody and the bot: always the same channel."""
        with self.lock:
            person = self.user(user)
            for channel in self.channels.values():
                if channel.is_im and person.id in channel.members:
                    return channel
            channel = Channel(self.id("D"), person.id, [person.id, self.bot.id], is_im=True)
            self.channels[channel.id] = channel
            return channel

    # Looking things up, by the thing itself, its id or its name.

    def user(self, who: User | str) -> User:
        return self._known(self.users, who, "user")

    def channel(self, where: Channel | str) -> Channel:
        return self._known(self.channels, where, "channel")

    def _known(self, known: dict[str, Any], what: Any, kind: str) -> Any:
        with self.lock:
            if not isinstance(what, str):
                return what
            if what in known:
                return known[what]
            for thing in known.values():
                if thing.name == what.lstrip("@#"):
                    return thing
        raise LookupError(f"there is no {kind} {what}")

    def message(self, channel: Channel | str, ts: str) -> Message | None:
        with self.lock:
            there = self.channel(channel)
            for message in there.all_messages + there.ephemerals:
                if message.ts == ts and not message.gone:
                    return message
        return None

    def thread(self, channel: Channel | str, ts: str) -> list[Message]:
        """The message that began it and the replies, in their order."""
        with self.lock:
            messages = self.channel(channel).messages
            return [it for it in messages if ts in (it.ts, it.thread_ts)]

    def add_message(self, channel: Channel, user: str, text: str, **more: Any) -> Message:
        """A reply to a reply belongs to the thread of the message that was replied to."""
        with self.lock:
            above = self.message(channel, more.get("thread_ts") or "")
            if above is not None and above.thread_ts:
                more["thread_ts"] = above.thread_ts
            message = Message(channel.id, self.ts(), user, text, **more)
            (channel.ephemerals if message.ephemeral_to else channel.all_messages).append(message)
            if above is not None and not above.thread_ts:
                above.thread_ts = above.ts
            return message

    # As the Web API shows them.

    def user_json(self, user: User) -> dict[str, Any]:
        profile = {"real_name": user.name.title(), "display_name": user.name}
        if user.email and "users:read.email" in self.scopes and user.team_id == self.team_id:
            profile["email"] = user.email
        shape = {
            "id": user.id, "team_id": user.team_id, "name": user.name, "deleted": user.deleted,
            "real_name": profile["real_name"], "profile": profile, "is_bot": user.is_bot,
            "is_app_user": False, "is_admin": False, "is_owner": False,
            "is_restricted": user.is_restricted or user.is_ultra_restricted,
            "is_ultra_restricted": user.is_ultra_restricted,
            "tz": "Europe/London", "tz_label": "Greenwich Mean Time", "tz_offset": 0,
            "updated": 1_700_000_000,
        }  # fmt: skip
        if user.team_id != self.team_id:
            shape["is_stranger"] = True
        return shape

    def channel_json(self, channel: Channel) -> dict[str, Any]:
        shape: dict[str, Any] = {
            "id": channel.id, "is_im": channel.is_im, "is_archived": channel.is_archived,
            "is_private": channel.is_private or channel.is_im, "is_mpim": False,
            "is_org_shared": False, "created": 1_700_000_000, "context_team_id": self.team_id,
        }  # fmt: skip
        if channel.is_im:
            other = next(it for it in channel.members if it != self.bot.id)
            return {**shape, "user": other, "is_user_deleted": self.users[other].deleted}
        teams = sorted({self.users[it].team_id for it in channel.members} | {self.team_id})
        return {
            **shape,
            "name": channel.name, "name_normalized": channel.name, "is_general": False,
            "is_channel": not channel.is_private, "is_group": channel.is_private,
            "is_shared": channel.is_shared, "is_ext_shared": channel.is_ext_shared,
            "is_member": self.bot.id in channel.members, "shared_team_ids": teams,
        }  # fmt: skip

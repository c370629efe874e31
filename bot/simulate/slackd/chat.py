"""The part of the Web API that writes: messages posted, changed and deleted by the bot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.simulate.slackd.blocks import TEXT, with_ids, wrong_in_blocks
from bot.simulate.slackd.workspace import Channel, Message, Refused, Workspace

Args = dict[str, Any]


class Chat:
    """``tell`` is called with what happened, the message, and what it was before: Slack tells the
    app of its own messages too."""

    def __init__(self, workspace: Workspace, tell: Callable[[str, Any, Any], None]):
        self.workspace, self._tell = workspace, tell

    def need(self, scope: str) -> None:
        if scope not in self.workspace.scopes:
            provided = ",".join(sorted(self.workspace.scopes))
            raise Refused("missing_scope", needed=scope, provided=provided)

    def _post_message(self, args: Args) -> Args:
        channel = self._writable(args.get("channel"))
        content = self.content(args)
        message = self.posted(channel, content, thread_ts=args.get("thread_ts"))
        return self._written(message) | {"message": message.as_json(self.workspace.team_id)}

    def _post_ephemeral(self, args: Args) -> Args:
        channel = self._writable(args.get("channel"))
        if args.get("user") not in channel.members:
            raise Refused("user_not_in_channel")
        message = self.posted(
            channel,
            self.content(args),
            thread_ts=args.get("thread_ts"),
            ephemeral_to=args["user"],
        )
        return {"message_ts": message.ts}

    def _update(self, args: Args) -> Args:
        message = self._own(args, "cant_update_message")
        content = self.content(args, before=message)
        self.changed(message, content)
        return self._written(message) | {
            "text": message.text, "message": message.as_json(self.workspace.team_id),
        }  # fmt: skip

    def _delete(self, args: Args) -> Args:
        message = self._own(args, "cant_delete_message")
        self.removed(message)
        return self._written(message)

    # The same for the response URLs.

    def content(self, args: Args, before: Message | None = None) -> Args:
        """What a message consists of, once it is known that Slack takes it."""
        text, blocks = args.get("text") or "", args.get("blocks")
        attachments = args.get("attachments")
        if not (text.strip() or blocks or attachments):
            raise Refused("no_text")
        if len(text) > TEXT:
            raise Refused("msg_too_long")
        wrong = wrong_in_blocks(blocks) if blocks is not None else []
        if wrong:
            raise Refused(
                "invalid_blocks",
                errors=wrong,
                response_metadata={"messages": [f"[ERROR] {it}" for it in wrong]},
            )
        content: Args = {"text": text, "metadata": args.get("metadata")}
        content["blocks"] = with_ids(blocks or [], self.workspace.id)
        content["attachments"] = attachments or []
        if before is not None:
            # What is not mentioned stays; an empty list takes it away.
            for name in ("blocks", "attachments", "metadata"):
                if args.get(name) is None:
                    content[name] = getattr(before, name)
            content["text"] = text or before.text
        return content

    def posted(self, channel: Channel, content: Args, **more: Any) -> Message:
        space = self.workspace
        content = {**content, **more, "bot_id": space.bot.bot_id, "app_id": space.app_id}
        message = space.add_message(channel, space.bot.id, content.pop("text"), **content)
        if not message.ephemeral_to:
            self._tell("posted", message, None)
        return message

    def changed(self, message: Message, content: Args) -> None:
        before = message.as_json(self.workspace.team_id)
        message.versions.append(message.text)
        for name, value in content.items():
            setattr(message, name, value)
        message.edited = {"user": message.user, "ts": self.workspace.ts()}
        if not message.ephemeral_to:
            self._tell("changed", message, before)

    def removed(self, message: Message) -> None:
        """A message with replies leaves a tombstone, which Slack tells as a change."""
        space = self.workspace
        before = message.as_json(space.team_id)
        message.deleted = True
        if message.ephemeral_to:
            return
        if len(space.thread(message.channel, message.ts)) > 0 and message.thread_ts == message.ts:
            message.subtype, message.text = "tombstone", "This message was deleted."
            message.user, message.blocks, message.bot_id = "USLACKBOT", [], None
            self._tell("changed", message, before)
        else:
            self._tell("deleted", message, before)

    def _own(self, args: Args, refusal: str) -> Message:
        channel = self._writable(args.get("channel"))
        message = self.workspace.message(channel, args.get("ts") or "")
        if message is None or message.ephemeral_to:
            raise Refused("message_not_found")
        if message.user != self.workspace.bot.id:
            raise Refused(refusal)
        return message

    def _writable(self, where: Any) -> Channel:
        """A channel by its id or #name, or somebody's direct messages by the user's id."""
        space = self.workspace
        channel = space.channels.get(where or "")
        if channel is None and where in space.users and where != space.bot.id:
            channel = space.open_im(where)
        if channel is None and isinstance(where, str) and where.startswith("#"):
            named = [it for it in space.channels.values() if it.name == where[1:]]
            channel = named[0] if named else None
        inside = channel is not None and space.bot.id in channel.members
        if channel is None or ((channel.is_private or channel.is_im) and not inside):
            raise Refused("channel_not_found")
        if channel.is_archived:
            raise Refused("is_archived")
        if not inside and "chat:write.public" not in space.scopes:
            raise Refused("not_in_channel")
        return channel

    def _written(self, message: Message) -> Args:
        return {"channel": message.channel, "ts": message.ts}

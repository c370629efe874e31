"""What people do in Slack, and what the app is told of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from bot.simulate.slackd.answers import Answers, ResponseUrl
from bot.simulate.slackd.blocks import elements
from bot.simulate.slackd.delivery import COMMANDS, EVENTS, INTERACTIVE, Delivery, Dispatcher
from bot.simulate.slackd.events import Events, as_slack_writes
from bot.simulate.slackd.views import filled_in, option
from bot.simulate.slackd.workspace import Channel, Message, User


class People(Answers):
    """Each act happens at once in the workspace and is on its way to the app when it returns."""

    dispatcher: Dispatcher
    run: Callable[[Coroutine[Any, Any, Any]], Future[Any]]

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []
        self.echo = True
        self._shapes = Events(self.workspace)

    # Messages.

    def says(
        self,
        user: User | str,
        channel: Channel | str,
        text: str,
        thread_ts: str | None = None,
        *,
        files: list[dict[str, Any]] | None = None,
        raw: bool = False,
    ) -> Message:
        """Somebody writes; ``channel`` may be "im" for the direct messages with the bot. The text is
        what is typed, unless it is raw: then it is what Slack hands on, sign for sign."""
        with self.workspace.lock:
            person, where = self._there(user, channel)
            message = self.workspace.add_message(
                where,
                person.id,
                text if raw else as_slack_writes(text),
                thread_ts=thread_ts,
                bot_id=person.bot_id,
                subtype="file_share" if files else None,
                files=files or [],
                client_msg_id=None if person.is_bot else str(uuid.uuid4()),
            )
            self._tell("posted", message, None)
            return message

    def edits(self, user: User | str, channel: Channel | str, ts: str, text: str) -> Message:
        with self.workspace.lock:
            message = self._theirs(user, channel, ts)
            self.api.changed(message, {"text": as_slack_writes(text)})
            return message

    def deletes(self, user: User | str, channel: Channel | str, ts: str) -> Message:
        with self.workspace.lock:
            message = self._theirs(user, channel, ts)
            self.api.removed(message)
            return message

    def unfurls(self, channel: Channel | str, ts: str) -> Message:
        """Slack adds a link's preview to a message: a change that nobody made."""
        with self.workspace.lock:
            message = self._message(channel, ts)
            before = message.as_json(self.workspace.team_id)
            message.attachments = [{"id": 1, "title": "A page", "from_url": "https://a.example"}]
            self._tell("changed", message, before)
            return message

    def joins(self, user: User | str, channel: Channel | str) -> None:
        self._membership(user, channel, True)

    def leaves(self, user: User | str, channel: Channel | str) -> None:
        self._membership(user, channel, False)

    def _membership(self, user: User | str, channel: Channel | str, joined: bool) -> None:
        with self.workspace.lock:
            person, where = self.workspace.user(user), self.workspace.channel(channel)
            where.members = [it for it in where.members if it != person.id]
            if joined:
                where.members.append(person.id)
            self._send_event(where, self._shapes.membership(where, person.id, joined))

    # Buttons, forms, commands.

    def presses(
        self,
        user: User | str,
        message_ts: str,
        channel: Channel | str,
        action_id: str,
        value: str | None = None,
    ) -> Delivery:
        """Somebody uses a button or a menu of a message. ``value`` tells apart buttons of the same
        action, or is what is chosen in a menu."""
        with self.workspace.lock:
            person, where = self._there(user, channel)
            message = self._message(where, message_ts)
            if message.ephemeral_to not in (None, person.id):
                raise LookupError(f"{person.name} does not see that message")
            action = self._action(message, action_id, value)
            container = {
                "type": "message", "message_ts": message.ts, "channel_id": where.id,
                "is_ephemeral": bool(message.ephemeral_to),
            }  # fmt: skip
            if message.thread_ts:
                container["thread_ts"] = message.thread_ts
            payload = self._interaction("block_actions", person) | {
                "container": container, "channel": self._channel_name(where),
                "trigger_id": self.views.trigger(person.id), "state": {"values": {}},
                "response_url": self._response_url(where, person, message), "actions": [action],
            }  # fmt: skip
            if not message.ephemeral_to:
                payload["message"] = message.as_json(self.workspace.team_id)
            return self._send(Delivery(INTERACTIVE, payload))

    def submits(
        self, user: User | str, view: str | None = None, values: dict[str, Any] | None = None
    ) -> Delivery:
        """Somebody fills in the modal in front of them, named by its id or callback, and sends it.
        Each value is named by its action_id or block_id."""
        with self.workspace.lock:
            person, shown = self._modal(user, view)
            shown["state"] = {"values": filled_in(shown, values or {})}
            payload = self._interaction("view_submission", person) | {
                "trigger_id": self.views.trigger(person.id), "view": dict(shown),
                "response_urls": [],
            }  # fmt: skip
            answered = lambda answer: self._after_submission(person, shown, answer or {})
            return self._send(Delivery(INTERACTIVE, payload, answered=answered))

    def closes_view(self, user: User | str, view: str | None = None) -> Delivery | None:
        """The app is told when it asked for that."""
        with self.workspace.lock:
            person, shown = self._modal(user, view)
            self.views.stack(person.id).remove(shown)
            if not shown["notify_on_close"]:
                return None
            payload = self._interaction("view_closed", person)
            return self._send(Delivery(INTERACTIVE, payload | {"view": shown, "is_cleared": False}))

    def commands(
        self, user: User | str, command: str, text: str = "", channel: Channel | str = "im"
    ) -> Delivery:
        with self.workspace.lock:
            person, where = self._there(user, channel)
            space = self.workspace
            payload = {
                "token": "verification-token", "team_id": space.team_id,
                "team_domain": space.domain, "channel_id": where.id,
                "channel_name": self._channel_name(where)["name"], "user_id": person.id,
                "user_name": person.name, "command": command, "text": text,
                "api_app_id": space.app_id, "is_enterprise_install": "false",
                "response_url": self._response_url(where, person),
                "trigger_id": self.views.trigger(person.id),
            }  # fmt: skip
            answered = lambda answer: self._respond(ResponseUrl(where.id, person.id), answer or {})
            return self._send(Delivery(COMMANDS, payload, answered=answered))

    # Repeats, and what comes in another order.

    def repeat(self, event_id: str) -> Delivery:
        """The same event once more, as Slack sends it when it is not sure that it arrived."""
        payload = next(it for it in self.events if it["event_id"] == event_id)
        return self._send(Delivery(EVENTS, payload, event_id, attempt=1, reason="timeout"))

    def hold(self) -> None:
        """From now on nothing is delivered, until it is released."""
        self.run(self.dispatcher.hold()).result(5)

    def release(self, *, reverse: bool = False) -> None:
        self.run(self.dispatcher.release(reverse)).result(5)

    # Telling the app.

    def _tell(self, kind: str, message: Message, before: dict[str, Any] | None) -> None:
        """Also of its own messages, as Slack does: an app that does not tell them apart talks to
        itself."""
        if message.user == self.workspace.bot.id and not self.echo:
            return
        channel = self.workspace.channel(message.channel)
        if kind == "posted":
            events = self._shapes.posted(channel, message)
        else:
            make = self._shapes.changed if kind == "changed" else self._shapes.deleted
            events = make(channel, message, before or {})
        for event in events:
            event_id = self._send_event(channel, event)
            if event_id:
                message.event_ids.append(event_id)

    def _send_event(self, channel: Channel, event: dict[str, Any]) -> str | None:
        if not self._shapes.wanted(channel, event):
            return None
        payload = self._shapes.callback(channel, event)
        self.events.append(payload)
        self._send(Delivery(EVENTS, payload, payload["event_id"]))
        return str(payload["event_id"])

    def _send(self, delivery: Delivery) -> Delivery:
        self.dispatcher.deliveries.append(delivery)
        self.run(self.dispatcher.start(delivery))
        return delivery

    def _interaction(self, kind: str, person: User) -> dict[str, Any]:
        space = self.workspace
        return {
            "type": kind, "team": {"id": space.team_id, "domain": space.domain},
            "user": {
                "id": person.id, "username": person.name, "name": person.name,
                "team_id": person.team_id,
            },
            "api_app_id": space.app_id, "token": "verification-token",
            "enterprise": None, "is_enterprise_install": False,
        }  # fmt: skip

    def _action(self, message: Message, action_id: str, value: str | None) -> dict[str, Any]:
        for block, element in elements(message.blocks):
            if element["action_id"] != action_id:
                continue
            kind = element["type"]
            action = {"type": kind, "action_id": action_id, "block_id": block["block_id"]}
            action["action_ts"] = self.workspace.ts()
            if kind == "button":
                if value is not None and element.get("value") != value:
                    continue
                kept = ("text", "value", "style", "url")
                return action | {it: element[it] for it in kept if it in element}
            if kind == "feedback_buttons":
                sides = [element[it] for it in ("positive_button", "negative_button")]
                side = next(it for it in sides if value is None or it["value"] == value)
                return action | {"text": side["text"], "value": side["value"]}
            return action | {"selected_option": option(element, value or "")}
        raise LookupError(f"that message has no {action_id} {value or ''} to press")

    def _channel_name(self, channel: Channel) -> dict[str, str]:
        name = {"im": "directmessage", "group": "privategroup"}.get(channel.type, channel.name)
        return {"id": channel.id, "name": name}

    def _there(self, user: User | str, channel: Channel | str) -> tuple[User, Channel]:
        person = self.workspace.user(user)
        where = self.workspace.open_im(person) if channel == "im" else None
        where = where or self.workspace.channel(channel)
        if person.id not in where.members:
            raise LookupError(f"{person.name} is not in {where.name}")
        return person, where

    def _message(self, channel: Channel | str, ts: str) -> Message:
        message = self.workspace.message(channel, ts)
        if message is None:
            raise LookupError(f"there is no message {ts}")
        return message

    def _theirs(self, user: User | str, channel: Channel | str, ts: str) -> Message:
        person, where = self._there(user, channel)
        message = self._message(where, ts)
        if message.user != person.id:
            raise LookupError(f"that message is not {person.name}'s")
        return message

    def _modal(self, user: User | str, view: str | None) -> tuple[User, dict[str, Any]]:
        person = self.workspace.user(user)
        shown = self.views.last(person.id)
        if shown is None or view not in (None, shown["id"], shown["callback_id"]):
            raise LookupError(f"{person.name} has no view {view or ''} open")
        return person, shown

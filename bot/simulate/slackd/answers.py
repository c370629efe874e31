"""What the app answers to people: to response URLs, and in its acknowledgements."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

from bot.simulate.slackd.api import Api
from bot.simulate.slackd.views import Views
from bot.simulate.slackd.workspace import Channel, Message, Refused, User, Workspace

RESPONSES = 5
RESPONSE_SECONDS = 30 * 60


@dataclass
class ResponseUrl:
    channel: str
    user: str
    message_ts: str | None = None
    left: int = RESPONSES
    until: float = 0.0


class Answers:
    """Shown to whoever asked, unless the app says otherwise."""

    workspace: Workspace
    views: Views
    api: Api
    url: str

    def __init__(self) -> None:
        self._response_urls: dict[str, ResponseUrl] = {}

    def _response_url(self, channel: Channel, person: User, message: Message | None = None) -> str:
        name = secrets.token_hex(12)
        self._response_urls[name] = ResponseUrl(
            channel.id,
            person.id,
            message.ts if message else None,
            until=time.time() + RESPONSE_SECONDS,
        )
        return f"{self.url}/respond/{name}"

    def respond(self, name: str, body: Any) -> tuple[int, str]:
        """Somebody posts to a response_url."""
        with self.workspace.lock:
            url = self._response_urls.get(name)
            if url is None or url.until < time.time():
                return 404, "expired_url"
            if url.left <= 0:
                return 404, "used_url"
            url.left -= 1
            if not isinstance(body, dict):
                return 400, "invalid_payload"
            return self._respond(url, body)

    def _respond(self, url: ResponseUrl, body: dict[str, Any]) -> tuple[int, str]:
        with self.workspace.lock:
            channel = self.workspace.channel(url.channel)
            source = self.workspace.message(channel, url.message_ts or "")
            if body.get("delete_original") and source is not None:
                self.api.removed(source)
                return 200, "ok"
            try:
                content = self.api.content(body)
            except Refused as refused:
                return 400, refused.error
            if body.get("replace_original") and source is not None:
                self.api.changed(source, content)
                return 200, "ok"
            public = body.get("response_type") == "in_channel"
            self.api.posted(
                channel,
                content,
                thread_ts=body.get("thread_ts"),
                ephemeral_to=None if public else url.user,
            )
            return 200, "ok"

    def _after_submission(
        self, person: User, shown: dict[str, Any], answer: dict[str, Any]
    ) -> None:
        """The form goes away, unless the app says otherwise."""
        with self.workspace.lock:
            stack, action = self.views.stack(person.id), answer.get("response_action")
            shown["errors"] = answer.get("errors") if action == "errors" else None
            if action == "update":
                self.views.replace(shown, answer.get("view"))
            elif action == "push":
                self.views.push(person.id, answer.get("view"))
            elif action == "clear":
                stack.clear()
            elif action != "errors" and shown in stack:
                stack.remove(shown)

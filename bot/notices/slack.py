"""Notices in a Slack channel, by a bot that may write there (scope chat:write)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from bot.notices import NotSent, in_words

SECONDS = 10
HOPELESS = {
    "invalid_auth", "account_inactive", "token_revoked", "not_authed", "channel_not_found",
    "not_in_channel", "is_archived", "missing_scope",
}  # fmt: skip
"""Slack's own words for what trying again does not mend; it is tried again later all the same, for
somebody may mend it."""


class SlackSink:
    """One channel."""

    name = "slack"

    def __init__(self, token: str, channel: str, *, base_url: str = "https://slack.com/api/"):
        from slack_sdk import WebClient

        self._client = WebClient(token=token, base_url=base_url, timeout=SECONDS, retry_handlers=[])
        self._channel = channel

    def send(self, notice: Row[Any]) -> None:
        from slack_sdk.errors import SlackApiError, SlackClientError

        try:
            self._client.chat_postMessage(
                channel=self._channel,
                text="\n".join(_escaped(line) for line in in_words(notice)),
                unfurl_links=False,
                unfurl_media=False,
                # Whoever reads the channel by API can tell a repetition.
                metadata={"event_type": "ticket", "event_payload": {"notice": str(notice.id)}},
            )
        except SlackApiError as error:
            if error.response.status_code == 429:
                after = float(error.response.headers.get("Retry-After", 30))
                raise NotSent("Slack asks to wait", after=after) from error
            reason = str(error.response.get("error"))
            after = 1800.0 if reason in HOPELESS else None
            raise NotSent(f"Slack says {reason}", after=after) from error
        except (SlackClientError, OSError) as error:
            raise NotSent(f"{type(error).__name__}: {error}"[:200]) from error


def _escaped(text: str) -> str:
    """Slack reads these three as its own signs, and nothing else."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

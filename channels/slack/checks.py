"""Do the tokens work, and may the bot do what it has to? Asks Slack; for `python -m bot check`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.findings import Finding, error, ok, warning
from bot.settings import Settings

SCOPES = frozenset(
    ("app_mentions:read", "channels:read", "chat:write", "commands", "im:history", "users:read")
)
"""Of the manifest's, those without which something does not work at all."""

SERVING = frozenset(("channels:history", "users:read.email"))
"""Besides, where tickets are served."""

NOBODY = "nobody is answered in Slack"
MEND = "install the app again from channels/slack/manifest.yml, and copy the token into .env"


def check(settings: Settings) -> Iterator[Finding]:
    """What is wrong with the tokens, in words."""
    client = WebClient(
        token=settings.slack_bot_token.get_secret_value(),
        base_url=settings.slack_api_url,
        retry_handlers=[],
        timeout=10,
    )
    try:
        who: Any = client.auth_test()
    except SlackApiError as refused:
        reason = refused.response.get("error") or f"status {refused.response.status_code}"
        yield error(f"Slack refuses SLACK_BOT_TOKEN ({reason})", NOBODY, MEND)
        return
    except (SlackClientError, OSError) as problem:
        yield warning(
            f"Slack cannot be asked ({type(problem).__name__})",
            "nobody knows whether it works",
            "look at this machine's way to the internet, and run the check again",
        )
        return
    granted = {it.strip() for it in (who.headers.get("x-oauth-scopes") or "").split(",")}
    needed = SCOPES | SERVING if settings.slack_queues else SCOPES
    if missing := sorted(needed - granted):
        yield error(f"the bot lacks the scopes {', '.join(missing)}", NOBODY, MEND)
    if token := settings.slack_app_token.get_secret_value():
        try:
            client.apps_connections_open(app_token=token)
        except SlackApiError as refused:
            reason = refused.response.get("error")
            yield error(
                f"Slack refuses SLACK_APP_TOKEN ({reason})",
                "no message reaches us",
                "make an app-level token with the scope connections:write, and copy it into .env",
            )
            return
        except (SlackClientError, OSError):
            yield warning("Slack does not open a socket now", "no message reaches us", "try again")
            return
    elif not settings.public_url:
        yield error(
            "PUBLIC_URL is empty, so Slack cannot reach this machine",
            "no message reaches us",
            "set PUBLIC_URL, or SLACK_APP_TOKEN for Socket Mode",
        )
    yield from _channels(client, settings)
    if not missing:
        yield ok(f"Slack knows the bot as {who['user']} in {who.get('team', 'its workspace')}")


def _channels(client: WebClient, settings: Settings) -> Iterator[Finding]:
    """Are the channels there in which tickets are served, and is the bot in them?"""
    for queue, channel in settings.slack_channels.items():
        try:
            found: Any = client.conversations_info(channel=channel)["channel"]
        except (SlackClientError, OSError):
            yield error(
                f"SLACK_QUEUES: there is no channel {channel} that the bot can see ({queue})",
                "tickets of that queue come to nobody in Slack",
                "write the channel's id (C…), and invite the bot into a private one",
            )
            continue
        if not found.get("is_member"):
            yield error(
                f"SLACK_QUEUES: the bot is not in #{found.get('name')}",
                f"tickets of {queue} come to nobody in Slack",
                "invite it there: /invite @rapport",
            )
        if found.get("is_ext_shared"):
            yield warning(
                f"SLACK_QUEUES: #{found.get('name')} is shared with another company",
                "they read what customers write",
                "serve customers in a channel of your own",
            )

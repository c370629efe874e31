"""A local server that behaves like Slack: for tests, faults included, and to try the Slack channel
without an account. The real slack_sdk and slack_bolt talk to it; only their addresses differ.

Nothing here is meant to be faster, kinder or more forgiving than Slack: what Slack refuses, this
refuses with the same word, and what Slack sends twice, this sends twice.
"""

from __future__ import annotations

from bot.simulate.slackd.server import Slackd
from bot.simulate.slackd.workspace import Channel, Message, User

__all__ = ["Channel", "Message", "Slackd", "User"]

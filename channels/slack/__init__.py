"""Staff ask in Slack, and serve customers there, by slack-bolt. Set-up: README.md.

app           Bolt: Socket Mode, or HTTP with signatures; everything is stored before it is acknowledged
inbox         what came, dealt with once
ask           a mention, a direct message, /ask: the articles' answer in the thread
serve         tickets as cards, the conversation as their threads; cards renders them
audience      who may read it: articles for staff only among colleagues
blocks        answers within Slack's limits, and inert
posts         what goes out: one a second for each channel, never twice
"""

from channels.slack.app import Slack

__all__ = ["Slack"]

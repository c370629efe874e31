"""What colleagues read in Slack. They know the house: short, and nothing is promised."""

from __future__ import annotations

NOT_KNOWN = "No article answers this."
NOT_SURE = "No article answers this for sure."
STAFF_MAY_KNOW = (
    "No public article answers this. Others can read this channel, so articles for staff are not "
    "looked at here: ask me in a direct message."
)
USAGE = "Ask in a sentence: `/ask how long does a refund take?`"
LOGGED = "Logged. Editors see it on the desk under Knowledge, among the gaps."
LOGGED_BEFORE = "It is logged already."
HELLO = "What would you like to know? Write the question with my name, or in a direct message."
TOO_LONG = "This is too long for one question; ask it in up to {most} characters."
NOT_LINKED = (
    "Your Slack e-mail address belongs to nobody at the desk, so you can read along and not act. "
    "Whoever looks after Rapport can add you under People."
)
CLOSED = "{number} is closed: nothing was sent."
CLAIM_FIRST = "Claim it before you write to the customer: nothing was sent."
PREVIEW = "This goes to the customer:"
PROMISES = "It promises something: {words}. Can it be kept?"
SENT = "Sent to the customer."
DROPPED = "Not sent."
NOT_YOURS = "Whoever wrote this decides whether it is sent."
EMPTY = "There is nothing after >>, so nothing was sent."
DONE = "Done."

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

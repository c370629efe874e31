"""What customers read who text us, besides what every channel says."""

from __future__ import annotations

STOPPED = "You will get no more texts from {business}. Text START if you want them again."
STARTED = "You get texts from {business} again. Text STOP to end them. What can we help with?"
HELP = (
    "{business} support. Write your question and you get an answer here; write PERSON for a "
    "colleague, STOP for no more texts.{web} Your provider's usual rates apply."
)
WEB = " You can also chat with us at {url}."
NO_MEDIA = (
    "We cannot open pictures or files that are sent by text. Please describe in words what they show, "
    "or ask for a colleague."
)
EMPTY = "Your text reached us without any words. Please write your question again."
MEDIA_MARK = "[{count} not opened: {kinds}]"
CALL = (
    "Hello, this is {business}. Nobody answers calls to this number. Please send a text message to the "
    "same number, and we answer you there. Goodbye."
)
CODE = "{code} is your code for {business}. It is valid for ten minutes. We never ask you for it."
CONTINUES = (
    "This is {business}. We go on here with what you began in the chat: just reply to this text. STOP "
    "ends it."
)
CANNOT_TEXT = "No text can be sent to this number. Go on here, or try another number."

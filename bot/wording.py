"""What the service itself says to customers, engine or no engine: receipts, apologies, questions.

Everything else that customers read is in ``domain.yml``. No sentence here promises what no rule
keeps: no waiting times, no outcomes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

SHOP_DOWN = (
    "I am sorry, our order system does not answer at the moment, so I can neither look nor change "
    "anything. I am passing this to a colleague, with everything you told me."
)
SHOP_UNCLEAR = (
    "I am sorry, I sent this to our order system and got no confirmation, so I cannot say whether it "
    "was done. A colleague will check."
)

ASKS_FOR_PERSON = "I would like to talk to a person."

WANTS_NO_TEXTS = (
    "The customer has asked to get no more texts, so nothing can be sent. They can text START, or "
    "be reached in another way."
)
CONTINUES_ALREADY = "This conversation goes to that number already."
NUMBER_STOPPED = (
    "This number has asked for no texts from us. Text START to our number first, then try again."
)
TOO_MANY_CODES = "Several codes were sent lately. Wait an hour, or go on here."
CODE_OVER = "This code is not valid any more. Ask for a new one."
OPEN_ELSEWHERE = (
    "There is an open conversation by text from this number already. Reply to the text there, or go "
    "on here."
)
RATING_BUTTONS = [{"title": str(number), "text": str(number)} for number in range(1, 6)]
PERSON_BUTTON = {"title": "Talk to a person", "text": ASKS_FOR_PERSON}
YES_NO = [{"title": title, "text": title} for title in ("Yes, please", "No, thank you")]
OFFER = "If you like, a colleague can take over from here. Shall I bring in a colleague?"


def ticket_number(ticket_id: int) -> str:
    """How people name a ticket: R-1001, R-1002 ..."""
    return f"R-{1000 + ticket_id}"


def receipt(number: str, *, mood: str, desk: str, apologised: bool = False) -> str:
    """After a person was asked for. True in every case: the number, and who is there now, as
    `at_the_desk` or `desk_closed` say."""
    if mood in ("angry", "upset") and not apologised:
        opening = "I am sorry about the trouble. I am bringing in a colleague."
    else:
        opening = "I am bringing in a colleague."
    return (
        f"{opening} Your number is {number}. {desk} "
        "They can read everything written here. "
        "I will stay quiet from now on; you can add to it at any time."
    )


def at_the_desk(*, anyone_online: bool, agent: str = "") -> str:
    """Who is there now to read it; ``agent`` is who has the conversation."""
    if agent:
        return f"{agent}, who has this conversation, sees it now."
    if anyone_online:
        return "A colleague is at the desk and has been told."
    return (
        "Nobody is at the desk at this moment. Your message is kept, and the next colleague "
        "who comes to the desk will see it."
    )


def desk_closed(opening: str, *, hours: str = "", asks_contact: bool, by_text: bool = False) -> str:
    """Out of hours; ``opening`` is when the desk opens, in words ("on Monday at 9:00"), or "";
    ``hours`` the usual week in words; ``by_text``: on a phone, where the answer comes."""
    when = f"The desk is closed now and opens {opening}." if opening else "The desk is closed now."
    when += f" The usual hours are {hours}." if hours else ""
    told = f"{when} Your message is kept, and a colleague sees it then."
    if by_text:
        told += " The answer comes here, by text."
    elif asks_contact:
        told += (
            " You can wait here or come back to this window; or write your e-mail address here, "
            "and the answer is sent there too."
        )
    return told


def contact_noted(address: str) -> str:
    return f"Thank you. A colleague’s answer will be shown here and sent to {address} too."


def answer_by_mail(text: str, business: str) -> str:
    """An agent's words to a customer who left an address."""
    return (
        f"{text}\n\n-- \nYou asked {business} to send the answer to this address. To go on, write in "
        "the chat window again: a mail back to this address is read by nobody."
    )


def promised(number: str, by: str, *, asks_contact: bool, by_text: bool = False) -> str:
    """When nobody had time for long; ``by`` is the time in words that a rule has set."""
    told = (
        f"I am sorry: nobody has been free for you yet ({number}). You will have a colleague’s "
        f"answer {by} at the latest."
    )
    if by_text:
        return f"{told} It comes here, by text."
    told += " You do not have to wait in this window: the answer will be here."
    if asks_contact:
        told += " If you write your e-mail address here, it is sent there too."
    return told


def promise_missed(number: str, by: str) -> str:
    return (
        f"I told you that you would have an answer by now ({number}), and you do not. That is our "
        f"fault, and I am sorry. Your request is marked as more urgent; you will have it {by} "
        "at the latest."
    )


def given_back(agent: str, number: str, desk: str) -> str:
    """The agent has said nothing for too long."""
    return (
        f"I am sorry: {agent} is held up and cannot answer you just now. You are back in the queue "
        f"with everything written here; your number is still {number}. {desk}"
    )


def passed_on(agent: str, number: str) -> str:
    return (
        f"{agent} is passing your conversation on to a colleague who can help you better with "
        f"this. They can read everything written here; your number is still {number}."
    )


def expired(hours: int) -> str:
    since = f"{hours // 24} days" if hours >= 48 else f"{hours} hours"
    return (
        f"We have not heard from you for {since}, so this conversation is closed for now. If "
        "anything is still open, just write here again."
    )


def merged(number: str, into: str) -> str:
    return (
        f"You have written to us about this twice, so a colleague is dealing with both together. "
        f"{number} is now part of {into}; the answer comes in your other conversation."
    )


def noted_on_merged(into: str) -> str:
    return (
        f"Thank you, this is added to {into}, where a colleague is dealing with it; the answer "
        "comes in your other conversation."
    )


def reopened(number: str, desk: str, *, agent: str = "") -> str:
    """The customer wrote again after a person had resolved it."""
    who = f"I am telling {agent}, who helped you before" if agent else "I am telling a colleague"
    return f"{who}. Your number is {number}. {desk}"


def closed(agent: str) -> str:
    """Resolved, with no question: the customer was asked for a rating lately."""
    return f"{agent} has closed this conversation. If there is anything else, just write it here."


def apologises(text: str) -> bool:
    """Whether one of our sentences says sorry: it is said once, and not in every message."""
    said = text.lower()
    return "sorry" in said or "apolog" in said


def fixed_reply(
    reply: str, number: str, *, desk: str, help_lines: Sequence[str] = (), receipt: str = ""
) -> str:
    """A reply of ``escalation.yml``, filled in."""
    return reply.format(
        number=number,
        desk=desk,
        help_lines="\n".join(f"- {line}" for line in help_lines),
        receipt=receipt,
    )


def already_waiting(number: str) -> str:
    return (
        f"You are in the queue for a colleague; your number is {number}. "
        "Whatever you write here reaches them."
    )


def already_with(agent: str) -> str:
    return f"You are already talking with {agent}, who reads everything you write here."


def still_waiting(number: str, desk: str = "", *, by_text: bool = False) -> str:
    """``desk``: place and wait, if anything is known of them."""
    told = (
        f"You are still in the queue for a colleague ({number}); nobody has been free yet, and I "
        "am sorry that it takes this long. Your place and everything you wrote are kept"
    )
    if by_text:
        told += "; the answer comes here, by text."
    else:
        told += ": you can wait, or close this window and read the answer here later."
    return f"{told} {desk}".strip()


def engine_down(number: str, *, desk: str) -> str:
    """When the engine did not answer in time."""
    return (
        "I am sorry: something is not working on our side, and I cannot answer you right now. "
        f"I have passed your message to a colleague instead. {desk} Your number is {number}."
    )


FAILED_ONCE = (
    "I am sorry: something went wrong on our side, and I could not answer that. "
    "Please send it once more, or talk to a person if you prefer."
)


def joined(agent: str) -> str:
    return f"{agent} has joined the conversation."


def code_wrong(tries: int) -> str:
    left = (
        f"{tries} tries are left" if tries > 1 else "one try is left" if tries else "no try is left"
    )
    return f"This is not the code that we sent; {left}."


def ask_rating(agent: str) -> str:
    return (
        f"{agent} has closed this conversation. How did we do, from 1 (poor) to 5 (very good)? "
        "If there is anything else, just write it here."
    )


SAVED_FIELDS = ("agent", "number", "business")
"""What a saved reply may name in braces."""


_FIELD = re.compile(r"\{(" + "|".join(SAVED_FIELDS) + r")\}")


def fill_saved(text: str, values: dict[str, str]) -> str:
    """A saved reply with its fields filled in. Raises ValueError for a field that there is not."""
    if re.search(r"[{}]", _FIELD.sub("", text)):
        known = ", ".join(f"{{{name}}}" for name in SAVED_FIELDS)
        raise ValueError(f"A saved reply may hold {known}, and no other braces.")
    return _FIELD.sub(lambda found: values.get(found.group(1), ""), text)


def thanks_for_rating(rating: int, *, recovery: str = "") -> str:
    """``recovery`` is the number of the ticket by which somebody makes amends."""
    if recovery:
        return (
            "Thank you for telling us, and I am sorry that we did not do better. A colleague will "
            f"look at what went wrong ({recovery}). If you would like to say more, write it here."
        )
    return "Thank you for telling us. If there is anything else, just write it here."


def handed_back(agent: str, settled: str = "") -> str:
    """``settled`` is what the agent says is settled, word for word."""
    told = f"{agent} has handed the conversation back to me, the automated assistant."
    if settled:
        told += f" {agent} notes: {settled.rstrip('.')}."
    return f"{told} What else can I help with? You can ask for a person again at any time."

"""What the service itself says to customers, engine or no engine: receipts, apologies, questions.

Everything else that customers read is in ``domain.yml``. No sentence here promises what no rule
keeps: no waiting times, no outcomes.
"""

from __future__ import annotations

from collections.abc import Sequence

ASKS_FOR_PERSON = "I would like to talk to a person."

RATING_BUTTONS = [{"title": str(number), "text": str(number)} for number in range(1, 6)]
PERSON_BUTTON = {"title": "Talk to a person", "text": ASKS_FOR_PERSON}
YES_NO = [{"title": title, "text": title} for title in ("Yes, please", "No, thank you")]
OFFER = "If you like, a colleague can take over from here. Shall I bring in a colleague?"


def ticket_number(ticket_id: int) -> str:
    """How people name a ticket: R-1001, R-1002 ..."""
    return f"R-{1000 + ticket_id}"


def receipt(number: str, *, mood: str, anyone_online: bool, apologised: bool = False) -> str:
    """After a person was asked for. True in every case: the number, and who is there now."""
    if mood in ("angry", "upset") and not apologised:
        opening = "I am sorry about the trouble. I am bringing in a colleague."
    else:
        opening = "I am bringing in a colleague."
    return (
        f"{opening} Your number is {number}. {at_the_desk(anyone_online=anyone_online)} "
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


def apologises(text: str) -> bool:
    """Whether one of our sentences says sorry: it is said once, and not in every message."""
    said = text.lower()
    return "sorry" in said or "apolog" in said


def fixed_reply(
    reply: str,
    number: str,
    *,
    anyone_online: bool,
    agent: str = "",
    help_lines: Sequence[str] = (),
    receipt: str = "",
) -> str:
    """A reply of ``escalation.yml``, filled in."""
    return reply.format(
        number=number,
        desk=at_the_desk(anyone_online=anyone_online, agent=agent),
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


def still_waiting(number: str) -> str:
    return (
        f"You are still in the queue for a colleague ({number}); nobody has been free yet, and I "
        "am sorry that it takes this long. Your place and everything you wrote are kept: you can "
        "wait, or close this window and read the answer here later."
    )


def engine_down(number: str, *, anyone_online: bool) -> str:
    """When the engine did not answer in time."""
    seen = (
        "A colleague is at the desk and has been told"
        if anyone_online
        else "Nobody is at the desk at this moment, so the next colleague who comes will see it"
    )
    return (
        "I am sorry: something is not working on our side, and I cannot answer you right now. "
        f"I have passed your message to a colleague instead. {seen}. Your number is {number}."
    )


FAILED_ONCE = (
    "I am sorry: something went wrong on our side, and I could not answer that. "
    "Please send it once more, or talk to a person if you prefer."
)


def joined(agent: str) -> str:
    return f"{agent} has joined the conversation."


def ask_rating(agent: str) -> str:
    return (
        f"{agent} has closed this conversation. How did we do, from 1 (poor) to 5 (very good)? "
        "If there is anything else, just write it here."
    )


def thanks_for_rating(rating: int) -> str:
    if rating <= 2:
        return (
            "Thank you for telling us, and I am sorry that we did not do better. "
            "If you would like to say what went wrong, write it here or ask for a person."
        )
    return "Thank you for telling us. If there is anything else, just write it here."


def handed_back(agent: str) -> str:
    return (
        f"{agent} has handed the conversation back to me, the automated assistant. "
        "What else can I help with? You can ask for a person again at any time."
    )

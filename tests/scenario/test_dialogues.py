"""De-escalation as written conversations: ``tests/dialogues/*.yml``, played against real processes.

All are played at the start, several at a time, and then judged one by one. ``DIALOGUES_SHOWN=1``
prints how each went.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.dialogue_files import Conversation, load
from tests.dialogue_play import Played, outcomes, play, problems
from tests.system import System

CONVERSATIONS, PHRASES = load()
AT_A_TIME = 6
SECONDS = 240  # a loaded machine; two quiet cores take about a quarter of it

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(SECONDS)]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Played]:
    """Every conversation, by its id. The system is our own: what is judged here is also whether an
    answer is sure enough to be given, so the threshold is the one that is shipped. Its shop has no
    orders that the bot could see, so what matters is said in words; with orders it is `test_journeys`
    that tells."""
    options = {"ANSWER_THRESHOLD": "", "ORDERS": "none"}
    with System(tmp_path_factory.mktemp("dialogues"), **options) as system:
        agent = system.agent()
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            gone = pool.map(lambda one: play(system, agent, one), CONVERSATIONS)
            return {one.id: went for one, went in zip(CONVERSATIONS, gone, strict=True)}


def _param(conversation: Conversation) -> object:
    reason = conversation.known_miss
    marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
    return pytest.param(conversation, id=conversation.id, marks=marks)


@pytest.mark.parametrize("conversation", [_param(one) for one in CONVERSATIONS])
def test_conversation(conversation: Conversation, played: Mapping[str, Played]):
    went = played[conversation.id]
    if os.environ.get("DIALOGUES_SHOWN"):
        print(_transcript(conversation, went))
    found = problems(conversation, went, PHRASES)
    if found:
        told = "\n".join(found)
        pytest.fail(f"“{conversation.name}”\n{told}\nWhy: {conversation.why}", pytrace=False)


def _transcript(conversation: Conversation, went: Played) -> str:
    lines = [f"\n## {conversation.id}"]
    for step, turn in zip(conversation.steps, went.turns, strict=False):
        found = ", ".join(sorted(outcomes(turn, PHRASES)))
        lines += [
            f"> {step.customer}",
            f"  [{turn.intent}; {turn.mood}; {found}; {', '.join(turn.articles)}]",
            *(f"  {line}" for line in turn.text.splitlines() if line),
        ]
    ticket = went.ticket
    if ticket:
        rest = (ticket.get("priority"), ticket.get("queue"), ticket["mood"]["label"])
        lines.append(f"  ticket: {ticket['reason_type']} {rest} {ticket['reason']}")
    return "\n".join(lines)

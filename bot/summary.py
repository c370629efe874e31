"""What a colleague should know before the first word: asked, tried, answered, felt.

Extractive: only the customer's own words, titles of articles that were shown, what entities were
found, and how the mood came about. Nothing is invented.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LONGEST = 200
MOST = 4
SMALL_TALK = ("greet", "thank", "goodbye", "affirm", "deny", "chitchat", "request_person", "praise")


def summary(
    messages: Sequence[Any], turns: Sequence[Any], mood: dict[str, Any] | None
) -> dict[str, Any]:
    """From the transcript (rows with author, text, extra, intent; in order) and the turns (rows
    with understood and citations, in order).

    Returns ``asked`` (the customer's words: the first and the latest), ``tried`` (title and url of
    what was shown), ``unanswered`` (how many questions had no answer), ``facts`` (entity and value,
    each once), ``felt`` (how the mood came about, or "").
    """
    asked = [
        message.text
        for message in messages
        if message.author == "customer"
        and message.intent not in SMALL_TALK
        and not message.asks_for_person
    ]
    if len(asked) > MOST:
        asked = [asked[0], *asked[-(MOST - 1) :]]
    tried: dict[str, str] = {}
    facts: dict[tuple[str, str], None] = {}
    for turn in turns:
        for source in turn.citations or []:
            tried.setdefault(str(source.get("title", "")), str(source.get("url", "")))
        for entity in (turn.understood or {}).get("entities") or []:
            if entity.get("value"):
                facts.setdefault((str(entity.get("entity")), str(entity["value"])))
    return {
        "asked": [text if len(text) <= LONGEST else text[: LONGEST - 1] + "…" for text in asked],
        "tried": [{"title": title, "url": url} for title, url in tried.items() if title],
        "unanswered": sum(bool((turn.understood or {}).get("missed")) for turn in turns),
        "facts": [{"entity": entity, "value": value} for entity, value in facts],
        "felt": str((mood or {}).get("why") or ""),
    }

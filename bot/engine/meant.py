"""The answer to "Did you mean ... or ...?": a button, a few own words, neither, both. No Rasa.

The question and its choices are in the `custom` data of the last reply, as offers are. Rasa's rules
know intents only, so the answer becomes the intent that it stands for, before any rule runs.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Text

SEVERAL, MISSED = "several_wishes", "not_helpful"
NEITHER, BOTH = "neither", "both"
MOST_WORDS = 7  # more is a message of its own

_POLITE = r"(?:please|pls|thanks|thank you|ta|i think|i guess|ok|okay|sorry|oh|um|well)"
_ONE = r"(?:\s+(?:one|option|choice|thing|answer|of (?:them|these|those|the two)))?"
_NEITHER = re.compile(
    rf"(?:no\s+|sorry\s+)*(?:no|nope|nah|neither|none|yes|yeah|yep|something else|nothing of that|"
    rf"not (?:that|those|these|really|either)|wrong|i (?:meant|mean|want) something else|"
    rf"(?:neither|none){_ONE})(?:\s+(?:one|of (?:them|these|those|the two)|that))?"
)
_BOTH = re.compile(
    rf"(?:yes\s+)?(?:(?:i (?:mean|meant|want)\s+)?both{_ONE}|the two|all of it|1 and 2)"
)
_LEAD = r"(?:(?:it's|its|it is|i mean|i meant|i want|yes|no|number|option|the|that would be)\s+)*"
_FIRST = re.compile(rf"{_LEAD}(?:first|1st|1|former|one|top|left){_ONE}")
_SECOND = re.compile(rf"{_LEAD}(?:second|2nd|2|latter|two|last|other|bottom|right){_ONE}")
# Words that say nothing about which.
_EMPTY = {
    "a", "an", "the", "my", "your", "our", "to", "of", "or", "and", "it", "is", "its", "it's", "i",
    "i'd", "i'm", "me", "want", "mean", "meant", "would", "like", "please", "yes", "no", "for",
    "with", "about", "on", "in", "something", "one", "order", "get", "know", "make", "that", "this",
    "be", "have",
}  # fmt: skip


def standing(events: Sequence[Mapping[Text, Any]]) -> Optional[Dict[Text, Any]]:
    """The question that the bot's last turn ended with: {"text", "choices"}, or None.

    Args:
        events: the conversation's events as dictionaries, the customer's new message the last of
            its kind.
    """
    own_turn = True
    for event in reversed(events):
        if event.get("event") == "user":
            if not own_turn:
                return None
            own_turn = False
        elif event.get("event") == "bot" and not own_turn:
            return ((event.get("data") or {}).get("custom") or {}).get("meant")
    return None


def picked(text: Text, choices: Sequence[Mapping[Text, Text]]) -> Optional[Text]:
    """The intent that was chosen, `neither` (also for a "yes", which says nothing), `both`, or None
    when the message is no answer to the question."""
    words = _plain(text)
    for choice in choices:
        if words == _plain(choice["title"]):
            return choice["intent"]
    if len(words.split()) > MOST_WORDS:
        return None
    if _NEITHER.fullmatch(words):
        return NEITHER
    if _BOTH.fullmatch(words):
        return BOTH
    for place, pattern in enumerate((_FIRST, _SECOND)):
        if pattern.fullmatch(words) and place < len(choices):
            return choices[place]["intent"]
    return _by_words(words, choices)


def _by_words(words: Text, choices: Sequence[Mapping[Text, Text]]) -> Optional[Text]:
    """The only choice whose words were said again."""
    said = _stems(words)
    hits: List[Text] = []
    common = set.intersection(*(_stems(_plain(choice["title"])) for choice in choices))
    for choice in choices:
        own = _stems(_plain(choice["title"])) - common
        if said & own:
            hits.append(choice["intent"])
    # Everything that was said must be about it: "cancel the newsletter" chooses no order.
    if len(hits) != 1:
        return None
    wanted = next(choice for choice in choices if choice["intent"] == hits[0])
    return hits[0] if said <= _stems(_plain(wanted["title"])) else None


def _plain(text: Text) -> Text:
    words = re.sub(r"[^\w\s']", " ", text.casefold().replace("’", "'"))
    return " ".join(re.sub(rf"\b{_POLITE}\b", " ", words).split())


def _stems(words: Text) -> set:
    return {word[:5].rstrip("s") for word in words.split() if word not in _EMPTY}


def understanding(text: Text, question: Mapping[Text, Any]) -> Optional[Dict[Text, Any]]:
    """What the answer changes in the understanding of the message (`intent`, `meant`, `wishes`), or
    None when it is no answer. `meant` has the words that were asked about, for the actions."""
    choices = question.get("choices") or []
    asked = str(question.get("text") or "")
    choice = picked(text, choices) if len(choices) == 2 and asked else None
    if choice is None:
        return None
    found: Dict[Text, Any] = {"meant": {"picked": choice, "text": asked}, "wishes": []}
    if choice == BOTH:
        found["wishes"] = [
            {
                "intent": one["intent"],
                "confidence": 1.0,
                "text": asked,
                "start": 0,
                "end": len(asked),
            }
            for one in choices
        ]
    name = {NEITHER: MISSED, BOTH: SEVERAL}.get(choice, choice)
    found["intent"] = {"name": name, "confidence": 1.0}
    return found

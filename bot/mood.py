"""Mood: how a customer has felt over the last messages, not in one word of one of them.

Pure, standard library only, valid on Python 3.10: the engine imports it too, so that the wording
of the very reply to an angry message can already differ.

``heat`` (0 to 1) is the smoothed negative feeling. It rises at once, since the first angry message
wants an acknowledging reply, and falls slowly: by a share with each calmer message and by half in
``HALF_LIFE_SECONDS``. A label is left at a lower heat than it is entered (hysteresis), so that one
neutral "NP-123456" in the middle of a quarrel does not bring the cheer back.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

HALF_LIFE_SECONDS = 1800.0
KEEP = 0.6  # share of the old heat that a calm message leaves
KEEP_PLEASED = 0.4  # and that a thankful one leaves
ENTER = {"angry": 0.65, "upset": 0.35}
LEAVE = {"angry": 0.45, "upset": 0.2}
LEVELS = {"pleased": 0, "neutral": 0, "worried": 1, "upset": 2, "angry": 3}
# How much each support emotion heats. Worry and sadness are felt, but they are no quarrel.
WEIGHTS = {"angry": 1.0, "frustrated": 0.65, "sad": 0.4, "worried": 0.3}
TROUBLE = ("angry", "frustrated")
PLEASED = ("grateful", "satisfied")
# "My parcel has not come" in a flat voice is trouble, but no anger: it heats little, and only
# when it is told for the third time does it sound as it then is meant.
FLAT = 0.4
AGAIN = 0.12  # what trouble adds when there was trouble before it
REMEMBERED = 0.1  # the heat from which on there was
SWEARING, AIMED = 0.1, 0.45  # what swearing adds to trouble; the least heat of an insult
HEATED = 0.3  # a message of that heat counts where messages are counted
COURSE = 5
LONGEST_EXCERPT = 60
NUMBERS = ("no", "one", "two", "three", "four", "five")

_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_STRONG = re.compile(
    r"!|\b(?:[A-Z]{3,}|(?:second|third|fourth|fifth|\d+(?:nd|rd|th))\s+time|again|still|never|nobody|"
    r"worst|useless|ridiculous|unacceptable|disgrace\w*|furious|angry|appalling|terrible|rubbish|"
    r"joke|waste|wasting|enough|fed\s+up|sick\s+of|lied|lies|scam\w*)\b"
)

Mood = dict[str, Any]


def calm() -> Mood:
    """The mood before the first message."""
    return {
        "label": "neutral",
        "level": 0,
        "heat": 0.0,
        "at": 0.0,
        "messages": 0,
        "why": "",
        "in_a_row": {"worried": 0, "upset": 0, "angry": 0},
        "heated": False,
        "course": [],
    }


def advance(
    mood: Mapping[str, Any] | None, emotion: Mapping[str, Any], at: float, text: str = ""
) -> Mood:
    """The mood after one more message. Whatever it is given, it does not raise.

    Args:
        mood: the mood before it, or None at the start of a conversation.
        emotion: ``{"label": str, "probabilities": {support label: 0..1}, "intensity": 0..1}``, and
            where it is known ``"abuse"``: "none", "swearing" or "aimed" (at whoever answers).
        at: time of the message, seconds since the epoch.
        text: the customer's words, masked already; a few of them are kept where they heat.

    Returns:
        A new mood: ``label`` (pleased, neutral, worried, upset, angry), ``level`` 0 to 4, ``heat``
        0 to 1, ``at``, ``messages`` (how many were seen), ``why`` in words, ``heated`` (whether
        this very message was), ``in_a_row`` (heated messages since the mood became worried, upset
        or angry, or worse, by label; calm ones in between neither count nor end it) and ``course``
        (the last five messages: ``label`` of the mood after it, ``felt``, its own ``heat`` and
        ``said``, an excerpt of those that heat).
    """
    before = _sound(mood)
    felt = str(emotion.get("label") or "neutral")
    now = _number(at, before["at"])
    elapsed = max(0.0, now - before["at"]) if before["messages"] else 0.0
    left = before["heat"] * 0.5 ** (elapsed / HALF_LIFE_SECONDS)
    own = message_heat(emotion)
    # Sadness warms, but who is sad after being angry is not angry a second time.
    counted = own if felt in TROUBLE or own >= AIMED else 0.0
    heat = _mixed(left, own, felt)
    label = _label(heat, before["label"], felt)
    entry = {
        "label": label,
        "felt": felt[:20],
        "heat": round(own, 4),
        "said": excerpt(text) if own > 0 else "",
    }
    course = [*before["course"], entry][-COURSE:]
    messages = before["messages"] + 1
    return {
        "label": label,
        "level": 4 if label == "angry" and heat >= 0.9 else LEVELS[label],
        "heat": round(heat, 4),
        "at": now,
        "messages": messages,
        "why": _why(course, messages, before["label"], elapsed=elapsed),
        "in_a_row": _in_a_row(before["in_a_row"], label, own, quarrel=counted),
        "heated": counted >= HEATED,
        "course": course,
    }


def message_heat(emotion: Mapping[str, Any]) -> float:
    """How much one message heats by itself, 0 to 1."""
    felt = str(emotion.get("label") or "neutral")
    intensity = _number(emotion.get("intensity"), 0.5, most=1.0)
    if felt == "frustrated" and intensity < FLAT:
        strength = 0.3 + 0.1 * intensity
    else:
        # A label that was given counts, and more so when it is intense.
        strength = 0.6 + 0.4 * intensity
    heat = WEIGHTS.get(felt, 0.0) * strength
    abuse = emotion.get("abuse")
    if abuse in ("swearing", "aimed") and heat > 0:
        heat += SWEARING
    if abuse == "aimed" and felt not in PLEASED:
        heat = max(heat, AIMED)
    return min(1.0, heat)


def excerpt(text: str) -> str:
    """At most 60 characters of a text, from the sentence of it that sounds strongest."""
    sentences = [" ".join(found.split()) for found in _SENTENCE.findall(str(text or ""))]
    sentences = [it for it in sentences if any(character.isalnum() for character in it)]
    if not sentences:
        return ""
    # Of equals the first.
    chosen = max(sentences, key=lambda it: len(_STRONG.findall(it)))
    if len(chosen) <= LONGEST_EXCERPT:
        return chosen
    cut = chosen[: LONGEST_EXCERPT - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut[20:] else cut).rstrip(" ,;:") + "…"


def _mixed(left: float, own: float, felt: str) -> float:
    """The heat after a message, from what was left of it before and the message's own."""
    if felt in TROUBLE and left >= REMEMBERED:
        return min(1.0, max(own, left) + AGAIN)  # told again, it weighs more than told once
    keep = KEEP_PLEASED if felt in PLEASED else KEEP
    return min(1.0, max(own, keep * left + (1 - keep) * own))


def _label(heat: float, before: str, felt: str) -> str:
    if heat >= ENTER["angry"] and felt in TROUBLE:
        return "angry"
    if before == "angry" and heat >= LEAVE["angry"]:
        return "angry"
    if heat >= ENTER["upset"] and felt != "worried":
        return "upset"
    if before in ("angry", "upset") and heat >= LEAVE["upset"]:
        return "upset"
    if felt in ("worried", "sad"):
        return "worried"
    if felt in PLEASED:
        return "pleased"
    return "neutral"


def _in_a_row(
    before: Mapping[str, int], label: str, own: float, *, quarrel: float
) -> dict[str, int]:
    """For each bad mood: how many heated messages since it, or a worse one, began; for the quarrels
    among them by the heat of anger alone."""
    counts = {"worried": own > 0, "upset": quarrel >= HEATED, "angry": quarrel >= HEATED}
    return {
        name: before[name] + int(count) if LEVELS[label] >= LEVELS[name] else 0
        for name, count in counts.items()
    }


# In words.


def _why(course: Sequence[Mapping[str, Any]], messages: int, before: str, *, elapsed: float) -> str:
    """How the mood came about: where it came from, over how many messages, and with which words."""
    now = course[-1]
    label = now["label"]
    labels = [entry["label"] for entry in course]
    if messages == len(course):
        labels.insert(0, "neutral")  # nobody was anything before the first message
    if LEVELS[label] > 0:
        start = len(labels) - 1
        while start > 0 and LEVELS[labels[start - 1]] <= LEVELS[labels[start]]:
            start -= 1
        while start + 1 < len(labels) and labels[start + 1] == labels[start]:
            start += 1
        steps = len(labels) - 1 - start
        if before == label and not now["heat"]:
            told = f"still {label}, though the last message reads as {now['felt']}"
        elif LEVELS[before] > LEVELS[label]:
            told = f"eased from {before} to {label}{_after(elapsed)}"
        elif not steps:
            told = f"{label} for the last {_count(len(course))}"
        elif messages == 1:
            told = f"{label} from the first message on"
        else:
            told = f"rose from {labels[start]} to {label} {_over(steps)}"
        return told + _quoted(course[-max(1, steps) :] if steps else course)
    if LEVELS[before] > 0:
        return f"eased from {before} to {label}{_after(elapsed)}"
    return f"the {'first' if messages == 1 else 'last'} message reads as {now['felt']}"


def _over(steps: int) -> str:
    return "with the last message" if steps == 1 else f"over the last {_count(steps)}"


def _count(messages: int) -> str:
    return f"{NUMBERS[messages]} message{'' if messages == 1 else 's'}"


def _after(elapsed: float) -> str:
    """The time that went by, where it was long enough to be the reason."""
    if elapsed < HALF_LIFE_SECONDS:
        return ""
    hours = round(elapsed / 3600)
    if hours >= 48:
        return f" after {hours // 24} days"
    return f" after {hours} hour{'' if hours == 1 else 's'}" if hours else " after half an hour"


def _quoted(course: Sequence[Mapping[str, Any]]) -> str:
    """The words that heated most; of equals the last."""
    hottest = max(reversed(course), key=lambda entry: entry["heat"])
    return f"; “{hottest['said']}”" if hottest["said"] and hottest["heat"] > 0 else ""


# What comes from a database, or from an older version of this file.


def _sound(mood: Mapping[str, Any] | None) -> Mood:
    """The mood with every key and each value of its kind."""
    given = mood if isinstance(mood, Mapping) else {}
    label = given.get("label")
    counts = given.get("in_a_row")
    course = given.get("course")
    return {
        "label": label if isinstance(label, str) and label in LEVELS else "neutral",
        "heat": _number(given.get("heat"), 0.0, most=1.0),
        "at": _number(given.get("at"), 0.0),
        "messages": int(_number(given.get("messages"), 0.0, most=1e9)),
        "in_a_row": {
            name: int(
                _number(counts.get(name) if isinstance(counts, Mapping) else 0, 0.0, most=1e9)
            )
            for name in ("worried", "upset", "angry")
        },
        "course": [
            _entry(entry)
            for entry in (course if isinstance(course, list) else [])[-COURSE:]
            if isinstance(entry, Mapping) and entry.get("label") in LEVELS
        ],
    }


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "label": entry["label"],
        "felt": str(entry.get("felt") or "neutral")[:20],
        "heat": _number(entry.get("heat"), 0.0, most=1.0),
        "said": str(entry.get("said") or "")[:LONGEST_EXCERPT],
    }


def _number(value: Any, otherwise: float, *, most: float = 1e15) -> float:
    """The value as a number from 0 to ``most``; ``otherwise`` where it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return otherwise
    try:
        number = float(value)
    except OverflowError:
        return most
    return otherwise if math.isnan(number) else min(most, max(0.0, number))

"""Mood: how a customer has felt over the last messages, not in one word of one of them.

Pure, standard library only, valid on Python 3.10: the engine imports it too, so that the wording
of the very reply to an angry message can already differ.

``heat`` (0 to 1) is the smoothed negative feeling. It rises at once, since the first angry message
wants an acknowledging reply, and falls slowly: by a share with each calmer message and by half in
``HALF_LIFE_SECONDS``. A label is left at a lower heat than it is entered (hysteresis), so that one
neutral "NP-123456" in the middle of a quarrel does not bring the cheer back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HALF_LIFE_SECONDS = 1800.0
KEEP = 0.6  # share of the old heat that a calm message leaves
ENTER = {"angry": 0.65, "upset": 0.35}
LEAVE = {"angry": 0.45, "upset": 0.2}
LEVELS = {"pleased": 0, "neutral": 0, "worried": 1, "upset": 2, "angry": 3}
# How much each support emotion heats. Worry and sadness are felt, but they are no quarrel.
WEIGHTS = {"angry": 1.0, "frustrated": 0.65, "sad": 0.4, "worried": 0.3}

Mood = dict[str, Any]


def calm() -> Mood:
    """The mood before the first message."""
    return {"label": "neutral", "level": 0, "heat": 0.0, "at": 0.0, "messages": 0, "why": ""}


def advance(mood: Mapping[str, Any] | None, emotion: Mapping[str, Any], at: float) -> Mood:
    """The mood after one more message.

    Args:
        mood: the mood before it, or None at the start of a conversation.
        emotion: ``{"label": str, "probabilities": {support label: 0..1}, "intensity": 0..1}``.
        at: time of the message, seconds since the epoch.

    Returns:
        A new mood: ``label`` (pleased, neutral, worried, upset, angry), ``level`` 0 to 4, ``heat``
        0 to 1, ``at``, ``messages`` (how many were seen) and ``why`` in words.
    """
    before = dict(calm(), **(mood or {}))
    felt = emotion.get("label", "neutral")
    heat_now = WEIGHTS.get(felt, 0.0) * _strength(emotion)
    elapsed = max(0.0, at - before["at"]) if before["messages"] else 0.0
    left = before["heat"] * 0.5 ** (elapsed / HALF_LIFE_SECONDS)
    heat = min(1.0, max(heat_now, KEEP * left + (1 - KEEP) * heat_now))
    if felt in ("angry", "frustrated") and left >= ENTER["upset"]:
        heat = min(1.0, heat + 0.15)  # trouble told again weighs more than trouble told once
    label = _label(heat, before["label"], felt)
    level = 4 if label == "angry" and heat >= 0.9 else LEVELS[label]
    return {
        "label": label,
        "level": level,
        "heat": round(heat, 4),
        "at": at,
        "messages": before["messages"] + 1,
        "why": _why(before, felt, label),
    }


def _strength(emotion: Mapping[str, Any]) -> float:
    """Between 0.6 and 1: a label that was given counts, and more so when it is intense."""
    return 0.6 + 0.4 * min(1.0, max(0.0, float(emotion.get("intensity", 0.5))))


def _label(heat: float, before: str, felt: str) -> str:
    if heat >= ENTER["angry"] and felt in ("angry", "frustrated"):
        return "angry"
    if before == "angry" and heat >= LEAVE["angry"]:
        return "angry"
    if heat >= ENTER["upset"] and felt != "worried":
        return "upset"
    if before in ("angry", "upset") and heat >= LEAVE["upset"]:
        return "upset"
    if felt in ("worried", "sad"):
        return "worried"
    if felt in ("grateful", "satisfied"):
        return "pleased"
    return "neutral"


def _why(before: Mapping[str, Any], felt: str, label: str) -> str:
    if not before["messages"]:
        return f"The first message reads as {felt}."
    if before["label"] == label:
        return f"Still {label}; the last message reads as {felt}."
    return f"Went from {before['label']} to {label}; the last message reads as {felt}."

"""The wording of domain.yml for each tone: one text for every state, calm, and sorry once."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest
import yaml

from bot import mood, wording
from bot.settings import ROOT

DOMAIN = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
RESPONSES: dict[str, list[dict[str, Any]]] = DOMAIN["responses"]
TONES = DOMAIN["slots"]["tone"]["values"]
QUESTION = re.compile(r"Shall I [\w ]+\?$")
CHEER = re.compile(r"!|\b(?:great|happy to|glad|wonderful|enjoy|good to hear|fun)\b", re.IGNORECASE)
FIELDS = re.compile(r"\{\w+\}")


def said(name: str, tone: str, apologised: bool) -> list[str]:
    """The texts that Rasa would choose from: those whose conditions hold, or else the plain one."""
    slots = {"tone": tone, "apologised": apologised, "sees_orders": False}
    fitting = [
        variant["text"]
        for variant in RESPONSES[name]
        if variant.get("condition")
        and all(slots[slot["name"]] == slot["value"] for slot in variant["condition"])
    ]
    return fitting or [it["text"] for it in RESPONSES[name] if not it.get("condition")]


@pytest.mark.parametrize("name", RESPONSES)
def test_every_state_has_one_text_that_means_the_same(name: str):
    plain = next(it["text"] for it in RESPONSES[name] if not it.get("condition"))
    for tone, apologised in product(TONES, (False, True)):
        texts = said(name, tone, apologised)
        assert len(texts) == 1, (tone, apologised)
        assert set(FIELDS.findall(texts[0])) == set(FIELDS.findall(plain))
        # What a "yes" would answer stays what it is.
        question = QUESTION.search(texts[0].replace("shall I", "Shall I"))
        assert bool(question) == bool(QUESTION.search(plain.replace("shall I", "Shall I")))


@pytest.mark.parametrize("name", RESPONSES)
def test_who_was_told_sorry_is_not_told_again_and_nobody_upset_is_cheered_at(name: str):
    for tone in TONES:
        (again,) = said(name, tone, True)
        assert not wording.apologises(again), (tone, again)
        (first,) = said(name, tone, False)
        if tone in ("worried", "upset", "angry"):
            assert not CHEER.search(first) and not CHEER.search(again)
        if wording.apologises(first):
            assert len(again) <= len(first) + 10 and first != again


def test_tones_are_moods():
    assert set(TONES) == set(mood.LEVELS)

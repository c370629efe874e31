"""The pure rules: states, routes, ratings, moods, card numbers."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import mood
from bot.conversation import (
    Arrival,
    Event,
    NotPossible,
    Rating,
    Route,
    State,
    after,
    bot_may_speak,
    rating_of,
    route,
)
from bot.privacy.redaction import MASK, is_card_number, luhn, mask


@given(st.lists(st.sampled_from(list(Event))))
def test_whatever_happens_there_is_one_owner_and_a_person_can_be_asked_for(events):
    state = State.BOT
    for event in events:
        try:
            state = after(state, event)
        except NotPossible as error:
            assert str(error)
        assert isinstance(state, State)
        assert bot_may_speak(state) == (state is State.BOT)
        assert after(state, Event.PERSON_REQUESTED) in (State.WAITING, State.HUMAN)


@pytest.mark.parametrize("state", [State.WAITING, State.HUMAN])
@given(text=st.text())
def test_while_a_person_is_wanted_the_bot_gets_no_message(state, text):
    arrival = Arrival(state=state, text=text, asks_for_person=False, rating_expected=True)
    assert route(arrival) is Route.DESK


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("4", 4),
        (" 5 ", 5),
        ("3/5", 3),
        ("2 stars", 2),
        ("1.", 1),
        ("5 out of 5", 5),
        ("0", None),
        ("6", None),
        ("45", None),
        ("4 boots please", None),
        ("", None),
    ],
)
def test_a_rating_is_a_digit_and_nothing_else(text, rating):
    assert rating_of(text) == (rating and Rating(rating))


@pytest.mark.parametrize(
    ("text", "comment"),
    [
        ("2, nobody answered me", "nobody answered me"),
        ("1 - I had to ask three times", "I had to ask three times"),
        ("5! Sam was lovely", "Sam was lovely"),
        ("2 jackets came broken", None),
        ("3-day delivery?", None),
    ],
)
def test_a_rating_may_have_a_comment_behind_it(text, comment):
    found = rating_of(text)
    assert (found.comment if found else None) == comment


def test_a_digit_is_a_rating_only_when_one_was_asked_for():
    asked = Arrival(State.RESOLVED, "4", asks_for_person=False, rating_expected=True)
    unasked = Arrival(State.BOT, "4", asks_for_person=False, rating_expected=False)
    assert (route(asked), route(unasked)) == (Route.SURVEY, Route.BRAIN)


def feeling(label: str, intensity: float = 0.8) -> dict[str, object]:
    return {"label": label, "probabilities": {label: 0.9}, "intensity": intensity}


def test_the_first_angry_message_already_changes_the_mood():
    felt = mood.advance(None, feeling("angry"), at=0.0)
    assert felt["label"] == "angry" and felt["level"] >= 3 and "angry" in felt["why"]


def test_one_calm_word_does_not_undo_anger_but_time_does():
    angry = mood.advance(None, feeling("angry", 1.0), at=0.0)
    soon = mood.advance(angry, feeling("neutral"), at=20.0)
    much_later = mood.advance(angry, feeling("neutral"), at=4 * 3600.0)
    assert soon["label"] in ("angry", "upset")
    assert much_later["label"] == "neutral"


def test_trouble_told_again_and_again_becomes_anger():
    state = None
    for minute in range(4):
        state = mood.advance(state, feeling("frustrated", 0.7), at=60.0 * minute)
    assert state["label"] == "angry"


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*mood.WEIGHTS, "neutral", "confused", "grateful", "satisfied"]),
            st.floats(0, 1),
            st.floats(0, 1e6),
        )
    )
)
def test_mood_stays_in_its_bounds(messages):
    state, at = None, 0.0
    for label, intensity, pause in messages:
        at += pause
        state = mood.advance(state, feeling(label, intensity), at)
        assert 0 <= state["heat"] <= 1
        assert 0 <= state["level"] <= 4
        assert state["label"] in mood.LEVELS
    if state:
        assert state["messages"] == len(messages)


def card(rng: random.Random, prefix: str = "4", length: int = 16) -> str:
    """A number of that length that passes the check and belongs to nobody."""
    body = prefix + "".join(rng.choice(string.digits) for _ in range(length - len(prefix) - 1))
    return next(body + digit for digit in string.digits if luhn(body + digit))


@given(st.integers(0, 2**32), st.sampled_from(["", " ", "-", ".", " - "]), st.text(max_size=20))
def test_no_card_number_survives_however_it_is_grouped(seed, separator, around):
    number = card(random.Random(seed))
    groups = separator.join(number[i : i + 4] for i in range(0, 16, 4))
    masked = mask(f"{around} pay with {groups} please")
    assert MASK in masked
    assert groups not in masked and number not in masked


@pytest.mark.parametrize(
    "text",
    [
        "my order is NP-123456 and it is late",
        "call me on 07700 900123 or +44 7700 900123",
        "the parcel number is 00340434161094021501",
        "4242 4242 4242 4243",
        "0000 0000 0000 0000",
        "it cost £49.95 on 2026-11-22",
    ],
)
def test_what_only_looks_like_a_card_number_stays(text):
    assert mask(text) == text


def test_the_security_code_goes_with_the_card():
    masked = mask("4242424242424242 exp 12/29 cvv 123")
    assert "123" not in masked and "4242" not in masked and "12/29" in masked


def test_digits_of_other_scripts_are_digits():
    assert MASK in mask("٤٢٤٢ ٤٢٤٢ ٤٢٤٢ ٤٢٤٢")


def test_published_test_numbers_are_recognised():
    """Numbers that card networks publish for testing."""
    for number in (
        "4111111111111111",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "6011111111111117",
        "30569309025904",
        "3530111333300000",
        "6200000000000005",
    ):
        assert is_card_number(number), number

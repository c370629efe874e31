"""The mood over messages: its bounds, what heats it, what does not, and how it explains itself."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from bot import mood

LABELS = [*mood.WEIGHTS, "neutral", "confused", "grateful", "satisfied"]

emotions = st.fixed_dictionaries(
    {"label": st.sampled_from(LABELS), "intensity": st.floats(0, 1)},
    optional={"abuse": st.sampled_from(["none", "swearing", "aimed"])},
)
steps = st.lists(st.tuples(emotions, st.floats(0, 20_000), st.text(max_size=90)), max_size=9)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)


def felt(label: str, intensity: float = 0.8, **more: object) -> dict[str, object]:
    return {"label": label, "probabilities": {}, "intensity": intensity, **more}


def after(messages) -> tuple[mood.Mood | None, float]:
    state, at = None, 1e9
    for emotion, pause, text in messages:
        at += pause
        state = mood.advance(state, emotion, at, text)
    return state, at


@given(steps)
def test_it_stays_in_its_bounds_and_survives_json(messages):
    state, at = None, 1e9
    for emotion, pause, text in messages:
        at += pause
        again = mood.advance(json.loads(json.dumps(state)), emotion, at, text)
        state = mood.advance(state, emotion, at, text)
        assert again == state
        assert 0 <= state["heat"] <= 1 and 0 <= state["level"] <= 4
        assert state["label"] in mood.LEVELS and set(state) == set(mood.calm())
        assert len(state["course"]) <= mood.COURSE and state["why"]
        assert all(len(step["said"]) <= mood.LONGEST_EXCERPT for step in state["course"])


@given(steps, st.sampled_from(LABELS), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1e6))
def test_the_more_intense_the_last_message_the_hotter(messages, label, one, other, pause):
    state, at = after(messages)
    less, more = sorted((one, other))
    heats = [mood.advance(state, felt(label, i), at + pause)["heat"] for i in (less, more)]
    assert heats[0] <= heats[1]


@given(steps, st.floats(mood.FLAT, 1), st.floats(0, 1e6))
def test_worse_feelings_and_abuse_heat_more(messages, intensity, pause):
    state, at = after(messages)

    def heat(label: str, **more: object) -> float:
        return mood.advance(state, felt(label, intensity, **more), at + pause)["heat"]

    heats = [heat(label) for label in ("satisfied", "neutral", "worried", "frustrated", "angry")]
    assert heats == sorted(heats)
    for label in ("frustrated", "angry", "neutral"):
        abused = [heat(label, abuse=abuse) for abuse in ("none", "swearing", "aimed")]
        assert abused == sorted(abused)


@given(steps, emotions, st.floats(0, 1e6), st.floats(0, 1e6))
def test_time_never_heats(messages, emotion, one, other):
    state, at = after(messages)
    soon, late = sorted((one, other))
    assert (
        mood.advance(state, emotion, at + late)["heat"]
        <= mood.advance(state, emotion, at + soon)["heat"]
    )


@given(steps)
def test_in_a_quarrel_a_calm_number_does_not_bring_the_cheer_back(messages):
    state, at = after(messages)
    state = mood.advance(state, felt("angry", 1.0), at + 1, "never again")
    calm = mood.advance(state, felt("neutral", 0.05), at + 21, "NP-123456")
    assert calm["label"] in ("angry", "upset") and not calm["heated"]
    thanks = mood.advance(state, felt("grateful"), at + 21, "thanks")
    assert thanks["label"] != "pleased"
    assert "NP-123456" not in json.dumps(calm)


@given(anything, anything, anything, anything)
def test_odd_inputs_never_raise(before, emotion, at, text):
    emotion = emotion if isinstance(emotion, dict) else {"intensity": emotion, "abuse": before}
    for given_mood in (before, {"heat": before, "course": [before, emotion], "in_a_row": before}):
        state = mood.advance(given_mood, emotion, at, str(text))
        json.dumps(state, allow_nan=False)
        assert 0 <= state["heat"] <= 1


def test_a_clock_that_goes_backwards_is_no_time():
    state = mood.advance(None, felt("angry"), 1000.0)
    back = mood.advance(state, felt("neutral"), 10.0)
    assert back == {**mood.advance(state, felt("neutral"), 1000.0), "at": 10.0}


def test_a_flat_report_of_trouble_is_no_quarrel_until_it_is_told_three_times():
    state, labels = None, []
    for number in range(3):
        state = mood.advance(state, felt("frustrated", 0.3), 60.0 * number, "it has not come")
        labels.append(state["label"])
    assert labels == ["neutral", "neutral", "upset"]
    loud = mood.advance(None, felt("frustrated", 0.8), 0.0)
    assert loud["label"] == "upset"


def test_messages_in_anger_are_counted_and_calm_ones_in_between_do_not_end_it():
    state, counts = None, []
    for number, label in enumerate(["angry", "neutral", "angry", "neutral"]):
        state = mood.advance(state, felt(label, 1.0), 20.0 * number)
        counts.append((state["in_a_row"]["angry"], state["heated"]))
    assert counts == [(1, True), (1, False), (2, True), (2, False)]
    later = mood.advance(state, felt("neutral"), 20_000.0)
    assert later["in_a_row"] == {"worried": 0, "upset": 0, "angry": 0}


def test_it_says_why_in_words():
    state = mood.advance(None, felt("neutral"), 0.0, "hello")
    assert state["why"] == "the first message reads as neutral"
    texts = ["where is my parcel", "it is still not here", "Hello. This is the THIRD time I ask!"]
    for number, text in enumerate(texts):
        label = "angry" if number == 2 else "frustrated"
        state = mood.advance(state, felt(label, 0.5 + 0.2 * number), 20.0 * (number + 1), text)
    assert state["why"] == (
        "rose from neutral to angry over the last three messages; “This is the THIRD time I ask!”"
    )
    calm = mood.advance(state, felt("neutral"), 80.0, "NP-123456")
    assert calm["why"].startswith("still angry, though the last message reads as neutral")
    much_later = mood.advance(calm, felt("neutral"), 80.0 + 4 * 3600)
    assert much_later["why"] == "eased from angry to neutral after 4 hours"
    first = mood.advance(None, felt("angry", 1.0), 0.0, "This is a disgrace.")
    assert first["why"] == "angry from the first message on; “This is a disgrace.”"


def test_an_excerpt_is_cut_at_a_word():
    long = "My parcel, which I ordered on the second of May for my mother, is still not here at all"
    cut = mood.excerpt(long)
    assert len(cut) <= mood.LONGEST_EXCERPT and cut.endswith("…")
    assert long.startswith(cut[:-1]) and long[len(cut) - 1] in " ,"
    assert mood.excerpt(" \n !!! ") == ""

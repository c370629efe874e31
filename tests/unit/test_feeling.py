"""How messages sound: the exported model, the commands on it, and their bad input."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from bot.__main__ import cli
from bot.encoder import ModelMissing
from bot.evaluate.emotion import RowsError, evaluate, read_rows
from bot.feeling import ABUSE, Feelings, as_heard
from tests.system import ROOT


@pytest.fixture(scope="module")
def feelings():
    return Feelings(ROOT / "models" / "emotion-onnx")


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("WHERE IS MY PARCEL", "shouting: WHERE IS MY PARCEL"),
        ("My VAT number is GB123", "My VAT number is GB123"),
        ("OK", "OK"),
        ("@northpeak see https://x.example/a?b=1 please", "@name see link please"),
        ("write to me@example.com", "write to me@example.com"),
        ("ÉCRIVEZ EN MAJUSCULES TOUJOURS", "shouting: ÉCRIVEZ EN MAJUSCULES TOUJOURS"),
        ("   ", ""),
    ],
)
def test_what_the_model_reads(written, heard):
    assert as_heard(written) == heard


@pytest.mark.parametrize(
    ("text", "valence"),
    [
        ("This is the third time I ask and nobody has answered. I have had enough.", "negative"),
        ("it still hasn't arrived, two weeks now", "negative"),
        ("the tent pole snapped on its first night out", "negative"),
        ("How do I return a pair of boots?", "neutral"),
        ("Please cancel my order.", "neutral"),
        ("NP-123456", "neutral"),
        ("Thank you so much, you have been really helpful", "positive"),
        ("The new jacket is wonderful, I love it", "positive"),
    ],
)
def test_trouble_is_told_from_requests(feelings, text, valence):
    assert feelings.judge([text])[0]["valence"] == valence


def test_a_judgement_is_whole(feelings):
    for heard in feelings.judge(["hello", "", "You useless idiot of a machine", "shit, I am late"]):
        assert sum(heard["probabilities"].values()) == pytest.approx(1, abs=0.01)
        assert heard["label"] in heard["probabilities"]
        assert 0 <= heard["intensity"] <= 1
        assert heard["abuse"] in ABUSE


def test_abuse_at_the_reader_is_told_from_swearing(feelings):
    aimed, swearing, calm = feelings.judge(
        [
            "You are a stupid useless bot, shut up",
            "oh for fuck's sake, the zip broke again",
            "is the zip repairable",
        ]
    )
    assert (aimed["abuse"], swearing["abuse"], calm["abuse"]) == ("aimed", "swearing", "none")


def test_strength_is_felt(feelings):
    faint, strong = feelings.judge(
        ["The parcel is a day late.", "I AM FURIOUS. Worst company I have ever dealt with!!!"]
    )
    assert faint["intensity"] < strong["intensity"]


def test_no_model_no_start(tmp_path):
    with pytest.raises(ModelMissing):
        Feelings(tmp_path)


def test_feel_answers_line_by_line():
    result = CliRunner().invoke(cli, ["feel", "--json"], input="where is it\n\nTHANK YOU ALL\n")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(lines) == 3
    for line in lines:
        assert set(line) == {"label", "labels", "moods", "valence", "intensity", "abuse"}
    assert lines[1]["valence"] == "neutral" and lines[1]["intensity"] == 0


def test_evaluate_emotion(feelings, tmp_path):
    thanks = feelings.emotions.index("gratitude")
    neutral = feelings.emotions.index("neutral")
    file = tmp_path / "rows.tsv"
    rows = [f"Thank you so much for that!\t{thanks}\ta", f"The shop is in Leeds.\t{neutral}\tb"]
    file.write_text("\ufeff" + "\r\n".join(rows) + "\r\n", encoding="utf-8")
    found = evaluate(file, feelings)
    assert found["rows"] == 2
    # Two of the 28 labels occur; right on both rows, all others are 0.
    assert found["macro_f1"]["labels"] == pytest.approx(2 / 28, abs=1e-3)
    assert set(found["macro_f1"]) == {"labels", "ekman", "groups"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("hello\t99\tid\n", ":1:"),
        ("fine\t3\tid\nno label here\n", ":2:"),
        ("\n\n", "holds no row"),
    ],
)
def test_rows_that_cannot_be_judged_on(feelings, tmp_path, content, told):
    file = tmp_path / "rows.tsv"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(RowsError, match=told):
        read_rows(file, feelings.emotions)

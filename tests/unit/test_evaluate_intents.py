"""`python -m bot evaluate intents`: files as people have them, and the figures."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.__main__ import cli
from bot.evaluate.figures import Answer, measure
from bot.evaluate.rows import BadRows, read_rows
from bot.evaluate.trial import classifier

GOOD = "text,label\nhello there,greet\nhi,greet\nbye now,leave\nfarewell,leave\n"


def file(folder: Path, content: bytes | str, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        b'text,label\nh\xc3\xa9llo,greet\n"bye, now",leave\n',
        b'\xef\xbb\xbfText , LABEL\r\nh\xc3\xa9llo,greet\r\n\r\n"bye, now",leave\r\n',
        b'text;label\nh\xc3\xa9llo;greet\n"bye, now";leave\n',
        b"label\ttext\ngreet\th\xc3\xa9llo\nleave\tbye, now\n",
        'id,text,label\n1,héllo,greet\n2,"bye, now",leave\n'.encode("utf-16"),
        b'text,label\rh\xc3\xa9llo,greet\r"bye, now",leave\r',
    ],
    ids=["plain", "mark and windows", "semicolon", "tab", "utf-16", "old mac"],
)
def test_files_as_spreadsheets_write_them(tmp_path: Path, content: bytes):
    rows = read_rows(file(tmp_path, content))
    assert [(row.text, row.label) for row in rows] == [("héllo", "greet"), ("bye, now", "leave")]


def test_lines_are_those_of_the_file(tmp_path: Path):
    rows = read_rows(file(tmp_path, 'text,label\n"two\nlines",a\n\nnext,b\n'))
    assert [(row.text, row.line) for row in rows] == [("two\nlines", 2), ("next", 5)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "line 1: the file must begin with the columns' names"),
        ("text,label\n", "there are no rows"),
        ("utterance,intent\nhi,greet\n", "the column text is missing; there are utterance, intent"),
        ("text,label,label\nhi,a,b\n", "the column label is twice"),
        ("text,label\nhi,greet\n  ,greet\n", "line 3: the text is empty"),
        ("text,label\nhi,\n", "line 2: the label is empty"),
        ("text,label\nhi, there,greet\n", "line 2: 3 fields instead of 2"),
        ('text,label\nhi,greet\n"oh,greet\n', "line 3"),
        (b"text,label\nhi,greet\ncaf\xe9,order\n", "line 3: this is no UTF-8"),
        (b"text,label\nhi\0,greet\n", "line 2: a zero byte"),
    ],
)
def test_bad_files_are_refused_with_the_line(tmp_path: Path, content: bytes | str, told: str):
    with pytest.raises(BadRows) as refused:
        read_rows(file(tmp_path, content))
    assert told in str(refused.value) and "rows.csv" in str(refused.value)


def test_many_problems_are_counted(tmp_path: Path):
    with pytest.raises(BadRows, match="and 15 more"):
        read_rows(file(tmp_path, "text,label\n" + ",greet\n" * 25))


@pytest.mark.parametrize(
    ("train", "test", "told"),
    [
        (None, GOOD, "there is no such file"),
        ("text,label\na,x\nb,x\n", "text,label\na,x\n", "all rows have the label x"),
        (GOOD, "text,label\nhi,greet\nfire,alarm\n", "labels without an example in"),
    ],
)
def test_the_command_refuses_in_words(tmp_path: Path, train: str | None, test: str, told: str):
    first = tmp_path / "train.csv" if train is None else file(tmp_path, train, "train.csv")
    words = ["evaluate", "intents", str(first), str(file(tmp_path, test, "test.csv"))]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 1 and told in done.stderr.replace("\n", " ")
    assert done.stdout == "" and "Traceback" not in done.stderr


def test_a_configuration_without_a_pipeline_is_refused(tmp_path: Path):
    rows = str(file(tmp_path, GOOD))
    config = str(file(tmp_path, "language: en\n", "other.yml"))
    done = CliRunner().invoke(cli, ["evaluate", "intents", rows, rows, "--config", config])
    assert done.exit_code == 1 and "has no pipeline" in done.stderr


def test_the_pipeline_ends_with_the_fallback(tmp_path: Path):
    names = ["WhitespaceTokenizer", "FallbackClassifier", "OurRules"]
    lines = "".join(f"- name: {name}\n  threshold: 0.4\n" for name in names)
    config, threshold = classifier(file(tmp_path, f"language: en\npipeline:\n{lines}", "c.yml"))
    assert [one["name"] for one in config["pipeline"]] == names[:2] and threshold == 0.4


def test_the_figures_of_a_small_case():
    gold = ["a", "a", "b", "b", "oos", "oos"]
    answers = [
        Answer("a", 0.9), Answer("a", 0.2), Answer("a", 0.8), Answer("b", 0.6), Answer("b", 0.1),
        Answer("a", 0.7),
    ]  # fmt: skip
    found = measure(gold, answers, 0.3)
    assert found["accuracy"] == 0.75
    assert found["accuracy_with_threshold"] == 0.5
    assert found["macro_f1"] == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert found["oos_recall"] == 0.5
    assert found["oos_auroc"] == pytest.approx(6 / 8)
    # Rows a b o by columns a b o: [1 0 1] [1 1 0] [1 0 1], so 3 of 6 are right.
    assert found["mcc"] == pytest.approx((3 * 6 - 12) / ((36 - 12) * (36 - 14)) ** 0.5)
    assert found["ece"] == pytest.approx((0.1 + 0.8 + 0.8 + 0.4) / 4)


def test_figures_that_nothing_can_be_said_of_are_none():
    found = measure(["a", "b"], [Answer("a", 1.0), Answer("b", 1.0)], 0.5)
    assert found["oos_recall"] is None and found["oos_auroc"] is None
    assert found["accuracy"] == found["mcc"] == 1.0 and found["ece"] == 0.0


def test_an_answer_of_none_is_out_of_scope_even_without_a_threshold():
    found = measure(["oos", "a"], [Answer("", 0.0), Answer("a", 0.5)], 0.0)
    assert found["oos_recall"] == 1.0 and found["mcc"] == 1.0

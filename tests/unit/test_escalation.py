"""The rules of escalation.yml: what their words find and leave alone, their order, their mistakes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bot import mood
from bot.__main__ import cli
from bot.escalation import Escalation, Situation, quote, with_mood
from bot.escalation_file import load, parse
from bot.phrases import Text, Topic, pattern_of
from bot.settings import ROOT
from bot.yaml_nodes import FileWrong

FILE = ROOT / "escalation.yml"
SHIPPED = load(FILE)
LINES = [
    line.split("\t", 1)
    for line in (ROOT / "tests/data/escalation.tsv").read_text("utf-8").splitlines()
]
SMALL = """\
topics:
  fire:
    phrases: [on fire]
rules:
  - name: fire
    when: {words: fire}
    reason_type: danger
    reason: "{words}"
    priority: 2
    then: hand over
"""


@pytest.mark.parametrize(("topic", "line"), LINES, ids=[line for _, line in LINES])
def test_words_find_what_is_meant_and_nothing_else(topic: str, line: str):
    found = {name for name, one in SHIPPED.topics.items() if one.find(Text(line))}
    if topic == "-":
        assert not found
    else:
        assert topic in found
        decision = SHIPPED.judge_words(line)
        assert decision is not None and decision.hands_over


def test_there_are_many_lines_for_and_against():
    against = [line for topic, line in LINES if topic == "-"]
    assert len(against) >= 60 and len(LINES) - len(against) >= 60
    assert all(len(topic.phrases) >= 15 for topic in SHIPPED.topics.values())


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("can't wait", "I CAN’T  wait", "CAN’T  wait"),
        ("can't wait", "i cant wait", "cant wait"),
        ("lawyer", "my lawyer's bill", "lawyer's"),
        ("lawyer", "lawyers!", "lawyers"),
        ("lawyer", "lawyering", None),
        ("authority", "the authorities", "authorities"),
        ("sue you/them", "we SUE THEM.", "SUE THEM"),
        ("burn* ... hand", "it burned my left hand, badly", "burned my left hand"),
        ("burn* ... hand", "it burned the tent that was in my hand", None),
        ("end it", "In the end. It works", None),
        ("self-harm", "self harm", "self harm"),
        ("cafe", "Café", "Café"),
        ("resolver.co.uk", "see resolver.co.uk.", "resolver.co.uk"),
    ],
)
def test_how_a_phrase_is_found(phrase: str, text: str, found: str | None):
    span = Topic("x", (phrase,)).find(Text(text))
    assert (text[slice(*span)] if span else None) == found


def test_an_exception_voids_only_what_it_covers():
    topic = Topic("x", ("killing me",), ("zip is killing me",))
    assert topic.find(Text("this zip is killing me")) is None
    assert topic.find(Text("this zip is killing me. He is killing me")) == (30, 40)


@given(st.text(max_size=300))
def test_any_text_can_be_looked_at(text):
    decision = SHIPPED.judge(Situation(text))
    assert decision is None or decision.reason
    for topic in SHIPPED.topics.values():
        if span := topic.find(Text(text)):
            assert 0 <= span[0] < span[1] <= len(text)


def test_the_longest_message_is_looked_at_quickly():
    text = ("I went to the shop and go and go to to to my the the " * 90)[:4000]
    SHIPPED.judge_words(text)  # compiles the phrases
    started = time.perf_counter()
    SHIPPED.judge_words(text)
    assert time.perf_counter() - started < 0.5


# The order of the rules, and what they wait for.


def angry(times: int) -> mood.Mood:
    state = None
    for number in range(times):
        felt = {"label": "angry", "intensity": 1.0}
        state = mood.advance(state, felt, 20.0 * number, "for the last time")
    return state


def test_the_first_rule_gives_the_reason():
    both = "I want to kill myself and I will see you in court"
    assert SHIPPED.judge_words(both).rule.reason_type == "self_harm"
    legal = SHIPPED.judge(Situation("my lawyer will call", "request_person", angry(3), misses=5))
    assert legal.rule.reason_type == "legal" and "“my lawyer will call”" in legal.reason


def test_each_condition_is_waited_for():
    def rule(**known) -> str:
        decision = SHIPPED.judge(Situation("hello", **known))
        return decision.rule.name if decision else ""

    assert rule() == rule(misses=2) == rule(mood=angry(1)) == rule(abuse="swearing") == ""
    assert rule(intent="request_person") == "asked for a person"
    assert rule(mood=angry(2)) == "angry twice"
    assert rule(misses=3) == "three misses"
    assert rule(abuse="aimed") == "insulted"
    calm = mood.advance(angry(2), {"label": "neutral", "intensity": 0.0}, 60.0)
    assert calm["label"] == "angry" and rule(mood=calm) == ""
    offered = SHIPPED.judge(Situation("hello", abuse="aimed"), done={"insulted"})
    assert offered is None


@pytest.mark.parametrize(
    ("contact", "known"),
    [
        ("ada@example.com", True),
        ("Ada@Example.com", True),
        ("eve@example.com", False),
        ("bob@big.example", True),
        ("bob@mail.big.example", True),
        ("bob@notbig.example", False),
        ("+447700900123", True),
        ("+447700900124", False),
    ],
)
def test_vips_are_known_by_what_they_write(contact: str, known: bool):
    text = FILE.read_text("utf-8")
    text = text.replace("vip: []", 'vip: [ada@example.com, "@big.example", "+44 7700 900-123"]')
    decision = parse(text).judge(Situation("hello", contacts=(contact,)))
    assert (decision is not None) == known
    if decision:
        assert contact in decision.reason


def test_the_mood_raises_but_never_to_the_top():
    assert [with_mood(p, {"level": 4}) for p in (1, 2, 3, 4)] == [1, 2, 2, 2]
    assert [with_mood(p, {"level": 2}) for p in (1, 2, 3, 4)] == [1, 2, 2, 3]
    assert [with_mood(p, None) for p in (1, 2, 3, 4)] == [1, 2, 3, 4]
    assert Escalation().standing("failure", None).priority == 2


@given(st.text(max_size=400), st.integers(0, 380))
def test_a_quote_is_short(text, start):
    assert len(quote(text, (start, start + 5))) <= 165


def test_self_harm_has_the_most_urgent_rule_and_a_reply_of_its_own():
    decision = SHIPPED.judge_words("I want to die", at_once=True)
    assert decision.priority == 1 and decision.rule.always_said
    assert "{help_lines}" in decision.rule.reply and "automated assistant" in decision.rule.reply
    assert any("116 123" in line for line in SHIPPED.help_lines)
    assert any("988" in line for line in SHIPPED.help_lines)
    assert SHIPPED.judge_words("my lawyer will call", at_once=True) is None


# Mistakes in the file.


@pytest.mark.parametrize(
    ("wrong", "right", "line", "told"),
    [
        ("{words: fire}", "{word: fire}", 6, "no condition “word:”; choose from words, intent"),
        ("{words: fire}", "{words: ice}", 6, "no topic is named “ice” (there is: fire)"),
        ("{words: fire}", "{mood: cross}", 6, "one of worried, upset, angry"),
        ("priority: 2", "priority: 5", 9, "a whole number from 1 to 4, not “5”"),
        ("priority: 2", "priority: high", 9, "a whole number from 1 to 4, not “high”"),
        ("[on fire]", "[]", 2, "the topic “fire” has no phrase"),
        ("[on fire]", "[on fire, '...']", 3, "it has no word in it"),
        ("[on fire]", "[bu*]", 3, "would match too much"),
        ("then: hand over", "then: handover", 10, "“then” is “hand over” or “offer”"),
        ('"{words}"', '"{word}"', 8, "names {word}, which there is not; choose from {words}"),
        ("then: hand over", "then: hand over\n    reply: Bye.", 11, "the customer gets no number"),
        ("then: hand over", "then: offer\n    at_once: yes", 11, "words alone that hand over"),
        (
            "topics:",
            "everyday: [is the sale on fire]\ntopics:",
            4,
            "is found in “is the sale on fi",
        ),
        ("topics:", "vip: [ada]\ntopics:", 1, "“ada” is no customer"),
        ("topics:", "topic:", 1, "the file has no line “topic:”"),
        ("    reason_type: danger\n", "", 5, "has no “reason_type:”: add it"),
        ("rules:", "rules: x: y", 4, "this is no YAML"),
        ("rules:", "\trules:", 4, "this is no YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line(wrong: str, right: str, line: int, told: str):
    with pytest.raises(FileWrong) as caught:
        parse(SMALL.replace(wrong, right))
    problems = caught.value.problems
    assert any(it.line == line and told in it.message for it in problems), list(map(str, problems))


def test_two_rules_of_one_name_are_told_apart():
    second = SMALL[SMALL.index("  - name") :]
    with pytest.raises(FileWrong, match=r"line 11: a second rule has the name “fire” .*line 5"):
        parse(SMALL + second)


def test_windows_files_and_broken_ones(tmp_path: Path):
    path = tmp_path / "escalation.yml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())
    assert len(load(path).rules) == 1
    for content, told in (
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"", "is empty"),
        (b"- a", "name: value"),
    ):
        path.write_bytes(content)
        with pytest.raises(FileWrong, match=told):
            load(path)
    with pytest.raises(FileWrong, match="cannot be read"):
        load(tmp_path / "none.yml")


def test_phrases_that_cannot_be_used_are_explained():
    for phrase in ("", "...", "a/ b", "... a", "b ...", "f*r", "x*"):
        with pytest.raises(ValueError, match=r"\w+ \w+"):
            pattern_of(phrase)


def test_the_gateway_refuses_to_start_in_the_same_words(tmp_path: Path, monkeypatch):
    path = tmp_path / "escalation.yml"
    path.write_text(SMALL.replace("priority: 2", "priority: 7"), encoding="utf-8")
    monkeypatch.setenv("ESCALATION_FILE", str(path))
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    refused = CliRunner().invoke(cli, ["gateway"])
    words = "escalation.yml, line 9: priority is a whole number from 1 to 4, not “7”"
    assert refused.exit_code == 1 and words in refused.stderr

    from bot.check import escalation
    from bot.settings import Settings

    (finding,) = escalation(Settings(_env_file=None))
    assert finding.level == "error" and finding.what == words

"""Questions grouped by meaning, closures, ids that stay good, and drafts: with the real encoder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from bot.encoder import Encoder
from knowledge_base import drafts
from knowledge_base.gaps import NoSuchGap, find_gaps, groups, pick, wording_id
from knowledge_base.parse import LeftOut, parse_article

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "encoder"

TENTS = [
    "do you rent out tents",
    "can i hire a tent for a weekend",
    "how much is it to rent a tent",
]
DOGS = ["can i bring my dog into the shop", "are dogs allowed in the store"]
PARKING = ["is there parking at the shop", "is there a car park at your shop"]


@dataclass(frozen=True)
class Asked:
    text: str
    conversation_id: str
    asked_at: int = 1
    mood_level: int = 0
    handed_over: bool = False
    rating: int | None = None
    why: tuple[str, ...] = ("no_article",)
    answers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Closure:
    question: str
    wordings: tuple[str, ...]
    closed_at: int
    because: str = "answered by x"
    closed_by: str = "Ada"


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    if not (MODEL / "model.onnx").is_file():
        pytest.skip("no models/encoder; `make train` builds it")
    return Encoder(MODEL)


def asked(*texts: str, **facts) -> list[Asked]:
    """Each by a customer of its own."""
    return [Asked(text, f"c{at}-{text}", **facts) for at, text in enumerate(texts)]


def closed(gap, at: int) -> Closure:
    return Closure(gap.question, tuple(wording_id(text) for text, _ in gap.wordings), at)


def test_wordings_of_one_question_are_one_gap_named_by_the_one_in_the_middle(encoder):
    found = find_gaps(asked(*TENTS, *DOGS, *PARKING), [], encoder.encode)
    assert {frozenset(text for text, _ in gap.wordings) for gap in found} == {
        frozenset(TENTS),
        frozenset(DOGS),
        frozenset(PARKING),
    }
    first = found[0]
    assert first.question in TENTS and first.customers == 3
    vectors = encoder.encode(TENTS)
    likeness = dict(zip(TENTS, (vectors @ vectors.T).sum(axis=1), strict=True))
    assert likeness[first.question] == max(likeness.values())


def test_the_order_of_the_questions_does_not_matter(encoder):
    every = asked(*TENTS, *DOGS, *PARKING, "do you do gift wrapping")
    one = find_gaps(every, [], encoder.encode)
    other = find_gaps(every[::-1], [], encoder.encode)
    assert one == other


def test_customers_count_and_not_how_often_one_of_them_asked(encoder):
    stubborn = [Asked(text, "same") for text in DOGS * 5]
    found = find_gaps([*stubborn, *asked(*PARKING)], [], encoder.encode)
    assert [(gap.customers, gap.times) for gap in found] == [(2, 2), (1, 10)]


@pytest.mark.parametrize(
    "facts", [{"mood_level": 3}, {"handed_over": True}, {"handed_over": True, "rating": 1}]
)
def test_of_two_gaps_asked_alike_the_one_with_more_trouble_comes_first(encoder, facts):
    for first, second in ((DOGS, PARKING), (PARKING, DOGS)):
        found = find_gaps([*asked(*first, **facts), *asked(*second)], [], encoder.encode)
        assert found[0].question in first and found[0].weight > found[1].weight


def test_what_is_no_question_is_no_gap(encoder):
    assert find_gaps(asked("???", "yes", "ok thanks", "👍", ""), [], encoder.encode) == []


def test_the_same_words_in_other_case_and_spacing_are_one_wording(encoder):
    (gap,) = find_gaps(
        asked("Are dogs allowed?", "are  dogs ALLOWED", "are dogs allowed!!"), [], encoder.encode
    )
    assert gap.wordings == (("Are dogs allowed?", 3),)


def test_what_a_customer_writes_cannot_command_a_terminal(encoder):
    (gap,) = find_gaps(asked("\x1b[2Jare dogs\x07 allowed\x9b"), [], encoder.encode)
    assert gap.question == "[2Jare dogs allowed" and gap.id == wording_id(gap.question)


def test_a_closed_gap_is_gone_and_back_when_it_is_asked_again(encoder):
    before = asked(*TENTS, *DOGS, asked_at=10)
    tents = find_gaps(before, [], encoder.encode)[0]
    closure = closed(tents, at=20)
    (left,) = find_gaps(before, [closure], encoder.encode)
    assert left.question in DOGS
    late = asked("is it possible to rent a tent from you", asked_at=10)
    assert [gap.question for gap in find_gaps([*before, *late], [closure], encoder.encode)] == [
        left.question
    ], "asked before the closing, and near it"
    again = asked("is it possible to rent a tent from you", asked_at=30)
    back = find_gaps([*before, *again], [closure], encoder.encode)
    (reopened,) = [gap for gap in back if gap.reopened]
    assert reopened.wordings == (("is it possible to rent a tent from you", 1),)
    assert reopened.reopened is closure and reopened.customers == 1
    settled = closed(reopened, at=40)
    (left,) = find_gaps([*before, *again], [closure, settled], encoder.encode)
    assert left.question in DOGS


def test_closing_one_gap_leaves_its_neighbour(encoder):
    every = asked(*DOGS, *PARKING, asked_at=10)
    one, other = find_gaps(every, [], encoder.encode)
    (left,) = find_gaps(every, [closed(one, at=20)], encoder.encode)
    assert left == other


def test_an_id_stays_good_when_the_group_grows(encoder):
    some = find_gaps(asked(*DOGS), [], encoder.encode)
    for text in DOGS:
        assert pick(some, wording_id(text)) == some[0]
    more = find_gaps(asked(*DOGS, "is the leeds shop dog friendly", *TENTS), [], encoder.encode)
    assert set(DOGS) <= {text for text, _ in pick(more, some[0].id).wordings}
    assert pick(more, some[0].id[:5].upper()) == pick(more, some[0].id)
    with pytest.raises(NoSuchGap, match="zzzz"):
        pick(more, "zzzz")
    with pytest.raises(NoSuchGap):
        pick(more, "")


def test_grouping_is_exact_average_linkage():
    """Against the textbook's way: join the best pair, again and again."""
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(12, 16))
    rows = centres[rng.integers(0, 12, 150)] + rng.normal(size=(150, 16)) * 0.7
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    slow = [[at] for at in range(len(rows))]
    while len(slow) > 1:
        scores = {
            (one, other): float((rows[slow[one]] @ rows[slow[other]].T).mean())
            for one in range(len(slow))
            for other in range(one)
        }
        (one, other), best = max(scores.items(), key=lambda it: it[1])
        if best < 0.5:
            break
        slow[other] += slow.pop(one)
    assert {frozenset(it) for it in slow} == {frozenset(it.tolist()) for it in groups(rows)}
    assert 5 < len(slow) < 100


def test_a_draft_is_an_article_that_holds_every_word(encoder):
    odd = 'Can I "rent" a tent: yes/no? #tents \\ [x] & שלום 👋🏽 \x7f'
    answers = ("Hello, Sam here.\n\n# No, we don't\n- but *ask* in Leeds", "It costs £20: a day")
    every = asked(odd, *TENTS, answers=answers)
    gap = find_gaps(every, [], encoder.encode)[0]
    near = _Near("Shops > Leeds [city]", "/help/shops/leeds#where", "public", 0.31)
    text = drafts.draft(gap, near, date(2026, 11, 23))
    with pytest.raises(LeftOut):
        parse_article(text, "drafts/x")
    article = parse_article(text.replace("\ndraft: true\n", "\n"), "drafts/x")
    assert article.audience == "staff"
    assert set(article.questions) == {odd.removesuffix(" \x7f"), *TENTS}
    assert article.title.lower() == gap.question.lower()
    for line in "\n".join(answers).splitlines():
        assert f"> {line}".rstrip() in text.splitlines()
    assert "](<../shops/leeds.md#where>)" in text and "to be rewritten" in text


def test_a_draft_is_never_written_over(encoder, tmp_path):
    gap = find_gaps(asked(*DOGS), [], encoder.encode)[0]
    path = drafts.write(tmp_path, gap, "one\n")
    assert path.parent == tmp_path / "drafts" and path.suffix == ".md"
    with pytest.raises(FileExistsError):
        drafts.write(tmp_path, gap, "two\n")
    assert path.read_bytes() == b"one\n"


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Can I rent a tent?", "drafts/can-i-rent-a-tent.md"),
        ("../../etc/passwd", "drafts/etcpasswd.md"),
        ("CON", "drafts/gap-12345678.md"),
        ("👍?", "drafts/gap-12345678.md"),
        ("האם אפשר לשכור אוהל", "drafts/האם-אפשר-לשכור-אוהל.md"),
        ("a " * 200, f"drafts/{'a-' * 29}a.md"),
    ],
)
def test_a_drafts_name_is_one_for_every_system(encoder, question, name):
    (gap,) = find_gaps(asked("tents"), [], encoder.encode)
    assert drafts.file_name(replace(gap, question=question, id="12345678")) == name


@dataclass(frozen=True)
class _Near:
    title: str
    url: str
    audience: str
    confidence: float

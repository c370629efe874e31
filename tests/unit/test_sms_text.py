"""A reply as a text message: counted as the vendor counts, and nothing lost that means something."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.sms.text import (
    GSM_7,
    GSM_7_EXTENSION,
    MOST,
    PREFERRED,
    Choice,
    composed,
    length,
    mapped,
    parts,
    plain,
    segments,
)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 159 + "€", 2),
        ("a" * 152 + "€" + "a" * 151, 2),  # the pair of the euro goes into the second segment whole
        ("a" * 152 + "€" + "a" * 152, 3),
        ("ü" * 160, 1),
        ("á" + "a" * 69, 1),
        ("á" + "a" * 70, 2),
        ("á" * 134, 2),
        ("á" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("á" * 66 + "😀" + "á" * 65, 2),  # nor is an emoji divided
        ("á" * 66 + "😀" + "á" * 66, 3),
        ("\n" * 160, 1),
    ],
)
def test_segments(text, count):
    assert segments(text) == count


def independent(text: str) -> int:
    """The same, counted by building the segments as bytes."""
    if set(text) <= set(GSM_7 + GSM_7_EXTENSION):
        units = [b"\x1b" + b"x" if it in GSM_7_EXTENSION else b"x" for it in text]
        alone, joined = 160, 153
    else:
        units = [it.encode("utf-16-be") for it in text]
        alone, joined = 140, 134
    if len(b"".join(units)) <= alone:
        return 1
    built = [b""]
    for unit in units:
        if len(built[-1]) + len(unit) > joined:
            built.append(b"")
        built[-1] += unit
    return len(built)


def test_10_000_random_texts_are_counted_alike():
    rng = random.Random(160)
    alphabets = (GSM_7, GSM_7 + GSM_7_EXTENSION, GSM_7 + "áč漢字", "a😀🏳️‍🌈é", "€[]{}ab")
    for _ in range(10_000):
        alphabet = rng.choice(alphabets)
        text = "".join(rng.choice(alphabet) for _ in range(rng.randrange(420)))
        assert segments(text) == independent(text), text


def test_typographic_signs_become_those_that_cost_nothing():
    text = mapped("“It’s – well… fine”\u00a0• 5\u202f€ →")
    assert text == '"It\'s - well... fine" - 5 € ->' and segments(text) == 1
    assert mapped("Žluťoučký 😀 naïve") == "Žluťoučký 😀 naïve"  # letters mean something


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=5000))
def test_parts_hold_everything_and_divide_no_character(text):
    found = parts(text)
    assert all(length(part) <= MOST for part in found)
    assert "".join("".join(found).split()) == "".join(text.split())
    for part in found:
        part.encode("utf-8")  # no half of a surrogate pair


@pytest.mark.parametrize("sign", ["👩‍👩‍👧‍👦", "🇬🇧", "👍🏽", "e\u0301", "❤️"])
def test_what_is_seen_as_one_is_not_divided(sign):
    for part in parts(sign * 900):
        assert part == sign * (len(part) // len(sign))


def test_long_texts_are_divided_between_sentences():
    text = "A sentence of words, rather long. " * 120
    first, *_ = parts(text)
    assert first.endswith("long.") and length(first) > 800


MARKDOWN = """You have **two** ways, see [our page](/help/returns#how):

1. Bring it to the [shop](https://shop.example/map)
2. Send it

| where | days |
|---|---|
| UK | 2 |
| Norway | 7 |

Write to [us](mailto:help@shop.example). `NP-123456` <b>is</b> text."""


def test_markdown_becomes_words():
    assert plain(MARKDOWN).split("\n") == [
        "You have two ways, see our page:",
        "1. Bring it to the shop (https://shop.example/map)",
        "2. Send it",
        "where: UK; days: 2",
        "where: Norway; days: 7",
        "Write to us (help@shop.example). NP-123456 <b>is</b> text.",
    ]


def test_an_answer_is_short_where_a_link_has_the_rest():
    link = "https://support.example.com/s/abc123"
    text = "You can send anything back within 30 days. " * 20
    found = composed(text, link=link)
    assert length(found) <= PREFERRED and found.endswith(f"days. ...\n{link}")
    assert composed("Five days.", link=link) == f"Five days.\n{link}"
    whole = composed(text)  # without a link nothing is left out
    assert length(whole) == length(text.strip())
    one = "word " * 200
    assert composed(one, link=link).startswith(one.strip())  # a sentence is never cut


def test_people_are_sent_word_for_word():
    assert (
        composed("1. *this* _is_ [mine](x)\n\n# ok", whole=True)
        == "1. *this* _is_ [mine](x)\n\n# ok"
    )


def test_choices_are_numbered():
    found = composed("Which one?", choices=[Choice("To Norway"), Choice("Within the UK")])
    assert found == "Which one?\nReply with the number:\n1 To Norway\n2 Within the UK"

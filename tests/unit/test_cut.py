"""Where texts are cut into passages: verbatim, at sensible places, and in no time."""

from __future__ import annotations

import hashlib
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.cut import LONGEST, LONGEST_TABLE, cut
from knowledge_base.parse import parse_article
from knowledge_base.render import to_html


def article(body: str):
    source = f"---\ntitle: How to return an item\naudience: public\n---\n{body}"
    return parse_article(source, "returns/return-an-item")


def test_it_is_cut_at_headings_with_their_path_and_anchor():
    found = article(
        "Before.\n\n## What it *costs*\n\nFree.\n\n### In `GB`, really?\n\nYes.\n\n"
        "## Empty\n\n## What it costs\n\nAgain.\n"
    ).passages
    assert [(it.heading_path, it.anchor, it.text) for it in found] == [
        ((), "", "Before."),
        (("What it costs",), "what-it-costs", "Free."),
        (("What it costs", "In GB, really?"), "in-gb-really", "Yes."),
        (("What it costs",), "what-it-costs-1", "Again."),
    ]
    assert [it.url for it in found[:2]] == [
        "/help/returns/return-an-item",
        "/help/returns/return-an-item#what-it-costs",
    ]
    assert found[2].headed == "How to return an item > What it costs > In GB, really?"
    assert found[0].hash == hashlib.sha256(b"Before.").hexdigest()


def test_headings_in_code_quotes_and_lists_do_not_cut():
    body = (
        "## One\n\n```\n## not a heading\n```\n\n> ## quoted\n\n- a\n\n  ## listed\n\n    # code\n"
    )
    (found,) = article(body).passages
    assert found.text == body.removeprefix("## One\n\n").rstrip()


def test_underlined_headings_cut_too():
    assert [it.heading for it in article("One\n===\n\na\n\nTwo\n---\n\nb\n").passages] == [
        "One",
        "Two",
    ]


def test_a_code_block_at_the_start_keeps_its_indent():
    (found,) = article("## H\n\n    indented\n    code\n").passages
    assert found.text == "    indented\n    code"


def test_anchors_stay_unique_when_headings_collide_with_made_ones():
    found = article("## a\nx\n## a\nx\n## a-1\nx\n## ???\nx\n").passages
    assert [it.anchor for it in found] == ["a", "a-1", "a-1-1", "section"]


def test_long_sections_are_cut_between_blocks_and_keep_their_heading():
    paragraphs = [f"Paragraph {n}." + " Words in a row." * 20 for n in range(8)]
    body = "## H\n\n" + "\n\n".join(paragraphs)
    found = article(body).passages
    assert len(found) > 1
    assert all(len(it.text) <= LONGEST and it.anchor == "h" for it in found)
    assert "\n\n".join(it.text for it in found) == body.removeprefix("## H\n\n").rstrip()


def test_long_lists_are_cut_between_items_and_stay_with_their_announcement():
    items = [f"{n}. " + "Do this and then that. " * 12 for n in range(1, 8)]
    body = "Intro. " * 150 + "\n\nTo do it:\n\n" + "\n".join(items)
    found = article(body).passages
    assert not any(it.text.endswith("To do it:") for it in found)
    assert all(len(it.text) <= LONGEST for it in found)
    assert any(re.match(r"\d\. Do", it.text) for it in found)


def sizes(body: str) -> list[int]:
    """The lengths of its passages, which are exact slices in order and lose no word."""
    at = 0
    found = cut(body)
    for piece in found:
        at = body.index(piece.text, at) + len(piece.text)
    assert re.findall(r"\w+", " ".join(it.text for it in found)) == re.findall(r"\w+", body)
    return [len(it.text) for it in found]


def test_a_long_paragraph_is_cut_at_its_sentences():
    body = "This sentence is one of very many, and says so (again). " * 200
    assert max(sizes(body)) <= 2 * LONGEST
    assert all(it.text.endswith("(again).") for it in cut(body))
    assert sizes("Short. " * (2 * LONGEST // 7)) == [2 * LONGEST // 7 * 7 - 1]


@pytest.mark.parametrize(
    "body",
    [
        "word " * 1000,
        "line\n" * 1000,
        "x" * 1_000_000,
        "- " + "item " * 1000,
        "> " + "quote " * 1000,
        "- a\n\n" + "  One paragraph of an item.\n\n" * 200,
        "这是一句话。" * 1000,
    ],
)
def test_whatever_has_no_border_is_cut_all_the_same(body):
    found = cut(body)
    assert len(found) > 1
    assert max(len(it.text) for it in found) <= 2 * LONGEST
    assert sum(len(it.text.replace(" ", "")) for it in found) == len("".join(body.split(" "))) - (
        body.count("\n") - sum(it.text.count("\n") for it in found)
    )


def test_a_long_paragraph_is_not_cut_in_a_link():
    sentence = "See [the page. All of it. Please.](x.md) or `a. b` now. "
    found = cut(sentence * 100)
    assert len(found) > 1
    for it in found:
        assert it.text.count("`") % 2 == 0
        assert it.text.count("[") == it.text.count("](x.md)")


def test_a_table_stays_whole_up_to_its_limit_and_is_then_cut_between_rows():
    head = "| Size | Price |\n| --- | --- |\n"
    row = "| a size with many words | a price with many words |\n"
    (whole,) = cut(head + row * 100)
    assert LONGEST < len(whole.text) <= LONGEST_TABLE
    found = cut(head + row * 300)
    assert len(found) > 1
    assert all(it.text.startswith("| ") and it.text.endswith(" |") for it in found)
    assert all(len(it.text) <= LONGEST_TABLE for it in found)
    assert sum(it.text.count("a size") for it in found) == 300


@pytest.mark.parametrize(
    "body",
    [
        "> " * 10_000 + "deep",
        "- " * 10_000 + "deep",
        "\n".join("  " * n + "- item" for n in range(1500)),
        "[" * 50_000 + "text",
        "*a _b " * 20_000,
        "a. " * 300_000,
        "# x\n" * 20_000 + "text",
        "| a " * 20_000 + "\n" + "| - " * 20_000 + "\nb",
        "```\n" + "code\n" * 100_000,
    ],
    ids=lambda body: body[:9],
)
def test_no_file_takes_long(body):
    start = time.process_time()
    found = parse_article(body, "x")
    to_html(found, bool)
    assert time.process_time() - start < 10
    assert found.passages


def test_five_megabytes_are_read_in_a_few_seconds():
    section = "## Heading {0}\n\n" + "Some words in a row. " * 40 + "\n\n- one\n- two <b>x</b>\n\n"
    body = "".join(section.format(n) for n in range(5_800))
    assert len(body) > 5_000_000
    start = time.process_time()
    found = parse_article(body, "x")
    assert time.process_time() - start < 20  # on a busy machine; a few on a free one
    assert len(found.passages) == 5_800
    assert found.passages[-1].anchor == "heading-5799"


BLOCKS = st.lists(
    st.one_of(
        st.text("abc .", min_size=1, max_size=60),
        st.text("xyz ", min_size=300, max_size=900),
        st.sampled_from(
            [
                "- one\n- two\n  - three",
                "1. a\n2. b",
                "> quote",
                "| a | b |\n| --- | --- |\n| 1 | 2 |",
            ]
        ),
        st.sampled_from(["```\n# in code\n\n## too\n```", "    # indented", "***"]),
    ),
    max_size=12,
)
HEADED = st.lists(st.tuples(st.sampled_from(["# h one", "## h two", "### h three"]), BLOCKS))


@given(BLOCKS, HEADED)
def test_cutting_loses_no_word_and_stays_verbatim(first, headed):
    body = "\n\n".join(
        [*first, *(part for heading, blocks in headed for part in (heading, *blocks))]
    )
    pieces = [piece.text for piece in cut(body)]
    at = 0
    for piece in pieces:
        at = body.index(piece, at) + len(piece)
    without = "\n\n".join([*first, *(block for _, blocks in headed for block in blocks)])
    assert re.findall(r"\w+", " ".join(pieces)) == re.findall(r"\w+", without)

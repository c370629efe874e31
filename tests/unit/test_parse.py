"""Articles: front matter, errors with their lines, and where the text is cut."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.parse import LONGEST, ArticleError, cut, parse_article
from knowledge_base.render import address, to_html

ARTICLES = Path(__file__).resolve().parents[2] / "knowledge_base" / "articles"

FRONT = """---
title: How to return an item
summary: 'Free in the UK: 60 days.'
audience: public
updated: 2026-10-26
owner: returns-team
tags: [returns, label]
questions:
  - how long do i have
  - "is it free?"
---
"""


def article(body: str, front: str = FRONT):
    return parse_article(front + body, "returns/return-an-item", "articles/r.md")


def test_front_matter_is_read():
    found = article("\nText.\n")
    assert found.title == "How to return an item"
    assert found.summary == "Free in the UK: 60 days."
    assert (found.audience, found.updated) == ("public", date(2026, 10, 26))
    assert (found.owner, found.tags) == ("returns-team", ("returns", "label"))
    assert found.questions == ("how long do i have", "is it free?")


def test_values_stay_as_written_whatever_yaml_takes_them_for():
    found = article("Text.", "---\ntitle: 2026\naudience: staff\nowner: no\ntags: on\n---\n")
    assert (found.title, found.owner, found.tags) == ("2026", "no", ("on",))
    assert found.updated is None


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ("# No front matter\n", 1, "start the file with"),
        ("", 1, "start the file with"),
        ("---\ntitle: T\naudience: public\nText.\n", 1, "close it"),
        ("---\naudience: public\n---\nText.", 1, "add a line `title:"),
        ("---\ntitle: T\n---\nText.", 1, "add a line `audience: public`"),
        ("---\naudience: public\ntitle:\n---\nText.", 3, "no title"),
        ("---\ntitle: T\naudience: everyone\n---\nText.", 3, "`public` or `staff`"),
        ("---\ntitle: Returns: how\naudience: public\n---\nText.", 2, '"double quotes"'),
        ("---\ntitle: T\naudience: public\nupdated: 2026-13-01\n---\nText.", 4, "2026-10-26"),
        ("---\ntitle: T\naudience: public\nupdated: yesterday\n---\nText.", 4, "2026-10-26"),
        ("---\ntitle: T\ntitle: U\naudience: public\n---\nText.", 3, "twice"),
        ("---\ntitle: [a, b]\naudience: public\n---\nText.", 2, "one text"),
        ("---\ntitle: T\naudience: public\ntags:\n  - a: b\n---\nText.", 5, "list of texts"),
        ("---\n- a\n---\nText.", 2, "no fields"),
        ("---\n---\nText.", 2, "no fields"),
        ("---\ntitle: T\naudience: public\n---\n\n## Only a heading\n", 5, "no text"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_what_to_do(source, line, says):
    with pytest.raises(ArticleError) as caught:
        parse_article(source, "x", "articles/x.md")
    assert (caught.value.path, caught.value.line) == ("articles/x.md", line)
    assert says in caught.value.message
    assert str(caught.value).startswith(f"articles/x.md:{line}: ")


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


def test_one_block_that_is_too_long_stays_whole():
    (found,) = article("word " * 1000).passages
    assert len(found.text) > LONGEST


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
    pieces = [text for _, _, text in cut(body)]
    at = 0
    for piece in pieces:
        at = body.index(piece, at) + len(piece)
    without = "\n\n".join([*first, *(block for _, blocks in headed for block in blocks)])
    assert re.findall(r"\w+", " ".join(pieces)) == re.findall(r"\w+", without)


@pytest.mark.parametrize("path", sorted(ARTICLES.rglob("*.md")), ids=lambda path: path.stem)
def test_our_own_articles_are_verbatim(path):
    source = path.read_text(encoding="utf-8")
    found = parse_article(source, path.stem, str(path))
    assert all(it.text in source for it in found.passages)


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark_change_nothing(ends):
    source = FRONT + "## A\n\nx\ny\n"
    assert parse_article("\ufeff" + source.replace("\n", ends), "x") == parse_article(source, "x")


def test_html_has_the_passages_anchors_and_the_help_pages_links():
    found = article(
        "## A & B\n\n[in](../refunds/refund-times.md#gift) [same](lost.md) [out](https://x.org)\n\n"
        "## A & B\n\n<script>alert(1)</script> [bad](javascript:alert(1)) [odd](http://[)\n"
    )
    html = to_html(found)
    assert [f'<h2 id="{it.anchor}">' in html for it in found.passages] == [True, True]
    assert 'href="/help/refunds/refund-times#gift"' in html
    assert 'href="/help/returns/lost"' in html
    assert '<a href="https://x.org" rel="noopener noreferrer" target="_blank">' in html
    assert "<script>" not in html
    assert 'href="javascript:' not in html


def test_links_out_of_the_knowledge_base_stay():
    for href in ("../../x.md", "/a.md", "mailto:a@b.example", "#part", "picture.png"):
        assert address(href, "returns/x") == href

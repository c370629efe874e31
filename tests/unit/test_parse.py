"""Articles: front matter, errors with their lines, and where the text is cut."""

from __future__ import annotations

import hashlib
import re
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.cut import LONGEST, LONGEST_TABLE, cut
from knowledge_base.parse import ArticleError, LeftOut, parse_article
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
        ("", 1, "the file is empty"),
        (" \n\n", 1, "the file is empty"),
        ("# Only a title\n", 1, "no text"),
        ("---\ntitle: T\naudience: public\nText.\n", 1, "close it"),
        ("+++\ntitle = 'T'\n", 1, "close it"),
        ("---\ntitle: T\naudience: everyone\n---\nText.", 3, "`public` or `staff`"),
        ("---\ntitle: T\naudience:\n---\nText.", 3, "`public` or `staff`"),
        ("---\ntitle: T\naudience: [staff]\n---\nText.", 3, "one text"),
        ("\n---\ntitle: T\naudience: internal\n---\nText.", 4, "`public` or `staff`"),
        ("---\naudience: public\naudience: staff\n---\nText.", 3, "twice"),
        ("---\ntitle: T\naudiance: staff\n---\nText.", 3, "write `audience`"),
        ("---\naudience staff\n---\nText.", 2, "no fields"),
        ("---\ntitle: Returns: how\naudience: public\n---\nText.", 2, '"double quotes"'),
        ("---\ntitle: T\n\ttabs: x\n---\nText.", 3, "no YAML"),
        ("---\ntitle: T\nodd: \x07\n---\nText.", 3, "no YAML"),
        ("+++\ntitle = 'T'\naudience = staff\n+++\nText.", 3, "no TOML"),
        ("+++\naudience = 'all'\n+++\nText.", 2, "`public` or `staff`"),
        ("---\n" + "x: y\n" * 20_000 + "---\nText.", 1, "64,000 characters"),
        ("---\ntitle: T\naudience: public\n---\n\n## Only a heading\n", 5, "no text"),
        ("---\ntitle: T\n---\n{% include landing.html %}\n", 4, "no text"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_what_to_do(source, line, says):
    with pytest.raises(ArticleError) as caught:
        parse_article(source, "x", "articles/x.md")
    assert (caught.value.path, caught.value.line) == ("articles/x.md", line)
    assert says in caught.value.message
    assert str(caught.value).startswith(f"articles/x.md:{line}: ")
    assert not isinstance(caught.value, LeftOut)


@pytest.mark.parametrize(
    ("field", "line", "says"),
    [
        ("updated: 2026-13-01", 3, "2026-10-26"),
        ("updated: yesterday", 3, "2026-10-26"),
        ("title: U", 3, "twice"),
        ("tags:\n  - a: b", 4, "list of texts"),
        ("owner: [a, b]", 3, "one text"),
        ("summary:\n  a: b", 4, "one text"),
    ],
)
def test_a_mistake_in_a_field_that_may_be_missing_is_noted_and_the_article_served(
    field, line, says
):
    found = parse_article(f"---\ntitle: T\n{field}\n---\nText.", "x")
    ((at, message),) = found.notes
    assert (at, found.title, found.updated, found.tags) == (line, "T", None, ())
    assert says in message


@pytest.mark.parametrize(
    ("source", "name", "title"),
    [
        ("# Reset it\n\nText.", "x", "Reset it"),
        ("Intro.\n\n# Reset `it` & *go*\n\nText.", "x", "Reset it & go"),
        ("Reset it\n===\n\nText.", "x", "Reset it"),
        ("**Reset it**\n\nText.", "x", "Reset it"),
        ("**Note:**\n\nText.", "reset-it", "Reset it"),
        (":::note\n\nText.\n\n:::", "reset_it", "Reset it"),
        ("## Reset\n\nText.", "a/reset-your-password", "Reset your password"),
        ("Text.", "a/01-getting-started", "Getting started"),
        ("Text.", "a/30-day-returns", "30 day returns"),
        ("Text.", "2024-05-01-news", "News"),
        ("Text.", "gift-cards/index", "Gift cards"),
        ("Text.", "gift-cards/README", "Gift cards"),
        ("Text.", "gift-cards/_index", "Gift cards"),
        ("---\ntitle: '{{ site.x }} help'\n---\n# Other\n\nText.", "x", "x help"),
        ("---\ntitle:\n---\n# Other\n\nText.", "x", "Other"),
        ("---\ntitle: [a, b]\n---\n# Other\n\nText.", "x", "Other"),
        ("---\nlayout: page\n---\n# Other\n\nText.", "x", "Other"),
        ('+++\ntitle = "Hugo\'s"\ndate = 2024-01-01\ndraft = false\n+++\nText.', "x", "Hugo's"),
    ],
)
def test_a_title_is_found_wherever_it_is(source, name, title):
    assert parse_article(source, name, f"articles/{name}.md").title == title


def test_the_page_of_the_folder_itself_has_its_name():
    assert parse_article("Text.", "README", "/srv/help-centre/README.md").title == "Help centre"


def test_the_title_is_no_heading_of_its_own_text():
    found = parse_article("# How to pay\n\nBefore.\n\n## By card\n\nText.\n", "x")
    assert [(it.heading_path, it.anchor) for it in found.passages] == [
        ((), ""),
        (("By card",), "by-card"),
    ]
    stated = parse_article("---\ntitle: How to pay?\n---\n# How to Pay\n\nText.\n", "x")
    assert (stated.title, stated.passages[0].heading_path) == ("How to pay?", ())
    other = parse_article("---\ntitle: Payment\n---\n# How to pay\n\nText.\n", "x")
    assert other.passages[0].heading_path == ("How to pay",)
    assert "How to pay" not in to_html(found, nothing) + to_html(stated, nothing)


def test_fields_of_other_tools_are_nobodys_mistake():
    found = parse_article(
        "---\nlayout: page\npermalink: /x/\nredirect_from: [/a, /b]\nversions:\n  fpt: '*'\n"
        "  ghes: {a: [b]}\nsidebar_position: 3\nkeywords: [a, b]\nkeywords: again\nslug: x\n"
        "shortTitle: X\nchildren:\n  - /a\ndescription: About {{ site.product }}.\n"
        "date: 2024-01-01 10:00:00 +0100\n? [odd, key]\n: x\n---\n\n# T\n\nText.\n",
        "x",
    )
    assert (found.title, found.summary, found.audience, found.notes) == (
        "T",
        "About product.",
        None,
        (),
    )


def test_intro_is_a_summary_and_our_own_comes_first():
    assert parse_article("---\nintro: A\n---\nText.", "x").summary == "A"
    assert parse_article("---\nintro: A\nsummary: B\n---\nText.", "x").summary == "B"
    assert parse_article("---\ndescription: [A]\n---\nText.", "x").notes == ()


def test_a_time_with_the_day_of_an_update_does_no_harm():
    found = parse_article("---\nupdated: 2026-10-26T09:30:00Z\n---\nText.", "x")
    assert (found.updated, found.notes) == (date(2026, 10, 26), ())


@pytest.mark.parametrize(
    "source",
    [
        "---\n\nRules across the page, with text between.\n\n---\n\nMore.",
        "---\n\nOnly one of them, and never a second.",
        "---\n- a\n---\nText.",
        "No fields at all.",
    ],
)
def test_rules_across_the_page_are_no_front_matter(source):
    found = parse_article(source, "x")
    assert found.body == source
    assert found.audience is None


def test_empty_front_matter_and_dots_at_its_end_will_do():
    assert parse_article("---\n---\nText.", "x").body == "Text."
    assert parse_article("---\ntitle: T\n...\nText.", "x").title == "T"
    assert parse_article("\ufeff---\ntitle: T\n---\nText.", "x").title == "T"


@pytest.mark.parametrize("value", ["Staff", "STAFF", " staff ", "'staff'"])
def test_capitals_in_the_audience_do_no_harm(value):
    assert parse_article(f"---\nAudience: {value}\n---\nText.", "x").audience == "staff"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("---\ntitle: T\ndraft: true\n---\nText.", "x"),
        ("---\npublished: false\naudience: wrong\n---\n", "x"),
        ("+++\ndraft = true\n+++\nText.", "x"),
        ("---\ntitle: Guides\nchildren: [/a]\n---\n", "guides/index"),
    ],
)
def test_what_is_not_meant_to_be_an_article_is_left_out(source, name):
    with pytest.raises(LeftOut):
        parse_article(source, name)


def test_passages_know_their_line_and_articles_their_path():
    source = FRONT + "\n# T\n\nFirst.\n\n<!-- a\nb -->\n{% x %}\n\n## H\n\nSecond\nand so on.\n"
    found = parse_article(source, "returns/x", "/srv/articles/returns/x.mdx")
    assert found.path == "returns/x.mdx"
    lines = source.split("\n")
    assert [lines[it.line - 1] for it in found.passages] == ["First.", "Second"]


def test_addresses_hold_for_any_file_name_and_heading():
    found = parse_article("## מה זה?\n\nText.\n", "a b/100 % #1?")
    assert found.url == "/help/a%20b/100%20%25%20%231%3F"
    assert found.passages[0].url.startswith(found.url + "#%D7%9E%D7%94-")


def test_right_to_left_text_keeps_its_words_and_gets_anchors():
    body = "## كيف أعيدُ المنتج؟\n\nيمكنك إرجاع المنتج خلال 60 يومًا.\n\n## מתי?\n\nהיום.\n"
    found = parse_article(body, "x")
    assert [it.anchor for it in found.passages] == ["كيف-أعيدُ-المنتج", "מתי"]
    assert found.passages[0].text == "يمكنك إرجاع المنتج خلال 60 يومًا."
    html = to_html(found, nothing)
    assert '<h2 id="מתי" dir="auto">' in html and '<p dir="auto">' in html


def test_ids_that_authors_gave_are_the_anchors():
    found = article("## One {#first}\n\na\n\n## Two\n{: #second}\n\nb\n\n## First\n\nc\n")
    assert [(it.heading, it.anchor) for it in found.passages] == [
        ("One", "first"),
        ("Two", "second"),
        ("First", "first-1"),
    ]
    assert '<h2 id="first">One</h2>' in to_html(found, nothing)


def test_where_markup_was_taken_out_no_gap_is_left():
    found = article("One.\n\n<!-- a\n\nb -->\n\n{% x %}\n\nTwo.\n")
    assert [it.text for it in found.passages] == ["One.\n\nTwo."]


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
    to_html(found, nothing)
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


@pytest.mark.parametrize("path", sorted(ARTICLES.rglob("*.md")), ids=lambda path: path.stem)
def test_our_own_articles_are_verbatim(path):
    source = path.read_text(encoding="utf-8")
    found = parse_article(source, path.stem, str(path))
    assert all(it.text in source for it in found.passages)


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark_change_nothing(ends):
    source = FRONT + "## A\n\nx\ny\n"
    assert parse_article("\ufeff" + source.replace("\n", ends), "x") == parse_article(source, "x")


def nothing(article_id: str) -> bool:
    """What a page may link to, where that is nothing."""
    return False


def test_html_has_the_passages_anchors_and_the_help_pages_links():
    found = article(
        "## A & B\n\n[in](../refunds/refund-times.md#gift) [same](lost.md) [out](https://x.org)\n\n"
        "## A & B\n\n<script>alert(1)</script> [bad](javascript:alert(1)) [odd](http://[)\n"
    )
    html = to_html(found, {"refunds/refund-times", "returns/lost"}.__contains__)
    assert [f'<h2 id="{it.anchor}">' in html for it in found.passages] == [True, True]
    assert 'href="/help/refunds/refund-times#gift"' in html
    assert 'href="/help/returns/lost"' in html
    assert '<a href="https://x.org" rel="noopener noreferrer" target="_blank">' in html
    assert "<script" not in html
    assert 'href="javascript:' not in html


def test_html_stays_safe_whatever_markup_is_taken_out():
    found = article(
        "<b><script</b>>alert(1)</script>\n\n{% raw %}<img src=x onerror=alert(1)>{% endraw %}\n\n"
        '<a href="javascript:alert(1)">x</a> <<b>script>alert(2)<</b>/script>\n'
    )
    html = to_html(found, nothing)
    assert not re.search(r"<(script|img)|href=", html)


def test_links_to_articles_that_readers_may_not_see_are_plain_text():
    found = article(
        "[one](../staff/goodwill.md), [two](../staff/goodwill), [three](/help/staff/goodwill#x), "
        "[four](../staff/goodwill.html), [five](/staff/goodwill.mdx), [six][ref]\n\n"
        "[ref]: ../staff/goodwill.markdown 'Goodwill limits'\n"
    )
    html = to_html(found, {"returns/how"}.__contains__)
    assert html == "<p>one, two, three, four, five, six</p>\n"


@pytest.mark.parametrize(
    ("href", "leads_to"),
    [
        ("lost.md", "/help/returns/lost"),
        ("lost.mdx#a", "/help/returns/lost#a"),
        ("./lost.markdown", "/help/returns/lost"),
        ("lost", "/help/returns/lost"),
        ("lost.html?x=1", "/help/returns/lost"),
        ("../refunds/", "/help/refunds/index"),
        ("/refunds/index.md", "/help/refunds/index"),
        ("/help/returns/lost", "/help/returns/lost"),
        ("a%20b.md", "/help/returns/a%20b"),
        ("v2.0", "/help/returns/v2.0"),
        ("missing.md", None),
        ("missing", None),
        ("/docs/x", "/docs/x"),
        ("/help", "/help"),
        ("../../x.md", "../../x.md"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("#part", "#part"),
        ("picture.png", "picture.png"),
        ("http://[", "http://["),
    ],
)
def test_where_links_lead(href, leads_to):
    there = {"returns/lost", "refunds/index", "returns/a b", "returns/v2.0"}
    assert address(href, "returns/x", there.__contains__) == leads_to


def test_images_that_cannot_be_shown_are_their_description():
    found = article("![The *blue* button](a.png) ![b](https://x.org/b.png) ![c](/c.png)\n")
    html = to_html(found, nothing)
    assert html == '<p>The blue button b <img src="/c.png" alt="c" /></p>\n'

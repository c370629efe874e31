"""Articles: front matter, errors with their lines, and where the text is cut."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from knowledge_base.parse import ArticleError, LeftOut, parse_article
from knowledge_base.render import to_html

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
    assert "How to pay" not in to_html(found, bool) + to_html(stated, bool)


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
    html = to_html(found, bool)
    assert '<h2 id="מתי" dir="auto">' in html and '<p dir="auto">' in html


def test_ids_that_authors_gave_are_the_anchors():
    found = article("## One {#first}\n\na\n\n## Two\n{: #second}\n\nb\n\n## First\n\nc\n")
    assert [(it.heading, it.anchor) for it in found.passages] == [
        ("One", "first"),
        ("Two", "second"),
        ("First", "first-1"),
    ]
    assert '<h2 id="first">One</h2>' in to_html(found, bool)


def test_where_markup_was_taken_out_no_gap_is_left():
    found = article("One.\n\n<!-- a\n\nb -->\n\n{% x %}\n\nTwo.\n")
    assert [it.text for it in found.passages] == ["One.\n\nTwo."]


@pytest.mark.parametrize("path", sorted(ARTICLES.rglob("*.md")), ids=lambda path: path.stem)
def test_our_own_articles_are_verbatim(path):
    source = path.read_text(encoding="utf-8")
    found = parse_article(source, path.stem, str(path))
    assert all(it.text in source for it in found.passages)


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark_change_nothing(ends):
    source = FRONT + "## A\n\nx\ny\n"
    assert parse_article("\ufeff" + source.replace("\n", ends), "x") == parse_article(source, "x")

"""Articles as HTML: safe, with the anchors of their passages, and no link where none may be."""

from __future__ import annotations

import re

import pytest

from knowledge_base.parse import parse_article
from knowledge_base.render import address, to_html


def article(body: str):
    return parse_article(f"---\ntitle: T\naudience: public\n---\n{body}", "returns/x")


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

"""Whatever is said fits into Slack's limits, and nothing in it does anything."""

from __future__ import annotations

import random
import re

from bot.simulate.slackd.blocks import wrong_in_blocks
from channels.slack.ask import said
from channels.slack.blocks import BLOCKS, SECTION, Source, answer, inert, mrkdwn, no_answer, plain

SHOP = "https://shop.example"
PIECES = (
    "word ", "a" * 400, "\n", "\n\n", "&", "<", ">", "<!here>", "<@U1>", "**b**", "- item\n", "|",
    "[a](https://x.example/y)", "# Heading\n", "`code`", "😀👩\u200d👧", "\u202e", "\x00", "&amp;",
    "1. one\n", "é", "漢字 ",
)  # fmt: skip


def test_10_000_random_answers_are_within_the_limits():
    rng = random.Random(3000)
    for number in range(10_000):
        count = rng.choice((1, 3, 20, 20, 60, 400 if number % 20 == 0 else 5))
        text = "".join(rng.choice(PIECES) for _ in range(rng.randrange(count) + 1))
        sources = [
            Source(text[:300], f"{SHOP}/{it}", rng.random() < 0.5)
            for it in range(rng.randrange(14))
        ]
        kind = rng.randrange(3)
        if kind == 0:
            made = answer(text, sources, confidence=rng.random(), origin=SHOP)
        elif kind == 1:
            made = no_answer(text, sources, text, may_log=rng.random() < 0.5)
        else:
            made = plain(text)
        assert wrong_in_blocks(made["blocks"]) == [], text
        assert len(made["text"]) <= 40_000 and len(made["blocks"]) <= BLOCKS
        for block in made["blocks"]:
            if block["type"] == "section":
                words = block["text"]["text"]
                assert len(words) <= SECTION
                assert "<!here>" not in words and "<@U1>" not in words and "\u202e" not in words


def test_marks_are_not_cut():
    text = "x" * 2990 + " &<&<&<&<&<&<"
    for block in plain(text)["blocks"]:
        rest = re.sub(r"&(?:amp|lt|gt);", "", block["text"]["text"])
        assert "&" not in rest
    linked = answer("y " * 1495 + "[name](https://x.example/long)", [], confidence=1, origin=SHOP)
    words = "".join(it["text"]["text"] for it in linked["blocks"] if it["type"] == "section")
    assert "<https://x.example/long|name>" in words


def test_markdown_as_slack_has_it():
    text = "# How\n\n**Bold** & <b>\n\n- one\n- [two](/help/x#y)\n\n1. [three](https://a.example/)"
    assert mrkdwn(text, SHOP) == (
        "*How*\n\n*Bold* &amp; &lt;b&gt;\n\n• one\n• <https://shop.example/help/x#y|two>\n\n"
        "1. <https://a.example/|three>"
    )
    assert inert("<!channel> & <@U1>\u202e\x00") == "&lt;!channel&gt; &amp; &lt;@U1&gt;"


def test_what_was_said():
    assert said("<@U0BOT> how &lt;long&gt; <https://a.example|a.example> <#C1|help>?") == (
        "how <long> a.example help?"
    )
    assert said(" <@U0BOT|bot> ") == ""

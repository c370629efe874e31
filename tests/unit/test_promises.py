"""What an agent is asked about before it goes out."""

from __future__ import annotations

import pytest

from bot.service.promises import promises


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("We guarantee that it arrives.", ["We guarantee that it arrives"]),
        ("I’ll look. It will be refunded to your card.", ["will be refunded to your card"]),
        ("You will hear from us within 2 hours.", ["within 2 hours"]),
        ("It should be there by Friday, definitely.", ["by Friday", "definitely"]),
        ("We will send a new one.", ["will send a new one"]),
    ],
)
def test_words_that_bind(text, found):
    assert promises(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "Hello, Sam here. What is your order number?",
        "I cannot promise that, but I will ask.",
        "We do not guarantee a day of delivery.",
        "Thank you for your patience.",
        "Your refund was sent on Monday.",
        "",
    ],
)
def test_words_that_do_not(text):
    assert promises(text) == []

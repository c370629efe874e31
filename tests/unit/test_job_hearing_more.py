"""What a message says to a job: order numbers, details, codes, yes and no, and which of several."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from actions.jobs.hearing import Heard, chosen, heard, order_numbers, several_chosen
from actions.jobs.state import NEEDS, Job
from bot.engine.details import without_details
from bot.orders.policy import Policy

POLICY = Policy()
TITLES = [
    "Stormhaven Waterproof Jacket, M, Slate",
    "Mosswool Socks, UK 9–11",
    "Cairnstone GTX Boots, UK 9, Brown",
]
FORM = re.compile(r"NP-[0-9]{6}")
LONG = 100_000


def hear(text: str, intent: str = "", **message: Any) -> Heard:
    return heard({"intent": {"name": intent, "confidence": 0.9}, **message}, text, POLICY)


# Order numbers.


@pytest.mark.parametrize(
    "text",
    [
        "NP-123456", "np-123456", "NP123456", "np 123456", "NP 123 456", "np-123-456", "NP 12 34 56",
        "#123456", "# 123456", "#NP123456", "NP#123456", "NP - 123456", "np.123456", "NP: 123456",
        "NP\u2011123456", "NP\u2013123456", "NP\u00a0123456", "123456", "123 456", "123-456",
        "1 2 3 4 5 6", "12 34 56", "no. 123456", "No.123456", "order no: 123456", "order-123456",
        "(NP-123456)", "“NP-123456”", "NP-123456.", "NP-123456, thanks", "NP-123456?",
        "one two three four five six", "One, two, three, four, five, six", "one 2 three 4 five 6",
        "\uff2e\uff30 \uff11\uff12\uff13\uff14\uff15\uff16", "١٢٣٤٥٦", "NP-123456 2 of the socks",
    ],
)  # fmt: skip
def test_an_order_number_in_every_spelling(text: str):
    assert order_numbers(text, POLICY) == ["NP-123456"]
    assert order_numbers(f"Hello, my order {text}", POLICY) == ["NP-123456"]


def test_an_order_number_in_a_long_message():
    story = "I ordered a jacket and waited. " * 60
    assert order_numbers(f"{story} It is np 123456. {story}", POLICY) == ["NP-123456"]


@pytest.mark.parametrize(
    "text",
    [
        "NP-123456, NP-234567 and NP-345678", "NP-123456 NP-234567 NP-345678",
        "NP-123456\nNP-234567\nNP-345678", "123456, 234567 and 345678", "123456\n234567\n345678",
        "np123456 / np234567 / np345678", "NP-123456, 234567, NP 345 678",
    ],
)  # fmt: skip
def test_three_at_once(text: str):
    assert order_numbers(text, POLICY) == ["NP-123456", "NP-234567", "NP-345678"]


def test_a_number_that_is_said_twice_is_one():
    assert order_numbers("NP-123456, yes, np 123456", POLICY) == ["NP-123456"]


@pytest.mark.parametrize(
    "text",
    [
        # phone numbers
        "07700 900123", "+44 7700 900123", "+447700900123", "(01224) 900123", "01224 900-123",
        "01224/900123", "0113 496 0123", "020 7946 0123", "+1 212 555 0123",
        # cards, accounts
        "4242 4242 4242 4242", "4000056655665556", "3782 822463 10005", "sort code 12-34-56",
        # postcodes
        "LS6 2AB", "SW1A 1AA", "75001 Paris",
        # amounts
        "£1234.56", "£123456", "€ 123456", "1,234.56", "£1,234.56", "12345.6", "123456 pounds",
        "123456.00", "123456 EUR",
        # dates and times
        "12-11-26", "12.11.26", "12/11/26", "12 11 26", "12-11-2026", "2026-11-23", "2026-11",
        "23/11/2026", "10:30:45", "20261123",
        # tracking numbers and other references
        "PP10010101GB", "RR123456785GB", "RT-100101", "RF-100101", "SH-100101-1", "JD01 234567",
        "NP-12345", "NP-1234567", "XNP-123456", "NP-123456a", "NP 123 456 789",
        # 7 digits and more
        "1234567", "123 456 7", "1234567890", "12345", "",
    ],
)  # fmt: skip
def test_digits_that_are_something_else(text: str):
    assert order_numbers(text, POLICY) == []
    assert order_numbers(f"it was {text}, I think", POLICY) == []


@pytest.mark.parametrize(
    ("prefix", "digits", "text", "found"),
    [
        ("", 8, "my order 12345678", ["12345678"]),
        ("#", 4, "order #1001 please", ["#1001"]),
        ("#", 4, "order 1001", ["#1001"]),
        ("SO2/", 5, "so2/12345", ["SO2/12345"]),
        ("", 4, "#1001", ["1001"]),
        ("W.", 5, "w.12345", ["W.12345"]),
    ],
)
def test_numbers_of_other_shops(prefix: str, digits: int, text: str, found: list[str]):
    assert order_numbers(text, Policy(number_prefix=prefix, number_digits=digits)) == found


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=5000))
@example("NP-١٢٣٤٥٦")
@example("NP-²²²²²²")
@example("one two three four five six seven")
@settings(max_examples=300, deadline=1000)
def test_whatever_is_written_nothing_fails_and_no_other_number_comes_of_it(text: str):
    found = hear(text)
    assert all(FORM.fullmatch(it) for it in found.numbers)
    assert re.fullmatch(r"([0-9]{6})?", found.code)
    assert not (found.says_yes and found.says_no)
    for said in (found.plain, found.stops, found.bare, found.says_all, found.asks):
        assert said is not None
    for one in several_chosen(text, TITLES):
        assert 0 <= one < len(TITLES)


PIECES = st.sampled_from(
    ["NP", "np", "-", " ", "#", "no.", "123", "456", "1", "12", ".", "/", "£", "+", "\n", "one",
     "six", "oh", "and", ",", "(", ")", "٣", "@", "a", ".com", "LS6", "2AB", "yes", "but"],
)  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join))
@settings(max_examples=500, deadline=1000)
def test_numbers_in_pieces(text: str):
    found = order_numbers(text, POLICY)
    assert all(FORM.fullmatch(it) for it in found)
    assert len(found) == len(set(found))
    assert not order_numbers(f"+{'1' * 7}{re.sub(r'[^0-9]', '', text)}", POLICY)


# Details and codes.


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("ada.hill@mail.example", "ada.hill@mail.example"),
        ("My e-mail is Ada.Hill@Mail.example.", "Ada.Hill@Mail.example"),
        ("email:ada@mail.co.uk, thanks", "ada@mail.co.uk"),
        ("email=ada@mail.example", "ada@mail.example"),
        ("<ada+shop@mail.example>", "ada+shop@mail.example"),
        ("(ada_h@mail.example)", "ada_h@mail.example"),
        ("o'brien@mail.example", "o'brien@mail.example"),
        ("ada@mail", ""),
        ("@ada", ""),
        ("ada at mail dot example", ""),  # the engine reads this one
        ("no address", ""),
    ],
)
def test_email_addresses(text: str, email: str):
    assert hear(text).email == email


def test_what_the_engine_has_read_counts():
    entities = [
        {"entity": "email", "value": "ada@mail.example", "start": 0},
        {"entity": "order_number", "value": "NP-123456", "start": 30},
    ]
    found = hear("ada at mail dot example, the usual one", entities=entities)
    assert (found.email, found.numbers) == ("ada@mail.example", ("NP-123456",))


@pytest.mark.parametrize(
    ("text", "postcode"),
    [
        ("LS6 2AB", "LS6 2AB"), ("ls62ab", "LS6 2AB"), ("it's Ls6  2aB.", "LS6 2AB"),
        ("SW1A 1AA", "SW1A 1AA"), ("sw1a1aa", "SW1A 1AA"), ("M1 1AE", "M1 1AE"),
        ("B33 8TH", "B33 8TH"), ("CR2 6XH", "CR2 6XH"), ("dn551pt", "DN55 1PT"),
        ("W1A\u00a00AX", "W1A 0AX"), ("EC1A 1BB, London", "EC1A 1BB"),
        ("UK 9", ""), ("NP-123456", ""), ("GTX Boots", ""), ("75001", ""), ("LS6", ""),
    ],
)  # fmt: skip
def test_postcodes(text: str, postcode: str):
    assert hear(text).postcode == postcode


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("123456", "123456"), ("123 456", "123456"), ("123-456", "123456"),
        ("My code is 123 456.", "123456"), ("it's 012345!", "012345"), ("code:123456", "123456"),
        ("١٢٣٤٥٦", "123456"), ("12345", ""), ("1234567", ""), ("123 4567", ""), ("hello", ""),
        ("07700900123", ""),
    ],
)  # fmt: skip
def test_codes(text: str, code: str):
    assert hear(text).code == code


# Yes and no.


@pytest.mark.parametrize(
    "text",
    ["yes", "Yes!", "YES.", "yep", "yeah", "yes please", "Yes, please", "yes, please cancel it",
     "ok", "Okay.", "sure", "sure, go ahead", "go ahead", "please do", "do it", "correct",
     "that's right", "that’s fine", "Yes, that's right", "yes do it", "ok thanks", "of course", "y",
     "sounds good", "yes thank you", "yes, it is"],
)  # fmt: skip
def test_yes(text: str):
    assert hear(text).says_yes and not hear(text).says_no


@pytest.mark.parametrize(
    "text",
    ["no", "No.", "NO!", "nope", "nah", "no thanks", "No, thank you", "no thank you", "don't",
     "don’t do it", "not yet", "not that", "wrong", "that's wrong", "No, leave it", "no leave it",
     "no, the boots", "not really", "no, sorry"],
)  # fmt: skip
def test_no(text: str):
    assert hear(text).says_no and not hear(text).says_yes


@pytest.mark.parametrize("intent", ["", "affirm", "deny"])
@pytest.mark.parametrize(
    "text", ["no idea", "not sure", "I'm not sure", "I don’t know", "maybe", "no clue, sorry"]
)
def test_who_does_not_know_says_neither(text: str, intent: str):
    assert not hear(text, intent).says_yes and not hear(text, intent).says_no


@pytest.mark.parametrize("intent", ["", "affirm"])
@pytest.mark.parametrize(
    "text",
    ["yes but how long does it take?", "yes, but how long does it take?", "ok, wait",
     "yes, but not the socks", "yes, only the socks", "ok, and when is the money back?",
     "yes, if it is free", "yes, except the boots", "fine, but I want a refund instead"],
)  # fmt: skip
def test_a_yes_with_a_condition_is_none(text: str, intent: str):
    assert not hear(text, intent).says_yes


@pytest.mark.parametrize(
    "text",
    ["", "?", "where is it", "the jacket", "how long does it take?", "NP-123456", "no problem",
     "yesterday", "okra", "nothing arrived", "it is not there"],
)  # fmt: skip
def test_neither(text: str):
    assert not hear(text).says_yes and not hear(text).says_no


def test_the_intent_says_it_where_the_words_do_not():
    assert hear("that would be lovely", "affirm").says_yes
    assert hear("I'd rather keep it", "deny").says_no
    assert not hear("no, keep it", "affirm").says_yes


# Stop.


@pytest.mark.parametrize(
    "text",
    ["cancel this", "Cancel that please", "cancel this request", "never mind", "nevermind.",
     "forget it", "Leave it", "leave it then", "stop", "please stop", "stop this", "drop it",
     "I changed my mind", "don't bother", "don’t bother", "no longer needed", "scrap that",
     "no, leave it"],
)  # fmt: skip
def test_who_wants_to_stop(text: str):
    assert hear(text).stops


@pytest.mark.parametrize(
    "text",
    ["cancel my order NP-123456", "cancel this order NP-123456", "cancel this one: NP-123456",
     "cancel my order", "cancel this jacket", "NP-123456", "it stopped working",
     "the zip doesn't stop", "please leave it with my neighbour", "the door stop is broken",
     "I never mind waiting but this parcel is three weeks late by now"],
)  # fmt: skip
def test_who_does_not(text: str):
    assert not hear(text).stops


@pytest.mark.parametrize("text", ["ada@mail.example", "LS6 2AB", "NP-123456", "it's LS6 2AB", "🙂"])
def test_hardly_a_word_beside_the_detail(text: str):
    assert hear(text).bare
    assert not hear(f"where is my parcel then, {text}").bare


@pytest.mark.parametrize(
    ("text", "asks"),
    [("how long does it take", True), ("the blue one?", True), ("Can I have it in red", True),
     ("the jacket", False), ("it is torn", False), ("whatever is quicker", False)],
)  # fmt: skip
def test_questions(text: str, asks: bool):
    assert hear(text).asks is asks


# Which of several.


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1", 0), ("number 2", 1), ("no 3", 2), ("the 2", 1), ("#2", 1), ("first", 0),
        ("the second one", 1), ("Third", 2), ("socks", 1), ("the Jacket", 0), ("gtx boots please", 2),
        ("the brown ones", 2), ("sock", 1), (TITLES[2], 2), (TITLES[0].upper(), 0),
        ("I'd like to return the boots", 2), ("stormhaven", 0),
    ],
)  # fmt: skip
def test_one_is_named(text: str, at: int):
    assert chosen(text, TITLES) == at


@pytest.mark.parametrize(
    "text",
    ["", "4", "0", "99", "the fifth one", "the boots or the socks", "uk 9", "the tent", "one", "it",
     "the socks and the jacket"],
)  # fmt: skip
def test_none_is_named_or_more_than_one(text: str):
    assert chosen(text, TITLES) is None


def test_nothing_can_be_chosen_from_nothing():
    assert chosen("the first", []) is None and several_chosen("1 and 2", []) == []


@pytest.mark.parametrize(
    ("text", "at"),
    [("the socks and the jacket", [1, 0]), ("boots, socks", [2, 1]), ("1 & 3", [0, 2]),
     ("jacket + boots; socks", [0, 2, 1]), ("the tent and the socks", [1]), ("socks, socks", [1]),
     (TITLES[0], [0]), ("hello", [])],
)  # fmt: skip
def test_several_are_named(text: str, at: list[int]):
    assert several_chosen(text, TITLES) == at


# Time.

UNITS = [
    "a", "1", "9 ", " ", "@", "a@", "a.", "a@a.", "x@.", "np-", "np ", "#", "# ", "a1 ", "a1a1aa",
    "1-", "1(", "1 2 ", "123456 ", "123456.", "+4 ", "one ", "my ", "my e-mail address is ", "mail ",
    "email  ", "to ", "address is ", "yes ", "no ", "leave it ", "cancel this ", ",", "; ", " and ",
    "\n", "'", "not ", "used ", "tags ", "no refund ", "“", "٣",
]  # fmt: skip


def _all_of_it(text: str) -> None:
    from actions.jobs import filling

    message = hear(text)
    for said in ("plain", "says_yes", "says_no", "stops", "bare", "says_all", "asks"):
        getattr(message, said)
    several_chosen(text, TITLES)
    chosen(text, TITLES)
    without_details(text)
    filling.order_address(Job("change_address"), text)
    for kind in NEEDS:
        filling.take_what_is_said(Job(kind), message)
    for need in ("order", "reason", "unused", "variant", "remedy", "details", "address", "contact"):
        filling.take(Job("start_return", need=need), message, None, POLICY)


def _seconds(work: Callable[[str], None], text: str) -> float:
    begun = time.process_time()
    work(text)
    return time.process_time() - begun


@pytest.mark.parametrize("end", [" x", "@1 LS6 2A"])
@pytest.mark.parametrize("unit", UNITS)
def test_the_longest_message_takes_no_longer_than_its_length(unit: str, end: str):
    """Ten times the text, some ten times the time, and never the hundredfold of a bad expression;
    for each of the readings of a message by itself."""
    text = unit * (LONG // len(unit)) + end
    readings: list[Callable[[str], Any]] = [
        hear, without_details, lambda it: several_chosen(it, TITLES)
    ]  # fmt: skip
    for reading in readings:
        assert _seconds(reading, text) < 1
    assert _seconds(_all_of_it, text[: LONG // 10] + end) < 2


def test_a_long_tail_of_spaces():
    for head in ("NP", "#", "email", "my email is", "cancel this", "a1", "1", "used", "not", "+4"):
        assert _seconds(_all_of_it, head + " " * LONG + "x") < 5

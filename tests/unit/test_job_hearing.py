"""What a message says, read for the question that was asked."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.jobs import filling
from actions.jobs.hearing import chosen, heard, order_numbers, several_chosen
from actions.jobs.state import Job
from bot.engine.details import without_details
from bot.orders.policy import Policy

POLICY = Policy()


def listen(text: str, intent: str = ""):
    return heard({"intent": {"name": intent, "confidence": 0.9}}, text, POLICY)


@pytest.mark.parametrize(
    "text",
    ["NP-123456", "np123456", "np 123456", "NP 123 456", "#123456", "# NP-123456", "my order is 123456",
     "no. NP–123456".replace("–", "-"), "order 123-456 please", "one two three four five six",
     "It is np one two three four five six, thanks", "x" * 300 + " NP-123456."],
)  # fmt: skip
def test_order_numbers_in_many_spellings(text: str):
    assert order_numbers(text, POLICY) == ["NP-123456"]


@pytest.mark.parametrize(
    "text",
    ["call me on 07700 900123", "+44 7700 900123", "4111 1111 1111 1111", "1234567", "LS1 4AB",
     "£123.45", "on 12/11/2026", "one two three", "PP10013601GB", "NP-12345", ""],
)  # fmt: skip
def test_other_numbers_are_none(text: str):
    assert order_numbers(text, POLICY) == []


def test_several_numbers_are_all_heard_once():
    text = "NP-123456, NP-234567 and again np 123456"
    assert order_numbers(text, POLICY) == ["NP-123456", "NP-234567"]


@pytest.mark.parametrize(
    ("text", "email", "postcode", "code"),
    [
        ("it's Me@Example.com.", "Me@Example.com", "", ""),
        ("ls14ab", "", "LS1 4AB", ""),
        ("My postcode is SW1A 1AA", "", "SW1A 1AA", ""),
        ("123 456", "", "", "123456"),
        ("the code is 123-456", "", "", "123456"),
        ("1234567", "", "", ""),
    ],
)
def test_details(text: str, email: str, postcode: str, code: str):
    it = listen(text)
    assert (it.email, it.postcode, it.code) == (email, postcode, code)


@pytest.mark.parametrize("text", ["yes", "Yes, please!", "yep", "ok", "go ahead", "sure", "Do it."])
def test_yes(text: str):
    assert listen(text).says_yes and not listen(text).says_no


@pytest.mark.parametrize("text", ["no", "No thanks", "nope", "no, the boots", "don't"])
def test_no(text: str):
    assert listen(text).says_no and not listen(text).says_yes


@pytest.mark.parametrize("text", ["not sure", "no idea", "maybe", "what happens then?"])
def test_neither(text: str):
    assert not listen(text).says_yes and not listen(text).says_no


def test_stopping_is_not_cancelling_an_order():
    assert listen("never mind").stops and listen("cancel this").stops and listen("leave it").stops
    assert not listen("cancel my order NP-123456").stops
    assert not listen("I want to cancel the jacket from my order, please").stops


def test_choosing():
    titles = ["Stormhaven Waterproof Jacket, M", "Mosswool Socks, UK 9", "Cairnstone Boots, UK 9"]
    assert chosen("2", titles) == 1 and chosen("the third one", titles) == 2
    assert chosen("the socks please", titles) == 1
    assert chosen("Cairnstone Boots, UK 9", titles) == 2
    assert chosen("uk 9", titles) is None and chosen("something", titles) is None
    assert several_chosen("the socks and the jacket", titles) == [1, 0]


@given(st.text(max_size=400))
def test_whatever_is_written_is_read_without_fault(text: str):
    it = listen(text)
    assert all(number.startswith("NP-") and len(number) == 9 for number in it.numbers)
    assert it.says_yes in (True, False) and it.stops in (True, False) and it.asks in (True, False)
    for need in ("order", "proof", "reason", "unused", "variant", "remedy", "details", "address",
                 "contact", "email"):  # fmt: skip
        filling.take(Job("start_return", need=need), it, None, POLICY)


@pytest.mark.parametrize("piece", ["1 ", "a", "np ", "one ", "a@", "LS1", "1-", " \n", "yes "])
def test_a_very_long_text_takes_no_time(piece: str):
    begun = time.perf_counter()
    it = listen(piece * (8000 // len(piece)))
    assert it.says_yes in (True, False)
    filling.order_address(Job("change_address"), it.text)
    without_details(it.text)
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize(
    ("text", "street", "city"),
    [
        ("12 Mill Lane, Leeds, LS1 4AB", "12 Mill Lane", "Leeds"),
        ("please send it to 12 Mill Lane, Leeds LS1 4AB", "12 Mill Lane", "Leeds"),
        ("Flat 3\n9 Union Street\nBristol\nBS1 2DY", "Flat 3\n9 Union Street", "Bristol"),
        ("Jo Hill, 9 Union Street, Bristol, BS1 2DY", "9 Union Street", "Bristol"),
    ],
)
def test_addresses(text: str, street: str, city: str):
    job = Job("change_address")
    assert filling.order_address(job, text)
    assert (job.address["street"], job.address["city"]) == (street, city)


@pytest.mark.parametrize(
    "text", ["Leeds LS1 4AB", "12 Mill Lane, Leeds", "LS1 4AB", "somewhere", "1" * 500 + " LS1 4AB"]
)
def test_what_is_not_whole_is_no_address(text: str):
    assert not filling.order_address(Job("change_address"), text)

"""What a message fills in: addresses, contact details, remedies, reasons, and how many of what."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from actions.jobs.doing import in_a_line
from actions.jobs.filling import REMEDIES, met, only_line, order_address, question, take
from actions.jobs.filling import named_lines as named
from actions.jobs.filling import take_what_is_said as take_first
from actions.jobs.hearing import Heard, heard
from actions.jobs.replies import Theirs, written
from actions.jobs.state import Job
from bot.orders.contract import Address, Line, Money, Order, OrderState
from bot.orders.policy import Policy

POLICY = Policy()


def hear(text: str, intent: str = "") -> Heard:
    return heard({"intent": {"name": intent, "confidence": 0.9}}, text, POLICY)


def line(ident: str, product: str, variant: str, quantity: int = 1, **more: int) -> Line:
    return Line(ident, product, variant, quantity, Money(4000), **more)


SOCKS = line("s", "Mosswool Socks", "UK 9–11", 2)
GLOVES = line("g", "Fellside Gloves", "L", 5, cancelled=1)
BOOTS = line("b", "Cairnstone GTX Boots", "UK 9, Brown")
JACKET = line("j", "Stormhaven Waterproof Jacket", "M, Slate")


def order(*lines: Line) -> Order:
    return Order(
        number="NP-123456",
        customer_id="C1",
        email="ada@mail.example",
        phone="+447700900123",
        placed_at=datetime(2026, 11, 1, tzinfo=UTC),
        state=OrderState.RECEIVED,
        lines=lines,
        address=Address("Ada Hill", "12 Moor View", "Leeds", "LS6 2AB", "GB"),
        total=Money(10000),
        delivery="Standard delivery",
        delivery_price=Money(0),
    )


def items(text: str, *lines: Line, kind: str = "cancel_order") -> dict[str, int]:
    job = Job(kind, need="items")
    assert take(job, hear(text), order(*lines), POLICY) is bool(job.items)
    return job.items


# Addresses.


def address(text: str) -> dict[str, str] | None:
    job = Job("change_address", need="address")
    return job.address if order_address(job, text) else None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("12 Mill Lane, Leeds, LS1 4AB", "12 Mill Lane, Leeds, LS1 4AB"),
        ("12 Mill Lane, Leeds LS1 4AB", "12 Mill Lane, Leeds, LS1 4AB"),
        ("12 Mill Lane Leeds ls14ab", "12 Mill Lane, Leeds, LS1 4AB"),
        ("12 Mill Lane\nLeeds\nLS1 4AB", "12 Mill Lane, Leeds, LS1 4AB"),
        ("12 Mill Lane\r\nLeeds\r\nLS1 4AB\r\n", "12 Mill Lane, Leeds, LS1 4AB"),
        ("12 Mill Lane; Leeds; LS1 4AB.", "12 Mill Lane, Leeds, LS1 4AB"),
        ("12, Mill Lane, Leeds, LS1 4AB", "12, Mill Lane, Leeds, LS1 4AB"),
        ("Flat 2, 12 Mill Lane, Leeds, LS1 4AB", "Flat 2, 12 Mill Lane, Leeds, LS1 4AB"),
        ("Flat 2\n12 Mill Lane\nLeeds\nLS1 4AB", "Flat 2, 12 Mill Lane, Leeds, LS1 4AB"),
        ("Flat B, 12 Mill Lane, Leeds, LS1 4AB", "Flat B, 12 Mill Lane, Leeds, LS1 4AB"),
        ("Rose Cottage, 3 Church Lane, Leeds, LS1 4AB", "Rose Cottage, 3 Church Lane, Leeds, LS1 4AB"),
        ("12a Mill Lane, Newcastle upon Tyne, NE1 1AA", "12a Mill Lane, Newcastle upon Tyne, NE1 1AA"),
        ("The new address is 12 Mill Lane, Leeds, LS1 4AB", "12 Mill Lane, Leeds, LS1 4AB"),
        ("please send it to 12 Mill Lane, Leeds, LS1 4AB", "12 Mill Lane, Leeds, LS1 4AB"),
        ("deliver it to: 12 Mill Lane, Leeds, LS1 4AB thanks", "12 Mill Lane, Leeds, LS1 4AB"),
        ("change NP-123456 to 12 Mill Lane, Leeds, LS1 4AB", "12 Mill Lane, Leeds, LS1 4AB"),
        ("12\u00a0Mill Lane, Leeds, LS1\u00a04AB", "12 Mill Lane, Leeds, LS1 4AB"),
    ],
)  # fmt: skip
def test_a_whole_address(text: str, line: str):
    found = address(text)
    assert found is not None and in_a_line(found) == line and found["name"] == ""


def test_the_name_may_stand_in_front():
    for text in ("Bo Hill, 12 Mill Lane, Leeds, LS1 4AB", "Bo Hill\n12 Mill Lane\nLeeds\nLS1 4AB"):
        assert address(text) == {
            "name": "Bo Hill",
            "street": "12 Mill Lane",
            "city": "Leeds",
            "postcode": "LS1 4AB",
            "country": "",
        }


def test_each_line_of_a_street_stays_one():
    found = address("Bo Hill, Flat 2, 12 Mill Lane, Leeds, LS1 4AB")
    assert found is not None and (found["name"], found["street"]) == (
        "Bo Hill",
        "Flat 2\n12 Mill Lane",
    )


@pytest.mark.parametrize(
    "text",
    [
        "", "Leeds", "LS1 4AB", "12 Mill Lane, Leeds", "Leeds, LS1 4AB", "Leeds LS1 4AB",
        "Mill Lane, Leeds, LS1 4AB", "12 LS1 4AB", "NP-123456, Leeds, LS1 4AB",
        "the postcode on it is LS1 4AB", "10 rue de la Paix, 75002 Paris, France",
        "Hauptstr. 5, 10115 Berlin", "no idea", ", , LS1 4AB", "12 Mill Lane, Leeds, LS1 4AB " * 20,
    ],
)  # fmt: skip
def test_half_an_address_is_none(text: str):
    job = Job("change_address", need="address")
    assert not take(job, hear(text), None, POLICY) and job.address == {}


@pytest.mark.parametrize(
    ("tail", "country"),
    [("", ""), ("UK", "GB"), ("England.", "GB"), ("Northern Ireland", "GB"), ("Ireland", "IE"),
     ("United States", "US"), ("France", "FR"), ("the Netherlands", "NL")],
)  # fmt: skip
def test_the_country_at_the_end(tail: str, country: str):
    found = address(f"12 Mill Lane, Leeds, LS1 4AB, {tail}")
    assert found is not None and found["country"] == country


@pytest.mark.parametrize(
    "street",
    ["12 {number} Lane", "12 Mill Lane\x00\x1b[31m", "12 <script>alert(1)</script> Lane",
     "12 ' OR 1=1 -- Lane", "12 ${jndi:ldap://x} Lane", "12 Mill Lane" + "x" * 200],
)  # fmt: skip
def test_an_address_is_only_ever_text(street: str):
    found = address(f"{street}, Leeds, LS1 4AB")
    assert found is not None and found["postcode"] == "LS1 4AB"
    assert len(found["street"]) <= 200 and not any(it in found["street"] for it in "\x00\x1b")
    said = written("address_confirm", {"number": "NP-123456", "address": Theirs(in_a_line(found))})
    assert "{" not in said["address"] and "}" not in said["address"]


# Contact details.


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ("new@mail.example", {"email": "new@mail.example"}),
        ("it's new@mail.example.", {"email": "new@mail.example"}),
        ("07700 900123", {"phone": "07700900123"}),
        ("+44 (0)7700-900.123 please", {"phone": "+4407700900123"}),
        ("(01224) 900123", {"phone": "01224900123"}),
        ("tel:07700900123", {"phone": "07700900123"}),
        ("new@mail.example and 07700 900123", {"email": "new@mail.example", "phone": "07700900123"}),
        ("NP-123456 07700 900123", {"phone": "07700900123"}),
        ("NP-123456: 07700 900123", {"phone": "07700900123"}),
    ],
)  # fmt: skip
def test_contact_details(text: str, contact: dict[str, str]):
    job = Job("update_contact", need="contact")
    assert take(job, hear(text), None, POLICY) and job.contact == contact
    first = Job("update_contact")
    take_first(first, hear(f"change my contact details, {text}"))
    assert first.contact == contact


@pytest.mark.parametrize(
    "text",
    ["", "NP-123456", "12345", "23-11-2026", "my phone", "new@mail", "4242 4242 4242 4242 1"],
)
def test_no_contact_details(text: str):
    job = Job("update_contact", need="contact")
    assert not take(job, hear(text), None, POLICY) and job.contact == {}


def test_a_second_message_without_any_leaves_what_was_said():
    job = Job("update_contact", need="contact", contact={"phone": "07700900123"})
    assert not take(job, hear("hm"), None, POLICY) and job.contact == {"phone": "07700900123"}


def test_an_address_for_newsletters():
    job = Job("unsubscribe", need="email")
    assert not take(job, hear("mine"), None, POLICY)
    assert take(job, hear("ada@mail.example"), None, POLICY) and job.email == "ada@mail.example"


# Remedies and reasons.


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("A replacement", 0), ("replacement please", 0), ("a new one", 0), ("send it again", 0),
        ("please replace it", 0), ("1", 0), ("the first", 0), ("another one", 0),
        ("A refund", 1), ("I want my money back", 1), ("refund me", 1), ("2", 1),
        ("I don't want a refund, I want a replacement", 0), ("no replacement, a refund", 1),
        ("a refund rather than a replacement", 1), ("a new one instead of a refund", 0),
    ],
)  # fmt: skip
def test_remedies(text: str, remedy: int):
    job = Job("report_damage", need="remedy")
    assert take(job, hear(text), None, POLICY) and job.remedy == REMEDIES[remedy]


@pytest.mark.parametrize("text", ["", "either", "a refund or a replacement", "what is quicker?"])
def test_no_remedy(text: str):
    job = Job("report_damage", need="remedy")
    assert not take(job, hear(text), None, POLICY) and job.remedy == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("It doesn't fit", "size"), ("too small", "size"), ("they're a bit tight", "size"),
        ("I changed my mind", "changed_mind"), ("I no longer need it", "changed_mind"),
        ("I don’t want it", "changed_mind"), ("found it cheaper", "changed_mind"),
        ("It isn't as I expected", "not_as_expected"), ("the colour is off", "not_as_expected"),
        ("It is faulty or damaged", "faulty"), ("the zip is broken", "faulty"),
        ("it doesn’t work", "faulty"), ("4", "faulty"), ("the first one", "size"),
        ("it's not damaged, just too small", "size"),
        ("nothing wrong, it isn't faulty, too big", "size"),
        ("my husband has the same already", "not_as_expected"),
    ],
)  # fmt: skip
def test_reasons(text: str, reason: str):
    job = Job("start_return", need="reason")
    assert take(job, hear(text), None, POLICY)
    assert job.reason == reason and job.details == text


@pytest.mark.parametrize("text", ["", "why?", "do I have to say why?", "hm", "well"])
def test_no_reason(text: str):
    job = Job("start_return", need="reason")
    assert not take(job, hear(text), None, POLICY) and job.reason == ""


def test_cross_words_are_no_reason():
    job = Job("start_return", need="reason")
    assert not take(job, hear("this is taking for ever now", "complaint"), None, POLICY)


def test_a_reason_that_the_shop_does_not_have_is_none():
    job = Job("start_return", need="reason")
    fewer = Policy(return_reasons={"size": "It doesn't fit"})
    assert not take(job, hear("it is broken"), None, fewer)


@pytest.mark.parametrize(
    ("text", "unused"),
    [
        ("Yes", True), ("yes, tags still on", True), ("unworn", True), ("never been worn", True),
        ("I haven't worn them", True), ("it hasn’t been used", True), ("brand new", True),
        ("it still has its tags", True), ("I didn't wear it", True),
        ("No", False), ("I wore them once", False), ("I've worn the boots", False),
        ("unused, but the tags are off", False), ("unworn, no tags", False), ("I used it", False),
    ],
)  # fmt: skip
def test_unused(text: str, unused: bool):
    job = Job("start_return", need="unused")
    assert take(job, hear(text), None, POLICY) and job.unused is unused


@pytest.mark.parametrize(
    "text", ["", "not sure", "what counts as used?", "I still have the receipt"]
)
def test_neither_used_nor_unused(text: str):
    job = Job("start_return", need="unused")
    assert not take(job, hear(text), None, POLICY) and job.unused is None


def test_what_is_faulty_need_not_be_unused():
    assert met(Job("start_return", reason="faulty"), "unused")
    assert not met(Job("start_return", reason="size"), "unused")


# What, and how many.


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the socks", {"s": 2}), ("2 of the socks", {"s": 2}), ("both of the socks", {"s": 2}),
        ("one of the socks", {"s": 1}), ("1 of the socks", {"s": 1}),
        ("one pair of the socks", {"s": 1}), ("all of the socks", {"s": 2}),
        ("7 of the socks", {"s": 2}), ("0 of the socks", {"s": 2}),
        ("3 of the gloves", {"g": 3}), ("the gloves", {"g": 4}), ("five of the gloves", {"g": 4}),
        ("one of the socks and the jacket", {"s": 1, "j": 1}),
        ("the jacket and one of the socks", {"s": 1, "j": 1}),
        ("1 of the socks and 3 of the gloves", {"s": 1, "g": 3}),
        ("both", {"s": 2, "g": 4, "j": 1}), ("everything", {"s": 2, "g": 4, "j": 1}),
        ("The whole order", {"s": 2, "g": 4, "j": 1}), ("all of it", {"s": 2, "g": 4, "j": 1}),
        ("everything except the socks", {"g": 4, "j": 1}), ("all but the socks", {"g": 4, "j": 1}),
        ("everything apart from the jacket and the socks", {"g": 4}),
        ("the socks but not the jacket", {"s": 2}),
        ("Mosswool Socks, UK 9–11", {"s": 2}), ("Stormhaven Waterproof Jacket, M, Slate", {"j": 1}),
    ],
)  # fmt: skip
def test_how_many_of_what(text: str, found: dict[str, int]):
    assert items(text, SOCKS, GLOVES, JACKET) == found


@pytest.mark.parametrize("text", ["", "the tent", "hm", "what can I cancel?"])
def test_nothing_of_it(text: str):
    assert items(text, SOCKS, GLOVES, JACKET) == {}


def test_choices_by_their_number():
    assert items("1", SOCKS, JACKET) == {"s": 2, "j": 1}  # the whole order
    assert items("2", SOCKS, JACKET) == {"s": 2}
    assert items("2", SOCKS, JACKET, kind="report_damage") == {"j": 1}
    assert items("All of them", SOCKS, JACKET, kind="report_damage") == {"s": 2, "j": 1}
    assert items("3", SOCKS, JACKET, kind="report_damage") == {"s": 2, "j": 1}


def test_every_choice_that_is_shown_is_understood():
    known = order(SOCKS, GLOVES, JACKET, BOOTS)
    for kind in ("cancel_order", "start_return", "exchange_item", "report_damage"):
        choices = question(Job(kind), "items", known, POLICY).choices
        for at, choice in enumerate(choices):
            by_words, by_number = Job(kind, need="items"), Job(kind, need="items")
            assert take(by_words, hear(choice), known, POLICY)
            assert take(by_number, hear(str(at + 1)), known, POLICY)
            assert by_words.items == by_number.items != {}
    many = order(*(line(f"l{at}", f"Product{chr(65 + at)}", "") for at in range(9)))
    last = str(len(question(Job("report_damage"), "items", many, POLICY).choices))
    job = Job("report_damage", need="items")
    assert take(job, hear(last), many, POLICY) and len(job.items) == 9  # "All of them"
    for need, kind in (("reason", "start_return"), ("remedy", "report_damage")):
        for choice in question(Job(kind), need, known, POLICY).choices:
            assert take(Job(kind, need=need), hear(choice), known, POLICY)


def test_an_order_of_one_thing_needs_no_question():
    job = Job("cancel_order")
    only_line(job, [SOCKS])
    assert job.items == {"s": 2}
    two = Job("cancel_order")
    only_line(two, [SOCKS, JACKET])
    assert two.items == {}


def test_things_that_are_named_by_the_way():
    job = Job("start_return")
    named(job, hear("I want to return one of the socks from NP-123456"), [SOCKS, JACKET])
    assert job.items == {"s": 1}
    spared = Job("cancel_order")
    named(spared, hear("please cancel everything except the socks"), [SOCKS, GLOVES, JACKET])
    assert spared.items == {"g": 4, "j": 1}


# The first message.


def test_what_the_first_message_says():
    job = Job("report_damage")
    words = "my jacket from NP-123456 arrived with a torn sleeve, please send a new one"
    take_first(job, hear(words))
    assert (job.order, job.remedy, job.details) == ("NP-123456", REMEDIES[0], words)
    back = Job("start_return")
    take_first(back, hear("return NP-123456, it's too small and unworn"))
    assert (back.order, back.reason, back.unused) == ("NP-123456", "size", True)


def test_two_numbers_are_not_one_order():
    job = Job("track_order")
    take_first(job, hear("where are NP-123456 and NP-234567"))
    assert job.order == ""


def test_another_order_forgets_what_belonged_to_the_former():
    job = Job("cancel_order", order="NP-123456", need="order", items={"s": 1}, code_to="a•••@x")
    assert take(job, hear("NP-234567"), None, POLICY)
    assert (job.order, job.items, job.code_to) == ("NP-234567", {}, "")


def test_a_variant_is_no_question_and_no_novel():
    for text in ("do you have it in red?", "no", "x" * 200):
        job = Job("exchange_item", need="variant")
        assert not take(job, hear(text), None, POLICY) and job.variant == ""
    job = Job("exchange_item", need="variant")
    assert take(job, hear("size  L,\nin blue"), None, POLICY) and job.variant == "size L, in blue"


def test_what_is_wrong_is_kept_to_its_length():
    job = Job("report_damage", need="details")
    assert take(job, hear("torn " * 1000), None, POLICY) and len(job.details) == 1000
    assert not take(Job("report_damage", need="details"), hear("?!"), None, POLICY)

"""Numbers, addresses, amounts and products in what customers write; the catalogue's file."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.engine import figures
from bot.engine.catalogue import CatalogueError, read
from bot.engine.products import Products

ROOT = Path(__file__).resolve().parents[2]


def values(found) -> list[str]:
    return [value for _, _, value, _ in found]


@pytest.mark.parametrize(
    "text",
    ["NP-123456", "NP 123 456", "np123456.", "order np.123456!", "NP no. 123456", "np#123456",
     "NP\u2011123456", "(NP-12 34 56)", "my order is NP - 123456, thanks"],
)  # fmt: skip
def test_spellings_of_an_order_number(text: str):
    assert values(figures.order_numbers(text, "NP", 6)) == ["NP-123456"]


@pytest.mark.parametrize(
    "text", ["NP-12345", "NP-1234567", "XNP-123456", "NP 4000 0566 5566 5556", "NP-123456a"]
)
def test_no_order_numbers(text: str):
    assert values(figures.order_numbers(text, "NP", 6)) == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("write to jo at example dot com", "jo@example.com"),
        ("jo.hill at example.com", "jo.hill@example.com"),
        ("jo dot hill at example dot co dot uk please", "jo.hill@example.co.uk"),
        ("Jo (at) Example (dot) com", "jo@example.com"),
        ("jo[at]example.com", "jo@example.com"),
        ("jo @ example.com", "jo@example.com"),
        ("jo underscore hill at example dot org", "jo_hill@example.org"),
        ("email me at jo at example dot com", "jo@example.com"),
    ],
)
def test_addresses_written_out(text: str, address: str):
    assert values(figures.spoken_emails(text)) == [address]


@pytest.mark.parametrize(
    "text",
    ["I looked at northpeak dot com", "I shop at northpeak.co.uk", "meet at the dot", "at 5 dot com",
     "your shop at the station. come"],
)  # fmt: skip
def test_no_addresses(text: str):
    assert values(figures.spoken_emails(text)) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("07700 900123", "+447700900123"),
        ("call (020) 7946 0958 please", "+442079460958"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("0044 20 7946 0958", "+442079460958"),
        ("01632-960777", "+441632960777"),
        ("087 123 4567", "+353871234567"),
        ("+353 87 123 4567", "+353871234567"),
        ("(212) 555-0123", "+12125550123"),
        ("212-555-0123", "+12125550123"),
        ("1-800-555-0199", "+18005550199"),
        ("+1 212 555 0123", "+12125550123"),
        ("+49 30 901820", "+4930901820"),
    ],
)
def test_phone_numbers(text: str, number: str):
    assert values(figures.phones(text, "44")) == [number]


@pytest.mark.parametrize(
    "text",
    ["4000 0566 5566 5556", "4000-0566-5566-5556", "03.04.2026", "2026-03-04", "123 456",
     "size 42 43 44", "NP-123456", "0000 0000 0000 0000", "12345678901"],
)  # fmt: skip
def test_no_phone_numbers(text: str):
    assert values(figures.phones(text, "44")) == []


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("£49.95", "49.95", "GBP"),
        ("49,95 €", "49.95", "EUR"),
        ("€49,95", "49.95", "EUR"),
        ("1.299,00 EUR", "1299.00", "EUR"),
        ("£1,299.50", "1299.50", "GBP"),
        ("$1,200", "1200.00", "USD"),
        ("forty quid", "40.00", "GBP"),
        ("twenty-five euros", "25.00", "EUR"),
        ("a hundred pounds", "100.00", "GBP"),
        ("twelve pounds fifty", "12.50", "GBP"),
        ("12 pounds 50", "12.50", "GBP"),
        ("99p", "0.99", "GBP"),
        ("30gbp", "30.00", "GBP"),
    ],
)
def test_amounts(text: str, amount: str, currency: str):
    ((_, _, value, extra),) = figures.amounts(f"I paid {text}, why?")
    assert (value, extra["additional_info"]["currency"]) == (amount, currency)


@pytest.mark.parametrize(
    "text", ["it weighs 3 pounds", "a 2 pounds lighter tent", "10 p.m.", "50%", "size 42", "forty"]
)
def test_no_amounts(text: str):
    assert values(figures.amounts(text)) == []


def test_two_amounts_are_two():
    assert values(figures.amounts("a hundred pounds and twenty-five euros")) == ["100.00", "25.00"]


def test_cards_are_known_by_their_check_digit():
    assert figures.card_like("4000 0566 5566 5556")
    assert not figures.card_like("4000 0566 5566 5557") and not figures.card_like("123")


# --- products -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def products() -> Products:
    return Products(read(ROOT / "data" / "catalogue.csv"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("my stormhaven jacket leaks", "Stormhaven Waterproof Jacket"),
        ("the Stormhavn jaket is torn", "Stormhaven Waterproof Jacket"),
        ("STORMHAVEN trousers", "Stormhaven Overtrousers"),
        ("the summit tent pole snapped", "Summit 2 Tent"),
        ("is the Summit 3 roomy", "Summit 3 Tent"),
        ("cairnston boots too small", "Cairnstone GTX Boots"),
        ("my traverse 45 rucksak", "Traverse 45 Rucksack"),
        ("kids' stormhaven", "Little Stormhaven Kids' Jacket"),
        ("an ice axe", "Icebeck Ice Axe"),
        ("the Peatglow's light", "Peatglow 400 Headtorch"),
        ("skerry pack-away jacket", "Skerry Pack-Away Jacket"),
    ],
)
def test_a_product(products: Products, text: str, name: str):
    (found,) = products.find(text)
    assert found.product == name and found.category


@pytest.mark.parametrize(
    ("text", "category"),
    [("the jacket", "Jackets"), ("my jakcet is torn", "Jackets"), ("two tents", "Tents"),
     ("sleepng bag too cold", "Sleeping Bags"), ("which pack is best", "Packs"),
     ("the nightfell sleeping bag", "Sleeping Bags"), ("boots' soles", "Boots")],
)  # fmt: skip
def test_only_a_category(products: Products, text: str, category: str):
    (found,) = products.find(text)
    assert (found.product, found.category) == ("", category)


def test_what_an_ambiguous_name_may_be(products: Products):
    (found,) = products.find("the nightfell is warm")
    assert found.candidates == ("Nightfell 300 Sleeping Bag", "Nightfell 500 Sleeping Bag")


@pytest.mark.parametrize(
    "text",
    ["the summit of the year", "I need to pack my things", "pack it up", "boot up the laptop",
     "is it in store", "a ticket for the racket", "I jacked it in", "the tenth parcel",
     "the ridge was windy", "in the bothy", "where is my parcel", "covered by the packet", ""],
)  # fmt: skip
def test_everyday_words_are_no_products(products: Products, text: str):
    assert products.find(text) == []


def test_our_own_catalogue():
    entries = read(ROOT / "data" / "catalogue.csv")
    assert sum(entry.product for entry in entries) >= 80
    assert {"Jackets", "Boots", "Tents", "Packs"} <= {entry.category for entry in entries}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: the first line must be name,aliases,category"),
        (b"name;aliases;category\n", "line 1: the first line must be"),
        (b"name,aliases,category\nTent,a,b,c\n", "line 2: 4 columns instead of 3"),
        (b"name,aliases,category\n# x\n\n,tent,Tents\n", "line 4: the name is empty"),
        (b"name,aliases,category\nOne Tent,x,\n", "line 2: the category is empty"),
        (b"name,aliases,category\nA B,,C\na b,,C\n", "line 3: 'a b' stands on line 2 already"),
        (b"name,aliases,category\nA B,!|x,C\n", "line 2: the alias '!' has no letters"),
        (b"name,aliases,category\r\nCaf\xe9 Pot,,Pots\r\n", "line 2: not UTF-8"),
        (b'name,aliases,category\n"A B,,C\n', "no CSV"),
    ],
)
def test_mistakes_name_the_line(tmp_path: Path, content: bytes, message: str):
    path = tmp_path / "catalogue.csv"
    path.write_bytes(content)
    with pytest.raises(CatalogueError) as raised:
        read(path)
    assert message in str(raised.value) and str(path) in str(raised.value)


def test_no_catalogue_is_said_so(tmp_path: Path):
    with pytest.raises(CatalogueError, match="there is no such file"):
        read(tmp_path / "none.csv")


def test_windows_files_and_blank_cells(tmp_path: Path):
    path = tmp_path / "catalogue.csv"
    path.write_bytes(
        b'\xef\xbb\xbfName, Aliases ,Category\r\n"Fog, Light Tent"," fog tent | ",Tents\r\n'
    )
    (entry,) = read(path)
    assert entry.name == "Fog, Light Tent" and entry.phrases[1:] == ("fog tent",)

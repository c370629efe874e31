"""The rules for orders: the arithmetic on them, and `orders.yml` with the line of each mistake."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.engine.wishes import JOBS as ENGINE_JOBS
from bot.orders.contract import Money
from bot.orders.policy import Policy, Span, Unit
from bot.orders.policy_file import AMOUNTS, JOBS, SPANS, load, parse, stated
from bot.yaml_nodes import FileWrong

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "orders.yml"
TEXT = SHIPPED.read_text(encoding="utf-8")


def problems(text: str) -> list[str]:
    with pytest.raises(FileWrong) as caught:
        parse(text)
    return [str(problem) for problem in caught.value.problems]


def changed(old: str, new: str) -> str:
    assert TEXT.count(old) == 1, old
    return TEXT.replace(old, new)


def line_of(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


# ---------------------------------------------------------------- spans of time


@pytest.mark.parametrize(
    ("count", "unit", "day", "last"),
    [
        (60, Unit.DAYS, "2026-01-01", "2026-03-02"),
        (60, Unit.DAYS, "2028-01-01", "2028-03-01"),  # a leap year
        (1, Unit.DAYS, "2026-12-31", "2027-01-01"),
        (1, Unit.WORKING_DAYS, "2026-11-20", "2026-11-23"),  # Friday to Monday
        (1, Unit.WORKING_DAYS, "2026-11-21", "2026-11-23"),  # from a Saturday
        (1, Unit.WORKING_DAYS, "2026-11-22", "2026-11-23"),  # from a Sunday
        (5, Unit.WORKING_DAYS, "2026-11-23", "2026-11-30"),  # a weekend in between
        (10, Unit.WORKING_DAYS, "2026-12-24", "2027-01-07"),
        (1, Unit.HOURS, "2026-11-23", "2026-11-24"),
        (24, Unit.HOURS, "2026-11-23", "2026-11-24"),
        (48, Unit.HOURS, "2026-11-23", "2026-11-25"),
        (49, Unit.HOURS, "2026-11-23", "2026-11-26"),
        (1, Unit.MONTHS, "2026-01-31", "2026-02-28"),
        (1, Unit.MONTHS, "2028-01-31", "2028-02-29"),
        (1, Unit.MONTHS, "2026-03-31", "2026-04-30"),
        (1, Unit.MONTHS, "2026-01-29", "2026-02-28"),
        (3, Unit.MONTHS, "2026-11-30", "2027-02-28"),
        (1, Unit.MONTHS, "2026-12-15", "2027-01-15"),
        (12, Unit.MONTHS, "2026-12-31", "2027-12-31"),
        (2, Unit.YEARS, "2026-11-23", "2028-11-23"),
        (1, Unit.YEARS, "2028-02-29", "2029-02-28"),
        (4, Unit.YEARS, "2028-02-29", "2032-02-29"),
        (74, Unit.YEARS, "2026-02-28", "2100-02-28"),
    ],
)
def test_the_last_day_of_a_span(count, unit, day, last):
    assert Span(count, unit).after(date.fromisoformat(day)) == date.fromisoformat(last)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (Span(1, Unit.WORKING_DAYS), "1 working day"),
        (Span(5, Unit.WORKING_DAYS), "5 working days"),
        (Span(1, Unit.YEARS), "1 year"),
        (Span(48, Unit.HOURS), "48 hours"),
    ],
)
def test_a_span_in_words(span, words):
    assert str(span) == words


def test_the_day_is_the_one_at_the_shop():
    late = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    assert Policy().today(late) == date(2026, 7, 2)


# ---------------------------------------------------------------- the file


def test_the_shipped_file_says_what_the_demo_shop_does():
    policy = load(SHIPPED)
    usual = Policy()
    for name in SPANS | AMOUNTS:
        assert getattr(policy, name) == getattr(usual, name), name
        assert (ROOT / "knowledge_base" / "articles" / f"{policy.articles[name]}.md").is_file()
    assert policy.number_example == "NP-123456"
    assert policy.time_zone.key == "Europe/London" and policy.home_country == "GB"
    assert (policy.late_credit, policy.late_by) == (Money(500), 2)
    assert policy.photos_to == "help@northpeak.example"
    assert list(policy.return_reasons) == ["size", "changed_mind", "not_as_expected", "faulty"]
    assert policy.code_when_signed_in == {"change_address", "update_contact"}


def test_the_jobs_are_the_engines():
    assert set(JOBS) <= ENGINE_JOBS


def test_where_a_rule_stands():
    found = {it.rule: it for it in stated(SHIPPED, "here.yml")}
    assert set(found) == set(SPANS | AMOUNTS)
    window = found["return_window"]
    assert (window.text, window.article) == ("60 days", "returns/return-an-item")
    assert (window.path, window.line) == ("here.yml", line_of(TEXT, "is: 60 days"))
    assert found["return_fee_abroad"].text == "€6.95"


@pytest.mark.parametrize(
    ("written", "span"),
    [
        ("1 day", Span(1, Unit.DAYS)),
        ("2 weeks", Span(14, Unit.DAYS)),
        ("  30   Days ", Span(30, Unit.DAYS)),
        ("3 business days", Span(3, Unit.WORKING_DAYS)),
        ("36hours", Span(36, Unit.HOURS)),
        ("18 months", Span(18, Unit.MONTHS)),
    ],
)
def test_spans_of_all_kinds(written, span):
    assert parse(changed("is: 60 days", f"is: {written}")).return_window == span


@pytest.mark.parametrize(
    ("written", "money"),
    [
        ("€6", Money(600, "EUR")),
        ("6,95 €", Money(695, "EUR")),
        ("6.95 EUR", Money(695, "EUR")),
        ("£0", Money(0)),
        ("chf 9.50", Money(950, "CHF")),
        ("$ 1000", Money(100000, "USD")),
    ],
)
def test_money_of_all_kinds(written, money):
    assert parse(changed("is: €6.95", f"is: {written}")).return_fee_abroad == money


def test_nothing_is_said_by_none():
    text = changed("{credit: £5, by_days: 2}", "{credit: none}")
    text = text.replace("photos_to: help@northpeak.example", "photos_to: none")
    text = text.replace("[change_address, update_contact]", "[]")
    policy = parse(text)
    assert policy.late_credit is None and policy.photos_to == ""
    assert policy.code_when_signed_in == frozenset()


@pytest.mark.parametrize(
    ("numbers", "example"),
    [
        ('{prefix: "#", digits: 4}', "#1234"),
        ('{prefix: "", digits: 12}', "123456789012"),
        ("{prefix: A/, digits: 1}", "A/1"),
    ],
)
def test_order_numbers_of_other_shops(numbers, example):
    assert parse(changed("{prefix: NP-, digits: 6}", numbers)).number_example == example


def test_one_article_may_state_many_rules_and_is_named_as_people_do():
    text = changed("article: returns/return-an-item", "article: \\refunds\\refund-times.md")
    articles = parse(text).articles
    assert articles["return_window"] == articles["refund_issued"] == "refunds/refund-times"


def test_what_is_left_out_is_as_usual():
    rules = TEXT[TEXT.index("rules:") : TEXT.index("# Who is not signed in")]
    policy = parse(rules)
    assert policy.number_example == "NP-123456" and policy.late_credit is None
    assert policy.return_reasons == Policy().return_reasons


def test_written_on_windows(tmp_path):
    path = tmp_path / "orders.yml"
    path.write_bytes("\ufeff".encode() + TEXT.replace("\n", "\r\n").encode())
    assert load(path) == load(SHIPPED)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("is: 60 days", "is: 60 dayz", "“dayz” is no unit; choose from hours"),
        ("is: 60 days", "is: 60 dayz", "did you mean “days”?"),
        ("is: 60 days", "is: -60 days", "whole number from 1 up, not “-60”"),
        ("is: 60 days", "is: 0 days", "not from 1 to 3650 days"),
        ("is: 60 days", "is: 1.5 days", "whole number"),
        ("is: 60 days", "is: 5-8 days", "is no"),
        ("is: 60 days", "is: sixty days", "write a number and what it counts"),
        ("is: 60 days", "is: 60", "no length of time"),
        ("is: 60 days", "is: " + "9" * 5000 + " days", "whole number"),
        ("is: 60 days", "is: [60, days]", "no length of time"),
        ("is: 60 days", "is: €60", "no length of time"),
        ("is: 2 years", "is: 60 years", "not from 1 to 50 years"),
        ("is: 60 days", "ist: 60 days", "no line “ist:”; choose from is, article"),
        ("is: €6.95", "is: 6.95", "write it with its currency, as “€6.95”"),
        ("is: €6.95", "is: €6.9", "no amount of money"),
        ("is: €6.95", "is: -€6.95", "less than nothing"),
        ("is: €6.95", "is: €-6.95", "less than nothing"),
        ("is: €6.95", "is: 7 XYZ", "“XYZ” is no currency"),
        ("is: €6.95", "is: 14 days", "no amount of money"),
        ("article: returns/return-an-item", "article:", "names no article"),
        ("article: returns/return-an-item", "article: ../../secret", "names no article"),
        ("article: returns/return-an-item", "article: returns/return-an-item#x", "no article"),
        ("  warranty:", "  warrenty:", "did you mean “warranty”?"),
        ("{prefix: NP-, digits: 6}", "{prefix: NP-, digits: 0}", "from 1 to 12"),
        ("{prefix: NP-, digits: 6}", "{prefix: N P, digits: 6}", "prefix is what stands"),
        ("{prefix: NP-, digits: 6}", '{prefix: "", digits: 3}', "at least 4 digits"),
        ("{prefix: NP-, digits: 6}", "{prefiks: NP-}", "did you mean “prefix”?"),
        ("Europe/London", "Europe/Lonodn", "did you mean Europe/London?"),
        ("home_country: GB", "home_country: UK", "did you mean GB?"),
        ("home_country: GB", "home_country: England", "its two letters"),
        ("[change_address, update_contact]", "[change_adress]", "did you mean “change_address”?"),
        ("[change_address, update_contact]", "track_order", "no code is ever asked for"),
        ("[change_address, update_contact]", "", "[] for none"),
        ("credit: £5", "credit: 5", "no amount of money"),
        ("credit: £5", "credit: £0", "write “credit: none”"),
        ("{credit: £5, by_days: 2}", "{by_days: 2}", "has no “credit:”"),
        ("by_days: 2", "by_days: 0", "from 1 to 90"),
        ("help@northpeak.example", "our post box", "no e-mail address"),
        ("  size: It doesn't fit", "  Size: It doesn't fit", "in small letters"),
        ("  size: It doesn't fit", "  size:", "a text of at most 60"),
        ("  size: It doesn't fit", "  size: I changed my mind", "is there twice"),
        ("photos_to:", "foto_to:", "did you mean “photos_to”?"),
    ],
)
def test_each_mistake_is_named_with_its_line(old, new, told):
    text = changed(old, new)
    line = line_of(TEXT, old)
    found = problems(text)
    about = [it for it in found if told in it]
    lines = {int(it.split(":")[0].rpartition(" ")[2]) for it in about}
    # What is there twice is told where it is the second time.
    assert lines and all(line <= it <= line + 1 for it in lines), found


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("rules:\n  warranty: 2 years", 2, "write “is:” and “article:” below it"),
        ("time_zone: UTC\n\nrules:\n  warranty:", 4, "write “is:” and “article:” below it"),
        ("time_zone: UTC", 1, "these rules are missing: return_window, problem_window"),
        ("rules: [a]", 1, "“name: value”"),
        ("rules:\n  warranty: {is: 2 years}", 2, "has no “article:”: add it"),
        ("rules:\n  warranty: {article: a}", 2, "has no “is:”: add it"),
        ("return_reasons: {}", 1, "list at least one"),
        ("rules: [", 1, "no YAML"),
    ],
)
def test_what_is_not_there(text, line, told):
    found = problems(text)
    assert any(it.startswith(f"orders.yml, line {line}: ") and told in it for it in found), found


def test_a_rule_that_is_missing():
    start = TEXT.index("  # How long faults")
    text = TEXT[:start] + TEXT[TEXT.index("  # When money leaves") :]
    (told,) = problems(text)
    assert "this rule is missing: warranty; add “is:” and “article:”" in told


def test_all_mistakes_are_told_in_the_order_of_their_lines():
    text = TEXT.replace("60 days", "60 dayz").replace("digits: 6", "digits: 0")
    text = text.replace("credit: £5", "credit: five")
    lines = [int(it.split(":")[0].rpartition(" ")[2]) for it in problems(text)]
    assert len(lines) == 3 and lines == sorted(lines)


@pytest.mark.parametrize(
    "text",
    ["", "# nothing\n", "hello", "- a\n", "? [a]\n: b\n", "a: &a [*a]\n", "rules: &r {x: *r}"],
)
def test_what_is_no_such_file_at_all(text):
    assert problems(text)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileWrong, match="ORDERS_FILE"):
        load(tmp_path / "gone.yml")

"""What a job says: fields with types, filled from records and rules, and no promise beyond them."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa_sdk.executor import CollectingDispatcher

from actions.jobs import replies
from actions.jobs.replies import FIELDS, Items, Listed, Phrase, items_of, say, written
from actions.jobs.status import money, status
from bot.jobs.clerk import CODE_MINUTES
from bot.orders.contract import Money, Order
from bot.orders.demo import DemoShop
from bot.orders.demo.cases import CASES
from bot.orders.policy import Policy, Span, Unit
from bot.settings import ROOT

RESPONSES: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (ROOT / "domain.yml").read_text(encoding="utf-8")
)["responses"]
TEXTS = [
    (name, variant["text"]) for name in FIELDS for variant in RESPONSES.get(f"utter_job_{name}", [])
]
PROMISES = re.compile(
    r"guarantee|always|immediately|instantly|as soon as possible|!|"
    r"(?:\d+|one|two|three|four|five|ten)[- ](?:working |business )?(?:minute|hour|day|week|month)",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> list[Order]:
    """The named orders of the demo shop: every state that there is."""
    shop = DemoShop(tmp_path_factory.mktemp("shop") / "shop.db")

    async def all_of_them() -> list[Order]:
        numbers = sorted({case.number for case in CASES.values()})
        found = [await shop.order(number) for number in numbers]
        await shop.close()
        return found

    return asyncio.run(all_of_them())


def sample(kind: Any, order: Order) -> Any:
    """A value of a field's type."""
    kind = getattr(kind, "__supertype__", kind)
    values = {
        str: "NP-123456",
        Items: items_of(order),
        Listed: Listed(("one: on its way.", "two: delivered.")),
        Phrase: Phrase("It should arrive by Friday 27 November 2026."),
        date: date(2026, 11, 27),
        Money: Money(1250),
        Span: Span(5, Unit.WORKING_DAYS),
    }
    return values[kind]


def test_every_reply_has_its_wording_and_every_wording_its_reply():
    worded = {it.removeprefix("utter_job_") for it in RESPONSES if it.startswith("utter_job_")}
    assert worded == set(FIELDS)


@pytest.mark.parametrize(("name", "text"), TEXTS, ids=[it[0] for it in TEXTS])
def test_each_wording_is_whole_and_promises_nothing(name: str, text: str, orders: list[Order]):
    assert set(re.findall(r"\{(\w+)\}", text)) == set(FIELDS[name])
    promised = PROMISES.search(text.replace("ten minutes", ""))
    assert not promised, promised and promised.group()
    if "ten minutes" in text:
        assert CODE_MINUTES == 10
    for order in orders[::7]:
        values = {field: sample(kind, order) for field, kind in FIELDS[name].items()}
        said = text.format(**written(name, values))
        assert not re.search(r"[{}]|None|  |<class", said), said


def test_every_order_has_a_status_and_a_word_on_its_money(orders: list[Order]):
    seen, today = set(), Policy().today(datetime.now(UTC))
    for order in orders:
        for name, values in (
            status(order, today),
            money(order, Policy(), today),
        ):
            seen.add(name)
            texts = written(name, values)
            assert all(it is not None for it in texts.values())
    assert {"status_received", "status_late", "status_split", "status_delivered", "status_lost",
            "refund_pending", "refund_issued", "refund_overdue", "refund_none"} <= seen  # fmt: skip


def test_nothing_else_can_be_put_into_a_field():
    good = {"credit": Money(500), "reference": "TH-1"}
    assert written("credit_given", good) == {"credit": "£5.00", "reference": "TH-1"}
    for bad in (
        {"credit": "£5.00", "reference": "TH-1"},
        {"credit": Money(500)},
        {**good, "more": "x"},
        {**good, "reference": 5},
    ):
        with pytest.raises(TypeError):
            written("credit_given", bad)
    with pytest.raises(TypeError):
        written("status_cancelled", {"number": date(2026, 11, 27)})
    with pytest.raises(KeyError):
        say(CollectingDispatcher(), "no_such_reply")


def test_a_customers_words_are_no_template():
    said = written("contact_confirm", {"contact": "{number} {0.__class__}"})["contact"]
    assert "{" not in said and "}" not in said


def test_days_and_lists_are_written_as_people_do():
    assert replies.day_in_words(date(2026, 11, 27)) == "Friday 27 November 2026"
    assert replies.joined(["a"]) == "a" and replies.joined(["a", "b", "c"]) == "a, b and c"


def test_an_offer_of_a_person_ends_with_the_question_that_a_yes_answers():
    source = (Path(ROOT) / "actions" / "jobs" / "form.py").read_text(encoding="utf-8")
    offering = set(re.findall(r'self\._end\(\s*"(\w+)"[^)]*person=', source))
    assert {"no_match_over", "cannot", "code_impossible", "used", "contact_guest"} <= offering
    for name in offering:
        for variant in RESPONSES[f"utter_job_{name}"]:
            assert variant["text"].rstrip().endswith("Shall I bring in a colleague?"), name

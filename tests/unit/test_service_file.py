"""``service.yml``: what it says, and every mistake with its line and what to do."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.escalation_file import load as load_escalation
from bot.service.hours import Span
from bot.service.policy import Clock, Reopening
from bot.service_file import load, parse
from bot.yaml_nodes import FileWrong

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "service.yml"
QUEUES = "queues:\n  general: {title: General}\n  second: {title: Second line}\n"


def problems(text: str) -> list[str]:
    with pytest.raises(FileWrong) as wrong:
        parse(text)
    return [str(it) for it in wrong.value.problems]


def test_the_shipped_file_is_what_the_articles_say():
    service = load(SHIPPED)
    hours = service.hours("general")
    article = (ROOT / "knowledge_base/articles/shops-and-contact/contact-support.md").read_text()
    assert "Monday to Friday 9:00–18:00 and Saturday 10:00–16:00, UK time" in article
    assert hours.hours_in_words() == "Monday to Friday 9:00 to 18:00, Saturday 10:00 to 16:00"
    assert hours.zone == "Europe/London" and (hours.country, hours.region) == ("GB", "ENG")
    assert service.reopening == (Reopening(24, "agent", "queue"),)
    assert service.sla(queue="general", priority=3, channel="web").name == "usual"
    assert service.sla(queue="general", priority=1, channel="web").always


def test_every_queue_of_the_rules_is_there():
    rules, service = load_escalation(ROOT / "escalation.yml"), load(SHIPPED)
    named = {rule.queue for rule in rules.rules} | {it.queue for it in rules.other_reasons.values()}
    assert named <= set(service.queues)


def test_hours_of_all_kinds():
    service = parse(
        "hours:\n"
        "  desk:\n"
        "    time_zone: Europe/Vienna\n"
        '    monday to thursday: ["8:00-12:00", "12:30-17:00"]\n'
        '    friday: "8:00–13:00"\n'
        "    holidays: AT-9\n"
        "    closed: [2026-12-24]\n"
        "    special:\n"
        '      2026-12-31: ["9:00-12:00"]\n'
        "queues: {general: {title: General, hours: desk}}\n"
    )
    desk = service.hours("general")
    assert desk.week[3] == (Span(480, 720), Span(750, 1020)) and desk.week[4] == (Span(480, 780),)
    assert desk.week[5] == ()
    assert desk.closed == {date(2026, 12, 24)} and desk.special[date(2026, 12, 31)]
    assert not desk.spans_of(date(2026, 10, 26))  # the national holiday


def test_service_levels_are_tried_in_order():
    service = parse(
        QUEUES + "sla:\n"
        "  - {name: second line, queues: [second], first_response: 60}\n"
        "  - {name: usual, first_response: 30, resolution: 480, warn: 50}\n"
    )
    second = service.sla(queue="second", priority=3, channel="web")
    assert second.targets == {Clock.FIRST_RESPONSE: 60}
    assert service.sla(queue="general", priority=3, channel="web").warn == 0.5


def test_what_is_left_out_is_as_usual():
    service = parse("queues:\n  help: {title: Help}\n")
    assert service.default_queue == "help"
    assert service.queue("gone").name == "help"
    assert service.hours("gone").hours_in_words() == "day and night"


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("hours:\n  desk:\n    monday: [\"17:00-9:00\"]", 3, "the end comes after the start"),
        ("hours:\n  desk:\n    monday: [\"9:00-12:00\", \"11:00-15:00\"]", 3, "begins before"),
        ("hours:\n  desk:\n    monday: nine to five", 3, "is no time"),
        ("hours:\n  desk:\n    moonday: [\"9:00-12:00\"]", 3, "is no day"),
        ("hours:\n  desk: {time_zone: UTC}", 2, "never open"),
        ("hours:\n  desk: {time_zone: Mars/Base, monday: [\"9:00-12:00\"]}", 2, "no time zone"),
        ("hours:\n  desk: {holidays: Atlantis, monday: [\"9:00-12:00\"]}", 2, "no holidays"),
        ("hours:\n  desk: {closed: [tomorrow], monday: [\"9:00-12:00\"]}", 2, "is no day"),
        ("hours:\n  desk:\n    monday: [\"9:00-12:00\"]\n    monday to friday: [\"9:00-12:00\"]",
         4, "has hours already"),
        ("hours:\n  always: {monday: [\"9:00-12:00\"]}", 2, "is there already"),
        ("queues:\n  general: {hours: nights}", 2, "there are no hours “nights”"),
        ("queues:\n  general: {widen_to: [general]}", 2, "widens to itself"),
        ("queues:\n  general: {widen_to: [moon]}", 2, "which is no queue"),
        ("queues:\n  Big Queue: {}", 2, "small letters"),
        ("queues:\n  general: {titel: X}", 2, "no line “titel:”"),
        ("default_queue: moon", 1, "there is no queue “moon”"),
        ("waiting: {remind: [15, 5]}", 1, "the times go up"),
        ("waiting:\n  widen: 50\n  promise: 30", 2, "widened before"),
        ("waiting: {promise_within: 30, promise_warning: 60}", 1, "make “promise_warning” smaller"),
        ("waiting: {promise: soon}", 1, "whole number"),
        ("silence:\n  nudge: 20\n  give_back: 10", 2, "make “nudge” the smaller"),
        ("sla:\n  - {name: a, first_response: 5}\n  - {name: b, first_response: 6}", 3, "never counts"),
        ("sla:\n  - {name: a, queues: [moon], first_response: 5}", 2, "no queue “moon”"),
        ("sla:\n  - {name: a}", 2, "sets no time"),
        ("sla:\n  - {name: a, first_response: 90, resolution: 30}", 2, "before the end"),
        ("sla:\n  - {name: a, first_response: 9, on_breach: [shout]}", 2, "notify, raise, reassign"),
        ("sla:\n  - {first_response: 9}", 2, "add “name:”"),
        ("reopening:\n  - {within_hours: 48, to: bot}\n  - {within_hours: 24, to: queue}", 3,
         "never counts"),
        ("reopening:\n  - {within_hours: 48, to: nobody}", 2, "agent, queue, bot"),
        ("reopening:\n  - {to: bot}", 2, "within_hours"),
        ("ratings: {recovery_queue: moon}", 1, "no queue “moon”"),
        ("ratings: {low: 9}", 1, "from 0 to 4"),
        ("assignment: {automatic: perhaps}", 1, "yes or no"),
        ("opening: {}", 1, "no line “opening:”"),
        ("hours: [", 1, "no YAML"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_its_line(text, line, told):
    found = problems(text)
    assert any(it.startswith(f"service.yml, line {line}: ") and told in it for it in found), found


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileWrong, match="SERVICE_FILE"):
        load(tmp_path / "gone.yml")

"""``service.yml``: what it says, and every mistake with its line and what to do."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.check import service as check_service
from bot.escalation_file import load as load_escalation
from bot.service.hours import Span
from bot.service.policy import Clock, Reopening
from bot.service_file import load, parse
from bot.settings import Settings
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


def changed(old: str, new: str) -> str:
    """The shipped file after a support lead's edit."""
    text = SHIPPED.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    return text.replace(old, new)


def test_a_lunch_break():
    service = parse(changed('["9:00-18:00"]', '["9:00-12:30", "13:00-18:00"]'))
    told = "Monday to Friday 9:00 to 12:30 and 13:00 to 18:00, Saturday 10:00 to 16:00"
    assert service.hours("general").hours_in_words() == told


@pytest.mark.parametrize(
    "days",
    ["Saturday to Monday", "saturday - monday", "saturday–monday", "saturday  to  monday"],
)
def test_days_over_the_weekend(days):
    week = parse(f"hours:\n  d:\n    {days}: 9:00-12:00\n").calendars["d"].week
    assert [bool(spans) for spans in week] == [True] + [False] * 4 + [True] * 2


def test_a_night_shift_and_a_closed_day():
    service = parse(
        "hours:\n  night:\n"
        '    friday: ["18:00-24:00"]\n    saturday: ["0:00-2:00"]\n    sunday: closed\n'
        "    special: {2026-12-25: closed, 2026-12-26: []}\n"
        "queues: {general: {hours: night}}\n"
    )
    night = service.hours("general")
    assert night.week[4:] == ((Span(1080, 1440),), (Span(0, 120),), ())
    assert night.spans_of(date(2026, 12, 25)) == () == night.spans_of(date(2026, 12, 26))


@pytest.mark.parametrize(
    ("holidays", "country", "region"),
    [("NO", "NO", ""), ("gb-sct", "GB", "SCT"), ("DE-BY", "DE", "BY"), ("US", "US", "")],
)
def test_holidays(holidays, country, region):  # NO is Norway, whatever YAML takes it for
    text = f"hours:\n  d:\n    monday: 9:00-12:00\n    holidays: {holidays}\n"
    calendar = parse(text).calendars["d"]
    assert (calendar.country, calendar.region) == (country, region)
    calendar.spans_of(date(2027, 1, 4))


def test_a_second_team_with_hours_of_its_own():
    team = "hours:\n  weekend:\n    saturday to sunday: 10:00-14:00\n"
    text = changed("hours:\n  support:", f"{team}  support:")
    service = parse(text.replace("general: {title: General, hours: support",
                                 "general: {title: General, hours: weekend"))  # fmt: skip
    assert service.hours("general").hours_in_words() == "Saturday to Sunday 10:00 to 14:00"
    assert service.hours("vip").zone == "Europe/London"


def test_one_name_needs_no_list():
    service = parse(
        "hours:\n  d:\n    monday: 9:00-12:00\n    closed: 2026-12-24\n"
        "queues:\n  general: {widen_to: second, skills: refunds}\n  second:\n"
        "waiting: {remind: 10}\n"
        "sla:\n  - {name: a, queues: general, priorities: 1, channels: web, first_response: 5,\n"
        "     on_warning: notify, on_breach: raise}\n"
    )
    general, (sla,) = service.queue("general"), service.slas
    assert general.widen_to == ("second",) and general.skills == {"refunds"}
    assert service.queue("second").title == "Second" and service.waiting.remind == (10,)
    assert service.calendars["d"].closed == {date(2026, 12, 24)}
    assert (sla.queues, sla.priorities, sla.channels) == ({"general"}, {1}, {"web"})
    assert (sla.on_warning, sla.on_breach) == (("notify",), ("raise",))


def test_none_is_not_the_usual():
    service = parse("waiting: {remind: []}\nsla: []\nreopening: []\n")
    assert (service.waiting.remind, service.slas, service.reopening) == ((), (), ())


def test_written_on_windows_and_in_another_alphabet(tmp_path):
    text = changed("title: Key customers", "title: كبار العملاء")
    path = tmp_path / "service.yml"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert load(path).queue("vip").title == "كبار العملاء"
    path.write_bytes(text.encode("utf-16"))
    with pytest.raises(FileWrong, match="UTF-8"):
        load(path)


def test_service_levels_that_overlap_all_count():
    text = "  - {name: a, priorities: [1, 2], queues: [general], first_response: 5}\n"
    text += "  - {name: b, priorities: [2, 3], first_response: 6}\n"
    text += "  - {name: c, channels: [sms], first_response: 7}\n  - {name: d, first_response: 8}\n"
    service = parse(QUEUES + "sla:\n" + text)
    kinds = [
        ("general", 2, "web"),
        ("second", 2, "web"),
        ("general", 4, "sms"),
        ("second", 4, "web"),
    ]
    found = [service.sla(queue=q, priority=p, channel=c).name for q, p, c in kinds]
    assert found == ["a", "b", "c", "d"]


def test_what_is_left_out_is_as_usual():
    service = parse("queues:\n  help: {title: Help}\n")
    assert service.default_queue == "help"
    assert service.queue("gone").name == "help"
    assert service.hours("gone").hours_in_words() == "day and night"


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("hours:\n  desk:\n    monday: [\"17:00-9:00\"]", 3, "the end comes after the start"),
        ("hours:\n  desk:\n    monday: 22:00-6:00", 3,
         '"22:00-24:00" and, at the next day, "0:00-6:00"'),
        ("hours:\n  desk:\n    monday: 22:00-0:00", 3, 'past midnight: "22:00-24:00"'),
        ("hours:\n  desk:\n    monday: 9:00-25:00", 3, "the last of a day is 24:00"),
        ("hours:\n  desk:\n    monday: 9:70-17:00", 3, "there is no such time"),
        ("hours:\n  desk:\n    monday: 9:00-17:00\n    tuesday:", 4, "or: closed"),
        ("hours:\n  desk:\n    monday: 9:00-17:00\n    monday: 9:00-17:00", 4, "twice"),
        ("hours:\n  desk:\n    monday: [\"9:00-12:00\", \"11:00-15:00\"]", 3, "begins before"),
        ("hours:\n  desk:\n    monday: nine to five", 3, "is no time"),
        ("hours:\n  desk:\n    moonday: [\"9:00-12:00\"]", 3, "is no day"),
        ("hours:\n  desk: {time_zone: UTC}", 2, "never open"),
        ("hours:\n  desk: {time_zone: Mars/Base, monday: [\"9:00-12:00\"]}", 2, "no time zone"),
        ("hours:\n  desk: {time_zone: Europe/Lonodn, monday: [\"9:00-12:00\"]}", 2,
         "did you mean Europe/London?"),
        ("hours:\n  desk: {time_zone: ../../etc, monday: [\"9:00-12:00\"]}", 2, "no time zone"),
        ("hours:\n  desk: {holidays: GB-WAL, monday: [\"9:00-12:00\"]}", 2,
         "the regions of GB are: ENG, NIR, SCT, WLS"),
        ("hours:\n  desk: {holidays: EU, monday: [\"9:00-12:00\"]}", 2, "write a country"),
        ("hours:\n  desk: {closed: [2026-02-30], monday: [\"9:00-12:00\"]}", 2, "is no day"),
        ("hours:\n  desk: {closed: [20261224], monday: [\"9:00-12:00\"]}", 2, "is no day"),
        ("hours:\n  desk: {closed: [2026-W53-1], monday: [\"9:00-12:00\"]}", 2, "is no day"),
        ("hours:\n  desk: {closed: [24.12.2026], monday: [\"9:00-12:00\"]}", 2, "as 2026-12-24"),
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
        ("waiting: {remind: [5, 90], promise: 45}", 1, "after 90 minutes never comes"),
        ("waiting:\n  remind:", 2, "a list of minutes"),
        ("waiting: {promise: " + "9" * 5000 + "}", 1, "whole number"),
        ("waiting:\n  widen: 50\n  promise: 30", 2, "widened before"),
        ("waiting: {promise_within: 30, promise_warning: 60}", 1, "make “promise_warning” smaller"),
        ("waiting: {promise: soon}", 1, "whole number"),
        ("silence:\n  nudge: 20\n  give_back: 10", 2, "make “nudge” the smaller"),
        ("sla:\n  - {name: a, first_response: 5}\n  - {name: b, first_response: 6}", 3, "never counts"),
        ("sla:\n  - {name: a, priorities: [1, 2], first_response: 5}\n"
         "  - {name: b, priorities: [2], queues: [general], first_response: 6}", 3, "go to “a”"),
        ("sla:\n  - {name: a, priorities: [1, 2], first_response: 5}\n"
         "  - {name: b, priorities: [3, 4], first_response: 5}\n  - {name: c, first_response: 6}",
         4, "go to “a”, “b”, further up"),
        ("sla:\n  - {name: a, priorities: 1, first_response: 5}\n"
         "  - {name: b, priorities: [1, 2], first_response: 5}\n"
         "  - {name: c, priorities: 1, first_response: 6}", 4, "go to “a”, further up"),
        ("sla:\n  - {name: a, priorities: [5], first_response: 5}", 2, "from 1 to 4"),
        ("sla:\n  - {name: a, priorities: 1, first_response: 5}\n"
         "  - {name: a, first_response: 6}", 3, "the first: line 2"),
        ("sla:\n  - {name: a, first_response: 5, warn: 120}", 2, "from 1 to 99"),
        ("sla:\n  - {name: a, next_response: 90, resolution: 30}", 2, "next_response comes before"),
        ("sla:\n  - {name: a, queues: [moon], first_response: 5}", 2, "no queue “moon”"),
        ("sla:\n  - {name: a}", 2, "sets no time"),
        ("sla:\n  - {name: a, first_response: 90, resolution: 30}", 2, "comes before the end"),
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


@pytest.mark.parametrize(
    "text",
    [
        "hours:\n  desk:\n    monday: 17:00-9:00",
        "hours:\n  desk:\n    mon: 9:00-17:00",
        "sla: [usual]",
        "reopening: [agent]",
    ],
)
def test_one_mistake_is_told_once(text):
    assert len(problems(text)) == 1


def test_all_mistakes_are_told_in_the_order_of_their_lines():
    found = problems("sla:\n  - {name: a}\nwaiting: {promise: soon}\nhours:\n  d: {}\n")
    assert [it.split(":")[0] for it in found] == [f"service.yml, line {n}" for n in (2, 3, 5)]


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "hello", "- a\n", "? [a]\n: b\n", "a: &a [*a]\n"]
)
def test_what_is_no_such_file_at_all(text):
    assert problems(text)


def settings(tmp_path: Path, **texts: str) -> Settings:
    for name in ("service", "escalation"):
        text = texts.get(name) or (ROOT / f"{name}.yml").read_text(encoding="utf-8")
        (tmp_path / f"{name}.yml").write_text(text, encoding="utf-8")
    return Settings(
        _env_file=None,
        service_file=tmp_path / "service.yml",
        escalation_file=tmp_path / "escalation.yml",
    )


def test_the_check_of_the_shipped_files(tmp_path):
    (finding,) = check_service(settings(tmp_path))
    assert (finding.level, finding.what) == ("ok", "6 queues and 3 service levels in service.yml")


def test_the_check_names_the_lines_of_queues_that_are_not_there(tmp_path):
    rules = (ROOT / "escalation.yml").read_text(encoding="utf-8").splitlines()
    lines = [n for n, line in enumerate(rules, 1) if line.strip() == "queue: urgent"]
    assert len(lines) == 2
    shipped = SHIPPED.read_text(encoding="utf-8").splitlines(keepends=True)
    without = "".join(line for line in shipped if not line.startswith("  urgent:"))
    finding, good = check_service(settings(tmp_path, service=without))
    assert finding.level == "warning" and good.level == "ok"
    assert finding.what == (
        f"escalation.yml, line {lines[0]} and {lines[1]}: the queue “urgent” is not in service.yml"
    )
    assert finding.why == "its tickets wait in “General”"


def test_the_check_knows_queues_that_are_only_meant(tmp_path):
    rules = "rules:\n  - {name: a, when: {misses: 2}, reason_type: misses, reason: x, priority: 3,"
    rules += " then: hand over}\n"
    found = list(check_service(settings(tmp_path, service="queues:\n  help:\n", escalation=rules)))
    told = [it.what for it in found if it.level == "warning"]
    assert told == ["escalation.yml: the queue “general” is not in service.yml"]


def test_the_check_tells_every_mistake(tmp_path):
    wrong = "sla:\n  - {name: a}\nwaiting: {promise: soon}\n"
    found = list(check_service(settings(tmp_path, service=wrong)))
    assert [it.level for it in found] == ["error", "error"]
    assert "line 2" in found[0].what and "line 3" in found[1].what
    assert "docs/service.md" in found[0].fix


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileWrong, match="SERVICE_FILE"):
        load(tmp_path / "gone.yml")

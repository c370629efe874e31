"""Reads ``service.yml``: with the line of whatever is wrong in it, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from bot.service.hours import DAYS, Calendar, Span
from bot.service.policy import (
    CHANNELS,
    REOPEN_TO,
    SLA_ACTIONS,
    Assignment,
    Clock,
    Queue,
    Ratings,
    Reopening,
    Service,
    Silence,
    Sla,
    Waiting,
)
from bot.yaml_nodes import FileWrong, Nodes, read_yaml

SECTIONS = (
    "hours", "queues", "default_queue", "waiting", "silence", "sla", "reopening", "ratings",
    "assignment",
)  # fmt: skip
HOURS_KEYS = ("time_zone", "say", "holidays", "closed", "special")
SLA_KEYS = (
    "name", "queues", "priorities", "channels", "first_response", "next_response", "resolution",
    "always", "warn", "on_warning", "on_breach",
)  # fmt: skip
LONGEST_MINUTES = 60 * 24 * 60  # sixty days
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SPAN = re.compile(r"\s*(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})\s*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAYS_TO = re.compile(r"\s+to\s+|\s*[-–]\s*")
_HOLIDAYS = re.compile(r"([A-Z]{2})(?:-([A-Z0-9]{1,3}))?")
_DAY_NAMES = {name.lower(): number for number, name in enumerate(DAYS)}


def load(path: Path) -> Service:
    """Read and check the file.

    Raises:
        FileWrong: with every problem, each with its line.
    """
    return _checked(*read_yaml(path, "SERVICE_FILE"))


def parse(text: str, name: str = "service.yml") -> Service:
    """What a text says; raises `FileWrong`."""
    return _checked(*read_yaml(text, "SERVICE_FILE", name))


def _checked(root: yaml.Node | None, name: str) -> Service:
    reader = _Reader(name, "SERVICE_FILE")
    service = reader.file(root)
    if reader.problems:
        raise FileWrong(sorted(reader.problems, key=lambda problem: problem.line))
    return service


class _Reader(Nodes):
    """What the file says, section by section."""

    def file(self, root: yaml.Node | None) -> Service:
        sections = dict(self.keyed(root, SECTIONS, "the file"))
        if not isinstance(root, yaml.MappingNode):
            return Service()
        usual = Service()
        calendars = dict(self._calendars(sections.get("hours"))) | dict(usual.calendars)
        queues = dict(self._queues(sections.get("queues"), calendars)) or dict(usual.queues)
        waiting = self._waiting(sections.get("waiting"))
        return Service(
            calendars=calendars,
            queues=queues,
            default_queue=self._queue(sections.get("default_queue"), queues, "default_queue"),
            waiting=waiting,
            silence=self._silence(sections.get("silence")),
            slas=tuple(self._slas(sections.get("sla"), queues)),
            reopening=(
                tuple(self._reopening(sections["reopening"]))
                if "reopening" in sections
                else usual.reopening
            ),
            ratings=self._ratings(sections.get("ratings"), queues),
            assignment=self._assignment(sections.get("assignment")),
        )

    # Hours.

    def _calendars(self, node: yaml.Node | None) -> Iterator[tuple[str, Calendar]]:
        for key, value in self.pairs(node, "hours"):
            if key.value == "always":
                self.wrong(key, "“always” is there already: give these hours another name")
            elif not _NAME.fullmatch(key.value):
                self.wrong(key, f"name the hours “{key.value}” in small letters, digits and “_”")
            else:
                yield key.value, self._calendar(key, value)

    def _calendar(self, key: yaml.ScalarNode, node: yaml.Node) -> Calendar:
        name = str(key.value)
        week: list[tuple[Span, ...]] = [()] * 7
        lines: dict[str, yaml.Node] = {}
        before = len(self.problems)
        for line, value in self.pairs(node, f"hours: {name}"):
            days = _days(str(line.value))
            if line.value in HOURS_KEYS:
                lines[line.value] = value
            elif days is None:
                told = (
                    f"“{line.value}” is no day: write monday, or monday to friday; or one of "
                    f"{', '.join(HOURS_KEYS)}"
                )
                self.wrong(line, told)
            else:
                spans = self._spans(value)
                for day in days:
                    if week[day]:
                        self.wrong(line, f"{DAYS[day]} has hours already: put both together")
                    week[day] = spans
        if not any(week) and len(self.problems) == before:
            self.wrong(key, f'the hours “{name}” never open: add a day, as monday: ["9:00-17:00"]')
        country, region = self._holidays(lines.get("holidays"))
        return Calendar(
            name,
            zone=self.time_zone(lines.get("time_zone")),
            zone_words=self.short(lines.get("say"), "say", 30),
            week=tuple(week),
            country=country,
            region=region,
            closed=frozenset(self._dates(lines.get("closed"))),
            special=dict(self._special(lines.get("special"))),
        )

    def _spans(self, node: yaml.Node) -> tuple[Span, ...]:
        found: list[Span] = []
        items = self.texts_with_nodes(node, "hours")
        if not items and isinstance(node, yaml.ScalarNode):
            self.wrong(node, 'here stand hours, as "9:00-17:30", or: closed')
        for item in items:
            text = str(item.value)
            match = _SPAN.fullmatch(text)
            if text.strip().lower() == "closed":
                continue
            if not match:
                self.wrong(item, f'“{text}” is no time: write "9:00-17:30", in quotation marks')
                continue
            numbers = [int(part) for part in match.groups()]
            start, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
            if numbers[1] > 59 or numbers[3] > 59 or max(start, end) > 1440:
                self.wrong(item, f"“{text}”: there is no such time; the last of a day is 24:00")
            elif start >= end:
                self.wrong(item, f"“{text}”: the end comes after the start{_past_midnight(text)}")
            elif found and start < found[-1].end:
                self.wrong(item, f"“{text}” begins before the one in front of it has ended")
            else:
                found.append(Span(start, end))
        return tuple(found)

    def _holidays(self, node: yaml.Node | None) -> tuple[str, str]:
        text = self.short(node, "holidays", 20)
        if not text:
            return "", ""
        match = _HOLIDAYS.fullmatch(text.upper())
        country, region = match.groups(default="") if match else ("", "")
        import holidays

        known = holidays.list_supported_countries() if country else {}
        if country not in known:
            told = "write a country (GB) or a region of one (GB-ENG)"
        elif region and region not in known[country]:
            regions = sorted(it for it in known[country] if _HOLIDAYS.fullmatch(f"{country}-{it}"))
            told = f"the regions of {country} are: {', '.join(regions) or 'none'}"
        else:
            return country, region
        self.wrong(node, f"no holidays are known for “{text}”: {told}")
        return "", ""

    def _dates(self, node: yaml.Node | None) -> Iterator[date]:
        for item in self.texts_with_nodes(node, "closed"):
            if (day := self._date(item)) is not None:
                yield day

    def _special(self, node: yaml.Node | None) -> Iterator[tuple[date, tuple[Span, ...]]]:
        for key, value in self.pairs(node, "special"):
            if (day := self._date(key)) is not None:
                yield day, self._spans(value)

    def _date(self, node: yaml.Node) -> date | None:
        text = str(node.value).strip()
        try:
            if _DATE.fullmatch(text):  # and no other form that Python knows
                return date.fromisoformat(text)
        except ValueError:
            pass
        self.wrong(node, f"“{text}” is no day: write year, month and day, as 2026-12-24")
        return None

    # Queues.

    def _queues(
        self, node: yaml.Node | None, calendars: dict[str, Calendar]
    ) -> Iterator[tuple[str, Queue]]:
        entries = list(self.pairs(node, "queues"))
        names = [key.value for key, _ in entries]
        for key, value in entries:
            name = str(key.value)
            if not _NAME.fullmatch(name):
                self.wrong(key, f"name the queue “{name}” in small letters, digits and “_”")
            about = f"the queue “{name}”"
            keys = dict(self.keyed(value, ("title", "hours", "skills", "widen_to"), about))
            hours = self.short(keys.get("hours"), f"{about}: hours", 40, otherwise="always")
            if hours not in calendars:
                known = ", ".join(calendars)
                self.wrong(
                    keys["hours"], f"{about}: there are no hours “{hours}” (there is: {known})"
                )
                hours = "always"
            widen = self.texts_with_nodes(keys.get("widen_to"), f"{about}: widen_to")
            for item in widen:
                if item.value == name or item.value not in names:
                    what = "itself" if item.value == name else f"“{item.value}”, which is no queue"
                    self.wrong(item, f"{about} widens to {what}: name another")
            yield (
                name,
                Queue(
                    name,
                    self.short(
                        keys.get("title"), f"{about}: title", 60, otherwise=name.capitalize()
                    ),
                    hours,
                    skills=frozenset(self.texts(keys.get("skills"), f"{about}: skills")),
                    widen_to=tuple(str(item.value) for item in widen),
                ),
            )

    def _queue(self, node: yaml.Node | None, queues: dict[str, Queue], about: str) -> str:
        first = "general" if "general" in queues else next(iter(queues))
        name = self.short(node, about, 40, otherwise=first)
        if name not in queues:
            self.wrong(node, f"{about}: there is no queue “{name}” (there is: {', '.join(queues)})")
            return first
        return name

    # What is due when.

    def minutes(self, keys: dict[str, yaml.Node], name: str, otherwise: int) -> int:
        return self.number(keys.get(name), name, 1, most=LONGEST_MINUTES, otherwise=otherwise)

    def _waiting(self, node: yaml.Node | None) -> Waiting:
        usual = Waiting()
        names = ("remind", "widen", "promise", "promise_within", "promise_warning")
        keys = dict(self.keyed(node, names, "waiting"))
        remind = tuple(
            self.number(item, "remind", 1, most=LONGEST_MINUTES, otherwise=1)
            for item in self.texts_with_nodes(keys.get("remind"), "remind")
        )
        if list(remind) != sorted(set(remind)):
            self.wrong(keys["remind"], "remind: the times go up, as [5, 15, 30]")
        if "remind" in keys and not remind and isinstance(keys["remind"], yaml.ScalarNode):
            self.wrong(keys["remind"], "remind is a list of minutes, as [5, 15, 30]; [] for none")
        found = Waiting(
            remind=remind if "remind" in keys else usual.remind,
            widen=self.minutes(keys, "widen", usual.widen),
            promise=self.minutes(keys, "promise", usual.promise),
            promise_within=self.minutes(keys, "promise_within", usual.promise_within),
            promise_warning=self.minutes(keys, "promise_warning", usual.promise_warning),
        )
        if found.widen >= found.promise:
            told = "a ticket is widened before a time is promised: make “widen” the smaller one"
            self.wrong(keys.get("widen") or keys.get("promise"), told)
        if "remind" in keys and remind and remind[-1] > found.promise:
            told = f"the reminder after {remind[-1]} minutes never comes, as a time is promised"
            self.wrong(keys["remind"], f"{told} after {found.promise}: leave it out")
        if found.promise_warning >= found.promise_within:
            told = "the warning comes before the promise is made: make “promise_warning” smaller"
            self.wrong(keys.get("promise_warning") or keys.get("promise_within"), told)
        return found

    def _silence(self, node: yaml.Node | None) -> Silence:
        usual = Silence()
        keys = dict(self.keyed(node, ("nudge", "give_back", "customer_hours"), "silence"))
        found = Silence(
            nudge=self.minutes(keys, "nudge", usual.nudge),
            give_back=self.minutes(keys, "give_back", usual.give_back),
            customer_hours=self.number(
                keys.get("customer_hours"), "customer_hours", 1, most=1440,
                otherwise=usual.customer_hours,
            ),
        )  # fmt: skip
        if found.nudge >= found.give_back:
            told = "the agent is told before the ticket is given back: make “nudge” the smaller one"
            self.wrong(keys.get("nudge") or keys.get("give_back"), told)
        return found

    # Service levels.

    def _slas(self, node: yaml.Node | None, queues: dict[str, Queue]) -> Iterator[Sla]:
        taken: dict[str, int] = {}
        found: list[tuple[yaml.Node, Sla]] = []
        for item in self.items(node, "sla"):
            keys = dict(self.keyed(item, SLA_KEYS, "the service level"))
            if not isinstance(item, yaml.MappingNode):
                continue
            name = self.short(keys.get("name"), "name", 60)
            about = f"the service level “{name}”" if name else "a service level without a name"
            if not name:
                self.wrong(item, f"{about}: add “name:”")
            elif name in taken:
                self.wrong(
                    item, f"a second one has the name “{name}” (the first: line {taken[name]})"
                )
            taken.setdefault(name, item.start_mark.line + 1)
            found.append((item, self._sla(item, keys, queues, about)))
        self._none_in_vain(found, queues)
        yield from (sla for _, sla in found)

    def _none_in_vain(
        self, found: Sequence[tuple[yaml.Node, Sla]], queues: Mapping[str, Queue]
    ) -> None:
        """Notes each service level all of whose tickets have one that stands before it."""
        named = {channel for _, sla in found for channel in sla.channels}
        kinds = set(product(queues, range(1, 5), [*named, ""]))  # "": any other channel
        counts: dict[tuple[str, int, str], str] = {}
        for node, sla in found:
            its = {
                kind for kind in kinds if sla.fits(queue=kind[0], priority=kind[1], channel=kind[2])
            }
            if its and its <= counts.keys():
                takers = {counts[kind] for kind in its}
                what = ", ".join(f"“{it.name}”" for _, it in found if it.name in takers)
                told = f"the service level “{sla.name}” never counts: all its tickets go to {what}"
                self.wrong(node, f"{told}, further up; put it in front, or delete it")
            counts |= dict.fromkeys(its - counts.keys(), sla.name)

    def _sla(
        self, node: yaml.Node, keys: dict[str, yaml.Node], queues: dict[str, Queue], about: str
    ) -> Sla:
        named = self.texts_with_nodes(keys.get("queues"), f"{about}: queues")
        for item in named:
            if item.value not in queues:
                known = ", ".join(queues)
                self.wrong(item, f"{about}: there is no queue “{item.value}” (there is: {known})")
        targets = {
            clock: self.minutes(keys, clock.value, 1) for clock in Clock if clock.value in keys
        }
        if not targets:
            self.wrong(node, f"{about} sets no time: add one or more of {', '.join(Clock)}")
        last = targets.get(Clock.RESOLUTION)
        for clock in (Clock.FIRST_RESPONSE, Clock.NEXT_RESPONSE):
            if last is not None and targets.get(clock, 0) > last:
                told = f"{clock} comes before the end: make it smaller than resolution ({last})"
                self.wrong(keys[clock], f"{about}: {told}")
        return Sla(
            self.short(keys.get("name"), "name", 60) if "name" in keys else "",
            targets,
            queues=frozenset(str(item.value) for item in named),
            priorities=frozenset(
                self.number(item, f"{about}: priorities", 1, most=4, otherwise=3)
                for item in self.texts_with_nodes(keys.get("priorities"), f"{about}: priorities")
            ),
            channels=frozenset(self._channels(keys.get("channels"), f"{about}: channels")),
            always=self.flag(keys.get("always"), "always"),
            warn=self.number(keys.get("warn"), "warn", 1, most=99, otherwise=75) / 100,
            on_warning=self._actions(keys.get("on_warning"), f"{about}: on_warning", ("notify",)),
            on_breach=self._actions(
                keys.get("on_breach"), f"{about}: on_breach", ("notify", "raise")
            ),
        )

    def _channels(self, node: yaml.Node | None, about: str) -> Iterator[str]:
        for item in self.texts_with_nodes(node, about):
            if self.one_of(item, CHANNELS, about):
                yield str(item.value)

    def _actions(
        self, node: yaml.Node | None, about: str, otherwise: tuple[str, ...]
    ) -> tuple[str, ...]:
        if node is None:
            return otherwise
        found = self.texts_with_nodes(node, about)
        for item in found:
            self.one_of(item, SLA_ACTIONS, about)
        return tuple(str(item.value) for item in found)

    # The rest.

    def _reopening(self, node: yaml.Node | None) -> Iterator[Reopening]:
        before = 0
        for item in self.items(node, "reopening"):
            keys = dict(self.keyed(item, ("within_hours", "to", "otherwise"), "a row of reopening"))
            if not isinstance(item, yaml.MappingNode):
                continue
            if "to" not in keys or "within_hours" not in keys:
                self.wrong(item, "a row of reopening has “within_hours:” and “to:”")
            hours = self.number(
                keys.get("within_hours"), "within_hours", 1, most=8760, otherwise=before + 1
            )
            if hours <= before:
                self.wrong(item, "this row never counts: the hours go up from row to row")
            before = max(before, hours)
            to = self.one_of(keys.get("to"), REOPEN_TO, "to") or "bot"
            otherwise = self.one_of(keys.get("otherwise"), ("queue", "bot"), "otherwise") or "queue"
            yield Reopening(hours, to, otherwise)

    def _ratings(self, node: yaml.Node | None, queues: dict[str, Queue]) -> Ratings:
        usual = Ratings()
        names = ("hours", "cooldown_days", "low", "recovery_queue", "recovery_priority")
        keys = dict(self.keyed(node, names, "ratings"))

        def number(name: str, most: int, otherwise: int, least: int = 0) -> int:
            return self.number(keys.get(name), name, least, most=most, otherwise=otherwise)

        return Ratings(
            hours=number("hours", 720, usual.hours, 1),
            cooldown_days=number("cooldown_days", 365, usual.cooldown_days),
            low=number("low", 4, usual.low),
            recovery_queue=self._queue(keys.get("recovery_queue"), queues, "recovery_queue"),
            recovery_priority=number("recovery_priority", 4, usual.recovery_priority, 2),
        )

    def _assignment(self, node: yaml.Node | None) -> Assignment:
        keys: dict[str, Any] = dict(self.keyed(node, ("automatic", "capacity"), "assignment"))
        return Assignment(
            automatic=self.flag(keys.get("automatic"), "automatic"),
            capacity=self.number(keys.get("capacity"), "capacity", 1, most=50, otherwise=4),
        )


def _days(text: str) -> list[int] | None:
    """The days that "monday", "monday to friday" or "saturday to monday" names."""
    names = _DAYS_TO.split(text.strip().lower())
    if len(names) > 2 or not all(name in _DAY_NAMES for name in names):
        return None
    first, last = _DAY_NAMES[names[0]], _DAY_NAMES[names[-1]]
    return [(first + ahead) % 7 for ahead in range((last - first) % 7 + 1)]


def _past_midnight(text: str) -> str:
    """What to do about "22:00-6:00", or nothing where it is another mistake."""
    start, end = re.split(r"\s*[-–]\s*", text.strip())
    if start == end:
        return ""
    next_day = "" if re.fullmatch(r"0?0:00", end) else f' and, at the next day, "0:00-{end}"'
    return f'; past midnight: "{start}-24:00"{next_day}'

"""Reads ``orders.yml``: with the line of whatever is wrong in it, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from bot.orders.contract import Money
from bot.orders.policy import Policy, Span, Unit
from bot.yaml_nodes import FileWrong, Nodes, perhaps, read_yaml
from knowledge_base.check.stated import Stated

SETTING = "ORDERS_FILE"
SECTIONS = (
    "order_numbers", "time_zone", "home_country", "rules", "code_when_signed_in", "late_delivery",
    "photos_to", "return_reasons",
)  # fmt: skip

SPANS: Mapping[str, str] = {
    "return_window": "return send back",
    "problem_window": "report tell damaged wrong missing",
    "warranty": "warranty guarantee",
    "refund_issued": "issued refunded refund",
    "refund_at_bank": "bank",
    "reservation_released": "reserved released reservation",
    "exchange_reserved": "reserve reserved keep kept",
    "assessed": "assessed inspected decided",
    "unsubscribed": "effect unsubscribe newsletter",
}
"""The rules that are spans of time, each with the words by which an article speaks of it."""

AMOUNTS: Mapping[str, str] = {"return_fee_abroad": "cost costs return fee"}
"""The rules that are amounts of money."""

JOBS = ("cancel_order", "start_return", "exchange_item", "change_address", "update_contact")
"""What a code is asked for at all, as the engine names it: it could be used against a customer."""

MOST = {
    Unit.HOURS: 2400,
    Unit.DAYS: 3650,
    Unit.WORKING_DAYS: 2600,
    Unit.MONTHS: 600,
    Unit.YEARS: 50,
}
_UNITS = {str(unit): unit for unit in Unit} | {str(unit)[:-1]: unit for unit in Unit}
_UNITS |= {"business days": Unit.WORKING_DAYS, "business day": Unit.WORKING_DAYS}
_WEEKS = ("week", "weeks")
_SIGNS = {"£": "GBP", "€": "EUR", "$": "USD"}
_CODES = ("GBP", "EUR", "USD", "CHF", "NOK", "SEK", "DKK", "PLN")
_SPAN = re.compile(r"(?P<count>[-−+]?\d+(?:[.,]\d+)?)\s*(?P<unit>[^\d\s].*)")
_AMOUNT = (
    r"(?P<minus>[-−]?)\s*{sign}\s*(?P<minus2>[-−]?)(?P<whole>\d{{1,6}})(?:[.,](?P<part>\d\d))?"
)
_MONEY = (
    re.compile(_AMOUNT.format(sign="(?P<sign>[£€$]|[A-Za-z]{3})")),
    re.compile(_AMOUNT.format(sign="") + r"\s*(?P<sign>[£€$]|[A-Za-z]{3})"),
)
_PREFIX = re.compile(r"[A-Za-z0-9#/_.-]{0,10}")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,29}")
_ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")
_ARTICLE = re.compile(r"[^\s#?]+(?:/[^\s#?]+)*")


def load(path: Path) -> Policy:
    """Read and check the file.

    Raises:
        FileWrong: with every problem, each with its line.
    """
    return _checked(*read_yaml(path, SETTING))[0]


def parse(text: str, name: str = "orders.yml") -> Policy:
    """What a text says; raises `FileWrong`."""
    return _checked(*read_yaml(text, SETTING, name))[0]


def stated(path: Path, shown: str = "") -> list[Stated]:
    """Every rule that an article has to state, in the order of the file; raises `FileWrong`.

    Args:
        shown: how findings name the file; as it is if empty.
    """
    policy, lines = _checked(*read_yaml(path, SETTING))
    return [
        Stated(
            rule=name,
            text=str(getattr(policy, name)),
            article=article,
            path=shown or str(path),
            line=lines[name],
            words=(SPANS | AMOUNTS)[name],
        )
        for name, article in policy.articles.items()
    ]


def _checked(root: yaml.Node | None, name: str) -> tuple[Policy, Mapping[str, int]]:
    reader = _Reader(name, SETTING)
    policy = reader.file(root)
    if reader.problems:
        raise FileWrong(sorted(reader.problems, key=lambda problem: problem.line))
    return policy, reader.lines


class _Reader(Nodes):
    """What the file says, section by section. ``lines`` has the line of each rule's value."""

    def __init__(self, file: str, setting: str):
        super().__init__(file, setting)
        self.lines: dict[str, int] = {}

    def file(self, root: yaml.Node | None) -> Policy:
        sections = dict(self.keyed(root, SECTIONS, "the file"))
        if not isinstance(root, yaml.MappingNode):
            return Policy()
        usual = Policy()
        rules, articles = self._rules(root, sections.get("rules"))
        prefix, digits = self._numbers(sections.get("order_numbers"))
        credit, late_by = self._late(sections.get("late_delivery"))
        zone = self.time_zone(sections.get("time_zone"), otherwise=usual.time_zone.key)
        return Policy(
            number_prefix=prefix,
            number_digits=digits,
            time_zone=ZoneInfo(zone),
            home_country=self._country(sections.get("home_country"), usual.home_country),
            code_when_signed_in=self._jobs(sections.get("code_when_signed_in")),
            late_credit=credit,
            late_by=late_by,
            photos_to=self._photos(sections.get("photos_to")),
            return_reasons=self._reasons(sections.get("return_reasons")),
            articles=articles,
            **rules,
        )

    # The rules.

    def _rules(
        self, root: yaml.Node, node: yaml.Node | None
    ) -> tuple[dict[str, Any], dict[str, str]]:
        known = (*SPANS, *AMOUNTS)
        keys = dict(self.keyed(node, known, "rules"))
        values: dict[str, Any] = {}
        articles: dict[str, str] = {}
        for name, entry in keys.items():
            value, article = self._rule(name, entry)
            if value is not None:
                values[name] = value
            if article:
                articles[name] = article
        if missing := [name for name in known if name not in keys]:
            what = "this rule is" if len(missing) == 1 else "these rules are"
            told = f"{what} missing: {', '.join(missing)}; add “is:” and “article:” for each"
            self.wrong(node or root, told)
        return values, articles

    def _rule(self, name: str, node: yaml.Node) -> tuple[Span | Money | None, str]:
        about = f"the rule “{name}”"
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"{about}: write “is:” and “article:” below it, a line for each")
            return None, ""
        keys = dict(self.keyed(node, ("is", "article"), about))
        for needed in ("is", "article"):
            if needed not in keys:
                self.wrong(node, f"{about} has no “{needed}:”: add it")
        value: Span | Money | None = None
        if "is" in keys:
            self.lines[name] = keys["is"].start_mark.line + 1
            text = _text(keys["is"])
            read = self._money if name in AMOUNTS else self._span
            value = read(keys["is"], text, about)
        return value, self._article(keys.get("article"), about)

    def _span(self, node: yaml.Node, text: str, about: str) -> Span | None:
        match = _SPAN.fullmatch(text)
        if match is None:
            told = "write a number and what it counts, as “60 days” or “5 working days”"
            self.wrong(node, f"{about}: “{text}” is no length of time; {told}")
            return None
        count, name = match["count"], " ".join(match["unit"].lower().split())
        unit = Unit.DAYS if name in _WEEKS else _UNITS.get(name)
        if unit is None:
            units = (*map(str, Unit), "weeks")
            told = f"choose from {', '.join(units)}{perhaps(name, units)}"
            self.wrong(node, f"{about}: “{match['unit']}” is no unit; {told}")
            return None
        if not count.isdecimal() or len(count) > 6:
            self.wrong(node, f"{about}: write a whole number from 1 up, not “{count}”")
            return None
        days = int(count) * (7 if name in _WEEKS else 1)
        if not 1 <= days <= MOST[unit]:
            self.wrong(node, f"{about}: “{text}” is not from 1 to {MOST[unit]} {unit}")
            return None
        return Span(days, unit)

    def _money(self, node: yaml.Node, text: str, about: str) -> Money | None:
        match = next((it for pattern in _MONEY if (it := pattern.fullmatch(text))), None)
        currency = _SIGNS.get(match["sign"], match["sign"].upper()) if match else ""
        if match is None:
            told = "write it with its currency, as “€6.95” or “6.95 EUR”"
            self.wrong(node, f"{about}: “{text}” is no amount of money; {told}")
        elif currency not in _CODES:
            told = f"choose from £, €, $, {', '.join(_CODES)}"
            self.wrong(node, f"{about}: “{match['sign']}” is no currency that is known; {told}")
        elif match["minus"] or match["minus2"]:
            self.wrong(node, f"{about}: “{text}” is less than nothing; leave out the minus")
        else:
            return Money(int(match["whole"]) * 100 + int(match["part"] or 0), currency)
        return None

    def _article(self, node: yaml.Node | None, about: str) -> str:
        if node is None:
            return ""
        text = _text(node).replace("\\", "/").strip("/").removesuffix(".md")
        if not _ARTICLE.fullmatch(text) or ".." in PurePosixPath(text).parts:
            told = "write its path in the folder of articles, as returns/return-an-item"
            self.wrong(node, f"{about}: “{_text(node)}” names no article; {told}")
            return ""
        return text

    # The rest.

    def _numbers(self, node: yaml.Node | None) -> tuple[str, int]:
        usual = Policy()
        keys = dict(self.keyed(node, ("prefix", "digits"), "order_numbers"))
        prefix = usual.number_prefix
        if (found := keys.get("prefix")) is not None:
            prefix = _text(found)
            quoted = isinstance(found, yaml.ScalarNode) and found.style in ("'", '"')
            if not _PREFIX.fullmatch(prefix) or (not prefix and not quoted):
                told = 'as NP-, or between quotation marks: "#", or "" for none'
                self.wrong(found, f"prefix is what stands before the digits, {told}")
                prefix = usual.number_prefix
        digits = self.number(
            keys.get("digits"), "digits", 1, most=12, otherwise=usual.number_digits
        )
        if not prefix and digits < 4:
            told = "without a prefix, an order number has at least 4 digits: shorter ones are taken"
            self.wrong(keys.get("digits") or node, f"{told} for sizes, prices and dates")
        return prefix, digits

    def _country(self, node: yaml.Node | None, otherwise: str) -> str:
        import phonenumbers

        code = self.short(node, "home_country", 20, otherwise=otherwise).upper()
        if code in phonenumbers.SUPPORTED_REGIONS:
            return code
        meant = "; did you mean GB?" if code == "UK" else ": write its two letters, as GB, IE or DE"
        self.wrong(node, f"there is no country “{code}”{meant}")
        return otherwise

    def _jobs(self, node: yaml.Node | None) -> frozenset[str]:
        if node is None:
            return Policy().code_when_signed_in
        found = set()
        for item in self.texts_with_nodes(node, "code_when_signed_in"):
            name = str(item.value).strip()
            if name in JOBS:
                found.add(name)
            else:
                told = f"choose from {', '.join(JOBS)}{perhaps(name, JOBS)}"
                self.wrong(item, f"code_when_signed_in: no code is ever asked for “{name}”; {told}")
        if not found and isinstance(node, yaml.ScalarNode) and not node.value.strip():
            self.wrong(node, "code_when_signed_in is a list of jobs; [] for none")
        return frozenset(found)

    def _late(self, node: yaml.Node | None) -> tuple[Money | None, int]:
        usual = Policy()
        keys = dict(self.keyed(node, ("credit", "by_days"), "late_delivery"))
        by_days = self.number(keys.get("by_days"), "by_days", 1, most=90, otherwise=usual.late_by)
        credit = keys.get("credit")
        if credit is None:
            if isinstance(node, yaml.MappingNode) and keys:
                self.wrong(node, "late_delivery has no “credit:”: add it, or write “credit: none”")
            return usual.late_credit, by_days
        text = _text(credit)
        if text.lower() == "none":
            return None, by_days
        amount = self._money(credit, text, "late_delivery: credit")
        if amount is not None and not amount.minor:
            self.wrong(credit, "late_delivery: to offer nothing, write “credit: none”")
        return amount, by_days

    def _photos(self, node: yaml.Node | None) -> str:
        text = _text(node) if node is not None else ""
        if node is None or text.lower() == "none":
            return ""
        if not _ADDRESS.fullmatch(text):
            told = "write one, as help@shop.example, or “none”"
            self.wrong(node, f"photos_to: “{text}” is no e-mail address; {told}")
            return ""
        return text

    def _reasons(self, node: yaml.Node | None) -> Mapping[str, str]:
        if node is None:
            return Policy().return_reasons
        before = len(self.problems)
        found = dict(self._reason(node))
        if not found and len(self.problems) == before:
            self.wrong(node, "return_reasons: list at least one, as “size: It doesn't fit”")
        return found

    def _reason(self, node: yaml.Node) -> Iterator[tuple[str, str]]:
        words: set[str] = set()
        for key, value in self.pairs(node, "return_reasons"):
            text = self.short(value, f"return_reasons: {key.value}", 60)
            if not _KEY.fullmatch(key.value):
                self.wrong(key, f"name the reason “{key.value}” in small letters, digits and “_”")
            elif text.casefold() in words:
                self.wrong(value, f"return_reasons: “{text}” is there twice; leave one out")
            elif text:
                words.add(text.casefold())
                yield key.value, text


def _text(node: yaml.Node) -> str:
    return " ".join(str(node.value).split()) if isinstance(node, yaml.ScalarNode) else ""

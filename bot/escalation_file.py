"""Reads ``escalation.yml``: with the line of whatever is wrong in it, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from bot.escalation import (
    ABUSES,
    HAND_OVER,
    MOODS,
    OFFER,
    REASON_FIELDS,
    REPLY_FIELDS,
    Escalation,
    Rule,
    Standing,
    When,
)
from bot.phrases import Text, Topic, pattern_of
from bot.yaml_nodes import FileWrong, Nodes, read_yaml

SETTING = "ESCALATION_FILE"
SECTIONS = ("help_lines", "vip", "topics", "rules", "other_reasons", "everyday")
TOPIC_KEYS = ("phrases", "unless", "not_meant")
RULE_KEYS = (
    "name", "when", "reason_type", "reason", "priority", "queue", "then", "reply", "at_once",
    "always_said",
)  # fmt: skip
WHEN_KEYS = ("words", "intent", "mood", "in_a_row", "misses", "abuse", "vip")
ACTIONS = {"hand over": HAND_OVER, "offer": OFFER}
OTHER_REASONS = ("asked", "accepted", "job", "upset", "failure")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,19}")
_CONTACT = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|@[^@\s]+\.[^@\s]+|\+\d{7,15}")


def load(path: Path) -> Escalation:
    """Read and check the file.

    Raises:
        FileWrong: with every problem, each with its line.
    """
    return _checked(*read_yaml(path, SETTING))


def parse(text: str, name: str = "escalation.yml") -> Escalation:
    """What a text says; raises `FileWrong`."""
    return _checked(*read_yaml(text, SETTING, name))


def _checked(root: yaml.Node | None, name: str) -> Escalation:
    reader = _Reader(name, SETTING)
    escalation = reader.file(root)
    if reader.problems:
        raise FileWrong(sorted(reader.problems, key=lambda problem: problem.line))
    return escalation


class _Reader(Nodes):
    """What the file says, section by section."""

    # The sections.

    def file(self, root: yaml.Node | None) -> Escalation:
        sections = dict(self.keyed(root, SECTIONS, "the file"))
        if not isinstance(root, yaml.MappingNode):
            return Escalation()
        topics = dict(self._topics(sections.get("topics")))
        rules = self._rules(sections.get("rules"), topics)
        if not rules and not self.problems:
            self.wrong(root, "there is no rule: add “rules:”, or set ESCALATION_FILE to another")
        help_lines = tuple(self.texts(sections.get("help_lines"), "help_lines"))
        for rule, node in rules:
            if "{help_lines}" in rule.reply and not help_lines:
                self.wrong(node, f"the reply of “{rule.name}” names {{help_lines}}: list them")
        self._everyday(sections.get("everyday"), topics)
        return Escalation(
            rules=tuple(rule for rule, _ in rules),
            topics={name: topic for name, (topic, _) in topics.items()},
            vip=tuple(self._vip(sections.get("vip"))),
            help_lines=help_lines,
            other_reasons=self._others(sections.get("other_reasons")),
        )

    def _topics(self, node: yaml.Node | None) -> Iterator[tuple[str, tuple[Topic, Lines]]]:
        for key, value in self.pairs(node, "topics"):
            name = key.value
            if not _NAME.fullmatch(name):
                self.wrong(key, f"name the topic “{name}” in small letters, digits and “_”")
            keys = dict(self.keyed(value, TOPIC_KEYS, f"the topic “{name}”"))
            phrases = list(self._phrases(keys.get("phrases"), f"{name}: phrases"))
            unless = list(self._phrases(keys.get("unless"), f"{name}: unless"))
            if not phrases and not any(it.message.startswith(name) for it in self.problems):
                self.wrong(key, f"the topic “{name}” has no phrase: list some, or delete it")
            topic = Topic(name, tuple(it for it, _ in phrases), tuple(it for it, _ in unless))
            lines = dict(phrases)
            self._fires(self.scalars(keys.get("not_meant"), f"{name}: not_meant"), topic, lines)
            yield name, (topic, lines)

    def _phrases(self, node: yaml.Node | None, where: str) -> Iterator[tuple[str, yaml.Node]]:
        seen: set[str] = set()
        for item in self.scalars(node, where):
            try:
                pattern = pattern_of(item.value)
            except ValueError as error:
                self.wrong(item, f"the phrase “{item.value}” cannot be used: {error}")
                continue
            if pattern not in seen:  # twice does no harm
                seen.add(pattern)
                yield item.value, item

    def _everyday(self, node: yaml.Node | None, topics: dict[str, tuple[Topic, Lines]]) -> None:
        sentences = list(self.scalars(node, "everyday"))
        for topic, lines in topics.values():
            self._fires(sentences, topic, lines)

    def _fires(self, sentences: Sequence[yaml.Node], topic: Topic, lines: Lines) -> None:
        """Notes each phrase that is found in a sentence in which it must not be."""
        for sentence in sentences:
            text = Text(sentence.value)
            if topic.find(text) is None:
                continue
            for phrase, node in lines.items():
                if Topic(topic.name, (phrase,), topic.unless).find(text) is not None:
                    self.wrong(
                        node,
                        f"the phrase “{phrase}” of “{topic.name}” is found in “{sentence.value}” "
                        f"(line {sentence.start_mark.line + 1}), which is nothing of the kind: "
                        f"write a longer phrase, or add an exception to “unless”",
                    )

    def _vip(self, node: yaml.Node | None) -> Iterator[str]:
        for item in self.scalars(node, "vip"):
            contact = item.value.strip().lower()
            if "@" not in contact:
                contact = re.sub(r"[\s().-]", "", contact)
            if _CONTACT.fullmatch(contact):
                yield contact
            else:
                self.wrong(
                    item,
                    f"“{item.value}” is no customer: write an e-mail address (ada@example.com), "
                    "a domain (@example.com) or a phone number with its country code, in "
                    'quotation marks ("+44 7700 900123")',
                )

    def _others(self, node: yaml.Node | None) -> dict[str, Standing]:
        found = dict(Escalation().other_reasons)
        for name, value in self.keyed(node, OTHER_REASONS, "other_reasons"):
            keys = dict(self.keyed(value, ("priority", "queue"), f"other_reasons: {name}"))
            found[name] = Standing(
                self.number(keys.get("priority"), "priority", 1, most=4, otherwise=3),
                self.short(keys.get("queue"), "queue", 40, otherwise="general"),
            )
        return found

    # The rules.

    def _rules(
        self, node: yaml.Node | None, topics: dict[str, Any]
    ) -> list[tuple[Rule, yaml.Node]]:
        rules: list[tuple[Rule, yaml.Node]] = []
        lines: dict[str, int] = {}
        for item in self.items(node, "rules"):
            rule = self._rule(item, topics)
            if rule is None:
                continue
            if rule.name in lines:
                self.wrong(
                    item,
                    f"a second rule has the name “{rule.name}” (the first: line "
                    f"{lines[rule.name]}): give it another",
                )
            lines.setdefault(rule.name, item.start_mark.line + 1)
            rules.append((rule, item))
        return rules

    def _rule(self, node: yaml.Node, topics: dict[str, Any]) -> Rule | None:
        keys = dict(self.keyed(node, RULE_KEYS, "the rule"))
        if not keys:
            return None
        name = self.short(keys.get("name"), "name", 60)
        about = f"the rule “{name}”" if name else "a rule without a name"
        for needed in ("name", "when", "reason_type", "reason", "priority", "then"):
            if needed not in keys:
                self.wrong(node, f"{about} has no “{needed}:”: add it")
        then = keys.get("then")
        action = ACTIONS.get(str(then.value) if isinstance(then, yaml.ScalarNode) else "")
        if then is not None and action is None:
            self.wrong(then, f"{about}: “then” is “hand over” or “offer”")
        reason_type = self.short(keys.get("reason_type"), "reason_type", 20, otherwise="rule")
        if not _NAME.fullmatch(reason_type):
            self.wrong(keys["reason_type"], f"{about}: write reason_type in small letters and “_”")
        rule = Rule(
            name=name,
            when=self._when(keys.get("when"), topics, about),
            reason_type=reason_type,
            reason=self.template(keys.get("reason"), REASON_FIELDS, f"{about}: reason"),
            priority=self.number(keys.get("priority"), "priority", 1, most=4, otherwise=3),
            queue=self.short(keys.get("queue"), "queue", 40, otherwise="general"),
            action=action or HAND_OVER,
            reply=self.template(keys.get("reply"), REPLY_FIELDS, f"{about}: reply"),
            at_once=self.flag(keys.get("at_once"), "at_once"),
            always_said=self.flag(keys.get("always_said"), "always_said"),
        )
        self._consistent(rule, keys, about)
        return rule

    def _consistent(self, rule: Rule, keys: dict[str, yaml.Node], about: str) -> None:
        """What each key says is right; but do they go together?"""
        at_once, said = keys.get("at_once"), keys.get("always_said")
        if rule.at_once and not (rule.when.words_alone and rule.action == HAND_OVER):
            self.wrong(at_once, f"{about}: “at_once” is for rules of words alone that hand over")
        if rule.always_said and not (rule.at_once and rule.reply):
            self.wrong(said, f"{about}: “always_said” is for rules with “at_once” and a “reply”")
        if rule.always_said and "{receipt}" in rule.reply:
            told = "{receipt} tells of a new ticket; with “always_said” name {number} and {desk}"
            self.wrong(keys["reply"], f"{about}: {told}")
        elif rule.action == HAND_OVER and rule.reply:
            if "{number}" not in rule.reply and "{receipt}" not in rule.reply:
                told = "the customer gets no number: name {number} or {receipt} in the reply"
                self.wrong(keys["reply"], f"{about}: {told}")
        elif rule.action == OFFER and "{" in rule.reply:
            self.wrong(keys["reply"], f"{about}: an offer has no number yet; leave out the braces")

    def _when(self, node: yaml.Node | None, topics: dict[str, Any], about: str) -> When:
        keys = dict(self.keyed(node, WHEN_KEYS, f"{about}: when"))
        if node is not None and not keys:
            self.wrong(node, f"{about} waits for nothing: choose from {', '.join(WHEN_KEYS)}")
        words = tuple(self.texts(keys.get("words"), "words"))
        for name in words:
            if name not in topics:
                known = ", ".join(topics) or "none yet"
                self.wrong(
                    keys["words"], f"{about}: no topic is named “{name}” (there is: {known})"
                )
        mood = self.one_of(keys.get("mood"), tuple(MOODS), f"{about}: mood")
        if "in_a_row" in keys and not mood:
            self.wrong(keys["in_a_row"], f"{about}: “in_a_row” goes with “mood”: add it")
        return When(
            words=words,
            intent=tuple(self.texts(keys.get("intent"), "intent")),
            mood=mood,
            in_a_row=self.number(keys.get("in_a_row"), "in_a_row", 1, most=20, otherwise=1),
            misses=self.number(keys.get("misses"), "misses", 1, most=20, otherwise=0),
            abuse=self.one_of(keys.get("abuse"), ABUSES, f"{about}: abuse"),
            vip=self.flag(keys.get("vip"), "vip"),
        )


Lines = dict[str, yaml.Node]
"""A topic's phrases, each with its place in the file."""

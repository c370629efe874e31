"""When a person is needed: the rules that ``escalation.yml`` states, and how they are judged.

Pure functions, standard library only; the file itself is read by ``bot.escalation_file``.

The first rule that applies gives the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.phrases import Text, Topic

HAND_OVER, OFFER = "hand_over", "offer"
SELF_HARM = "self_harm"
"""The one reason type that stands before every other ticket at the desk."""

MOODS = {"worried": 1, "upset": 2, "angry": 3}
ABUSES = ("swearing", "aimed")
LONGEST_QUOTE = 160

REASON_FIELDS = ("words", "mood", "misses", "contact")
"""What a rule's reason may name in braces: the customer's words, how the mood came about, how many
questions in a row had no answer, and the address or number by which a customer was known."""

REPLY_FIELDS = ("number", "desk", "help_lines", "receipt")
"""And its reply: the ticket's number, who is at the desk now, the help lines, the whole receipt."""


@dataclass(frozen=True)
class When:
    """What a rule waits for. Everything that is set has to hold."""

    words: tuple[str, ...] = ()  # names of topics, any of them
    intent: tuple[str, ...] = ()
    mood: str = ""
    in_a_row: int = 1
    misses: int = 0
    abuse: str = ""
    vip: bool = False

    @property
    def words_alone(self) -> bool:
        """Whether the customer's words decide it, without the engine."""
        return bool(self.words) and not (
            self.intent or self.mood or self.misses or self.abuse or self.vip
        )


@dataclass(frozen=True)
class Rule:
    """One rule of the file.

    ``priority`` is 1 (most urgent) to 4; ``action`` is ``hand_over`` or ``offer``; ``reply`` is
    what the customer is told instead of the usual words ("": the usual ones); a rule ``at_once``
    does not wait for the engine; one ``always_said`` says its reply even while a person has the
    conversation.
    """

    name: str
    when: When
    reason_type: str
    reason: str
    priority: int
    queue: str
    action: str
    reply: str = ""
    at_once: bool = False
    always_said: bool = False


@dataclass(frozen=True)
class Situation:
    """What is known of a message: all of it or, before the engine was asked, the words alone."""

    text: str
    intent: str = ""
    mood: Mapping[str, Any] | None = None
    misses: int = 0  # in a row, this message included
    abuse: str = "none"
    contacts: tuple[str, ...] = ()  # e-mail addresses and "+44..." numbers that the customer wrote


@dataclass(frozen=True)
class Decision:
    """A rule that applies, and its reason in words."""

    rule: Rule
    reason: str
    priority: int

    @property
    def hands_over(self) -> bool:
        return self.rule.action == HAND_OVER


@dataclass(frozen=True)
class Standing:
    """Priority and queue of tickets that no rule opens, by reason type."""

    priority: int = 3
    queue: str = "general"


_STANDING = {"failure": Standing(2), "upset": Standing(2)}


@dataclass(frozen=True)
class Escalation:
    """Everything that the file says. Without arguments: no rules, and the usual priorities."""

    rules: tuple[Rule, ...] = ()
    topics: Mapping[str, Topic] = field(default_factory=dict)
    vip: tuple[str, ...] = ()
    help_lines: tuple[str, ...] = ()
    other_reasons: Mapping[str, Standing] = field(default_factory=lambda: dict(_STANDING))

    @property
    def queues(self) -> set[str]:
        """The queues that the rules name."""
        return {it.queue for it in self.rules} | {it.queue for it in self.other_reasons.values()}

    def judge(self, situation: Situation, done: Iterable[str] = ()) -> Decision | None:
        """The first rule that applies; those named in ``done`` are passed over."""
        passed = set(done)
        text = Text(situation.text)
        for rule in self.rules:
            if rule.name in passed:
                continue
            found = self._applies(rule.when, situation, text)
            if found is not None:
                reason = rule.reason.format(**found)
                return Decision(rule, reason, with_mood(rule.priority, situation.mood))
        return None

    def judge_words(self, text: str, *, at_once: bool = False) -> Decision | None:
        """The first rule that the words alone decide; ``at_once``: of those that do not wait."""
        found = self.all_words(text)
        return next((one for one in found if one.rule.at_once or not at_once), None)

    def all_words(self, text: str) -> Iterator[Decision]:
        """Every rule that the words alone decide, in order."""
        words, situation = Text(text), Situation(text)
        for rule in self.rules:
            if rule.when.words_alone:
                found = self._applies(rule.when, situation, words)
                if found is not None:
                    yield Decision(rule, rule.reason.format(**found), rule.priority)

    def standing(self, reason_type: str, mood: Mapping[str, Any] | None) -> Standing:
        """Priority, which the mood raises, and queue of a ticket that no rule opens."""
        found = self.other_reasons.get(reason_type, Standing())
        return Standing(with_mood(found.priority, mood), found.queue)

    def _applies(self, when: When, situation: Situation, text: Text) -> dict[str, str] | None:
        """What the reason may name when every condition holds; None when one does not."""
        span: tuple[int, int] | None = None
        if when.words:
            found = (self.topics[name].find(text) for name in when.words)
            span = next((it for it in found if it is not None), None)
            if span is None:
                return None
        contact = self._known(situation.contacts) if when.vip else ""
        if (
            (when.intent and situation.intent not in when.intent)
            or (when.mood and not _felt(when, situation.mood))
            or (when.misses and situation.misses < when.misses)
            or (when.abuse and _abuse(situation.abuse) < _abuse(when.abuse))
            or (when.vip and not contact)
        ):
            return None
        return {
            "words": quote(situation.text, span),
            "mood": str((situation.mood or {}).get("why") or "no mood is known"),
            "misses": str(situation.misses),
            "contact": contact,
        }

    def _known(self, contacts: Iterable[str]) -> str:
        for contact in contacts:
            written = contact.strip().lower()
            domain = "@" + written.rsplit("@", 1)[1] if "@" in written else ""
            for known in self.vip:
                if written == known or (
                    domain
                    and known.startswith("@")
                    and (domain == known or domain.endswith(f".{known[1:]}"))
                ):
                    return contact.strip()
        return ""


def with_mood(priority: int, mood: Mapping[str, Any] | None) -> int:
    """The priority, raised for customers who are upset (by one) or angry; never above 2: 1 is for
    what a rule says is that urgent."""
    level = int((mood or {}).get("level") or 0)
    if level >= 3:
        return min(priority, 2)
    return max(min(priority, 2), priority - 1) if level == 2 else priority


def quote(text: str, span: tuple[int, int] | None = None) -> str:
    """The customer's words in quotation marks, at most 160 characters, with those at ``span``."""
    words = " ".join(text.split())
    if len(words) <= LONGEST_QUOTE:
        return f"“{words}”"
    at = len(" ".join(text[: span[0]].split())) if span else 0
    start = max(0, min(at - 60, len(words) - LONGEST_QUOTE + 2))
    if start:
        start = words.rfind(" ", 0, start) + 1
    end = start + LONGEST_QUOTE - 2
    cut = words[start:end].strip()
    return f"“{'…' if start else ''}{cut}{'…' if end < len(words) else ''}”"


def _felt(when: When, mood: Mapping[str, Any] | None) -> bool:
    """Whether the customer has been that way, or worse, for so many messages, this one included:
    a calm message in the middle of a quarrel calls nobody."""
    felt = mood or {}
    if MOODS.get(str(felt.get("label")), 0) < MOODS[when.mood]:
        return False
    if when.in_a_row <= 1:
        return True
    counts = felt.get("in_a_row") or {}
    return bool(felt.get("heated")) and int(counts.get(when.mood) or 0) >= when.in_a_row


def _abuse(name: str) -> int:
    return ABUSES.index(name) + 1 if name in ABUSES else 0

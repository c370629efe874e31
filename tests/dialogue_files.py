"""The written conversations of ``tests/dialogues``: read, with every mistake named by its line.

The folder's README says how they are written; this says what is accepted.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "dialogues"
PHRASES = "phrases.yml"

TONES = ("neutral", "pleased", "worried", "upset", "angry")
OUTCOMES = (
    "answered",
    "offer",
    "referred",
    "receipt",
    "help lines",
    "emergency number",
    "asks again",
    "courtesy",
    "silence",
)
ANYBODY = "anybody"

CONVERSATION_KEYS = ("name", "why", "steps", "ticket", "known_miss")
STEP_KEYS = ("customer", "tone", "reply", "source", "says_any", "never_says")
TICKET_KEYS = ("reason_type", "priority", "queue", "mood")
NO_TICKET = "none"


@dataclass(frozen=True)
class Step:
    """One message, and what is expected of what follows it. Empty: nothing in particular."""

    line: int
    customer: str
    tone: tuple[str, ...] = ()
    reply: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    says_any: tuple[str, ...] = ()
    never_says: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ticket:
    """What a ticket has to be; ``priority`` is the least urgent that will do."""

    reason_type: tuple[str, ...] = ()
    priority: int = 4
    queue: tuple[str, ...] = ()
    mood: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conversation:
    """One conversation. ``tickets`` has what may be there at its end, None for no ticket."""

    file: str
    line: int
    name: str
    why: str
    steps: tuple[Step, ...]
    tickets: tuple[Ticket | None, ...]
    known_miss: str = ""

    @property
    def id(self) -> str:
        """As pytest names it: the file, and the conversation's name."""
        return f"{self.file}: {self.name}"


@dataclass(frozen=True)
class Phrases:
    """The sets of words that conversations name, and which of them nobody is ever told."""

    sets: dict[str, tuple[str, ...]]
    never: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def find(self, name: str, text: str) -> str:
        """The first phrase of the set that is in the text, "" when none is."""
        found = self._patterns[name].search(text.replace("’", "'"))
        return found.group() if found else ""

    @cached_property
    def _patterns(self) -> dict[str, re.Pattern[str]]:
        return {name: re.compile(_any_of(words), re.I) for name, words in self.sets.items()}


class DialogueError(Exception):
    """The files cannot be used; the text has a line for everything that is wrong."""

    def __init__(self, problems: Iterable[str]):
        super().__init__("\n".join(problems))


def load(folder: Path = FOLDER, articles: Path | None = None) -> tuple[list[Conversation], Phrases]:
    """All conversations of a folder in the order of its files, and the phrases.

    Args:
        folder: has ``phrases.yml`` and any number of other ``*.yml``.
        articles: where the articles are that ``source:`` names.

    Raises:
        DialogueError: with file, line and what to do, for every mistake in every file.
    """
    reader = _Reader(articles or ROOT / "knowledge_base" / "articles")
    phrases = reader.phrases(folder / PHRASES)
    conversations: list[Conversation] = []
    for path in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        if path.name != PHRASES:
            conversations += reader.conversations(path, phrases)
    if not conversations and not reader.problems:
        reader.problems.append(f"{folder.name} has no conversations: no *.yml beside {PHRASES}")
    if reader.problems:
        raise DialogueError(reader.problems)
    return conversations, phrases


def _any_of(words: Sequence[str]) -> str:
    return "|".join(
        ("(?<!\\w)" if word[0].isalnum() else "")
        + re.escape(word).replace("\\ ", "\\s+")
        + ("(?!\\w)" if word[-1].isalnum() else "")
        for word in words
    )


class _Reader:
    """Takes the files apart; notes every mistake and goes on."""

    def __init__(self, articles: Path):
        self._articles = articles
        self._file = ""
        self._names: dict[str, str] = {}
        self.problems: list[str] = []

    def phrases(self, path: Path) -> Phrases:
        sets: dict[str, tuple[str, ...]] = {}
        never: dict[str, tuple[str, ...]] = {}
        found = dict(self._entries(self._root(path), ("phrases", "never"), "the file"))
        for name, words in self._entries(found.get("phrases"), None, "phrases"):
            sets[name] = self._texts(words, f"the phrases of “{name}”")
        for whom, names in self._entries(found.get("never"), (ANYBODY, *TONES), "never"):
            never[whom] = self._texts(names, f"never: {whom}", known=tuple(sets))
        return Phrases({name: words for name, words in sets.items() if words}, never)

    def conversations(self, path: Path, phrases: Phrases) -> Iterator[Conversation]:
        root = self._root(path)
        if root is None:
            return
        if not isinstance(root, yaml.SequenceNode):
            self._wrong(root, "here stands a list of conversations: “- name: …”")
            return
        for node in root.value:
            # Where there are no phrases that is what is wrong, and not each use of them.
            yield self._conversation(node, tuple(phrases.sets) or None)

    def _conversation(self, node: yaml.Node, sets: Sequence[str] | None) -> Conversation:
        found = dict(self._entries(node, CONVERSATION_KEYS, "a conversation"))
        for key in ("name", "why", "steps", "ticket"):
            if key not in found:
                self._wrong(node, f"the conversation has no “{key}:”")
        name = self._text(found.get("name"), "name")
        line = node.start_mark.line + 1
        if name in self._names:
            self._wrong(node, f"“{name}” is the name of {self._names[name]} already")
        self._names[name or f"the one in line {line}"] = f"{self._file}, line {line}"
        steps = [self._step(step, sets) for step in self._list(found.get("steps"), "steps")]
        if "steps" in found and not steps:
            self._wrong(found["steps"], "a conversation has at least one step: “- customer: …”")
        return Conversation(
            file=self._file,
            line=line,
            name=name,
            why=self._text(found.get("why"), "why"),
            steps=tuple(steps),
            tickets=self._tickets(found.get("ticket")),
            known_miss=self._text(found.get("known_miss"), "known_miss"),
        )

    def _step(self, node: yaml.Node, sets: Sequence[str] | None) -> Step:
        found = dict(self._entries(node, STEP_KEYS, "a step"))
        if "customer" not in found:
            self._wrong(node, "the step has no “customer:”: what does the customer write?")
        for article in (sources := self._texts(found.get("source"), "source")):
            if not (self._articles / f"{article}.md").is_file():
                self._wrong(found["source"], f"there is no article {article}.md")
        return Step(
            line=node.start_mark.line + 1,
            customer=self._text(found.get("customer"), "customer"),
            tone=self._texts(found.get("tone"), "tone", known=TONES),
            reply=self._texts(found.get("reply"), "reply", known=OUTCOMES),
            source=sources,
            says_any=self._texts(found.get("says_any"), "says_any", known=sets),
            never_says=self._texts(found.get("never_says"), "never_says", known=sets),
        )

    def _tickets(self, node: yaml.Node | None) -> tuple[Ticket | None, ...]:
        """None, one ticket, or a list of what may be."""
        if isinstance(node, yaml.SequenceNode):
            if not node.value:
                self._wrong(node, f"ticket is empty: write “{NO_TICKET}” if there is to be none")
            return tuple(ticket for one in node.value for ticket in self._tickets(one))
        if isinstance(node, yaml.ScalarNode):
            if node.value != NO_TICKET:
                self._wrong(node, f"ticket is “{NO_TICKET}”, or says what the ticket has to be")
            return (None,)
        if node is None:
            return ()
        found = dict(self._entries(node, TICKET_KEYS, "ticket"))
        priority = self._text(found.get("priority"), "priority") or "4"
        if priority not in ("1", "2", "3", "4"):
            self._wrong(found["priority"], "priority is a number from 1 (most urgent) to 4")
            priority = "4"
        return (
            Ticket(
                reason_type=self._texts(found.get("reason_type"), "reason_type"),
                priority=int(priority),
                queue=self._texts(found.get("queue"), "queue"),
                mood=self._texts(found.get("mood"), "mood", known=TONES),
            ),
        )

    # Nodes.

    def _wrong(self, node: yaml.Node, message: str) -> None:
        self.problems.append(f"{self._file}, line {node.start_mark.line + 1}: {message}")

    def _root(self, path: Path) -> yaml.Node | None:
        self._file = path.name
        try:
            root = yaml.compose(path.read_text("utf-8-sig"), Loader=yaml.SafeLoader)
        except FileNotFoundError:
            self.problems.append(f"{path.name} is missing in {path.parent.name}")
        except UnicodeDecodeError:
            self.problems.append(f"{path.name} is not UTF-8: save it as UTF-8")
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f", line {mark.line + 1}" if mark else ""
            told = getattr(error, "problem", None) or "this is no YAML"
            hint = "put a text with a colon or a # between quotation marks"
            self.problems.append(f"{path.name}{line}: {told}; {hint}")
        else:
            if root is None:
                self.problems.append(f"{path.name} is empty: write a conversation or delete it")
            return root
        return None

    def _entries(
        self, node: yaml.Node | None, known: Sequence[str] | None, about: str
    ) -> Iterator[tuple[str, yaml.Node]]:
        """The entries of a mapping, each key once; ``known`` None for any keys."""
        if node is None:
            return
        if not isinstance(node, yaml.MappingNode):
            self._wrong(node, f"{about}: here stand lines of the form “name: value”")
            return
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if known is not None and name not in known:
                self._wrong(key, f"{about} has no “{name}:”{_instead(name, known)}")
            elif name in seen:
                self._wrong(key, f"{about} has “{name}:” twice")
            else:
                seen.add(name)
                yield name, value

    def _list(self, node: yaml.Node | None, about: str) -> list[yaml.Node]:
        if node is None or isinstance(node, yaml.SequenceNode):
            return list(node.value) if node is not None else []
        self._wrong(node, f"{about}: here stands a list, each of it begins with “- ”")
        return []

    def _text(self, node: yaml.Node | None, about: str) -> str:
        if node is None:
            return ""
        if isinstance(node, yaml.ScalarNode) and node.value.strip():
            return str(node.value).strip()
        self._wrong(node, f"{about} is a text; put one with a colon between quotation marks")
        return ""

    def _texts(
        self, node: yaml.Node | None, about: str, known: Sequence[str] | None = None
    ) -> tuple[str, ...]:
        """One text or a list of them, each of which is known."""
        if node is None:
            return ()
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not nodes:
            self._wrong(node, f"{about} is empty: write something, or delete the line")
        found = [(it, self._text(it, about)) for it in nodes]
        for it, text in found:
            if text and known is not None and text not in known:
                self._wrong(it, f"{about} has no “{text}”{_instead(text, known)}")
        return tuple(text for _, text in found if text and (known is None or text in known))


def _instead(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"; did you mean “{close[0]}”?" if close else f"; choose from {', '.join(known)}"

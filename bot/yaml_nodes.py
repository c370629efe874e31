"""The nodes of a YAML file that people edit: what is in them, or the line and what is wrong."""

from __future__ import annotations

import difflib
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import yaml


@dataclass(frozen=True)
class Problem:
    """Something wrong in the file; ``line`` is 0 where the file as a whole is meant."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.message}" if self.line else self.message


class FileWrong(Exception):
    """The file cannot be used; ``problems`` has everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]):
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def read_yaml(source: Path | str, setting: str, name: str = "") -> tuple[yaml.Node | None, str]:
    """The root node of a file, or of a text, and the file's name; raises `FileWrong`."""
    text, name = text_of(source, setting) if isinstance(source, Path) else (source, name)
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader), name
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        told = (
            f"this is no YAML: {what}. Look at the indentation here and just above, and put a "
            "phrase with a colon or a quotation mark in it between quotation marks"
        )
        raise FileWrong([Problem(name, mark.line + 1 if mark else 0, told)]) from error


def text_of(path: Path, setting: str) -> tuple[str, str]:
    """A file's text and name; raises `FileWrong`. ``setting`` is the one that names another file."""
    try:
        return path.read_bytes().decode("utf-8-sig"), path.name
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        told = f"{path} cannot be read ({why}): put it back, or set {setting}"
        raise FileWrong([Problem(path.name, 0, told)]) from error
    except UnicodeDecodeError as error:
        told = f"{path} is not UTF-8 text: save it as UTF-8 (in Windows' editors: “UTF-8”)"
        raise FileWrong([Problem(path.name, 0, told)]) from error


class Nodes:
    """Takes nodes apart and notes what is wrong; every method gives something usable back."""

    def __init__(self, file: str, setting: str):
        """``setting`` is the one that names another file."""
        self._file = file
        self._setting = setting
        self.problems: list[Problem] = []

    def wrong(self, node: yaml.Node | None, message: str) -> None:
        line = node.start_mark.line + 1 if node is not None else 0
        self.problems.append(Problem(self._file, line, message))

    # Single values.

    def number(
        self, node: yaml.Node | None, name: str, least: int, *, most: int, otherwise: int
    ) -> int:
        if node is None:
            return otherwise
        value = str(node.value)
        scalar = isinstance(node, yaml.ScalarNode)
        if scalar and value.isdecimal() and len(value) < 10 and least <= int(value) <= most:
            return int(value)
        shown = f"“{value[:20]}”" if scalar and value.strip() else "nothing" if scalar else "that"
        self.wrong(node, f"{name} is a whole number from {least} to {most}, not {shown}")
        return otherwise

    def flag(self, node: yaml.Node | None, name: str) -> bool:
        if node is None:
            return False
        value = str(node.value).lower()
        if value not in ("true", "yes", "false", "no"):
            self.wrong(node, f"{name} is yes or no")
        return value in ("true", "yes")

    def one_of(self, node: yaml.Node | None, choices: Sequence[str], about: str) -> str:
        if node is None:
            return ""
        if isinstance(node, yaml.ScalarNode) and node.value in choices:
            return str(node.value)
        self.wrong(node, f"{about} is one of {', '.join(choices)}")
        return ""

    def short(self, node: yaml.Node | None, name: str, longest: int, *, otherwise: str = "") -> str:
        """A text of a few words; ``otherwise`` where there is none."""
        if node is None:
            return otherwise
        text = str(node.value).strip() if isinstance(node, yaml.ScalarNode) else ""
        if not text or len(text) > longest:
            self.wrong(node, f"{name} is a text of at most {longest} characters")
            return otherwise
        return text

    def time_zone(self, node: yaml.Node | None, *, otherwise: str = "UTC") -> str:
        """The name of a time zone that this machine knows."""
        zone = self.short(node, "time_zone", 60, otherwise=otherwise)
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            known = {name.lower(): name for name in available_timezones()}
            close = difflib.get_close_matches(zone.lower(), known, 1)
            meant = f"did you mean {known[close[0]]}?" if close else "write one as Europe/London"
            self.wrong(node, f"there is no time zone “{zone}”; {meant}")
            return otherwise
        return zone

    def template(self, node: yaml.Node | None, fields: Sequence[str], about: str) -> str:
        if node is None:
            return ""
        text = str(node.value).strip() if isinstance(node, yaml.ScalarNode) else ""
        if not text:
            self.wrong(node, f"{about} is empty: write a text, or delete the line")
            return ""
        named = ", ".join(f"{{{name}}}" for name in fields)
        try:
            used = {part[1] for part in string.Formatter().parse(text) if part[1] is not None}
        except ValueError:
            used = {""}
        for name in sorted(used - set(fields)):
            self.wrong(node, f"{about} names {{{name}}}, which there is not; choose from {named}")
        return text

    # Nodes.

    def keyed(
        self, node: yaml.Node | None, known: Sequence[str], about: str
    ) -> Iterator[tuple[str, yaml.Node]]:
        """The entries of a mapping with known keys only."""
        for key, value in self.pairs(node, about):
            if key.value in known:
                yield key.value, value
            else:
                what = "condition" if about.endswith(": when") else "line"
                told = f"{about} has no {what} “{key.value}:”; choose from {', '.join(known)}"
                self.wrong(key, told + perhaps(key.value, known))

    def pairs(
        self, node: yaml.Node | None, about: str
    ) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        """The entries of a mapping, each key once."""
        if node is None or _empty(node):
            if about == "the file":
                self.wrong(None, f"{self._file} is empty: put it back, or set {self._setting}")
            return
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"{about}: here stand lines of the form “name: value”")
            return
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.wrong(key, f"{about}: this is no name")
            elif key.value in seen:
                self.wrong(key, f"{about} has “{key.value}:” twice: put both together")
            else:
                seen.add(key.value)
                yield key, value

    def texts(self, node: yaml.Node | None, about: str) -> Iterator[str]:
        """One text, or a list of texts."""
        if isinstance(node, yaml.ScalarNode) and not _empty(node):
            yield str(node.value)
            return
        for item in self.scalars(node, about):
            yield str(item.value)

    def texts_with_nodes(self, node: yaml.Node | None, about: str) -> list[yaml.Node]:
        """One text, or a list of texts, as nodes."""
        if isinstance(node, yaml.ScalarNode) and not _empty(node):
            return [node]
        return self.scalars(node, about)

    def scalars(self, node: yaml.Node | None, about: str) -> list[yaml.Node]:
        found = []
        for item in self.items(node, about):
            if isinstance(item, yaml.ScalarNode) and not _empty(item):
                found.append(item)
            else:
                told = "each line is “- ” and a text; put one with a colon between quotation marks"
                self.wrong(item, f"{about}: {told}")
        return found

    def items(self, node: yaml.Node | None, about: str) -> list[yaml.Node]:
        if node is None or _empty(node):
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.wrong(node, f"{about}: here stands a list, each line of it begins with “- ”")
            return []
        return list(node.value)


def perhaps(name: str, known: Sequence[str]) -> str:
    """What was most likely meant by a name that is not known; "" where nothing is like it."""
    close = difflib.get_close_matches(name.lower(), known, 1)
    return f" (did you mean “{close[0]}”?)" if close else ""


def _empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and (
        not node.value.strip() or node.tag == "tag:yaml.org,2002:null"
    )

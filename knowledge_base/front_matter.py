"""The fields at the top of an article, read so that every mistake has its line. Rules only.

YAML between `---` or TOML between `+++`; an article may have none. Fields that are not ours belong to
other tools and are passed over, whatever they hold.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any, Literal

import yaml

Audience = Literal["public", "staff"]
AUDIENCES: tuple[Audience, ...] = ("public", "staff")

OURS = ("title", "summary", "audience", "updated", "owner", "tags", "questions")

LONGEST = 64_000
"""Characters of front matter; a longer one is body text that a lost fence made part of it."""

_ENDS = {"---": ("---", "..."), "+++": ("+++",)}
_KEY = re.compile(r"\s*[\"']?[A-Za-z_$][\w$ .-]*+[\"']?\s*+(?::(?:\s|$)|=)")
_AUDIENCE_KEY = re.compile(r"^[ \t]*[\"']?audi\w*[\"']?[ \t]*[:=]", re.IGNORECASE | re.MULTILINE)
_AUDIENCE_WORD = re.compile(r"audi[ae]nce\W{0,5}([^\n#]*)", re.IGNORECASE)
_TOML_LINE = re.compile(r"at line (\d+)")
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class ArticleError(ValueError):
    """A file that is no article: where (1-based line), what is wrong, and what to do next."""

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}")
        self.path = path
        self.line = line
        self.message = message


@dataclass(frozen=True)
class Field:
    """A text, a list, or None for what is neither, and its 1-based line in the file."""

    value: str | tuple[Field, ...] | None
    line: int


class FrontMatter:
    """The fields by name, in small letters.

    Values stay as written (`title: 2026` is the text "2026", `owner: no` is "no"), because an
    editor means words, not YAML's types.
    """

    def __init__(self, fields: Sequence[tuple[str, Field]], path: str) -> None:
        """Raises ArticleError if who may read the article is said twice."""
        self._path = path
        self._fields: dict[str, Field] = {}
        self.repeated: list[tuple[int, str]] = []
        for key, value in fields:
            name = key.strip().casefold()
            if name not in self._fields:
                self._fields[name] = value
            elif name in OURS:
                message = f"`{key}` is there twice; delete one"
                if name == "audience":
                    raise ArticleError(path, value.line, message)
                self.repeated.append((value.line, message))

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def line(self, name: str) -> int:
        """The 1-based line of a field in the file, or of the first line without it."""
        found = self._fields.get(name)
        return found.line if found else 1

    def text(self, name: str) -> str:
        """A field on one line, "" without it. Raises ArticleError if it is no text."""
        found = self._fields.get(name)
        if found is None:
            return ""
        if not isinstance(found.value, str):
            raise ArticleError(
                self._path, found.line, f"`{name}` must be one text; put it on one line"
            )
        return " ".join(found.value.split())

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, or one text as a list. Raises ArticleError if it is neither."""
        found = self._fields.get(name)
        if found is None or found.value == "":
            return ()
        items = found.value if isinstance(found.value, tuple) else (found,)
        for item in items:
            if not isinstance(item.value, str):
                raise ArticleError(
                    self._path,
                    item.line,
                    f'`{name}` must be a list of texts; put "double quotes" around this one',
                )
        texts = (" ".join(item.value.split()) for item in items if isinstance(item.value, str))
        return tuple(text for text in texts if text)

    def date(self, name: str) -> date | None:
        """A day like 2026-10-26; a time behind it is passed over. Raises ArticleError."""
        value = self.text(name)
        try:
            return date.fromisoformat(re.split(r"[T ]", value)[0]) if value else None
        except ValueError as error:
            raise ArticleError(
                self._path,
                self.line(name),
                f"`{name}: {value}` is no date; write it like `2026-10-26`",
            ) from error

    def audience(self) -> Audience | None:
        """Who may read the article; None if that is not said. Raises ArticleError."""
        for name in get_close_matches("audience", self._fields, cutoff=0.8):
            if name != "audience" and _plain(self._fields[name]) in AUDIENCES:
                raise ArticleError(
                    self._path,
                    self.line(name),
                    f"`{name}`; write `audience`, or nobody is kept out",
                )
        if "audience" not in self:
            return None
        value = self.text("audience")
        for audience in AUDIENCES:
            if value.casefold() == audience:
                return audience
        raise ArticleError(
            self._path, self.line("audience"), f"audience {value!r}; write `public` or `staff`"
        )

    @property
    def draft(self) -> bool:
        """Whether it is not to be shown yet: `draft: true`, `published: false`."""
        draft, published = (self._fields.get(name) for name in ("draft", "published"))
        return _plain(draft) in _TRUE or _plain(published) in _FALSE


def read_front_matter(lines: Sequence[str], path: str) -> tuple[FrontMatter, int]:
    """The fields of a file and the 0-based line on which its body begins. Raises ArticleError."""
    none = FrontMatter((), path), 0
    start = next((n for n, line in enumerate(lines) if line.strip()), None)
    fence = "" if start is None else lines[start].rstrip()
    if start is None or fence not in _ENDS:
        return none
    close = _line_of(_ENDS[fence], lines, start + 1)
    inner = lines[start + 1 : close]
    first = next((line for line in inner if line.strip()), "")
    if close is None:
        # Without a field, the first line is a rule across the page, as markdown has them.
        if not _KEY.match(first):
            return none
        raise ArticleError(
            path, start + 1, f"the front matter never ends; close it with a line `{fence}`"
        )
    text = "\n".join(inner)
    if len(text) > LONGEST:
        raise ArticleError(
            path,
            start + 1,
            f"the front matter is over {LONGEST // 1000},000 characters long; "
            f"close it with a line `{fence}` where the text begins",
        )
    if not any(_KEY.match(line) for line in inner) and not _AUDIENCE_WORD.search(text):
        # Two rules with text between them are a body; with nothing, an empty front matter.
        return none if first else (FrontMatter((), path), close + 1)
    read = _yaml if fence == "---" else _toml
    return FrontMatter(read(text, path, start + 1), path), close + 1


def front_text(source: str) -> str:
    """What stands between the fences, or all of a file whose front matter never ends."""
    lines = source.removeprefix("\ufeff").splitlines()
    start = next((n for n, line in enumerate(lines) if line.strip()), 0)
    fence = lines[start].rstrip() if lines else ""
    if fence not in _ENDS:
        return ""
    return "\n".join(lines[start + 1 : _line_of(_ENDS[fence], lines, start + 1)])


def states_audience(source: str) -> bool:
    """Whether a file that cannot be read otherwise seems to say who may read it."""
    return bool(_AUDIENCE_KEY.search(front_text(source)))


def may_be_internal(source: str) -> bool:
    """Whether a broken file may be meant for staff: to be asked of one that was public."""
    text = front_text(source)
    said = {it[1].strip(" \t\r\"'").casefold() for it in _AUDIENCE_WORD.finditer(text)}
    return "staff" in text.casefold() or bool(said - {"public"})


def _line_of(marks: Sequence[str], lines: Sequence[str], start: int) -> int | None:
    return next((n for n in range(start, len(lines)) if lines[n].rstrip() in marks), None)


def _plain(found: Field | None) -> str:
    return found.value.strip().casefold() if found and isinstance(found.value, str) else ""


def _yaml(text: str, path: str, above: int) -> list[tuple[str, Field]]:
    """The fields of YAML that stands below `above` lines of the file."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ArticleError(
            path,
            (mark.line if mark else 0) + above + 1,
            f"the front matter is no YAML ({error.problem or error}); "
            'put values that hold `: ` or `#` in "double quotes"',
        ) from error
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        line = text.count("\n", 0, getattr(error, "position", 0))
        raise ArticleError(
            path, line + above + 1, f"the front matter is no YAML ({error}); retype it"
        ) from error
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode):
        raise ArticleError(path, above + 1, "the front matter has no fields; write `title: ...`")
    return [
        (key.value if isinstance(key.value, str) else "", _yaml_field(value, above))
        for key, value in root.value
    ]


def _yaml_field(node: yaml.Node, above: int) -> Field:
    line = node.start_mark.line + above + 1
    if isinstance(node, yaml.SequenceNode):
        items = (item.value if isinstance(item, yaml.ScalarNode) else None for item in node.value)
        lines = (item.start_mark.line + above + 1 for item in node.value)
        return Field(tuple(Field(*item) for item in zip(items, lines, strict=True)), line)
    return Field(node.value if isinstance(node, yaml.ScalarNode) else None, line)


def _toml(text: str, path: str, above: int) -> list[tuple[str, Field]]:
    """The fields of TOML that stands below `above` lines of the file."""
    try:
        values: Mapping[str, Any] = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        found = _TOML_LINE.search(str(error))
        # An error at its end is one of the last line.
        line = min(int(found[1]), text.count("\n") + 1) if found else 1
        raise ArticleError(
            path, line + above, f'the front matter is no TOML ({error}); put texts in "quotes"'
        ) from error
    lines = {}
    for number, line in enumerate(text.split("\n"), above + 1):
        key = line.split("=", 1)[0].strip().strip("\"'")
        lines.setdefault(key, number)
    return [(key, _toml_field(value, lines.get(key, above))) for key, value in values.items()]


def _toml_field(value: Any, line: int) -> Field:
    if isinstance(value, list):
        return Field(tuple(_toml_field(item, line) for item in value), line)
    return Field(None if isinstance(value, dict) else str(value), line)

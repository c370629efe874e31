"""The YAML at the top of an article, read so that every mistake has its line. Rules only."""

from __future__ import annotations

from datetime import date

import yaml


class ArticleError(ValueError):
    """A file that is no article: where (1-based line), what is wrong, and what to do next."""

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}")
        self.path = path
        self.line = line
        self.message = message


class FrontMatter:
    """The YAML between the fences, read as text with the line of every key.

    Values stay as written (`title: 2026` is the text "2026", `owner: no` is "no"), because an
    editor means words, not YAML's types.
    """

    def __init__(self, text: str, path: str) -> None:
        self._path = path
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise ArticleError(
                path,
                (mark.line if mark else 0) + 2,
                f"the front matter is no YAML ({error.problem or error}); "
                'put values that hold `: ` or `#` in "double quotes"',
            ) from error
        except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
            raise ArticleError(
                path, 2, f"the front matter is no YAML ({error}); retype it"
            ) from error
        if not isinstance(root, yaml.MappingNode):
            raise ArticleError(path, 2, "the front matter has no fields; write `title: ...`")
        self._fields: dict[str, yaml.Node] = {}
        for key, value in root.value:
            name = str(key.value)
            if name in self._fields:
                raise ArticleError(
                    path, key.start_mark.line + 2, f"`{name}` is there twice; delete one"
                )
            self._fields[name] = value

    def line(self, name: str) -> int:
        """The 1-based line of a field in the file, or of the opening fence without it."""
        node = self._fields.get(name)
        return node.start_mark.line + 2 if node else 1

    def text(self, name: str) -> str:
        node = self._fields.get(name)
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode):
            raise ArticleError(
                self._path, self.line(name), f"`{name}` must be one text; put it on one line"
            )
        return " ".join(node.value.split())

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            example = "public" if name == "audience" else "How to return an item"
            raise ArticleError(
                self._path, self.line(name), f"no {name}; add a line `{name}: {example}`"
            )
        return value

    def date(self, name: str) -> date | None:
        value = self.text(name)
        try:
            return date.fromisoformat(value) if value else None
        except ValueError as error:
            raise ArticleError(
                self._path,
                self.line(name),
                f"`{name}: {value}` is no date; write it like `2026-10-26`",
            ) from error

    def texts(self, name: str) -> tuple[str, ...]:
        node = self._fields.get(name)
        if node is None or (isinstance(node, yaml.ScalarNode) and not node.value.strip()):
            return ()
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for item in items:
            if not isinstance(item, yaml.ScalarNode):
                raise ArticleError(
                    self._path,
                    item.start_mark.line + 2,
                    f'`{name}` must be a list of texts; put "double quotes" around this one',
                )
        return tuple(text for item in items if (text := " ".join(item.value.split())))

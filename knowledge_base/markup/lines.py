"""Markup that takes whole lines: comments, boxes (`:::note`, `!!! note`, `> [!NOTE]`), imports."""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge_base.markup.code import Code, apply, code_lines

ANY = re.compile(
    r"<!--|\{/\*|^[ \t>]*(?::{3}|!!!|\?\?\?|===[!+]? |\[!|\[\[?_?TOC|\[(?://|comment|_)\]:|-{1,2}8<)"
    r"|^(?:import|export)[ \t{*]|^<<<",
    re.MULTILINE | re.IGNORECASE,
)
"""Without one of these, `clean_lines` has nothing to do."""

_COMMENT = re.compile(r"<!--|\{\{/\*|\{/\*")
_COMMENT_ENDS = {"<!--": "-->", "{{/*": "*/}}", "{/*": "*/}"}
_COMMENTED_ID = re.compile(r"\{/\*\s*#([\w:.-]+)\s*\*/\}")

_COLONS = re.compile(r"(?P<before>[ \t>]*):{3,}[ \t]*(?P<kind>[A-Za-z][\w-]*)?(?P<rest>.*)")
_BANGS = re.compile(r"[ \t]*(?:!!!|\?\?\?\+?)[ \t]+(?P<kind>[\w-]+)(?P<rest>.*)")
_TAB = re.compile(r"[ \t]*===[!+]?[ \t]+(?P<rest>\".*\")[ \t]*")
_ALERT = re.compile(r"(?P<before>[ \t]*>[ \t>]*)\[!(?P<kind>[^\]]*)\][+-]?(?P<rest>.*)")
_QUOTED = re.compile(r"\"(.*)\"|'(.*)'")
_IN_BRACKETS = re.compile(r"\[(.*)\]")
_ATTRIBUTES = re.compile(r"\{[^{}]*\}\s*$")
_TITLE = re.compile(r"\btitle=[\"']([^\"']*)[\"']")
_INVISIBLE = re.compile(
    r"\s*(?:\[TOC\]|\[\[_?TOC_?\]\])\s*$|\s{0,3}\[(?://|comment|_)\]:\s|\s*-{1,2}8<|<<<\s*@",
    re.IGNORECASE,
)
KINDS = frozenset(
    """
    note notes tip tips hint info information important warning caution danger attention error
    success check question help faq example abstract summary tldr bug failure quote seealso todo
    details
    """.split()  # noqa: SIM905 (readable, and as easily changed as prose)
)
"""Boxes whose kind their tools show as a heading where the author gave none."""

_IMPORT = re.compile(
    r"import\s+(?:['\"][^'\"]+['\"]|[\w$*{][\w$*{},\s]*\sfrom\s+['\"][^'\"]+['\"])\s*+;?\s*+$"
)
_IMPORT_OPENS = re.compile(r"import\s+(?:[\w$]+\s*,\s*)?\{[^{}]*$")
_EXPORT = re.compile(
    r"export\s*(?:\{|\*\s*(?:from|as)\b)"
    r"|export\s+(?:const|let|var)\s+[\w${\[]|export\s+(?:async\s+)?function\b|export\s+class\s+\w"
    r"|export\s+default\s*(?:[{(]|function\b|class\b|[\w$.]++\s*+(?:\(.*\)\s*+)?;?\s*+$)"
)
LONGEST_STATEMENT = 300
"""Lines that an `export` may go on for."""


def clean_lines(text: str, mdx: bool = False) -> str:
    """The text without comments, imports and the marks of boxes; their titles become bold."""
    text = _without_comments(text, mdx)
    lines = text.split("\n")
    code = code_lines(lines, mdx)
    lines = _without_statements(lines, code)
    lines = _dedented_boxes(lines, code)
    for number, line in enumerate(lines):
        if not code[number] and ANY.match(line):
            follows = lines[number + 1] if number + 1 < len(lines) else ""
            lines[number] = _box(line, follows)
    return "\n".join(lines)


def bold(label: str, follows: str = "") -> str:
    """A label as bold text; what follows in the same paragraph begins on a line of its own."""
    label = label.strip().strip("*").strip()
    return f"**{label}**{'  ' if follows.strip(' >') else ''}" if label else ""


def _without_comments(text: str, mdx: bool) -> str:
    if not _COMMENT.search(text):
        return text
    code, edits, at = Code(text, mdx), [], 0
    missing: set[str] = set()
    while found := _COMMENT.search(text, at):
        at = code.end(found.start()) or found.end()
        if at != found.end() or found[0] in missing:
            continue
        closing = _COMMENT_ENDS[found[0]]
        end = text.find(closing, found.end())
        if end < 0:
            missing.add(found[0])  # and so there is none further down
            continue
        at = end + len(closing)
        named = _COMMENTED_ID.fullmatch(text, found.start(), at)
        edits.append((found.start(), at, f"{{#{named[1]}}}" if named else ""))
    return apply(text, edits)


def _without_statements(lines: Sequence[str], code: Sequence[int]) -> list[str]:
    """Blank instead of MDX's `import` and `export`, which end where their brackets do."""
    lines = list(lines)
    number = hopeless = 0
    while number < len(lines):
        # Only where a paragraph would begin; in the middle of one, the word is prose.
        starts = number >= hopeless and (not number or not lines[number - 1].strip())
        starts = starts and lines[number].startswith(("import", "export")) and not code[number]
        end = _statement_end(lines, number) if starts else number
        if end is None:  # whose brackets do not close: not looked for again at every line
            end, hopeless = number, number + LONGEST_STATEMENT
        lines[number:end] = [""] * (end - number)
        number = max(end, number + 1)
    return lines


def _statement_end(lines: Sequence[str], start: int) -> int | None:
    """The line behind the statement that begins here, `start` for prose; None if it has no end."""
    if _IMPORT.match(lines[start]):
        return start + 1
    if not (_EXPORT.match(lines[start]) or _IMPORT_OPENS.match(lines[start])):
        return start
    depth = 0
    for number in range(start, min(len(lines), start + LONGEST_STATEMENT)):
        depth += sum(lines[number].count(it) for it in "{[(")
        depth -= sum(lines[number].count(it) for it in "}])")
        if depth <= 0:
            return number + 1
    return None


def _dedented_boxes(lines: Sequence[str], code: Sequence[int]) -> list[str]:
    """MkDocs' boxes and tabs (`!!! note`, `=== "Mac"`) with what they hold moved to the margin."""
    if not any(line.lstrip().startswith(("!!!", "???", "===")) for line in lines):
        return list(lines)
    within = _indents_of_next_text(lines)
    moved: list[str] = []
    opened: list[int] = []
    for number, line in enumerate(lines):
        indent = _indent(line)
        while opened and line.strip() and indent < opened[-1]:
            opened.pop()
        if opened:
            line = " " * max(0, indent - 4 * len(opened)) + line.lstrip()
        found = None if code[number] else (_BANGS.fullmatch(line) or _TAB.fullmatch(line))
        if found and within[number] >= indent + 4:
            opened.append(indent + 4)
            quoted = _QUOTED.search(found["rest"])
            title = quoted[1] or quoted[2] or "" if quoted else found["kind"].capitalize()
            line = line[: len(line) - len(line.lstrip())] + bold(title, lines[number + 1])
        moved.append(line)
    return moved


def _indents_of_next_text(lines: Sequence[str]) -> list[int]:
    """For each line how far the next one with text is indented; -1 for none."""
    indents, following = [-1] * len(lines), -1
    for number in range(len(lines) - 1, -1, -1):
        indents[number] = following
        if lines[number].strip():
            following = _indent(lines[number])
    return indents


def _indent(line: str) -> int:
    """The columns before the text, with tabs of four."""
    blanks = line[: len(line) - len(line.lstrip())]
    return len(blanks.expandtabs(4))


def _box(line: str, follows: str) -> str:
    """The line as people see it, if it opens or closes a box or is there for a tool only."""
    if _INVISIBLE.match(line):
        return ""
    if found := _COLONS.fullmatch(line):
        kind, rest = found["kind"] or "", _ATTRIBUTES.sub("", found["rest"]).strip()
        if not kind and rest:
            return line  # no box: these begin with their kind
        if bracketed := _IN_BRACKETS.fullmatch(rest):
            rest = bracketed[1]
        elif not rest and (titled := _TITLE.search(found["rest"])):
            rest = titled[1]
    elif found := _ALERT.fullmatch(line):
        kind, rest = found["kind"], found["rest"].strip()
        if not re.fullmatch(r"[\w-]+", kind):
            return found["before"].rstrip()
    else:
        return line
    if not rest and kind.lower() in KINDS:
        rest = kind.capitalize()
    return found["before"] + bold(rest, follows) if rest else found["before"].rstrip()

"""Where code stands in a text: nothing in there is markup. And how markup is taken out elsewhere."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence

# A fence may stand in quotes and lists, which other tools indent more freely than CommonMark does.
_FENCE = re.compile(r"(?P<before>(?:[ \t>]++|[-*+][ \t]|\d{1,9}[.)][ \t])*+)(?P<fence>`{3,}|~{3,})")
_DEEP = re.compile(r" {0,3}\t| {4}")
_TICKS = re.compile(r"`+")
# What follows such a line further in belongs to it, so it is no code block.
_HOLDS_MORE = re.compile(
    r" |[-*+][ \t]|\d{1,9}[.)][ \t]|</?[A-Za-z]|\{[%{]|!!!|\?\?\?|===|\[\^|:|import |export "
)
# Backticks on both sides of such a beginning are no pair.
_NEW_BLOCK = re.compile(r"[ \t]*(?:[-*+>|]|\d{1,9}[.)][ \t]|#{1,6}[ \t])")

FENCED, INDENTED = 1, 2
"""What a line of code belongs to; 0 is no code."""

Edit = tuple[int, int, str]
"""Text [start, end) gives way to a shorter one; the line ends that were in there stay."""


def code_lines(lines: Sequence[str], mdx: bool = False) -> list[int]:
    """For each line whether it is FENCED or INDENTED code, which MDX does not know, or 0."""
    flags = [0] * len(lines)
    fence = ""
    quoted = in_comment = False
    margin, blank = "", True
    last_comment_end = max((n for n, line in enumerate(lines) if "-->" in line), default=-1)
    for number, line in enumerate(lines):
        if fence:
            outside_quote = quoted and not line.lstrip().startswith(">")
            if not outside_quote:
                flags[number] = FENCED
                if _closes(line, fence):
                    fence = ""
                continue
            fence = ""
        if in_comment:
            in_comment = "-->" not in line
            continue
        if not line.strip():
            blank = True
            continue
        if found := _opened(line):
            fence, quoted = found["fence"], ">" in found["before"]
            flags[number] = FENCED
        elif _DEEP.match(line):
            begins = blank or (number > 0 and flags[number - 1])
            if begins and not mdx and not _HOLDS_MORE.match(margin):
                flags[number] = INDENTED
        else:
            margin = line
        blank = False
        if "<!--" in line and not flags[number]:
            in_comment = number < last_comment_end and _leaves_comment_open(line)
    return flags


def _opened(line: str) -> re.Match | None:
    """The fence that a line opens: "```x``` and more" is inline code."""
    found = _FENCE.match(line)
    return None if found and found["fence"][0] == "`" and "`" in line[found.end() :] else found


def _closes(line: str, fence: str) -> bool:
    mark = line.strip(" \t>")
    return len(mark) >= len(fence) and not mark.strip(fence[0])


def _leaves_comment_open(line: str) -> bool:
    before, _, behind = line.rpartition("<!--")
    in_backticks = before.count("`") % 2 == 1 and "`" in behind
    return "-->" not in behind and not in_backticks


class Code:
    """The code in a text: fenced and indented blocks, and what stands `between backticks`."""

    def __init__(self, text: str, mdx: bool = False) -> None:
        self._spans: list[tuple[int, int]] = []
        self._fenced: list[tuple[int, int]] = []
        lines = text.split("\n")
        flags = code_lines(lines, mdx)
        at = paragraph = 0
        for line, flag in zip(lines, flags, strict=True):
            if flag or not line.strip() or _NEW_BLOCK.match(line):
                self._add_inline(text, paragraph, at)
                paragraph = at
            if flag:
                self._spans.append((at, at + len(line)))
                if flag == FENCED:
                    self._fenced.append((at, at + len(line)))
                paragraph = at + len(line)
            at += len(line) + 1
        self._add_inline(text, paragraph, len(text))
        self._starts = [start for start, _ in self._spans]
        self._fenced_starts = [start for start, _ in self._fenced]

    def end(self, at: int) -> int | None:
        """Where the code ends that this offset lies in; None outside of code."""
        found = bisect_right(self._starts, at) - 1
        return self._spans[found][1] if found >= 0 and at < self._spans[found][1] else None

    def fence_within(self, start: int, end: int) -> bool:
        """Whether a line of a fenced block lies in [start, end)."""
        found = bisect_right(self._fenced_starts, end - 1) - 1
        return found >= 0 and self._fenced[found][1] > start

    def _add_inline(self, text: str, start: int, end: int) -> None:
        """Pairs of backtick runs of one length, as CommonMark pairs them, in one paragraph."""
        if text.find("`", start, end) < 0:
            return
        runs = [(it.start(), it.end()) for it in _TICKS.finditer(text, start, end)]
        later: dict[int, list[int]] = {}
        for number in reversed(range(len(runs))):
            later.setdefault(runs[number][1] - runs[number][0], []).append(number)
        number = 0
        while number < len(runs):
            opening, behind = runs[number]
            if opening > start and text[opening - 1] == "\\":
                opening += 1
            same = later.get(behind - opening, [])
            while same and same[-1] <= number:
                same.pop()
            if opening < behind and same:
                number = same.pop()
                self._spans.append((opening, runs[number][1]))
            number += 1


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with its edits made, line for line as long as before.

    An edit that begins in another one is dropped. Nothing between two blanks leaves one of them.
    """
    pieces: list[str] = []
    at = 0
    for start, end, new in sorted(edits, key=lambda edit: (edit[0], -edit[1])):
        if start < at:
            continue
        if not new and text[start - 1 : start] == " " == text[end : end + 1]:
            end += 1
        missing = text.count("\n", start, end) - new.count("\n")
        pieces += [text[at:start], new, "\n" * missing]
        at = end
    return "".join([*pieces, text[at:]])

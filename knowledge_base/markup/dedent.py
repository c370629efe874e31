"""Text that stood indented in an element, moved back to where the element began.

`<TabItem>` and `<div>` are gone, but what they held is still as far in as its author put it, which
markdown would take for code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Element:
    """An element whose opening tag began a line: its lines [first, last], 0-based."""

    first: int
    last: int
    indent: int
    component: bool


def dedented(
    text: str, elements: Iterable[Element], tag_lines: Collection[int], mdx: bool = False
) -> str:
    """The text with the content of elements moved. `tag_lines` began with a tag themselves."""
    coming = sorted(elements, key=lambda it: (it.first, -it.last), reverse=True)
    if not coming:
        return text
    lines = text.split("\n")
    opened: list[Element] = []
    shifts: dict[Element, int] = {}
    blank = False
    for number, line in enumerate(lines):
        while opened and opened[-1].last < number:
            opened.pop()
        while coming and coming[-1].first == number:
            opened.append(coming.pop())
        content = line.lstrip()
        if opened and content:
            margin = opened[0].indent
            indent = len(line[: len(line) - len(content)].expandtabs(4))
            if number in tag_lines:
                shift = indent - margin
            else:
                element = opened[-1]
                # After a blank line, markdown in HTML is markdown, and may well be code.
                may_be_code = blank and not mdx and not element.component
                shift = shifts.setdefault(element, 0 if may_be_code else indent - margin)
            if shift > 0:
                lines[number] = " " * max(0, indent - shift) + content
        blank = not content and number not in tag_lines
    return "\n".join(lines)

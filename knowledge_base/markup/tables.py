"""An HTML table to one of markdown, in no more lines than it had."""

from __future__ import annotations

import re
from collections.abc import Callable

_ROW = re.compile(r"<tr\b[^<>]*>", re.IGNORECASE)
_ROW_END = re.compile(r"</tr\s*>", re.IGNORECASE)
_CELL = re.compile(r"<(t[hd])\b[^<>]*>", re.IGNORECASE)
_CELL_END = re.compile(r"</t[hd]\s*>", re.IGNORECASE)
_CAPTION = re.compile(r"<caption\b[^<>]*>([^<]*)</caption\s*>", re.IGNORECASE)


def to_markdown(inner: str, flat: Callable[[str], str], *, room: int, indent: str) -> str:
    """What is between <table> and </table>, as markdown of at most `room` lines; "" if no rows.

    `flat` makes one line of a cell. Where the lines do not suffice, it is a line of the form
    `a | b; 1 | 2`.
    """
    before, *parts = _ROW.split(inner)
    rows: list[list[str]] = []
    headed = False
    for part in parts:
        _, *cells = _CELL.split(_ROW_END.split(part, maxsplit=1)[0])
        headed = headed or (not rows and bool(cells) and cells[0].lower() == "th")
        row = [flat(_CELL_END.split(cell, maxsplit=1)[0]) for cell in cells[1::2]]
        if any(row):
            rows.append(row)
    if not rows:
        return ""
    width = max(len(row) for row in rows)
    caption = _CAPTION.search(before)
    title = f"**{flat(caption[1])}**" if caption and caption[1].strip() else ""
    if not headed:
        rows.insert(0, [])
    lines = [
        "| "
        + " | ".join(it.replace("|", "\\|") for it in [*row, *[""] * (width - len(row))])
        + " |"
        for row in rows
    ]
    lines.insert(1, "|" + " --- |" * width)
    if title:
        lines = [title, "", *lines]
    if len(lines) <= room:
        return f"\n{indent}".join(lines)
    flowing = "; ".join(" | ".join(cell for cell in row if cell) for row in rows if row)
    return f"{title} {flowing}".strip()

"""Messages with labels, read from CSV as spreadsheets and scripts write it."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COLUMNS = ("text", "label")
SEPARATORS = ",;\t"
MOST_TOLD = 10
OUTSIDE = "oos"
"""The label of a message of no intent."""


class BadRows(ValueError):
    """The file cannot be used; the message names file and lines and says what to do."""


@dataclass(frozen=True)
class Row:
    """One message; `line` is where it begins in the file, from 1."""

    text: str
    label: str
    line: int


def read_rows(path: Path) -> list[Row]:
    """The rows of a CSV file with the columns text and label; others are left alone.

    UTF-8, or UTF-16 with its mark; comma, semicolon or tab; any line ends; blank lines are skipped.
    Raises BadRows.
    """
    text = _text(path)
    # The names of columns hold no separators: the one that is there most often is it.
    first = text.split("\n", 1)[0]
    separator = max(SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        return _rows(path, _header(path, reader), reader)
    except csv.Error as error:
        raise BadRows(f"{path}, line {reader.line_num}: {error}") from None


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise BadRows(f"{path}: there is no such file") from None
    except OSError as error:
        raise BadRows(f"{path}: {error.strerror or error}") from None
    wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if wide else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        where = f"{path}" if wide else f"{path}, line {line}"
        raise BadRows(
            f"{where}: this is no {'UTF-16' if wide else 'UTF-8'}. Save the file as UTF-8 "
            "(in a spreadsheet: CSV UTF-8)."
        ) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise BadRows(f"{path}, line {line}: a zero byte; this is no CSV. Save it as CSV UTF-8.")
    return text


def _header(path: Path, reader: Any) -> list[str]:
    """The columns' names, in small letters."""
    header = [name.strip().lower() for name in next(reader, [])]
    if not any(header):
        raise BadRows(f"{path}, line 1: the file must begin with the columns' names: text,label")
    for name in COLUMNS:
        if header.count(name) != 1:
            problem = "twice" if name in header else "missing"
            raise BadRows(
                f"{path}, line 1: the column {name} is {problem}; there are "
                f"{', '.join(header)}. The first line must name the columns: text,label"
            )
    return header


def _rows(path: Path, header: list[str], reader: Any) -> list[Row]:
    rows, problems = [], []
    text_at, label_at = (header.index(name) for name in COLUMNS)
    line = reader.line_num + 1
    for fields in reader:
        begun, line = line, reader.line_num + 1
        if not any(field.strip() for field in fields):
            continue
        if len(fields) != len(header):
            problems.append(
                f"line {begun}: {len(fields)} fields instead of {len(header)}; a text with a "
                "separator in it must stand in double quotes"
            )
            continue
        text, label = fields[text_at].strip(), fields[label_at].strip()
        if text and label:
            rows.append(Row(text, label, begun))
        else:
            problems.append(f"line {begun}: the {'label' if text else 'text'} is empty")
    if problems:
        more = [f"and {len(problems) - MOST_TOLD} more"] if len(problems) > MOST_TOLD else []
        told = "\n".join(f"  {words}" for words in problems[:MOST_TOLD] + more)
        raise BadRows(f"{path} cannot be used:\n{told}")
    if not rows:
        raise BadRows(f"{path}: there are no rows below the columns' names")
    return rows

"""The shop's catalogue, `data/catalogue.csv`: what products are called, and in how many ways.

Three columns: `name`, `aliases` separated by "|", `category`. A row whose name is a category itself
("Jackets,jacket|coat,Jackets") lists the words for the whole category; a further one may be named
after a part of it, as long as its name is not a product ("Helmets,helmet,Climbing" has the words of
products that customers rarely name). Lines that begin with "#" are left out.

An alias that several products share names none of them; it then stands for their category.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Text, Tuple

COLUMNS = ["name", "aliases", "category"]
_WORD = re.compile(r"[^\W_]+")


class CatalogueError(ValueError):
    """The file cannot be used; the text names the file and the line, and says what to do."""


@dataclass(frozen=True)
class Entry:
    """A line of the file: a product, or (`product` False) the words of a category."""

    name: Text
    phrases: Tuple[Text, ...]
    category: Text
    product: bool


def words(text: Text) -> Tuple[Text, ...]:
    """The words of a name, in lower case: letters and digits, "Pack-Away" as two."""
    return tuple(_WORD.findall(re.sub(r"['’]", "", text.casefold())))


def read(path: Path) -> List[Entry]:
    """Every line of the catalogue. Raises CatalogueError."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise CatalogueError(
            f"{path}: there is no such file. Make it with the line {','.join(COLUMNS)}, or set "
            "`catalogue: "
            "` for SupportEntities in config.yml."
        ) from None
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise CatalogueError(
            f"{path}, line {line}: not UTF-8. Save the file as UTF-8 (in Excel: CSV UTF-8)."
        ) from None
    return list(_entries(path, text))


def _entries(path: Path, text: Text) -> Iterator[Entry]:
    reader = csv.reader(text.splitlines(), strict=True)
    rows = _rows(path, reader)
    head, first = next(rows, (1, []))
    if [cell.strip().casefold() for cell in first] != COLUMNS:
        raise CatalogueError(f"{path}, line {head}: the first line must be {','.join(COLUMNS)}.")
    lines: Dict[Tuple[Text, ...], int] = {}
    kept: List[Tuple[int, List[Text]]] = []
    for line, row in rows:
        if len(row) != len(COLUMNS):
            raise CatalogueError(
                f"{path}, line {line}: {len(row)} columns instead of {len(COLUMNS)}. Put a cell that "
                "has a comma in it in double quotes."
            )
        cells = [" ".join(cell.split()) for cell in row]
        for column in (0, 2):
            if not words(cells[column]):
                raise CatalogueError(f"{path}, line {line}: the {COLUMNS[column]} is empty.")
        if words(cells[0]) in lines:
            raise CatalogueError(
                f"{path}, line {line}: {cells[0]!r} stands on line {lines[words(cells[0])]} already."
            )
        lines[words(cells[0])] = line
        kept.append((line, cells))
    categories = {words(cells[2]) for _, cells in kept}
    for line, (name, aliases, category) in kept:
        phrases = [alias.strip() for alias in aliases.split("|") if alias.strip()]
        for phrase in phrases:
            if not words(phrase):
                raise CatalogueError(f"{path}, line {line}: the alias {phrase!r} has no letters.")
        of_category = words(name) in categories or (
            len(words(name)) == 1 and _plural(name, phrases)
        )
        yield Entry(name, (name, *phrases), category, not of_category)


def _plural(name: Text, phrases: List[Text]) -> bool:
    """Whether the name is but the plural of one of its words ("Helmets" of "helmet")."""
    return name.casefold() in {phrase.casefold() + "s" for phrase in phrases}


def _rows(path: Path, reader: Iterator[List[Text]]) -> Iterator[Tuple[int, List[Text]]]:
    """The rows that hold something, with their lines."""
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            line = getattr(reader, "line_num", 0)
            raise CatalogueError(f"{path}, line {line}: no CSV: {error}.") from None
        if any(cell.strip() for cell in row) and not row[0].lstrip().startswith("#"):
            yield reader.line_num, row

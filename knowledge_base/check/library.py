"""All the articles of a folder, as the rules that look at one article at a time need them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from knowledge_base.check.page import Page


@dataclass(frozen=True)
class Library:
    """`pages` by article id; `as_of` is today; `has_file` tells whether a file is there, by its
    path below the folder with `/`."""

    pages: Mapping[str, Page]
    as_of: date
    has_file: Callable[[str], bool]

"""Which files below a folder are articles, found without leaving the folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from knowledge_base.parse import ENDINGS

NOT_ARTICLES = frozenset({"node_modules", "_site", "_includes", "_layouts", "_drafts"})
"""Folders in which other tools keep what is not for readers; hidden ones are left out too."""

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Listing:
    """The article files of a folder at one moment.

    `stamps` has their time (ns), size (bytes) and mode by their path below the folder. `kept` are
    those in folders that could not be listed, as they were when that was last possible. `problems`
    are paths and what is wrong there.
    """

    stamps: dict[str, Stamp] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    problems: tuple[tuple[str, str], ...] = ()


def file_type(name: str) -> str:
    """The ending of an article file, as it is written ("" if it is none): `.md`, `.MD`."""
    ending = os.path.splitext(name)[1]  # noqa: PTH122 (a name, not a path)
    return ending if ending.lower() in ENDINGS else ""


class Files:
    """Lists the article files below a folder.

    Links are followed as long as they stay below it, since what lies outside was not meant to be
    shown; what is found through a link and otherwise is listed once, under its own name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder)
        self._last = Listing()

    def look(self) -> Listing:
        """The files as they are now. A folder that cannot be listed at the moment (a network drive
        that is away) counts as it was before."""
        walk = _Walk(self._folder, self._last)
        walk.all()
        stamps = dict(sorted(walk.stamps.items(), key=lambda item: item[0].split("/")))
        self._last = Listing(stamps, frozenset(walk.kept), tuple(sorted(walk.problems)))
        return self._last


class _Walk:
    """One walk. Own folders and files first, so that a link never takes the place of either."""

    def __init__(self, folder: Path, last: Listing) -> None:
        self.folder, self.last = folder, last
        self.root = os.path.realpath(folder)
        self.stamps: dict[str, Stamp] = {}
        self.kept: set[str] = set()
        self.problems: list[tuple[str, str]] = []
        self.listed: set[str] = set()
        self.linked_folders: list[tuple[str, str]] = []
        self.linked_files: list[tuple[str, str, Stamp]] = []

    def all(self) -> None:
        waiting = [("", self.root)]
        while waiting:
            while waiting:
                waiting += self._folders_in(*waiting.pop())
            while self.linked_folders and not waiting:
                name, real = self.linked_folders.pop(0)
                waiting = [] if real in self.listed else [(f"{name}/", real)]
        for name, real, stamp in self.linked_files:
            if real not in self.listed:
                self.listed.add(real)
                self.stamps[name] = stamp

    def _folders_in(self, prefix: str, real: str) -> Iterator[tuple[str, str]]:
        """Take in what is in a folder; yields the folders in it."""
        self.listed.add(real)
        try:
            with os.scandir(real) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._not_listed(prefix, error)
            return
        for entry in found:
            if entry.name.startswith(".") or entry.name in NOT_ARTICLES:
                continue
            name = prefix + entry.name
            try:
                if not file_type(name) and not entry.is_dir():
                    continue
                name.encode()
                status = entry.stat()
            except UnicodeEncodeError:
                self._problem(name, "its name is no UTF-8; rename it")
                continue
            except PermissionError:
                if file_type(name):
                    self.stamps[name] = (0, 0, 0)  # reading it will say what is wrong
                continue
            except OSError:
                continue  # deleted meanwhile, a link to nowhere, or a link to itself
            stamp = (status.st_mtime_ns, status.st_size, status.st_mode)
            if entry.is_symlink():
                self._link(name, entry.path, stamp)
            elif stat.S_ISDIR(status.st_mode):
                yield f"{name}/", os.path.join(real, entry.name)  # noqa: PTH118 (strings, and many)
            elif stat.S_ISREG(status.st_mode) and file_type(name):
                self.listed.add(os.path.join(real, entry.name))  # noqa: PTH118
                self.stamps[name] = stamp

    def _link(self, name: str, path: str, stamp: Stamp) -> None:
        real = os.path.realpath(path)
        if not f"{real}{os.sep}".startswith(self.root.rstrip(os.sep) + os.sep):
            self._problem(name, "a link that leads out of the folder, not followed; copy it here")
        elif stat.S_ISDIR(stamp[2]):
            self.linked_folders.append((name, real))
        elif stat.S_ISREG(stamp[2]):
            self.linked_files.append((name, real, stamp))

    def _not_listed(self, prefix: str, error: OSError) -> None:
        if prefix and isinstance(error, FileNotFoundError):
            return  # deleted meanwhile
        before = {name for name in self.last.stamps if name.startswith(prefix)}
        self.kept |= before
        self.stamps |= {name: self.last.stamps[name] for name in before}
        rest = "; its articles stay as they were" if before else ""
        reason = error.strerror or str(error)
        self._problem(prefix, f"the folder cannot be listed ({reason}){rest}")

    def _problem(self, name: str, message: str) -> None:
        path = str(self.folder / name)
        self.problems.append((path.encode("utf-8", "backslashreplace").decode(), message))

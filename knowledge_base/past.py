"""The articles as they were at a commit, read from git without touching the working tree."""

from __future__ import annotations

import os
import posixpath
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ENDINGS = (".md", ".markdown", ".mdx")
"""What the names of articles end with, in small letters."""

SYMLINK = "120000"


class PastError(RuntimeError):
    """The articles of that time cannot be read; the message says why and what to do."""


@dataclass(frozen=True)
class Past:
    """A folder with the articles of a commit, and links that could not be followed there."""

    folder: Path
    commit: str
    skipped: tuple[str, ...]


@dataclass(frozen=True)
class _Entry:
    """A file of a tree: its mode, the name of its content, and its path below the tree."""

    mode: str
    blob: str
    path: str


def files(folder: Path) -> dict[str, bytes | None]:
    """What the articles' files below a folder hold, whatever their line ends; None for one that
    cannot be read. Hidden folders (git's own) are left out."""
    found: dict[str, bytes | None] = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(place, name)
            if name.lower().endswith(ENDINGS) and not name.startswith(".") and path.is_file():
                try:
                    content = path.read_bytes().replace(b"\r\n", b"\n")
                except OSError:
                    content = None
                found[path.relative_to(folder).as_posix()] = content
    return found


@contextmanager
def past(folder: Path, ref: str) -> Iterator[Past]:
    """The markdown files that `folder` held at `ref`, in a temporary folder until the block ends.

    Empty if the folder did not exist then. Raises PastError.
    """
    prefix = _prefix(folder)
    commit = _commit(folder, ref)
    with tempfile.TemporaryDirectory(prefix="articles-") as there:
        skipped = _write(folder, _entries(folder, commit, prefix), Path(there))
        yield Past(Path(there), commit, tuple(skipped))


def _prefix(folder: Path) -> str:
    """The folder's path in its repository, "" for the top."""
    done = _git(folder, "rev-parse", "--show-prefix")
    if done.returncode:
        raise PastError(
            f"{folder} is in no git repository that can be read, so there is nothing to compare "
            f"it with ({_said(done)}); name a folder of articles that is under git"
        )
    return os.fsdecode(done.stdout).rstrip("\n").rstrip("/")


def _commit(folder: Path, ref: str) -> str:
    if not ref.startswith("-"):
        done = _git(folder, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        if done.returncode == 0:
            return done.stdout.decode("ascii").strip()
    if ref == "HEAD":
        raise PastError(f"nothing has been committed yet in the repository of {folder}")
    raise PastError(
        f"no commit {ref!r} in the repository of {folder}; name a branch, a tag or a commit, like "
        "main or HEAD~3 (in a shallow clone, `git fetch --unshallow` first)"
    )


def _entries(folder: Path, commit: str, prefix: str) -> list[_Entry]:
    tree = f"{commit}:{prefix}"
    if _git(folder, "cat-file", "-t", tree).stdout.strip() != b"tree":
        return []
    done = _git(folder, "ls-tree", "-r", "-z", "--full-tree", tree)
    if done.returncode:
        raise PastError(f"git cannot list {tree} ({_said(done)})")
    entries = []
    for line in done.stdout.split(b"\0"):
        if line:
            about, _, path = line.partition(b"\t")
            mode, kind, blob = about.decode("ascii").split()
            if kind == "blob":
                entries.append(_Entry(mode, blob, os.fsdecode(path)))
    return [it for it in entries if it.path.lower().endswith(ENDINGS)]


def _write(folder: Path, entries: Sequence[_Entry], there: Path) -> list[str]:
    """Write the files; what is left out is returned: links to anything but another article."""
    contents = dict(zip((it.path for it in entries), _contents(folder, entries), strict=True))
    links = {it.path for it in entries if it.mode == SYMLINK}
    skipped = []
    for path, content in contents.items():
        target = os.fsdecode(content) if path in links else ""
        meant = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if ".." in PurePosixPath(path).parts or (target and meant not in contents):
            skipped.append(path)
            continue
        file = there / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if target:
            file.symlink_to(target)
        else:
            file.write_bytes(content)
    return skipped


def _contents(folder: Path, entries: Sequence[_Entry]) -> list[bytes]:
    """What the files held, in order."""
    if not entries:
        return []
    wanted = "".join(f"{it.blob}\n" for it in entries).encode("ascii")
    done = _git(folder, "cat-file", "--batch", given=wanted)
    contents, at = [], 0
    for entry in entries:
        end = done.stdout.find(b"\n", at)
        head = done.stdout[at:end].split() if end >= 0 else []
        if len(head) != 3:
            raise PastError(
                f"git lacks what {entry.path} held then ({_said(done)}); in a partial clone, "
                "fetch that commit first"
            )
        start = end + 1
        at = start + int(head[2]) + 1
        contents.append(done.stdout[start : at - 1])
    return contents


def _git(folder: Path, *words: str, given: bytes | None = None) -> subprocess.CompletedProcess:
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *words], input=given, capture_output=True, check=False
        )
    except OSError as error:
        raise PastError(
            f"git cannot be started ({error.strerror}); install git, which keeps the old articles"
        ) from error


def _said(done: subprocess.CompletedProcess) -> str:
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else f"git ended with {done.returncode}"

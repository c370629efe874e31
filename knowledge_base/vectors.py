"""Texts to vectors, kept on disk, so that only new text is ever embedded, by any process.

A vector that is known goes by its row number from then on, so that no text's vector is in memory
twice, whoever is shown it: see `nearest.Table`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import structlog

from knowledge_base.index_files import KEY_BYTES, IndexFiles, IndexRefused, Stored
from knowledge_base.nearest import Table

log = structlog.get_logger(__name__)

CHUNK = 256
"""Texts embedded between two writes to the disk: a build that is killed loses no more than that."""

MOST_UNSORTED = 50_000
"""New keys kept in a dictionary, before all are sorted again."""

Progress = Callable[[int, int], None]
"""Told how many texts are embedded, and how many are to be."""


class Encoder(Protocol):
    """What `bot.encoder.Encoder` offers."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of length 1, float32 (len(texts), dimension)."""


class Vectors:
    """An encoder with a memory. Not for several threads at once; the index has a lock.

    A row number means the same vector as long as this object lives, whatever others do to the
    folder: what it has mapped stays, and what it cannot write stays in memory.
    """

    def __init__(self, encoder: Encoder, cache_dir: Path, *, afresh: bool = False) -> None:
        """Reads what `cache_dir` holds; what is foreign or damaged is refused with a warning and
        made again, as all of it can be. `afresh` makes everything again."""
        self._encoder = encoder
        # The encoder as it behaves, whatever file it was read from: another model, or another
        # quantisation of the same one, gives other numbers for this sentence.
        probe = encoder.encode(["How long does a return take?"])
        self.dimension = int(probe.shape[1])
        self.model = hashlib.sha256(probe.astype(np.float32).tobytes()).hexdigest()
        self.files = IndexFiles(Path(cache_dir), self.model, self.dimension)
        self.refused = ""
        """Why the stored index was not used, with the file and what to run; "" if it was."""
        self.embedded = 0
        """Texts embedded since this was opened."""
        self.unwritten = ""
        """Why vectors could not be put on disk; "" if they were."""
        if afresh:
            self.files.begin_anew()
        self._hold(self._read())
        self.known_before = len(self._known)
        """Rows from this number on were added since."""

    def rows(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """The row number of each text's vector, int64 (len(texts),); only unknown ones are embedded.

        What was embedded is kept on disk; where that fails (a full disk), it only costs time later.
        """
        keys = self._keys_of(texts)
        if (self.find(keys) < 0).any():
            self._adopt(keys)
        missing = np.flatnonzero(self.find(keys) < 0)
        unknown = {
            tuple(key): texts[at] for at, key in zip(missing, keys[missing].tolist(), strict=True)
        }
        wanted = list(unknown)
        for start in range(0, len(wanted), CHUNK):
            part = wanted[start : start + CHUNK]
            made = self._encoder.encode([unknown[key] for key in part]).astype(np.float32)
            self._keep(np.array(part, dtype=np.uint64), made)
            self.embedded += len(part)
            if progress:
                progress(start + len(part), len(wanted))
        return self.find(keys)

    def of(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of these texts, float32 (len(texts), dimension)."""
        rows = self.rows(texts)
        return self.table.take(rows)

    @property
    def table(self) -> Table:
        """All vectors known now, by row number."""
        return Table(self._mapped, self._fresh)

    def find(self, keys: np.ndarray) -> np.ndarray:
        """The rows of keys, int64 (keys,); -1 where none is known."""
        return self._known.find(keys)

    def keys(self, rows: np.ndarray) -> np.ndarray:
        """What the vectors of these rows are stored under, uint64 (rows, 2)."""
        return self._known.of(rows)

    def keep_only(self, rows: np.ndarray) -> int:
        """Take all vectors but these off the disk; how many went. Raises IndexRefused, OSError.

        Row numbers go on being valid here.
        """
        used = _Keys(self.keys(np.unique(rows)))
        gone = 0

        def chosen(stored: Stored) -> np.ndarray:
            nonlocal gone
            # What another process stored since is none of ours to judge; two of them may have
            # stored the same, and the first is the one that is found.
            keep = (used.find(stored.keys) >= 0) | (self.find(stored.keys) < 0)
            keep &= _Keys(stored.keys).find(stored.keys) == np.arange(len(stored.keys))
            gone = int((~keep).sum())
            return np.flatnonzero(keep)

        self.files.keep_only(chosen)
        return gone

    def _keys_of(self, texts: Sequence[str]) -> np.ndarray:
        digests = (hashlib.sha256(f"{self.model}\n{text}".encode()).digest() for text in texts)
        raw = b"".join(digest[:KEY_BYTES] for digest in digests)
        return np.frombuffer(raw, dtype=">u8").astype(np.uint64).reshape(-1, 2)

    def _read(self) -> Stored | None:
        try:
            return self.files.read()
        except IndexRefused as error:
            self.refused = str(error)
            log.warning("index.refused", path=str(error.path), reason=self.refused)
            self.files.begin_anew()
            return None

    def _hold(self, stored: Stored | None) -> None:
        """Go by what is stored: row numbers are those of the file."""
        self._generation = stored.generation if stored else None
        self._mapped = stored.vectors if stored else self._none()
        self._fresh = self._none()
        self._known = _Keys(stored.keys if stored else np.zeros((0, 2), dtype=np.uint64))

    def _none(self) -> np.ndarray:
        return np.zeros((0, self.dimension), dtype=np.float32)

    def _keep(self, keys: np.ndarray, made: np.ndarray) -> None:
        """Store new vectors, and give them row numbers."""
        try:
            generation = self.files.append(keys, made)
        except (OSError, IndexRefused) as error:
            if not self.unwritten:
                log.warning("vectors.not_kept", path=str(self.files.folder), error=str(error))
            self.unwritten, generation = str(error), ""
        if self._generation is None and not len(self._known):
            self._generation = generation
        if not (generation and generation == self._generation and self._catch_up()):
            # Our row numbers are not the file's any more: those that follow are in memory only.
            self._generation = ""
            self._known.add(keys)
            self._fresh = np.concatenate([self._fresh, made])

    def _catch_up(self) -> bool:
        """Map what was appended to the file, by us and by others; whether that could be done."""
        try:
            more = self.files.read_more(self._generation, len(self._known))
        except (OSError, IndexRefused):
            return False
        if more is None:
            return False
        self._known.add(more.keys)
        self._mapped = more.vectors
        return True

    def _adopt(self, keys: np.ndarray) -> None:
        """Look whether another process has embedded what is unknown here."""
        if self._generation and self._catch_up():
            return
        try:
            stored = self.files.read(check=False)
        except (OSError, IndexRefused):
            return  # what is unknown is made
        if stored is None:
            return
        if not len(self._known):
            self._hold(stored)
            return
        self._generation = ""
        unknown = keys[self.find(keys) < 0]
        theirs = _Keys(stored.keys).find(unknown)
        found, first = np.unique(theirs[theirs >= 0], return_index=True)
        if len(found):
            self._known.add(unknown[theirs >= 0][first])
            self._fresh = np.concatenate([self._fresh, stored.vectors[found]])


class _Keys:
    """Which row a key has. Sorted arrays, as a dictionary of so many would take ten times that."""

    def __init__(self, keys: np.ndarray) -> None:
        self._all = [keys]
        self._sort()

    def __len__(self) -> int:
        return self._count

    def of(self, rows: np.ndarray) -> np.ndarray:
        return np.concatenate(self._all)[rows]

    def add(self, keys: np.ndarray) -> None:
        """These get the next row numbers."""
        if len(keys):
            self._all.append(keys)
            for key in keys.tolist():
                self._new[tuple(key)] = self._count
                self._count += 1
        if len(self._new) > MOST_UNSORTED:
            self._sort()

    def find(self, keys: np.ndarray) -> np.ndarray:
        """The rows, int64 (keys,); -1 where there is none."""
        found = np.full(len(keys), -1, dtype=np.int64)
        if len(self._order) and len(keys):
            place = np.searchsorted(self._sorted[:, 0], keys[:, 0])
            place[place == len(self._order)] = 0
            same = (self._sorted[place] == keys).all(axis=1)
            found[same] = self._order[place[same]]
        if self._new:
            for at in np.flatnonzero(found < 0):
                found[at] = self._new.get((int(keys[at, 0]), int(keys[at, 1])), -1)
        return found

    def _sort(self) -> None:
        keys = np.concatenate(self._all)
        self._all = [keys]
        self._order = np.argsort(keys[:, 0], kind="stable")
        self._sorted = keys[self._order]
        self._count = len(keys)
        self._new: dict[tuple[int, int], int] = {}

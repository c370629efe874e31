"""The index on disk: one folder, written so that a kill at any moment leaves the old or the new.

manifest.json     what counts: format, model, dimension, and of each file its size and checksum
vectors-ID.f32    one vector a row, float32, little-endian; grows at its end
keys-ID.bin       16 bytes a row: which text it is the vector of
near-...-ID.*     the graphs over very many passages, see `shortcuts`
lock              held by whoever writes

What the manifest does not name does not exist: bytes beyond the size it states are of an append that
was cut off, and the next one overwrites them. Readers take no lock; they map the rows that the
manifest states, and rows once stated never change. `IndexRefused` is raised for what is foreign or
damaged, and nothing of it is used.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 1
MANIFEST = "manifest.json"
ADVICE = "run `python -m knowledge_base build`"
KEY_BYTES = 16


class IndexRefused(RuntimeError):
    """The stored index is foreign or damaged; the message names the file and what to run."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}; {ADVICE}")
        self.path = path


@dataclass(frozen=True)
class FileFacts:
    """A file that counts: its name, the bytes of it that do, and their CRC-32."""

    file: str
    bytes: int
    crc32: int


@dataclass(frozen=True)
class Manifest:
    """What counts in the folder. `near` has the files of each graph, by name and part."""

    model: str
    dimension: int
    rows: int
    vectors: FileFacts
    keys: FileFacts
    near: Mapping[str, Mapping[str, FileFacts]] = field(default_factory=dict)
    format: int = FORMAT

    def files(self) -> list[FileFacts]:
        return [
            self.vectors,
            self.keys,
            *(it for near in self.near.values() for it in near.values()),
        ]


@dataclass(frozen=True)
class Stored:
    """Rows as they were stored when this was read: `keys` uint64 (rows, 2), `vectors` float32
    (rows, dimension), mapped from the file named `generation`."""

    generation: str
    keys: np.ndarray
    vectors: np.ndarray


class IndexFiles:
    """The folder for vectors of one model. Any number of processes may share it."""

    def __init__(self, folder: Path, model: str, dimension: int) -> None:
        """Reads nothing yet. `model` names the encoder by what it does, see `Vectors`."""
        self.folder = Path(folder)
        self._model, self._dimension = model, dimension
        self._anew = False

    def manifest(self) -> Manifest | None:
        """What counts now; None where nothing was stored yet. Raises IndexRefused."""
        path = self.folder / MANIFEST
        try:
            manifest = _parsed(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise IndexRefused(path, f"cannot be read ({error!r})") from error
        if manifest.format != FORMAT:
            raise IndexRefused(
                path, f"is of format {manifest.format}, and this version reads {FORMAT}"
            )
        if manifest.dimension != self._dimension:
            raise IndexRefused(
                path,
                f"is of vectors with {manifest.dimension} numbers, and the encoder makes "
                f"{self._dimension}",
            )
        if manifest.model != self._model:
            raise IndexRefused(path, "was made with another encoder")
        rows = (manifest.rows * self._dimension * 4, manifest.rows * KEY_BYTES)
        if (manifest.vectors.bytes, manifest.keys.bytes) != rows:
            raise IndexRefused(path, f"its sizes do not fit its {manifest.rows} rows")
        return manifest

    def begin_anew(self) -> None:
        """Take what is stored, good or not, as nothing, and let the next write take its place."""
        self._anew = True

    def read(self, *, check: bool = True) -> Stored | None:
        """Everything stored, with `check` each byte checked; None where nothing was. Raises
        IndexRefused."""
        if self._anew:
            return None
        return self._read_consistent(lambda manifest: self._stored(manifest, check=check))

    def read_more(self, generation: str, known: int) -> Stored | None:
        """What was appended to a file behind the `known` rows, unchecked; `vectors` maps all rows.

        None where that file is no longer the one that counts. Raises IndexRefused, OSError.
        """
        manifest = self.manifest()
        if manifest is None or manifest.vectors.file != generation or manifest.rows < known:
            return None
        return self._stored(manifest, first_key=known)

    def append(self, keys: np.ndarray, vectors: np.ndarray) -> str:
        """Add rows, and return the name of the file they went to. Raises IndexRefused, OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.lock():
            manifest = self._to_append_to()
            manifest = replace(
                manifest,
                rows=manifest.rows + len(keys),
                vectors=self._grown(manifest.vectors, vectors.astype("<f4").tobytes()),
                keys=self._grown(manifest.keys, keys.astype(">u8").tobytes()),
            )
            self._commit(manifest)
            if manifest.rows == len(keys):
                self._sweep(manifest)  # a new beginning: what was there was refused
        return manifest.vectors.file

    def keep_only(self, chosen: Callable[[Stored], np.ndarray]) -> None:
        """Write only those rows, which `chosen` gives by number, into new files, and take away
        what nobody needs any more. Raises IndexRefused, OSError."""
        with self.lock():
            manifest = self.manifest()
            if manifest is None:
                return
            stored = self._stored(manifest)
            rows = chosen(stored)
            if len(rows) < manifest.rows:
                fresh = replace(_empty(self._model, self._dimension), near=manifest.near)
                vectors, keys = (
                    fresh.vectors,
                    self._grown(fresh.keys, stored.keys[rows].astype(">u8").tobytes()),
                )
                for start in range(0, len(rows), 16_384):
                    block = stored.vectors[rows[start : start + 16_384]]
                    vectors = self._grown(vectors, block.astype("<f4").tobytes())
                manifest = replace(fresh, rows=len(rows), vectors=vectors, keys=keys)
                self._commit(manifest)
            self._sweep(manifest)

    def size(self) -> int:
        """Bytes on disk, leftovers included."""
        return sum(path.stat().st_size for path in self.folder.glob("*"))

    # --- graphs -----------------------------------------------------------------------------------

    def write_near(self, name: str, parts: Mapping[str, Callable[[Path], None]]) -> None:
        """Store the files of a graph, each written by its function. Raises IndexRefused, OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.lock():
            manifest = self._to_append_to()
            facts = {}
            for part, write in parts.items():
                path = self.folder / f"near-{name}-{part}-{secrets.token_hex(4)}.part"
                write(path)
                final = path.with_suffix(".bin")
                _sync(path)
                path.rename(final)
                facts[part] = FileFacts(final.name, final.stat().st_size, _crc32(final))
            self._commit(replace(manifest, near={**manifest.near, name: facts}))
            self._sweep(self.manifest())

    def read_near(self, name: str, read: Mapping[str, Callable[[Path], Any]]) -> dict[str, Any]:
        """The parts of a graph as their functions read them; {} where none was stored.

        Raises IndexRefused.
        """

        def parts(manifest: Manifest) -> dict[str, Any]:
            facts = manifest.near.get(name, {})
            if set(facts) != set(read):
                return {}
            found = {}
            for part, reader in read.items():
                path = self._checked(facts[part])
                try:
                    found[part] = reader(path)
                except (OSError, RuntimeError, ValueError) as error:
                    raise IndexRefused(path, f"cannot be read ({error})") from error
            return found

        return self._read_consistent(parts) or {}

    # --- files ------------------------------------------------------------------------------------

    @contextmanager
    def lock(self) -> Iterator[None]:
        """The right to write, waited for; it ends with the process."""
        with (self.folder / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _read_consistent(self, read: Callable[[Manifest], Any]) -> Any:
        """`read` of a manifest whose files are still there: a writer may take old ones away."""
        for attempt in range(5):
            manifest = self.manifest()
            if manifest is None:
                return None
            try:
                return read(manifest)
            except IndexRefused:
                if attempt == 4 or self.manifest() == manifest:
                    raise
        return None

    def _stored(self, manifest: Manifest, check: bool = False, first_key: int = 0) -> Stored:
        vectors = self._checked(manifest.vectors, deep=check)
        keys = self._checked(manifest.keys, deep=check)
        try:
            raw = np.fromfile(
                keys,
                dtype=">u8",
                count=2 * (manifest.rows - first_key),
                offset=first_key * KEY_BYTES,
            )
            mapped = (
                np.memmap(vectors, dtype="<f4", mode="r", shape=(manifest.rows, manifest.dimension))
                if manifest.rows
                else np.zeros((0, manifest.dimension), dtype=np.float32)
            )
        except (OSError, ValueError) as error:
            raise IndexRefused(vectors, f"cannot be read ({error})") from error
        return Stored(manifest.vectors.file, raw.astype(np.uint64).reshape(-1, 2), mapped)

    def _checked(self, facts: FileFacts, deep: bool = True) -> Path:
        """The path of a file that is as the manifest says. Raises IndexRefused."""
        path = self.folder / facts.file
        try:
            size = path.stat().st_size
            if size < facts.bytes:
                raise IndexRefused(path, f"has {size:,} bytes, and {facts.bytes:,} were stored")
            if deep and _crc32(path, facts.bytes) != facts.crc32:
                raise IndexRefused(path, "was changed or damaged (its checksum is wrong)")
        except OSError as error:
            raise IndexRefused(path, f"cannot be read ({error})") from error
        return path

    def _to_append_to(self) -> Manifest:
        """The manifest to go on from. Raises IndexRefused."""
        manifest = None if self._anew else self.manifest()
        if manifest is None:
            return _empty(self._model, self._dimension)
        if manifest.rows:
            self._checked(manifest.vectors, deep=False)
            self._checked(manifest.keys, deep=False)
        return manifest

    def _grown(self, facts: FileFacts, data: bytes) -> FileFacts:
        """The file with these bytes behind those that count, safely on disk."""
        with (self.folder / facts.file).open("r+b" if facts.bytes else "wb") as file:
            file.truncate(facts.bytes)
            file.seek(facts.bytes)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return FileFacts(facts.file, facts.bytes + len(data), zlib.crc32(data, facts.crc32))

    def _commit(self, manifest: Manifest) -> None:
        """From here on the new state counts."""
        partial = self.folder / f"{MANIFEST}.part"
        partial.write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")
        _sync(partial)
        partial.replace(self.folder / MANIFEST)
        _sync(self.folder)
        self._anew = False

    def _sweep(self, manifest: Manifest | None) -> None:
        """Delete what no manifest names: old files, and leftovers of a writer that was killed."""
        named = {facts.file for facts in manifest.files()} if manifest else set()
        for pattern in ("vectors-*.f32", "keys-*.bin", "near-*", "*.part", "vectors.npz", "*.tmp"):
            for path in self.folder.glob(pattern):
                if path.name not in named:
                    path.unlink(missing_ok=True)


def _empty(model: str, dimension: int) -> Manifest:
    name = secrets.token_hex(4)
    return Manifest(
        model,
        dimension,
        0,
        FileFacts(f"vectors-{name}.f32", 0, 0),
        FileFacts(f"keys-{name}.bin", 0, 0),
    )


def _parsed(stored: Any) -> Manifest:
    """A manifest out of its JSON. Raises KeyError, TypeError, AttributeError."""
    if not isinstance(stored, dict):
        raise TypeError("no JSON object")
    if stored.get("format") != FORMAT:
        # Another version may have stored anything; its number is all that can be said about it.
        nothing = FileFacts("", 0, 0)
        return Manifest("", 0, 0, nothing, nothing, format=stored["format"])
    facts = {name: FileFacts(**stored[name]) for name in ("vectors", "keys")}
    near = {
        name: {part: FileFacts(**it) for part, it in parts.items()}
        for name, parts in stored["near"].items()
    }
    return Manifest(stored["model"], stored["dimension"], stored["rows"], **facts, near=near)


def _crc32(path: Path, size: int | None = None) -> int:
    """CRC-32 of a file, or of its first `size` bytes."""
    left = path.stat().st_size if size is None else size
    found = 0
    with path.open("rb") as file:
        while left and (data := file.read(min(left, 1 << 20))):
            found = zlib.crc32(data, found)
            left -= len(data)
    return found


def _sync(path: Path) -> None:
    """Have the system write a file's data, or a folder's names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""The token vectors of passages, kept in memory and on disk, so that each is computed once.

On disk they are rows of an SQLite file beside the index: written whole or not at all, and read by
any number of processes. About 6 kB a passage, so that in memory only those lately used are held.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import structlog

from bot.encoder import Tokens
from knowledge_base.late import packed

log = structlog.get_logger(__name__)

FILE = "tokens.sqlite"
MOST_IN_MEMORY = 5_000
"""Passages held in memory, about 30 MB."""

CHUNK = 128
"""Passages computed between two writes."""


class TokenEncoder(Protocol):
    """What `bot.encoder.Encoder` offers for this."""

    def encode_with_tokens(self, texts: Sequence[str]) -> list[tuple[np.ndarray, Tokens]]: ...


class TokenStore:
    """Texts to packed token vectors, int8 (tokens, 128). Safe for several threads."""

    def __init__(self, encoder: TokenEncoder, folder: Path, model: str) -> None:
        """`model` names the encoder by what it does: other encoders' rows are never read. A file
        that cannot be used is made anew; where not even that works, memory has to do."""
        self._encoder = encoder
        self._model = model
        self._lock = threading.Lock()
        self._held: OrderedDict[bytes, np.ndarray] = OrderedDict()
        self._path = Path(folder) / FILE
        self._file = self._open()

    def of(self, texts: Sequence[str]) -> list[np.ndarray]:
        """The token vectors of these texts, in their order; unknown ones are computed and kept."""
        keys = [hashlib.sha256(f"{self._model}\n{text}".encode()).digest()[:16] for text in texts]
        with self._lock:
            found = {key: self._held[key] for key in keys if key in self._held}
            found.update(self._read([key for key in dict.fromkeys(keys) if key not in found]))
            new = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
            unknown = list(new)
            for start in range(0, len(unknown), CHUNK):
                part = unknown[start : start + CHUNK]
                made = self._encoder.encode_with_tokens([new[key] for key in part])
                rows = {key: packed(tokens) for key, (_, tokens) in zip(part, made, strict=True)}
                self._write(rows)
                found.update(rows)
            for key in keys:
                self._held[key] = found[key]
                self._held.move_to_end(key)
            while len(self._held) > MOST_IN_MEMORY:
                self._held.popitem(last=False)
        return [found[key] for key in keys]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _open(self) -> sqlite3.Connection | None:
        for attempt in (1, 2):
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                file = sqlite3.connect(self._path, check_same_thread=False, timeout=5)
                file.execute("PRAGMA journal_mode=WAL")
                file.execute("PRAGMA synchronous=NORMAL")
                file.execute(
                    "CREATE TABLE IF NOT EXISTS tokens"
                    " (key BLOB PRIMARY KEY, width INTEGER NOT NULL, vectors BLOB NOT NULL)"
                    " WITHOUT ROWID"
                )
                file.commit()
                return file
            except (sqlite3.Error, OSError) as error:
                log.warning("tokens.unusable", path=str(self._path), error=str(error))
                # All of it can be computed again.
                if attempt == 1 and isinstance(error, sqlite3.DatabaseError):
                    self._path.unlink(missing_ok=True)
        return None

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, np.ndarray]:
        found: dict[bytes, np.ndarray] = {}
        if self._file is None:
            return found
        try:
            for start in range(0, len(keys), 500):
                part = keys[start : start + 500]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, width, vectors FROM tokens WHERE key IN ({marks})"  # noqa: S608
                for key, width, vectors in self._file.execute(query, part):
                    found[key] = np.frombuffer(vectors, dtype=np.int8).reshape(-1, width)
        except (sqlite3.Error, ValueError) as error:
            log.warning("tokens.unreadable", path=str(self._path), error=str(error))
        return found

    def _write(self, rows: dict[bytes, np.ndarray]) -> None:
        if self._file is None:
            return
        try:
            with self._file:
                self._file.executemany(
                    "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?)",
                    [(key, row.shape[1], row.tobytes()) for key, row in rows.items()],
                )
        except sqlite3.Error as error:
            log.warning("tokens.not_kept", path=str(self._path), error=str(error))

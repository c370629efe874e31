"""Texts to vectors, kept on disk, so that after an edit only changed text is embedded."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import structlog

log = structlog.get_logger(__name__)

MOST_KEPT = 20_000
"""Vectors kept on disk (30 MB); beyond that, those of text no longer in use go first."""


class Encoder(Protocol):
    """What `bot.encoder.Encoder` offers."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of length 1, float32 (len(texts), dimension)."""


class Vectors:
    """An encoder with a memory. Not for several threads at once; the index has a lock."""

    def __init__(self, encoder: Encoder, cache_dir: Path) -> None:
        """Reads what `cache_dir` holds; a damaged file is dropped, as it can be made again."""
        self._encoder = encoder
        self._file = Path(cache_dir) / "vectors.npz"
        # The encoder as it behaves, whatever file it was read from: another model, or another
        # quantisation of the same one, gives other numbers for this sentence.
        probe = encoder.encode(["How long does a return take?"])
        self.dimension = int(probe.shape[1])
        self.model = hashlib.sha256(probe.astype(np.float32).tobytes()).hexdigest()
        self._kept = self._read()

    def of(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of these texts, float32 (len(texts), dimension); only unknown ones are embedded.

        What was embedded is kept on disk; where that fails (a full disk), it only costs time later.
        """
        keys = [self._key(text) for text in texts]
        unknown = {
            key: text for key, text in zip(keys, texts, strict=True) if key not in self._kept
        }
        if unknown:
            made = self._encoder.encode(list(unknown.values())).astype(np.float32)
            self._kept.update(zip(unknown, made, strict=True))
            self._write(first=keys)
        if not keys:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.stack([self._kept[key] for key in keys])

    def _key(self, text: str) -> str:
        return hashlib.sha256(f"{self.model}\n{text}".encode()).hexdigest()

    def _read(self) -> dict[str, np.ndarray]:
        try:
            with np.load(self._file, allow_pickle=False) as stored:
                keys, vectors = stored["keys"], stored["vectors"]
            # A file of another model: its keys would never be asked for.
            if vectors.ndim != 2 or vectors.shape != (len(keys), self.dimension):
                return {}
            return dict(zip((str(key) for key in keys), vectors, strict=True))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            log.warning("vectors.unreadable", path=str(self._file), error=str(error))
            return {}

    def _write(self, first: Iterable[str]) -> None:
        keep = list(dict.fromkeys([*first, *self._kept]))[:MOST_KEPT]
        self._kept = {key: self._kept[key] for key in keep}
        temporary = None
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=self._file.parent, suffix=".tmp", delete=False
            ) as file:
                temporary = file.name
                np.savez(file, keys=np.array(keep), vectors=np.stack(list(self._kept.values())))
            Path(temporary).replace(self._file)
        except OSError as error:
            log.warning("vectors.not_kept", path=str(self._file), error=str(error))
            if temporary:
                Path(temporary).unlink(missing_ok=True)

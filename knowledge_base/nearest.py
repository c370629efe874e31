"""Rows of vectors: their cosines with a question, and the nearest among very many.

Both by FAISS and on the calling thread: numpy hands a product of this size to several threads, and
waking and joining them costs more than the product (2,000 rows: 8 ms on two busy cores against
0.05 ms).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

LINKS, BUILD_BREADTH, BREADTH = 24, 100, 64
"""HNSW's M, efConstruction and efSearch. Measured by scripts/bench_knowledge.py: what they find,
with the words' candidates, has .97 of the exact ranking's best ten at a million passages.

IVF was tried: as good with twice the time a question, and its cells go stale with the articles."""

BLOCK = 16_384
"""Vectors read, and added to an index, at a time."""

SAMPLE = 32_768
"""Vectors from which the eight-bit code's range is learnt."""


class Table:
    """Vectors by row number, float32: those in a file, mapped into memory, then newer ones."""

    def __init__(self, mapped: np.ndarray, fresh: np.ndarray) -> None:
        """Both (rows, dimension)."""
        self._mapped = np.asarray(mapped)
        self._fresh = np.ascontiguousarray(fresh, dtype=np.float32)

    def __len__(self) -> int:
        return len(self._mapped) + len(self._fresh)

    @property
    def bytes(self) -> int:
        """Of all vectors."""
        return self._mapped.nbytes + self._fresh.nbytes

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Copies of these rows, float32 (rows, dimension)."""
        found = np.empty((len(rows), self._fresh.shape[1]), dtype=np.float32)
        newer = rows >= len(self._mapped)
        found[~newer] = self._mapped[rows[~newer]]
        found[newer] = self._fresh[rows[newer] - len(self._mapped)]
        return found

    def cosines(self, rows: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Of these rows with each vector, float32 (vectors, rows)."""
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        # One sweep through everything is quicker than leaps to a good part of it.
        if len(rows) * 3 > len(self):
            swept = [_all_products(block, vectors) for block in (self._mapped, self._fresh)]
            return np.concatenate(swept, axis=1)[:, rows]
        if not len(self._fresh):
            return _products(self._mapped, vectors, rows)
        found = np.empty((len(vectors), len(rows)), dtype=np.float32)
        newer = rows >= len(self._mapped)
        found[:, ~newer] = _products(self._mapped, vectors, rows[~newer])
        found[:, newer] = _products(self._fresh, vectors, rows[newer] - len(self._mapped))
        return found


class Nearest:
    """An HNSW graph over vectors in an eight-bit code. Any thread may search; it never changes."""

    def __init__(self, index) -> None:
        """Wraps a FAISS index; see `build` and `load`."""
        self._index = index

    @classmethod
    def build(
        cls,
        count: int,
        dimension: int,
        vectors: Callable[[np.ndarray], np.ndarray],
        *,
        threads: int = 1,
        progress: Callable[[int], None] = lambda done: None,
    ) -> Nearest:
        """Over `count` vectors, which `vectors` gives by their positions: a millisecond each.

        `progress` is told how many are done.
        """
        import faiss

        faiss.omp_set_num_threads(threads)
        index = faiss.IndexHNSWSQ(
            dimension, faiss.ScalarQuantizer.QT_8bit, LINKS, faiss.METRIC_INNER_PRODUCT
        )
        index.hnsw.efConstruction = BUILD_BREADTH
        sample = np.linspace(0, count - 1, min(count, SAMPLE)).astype(np.int64)
        index.train(vectors(sample))
        for start in range(0, count, BLOCK):
            positions = np.arange(start, min(start + BLOCK, count))
            index.add(vectors(positions))
            progress(int(positions[-1]) + 1)
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> Nearest:
        """Read what `save` wrote. Raises RuntimeError or OSError."""
        import faiss

        return cls(faiss.read_index(str(path)))

    def save(self, path: Path) -> None:
        import faiss

        faiss.write_index(self._index, str(path))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def bytes(self) -> int:
        """About what it takes in memory: the codes, and each node's links with those above."""
        return int(len(self) * (self._index.d + 4 * 2.1 * LINKS))

    def best(self, vectors: np.ndarray, count: int) -> np.ndarray:
        """Positions of about the `count` nearest to each of the vectors, int64, in no order."""
        import faiss

        # OpenMP's setting belongs to the calling thread; see the top of this file.
        faiss.omp_set_num_threads(1)
        looked_at = faiss.SearchParametersHNSW(efSearch=max(count, BREADTH))
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        found = self._index.search(vectors, count, params=looked_at)[1].ravel()
        return found[found >= 0]


def _all_products(block: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    import faiss

    found = np.empty((len(vectors), len(block)), dtype=np.float32)
    if len(block):
        for vector, row in zip(vectors, found, strict=True):
            faiss.fvec_inner_products_ny(
                faiss.swig_ptr(row),
                faiss.swig_ptr(vector),
                faiss.swig_ptr(block),
                block.shape[1],
                len(block),
            )
    return found


def _products(block: np.ndarray, vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    import faiss

    faiss.omp_set_num_threads(1)
    found = np.empty((len(vectors), len(rows)), dtype=np.float32)
    # FAISS reads wherever a row number points; a wrong one must not reach it.
    if len(rows) and (rows.min() < 0 or rows.max() >= len(block)):
        raise IndexError("no such row")
    if len(rows):
        wanted = np.ascontiguousarray(np.broadcast_to(rows, found.shape), dtype=np.int64)
        faiss.fvec_inner_products_by_idx(
            faiss.swig_ptr(found),
            faiss.swig_ptr(vectors),
            faiss.swig_ptr(block),
            faiss.swig_ptr(wanted),
            block.shape[1],
            len(vectors),
            len(rows),
        )
    return found


def numbers_from(first: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """first[0], first[0] + 1, ... counts[0] of them, then the same from first[1], and so on."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) - np.repeat(ends - counts - first, counts)


def distinct(*numbers: np.ndarray) -> np.ndarray:
    """All numbers in these arrays, ascending and each once; np.unique takes five times as long."""
    found = np.sort(np.concatenate(numbers))
    return found[np.diff(found, prepend=found[:1] - 1) != 0]

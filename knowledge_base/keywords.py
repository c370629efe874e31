"""BM25 by stem: which texts hold a stem, how often, and what a question scores with them.

`Words` is kept stem by stem, like the columns of a sparse matrix, so a question reads the columns
of its own stems and nothing else. What changes with every edit, how rare a stem is and how long a
text is beside the others, is put in when a question is asked: so several `Words` (customers' and
staff's texts, old and new ones) are scored together as one `Corpus`, and none is made again because
another changed.
"""

from __future__ import annotations

import copy
import math
from array import array
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

K1, B = 1.2, 0.75
"""BM25's usual constants (Robertson and Zaragoza, 2009)."""

MOST_OF_A_STEM = 5_000
"""Texts that a stem can bring in when the best are sought: of a stem that more texts hold, those in
which it weighs most. Only a question without a rarer stem comes to that, see `Words.best`."""

_MOST_TIMES = 65_535


class Words:
    """The stems of some texts, which are known by their number. Never changes."""

    def __init__(self, texts: Iterable[Sequence[str]]) -> None:
        """`texts` as stems in any order; read once, one after another."""
        columns: dict[str, int] = {}
        stems, lengths = array("i"), array("i")
        for text in texts:
            stems.extend([columns.setdefault(stem, len(columns)) for stem in text])
            lengths.append(len(text))
        self._lengths = np.frombuffer(lengths, dtype=np.int32) if lengths else _no_numbers()
        of_stem = np.frombuffer(stems, dtype=np.int32) if stems else _no_numbers()
        of_text = np.repeat(np.arange(len(lengths), dtype=np.int32), self._lengths)
        self._fill(columns, *_counted(of_stem, of_text, len(lengths)))

    @classmethod
    def joined(cls, parts: Sequence[tuple[Words, np.ndarray]]) -> Words:
        """One from several: of each only the texts whose numbers are given, int (texts,), in order.

        The texts are numbered anew, through all parts.
        """
        columns: dict[str, int] = {}
        all_stems, all_texts, all_times = [_no_numbers()], [_no_numbers()], [_no_times()]
        first = 0
        for words, kept in parts:
            number = np.full(len(words._lengths), -1, dtype=np.int32)
            number[kept] = np.arange(first, first + len(kept), dtype=np.int32)
            column = np.array(
                [columns.setdefault(stem, len(columns)) for stem in words._columns], dtype=np.int32
            )
            stems = np.repeat(column, np.diff(words._starts))
            texts = number[words._texts]
            held = texts >= 0
            all_stems.append(stems[held])
            all_texts.append(texts[held])
            all_times.append(words._times[held])
            first += len(kept)
        made = cls(())
        made._lengths = np.concatenate(
            [_no_numbers(), *(words._lengths[kept] for words, kept in parts)]
        )
        stems, texts = np.concatenate(all_stems), np.concatenate(all_texts)
        order = np.argsort(stems.astype(np.int64) * max(first, 1) + texts, kind="stable")
        made._fill(columns, stems[order], texts[order], np.concatenate(all_times)[order])
        return made

    def _fill(
        self, columns: dict[str, int], stems: np.ndarray, texts: np.ndarray, times: np.ndarray
    ) -> None:
        """Take what is sorted by stem and then by text."""
        self._columns = columns
        self._starts = np.searchsorted(stems, np.arange(len(columns) + 1, dtype=np.int32))
        self._texts, self._times = texts, times
        self._alive: np.ndarray | None = None
        # Filled as stems are asked for, by whatever mean length was right then: it hardly moves.
        self._heads: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._largest: dict[str, float] = {}
        self._holding: dict[str, int] = {}
        self.count = len(self._lengths)
        self.length = int(self._lengths.sum(dtype=np.int64))

    @property
    def size(self) -> int:
        """How many text numbers there are, those left out included."""
        return len(self._lengths)

    @property
    def bytes(self) -> int:
        """What its numbers take in memory."""
        return self._starts.nbytes + self._texts.nbytes + self._times.nbytes + self._lengths.nbytes

    def only(self, alive: np.ndarray) -> Words:
        """The same without the texts for which `alive`, bool (texts,), is false.

        The others keep their numbers; those left out count for nothing, but are still scored.
        """
        view = copy.copy(self)
        view._alive, view._holding = alive, {}
        view.count = int(alive.sum())
        view.length = int(self._lengths[alive].sum(dtype=np.int64))
        return view

    def holding(self, stem: str) -> int:
        """How many texts hold a stem."""
        if self._alive is None:
            return len(self._column(stem)[0])
        if stem not in self._holding:
            self._holding[stem] = int(self._alive[self._column(stem)[0]].sum())
        return self._holding[stem]

    def holds(self, stem: str, text: int) -> bool:
        """Whether the text with this number holds a stem."""
        texts, _ = self._column(stem)
        place = int(np.searchsorted(texts, np.int32(text)))
        return place < len(texts) and int(texts[place]) == text

    def scores(
        self, rarity: Mapping[str, float], mean_length: float, at: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """BM25 that each stem adds to each text, float32 (texts,); or to the texts `at` only, int32
        and ascending.

        `rarity` names the stems and what each weighs, `mean_length` is that of the whole corpus.
        """
        found = {}
        for stem, weight in rarity.items():
            texts, times = self._column(stem)
            if at is None:
                score = np.zeros(len(self._lengths), dtype=np.float32)
                score[texts] = self._share(texts, times, mean_length) * np.float32(weight)
            else:
                score = np.zeros(len(at), dtype=np.float32)
                if len(texts):
                    place = np.searchsorted(texts, at)
                    place[place == len(texts)] = 0
                    held = texts[place] == at
                    share = self._share(at[held], times[place[held]], mean_length)
                    score[held] = share * np.float32(weight)
            found[stem] = score
        return found

    def best(self, rarity: Mapping[str, float], mean_length: float, count: int) -> np.ndarray:
        """The `count` texts that score highest, int32 ascending; fewer if fewer hold any stem.

        Rare stems come first. As soon as the stems left could not lift a text that holds only them
        among the best, they bring in no more texts, so the long columns are mostly left unread.
        Texts struck out are among those found.
        """
        stems = sorted(rarity, key=rarity.__getitem__, reverse=True)
        most = [self._most(stem, mean_length) * rarity[stem] for stem in stems]
        total = np.zeros(len(self._lengths), dtype=np.float32)
        seen = np.zeros(len(self._lengths), dtype=bool)
        texts = _no_numbers()
        while stems:
            reachable = sum(most[-len(stems) :])
            if len(texts) > count:
                scores = total[texts]
                least = np.partition(scores, -count)[-count]
                texts = texts[scores + reachable >= least]
                if least >= reachable:
                    break
            stem = stems.pop(0)
            more, times = self._weightiest(stem, mean_length)
            total[more] += self._share(more, times, mean_length) * np.float32(rarity[stem])
            texts = np.concatenate([texts, more[~seen[more]]])
            seen[more] = True
        texts.sort()
        scores = total[texts]
        rest = self.scores({stem: rarity[stem] for stem in stems}, mean_length, texts)
        for added in rest.values():
            scores += added
        if len(texts) > count:
            texts = np.sort(texts[np.argpartition(-scores, count)[:count]])
        return texts

    def _column(self, stem: str) -> tuple[np.ndarray, np.ndarray]:
        """The texts that hold a stem, int32 ascending, and how often each does."""
        column = self._columns.get(stem)
        if column is None:
            return _no_numbers(), _no_times()
        held = slice(self._starts[column], self._starts[column + 1])
        return self._texts[held], self._times[held]

    def _most(self, stem: str, mean_length: float) -> float:
        """The largest share of its rarity that a stem adds to a text."""
        if stem not in self._largest:
            share = self._share(*self._column(stem), mean_length)
            self._largest[stem] = float(share.max(initial=0.0))
        return self._largest[stem]

    def _weightiest(self, stem: str, mean_length: float) -> tuple[np.ndarray, np.ndarray]:
        """The column of a stem, or of a long one what MOST_OF_A_STEM leaves of it."""
        texts, times = self._column(stem)
        if len(texts) <= MOST_OF_A_STEM:
            return texts, times
        if stem not in self._heads:
            share = self._share(texts, times, mean_length)
            most = np.sort(np.argpartition(-share, MOST_OF_A_STEM)[:MOST_OF_A_STEM])
            self._heads[stem] = texts[most], times[most]
        return self._heads[stem]

    def _share(self, texts: np.ndarray, times: np.ndarray, mean_length: float) -> np.ndarray:
        """What is left of a stem's rarity in these texts, 0..1, float32."""
        slope = np.float32(K1 * B / mean_length if mean_length else 0.0)
        times = times.astype(np.float32)
        return times / (times + np.float32(K1 * (1 - B)) + slope * self._lengths[texts])


class Corpus:
    """All texts of a shelf, whose words are kept in parts: how rare a stem is among them."""

    def __init__(self, parts: Sequence[Words]) -> None:
        self._parts = tuple(parts)
        self.count = sum(words.count for words in self._parts)
        length = sum(words.length for words in self._parts)
        self.mean_length = length / self.count if self.count else 0.0

    def rarity(self, stem: str) -> float:
        """BM25's weight of a stem: highest for one that no text holds."""
        holding = sum(words.holding(stem) for words in self._parts)
        return math.log(1 + (self.count - holding + 0.5) / (holding + 0.5))


class Asked:
    """A question's stems as a corpus weighs them, to score any of the corpus's parts."""

    def __init__(self, corpus: Corpus, variants: Sequence[Sequence[str]]) -> None:
        self._rarity = {stem: corpus.rarity(stem) for stems in variants for stem in stems}
        self._mean_length = corpus.mean_length
        self._variants = variants

    def shares(self, words: Words, at: np.ndarray | None = None) -> np.ndarray:
        """BM25 of each text over the sum of the stems' rarities, at most 1; float32 (variants,
        texts), or of the texts `at` only, int32 and ascending.

        Stems that no text holds count in that sum: a question of mostly unknown words cannot score
        high. The sum is about what a text gets that holds each stem once.
        """
        scores = words.scores(self._rarity, self._mean_length, at)
        found = np.zeros((len(self._variants), words.size if at is None else len(at)), np.float32)
        for row, stems in zip(found, self._variants, strict=True):
            possible = sum(self._rarity[stem] for stem in stems)
            if possible:
                for stem in stems:
                    row += scores[stem]
                row /= np.float32(possible)
        return np.minimum(found, 1, out=found)

    def best(self, words: Words, count: int) -> np.ndarray:
        """The texts that about score highest with the stems of all variants; see `Words.best`."""
        return words.best(self._rarity, self._mean_length, count)


def _counted(
    stems: np.ndarray, texts: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each stem with each text that holds it and how often, sorted by stem and then by text."""
    pairs = stems.astype(np.int64) * max(count, 1) + texts
    pairs.sort()
    first = np.flatnonzero(np.diff(pairs, prepend=-1))
    times = np.minimum(np.diff(first, append=len(pairs)), _MOST_TIMES).astype(np.uint16)
    stem, text = np.divmod(pairs[first], max(count, 1))
    return stem.astype(np.int32), text.astype(np.int32), times


def _no_numbers() -> np.ndarray:
    return np.zeros(0, dtype=np.int32)


def _no_times() -> np.ndarray:
    return np.zeros(0, dtype=np.uint16)

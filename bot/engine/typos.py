"""Words as they were meant: spelling mistakes against a list of known words. Standard library."""

from __future__ import annotations

from functools import lru_cache
from typing import Dict, Iterable, List, Optional, Text, Tuple

SHORTEST = 5  # letters; in shorter words a letter more or less makes another word


def distance(one: Text, other: Text, most: int) -> int:
    """Letters to add, drop, change or swap with their neighbour; above `most`, `most` + 1."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: List[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


class Speller:
    """Finds the known word behind a misspelt one.

    Args:
        words: what is known, in lower case.
        real: words of the language that only look like a known one; they are never changed.
        long: from this length on, two mistakes are allowed; below it, one.
    """

    def __init__(self, words: Iterable[Text], *, real: Iterable[Text] = (), long: int = 8):
        self._words = frozenset(words)
        self._real = frozenset(real)
        self._long = long
        shelves: Dict[Tuple[Text, int], List[Text]] = {}
        for word in sorted(self._words):
            for length in range(len(word) - 2, len(word) + 3):
                shelves.setdefault((word[:1], length), []).append(word)
        self._shelves = shelves
        self.meant = lru_cache(maxsize=8192)(self._meant)

    def _meant(self, word: Text, shortest: int = SHORTEST) -> Optional[Text]:
        """The known word that `word` (lower case) is, or is a misspelling of; None: neither."""
        if word in self._words:
            return word
        if len(word) < shortest or word in self._real:
            return None
        best, best_distance = None, 3
        for first in {word[0], word[1]}:  # the first two letters may be swapped
            for known in self._shelves.get((first, len(word)), ()):
                # A plural or a genitive is another word, and no mistake.
                if len(known) < shortest or word in (known + "s", known + "es"):
                    continue
                if first != word[0] and known[1:2] != word[0]:
                    continue
                most = 2 if min(len(word), len(known)) >= self._long else 1
                found = distance(word, known, most)
                if found <= most and found < best_distance:
                    best, best_distance = known, found
        return best

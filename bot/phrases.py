"""Phrases in what customers write, as people list them in ``escalation.yml``.

Pure functions, standard library only. A phrase is found on word borders, whatever its case, its
apostrophes and its punctuation; a word also matches its plural. In a phrase ``/`` separates words
that may stand for one another, ``*`` at the end of a word stands for any ending, and ``...`` for up
to three words. What is part of one of its topic's ``unless`` phrases is not meant.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

GAP = 3


@dataclass(frozen=True)
class Topic:
    """A list of phrases on one subject."""

    name: str
    phrases: tuple[str, ...]
    unless: tuple[str, ...] = ()

    def find(self, text: Text) -> tuple[int, int] | None:
        """Where in the original text the topic is mentioned first; None when it is not."""
        if not self.phrases or not self._any.search(text.plain):
            return None
        void = [found.span() for pattern in self._void for found in pattern.finditer(text.plain)]
        spans = [
            found.span()
            for pattern in self._patterns
            for found in pattern.finditer(text.plain)
            if not any(start < found.end() and found.start() < end for start, end in void)
        ]
        return text.original(*min(spans)) if spans else None

    @cached_property
    def _any(self) -> re.Pattern[str]:
        return re.compile("|".join(f"(?:{pattern_of(phrase)})" for phrase in self.phrases))

    @cached_property
    def _patterns(self) -> list[re.Pattern[str]]:
        return [re.compile(pattern_of(phrase)) for phrase in self.phrases]

    @cached_property
    def _void(self) -> list[re.Pattern[str]]:
        return [re.compile(pattern_of(phrase)) for phrase in self.unless]


_TOKEN = re.compile(r"[^\W_]+(?:['’‘`´][^\W_]+)*|[.!?;:]+(?=\s|$)|\n\s*\n")
_APOSTROPHES = re.compile(r"['’‘`´]")
_BREAK = "|"


class Text:
    """A text as plain words: lower case, no accents, no apostrophes, ``|`` between sentences; with
    the way back to where they stood."""

    def __init__(self, text: str):
        parts: list[str] = []
        self._places: list[tuple[int, int, int]] = []  # place in plain; start and end in the text
        length = 1
        for found in _TOKEN.finditer(text):
            word = _plain(found.group()) or _BREAK
            parts.append(word)
            self._places.append((length, found.start(), found.end()))
            length += len(word) + 1
        self.plain = f" {' '.join(parts)} "

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Start and end in the text of a span of ``plain``."""
        inside = [place for place in self._places if start <= place[0] < end]
        return (inside[0][1], inside[-1][2]) if inside else (0, 0)


def _plain(word: str) -> str:
    """'Café’s' to 'cafes'; "" for punctuation."""
    if not any(character.isalnum() for character in word):
        return ""
    folded = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", word)).casefold()
    return "".join(character for character in folded if character.isalnum())


def pattern_of(phrase: str) -> str:
    """A phrase as a regular expression on `Text.plain`.

    Raises:
        ValueError: what is wrong with the phrase, in words.
    """
    words = phrase.replace("…", "...").replace("...", " ... ").split()
    if not any(any(character.isalnum() for character in word) for word in words):
        raise ValueError("it has no word in it")
    if words[0] == "..." or words[-1] == "...":
        raise ValueError("“...” stands between two words, not at an end")
    parts: list[str] = []
    for word in words:
        if word == "...":
            parts.append(rf"(?:[^ {_BREAK}]+ ){{0,{GAP}}}")
        else:
            parts.append(f"(?:{'|'.join(_word(it) for it in _alternatives(word))}) ")
    # The borders are looked at and not taken: two phrases may share one.
    return "(?<= )" + "".join(parts)[:-1] + "(?= )"


def _alternatives(word: str) -> list[str]:
    alternatives = word.split("/")
    if not all(any(character.isalnum() for character in it) for it in alternatives):
        raise ValueError(f"in “{word}” a word is missing beside “/”")
    return alternatives


def _word(word: str) -> str:
    """One word of a phrase: itself or its plural, or with ``*`` any ending."""
    stem = word.rstrip("*")
    if "*" in stem:
        raise ValueError(f"in “{word}” the “*” does not stand at the end")
    # A hyphen separates words in a text, and so it does in a phrase.
    plain = " ".join(filter(None, (_plain(found.group()) for found in _TOKEN.finditer(stem))))
    if not plain:
        raise ValueError(f"“{word}” is no word")
    if stem != word:
        if len(plain) < 4:
            raise ValueError(f"“{word}” would match too much: write four letters before “*”")
        return rf"{re.escape(plain)}[^ {_BREAK}]*"
    if len(plain) < 3:
        return re.escape(plain)
    if plain.endswith("y"):
        return rf"{re.escape(plain[:-1])}(?:y|ys|ies)"
    return rf"{re.escape(plain)}(?:s|es)?"

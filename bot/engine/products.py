"""Products that a message names, by the catalogue, with spelling mistakes. No Rasa.

Only whole phrases of the catalogue count: "summit tent" is one, the "summit" of a mountain is none.
A phrase of several words may hold a mistake in each of its longer words, since each vouches for the
others; a single word must be long to be corrected.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Optional, Sequence, Set, Text, Tuple

from bot.engine.catalogue import Entry, words
from bot.engine.typos import Speller

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
SHORTEST_ALONE = 6  # letters of a single word that may be misspelt
SHORTEST_TOGETHER = 5

# Words of the shop that are everyday words as well: they name a thing only after one of these.
_EVERYDAY = {"pack", "packs", "coats", "coat", "compass", "boot", "shoe", "pole", "harness", "tarp"}
_BEFORE_THINGS = {
    "the", "a", "an", "my", "your", "our", "his", "her", "their", "this", "that", "these", "those",
    "new", "old", "same", "other", "another", "which", "what", "of", "any", "some", "two", "pair",
    "both", "red", "blue", "green", "black", "grey", "orange", "large", "small", "medium", "wrong",
    "broken", "damaged", "faulty", "litre", "l", "waterproof", "leather", "walking", "hiking",
    "winter", "summer", "kids", "mens", "womens", "buy", "sell", "bought", "ordered", "return",
    "returned", "exchange", "and", "or", "for", "with", "in",
}  # fmt: skip
_AFTER_VERB = {"up", "away", "it", "them", "everything", "of", "your", "off"}
# English words that a mistake would make a word of the shop.
_REAL = {
    "jacked", "racket", "packet", "pocket", "ticket", "basket", "bracket", "booth", "boost",
    "roots", "boats", "tenth", "tense", "tends", "stored", "stores", "stone", "stave", "fleeced",
    "flash", "helms", "harassed", "trousseau", "sleep", "sleeps", "pillows", "button", "battle",
    "bottled", "bottom", "gloved", "beanies", "bean", "socket", "sacks", "shocks", "shows", "shone",
    "slopes", "raps", "traps", "cover", "covers", "covered", "filter", "filtered", "lights",
    "little", "ridged", "bridge", "fridge", "corrie", "summits", "carrier", "carriers", "sandal",
    "liners", "linear", "canter", "lantern", "compassion", "harnessed", "shoe", "shoes", "those",
    "insulted", "lining", "family", "finally",
}  # fmt: skip


@dataclass(frozen=True)
class Mention:
    """A phrase of the text, [start, end): a product by its name, or only its `category`, with the
    products it may be."""

    start: int
    end: int
    product: Text
    category: Text
    candidates: Tuple[Text, ...] = ()


class Products:
    """Finds the catalogue's products in texts."""

    def __init__(self, entries: Iterable[Entry]):
        self._phrases: Dict[Tuple[Text, ...], List[Entry]] = {}
        known: Set[Text] = set()
        for entry in entries:
            for phrase in {_singular(words(phrase)) for phrase in entry.phrases}:
                self._phrases.setdefault(phrase, []).append(entry)
                known.update(phrase)
        starts: Dict[Text, Set[int]] = {}
        for phrase in self._phrases:
            starts.setdefault(phrase[0], set()).add(len(phrase))
        self._lengths = {first: sorted(lengths, reverse=True) for first, lengths in starts.items()}
        self._known = known
        self._speller = Speller((word for word in known if len(word) > 1), real=_REAL)

    def find(self, text: Text) -> List[Mention]:
        """Every product and category that the text names, the longest phrase at each place."""
        places = [(match.start(), match.end()) for match in _WORD.finditer(text)]
        spelt = [_spelt(text[start:end]) for start, end in places]
        written = [_stem(word) for word in spelt]
        meant = [self._meant(word) for word in written]
        found: List[Mention] = []
        at = 0
        while at < len(meant):
            length, mention = self._at(spelt, meant, at)
            if mention is not None:
                start, end = places[at][0], places[at + length - 1][1]
                found.append(Mention(start, end, *mention))
            at += length
        return found

    def _meant(self, word: Text) -> Optional[Text]:
        return word if word in self._known else self._speller.meant(word, SHORTEST_TOGETHER)

    def _at(
        self, spelt: Sequence[Text], meant: Sequence[Optional[Text]], at: int
    ) -> Tuple[int, Optional[Tuple[Any, ...]]]:
        """How many words the phrase here has (1 if there is none), and what it names."""
        for length in self._lengths.get(meant[at] or "", ()):
            phrase = tuple(word or "" for word in meant[at : at + length])
            if len(phrase) == length and phrase in self._phrases and self._names(spelt, phrase, at):
                return length, _meaning(self._phrases[phrase])
        return 1, None

    def _names(self, spelt: Sequence[Text], phrase: Tuple[Text, ...], at: int) -> bool:
        """Whether a phrase stands here as a name."""
        if len(phrase) > 1:
            return True
        word = spelt[at]
        if _stem(word) != phrase[0] and len(word) < SHORTEST_ALONE:
            return False
        if word not in _EVERYDAY:
            return True
        before = spelt[at - 1] if at else ""
        after = spelt[at + 1] if at + 1 < len(spelt) else ""
        return (before in _BEFORE_THINGS or before.isdigit()) and after not in _AFTER_VERB


def _meaning(entries: List[Entry]) -> Tuple[Text, Text, Tuple[Text, ...]]:
    products = [entry.name for entry in entries if entry.product]
    categories = {entry.category for entry in entries}
    if len(products) == 1 and all(entry.product for entry in entries):
        return products[0], entries[0].category, ()
    return "", entries[0].category if len(categories) == 1 else "", tuple(products)


def _spelt(word: Text) -> Text:
    """In lower case, without a genitive."""
    return re.sub(r"['’]s?$|['’]", "", word.casefold())


def _singular(phrase: Tuple[Text, ...]) -> Tuple[Text, ...]:
    return tuple(_stem(word) for word in phrase)


def _stem(word: Text) -> Text:
    """Without a plural's s: "boots", "torches"; not of "harness" or "gas"."""
    if word.endswith("nesses") or word.endswith("tches") or word.endswith("rches"):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us")):
        return word[:-1]
    return word

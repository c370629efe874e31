"""A question's sentences, its words, and their stems. Pure functions, standard library only.

spaCy's sentence splitter was tried: importing it also imports torch where that is installed, takes
seconds, and splits these short messages no better than the rule below.
"""

from __future__ import annotations

import re

MOST_SENTENCES = 4
"""Of a long message only so many sentences are searched; each costs an embedding."""

LONGEST_WHOLE = 25
"""Words up to which a message of several sentences is also searched as a whole."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")

# Words that say nothing about the topic. "how", "when" and their like are kept out too: passages
# are statements and hardly hold them.
STOP_WORDS = frozenset(
    """
    a about all also am an and any are as at be because been being but by can could d did do does
    doing dont for from get gets getting got had has have having he hello help her hey hi him his
    how i if im in into is it its ive just know let like ll m may me might mine much must my
    need needs no of oh ok okay on one or our please pls plz really s say she should so some such t
    tell than thank thanks that thats the their them then there these they thing this those to too u
    ur us ve very want wanted wants was we well were what whats when where whether which who why
    will with wont would ya yes you your yours cant couldnt didnt doesnt hasnt havent isnt theres
    wasnt werent wheres whos wouldnt youre youve
    """.split()  # noqa: SIM905 (readable, and as easily changed as prose)
)

# What people type in chats, and what the encoder has read more often.
_CHAT = {
    "u": "you", "ur": "your", "r": "are", "n": "and", "pls": "please", "plz": "please",
    "thx": "thanks", "cuz": "because", "tmrw": "tomorrow", "im": "I'm", "ive": "I've",
    "youve": "you've", "dont": "don't", "doesnt": "doesn't", "didnt": "didn't", "cant": "can't",
    "wont": "won't", "isnt": "isn't", "wasnt": "wasn't", "werent": "weren't", "havent": "haven't",
    "hasnt": "hasn't", "whats": "what's", "wheres": "where's", "theres": "there's",
    "thats": "that's",
}  # fmt: skip
_TOKEN = re.compile(r"(?<![\w'’])[A-Za-z]+(?![\w'’])")


def plain(question: str) -> str:
    """The question with common chat spellings written out: "r u open" is "are you open"."""
    return _TOKEN.sub(lambda match: _CHAT.get(match[0].lower(), match[0]), question)


def variants(question: str) -> list[str]:
    """The ways to search for a message: as a whole, and each of its sentences, at least one.

    People wrap a question in a greeting or their anger, and a sentence alone is a cleaner query. A
    short message is searched as a whole too, because its sentences may need one another ("I live in
    Germany. How do I return it?").
    """
    question = plain(question)
    whole = " ".join(question.split())
    parts = [" ".join(part.split()) for part in _SENTENCE.split(question)]
    parts = [part for part in parts if content_words(part)]
    if len(parts) > MOST_SENTENCES:
        # Real questions first; the sort keeps their order.
        parts = sorted(parts, key=lambda part: not part.endswith("?"))[:MOST_SENTENCES]
    if len(parts) < 2 or len(whole.split()) <= LONGEST_WHOLE:
        return list(dict.fromkeys([whole, *parts]))
    return parts


def words(text: str) -> list[str]:
    """Lower-case words without their apostrophes: "Don't" is `dont`, like in chats."""
    return [word.replace("'", "").replace("’", "") for word in _WORD.findall(text.lower())]


def content_words(text: str) -> list[str]:
    """The stems of the words that say something about the topic, in order."""
    return [stem(word) for word in words(text) if word not in STOP_WORDS]


def stem(word: str) -> str:
    """A light English stem: `returns`, `returned`, `returning` are `return`.

    Plurals as in Harman's S-stemmer (How effective is suffixing?, 1991), then -ing and -ed.
    """
    if len(word) > 4 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        base = word.removesuffix(ending)
        if base != word and len(base) >= 3 and re.search("[aeiouy]", base):
            word = base
            if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz":
                word = base[:-1]
            break
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    return word

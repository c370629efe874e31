"""Where sentences end, by spaCy: its tokenizer knows `e.g.`, `9 a.m.` and `www.x.com`.

spaCy's rule for ends of sentences (`sentencizer`) is corrected in two ways for the prose of help
pages: an abbreviation such as "approx." or "no." ends no sentence, and what closes a quotation or a
bracket belongs to the sentence before it.
"""

from __future__ import annotations

import sys
from functools import lru_cache

ABBREVIATIONS = frozenset(
    """
    approx. art. cf. ch. co. corp. dept. est. etc. ex. fig. incl. inc. ltd. max. min. misc. no. nos.
    nr. p. para. pp. pt. ref. resp. sec. sect. st. tel. temp. vol. vs. e.g. i.e. eg. ie. mr. mrs. ms.
    dr. prof. jan. feb. mar. apr. jun. jul. aug. sep. sept. oct. nov. dec. mon. tue. wed. thu. fri.
    sat. sun.
    """.split()  # noqa: SIM905 (readable, and as easily changed as prose)
)
ENDS_TOO = frozenset({"etc.", "co.", "inc.", "ltd.", "corp.", "a.m.", "p.m."})
"""Those that do end a sentence where a capital follows."""

CLOSING = frozenset("\"'”’»)]}*_`")
OPENING = frozenset("\"'“‘«([{*_`")


def spans(text: str) -> list[tuple[int, int]]:
    """The sentences as [start, end) in `text`, in order, blanks around them left out."""
    found = []
    for sentence in _pipeline()(text).sents:
        start, end = sentence.start_char, sentence.end_char
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if start < end:
            found.append((start, end))
    return found


@lru_cache(maxsize=1)
def _pipeline():
    """spaCy's English tokenizer with the rule, loaded at the first call (about a second).

    Where torch is installed, for training, importing spaCy would import it too, for parts that are
    not used here: half a gigabyte and some seconds. So it is hidden from that one import.
    """
    hidden = "torch" not in sys.modules
    if hidden:
        sys.modules["torch"] = None  # type: ignore[assignment]  # an import of it fails
    try:
        import spacy
        from spacy.language import Language
    finally:
        if hidden:
            del sys.modules["torch"]
    if not Language.has_factory("support_sentences"):
        Language.component("support_sentences", func=_corrected)
    language = spacy.blank("en")
    language.add_pipe("sentencizer")
    language.add_pipe("support_sentences")
    language.max_length = 10_000_000
    return language


def _corrected(doc):
    """Move or drop the ends that the sentencizer got wrong."""
    for token in doc[1:]:
        if not token.is_sent_start:
            continue
        before = token.i - 1
        word = doc[before].text.lower()
        # "(no." is one token for the tokenizer where "no" is a word of its own: look at both.
        joined = (doc[before - 1].text + doc[before].text).lower() if before else word
        short = next((it for it in (word, joined) if it in ABBREVIATIONS), None)
        spaced = bool(doc[before].whitespace_)
        if word in OPENING and not spaced and before and doc[before - 1].whitespace_:
            token.is_sent_start = False
            doc[before].is_sent_start = True
        elif token.text in CLOSING and not spaced:
            token.is_sent_start = False
            if token.i + 1 < len(doc):
                doc[token.i + 1].is_sent_start = True
        elif (short and (short not in ENDS_TOO or not token.text[0].isupper())) or (
            token.text[0].islower() and word.endswith(".")
        ):
            token.is_sent_start = False
    return doc

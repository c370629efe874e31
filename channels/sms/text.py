"""A reply as a text message: plain words, GSM-7 where nothing is lost by it, counted in segments."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

PREFERRED = 320
"""Characters within which a reply stays where a link leads to the rest of it."""

MOST = 1600
"""Characters, in UTF-16 units, that Twilio takes as one message."""

GSM_7 = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_7_EXTENSION = "\f^{}\\[~]|€"
"""Both of 3GPP TS 23.038, 6.2.1; a character of the second costs two, for it comes after an escape."""

_UNITS = dict.fromkeys(GSM_7, 1) | dict.fromkeys(GSM_7_EXTENSION, 2)
_SAME = str.maketrans(
    dict.fromkeys("‘’‚‛′`´‹›", "'")
    | dict.fromkeys("“”„‟″«»", '"')
    | dict.fromkeys("‐‑‒–—―−", "-")
    | dict.fromkeys("\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\t", " ")
    | dict.fromkeys("\u00ad\u200b\u2060\ufeff", "")
    | {"…": "...", "•": "-", "‣": "-", "·": "-", "→": "->", "×": "x", "\u2028": "\n"}
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\s])")
_JOINS = "\u200d\ufe0e\ufe0f\u20e3"  # what belongs to the character before it
_FLAG_LETTERS = re.compile("[\U0001f1e6-\U0001f1ff]*$")
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True)
class Choice:
    """Something that can be answered with its number."""

    title: str


def mapped(text: str) -> str:
    """Typographic signs as those that GSM-7 has. What it has not stays as it is: letters with
    accents, other scripts and emoji mean something."""
    return text.translate(_SAME)


def segments(text: str) -> int:
    """How many segments the vendor counts, and bills: 160 units of GSM-7 or 70 of UCS-2 in one, 153
    or 67 in each of several. An extension character or a surrogate pair is never divided."""
    if all(character in _UNITS for character in text):
        return _packed([_UNITS[character] for character in text], alone=160, joined=153)
    return _packed([_wide(character) for character in text], alone=70, joined=67)


def _packed(units: Sequence[int], *, alone: int, joined: int) -> int:
    if sum(units) <= alone:
        return 1
    count, room = 1, joined
    for unit in units:
        if unit > room:
            count, room = count + 1, joined
        room -= unit
    return count


def _wide(character: str) -> int:
    return 2 if ord(character) > 0xFFFF else 1


def length(text: str) -> int:
    """Characters as the vendor counts them, in UTF-16 units."""
    return sum(_wide(character) for character in text)


def composed(
    text: str, *, choices: Sequence[Choice] = (), link: str = "", whole: bool = False
) -> str:
    """What leaves for a message.

    Args:
        text: markdown from the bot, plain text from people.
        choices: offered as numbers.
        link: address of the article that an answer is from; "": there is none.
        whole: a person wrote it: not a word is left out, and nothing in it is taken for markdown.
    """
    said = text.strip() if whole else plain(text)
    offered = [f"{number} {choice.title}" for number, choice in enumerate(choices, start=1)]
    tail = ["Reply with the number:", *offered] if offered else []
    if link:
        said = _shortened(said, PREFERRED - length(link) - 1)
        said = f"{said}\n{link}"
    return mapped("\n".join([said, *tail])).strip()


def _shortened(text: str, most: int) -> str:
    """The first sentences that have room; the first one in any case."""
    if length(text) <= most:
        return text
    kept = ""
    for line in text.split("\n"):
        for sentence in _SENTENCE.split(line) or [""]:
            joint = "" if not kept else (" " if not kept.endswith("\n") else "")
            more = f"{kept}{joint}{sentence}"
            if kept.strip() and length(more) + 4 > most:
                return f"{kept.strip()} ..."
            kept = more
        kept += "\n"
    return kept.strip()


def parts(text: str, most: int = MOST) -> list[str]:
    """The messages that a text leaves as: one, unless it is longer than the vendor takes. It is
    divided between paragraphs, sentences or words, and never within a character."""
    found: list[str] = []
    rest = text.strip()
    while length(rest) > most:
        at = _border(rest, _index_at(rest, most))
        found.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return [*found, rest] if rest or not found else found


def _index_at(text: str, units: int) -> int:
    """The index before which there are at most so many UTF-16 units."""
    count = 0
    for index, character in enumerate(text):
        count += _wide(character)
        if count > units:
            return index
    return len(text)


def _border(text: str, at: int) -> int:
    """The last good place at or before ``at``, in the second half of what fits."""
    for sign in ("\n\n", "\n", ". ", " "):
        found = text.rfind(sign, at // 2, at + 1)
        if found > 0:
            return found + len(sign.rstrip(" ")) if sign != "\n\n" else found
    while at > 1 and _belongs(text, at):
        at -= 1
    return at


def _belongs(text: str, at: int) -> bool:
    """Whether what begins here is seen as one character with what stands before."""
    character, before = text[at], text[at - 1]
    return (
        unicodedata.combining(character) != 0
        or character in _JOINS
        or before == "\u200d"
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # tones of skin
        or (_is_flag(character) and len(_FLAG_LETTERS.search(text[:at])[0]) % 2 == 1)
    )


def _is_flag(character: str) -> bool:
    """A letter of a flag; two of them are one."""
    return "\U0001f1e6" <= character <= "\U0001f1ff"


# Markdown.


def plain(markdown: str) -> str:
    """Markdown as words: lists with a dash or a number, tables row by row, links by their text, and
    by their address too where it is on another site."""
    return "\n".join(_Reader().read(_MARKDOWN.parse(markdown))).strip()


class _Reader:
    """Goes through the tokens of a markdown text and keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._numbers: list[int | None] = []  # of the lists that are open; None: with dashes
        self._mark = ""  # of a list's item that has no words yet
        self._cells: list[str] | None = None  # of the row that is open
        self._header: list[str] = []
        self._head = False

    def read(self, tokens: Sequence[Token]) -> list[str]:
        for token in tokens:
            if token.type == "inline":
                self._words(_inline(token.children or []))
            elif token.type in ("fence", "code_block"):
                self.lines.append(token.content.strip("\n"))
            else:
                self._structure(token)
        return self.lines

    def _words(self, words: str) -> None:
        if self._cells is not None:
            self._cells.append(words)
            return
        self.lines.append(f"{self._mark} {words}".strip())
        self._mark = ""

    def _structure(self, token: Token) -> None:
        if token.type == "ordered_list_open":
            self._numbers.append(int(token.attrs.get("start", 1)))
        elif token.type == "bullet_list_open":
            self._numbers.append(None)
        elif token.type in ("ordered_list_close", "bullet_list_close"):
            self._numbers.pop()
        elif token.type == "list_item_open":
            number = self._numbers[-1]
            self._mark = "-" if number is None else f"{number}."
            self._numbers[-1] = None if number is None else number + 1
        elif token.type in ("thead_open", "thead_close"):
            self._head = token.type == "thead_open"
        elif token.type == "tr_open":
            self._cells = []
        elif token.type == "tr_close":
            self._end_of_row(self._cells or [])

    def _end_of_row(self, cells: list[str]) -> None:
        self._cells = None
        if self._head:
            self._header = cells
            return
        names = [*self._header, *[""] * len(cells)]
        named = zip(names, cells, strict=False)
        self.lines.append("; ".join(f"{it}: {cell}" if it else cell for it, cell in named if cell))


def _inline(children: Sequence[Token]) -> str:
    words: list[str] = []
    address = ""
    start = 0
    for child in children:
        if child.type in ("text", "code_inline"):
            words.append(child.content)
        elif child.type == "softbreak":
            words.append(" ")
        elif child.type == "hardbreak":
            words.append("\n")
        elif child.type == "image":
            words.append(child.content)
        elif child.type == "link_open":
            address, start = str(child.attrs.get("href", "")), len(words)
        elif child.type == "link_close":
            name = "".join(words[start:])
            if address.startswith(("http://", "https://")) and address != name:
                words.append(f" ({address})")
            elif address.startswith("mailto:") and address[7:] not in name:
                words.append(f" ({address[7:]})")
    return "".join(words).strip()

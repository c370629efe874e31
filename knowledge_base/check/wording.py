"""What an article says and how: hard to read, promises, and what was not meant for customers.

Rules only. English; text in other languages is left alone where a rule would not hold.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from knowledge_base.check.finding import Finding
from knowledge_base.check.library import Library
from knowledge_base.check.page import Page
from knowledge_base.check.prose import sentences, shortened
from knowledge_base.words import STOP_WORDS, words

HIGHEST_GRADE = 12.0
"""The grade above which a passage is hard to read: the last year of school in the USA."""

FEWEST_WORDS = 60
"""Words of prose from which a grade says something."""

FEWEST_STOP_WORDS = 0.2
"""Share of English function words below which a text is taken for another language."""

_VOWELS = re.compile(r"[aeiouyáàâäéèêëíîïóôöúûü]+")

_PROMISES = (
    re.compile(r"\bguarantee(?:d|s)?\b", re.IGNORECASE),
    re.compile(
        r"(?<!have )(?<!has )(?<!had )\balways\b(?! (?:use|keep|check|give|write|send|bring|wear))",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?:we|our|ours|will|is|are|be|team)\b[^.;:,]*?\bnever\b", re.IGNORECASE),
    re.compile(r"\b100\s?(?:%|per\s?cent)", re.IGNORECASE),
    re.compile(r"\b(?:at )?any ?time\b|\b24/7\b|\bround the clock\b", re.IGNORECASE),
    re.compile(r"\bfree of charge\b|\bat no (?:extra )?cost\b", re.IGNORECASE),
    re.compile(
        r"\bno matter (?:what|how|when)\b|\bwithout exception\b|\bunlimited\b", re.IGNORECASE
    ),
    re.compile(r"\b(?:forever|for life|lifetime)\b", re.IGNORECASE),
)
_AT_ONCE = re.compile(
    r"\b(?:instantly|immediately|at once|straight away|right away)\b", re.IGNORECASE
)
_DEADLINE = re.compile(
    r"\bwithin\s+(?:the\s+)?(?:\d[\d.,–-]*|an?|one|two|three|four|five|six|seven|ten|twelve)\s+"
    r"(?:more\s+|working\s+|business\s+|calendar\s+)*(?:minute|hour|day|week|month|year)s?\b",
    re.IGNORECASE,
)
# Who has to keep a deadline: what happens to something, or what we do, is our promise.
_OURS = re.compile(
    r"\b(?:we|we'll|our|us|northpeak|(?:is|are|be|been|gets?) \w+(?:ed|en|de|nt|pt|ut|id)"
    r"|receives?|takes? effect|arrives?)\b",
    re.IGNORECASE,
)
# ... but not what the customer is asked to do, or what has to have happened.
_CUSTOMERS = re.compile(
    r"\b(?:you|they) (?:can|have to|must|may|need|could|should)\b|\b(?:if|when|once)\b"
    r"|\b(?:has|have|needs?) to be\b|\b(?:can|could|must|may) (?:be|also)\b"
    r"|(?:^\W*|[,:;] |\b(?:and|or|then|please|to) )(?:ask|bring|call|cancel|change|check|collect"
    r"|contact|forward|hand|open|order|pay|place|post|remove|reply|report|reset|return|send|stop"
    r"|switch|take|tell|use|write)\b(?! (?:is|are|will)\b)",
    re.IGNORECASE,
)

_LEFT = re.compile(
    r"\b(?:TODO|FIXME|TBD|TBC|XXX|WIP)\b|\blorem ipsum\b"
    r"|\[(?:insert|placeholder|your|to be|tbc|tbd|name|date)\b[^\]\n]*\](?!\()|\?{3,}",
)
_LOREM = re.compile(r"\blorem ipsum\b", re.IGNORECASE)
_CONFLICT = re.compile(r"(?:<{7}|>{7}|\|{7}) \S|={7}$")

_TAGS = (
    "a|abbr|b|big|blockquote|br|center|code|col|dd|details|div|dl|dt|em|figure|font|h[1-6]|hr|i"
    "|iframe|img|kbd|li|ol|p|picture|pre|s|script|section|small|span|strong|style|sub|summary|sup"
    "|table|tbody|td|th|thead|tr|u|ul|video"
)
_HTML = re.compile(rf"<!--.*?(?:-->|\Z)|</?(?:{_TAGS})(?:\s[^<>]*)?/?>", re.DOTALL | re.IGNORECASE)
_INSTEAD = {
    "tag": "write it in markdown",
    "comment": "delete it",
    "silence": "write `check_ignore: [rule]` between the `---` lines at the top instead",
}
_CODE = re.compile(r"(`+).+?\1|^(?:```|~~~).*?^(?:```|~~~)", re.DOTALL | re.MULTILINE)


def reading_level(page: Page, library: Library) -> Iterator[Finding]:
    """Passages that are hard to read: above grade 12 by Flesch-Kincaid.

    0.39 x words per sentence + 11.8 x syllables per word - 15.59 (Kincaid, Fishburne, Rogers and
    Chissom, Derivation of new readability formulas for Navy enlisted personnel, Research Branch
    Report 8-75, 1975). Tables, lists of short items and code are left out.
    """
    texts: dict[int, list[str]] = defaultdict(list)
    for block in page.blocks:
        long_item = block.kind == "item" and len(block.prose.split()) > 8
        if block.kind == "paragraph" or long_item:
            heading = page.heading_at(block.line)
            line = page.line_of_heading(heading) if heading else block.line
            texts[line] += [sentence.text for sentence in sentences(block)]
    for line, said in texts.items():
        grade = reading_grade(said)
        if grade is not None and grade > HIGHEST_GRADE:
            longest = max(said, key=len)
            yield Finding(
                "reading-level",
                "warning",
                page.place(line),
                f"hard to read: grade {grade:.1f}, and {HIGHEST_GRADE:.0f} is hard already; split "
                f"long sentences, such as “{shortened(longest, 100)}”",
            )


def reading_grade(said: Sequence[str]) -> float | None:
    """The Flesch-Kincaid grade of some sentences; None for too few words or another language."""
    spoken = [word for sentence in said for word in words(sentence)]
    if len(spoken) < FEWEST_WORDS or len(said) < 2:
        return None
    if sum(word in STOP_WORDS for word in spoken) < FEWEST_STOP_WORDS * len(spoken):
        return None
    syllables = sum(map(_syllables, spoken))
    return 0.39 * len(spoken) / len(said) + 11.8 * syllables / len(spoken) - 15.59


def _syllables(word: str) -> int:
    """Groups of vowels, without the silent e at the end; a number counts as one."""
    count = len(_VOWELS.findall(word))
    if word.endswith("e") and not word.endswith(("le", "ee")) and count > 1:
        count -= 1
    if word.endswith("ed") and not word.endswith(("ted", "ded")) and count > 1:
        count -= 1
    return max(count, 1)


def promises(page: Page, library: Library) -> Iterator[Finding]:
    """Sentences by which customers may take the shop at its word, for review.

    The bot repeats them word for word. Only what customers read is looked at.
    """
    if page.article.audience != "public":
        return
    for block in page.blocks:
        if block.kind == "heading":
            continue
        for sentence in sentences(block):
            said = promised(sentence.text)
            if said:
                yield Finding(
                    "promises",
                    "note",
                    page.place(sentence.line),
                    f"promises {' and '.join(f'“{it}”' for it in said)}; make sure that it can be "
                    f"kept: “{shortened(sentence.text)}”",
                )


def promised(sentence: str) -> list[str]:
    """The words of a sentence that promise something, as written."""
    found = []
    for pattern in _PROMISES:
        match = pattern.search(sentence)
        if match:
            found.append("never" if match[0].lower().endswith("never") else match[0])
    for pattern in (_DEADLINE, _AT_ONCE):
        match = pattern.search(sentence)
        before = sentence[: match.start()] if match else ""
        ours = pattern is _AT_ONCE or _OURS.search(before)
        if match and ours and not _CUSTOMERS.search(before):
            found.append(match[0])
    return found


def leftovers(page: Page, library: Library) -> Iterator[Finding]:
    """TODO, lorem ipsum, placeholders and the marks of a half-done merge.

    They were meant for the writer, and the bot shows them to customers.
    """
    body = page.article.body.split("\n")
    for number, line in enumerate(body, page.above + 1):
        if number in page.code:
            continue
        if _CONFLICT.match(line) and _in_conflict(page, number):
            message = "a mark of an unfinished merge; choose one side and delete the marks"
            yield Finding("leftovers", "error", page.place(number), message)
            continue
        match = _LEFT.search(_CODE.sub(" ", line)) or _LOREM.search(line)
        if match:
            yield Finding(
                "leftovers",
                "warning",
                page.place(number),
                f"`{match[0]}` was left in the text; finish it or delete it",
            )


def _in_conflict(page: Page, number: int) -> bool:
    """`=======` alone may underline a heading; in a conflict `<<<<<<< name` stands above."""
    line = page.lines[number - 1]
    return not line.startswith("=") or any(it.startswith("<<<<<<< ") for it in page.lines[:number])


def html(page: Page, library: Library) -> Iterator[Finding]:
    """HTML, which customers see as it is typed.

    Articles are markdown only, so that nothing in them can do harm on a page.
    """
    found: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for passage, line in page.passages:
        text = _CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), passage.text)
        for match in _HTML.finditer(text):
            kind = "tag"
            if match[0].startswith("<!--"):
                kind = "silence" if "check:" in match[0] else "comment"
            at = line + text.count("\n", 0, match.start())
            found[passage.anchor, kind].append((at, shortened(match[0], 60)))
    for (_, kind), places in found.items():
        line, shown = places[0]
        more = f" (and {len(places) - 1} more here)" if len(places) > 1 else ""
        yield Finding(
            "html",
            "note" if kind == "silence" else "warning",
            page.place(line),
            f"customers see `{shown}`{more} as it is typed; {_INSTEAD[kind]}",
        )

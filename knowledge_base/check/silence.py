"""Findings that an editor has looked at and wants to hear no more of. Rules only.

`<!-- check: ignore promises -->` holds for the section that it stands in, with its sub-sections;
above the first heading for the whole article. `check_ignore: [promises]` in the front matter holds
for the whole article.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from knowledge_base.check.finding import Finding, Place
from knowledge_base.check.page import Page

FIELD = "check_ignore"

_COMMENT = re.compile(r"<!--\s*check\s*:\s*(?P<words>.*?)\s*-->", re.IGNORECASE)
_IGNORE = re.compile(r"ignore\s+(?P<rules>[\w-]+(?:\s*,\s*[\w-]+|\s+[\w-]+)*)", re.IGNORECASE)


@dataclass(frozen=True)
class Silence:
    """A rule that is not to be reported for some lines of a file; `line` is where that is said."""

    rule: str
    lines: range
    line: int


def silences(page: Page) -> Iterator[Silence]:
    """What an article wants to be left alone with."""
    for rule in page.words_of_field(FIELD):
        yield Silence(rule, range(1, len(page.lines) + 1), page.line_of_field(FIELD))
    for line, match in _comments(page):
        if match:
            for rule in re.split(r"[,\s]+", match["rules"]):
                yield Silence(rule, page.section(line), line)


def mistakes(page: Page, rules: Collection[str]) -> Iterator[Finding]:
    """Wishes that cannot be followed: rules that do not exist, comments that say something else.

    Whoever mistypes a rule believes that it is silenced.
    """
    for line, match in _comments(page):
        if not match:
            yield Finding(
                "ignores",
                "warning",
                page.place(line),
                "not understood; write `<!-- check: ignore RULE -->` with the name of a rule",
            )
    for silence in silences(page):
        if silence.rule not in rules:
            close = get_close_matches(silence.rule, list(rules), n=1)
            perhaps = f" (perhaps `{close[0]}`)" if close else ""
            yield Finding(
                "ignores",
                "warning",
                page.place(silence.line),
                f"no rule `{silence.rule}`{perhaps}; `check --help` lists them",
            )


def heard(findings: Iterable[Finding], pages: Iterable[Page]) -> Iterator[Finding]:
    """The findings that nobody silenced, neither where they are nor at the other place."""
    quiet: dict[tuple[str, str], list[range]] = {}
    for page in pages:
        for silence in silences(page):
            quiet.setdefault((page.path, silence.rule), []).append(silence.lines)

    def is_quiet(rule: str, place: Place | None) -> bool:
        return place is not None and any(
            place.line in lines for lines in quiet.get((place.path, rule), ())
        )

    for finding in findings:
        if not is_quiet(finding.rule, finding.place) and not is_quiet(finding.rule, finding.see):
            yield finding


def _comments(page: Page) -> Iterator[tuple[int, re.Match | None]]:
    """The comments for us: their line, and what they ask for (None: not understood)."""
    for number, line in enumerate(page.lines[page.above :], page.above + 1):
        if "<!--" in line and number not in page.code:
            for match in _COMMENT.finditer(re.sub(r"`[^`]*`", "", line)):
                yield number, _IGNORE.fullmatch(match["words"])

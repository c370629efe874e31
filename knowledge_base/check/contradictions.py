"""Two articles that give different numbers for the same thing.

Precision matters more than recall here: an editor who is shown three differences that are none
stops reading. So a pair must be close in meaning, share the words around the number, and neither
article may state the other's number in the same section or in a sentence about as close.

Measured on Northpeak's articles: nothing in them; of 40 contradictions planted in other words 28,
of 34 look-alikes none; of 104 single numbers changed in place 46, and nothing else.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from knowledge_base.check.facts import Fact, Statement, Verdict, compare
from knowledge_base.check.finding import Finding
from knowledge_base.check.near import Pair
from knowledge_base.check.prose import shortened
from knowledge_base.words import content_words, stem

CLOSEST = 30
"""Statements that each one is compared with, by meaning."""

LEAST_COSINE = 0.5
"""Of two masked statements about the same thing; the closest planted contradiction below: .48."""

# What a pair must score: the cosine plus the share of words in common, 0..2. Tuned on 40
# contradictions and 34 look-alikes planted into Northpeak's articles, written in other words.
NOTHING_ELSE, MORE_ON_ONE_SIDE, MORE_ON_BOTH = 1.15, 1.4, 1.6
OTHER_UNIT = 1.5
"""Days against working days or months: more likely to be two things."""

AS_CLOSE = 0.3
"""An equal number that scores less by up to this is taken for the counterpart ..."""

SAME_SENTENCE, AS_CLOSE_TO_IT = 1.6, 0.0
"""... but not where two sentences say the same but for the number: nothing is closer than that."""

MOST_ARTICLES = 0.2
"""Share of the articles above which a word (the shop's name) tells no two things apart."""

Stems = frozenset[str]
Side = tuple[Statement, Fact]
_Section = tuple[str, str]

# Words that any sentence with a number may hold: they tell nothing about its subject.
_GENERIC = frozenset(
    content_words(
        "within after before until per each both every all about take takes taking receive give"
        " last lasts valid cost costs only also day days time times up off then once see new"
        " normally usually least most more than less aim place say day week month year hour minute"
        " working number counted count apply applies order make makes made since during without"
    )
)
# Where one text has such a word and the other has not, they are about two things.
_CONTRASTS = frozenset(
    content_words(
        "express standard premium basic business private student child children adult senior"
        " online abroad international domestic weekend monthly annual first second third"
        " extra additional minimum maximum paid staff public wholesale sale used refurbished trial"
        " winter summer christmas return outside inside except bulky oversized small large medium"
    )
)
_NAME = re.compile(r"(?<![.!?:] )(?<!^)\b[A-ZÀ-Þ]\w+")


def _common(sections: Mapping[_Section, Stems]) -> Stems:
    """The words of so many articles that they tell no two things apart."""
    articles: dict[str, set[str]] = defaultdict(set)
    for (article_id, _), stems in sections.items():
        for stem_ in stems:
            articles[stem_].add(article_id)
    most = max(MOST_ARTICLES * len({article_id for article_id, _ in sections}), 5)
    found = (word for word, holding in articles.items() if len(holding) > most)
    return frozenset(found) - _CONTRASTS


@dataclass(frozen=True, eq=False)
class Match:
    """Two facts of different articles that are about the same thing, how sure that is, and what
    comparing them gave."""

    mine: Side
    other: Side
    score: float
    verdict: Verdict


class Matcher:
    """Finds what other articles say about the same thing."""

    def __init__(
        self, statements: Sequence[Statement], rows: np.ndarray, sections: Mapping[_Section, Stems]
    ) -> None:
        """`rows` are the vectors of the masked statements, float32 (statements, dimension);
        `sections` the stems of each (article id, heading), with those of its title."""
        self._sections = sections
        holding: dict[str, int] = defaultdict(int)
        for statement in statements:
            for word in statement.about.union(*(fact.sentence for fact in statement.facts)):
                holding[word] += 1
        self._rarity = {
            word: math.log(1 + (len(statements) - count + 0.5) / (count + 0.5))
            for word, count in holding.items()
            if word not in _GENERIC
        }
        self._common = _common(sections)
        self._rows = rows
        self._row_of = {id(statement): row for row, statement in enumerate(statements)}
        self._beside: dict[tuple[str, str], list[Statement]] = defaultdict(list)
        for statement in statements:
            self._beside[statement.article.id, statement.heading].append(statement)

    def score(self, a: Side, b: Side) -> float:
        """The cosine of two statements, and the share of words they have in common, 0..2.

        A fact's words may stand anywhere in the other sentence or in the headings above it.
        """
        shares = []
        for (_, fact), (other, theirs) in ((a, b), (b, a)):
            around = theirs.sentence | other.about
            sentence = self._share(fact.sentence, around) or 0.0
            clause = self._share(fact.stems, around)
            shares.append((sentence if clause is None else clause, sentence))
        clause, sentence = (min(side) for side in zip(*shares, strict=True))
        cosine = self._rows[self._row_of[id(a[0])]] @ self._rows[self._row_of[id(b[0])]]
        return float(cosine) + (clause + sentence) / 2

    def needed(self, a: Side, b: Side) -> float:
        """The score from which two facts are taken to be about the same thing."""
        left = [self._left(*a, b[0]), self._left(*b, a[0])]
        if any(words & _CONTRASTS for words in left):
            return math.inf
        if any(self._names(*mine, other[0]) for mine, other in ((a, b), (b, a))):
            return math.inf
        if all(left):
            return MORE_ON_BOTH
        if any(words & mine[1].stems for words, mine in zip(left, (a, b), strict=True)):
            return MORE_ON_ONE_SIDE
        return NOTHING_ELSE

    def knows(self, statement: Statement, side: Side, score: float) -> bool:
        """Whether the section of a statement gives this side's value too, for something like it."""
        return any(
            compare(side[1].value, fact.value) == "same"
            and self.score(side, (other, fact)) >= _as_good(score)
            for other in self._beside[statement.article.id, statement.heading]
            for fact in other.facts
        )

    def _left(self, statement: Statement, fact: Fact, other: Statement) -> Stems:
        """What one sentence says and the other's section does not mention."""
        return fact.sentence - self._section(other) - _GENERIC - self._common

    def _names(self, statement: Statement, fact: Fact, other: Statement) -> bool:
        """Whether the clause names somebody or something that the other's section does not."""
        names = {stem(word.lower()) for word in _NAME.findall(statement.text)}
        return bool(names & fact.stems & self._left(statement, fact, other))

    def _section(self, statement: Statement) -> Stems:
        return self._sections[statement.article.id, statement.heading]

    def _share(self, words: Stems, among: Stems) -> float | None:
        """The part of the words, by rarity, that is among the others; None without any that say
        something."""
        total = sum(self._rarity.get(word, 0.0) for word in words)
        held = sum(self._rarity.get(word, 0.0) for word in words & among)
        return held / total if total else None


def contradictions(
    statements: Sequence[Statement], pairs: Sequence[Pair], matcher: Matcher
) -> Iterator[Finding]:
    """Findings for statements that are close in meaning; `pairs` are places in `statements`."""
    ledger = _Ledger(matcher)
    for pair in pairs:
        one, two = statements[pair.one], statements[pair.two]
        if one.article.id != two.article.id:
            for a, b, verdict in _comparable(one, two):
                ledger.add(Match(a, b, matcher.score(a, b), verdict))
    yield from ledger.findings()


class _Ledger:
    """Which facts agree, which differ, and who is the odd one out."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._differing: list[Match] = []
        # By fact: the best score of an equal one in each other article, and the articles that
        # certainly agree with it or stand against it.
        self._equal: dict[tuple[int, str], float] = defaultdict(float)
        self._agreeing: dict[int, set[str]] = defaultdict(set)
        self._opposing: dict[int, set[str]] = defaultdict(set)

    def add(self, match: Match) -> None:
        needed = self._matcher.needed(match.mine, match.other)
        units = {getattr(fact.value, "unit", "") for _, fact in (match.mine, match.other)}
        if len(units) > 1:
            needed = max(needed, OTHER_UNIT)
        if match.verdict != "same":
            if match.score >= needed:
                self._differing.append(match)
            return
        for (_, fact), (other, _) in ((match.mine, match.other), (match.other, match.mine)):
            key = id(fact), other.article.id
            self._equal[key] = max(self._equal[key], match.score)
            if match.score >= needed:
                self._agreeing[id(fact)].add(other.article.id)

    def findings(self) -> Iterator[Finding]:
        """One for each fact that stands against others, at the odd one out."""
        kept = [match for match in self._differing if not self._is_explained(match)]
        for match in kept:
            (one, mine), (two, theirs) = match.mine, match.other
            self._opposing[id(mine)].add(two.article.id)
            self._opposing[id(theirs)].add(one.article.id)
        found: dict[int, list[Match]] = defaultdict(list)
        for match in kept:
            if self._oddity(match.other) > self._oddity(match.mine):
                match = replace(match, mine=match.other, other=match.mine)
            found[id(match.mine[1])].append(match)
        for matches in found.values():
            yield _finding(sorted(matches, key=lambda match: -match.score))

    def _is_explained(self, match: Match) -> bool:
        """Whether one of the two articles gives the other's number too, for about the same."""
        (one, mine), (two, theirs) = match.mine, match.other
        equal = max(self._equal[id(mine), two.article.id], self._equal[id(theirs), one.article.id])
        return (
            equal >= _as_good(match.score)
            or self._matcher.knows(two, match.mine, match.score)
            or self._matcher.knows(one, match.other, match.score)
        )

    def _oddity(self, side: Side) -> tuple[int, int, int]:
        """Few on its side, many against it, and an old article: higher is odder."""
        statement, fact = side
        updated = statement.article.updated or date.min
        return -len(self._agreeing[id(fact)]), len(self._opposing[id(fact)]), -updated.toordinal()


def _as_good(score: float) -> float:
    """The score from which an equal number is the counterpart, rather than one that differs."""
    return score - (AS_CLOSE if score < SAME_SENTENCE else AS_CLOSE_TO_IT)


def _comparable(one: Statement, two: Statement) -> Iterator[tuple]:
    """The facts of two statements that can be compared. Of several in a sentence ("£3.95, and free
    from £50") each is compared with one: the most alike first, as far as they go; equal ones all.
    """
    verdicts = {
        (at, to): compare(mine.value, theirs.value)
        for at, mine in enumerate(one.facts)
        for to, theirs in enumerate(two.facts)
    }
    likeness = {
        (at, to): _likeness(one.facts[at], two.facts[to]) + (0.1 if at == to else 0.0)
        for (at, to), verdict in verdicts.items()
        if verdict != "incomparable"
    }
    rows, columns = set(), set()
    for at, to in sorted(likeness, key=lambda pair: -likeness[pair]):
        verdict = verdicts[at, to]
        if verdict == "same" or (at not in rows and to not in columns):
            yield (one, one.facts[at]), (two, two.facts[to]), verdict
            rows.add(at)
            columns.add(to)


def _likeness(a: Fact, b: Fact) -> float:
    """How alike the words around two facts are, and whether both are limits."""
    common = len(a.stems & b.stems) / max(len(a.stems | b.stems), 1)
    return common + 0.5 * (getattr(a.value, "role", "") == getattr(b.value, "role", ""))


def _finding(matches: Sequence[Match]) -> Finding:
    best = matches[0]
    (one, mine), (two, theirs) = best.mine, best.other
    others = {match.other[0].article.id for match in matches} - {two.article.id}
    more = f" and {len(others)} more" if others else ""
    differ = best.verdict == "differ"
    kind = "" if differ else ", once in days and once in working days"
    return Finding(
        "contradictions",
        "warning" if differ else "note",
        one.place,
        f"“{mine.value.text}” here but “{theirs.value.text}” in {two.article.id}{more}{kind}; "
        "correct one of them, or say in both what it is about. "
        f"Here: {shortened(one.text)} There: {shortened(two.text)}",
        two.place,
    )

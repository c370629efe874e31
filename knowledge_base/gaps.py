"""What customers asked and did not get, grouped by meaning. Rules only: texts and vectors in.

Wordings are joined by average linkage: the two groups whose wordings are most alike on average, as
long as that average is SAME or more. The same questions give the same groups, in whatever order
they come. The order of the groups is by customers, each of whom counts for more if they were upset,
had to be handed over to a person, or gave a bad rating.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from knowledge_base.words import content_words, plain

SAME = 0.5
"""Average cosine from which two groups of wordings are one question.

Of 0.40, 0.45 ... 0.70 it is the best compromise of two sets of paraphrases: 73 wordings of 19 things
that shops are asked (pairs: precision .86, recall .36) and 1249 of 125 questions about software
(.68, .95). Below it the second falls apart into a few heaps; what is split is seen twice, what is
lost in a heap is not seen at all.
"""

BAD_RATING = 2
"""A rating up to this is bad; 5 is the best."""

UPSET, HANDED_OVER, BADLY_RATED = 0.25, 0.5, 0.5
"""What a customer counts for beyond 1: for each level of upset (0 to 4), and for either ending."""

ID_LENGTH = 8
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # they could command the terminal that shows them
BLOCK = 512  # rows of cosines in memory at once: 40 MB beside 20,000 wordings


class Asked(Protocol):
    """A question that was not answered; `bot.store.questions.Asked` is one."""

    conversation_id: str
    text: str
    asked_at: int
    mood_level: int
    handed_over: bool
    rating: int | None
    why: tuple[str, ...]
    answers: tuple[str, ...]


class Closure(Protocol):
    """That somebody dealt with a gap: `question` named it, `wordings` are the ids of what was in
    it, `closed_at` is in the unit of `Asked.asked_at`."""

    question: str
    wordings: Sequence[str]
    because: str
    closed_by: str
    closed_at: int


@dataclass(frozen=True)
class Gap:
    """One thing that customers asked, and what is known of it.

    `question` is the wording that is most like all others, and `id` belongs to it. `customers` and
    `times` count conversations and messages; `why` says how often each reason was given; `answers`
    are colleagues' own words; `reopened` is the closure after which it was asked again.
    """

    id: str
    question: str
    wordings: tuple[tuple[str, int], ...]
    customers: int
    times: int
    weight: float
    last_asked: int
    upset: int
    handed_over: int
    badly_rated: int
    why: dict[str, int]
    answers: tuple[str, ...]
    reopened: Closure | None
    known_as: frozenset[str]


class NoSuchGap(LookupError):
    """No open gap has this id, or several do; the text says so."""


def find_gaps(
    asked: Iterable[Asked],
    closures: Sequence[Closure],
    vectors_of: Callable[[Sequence[str]], np.ndarray],
) -> list[Gap]:
    """The open gaps, the weightiest first.

    A question is settled by a closure that came after it, if its wording was among those closed or
    if its group holds the closure's question. `vectors_of` gives vectors of length 1, float32
    (texts, dimension).
    """
    wordings: dict[str, list[Asked]] = {}
    for one in asked:
        if content_words(one.text):  # "???" and "yes" are no questions
            wordings.setdefault(_key(one.text), []).append(one)
    for closure in closures:
        wordings.setdefault(_key(closure.question), [])
    keys = sorted(wordings)
    if not keys:
        return []
    vectors = vectors_of([plain(key) for key in keys])
    found = []
    for members in groups(vectors):
        gap = _gap([keys[at] for at in members], vectors[members], wordings, closures=closures)
        if gap:
            found.append(gap)
    return sorted(found, key=lambda gap: (-gap.weight, -gap.last_asked, gap.id))


def pick(gaps: Iterable[Gap], gap_id: str) -> Gap:
    """The gap with this id or its beginning; the id of any wording in it will do, so that an id
    stays good when the group grows. Raises NoSuchGap."""
    wanted = gap_id.strip().lower()
    gaps = list(gaps)
    matches = [gap for gap in gaps if wanted and gap.id.startswith(wanted)] or [
        gap for gap in gaps if wanted and any(it.startswith(wanted) for it in gap.known_as)
    ]
    if not matches:
        raise NoSuchGap(f"no open gap {gap_id!r}; `python -m knowledge_base gaps` lists them")
    if len(matches) > 1:
        ids = ", ".join(gap.id for gap in matches[:5])
        raise NoSuchGap(f"{gap_id!r} could be {ids}; write the whole id")
    return matches[0]


def wording_id(text: str) -> str:
    """A short name of a wording, the same for the same words whatever their case and spacing."""
    return hashlib.sha256(_key(text).encode()).hexdigest()[:ID_LENGTH]


def groups(vectors: np.ndarray, same: float = SAME) -> list[np.ndarray]:
    """Row numbers grouped by average linkage, in order of the first row of each group.

    Exact, and without the table of all cosines: the average cosine of two groups is the product of
    their mean vectors. Groups that are each other's nearest are joined, all such pairs in one round;
    that gives what joining the best pair one by one would, as no group comes nearer to a third one
    by joining another. For the same reason a group whose nearest is not near enough is done.
    """
    count = len(vectors)
    means = np.array(vectors, dtype=np.float32)
    sizes = np.ones(count, dtype=np.float32)
    into = np.arange(count)
    alive = np.arange(count)
    nearest = np.zeros(count, dtype=np.int64)
    cosine = np.full(count, -1.0, dtype=np.float32)
    stale = alive
    while len(alive) > 1:
        _look(means, alive, stale, nearest=nearest, cosine=cosine)
        alive = alive[cosine[alive] >= same]
        if not len(alive):
            break
        first = alive[(nearest[nearest[alive]] == alive) & (alive < nearest[alive])]
        if not len(first):  # rounding made a circle of equals: the best pair goes ahead
            best = alive[cosine[alive].argmax()]
            first = np.array([min(best, nearest[best])])
            nearest[first] = max(best, nearest[best])
        second = nearest[first]
        total = sizes[first] + sizes[second]
        for side in (first, second):
            means[side] *= (sizes[side] / total)[:, np.newaxis]
        means[first] += means[second]
        sizes[first], into[second] = total, first
        gone = np.zeros(count, dtype=bool)
        gone[second] = True
        changed = gone.copy()
        changed[first] = True
        alive = alive[~gone[alive]]
        stale = alive[changed[alive] | changed[nearest[alive]]]
    return _members(into)


def _look(
    means: np.ndarray,
    alive: np.ndarray,
    stale: np.ndarray,
    *,
    nearest: np.ndarray,
    cosine: np.ndarray,
) -> None:
    """Find the nearest living group of each stale one; of equals the first."""
    others = means[alive]
    place = np.searchsorted(alive, stale)
    for start in range(0, len(stale), BLOCK):
        rows = stale[start : start + BLOCK]
        cosines = means[rows] @ others.T
        cosines[np.arange(len(rows)), place[start : start + BLOCK]] = -2.0
        best = cosines.argmax(axis=1)
        nearest[rows] = alive[best]
        cosine[rows] = cosines[np.arange(len(rows)), best]


def _members(into: np.ndarray) -> list[np.ndarray]:
    """The rows of each group; `into` leads from a row to one it was joined with, or to itself."""
    while (into[into] != into).any():
        into = into[into]
    members: dict[int, list[int]] = {}
    for row, root in enumerate(into.tolist()):
        members.setdefault(root, []).append(row)
    return [np.array(rows) for rows in members.values()]


def _gap(
    keys: list[str],
    vectors: np.ndarray,
    wordings: dict[str, list[Asked]],
    *,
    closures: Sequence[Closure],
) -> Gap | None:
    """What is open of a group; None when all of it is settled."""
    ids = {key: wording_id(key) for key in keys}
    inside = [it for it in closures if _key(it.question) in ids]
    still_open: dict[str, list[Asked]] = {}
    closed: list[Closure] = list(inside)
    for key in keys:
        covering = inside + [it for it in closures if ids[key] in it.wordings]
        closed += covering
        settled_until = max((it.closed_at for it in covering), default=-1)
        later = [one for one in wordings[key] if one.asked_at > settled_until]
        if later:
            still_open[key] = later
    if not still_open:
        return None
    rows = [at for at, key in enumerate(keys) if key in still_open]
    middle = _medoid(vectors[rows], [keys[at] for at in rows], still_open)
    asked = [one for key in still_open for one in still_open[key]]
    people = _by_customer(asked)
    return Gap(
        id=ids[middle],
        question=_shown(still_open[middle]),
        wordings=_counted(still_open.values()),
        customers=len(people),
        times=len(asked),
        weight=round(sum(_weight(theirs) for theirs in people.values()), 2),
        last_asked=max(one.asked_at for one in asked),
        upset=sum(max(it.mood_level for it in theirs) >= 2 for theirs in people.values()),
        handed_over=sum(any(it.handed_over for it in theirs) for theirs in people.values()),
        badly_rated=sum(any(_bad(it) for it in theirs) for theirs in people.values()),
        why=dict(Counter(why for one in asked for why in one.why).most_common()),
        answers=tuple(dict.fromkeys(text for one in asked for text in one.answers)),
        reopened=max(closed, key=lambda it: it.closed_at, default=None),
        known_as=frozenset(ids.values()),
    )


def _medoid(vectors: np.ndarray, keys: list[str], asked: dict[str, list[Asked]]) -> str:
    """The wording most like all others; of equals the one asked more often, then by alphabet."""
    likeness = (vectors @ vectors.mean(axis=0)).round(4).tolist()
    return min(
        zip(keys, likeness, strict=True), key=lambda it: (-it[1], -len(asked[it[0]]), it[0])
    )[0]


def _counted(wordings: Iterable[list[Asked]]) -> tuple[tuple[str, int], ...]:
    """Each wording as it was written first, and how often; the most frequent first."""
    counted = [(_shown(asked), len(asked)) for asked in wordings]
    return tuple(sorted(counted, key=lambda it: (-it[1], it[0].casefold())))


def _shown(asked: list[Asked]) -> str:
    first = min(asked, key=lambda one: (one.asked_at, one.text))
    return _on_one_line(first.text)


def _by_customer(asked: Iterable[Asked]) -> dict[str, list[Asked]]:
    people: dict[str, list[Asked]] = {}
    for one in asked:
        people.setdefault(one.conversation_id, []).append(one)
    return people


def _weight(theirs: list[Asked]) -> float:
    """What one customer counts for, however often they asked."""
    return (
        1
        + UPSET * max(one.mood_level for one in theirs)
        + HANDED_OVER * any(one.handed_over for one in theirs)
        + BADLY_RATED * any(_bad(one) for one in theirs)
    )


def _bad(one: Asked) -> bool:
    return one.rating is not None and one.rating <= BAD_RATING


def _key(text: str) -> str:
    """A wording without its case, its spacing and the punctuation around it."""
    words = _on_one_line(text).casefold()
    return words.strip(" .,;:!?…'\"“”‘’()") or words


def _on_one_line(text: str) -> str:
    return " ".join(_CONTROLS.sub(" ", text).split())

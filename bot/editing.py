"""What editors want to know: how each article does, what customers asked in vain, what lies nearest.

Reads the store, groups questions by meaning, and keeps the closing of gaps. Every public method may
be called from any thread, and takes its time: seconds, with many thousand questions.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bot.privacy.redaction import mask
from bot.store import questions
from bot.store.database import Database
from bot.store.questions import Asked
from knowledge_base.gaps import Gap, find_gaps, wording_id
from knowledge_base.search import KnowledgeBase
from knowledge_base.vectors import Encoder, Vectors

GAP_DAYS = 90
USE_DAYS = 30
DAY = 24 * 3600 * 1000  # milliseconds

LATEST = 10
"""Answered questions kept for each article."""

LOOKED_AT = 60
"""Unanswered questions, the latest, for which the articles that came near are looked up."""

NEAR = 3
"""Articles of a ranking that count as near."""

EXTEND_FROM = 0.3
"""Confidence from which an article is near enough to be extended rather than a new one written;
about the confidence from which customers are offered it by name."""

CHUNK = 512  # questions embedded between two signs of progress

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Nearest:
    """The passage nearest to a question, `kind` of what customers get for it now, and what an editor
    had better do: "close" (it is answered by now), "improve" (it was answered, and customers were not
    content), "publish" (a staff article holds it), "extend" or "write"."""

    article_id: str
    title: str
    url: str
    audience: str
    confidence: float
    kind: str
    advice: str


@dataclass
class Use:
    """How an article did in the last USE_DAYS days: answers, those after which the customer was not
    content, citations of each passage by hash and by anchor, and the latest questions."""

    answered: int = 0
    badly: int = 0
    by_hash: Counter[str] = field(default_factory=Counter)
    by_anchor: Counter[str] = field(default_factory=Counter)
    latest: list[Asked] = field(default_factory=list)

    def count(self, one: Asked, source: dict[str, Any]) -> None:
        self.answered += 1
        self.badly += bool(one.why)
        self.by_hash[str(source.get("hash", ""))] += 1
        self.by_anchor[str(source.get("url", "")).partition("#")[2]] += 1
        self.latest.append(one)
        if len(self.latest) > 10 * LATEST:  # questions come by conversation, not by time
            self.keep_latest()

    def keep_latest(self) -> None:
        self.latest = sorted(self.latest, key=lambda one: -one.asked_at)[:LATEST]


@dataclass(frozen=True)
class Record:
    """What the store knows, gathered at one moment (milliseconds since the epoch)."""

    gathered_at: int
    unanswered: tuple[Asked, ...]
    uses: dict[str, Use]


class Editing:
    """The editors' questions to one store and one knowledge base."""

    def __init__(
        self,
        database: Database,
        knowledge_base: KnowledgeBase,
        encoder: Encoder,
        *,
        cache_dir: Path,
        progress: Progress | None = None,
    ):
        """`cache_dir` keeps the vectors of customers' questions: it belongs to the data, not to the
        models. `progress` is told how many questions are embedded, and how many are to be."""
        self._database = database
        self._knowledge_base = knowledge_base
        self._encoder = encoder
        self._cache_dir = cache_dir
        self._progress = progress
        self._embedding = threading.Lock()
        self._vectors: Vectors | None = None

    def record(self, days: int = GAP_DAYS) -> Record:
        """Read what was asked in the last days."""
        unanswered: list[Asked] = []
        uses: dict[str, Use] = {}
        with self._database.reading() as tx:
            now = self._database.now(tx)
            for one in questions.asked(tx, now - days * DAY):
                if one.why:
                    unanswered.append(one)
                if one.asked_at >= now - USE_DAYS * DAY:
                    for source in one.sources:
                        uses.setdefault(str(source.get("article", "")), Use()).count(one, source)
        for use in uses.values():
            use.keep_latest()
        unanswered.sort(key=lambda one: (-one.asked_at, one.conversation_id, one.number))
        return Record(now, tuple(unanswered), uses)

    def gaps(self, record: Record) -> list[Gap]:
        """The open gaps, the weightiest first."""
        return find_gaps(record.unanswered, self.closures(), self._vectors_of)

    def closures(self) -> list[Any]:
        """The closed gaps, the latest first."""
        with self._database.reading() as tx:
            return questions.closures(tx)

    def close(self, gap: Gap, because: str, closed_by: str) -> int:
        """Note that a gap is dealt with; returns the closure's id. Raises ValueError without a
        reason."""
        because = mask(" ".join(because.replace("\x00", "").split()))[:500]
        if not because:
            raise ValueError("say why it is closed: which article answers it, or that none should")
        with self._database.transaction() as tx:
            return questions.close_gap(
                tx,
                gap.question,
                sorted({gap.id, *(wording_id(text) for text, _ in gap.wordings)}),
                because=because,
                closed_by=closed_by or "an editor",
                now=self._database.now(tx),
            )

    def log_gap(self, question: str, by: str) -> bool:
        """Keep a question that a colleague asked in vain, so that it counts among the gaps; false
        when it is there already."""
        text = mask(" ".join(question.replace("\x00", "").split()))[:2000]
        if not text:
            return False
        with self._database.transaction() as tx:
            now = self._database.now(tx)
            return questions.log_gap(tx, text, by=by, now=now)

    def open_again(self, closure_id: int) -> bool:
        """Take a closure back; whether it was there."""
        with self._database.transaction() as tx:
            return questions.open_again(tx, closure_id)

    def nearest(self, gap: Gap) -> Nearest | None:
        """The passage nearest to a gap: a public one, unless one for staff answers it."""
        found = self._knowledge_base.ask(gap.question)
        kind = found.kind
        if kind == "answer":
            advice = "close" if gap.why.get(questions.NO_ARTICLE) == gap.times else "improve"
        else:
            advice = "extend" if found.confidence >= EXTEND_FROM else "write"
            staff = self._knowledge_base.ask(gap.question, "staff")
            if staff.kind == "answer" and staff.hits[0].passage.audience == "staff":
                found, advice = staff, "publish"
        if not found.hits:
            return None
        passage = found.hits[0].passage
        return Nearest(
            passage.article_id,
            passage.headed,
            passage.url,
            passage.audience,
            round(found.confidence, 3),
            kind,
            advice,
        )

    def came_near(self, record: Record) -> dict[str, list[tuple[Asked, float]]]:
        """For each article the latest unanswered questions it came near to, with the confidence in
        the best passage for them."""
        near: dict[str, list[tuple[Asked, float]]] = {}
        latest = {wording_id(one.text): one for one in reversed(record.unanswered[:LOOKED_AT])}
        for one in sorted(latest.values(), key=lambda one: -one.asked_at):
            articles: dict[str, float] = {}
            for audience in ("public", "staff"):
                result = self._knowledge_base.ask(one.text, audience)
                ranked = dict.fromkeys(hit.passage.article_id for hit in result.hits)
                for article_id in list(ranked)[:NEAR]:
                    articles.setdefault(article_id, result.confidence)
            for article_id, confidence in articles.items():
                near.setdefault(article_id, []).append((one, confidence))
        return near

    def _vectors_of(self, texts: Sequence[str]) -> np.ndarray:
        with self._embedding:
            if self._vectors is None:
                self._vectors = Vectors(self._encoder, self._cache_dir)
            rows = []
            for start in range(0, len(texts), CHUNK):
                rows.append(self._vectors.of(texts[start : start + CHUNK]))
                if self._progress:
                    self._progress(min(start + CHUNK, len(texts)), len(texts))
        return np.concatenate(rows)

"""`KnowledgeBase`: the articles of a folder, live, and the passages that answer a question."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from knowledge_base.confidence import Confidence, signals
from knowledge_base.files import Listing
from knowledge_base.folder import ArticleProblem, Folder
from knowledge_base.index import Hit, Query, Shelf, Snapshot, snapshot
from knowledge_base.parse import Article, Audience
from knowledge_base.vectors import Encoder, Vectors
from knowledge_base.words import content_words, variants

log = structlog.get_logger(__name__)

MOST_HITS = 20
"""Hits in a result: enough for an answer, its alternatives, and for measuring recall at 5."""

DEBOUNCE_MS = 200
"""The longest that edits are gathered before the index is made again; it starts 50 ms after the
last one."""

LOOK_ROUND_MS = 1000
"""How often file times are compared, for folders whose changes the system does not announce
(network shares, some container mounts)."""


MOST_PROBLEMS = 20
"""Problems named where there is no article at all; the rest is counted."""


class NoUsableArticle(RuntimeError):
    """The folder holds nothing that can be answered from."""


@dataclass(frozen=True)
class Result:
    """What was found. `hits` are there in both cases; only an "answer" may be shown as one."""

    kind: Literal["answer", "no_article"]
    confidence: float
    hits: tuple[Hit, ...]


class KnowledgeBase:
    """The articles of a folder. `load` once, `watch` if it shall follow edits, then `ask`.

    Safe for several threads: a reader takes the current snapshot and keeps it; a reload builds the
    next one aside and swaps it in whole.
    """

    def __init__(
        self,
        articles_dir: Path,
        encoder: Encoder,
        cache_dir: Path,
        threshold: float | None = None,
        *,
        confidence: Confidence | None = None,
    ) -> None:
        """Nothing is read yet but `confidence.json`; `confidence` takes its place, and `threshold`
        (a probability) the place of the one in there. Raises ConfidenceMissing.
        """
        self._folder = Folder(articles_dir)
        self._encoder = encoder
        self._cache_dir = Path(cache_dir)
        self._confidence = confidence or Confidence.load()
        self.threshold = self._confidence.threshold if threshold is None else threshold
        self._reloading = threading.Lock()
        self._vectors: Vectors | None = None
        self._listing: Listing | None = None
        self._current: tuple[Snapshot, tuple[ArticleProblem, ...]] | None = None
        self._stop = threading.Event()
        self._watcher: threading.Thread | None = None

    def load(self) -> None:
        """Read and index the folder. Raises NoUsableArticle."""
        with self._reloading:
            self._vectors = Vectors(self._encoder, self._cache_dir)
            self._reload()
            if not self._snapshot.articles:
                problems, self._current = self.problems(), None
                raise NoUsableArticle(_nothing_usable(self._folder.path, problems))

    def watch(self) -> None:
        """Follow edits from now on, in a thread of its own, until `close`; after `load`."""
        assert self._current is not None, "call load() first"
        if self._watcher is None:
            self._watcher = threading.Thread(
                target=self._follow, name="knowledge-base", daemon=True
            )
            self._watcher.start()

    def close(self) -> None:
        """Stop following edits; what is loaded can still be asked."""
        self._stop.set()
        if self._watcher is not None:
            self._watcher.join(timeout=5)

    def ask(self, question: str, audience: Audience = "public") -> Result:
        """The passages that fit the question, best first, and whether the first one answers it."""
        if not question.strip():
            return Result("no_article", 0.0, ())
        shelf = self.shelf(audience)
        query = make_query(question, self._encoder)
        hits = shelf.rank(query)
        if not hits:
            return Result("no_article", 0.0, ())
        confidence = self._confidence.probability(signals(question, query, hits, shelf))
        kind = "answer" if confidence >= self.threshold else "no_article"
        return Result(kind, confidence, tuple(hits[:MOST_HITS]))

    def shelf(self, audience: Audience = "public") -> Shelf:
        """The passages of an audience as they are now, for measuring and tuning."""
        return self._snapshot.shelves[audience]

    def article(self, article_id: str, audience: Audience = "public") -> Article | None:
        """An article that this audience may read, or None."""
        found = self._snapshot.articles.get(article_id)
        return found if found and _may_read(found, audience) else None

    def articles(self, audience: Audience = "public") -> list[Article]:
        """All articles that this audience may read, by id."""
        return [it for it in self._snapshot.articles.values() if _may_read(it, audience)]

    def problems(self) -> list[ArticleProblem]:
        """What editors should put right, by file."""
        return list(self._current[1]) if self._current else []

    @property
    def _snapshot(self) -> Snapshot:
        if self._current is None:
            raise RuntimeError("the knowledge base is not loaded; call load() first")
        return self._current[0]

    def _reload(self) -> None:
        """Read what changed, index it, swap it in. The caller holds the lock."""
        listing = self._folder.look()
        reading = self._folder.read(listing)
        known = set(self.problems())
        for problem in reading.problems:
            if problem not in known:
                log.warning(
                    "article.problem",
                    path=problem.path,
                    line=problem.line,
                    reason=problem.message,
                )
        self._current = (snapshot(reading.articles, self._vectors), reading.problems)
        # Last, so that what failed half-way is tried again at the next look round.
        self._listing = listing if reading.complete else None
        log.info(
            "knowledge_base.loaded",
            articles=len(reading.articles),
            problems=len(reading.problems),
        )

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                for changed in self._changes():
                    with self._reloading:
                        if changed or self._folder.look() != self._listing:
                            self._reload()
            except Exception:
                # Whatever one edit does, the next one must still be seen.
                log.exception("knowledge_base.watch_failed", folder=str(self._folder.path))
                self._stop.wait(LOOK_ROUND_MS / 1000)

    def _changes(self) -> Iterator[set]:
        """Yields what changed, after each change, and nothing every LOOK_ROUND_MS."""
        from watchfiles import watch

        return watch(
            self._folder.path,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            stop_event=self._stop,
            rust_timeout=LOOK_ROUND_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
        )


def make_query(question: str, encoder: Encoder) -> Query:
    """Embed a question, in all the ways in which it is searched."""
    texts = variants(question)
    stems = tuple(tuple(dict.fromkeys(content_words(text))) for text in texts)
    return Query(encoder.encode(texts), stems)


def _may_read(article: Article, audience: Audience) -> bool:
    return audience == "staff" or article.audience == "public"


def _nothing_usable(folder: Path, problems: list[ArticleProblem]) -> str:
    """Why there is nothing to answer from, and what to do."""
    if not folder.is_dir():
        what = "there is no such folder; make it and put markdown files there, or name another one"
        return f"no usable article in {folder}: {what}"
    lines = [f"no usable article in {folder}; put a markdown file (.md, .markdown, .mdx) there"]
    lines += [f"  {problem}" for problem in problems[:MOST_PROBLEMS]]
    if len(problems) > MOST_PROBLEMS:
        lines.append(f"  and {len(problems) - MOST_PROBLEMS} more problems")
    return "\n".join(lines)

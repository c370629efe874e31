"""`KnowledgeBase`: the articles of a folder, live, and the passages that answer a question."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import structlog

from knowledge_base.account import AccountModel
from knowledge_base.confidence import Confidence, signals
from knowledge_base.excerpt import excerpt
from knowledge_base.files import Listing
from knowledge_base.folder import ArticleProblem, Folder
from knowledge_base.index import Hit, Query, Shelf, Snapshot, refreshed, snapshot
from knowledge_base.parse import Article, Audience, Passage
from knowledge_base.query import make_query
from knowledge_base.render import linked
from knowledge_base.rerank import Ranking, rerank
from knowledge_base.token_store import TokenStore
from knowledge_base.vectors import Encoder, Progress, Vectors
from knowledge_base.words import content_words

log = structlog.get_logger(__name__)

FAR_OFF = 0.6
"""Cosine of the text plus how well the words are met: below this, nothing comes near. Two in a
hundred answerable questions of the training centres do, and every second off-topic one."""

ALONE = 2
"""Content words from which on a message may be an answerable question without what came before."""

STAFF_NEAR = 0.9
"""The same sum from which an article for staff may be said to answer: one rare word in common
("jokes") is not enough to send a customer to a colleague."""

PLAUSIBLE = 0.3
"""Confidence from which the best passages are worth naming; docs/quality.md says how often the right
one is among them."""

EQUAL = 0.025
"""Difference of scores up to which two articles answer about equally well: in four of ten cases in
which the wrong article is first on the training centres, the right one is second."""

READY = 5_000
"""Passages up to which all token vectors are made before the first question; of more, those of a
passage are made when it first comes near an answer."""

DEBOUNCE_MS = 200
"""The longest that edits are gathered before the index is made again; it starts 50 ms after the
last one."""

LOOK_ROUND_MS = 1000
"""How often file times are compared, for folders whose changes the system does not announce
(network shares, some container mounts)."""

QUERIES_KEPT = 4
"""Questions whose vectors stay at hand from the search to the excerpt."""

MOST_PROBLEMS = 20
"""Problems named where there is no article at all; the rest is counted."""


class NoUsableArticle(RuntimeError):
    """The folder holds nothing that can be answered from."""


Kind = Literal["answer", "no_article", "ambiguous", "out_of_scope", "needs_account", "staff_only"]
"""An answer, or why there is none.

answer          the first hit answers
no_article      on a subject of ours, but no article says it
ambiguous       two articles answer about equally well; they are the first in `hits`
out_of_scope    nothing here comes near
needs_account   only the customer's own record could tell
staff_only      (for customers) an article answers that they may not read; `hits` has nothing of it
"""


@dataclass(frozen=True)
class Result:
    """What was found. `hits` are there in all cases; only an "answer" may be shown as one."""

    kind: Kind
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
        # A question is searched, and then held against the sentences of what was found.
        self._query = lru_cache(maxsize=QUERIES_KEPT)(
            lambda question, history: make_query(question, encoder, history)
        )
        self._cache_dir = Path(cache_dir)
        self._confidence = confidence or Confidence.load()
        self._account = AccountModel.load(encoder.dimension)
        self.threshold = self._confidence.threshold if threshold is None else threshold
        self._reloading = threading.Lock()
        self._vectors: Vectors | None = None
        self._listing: Listing | None = None
        self._current: tuple[Snapshot, tuple[ArticleProblem, ...]] | None = None
        self._stop = threading.Event()
        self._watcher: threading.Thread | None = None
        self._refresher: threading.Thread | None = None

    def load(self, progress: Progress | None = None, *, afresh: bool = False) -> None:
        """Read and index the folder. Raises NoUsableArticle.

        `progress` hears of the embedding; `afresh` embeds what was embedded before, too.
        """
        with self._reloading:
            self._vectors = Vectors(self._encoder, self._cache_dir, afresh=afresh)
            self._tokens = TokenStore(self._encoder, self._cache_dir, self._vectors.model)
            self._reload(progress)
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

    def ask(
        self, question: str, audience: Audience = "public", history: Sequence[str] = ()
    ) -> Result:
        """The passages that fit the question, best first, and whether the first one answers it.

        `history` are the earlier turns of the conversation, oldest first.
        """
        if not question.strip():
            return Result("no_article", 0.0, ())
        if history and len(content_words(question)) >= ALONE:
            # Whoever turns to something else must not be answered with the old subject in mind.
            alone = self.ask(question, audience)
            if alone.kind == "answer":
                return alone
        shelf = self.shelf(audience)
        query = self._query(question, tuple(history))
        ranking = self.rank(query, shelf)
        if not ranking.hits:
            return Result("no_article", 0.0, ())
        confidence = self._confidence.probability(signals(question, query, ranking, shelf))
        if self._account and self._account.hears(self._encoder.encode([question])[0]):
            kind: Kind = "needs_account"
        elif confidence >= self.threshold:
            kind = "answer"
        elif audience == "public" and self._staff_know(question, query):
            kind = "staff_only"
        elif ranking.hits[0].text + ranking.hits[0].tokens < FAR_OFF:
            kind = "out_of_scope"
        elif confidence >= PLAUSIBLE and _two(ranking.hits):
            kind = "ambiguous"
        else:
            kind = "no_article"
        return Result(kind, confidence, ranking.hits)

    def excerpt(self, question: str, passage: Passage, history: Sequence[str] = ()) -> str:
        """The shortest run of sentences of a passage that answers, as it stands there."""
        query = self._query(question, tuple(history))
        return excerpt(passage.text, query.tokens[0], self._encoder)

    def shown(self, text: str, passage: Passage, audience: Audience = "public") -> str:
        """Words of a passage for a reader outside of its page: links lead to the help pages, and
        none to an article that this audience may not read."""
        return linked(
            text, passage.article_id, lambda name: self.article(name, audience) is not None
        )

    def rank(self, query: Query, shelf: Shelf) -> Ranking:
        """Both rankings, one after the other."""
        return self.compare(query, shelf.rank(query))

    def compare(self, query: Query, hits: Sequence[Hit]) -> Ranking:
        """The second ranking of these hits alone, for measuring and tuning."""
        return rerank(query, hits, self._tokens)

    def _staff_know(self, question: str, query: Query) -> bool:
        """Whether an article for staff answers. Nothing of it leaves this method."""
        shelf = self.shelf("staff")
        ranking = self.rank(query, shelf)
        if not ranking.hits or ranking.hits[0].passage.audience != "staff":
            return False
        if ranking.hits[0].text + ranking.hits[0].tokens < STAFF_NEAR:
            return False
        found = self._confidence.probability(signals(question, query, ranking, shelf))
        return found >= self.threshold

    def shelf(self, audience: Audience = "public") -> Shelf:
        """The passages of an audience as they are now, for measuring and tuning."""
        return self._snapshot.shelves[audience]

    def refresh(
        self, *, threads: int = 1, store: bool = True, progress: Progress | None = None
    ) -> None:
        """Make the shortcuts that a very large folder wants, see `index.refreshed`. Questions are
        answered meanwhile, and edits go live; nothing is done where nothing is wanted."""
        if self._snapshot.stale:
            made = refreshed(self._snapshot, threads=threads, store=store, progress=progress)
            with self._reloading:
                last, problems = self._current
                now = snapshot(last.articles.values(), self._vectors, made)
                self._current = (now, problems)

    @property
    def current(self) -> Snapshot:
        """Everything as it is now, for measuring and for the commands."""
        return self._snapshot

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

    def _reload(self, progress: Progress | None = None) -> None:
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
        last = self._current[0] if self._current else None
        now = snapshot(reading.articles, self._vectors, last, progress=progress)
        if len(now.shelves["staff"].passages) <= READY:
            self._tokens.of([passage.whole for passage in now.shelves["staff"].passages])
        self._current = (now, reading.problems)
        # Last, so that what failed half-way is tried again at the next look round.
        self._listing = listing if reading.complete else None
        log.info(
            "knowledge_base.loaded",
            articles=len(reading.articles),
            problems=len(reading.problems),
        )

    def _refresh_aside(self) -> None:
        """Make wanted shortcuts in a thread of its own: edits must not wait for minutes."""
        if not self._snapshot.stale or (self._refresher and self._refresher.is_alive()):
            return
        self._refresher = threading.Thread(target=self._try_refresh, name="shortcuts", daemon=True)
        self._refresher.start()

    def _try_refresh(self) -> None:
        try:
            self.refresh()
        except Exception:
            # Without shortcuts it is slower, and as right.
            log.exception("knowledge_base.refresh_failed", folder=str(self._folder))

    def _follow(self) -> None:
        self._refresh_aside()
        while not self._stop.is_set():
            try:
                for changed in self._changes():
                    with self._reloading:
                        if changed or self._folder.look() != self._listing:
                            self._reload()
                            self._refresh_aside()
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


def _two(hits: Sequence[Hit]) -> bool:
    """Whether the second article comes about as near as the first."""
    first = hits[0]
    others = (hit for hit in hits if hit.passage.article_id != first.passage.article_id)
    second = next(others, None)
    return second is not None and first.score - second.score <= EQUAL


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

"""`KnowledgeBase`: the articles of a folder, live, and the passages that answer a question."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from knowledge_base.confidence import Confidence, signals
from knowledge_base.index import Hit, Query, Shelf, Snapshot, refreshed, snapshot
from knowledge_base.parse import Article, ArticleError, Audience, parse_article
from knowledge_base.vectors import Encoder, Progress, Vectors
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


class NoUsableArticle(RuntimeError):
    """The folder holds nothing that can be answered from."""


@dataclass(frozen=True)
class ArticleProblem:
    """Something an editor should put right: the file, the 1-based line, what to do."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Result:
    """What was found. `hits` are there in both cases; only an "answer" may be shown as one."""

    kind: Literal["answer", "no_article"]
    confidence: float
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class _Source:
    """A file as last read: its text (None: unreadable), last good article, and what is wrong."""

    text: str | None
    good: Article | None
    problem: ArticleProblem | None


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
        self._folder = Path(articles_dir)
        self._encoder = encoder
        self._cache_dir = Path(cache_dir)
        self._confidence = confidence or Confidence.load()
        self.threshold = self._confidence.threshold if threshold is None else threshold
        self._reloading = threading.Lock()
        self._vectors: Vectors | None = None
        self._sources: dict[str, _Source] = {}
        self._stamps: dict[str, tuple[int, int]] = {}
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
            self._reload(progress)
            if not self._snapshot.articles:
                current, self._current = self._current, None
                problems = "".join(f"\n  {problem}" for problem in current[1])
                raise NoUsableArticle(
                    f"no usable article in {self._folder}; put a .md file there{problems}"
                )

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
        stamps, before = self._look(), self._sources
        self._sources = {name: self._read(name, before.get(name)) for name in stamps}
        usable, clashes = _distinct(self._folder, self._sources)
        problems = [it.problem for it in self._sources.values() if it.problem] + clashes
        for problem in problems:
            if problem not in self.problems():
                log.warning(
                    "article.problem",
                    path=problem.path,
                    line=problem.line,
                    reason=problem.message,
                )
        last = self._current[0] if self._current else None
        now = snapshot(usable, self._vectors, last, progress=progress)
        self._current = (now, tuple(problems))
        # Last, so that what failed half-way is tried again at the next look round.
        self._stamps = stamps
        log.info("knowledge_base.loaded", articles=len(usable), problems=len(problems))

    def _look(self) -> dict[str, tuple[int, int]]:
        """The article files by their path below the folder, with their time (ns) and size."""
        stamps = {}
        for path in sorted(self._folder.rglob("*.md")):
            name = path.relative_to(self._folder)
            if any(part.startswith(".") for part in name.parts):
                continue  # editors' lock files and git's own
            try:
                stat = path.stat()
            except OSError:
                continue  # deleted meanwhile, or a link to nowhere
            if path.is_file():
                stamps[name.as_posix()] = (stat.st_mtime_ns, stat.st_size)
        return stamps

    def _read(self, name: str, before: _Source | None) -> _Source:
        path = self._folder / name
        good = before.good if before else None
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            return _Source(
                None, good, ArticleProblem(str(path), line, "no UTF-8; save it as UTF-8")
            )
        except OSError as error:
            return _Source(None, good, ArticleProblem(str(path), 1, f"cannot be read: {error}"))
        if before and before.text == text:
            return before
        try:
            return _Source(text, parse_article(text, name.removesuffix(".md"), str(path)), None)
        except ArticleError as error:
            return _Source(text, good, ArticleProblem(error.path, error.line, error.message))

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
                        if changed or self._look() != self._stamps:
                            self._reload()
                            self._refresh_aside()
            except Exception:
                # Whatever one edit does, the next one must still be seen.
                log.exception("knowledge_base.watch_failed", folder=str(self._folder))
                self._stop.wait(LOOK_ROUND_MS / 1000)

    def _changes(self) -> Iterator[set]:
        """Yields what changed, after each change, and nothing every LOOK_ROUND_MS."""
        from watchfiles import watch

        return watch(
            self._folder,
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


def _distinct(
    folder: Path, sources: dict[str, _Source]
) -> tuple[list[Article], list[ArticleProblem]]:
    """The articles to serve, and the files whose names cannot be told apart.

    Ids that differ in capitals only would be one address for people: the first is served. The same
    name in two folders is served twice, but what cites it is easily mixed up.
    """
    articles: list[Article] = []
    problems: list[ArticleProblem] = []
    ids: dict[str, str] = {}
    stems: dict[str, str] = {}
    for name, source in sources.items():
        if source.good is None:
            continue
        path = str(folder / name)
        twin = ids.setdefault(source.good.id.casefold(), name)
        namesake = stems.setdefault(Path(name).stem.casefold(), name)
        if twin != name:
            problems.append(
                ArticleProblem(path, 1, f"left out, as {twin} has the same id; rename one of them")
            )
            continue
        if namesake != name:
            problems.append(
                ArticleProblem(path, 1, f"{namesake} has the same name; rename one of them")
            )
        articles.append(source.good)
    return articles, problems

"""`KnowledgeBase`: the articles of a folder, live, and the passages that answer a question."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from knowledge_base.account import AccountModel
from knowledge_base.confidence import Confidence, signals
from knowledge_base.excerpt import excerpt
from knowledge_base.index import Hit, Query, Shelf, Snapshot, snapshot
from knowledge_base.parse import Article, ArticleError, Audience, Passage, parse_article
from knowledge_base.query import make_query
from knowledge_base.rerank import Ranking, rerank
from knowledge_base.token_store import TokenStore
from knowledge_base.vectors import Encoder, Vectors

log = structlog.get_logger(__name__)

FAR_OFF = 0.6
"""Cosine of the text plus how well the words are met: below this, nothing comes near. Two in a
hundred answerable questions of the training centres do, and every second off-topic one."""

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
        self._account = AccountModel.load(encoder.dimension)
        self.threshold = self._confidence.threshold if threshold is None else threshold
        self._reloading = threading.Lock()
        self._vectors: Vectors | None = None
        self._sources: dict[str, _Source] = {}
        self._stamps: dict[str, tuple[int, int]] = {}
        self._current: tuple[Snapshot, tuple[ArticleProblem, ...]] | None = None
        self._stop = threading.Event()
        self._watcher: threading.Thread | None = None

    def load(self) -> None:
        """Read and index the folder. Raises NoUsableArticle."""
        with self._reloading:
            self._vectors = Vectors(self._encoder, self._cache_dir)
            self._tokens = TokenStore(self._encoder, self._cache_dir, self._vectors.model)
            self._reload()
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

    def ask(
        self, question: str, audience: Audience = "public", history: Sequence[str] = ()
    ) -> Result:
        """The passages that fit the question, best first, and whether the first one answers it.

        `history` are the earlier turns of the conversation, oldest first.
        """
        if not question.strip():
            return Result("no_article", 0.0, ())
        shelf = self.shelf(audience)
        query = make_query(question, self._encoder, history)
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
        query = make_query(question, self._encoder, history)
        return excerpt(passage.text, query.tokens[0], self._encoder)

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
        found = self._confidence.probability(signals(question, query, ranking, shelf))
        return found >= self.threshold

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
        made = snapshot(usable, self._vectors)
        if len(made.shelves["staff"].passages) <= READY:
            self._tokens.of([passage.whole for passage in made.shelves["staff"].passages])
        self._current = (made, tuple(problems))
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

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                for changed in self._changes():
                    with self._reloading:
                        if changed or self._look() != self._stamps:
                            self._reload()
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


def _two(hits: Sequence[Hit]) -> bool:
    """Whether the second article comes about as near as the first."""
    first = hits[0]
    others = (hit for hit in hits if hit.passage.article_id != first.passage.article_id)
    second = next(others, None)
    return second is not None and first.score - second.score <= EQUAL


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

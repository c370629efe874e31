"""The article files of a folder: which there are, what is in them, and who may see it."""

from __future__ import annotations

import codecs
import hashlib
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from knowledge_base.files import Files, Listing, file_type
from knowledge_base.front_matter import may_be_internal, states_audience
from knowledge_base.parse import INDEX_NAMES, Article, ArticleError, LeftOut, parse_article

LARGE, TOO_LARGE = 2_000_000, 20_000_000
"""Bytes above which an article is worth splitting, and above which it is not read."""

NO_AUDIENCE = (
    "no audience; add a line `audience: public` or `audience: staff` to its front matter; "
    "other articles have one, so until then only staff see this one"
)

_START = 256_000
"""Bytes of a file that cannot be read as text, in which its front matter is looked for."""


@dataclass(frozen=True)
class ArticleProblem:
    """Something an editor should put right: the file, the 1-based line, what to do."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Reading:
    """What is in the folder: the articles to serve, each with its audience, and what is wrong.

    Not `complete` if a file could not be read just now, though it may be: to be tried again.
    """

    articles: tuple[Article, ...]
    problems: tuple[ArticleProblem, ...]
    complete: bool = True


@dataclass(frozen=True)
class _Source:
    """A file as last read.

    `digest` is that of its bytes (None: not read), `good` its last good article, `broken` whether
    there is a newer version that is not, and `states` whether it says who may read it, even if that
    is wrong or the file is broken.
    """

    digest: bytes | None = None
    good: Article | None = None
    broken: bool = False
    states: bool = False
    problems: tuple[ArticleProblem, ...] = ()


class Folder:
    """Reads the article files below a folder, again and again. For one thread at a time.

    It remembers each file, so an edit that breaks one leaves its last good version served; but not
    to customers, if the edit may have been meant to take it from them.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is read yet, and the folder need not be there."""
        self.path = Path(path)
        self._files = Files(self.path)
        self._sources: dict[str, _Source] = {}
        self._complete = True

    def look(self) -> Listing:
        """The article files as they are now; compare two of them to see whether to `read`."""
        return self._files.look()

    def read(self, listing: Listing | None = None) -> Reading:
        """Read what changed; `listing` is that of a `look` made just now, if there was one."""
        listing = listing or self.look()
        before, self._sources, self._complete = self._sources, {}, True
        for name in listing.stamps:
            known = before.get(name, _Source())
            source = known if name in listing.kept else self._read(name, known)
            if source:
                self._sources[name] = source
        articles, problems = self._audiences()
        articles, clashes = _distinct(self.path, articles)
        unlisted = [ArticleProblem(path, 1, message) for path, message in listing.problems]
        return Reading(tuple(articles), (*unlisted, *problems, *clashes), self._complete)

    def _read(self, name: str, before: _Source) -> _Source | None:
        """One file; None if it is gone meanwhile."""
        path = str(self.path / name)
        try:
            with Path(path).open("rb") as file:
                raw = file.read(TOO_LARGE + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            if isinstance(error, PermissionError):
                what = "no permission to read it; allow it to the user that Rapport runs as"
            else:
                what = f"cannot be read ({error.strerror or error}); is the drive there?"
                self._complete = False
            problem = ArticleProblem(path, 1, what)
            return replace(before, digest=None, broken=True, problems=(problem,))
        digest = hashlib.sha256(raw).digest()
        if digest == before.digest:
            return before
        try:
            if before.good and not raw.strip():
                # Many editors empty a file before they write it: for a moment there is nothing.
                raise ArticleError(path, 1, "empty; write its text again, or delete the file")
            article = parse_article(_text(raw, path), _identity(name), path)
        except LeftOut:
            return _Source(digest, states=states_audience(_roughly(raw)))
        except ArticleError as error:
            return replace(_broken(error, _roughly(raw), before), digest=digest)
        notes = [ArticleProblem(path, *note) for note in article.notes]
        if len(raw) > LARGE:
            size = f"{len(raw) / 1_000_000:.1f} MB"
            notes.append(ArticleProblem(path, 1, f"{size} in one article; split it"))
        states = article.audience is not None
        return _Source(digest, article, states=states, problems=tuple(notes))

    def _audiences(self) -> tuple[dict[str, Article], list[ArticleProblem]]:
        """The articles by file name, each for its readers, and the problems of their files.

        Where no file says who may read it, everybody may. As soon as one does, the folder has
        articles that are not for everybody, and one that does not say so may be one of them.
        """
        stated = any(source.states for source in self._sources.values())
        articles: dict[str, Article] = {}
        problems: list[ArticleProblem] = []
        for name, source in self._sources.items():
            problems += source.problems
            article = source.good
            if article and article.audience is None:
                article = article.for_audience("staff" if stated else "public")
                if stated and not source.broken:
                    problems.append(ArticleProblem(str(self.path / name), 1, NO_AUDIENCE))
            if article:
                articles[name] = article
        return articles, problems


def read_folder(path: Path) -> Reading:
    """The articles of a folder and what is wrong with its files, read once."""
    return Folder(path).read()


def _identity(name: str) -> str:
    return name.removesuffix(file_type(name))


def _text(raw: bytes, path: str) -> str:
    """The text of a file. Raises ArticleError if it holds none, or too much."""
    if len(raw) > TOO_LARGE:
        most = f"{TOO_LARGE // 1_000_000} MB"
        raise ArticleError(path, 1, f"over {most}, so it is not read; split it into articles")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ArticleError(path, 1, "saved as UTF-16; save it as UTF-8")
    if (start := raw.find(b"\0")) >= 0:
        line = raw.count(b"\n", 0, start) + 1
        raise ArticleError(
            path, line, "no text, as it holds NUL bytes; save it as UTF-8, or give it another name"
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ArticleError(path, line, "no UTF-8; save it as UTF-8") from error


def _roughly(raw: bytes) -> str:
    """The beginning of a file as text, as far as it can be read."""
    raw = raw[:_START]
    wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = raw.decode("utf-16" if wide else "utf-8", errors="replace")
    return text.replace("\0", "")


def _broken(error: ArticleError, text: str, before: _Source) -> _Source:
    """What is left of a file that an edit broke: its last good version, if it may be shown."""
    good, message = before.good, error.message
    if good and good.audience != "staff" and may_be_internal(text):
        good = good.for_audience("staff")
        message += "; as it may be meant for staff, customers no longer see its last good version"
    return _Source(
        good=good,
        broken=True,
        states=before.states or states_audience(text),
        problems=(ArticleProblem(error.path, error.line, message),),
    )


def _distinct(
    folder: Path, articles: dict[str, Article]
) -> tuple[list[Article], list[ArticleProblem]]:
    """The articles to serve, and the files whose names cannot be told apart.

    Ids that differ in capitals only, or in how an accent is written, would be one address for
    people: the first is served. The same name in two folders is served twice, but what cites it is
    easily mixed up.
    """
    kept: list[Article] = []
    problems: list[ArticleProblem] = []
    ids: dict[str, str] = {}
    stems: dict[str, str] = {}
    for name, article in articles.items():
        path = str(folder / name)
        identity = unicodedata.normalize("NFC", article.id).casefold()
        stem = PurePosixPath(identity).name
        twin = ids.setdefault(identity, name)
        if twin != name:
            problems.append(
                ArticleProblem(path, 1, f"left out, as {twin} has the same id; rename one of them")
            )
            continue
        namesake = name if stem in INDEX_NAMES else stems.setdefault(stem, name)
        if namesake != name:
            problems.append(
                ArticleProblem(path, 1, f"{namesake} has the same name; rename one of them")
            )
        kept.append(article)
    return kept, problems

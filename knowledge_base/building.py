"""Making the index complete on disk, and saying what is in it: for the commands and for set-up."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge_base.index import Snapshot
from knowledge_base.search import KnowledgeBase
from knowledge_base.vectors import Progress


class NotWritten(RuntimeError):
    """The index could not be put on disk; the message says where and why."""


@dataclass(frozen=True)
class Built:
    """What a build did. Texts are passages, headings, titles and questions, each counted once."""

    articles: int
    passages: int
    passages_embedded: int
    passages_reused: int
    texts_embedded: int
    texts_reused: int
    vectors_removed: int
    kind: str
    seconds: float
    index_bytes: int
    problems: int
    refused: str
    """Why the index that was there was not used, or ""."""


def build(
    knowledge_base: KnowledgeBase,
    *,
    afresh: bool = False,
    tidy: bool = True,
    embedding: Progress | None = None,
    graphs: Progress | None = None,
) -> Built:
    """Load the folder, embed what is new with all cores, make the graphs that a large one wants, and
    with `tidy` take vectors that nothing uses off the disk.

    `afresh` embeds everything again. Not `tidy` for a folder that is not the one served from this
    index. Raises NoUsableArticle, NotWritten, and OSError or IndexRefused from tidying.
    """
    started = time.perf_counter()
    knowledge_base.load(embedding, afresh=afresh)
    knowledge_base.refresh(threads=os.cpu_count() or 1, store=tidy, progress=graphs)
    now = knowledge_base.current
    if now.vectors.unwritten:
        raise NotWritten(f"{now.vectors.files.folder} cannot be written: {now.vectors.unwritten}")
    used = rows(now)
    removed = now.vectors.keep_only(used) if tidy else 0
    passages = np.concatenate([part.texts[part.at] for part in parts(now)])
    embedded = int((passages >= now.vectors.known_before).sum())
    return Built(
        articles=len(now.articles),
        passages=len(passages),
        passages_embedded=embedded,
        passages_reused=len(passages) - embedded,
        texts_embedded=now.vectors.embedded,
        texts_reused=len(used) - now.vectors.embedded,
        vectors_removed=removed,
        kind=kind(now),
        seconds=time.perf_counter() - started,
        index_bytes=now.vectors.files.size(),
        problems=len(knowledge_base.problems()),
        refused=now.vectors.refused,
    )


def parts(now: Snapshot) -> Sequence:
    """The parts that everything is in, each once."""
    return [part for mine in now.parts.values() for part in mine]


def rows(now: Snapshot) -> np.ndarray:
    """The rows of all vectors in use, each once."""
    return np.unique(np.concatenate([part.rows() for part in parts(now)]))


def kind(now: Snapshot) -> str:
    """How the passages are searched, in words."""
    if any(part.shortcut for part in parts(now)):
        return "HNSW graphs, then exact scores"
    return "exact"


@dataclass(frozen=True)
class Contents:
    """What is in the knowledge base. Memory is in bytes; `vectors` are mapped from the file, so
    several processes share them, and the system takes them back when memory is short."""

    articles: dict[str, int]
    passages: dict[str, int]
    words: int
    questions: int
    passages_per_article: dict[str, float]
    longest: str
    longest_words: int
    oldest: str
    oldest_updated: str
    without_date: int
    kind: str
    memory: dict[str, int]
    index_bytes: int
    vectors_kept: int
    vectors_unused: int
    problems: int


def contents(knowledge_base: KnowledgeBase) -> Contents:
    """Count what is loaded."""
    now = knowledge_base.current
    articles = list(now.articles.values())
    counts = np.array([len(article.passages) for article in articles])
    lengths = {article.id: len(article.body.split()) for article in articles}
    longest = max(lengths, key=lambda name: lengths[name])
    dated = [article for article in articles if article.updated]
    oldest = min(dated, key=lambda article: (article.updated, article.id), default=None)
    kept = len(now.vectors.table)
    graphs = [part.shortcut for part in parts(now) if part.shortcut]
    return Contents(
        articles={
            audience: sum(article.audience == audience for article in articles)
            for audience in now.parts
        },
        passages={
            audience: sum(len(part) for part in mine) for audience, mine in now.parts.items()
        },
        words=sum(lengths.values()),
        questions=sum(len(article.questions) for article in articles),
        passages_per_article={
            "fewest": int(counts.min()),
            "median": float(np.median(counts)),
            "most": int(counts.max()),
        },
        longest=longest,
        longest_words=lengths[longest],
        oldest=oldest.id if oldest else "",
        oldest_updated=oldest.updated.isoformat() if oldest else "",
        without_date=len(articles) - len(dated),
        kind=kind(now),
        memory={
            "vectors": now.vectors.table.bytes,
            "words": sum(it.words.bytes + it.article_words.bytes for it in parts(now)),
            "graphs": sum(it.passages.bytes + it.questions.bytes for it in graphs),
        },
        index_bytes=now.vectors.files.size(),
        vectors_kept=kept,
        vectors_unused=kept - len(rows(now)),
        problems=len(knowledge_base.problems()),
    )

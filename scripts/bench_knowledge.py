"""The knowledge base when it is large: building, an edit going live, searching.

Run with ``python scripts/bench_knowledge.py``; ``measure`` gives the same figures to a program. The
encoder is measured on articles of 2,000 words made of our own sentences, beside sentence-transformers
in the same run, the two in turn. Searching is measured on synthetic passages: word soup with the
frequencies of real text, and vectors mixed of real ones, so that an article's passages are alike and
a question is near to one of them.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import psutil
import structlog
import typer

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.encoder import Encoder, Tokens  # noqa: E402
from knowledge_base.evaluate import read_questions  # noqa: E402
from knowledge_base.index import Query, Shelf, Snapshot, refreshed, snapshot  # noqa: E402
from knowledge_base.parse import Article, Passage, parse_article  # noqa: E402
from knowledge_base.search import KnowledgeBase  # noqa: E402
from knowledge_base.vectors import Vectors  # noqa: E402
from knowledge_base.words import content_words  # noqa: E402

ARTICLES = ROOT / "knowledge_base" / "articles"
DEV = ROOT / "knowledge_base" / "evaluation" / "dev.jsonl"
MODEL = ROOT / "models" / "encoder"
WORK = ROOT / "var" / "bench" / "knowledge"
"""The 1,000 articles and their vectors stay here, so that only the first run embeds them."""

WORDS_AN_ARTICLE, SECTIONS = 2_000, 10
PASSAGES_AN_ARTICLE, QUESTIONS_AN_ARTICLE = 9, 5
VOCABULARY = 300_000
LONG_QUESTIONS = 0.1
"""Share of the questions that are searched in three ways; of our development questions it is 6 %."""


# --- articles of 2,000 words ----------------------------------------------------------------------


class Writer:
    """Writes articles of our own sentences, one word of each changed; always the same ones."""

    def __init__(self) -> None:
        articles = [
            parse_article(path.read_text("utf-8"), path.stem, str(path))
            for path in sorted(ARTICLES.rglob("*.md"))
        ]
        passages = [passage for article in articles for passage in article.passages]
        self.sentences = [
            sentence
            for passage in passages
            for sentence in re.split(r"(?<=[.!?])\s+", passage.text)
            if len(sentence) > 20
        ]
        self.headings = [passage.heading for passage in passages]
        self.questions = [question for article in articles for question in article.questions]
        self.words = sorted({it for line in self.sentences for it in re.findall("[a-z]{5,}", line)})

    def article(self, number: int, edition: int = 0) -> str:
        """The file; another edition has the same headings and another text."""
        of = random.Random(number)
        title = f"{of.choice(self.headings)} {number}"
        questions = "".join(
            f"  - {of.choice(self.questions)} {number}\n" for _ in range(QUESTIONS_AN_ARTICLE)
        )
        headings = [f"{of.choice(self.headings)} {number}" for _ in range(SECTIONS)]
        text = random.Random((edition + 1) * 1_000_003 + number)
        sections = "\n".join(f"## {it}\n\n{self.section(text)}\n" for it in headings)
        audience = "staff" if number % 10 == 0 else "public"
        return (
            f"---\ntitle: {title}\naudience: {audience}\nquestions:\n{questions}---\n\n{sections}"
        )

    def section(self, of: random.Random) -> str:
        words: list[str] = []
        while len(words) < WORDS_AN_ARTICLE // SECTIONS - 8:
            sentence = of.choice(self.sentences).split()
            sentence[of.randrange(len(sentence))] = of.choice(self.words)
            words += sentence
        return " ".join(words)


def write_articles(folder: Path, count: int) -> None:
    writer = Writer()
    for number in range(count):
        path = folder / f"topic-{number % 20:02}" / f"article-{number:04}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(writer.article(number), encoding="utf-8")


# --- the encoder ----------------------------------------------------------------------------------


class Original:
    """sentence-transformers with its defaults, as an encoder of ours."""

    def __init__(self) -> None:
        from sentence_transformers import SentenceTransformer

        from bot.build.encoder import weights_folder

        self.model = SentenceTransformer(str(weights_folder()), device="cpu", local_files_only=True)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return np.asarray(self.model.encode(list(texts), show_progress_bar=False))


def measure_encoder(passages: int = 192, rounds: int = 3) -> dict[str, Any]:
    """Milliseconds a passage, ours and the original's, and how often each finds the right article
    by vectors alone."""
    writer = Writer()
    texts: list[str] = []
    for number in range(passages // SECTIONS + 1):
        article = parse_article(writer.article(number), str(number))
        texts += [f"{it.headed}. {it.text}" for it in article.passages]
    texts = texts[:passages]
    ours, original = Encoder(MODEL), Original()
    for encoder in (ours, original):
        encoder.encode(texts[:16])
    times: dict[str, list[float]] = {"ours": [], "original": []}
    for _ in range(rounds):
        for name, encoder in (("ours", ours), ("original", original)):
            started = time.perf_counter()
            encoder.encode(texts)
            times[name].append(1000 * (time.perf_counter() - started) / len(texts))
    ratios = [theirs / mine for mine, theirs in zip(times["ours"], times["original"], strict=True)]
    return {
        "passages": len(texts),
        "characters": statistics.mean(map(len, texts)),
        "ms": {name: statistics.median(found) for name, found in times.items()},
        "ratio": statistics.median(ratios),
        "ratios": ratios,
        "retrieval": {
            "ours": found_by_vectors(ours), "original": found_by_vectors(original),
        },
    }  # fmt: skip


def found_by_vectors(encoder: Any) -> dict[str, float]:
    """R@1 and R@5 on our development questions, by the vectors alone."""
    questions = [it for it in read_questions(DEV) if it.gold]
    with tempfile.TemporaryDirectory() as folder:
        knowledge_base = KnowledgeBase(ARTICLES, PlainVectors(encoder), Path(folder))
        knowledge_base.load()
        places = []
        for it in questions:
            query = Query(encoder.encode([it.text]), (tuple(content_words(it.text)),))
            hits = knowledge_base.shelf(it.audience).rank(query, dense_share=1.0)
            found = list(dict.fromkeys(hit.passage.article_id for hit in hits))
            places.append(next((n for n, name in enumerate(found, 1) if name in it.gold), 99))
    return {
        "r_at_1": statistics.mean(place == 1 for place in places),
        "r_at_5": statistics.mean(place <= 5 for place in places),
    }


class PlainVectors:
    """An encoder of texts alone, as sentence-transformers' is: its texts have no tokens."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder
        self.encode = encoder.encode
        self.dimension = int(encoder.encode(["one"]).shape[1])

    def encode_with_tokens(self, texts: Sequence[str]) -> list[tuple[np.ndarray, Tokens]]:
        none = Tokens(np.zeros((0, 128), dtype=np.float32), (), ())
        return [(row, none) for row in self.encode(texts)]


# --- an edit --------------------------------------------------------------------------------------


def measure_edits(articles: int = 1000, edits: int = 7) -> dict[str, Any]:
    """The first build of a folder, the second start, and from saving a file, every word of whose
    text is another, to its being answered from."""
    folder, cache = WORK / f"articles-{articles}", WORK / f"index-{articles}"
    if not folder.exists():
        write_articles(folder, articles)
    encoder = Encoder(MODEL)
    started = time.perf_counter()
    knowledge_base = KnowledgeBase(folder, encoder, cache)
    knowledge_base.load()
    first, embedded = time.perf_counter() - started, knowledge_base.current.vectors.embedded
    knowledge_base.current.vectors.keep_only(_rows(knowledge_base.current))
    started = time.perf_counter()
    knowledge_base = KnowledgeBase(folder, encoder, cache)
    knowledge_base.load()
    again = time.perf_counter() - started
    assert knowledge_base.current.vectors.embedded == 0, "a second start embedded something"
    writer, times = Writer(), []
    knowledge_base.watch()
    time.sleep(1)
    for edit in range(1, edits + 1):
        number = 7 * edit + 1
        path = folder / f"topic-{number % 20:02}" / f"article-{number:04}.md"
        name = path.relative_to(folder).with_suffix("").as_posix()
        old, source = path.read_text("utf-8"), writer.article(number, edition=edit)
        body = parse_article(source, name).body
        path.write_text(source, encoding="utf-8")
        begun = time.perf_counter()
        while getattr(knowledge_base.article(name, "staff"), "body", None) != body:
            time.sleep(0.002)
        times.append(time.perf_counter() - begun)
        path.write_text(old, encoding="utf-8")
        time.sleep(1.5)
    knowledge_base.close()
    now = knowledge_base.current
    return {
        "articles": len(now.articles),
        "passages": len(now.shelves["staff"].passages),
        "first_start_s": first,
        "first_start_embedded": embedded,
        "second_start_s": again,
        "edit_s": {"median": statistics.median(times), "worst": max(times), "count": len(times)},
        "rss": psutil.Process().memory_info().rss,
        "index_bytes": _size(cache),
    }


def _rows(now: Snapshot) -> np.ndarray:
    return np.concatenate([part.rows() for parts in now.parts.values() for part in parts])


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


# --- searching ------------------------------------------------------------------------------------


class Synthetic:
    """Articles of word soup, and an encoder that gives their texts vectors mixed of real ones.

    Every text holds a name like `p12`, from which its vector follows: passages and questions of an
    article share the article's direction.
    """

    def __init__(self) -> None:
        encoder = Encoder(MODEL)
        articles = [
            parse_article(path.read_text("utf-8"), path.stem) for path in ARTICLES.rglob("*.md")
        ]
        passages = [it for article in articles for it in article.passages]
        self.texts = encoder.encode([f"{it.headed}. {it.text}" for it in passages])
        self.headings = encoder.encode([it.heading or it.title for it in passages])
        self.asked = encoder.encode([it for article in articles for it in article.questions])
        # Zipf's law, with the most frequent word in about half of the passages, as in ours.
        share = 1 / (np.arange(VOCABULARY) + 2.7)
        self._until = np.cumsum(share / share.sum())

    def articles(self, passages: int) -> list[Article]:
        return [self._article(number) for number in range(-(-passages // PASSAGES_AN_ARTICLE))]

    def _article(self, number: int) -> Article:
        random_ = np.random.default_rng(number)
        topic = self.soup(random_, 12)
        made = []
        for at in range(PASSAGES_AN_ARTICLE):
            name = PASSAGES_AN_ARTICLE * number + at
            words = [*self.soup(random_, 70), *random_.choice(topic, 20)]
            random_.shuffle(words)
            text = f"p{name} " + " ".join(words)
            made.append(Passage(f"a{number:07}", f"t{number}", (f"h{name}",), "", text, "public"))
        return Article(
            id=f"a{number:07}", title=f"t{number}", summary="", audience="public", updated=None,
            owner="", tags=(),
            questions=tuple(
                f"q{QUESTIONS_AN_ARTICLE * number + at} " + " ".join(random_.choice(topic, 4))
                for at in range(QUESTIONS_AN_ARTICLE)
            ),
            body="\n".join(passage.text for passage in made),
            passages=tuple(made),
        )  # fmt: skip

    def soup(self, random_: np.random.Generator, count: int) -> list[str]:
        return [f"w{it}" for it in np.searchsorted(self._until, random_.random(count))]

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        # A passage's text is `t1 > h12. p12 ...`, and the others begin with their names.
        names = [
            re.search(r"\. (p)(\d+) ", text) or re.match(r"([qht])(\d+)\b", text) for text in texts
        ]
        kinds = np.array([it[1] if it else "t" for it in names])
        numbers = np.array([int(it[2]) if it else 0 for it in names], dtype=np.uint64)
        found = np.empty((len(texts), self.texts.shape[1]), dtype=np.float32)
        for kind, vectors in (
            ("p", self.passage), ("h", self.heading), ("q", self.question), ("t", self.title),
        ):  # fmt: skip
            found[kinds == kind] = vectors(numbers[kinds == kind])
        return found

    def topic(self, numbers: np.ndarray) -> np.ndarray:
        return mixed(self.texts, numbers, 1)

    def passage(self, numbers: np.ndarray) -> np.ndarray:
        return unit(self.topic(numbers // PASSAGES_AN_ARTICLE) + mixed(self.texts, numbers, 5))

    def heading(self, numbers: np.ndarray) -> np.ndarray:
        return unit(0.6 * self.passage(numbers) + mixed(self.headings, numbers, 9))

    def question(self, numbers: np.ndarray) -> np.ndarray:
        topic = self.topic(numbers // QUESTIONS_AN_ARTICLE)
        return unit(0.7 * topic + mixed(self.asked, numbers, 13))

    def title(self, numbers: np.ndarray) -> np.ndarray:
        return unit(self.topic(numbers) + mixed(self.headings, numbers, 17))

    def queries(self, articles: Sequence[Article], count: int) -> list[Query]:
        """Questions near to one of the passages each, with some of its words and common ones."""
        random_ = np.random.default_rng(count)
        made = []
        for at in range(count):
            article = articles[random_.integers(len(articles))]
            number = random_.integers(len(article.passages))
            name = np.array([int(article.passages[number].text.split()[0][1:])], dtype=np.uint64)
            ways = 3 if random_.random() < LONG_QUESTIONS else 1
            vectors, stems = [], []
            for way in range(ways):
                noise = mixed(self.asked, np.array([at * 7 + way], dtype=np.uint64), 21)
                vectors.append(unit(0.6 * self.passage(name) + 0.3 * self.heading(name) + noise)[0])
                held = article.passages[number].text.split()[1:]
                words = [*random_.choice(held, 3), *self.soup(random_, 1)]
                stems.append(tuple(dict.fromkeys(words)))
            made.append(Query(np.array(vectors, dtype=np.float32), tuple(stems)))
        return made


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def mixed(real: np.ndarray, numbers: np.ndarray, salt: int) -> np.ndarray:
    """For each number always the same direction: a real vector, off by half the difference of two
    others, so that it varies as real ones do."""
    first, second, third = (
        real[(_scattered(numbers * np.uint64(64) + np.uint64(salt + at)) % np.uint64(len(real)))]
        for at in range(3)
    )
    return unit(first + 0.5 * (second - third))


def _scattered(numbers: np.ndarray) -> np.ndarray:
    """Each number's hash (splitmix64), uint64."""
    with np.errstate(over="ignore"):
        found = numbers + np.uint64(0x9E3779B97F4A7C15)
        found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return found ^ (found >> np.uint64(31))


def measure_search(passages: int, questions: int = 400, compared: int = 100) -> dict[str, Any]:
    """Ranking among so many passages: times on one core, agreement with the exact ranking, memory.

    `cpu_ms` is the calling thread's own time, which other work on the machine does not lengthen.
    """
    say = _speaker(f"{passages:,} passages")
    folder = Path(tempfile.mkdtemp(prefix="rapport-bench-", dir=_made(WORK)))
    process = psutil.Process()
    try:
        source = Synthetic()
        articles = source.articles(passages)
        say("written")
        before = process.memory_info().rss
        vectors = Vectors(source, folder)
        started = time.perf_counter()
        now = snapshot(articles, vectors)
        say(f"indexed in {time.perf_counter() - started:.0f} s")
        started = time.perf_counter()
        now = refreshed(now, threads=os.cpu_count() or 1)
        graphs = time.perf_counter() - started
        say(f"graphs in {graphs:.0f} s")
        shelf = now.shelves["public"]
        queries = source.queries(articles, questions)
        times = [
            _timed(lambda query=query: shelf.rank(query)) for query in queries[: questions // 4]
        ]
        times = [_timed(lambda query=query: shelf.rank(query)) for query in queries]
        rss = process.memory_info().rss
        edited = replace(articles[7], title="t7 edited")
        edit, _ = _timed(lambda: snapshot([*articles[:7], edited, *articles[8:]], vectors, now))
        exact = Shelf.of([part.with_shortcut(None) for part in shelf.parts], vectors.table)
        agreements = [agreement(exact, shelf, query) for query in queries[:compared]]
        return {
            "passages": len(shelf.passages),
            "exact": shelf.exact,
            "wall_ms": _spread([wall for wall, _ in times]),
            "cpu_ms": _spread([cpu for _, cpu in times]),
            "recall_at_10": statistics.mean(agreements),
            "same_first": statistics.mean(
                exact.rank(query)[0].passage is shelf.rank(query)[0].passage
                for query in queries[:compared]
            ),
            "graphs_s": graphs,
            "rss": rss,
            "rss_of_index": rss - before,
            "edit_ms": edit,
            "index_bytes": _size(folder),
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def agreement(exact: Shelf, shelf: Shelf, query: Query) -> float:
    """The share of the exact ranking's best ten that is among this one's."""
    expected = {id(hit.passage) for hit in exact.rank(query)[:10]}
    found = {id(hit.passage) for hit in shelf.rank(query)[:10]}
    return len(expected & found) / len(expected)


def _timed(run: Callable[[], Any]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.thread_time()
    run()
    return 1000 * (time.perf_counter() - wall), 1000 * (time.thread_time() - cpu)


def _spread(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "median": statistics.median(ordered),
        "p95": ordered[int(0.95 * (len(ordered) - 1))],
        "count": len(ordered),
    }


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _speaker(about: str) -> Callable[[str], None]:
    started = time.perf_counter()
    return lambda text: print(
        f"{about}: {text} ({time.perf_counter() - started:.0f} s)", file=sys.stderr, flush=True
    )


# --- the report -----------------------------------------------------------------------------------


def measure(sizes: Sequence[int] = (10_000, 100_000)) -> dict[str, Any]:
    """All figures. A million passages take a quarter of an hour and 10 GB, so they are not among
    the `sizes` unless asked for."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    return {
        "encoder": measure_encoder(),
        "edits": measure_edits(),
        "search": [measure_search(size) for size in sizes],
    }


def goals(figures: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Rows for the table at the top of docs/benchmarks.md: what, measured, goal."""
    encoder, edits = figures["encoder"], figures["edits"]
    rows = [
        (
            "Embedding passages, against sentence-transformers", f"{encoder['ratio']:.1f} ×", "≥ 3 ×",
        ),
        (
            f"An edited article live, among {edits['articles']:,}",
            f"{edits['edit_s']['worst']:.2f} s", "≤ 1 s",
        ),
    ]  # fmt: skip
    for search in figures["search"]:
        goal = 15 if search["passages"] > 500_000 else 8
        rows.append(
            (
                f"Search among {search['passages']:,} passages, 95th percentile",
                f"{search['cpu_ms']['p95']:.1f} ms",
                f"≤ {goal} ms",
            )
        )
    return rows


def report(figures: dict[str, Any]) -> list[str]:
    """A section for docs/benchmarks.md."""
    encoder, edits = figures["encoder"], figures["edits"]
    found = encoder["retrieval"]
    return [
        "## The knowledge base", "",
        f"Embedding {encoder['passages']} passages of {encoder['characters']:.0f} characters, in turn: "
        f"ours {encoder['ms']['ours']:.1f} ms a passage, sentence-transformers "
        f"{encoder['ms']['original']:.1f}. By vectors alone ours finds "
        f"{found['ours']['r_at_1']:.3f} of the development questions' articles first and "
        f"{found['ours']['r_at_5']:.3f} among five, sentence-transformers "
        f"{found['original']['r_at_1']:.3f} and {found['original']['r_at_5']:.3f}.", "",
        f"A folder of {edits['articles']:,} articles of 2,000 words ({edits['passages']:,} passages): "
        f"{edits['second_start_s']:.1f} s from start to ready with nothing to embed; an article with "
        f"every word of its text changed is live after {edits['edit_s']['median']:.2f} s (median of "
        f"{edits['edit_s']['count']}); resident {edits['rss'] / 1e6:.0f} MB, index on disk "
        f"{edits['index_bytes'] / 1e6:.0f} MB.", "",
        "Searching synthetic passages on one core, without embedding the question; time is the "
        "thread's own. Agreement: the share of the exact ranking's best ten that is found.", "",
        "| passages | kind | median ms | p95 ms | agreement | resident MB | on disk MB | graphs in |",
        "|---|---|---|---|---|---|---|---|",
        *[
            f"| {it['passages']:,} | {'exact' if it['exact'] else 'HNSW'} | "
            f"{it['cpu_ms']['median']:.1f} | {it['cpu_ms']['p95']:.1f} | {it['recall_at_10']:.3f} | "
            f"{it['rss'] / 1e6:.0f} | {it['index_bytes'] / 1e6:.0f} | {it['graphs_s']:.0f} s |"
            for it in figures["search"]
        ], "",
    ]  # fmt: skip


def main(
    only: Annotated[str, typer.Option(help="encoder, edits or search.")] = "",
    size: Annotated[list[int] | None, typer.Option(help="Passages to search among.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures.")] = False,
) -> None:
    """Measure the knowledge base when it is large."""
    sizes = size or [10_000, 100_000]
    parts: dict[str, Callable[[], Any]] = {
        "encoder": measure_encoder,
        "edits": measure_edits,
        "search": lambda: [measure_search(it) for it in sizes],
    }
    if only:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
        print(json.dumps({only: parts[only]()}, indent=2))
        return
    figures = measure(sizes)
    print(json.dumps(figures, indent=2) if as_json else "\n".join(report(figures)))


if __name__ == "__main__":
    typer.run(main)

"""How well articles are found and not-knowing is known, on public sets: the part of `make quality`
that needs `--data FOLDER`, a folder with `retrieval/emanual`, `retrieval/stackfaq` and
`intents/clinc150` as their authors publish them. None of it is part of Rapport, and nothing is trained
on the first two.
"""

from __future__ import annotations

import csv
import json
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.encoder import Encoder
from knowledge_base.confidence import Confidence, signals
from knowledge_base.evaluate import Question, auroc
from knowledge_base.query import make_query
from knowledge_base.search import KnowledgeBase

OFF_TOPIC = 300
"""Off-topic questions asked: CLINC150's out-of-scope ones."""


@dataclass(frozen=True)
class Figures:
    """Recall and mean reciprocal rank of the right article, by both halves and together, and the
    AUROC of the confidence: against the same question with its article removed, and off-topic."""

    name: str
    questions: int
    ranked: dict[str, tuple[float, float, float]]
    near_miss: float
    near_miss_words: float
    off_topic: float


def emanual(folder: Path, articles: Path) -> list[Question]:
    """A television's manual: each section an article."""
    sections = json.loads((folder / "smart_tv_remote_manual_corpus.json").read_text("utf-8"))
    for name, section in sections.items():
        lines = section["text"] or [section["title"]]
        _write(articles, name, section["title"], "\n".join(lines))
    rows = json.loads((folder / "smart_tv_questions_with_gold.json").read_text("utf-8"))
    return [Question(row["question"], frozenset(row["gold_sections"])) for row in rows]


def stackfaq(folder: Path, articles: Path) -> list[Question]:
    """Threads of questions and answers on web applications, asked for in other words."""
    threads = json.loads((folder / "stackExchange-FAQ.json").read_text("utf-8"))["root"]["qapair"]
    questions = []
    for number, thread in enumerate(threads):
        name = f"thread-{number:03}"
        _write(articles, name, thread["question"], "\n\n".join(_list(thread["answer"])))
        asked = [it for it in _list(thread["rephr"]) if it and re.search(r"\w", it)]
        questions += [Question(it, frozenset({name})) for it in asked]
    return questions


def _list(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def _write(articles: Path, name: str, title: str, body: str) -> None:
    text = f"---\ntitle: {json.dumps(' '.join(title.split()))}\n---\n{body}\n"
    (articles / f"{name}.md").write_text(text, encoding="utf-8")


def off_topic(folder: Path) -> list[str]:
    """CLINC150's validation questions that are out of its scope, and out of any help centre's."""
    with (folder / "val.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["label"] in {"oos", "out_of_scope"}]
    return [row["text"] for row in rows][:OFF_TOPIC]


def measure(
    name: str, make: Callable[[Path], list[Question]], others: Sequence[str], encoder: Encoder
) -> Figures:
    with tempfile.TemporaryDirectory() as scratch:
        articles = Path(scratch) / "articles"
        articles.mkdir()
        questions = make(articles)
        knowledge_base = KnowledgeBase(articles, encoder, Path(scratch) / "index")
        knowledge_base.load()
        return _figures(name, knowledge_base, questions, others=others, encoder=encoder)


def _figures(
    name: str,
    knowledge_base: KnowledgeBase,
    questions: Sequence[Question],
    *,
    others: Sequence[str],
    encoder: Encoder,
) -> Figures:
    shelf, model = knowledge_base.shelf(), Confidence.load()
    places: dict[str, list[int]] = {
        "vectors": [],
        "words": [],
        "both, first ranking": [],
        "all": [],
    }
    there, removed, words_there, words_removed = [], [], [], []
    for question in questions:
        query = make_query(question.text, encoder)
        first = shelf.rank(query)
        rankings = {
            "vectors": shelf.rank(query, dense_share=1),
            "words": shelf.rank(query, dense_share=0),
            "both, first ranking": first,
            "all": list(knowledge_base.compare(query, first).hits),
        }
        for half, hits in rankings.items():
            found = list(dict.fromkeys(hit.passage.article_id for hit in hits))
            place = next((n for n, it in enumerate(found, 1) if it in question.gold), 0)
            places[half].append(place)
        without = [hit for hit in first if hit.passage.article_id not in question.gold]
        for hits, scores, words in (
            (first, there, words_there),
            (without, removed, words_removed),
        ):
            ranking = knowledge_base.compare(query, hits)
            scores.append(model.probability(signals(question.text, query, ranking, shelf)))
            words.append(max(hit.lexical for hit in hits))
    far = []
    for text in others:
        query = make_query(text, encoder)
        ranking = knowledge_base.rank(query, shelf)
        far.append(model.probability(signals(text, query, ranking, shelf)))
    return Figures(
        name,
        len(questions),
        {half: _ranked(found) for half, found in places.items()},
        _auroc(there, removed),
        _auroc(words_there, words_removed),
        _auroc(there, far),
    )


def _ranked(places: Sequence[int]) -> tuple[float, float, float]:
    array = np.array(places)
    inverse = np.divide(1.0, array, out=np.zeros(len(array)), where=array > 0)
    return (
        float(np.mean(array == 1)),
        float(np.mean((array > 0) & (array <= 5))),
        float(inverse.mean()),
    )


def _auroc(right: Sequence[float], others: Sequence[float]) -> float:
    labels = np.array([True] * len(right) + [False] * len(others))
    return auroc(labels, np.array([*right, *others])) or 0.0


def section(data: Path, encoder: Encoder) -> list[str]:
    """The lines for docs/quality.md."""
    others = off_topic(data / "intents" / "clinc150")
    sets: list[tuple[str, Callable[[Path], list[Question]]]] = [
        ("E-manual", lambda to: emanual(data / "retrieval" / "emanual", to)),
        ("StackFAQ", lambda to: stackfaq(data / "retrieval" / "stackfaq", to)),
    ]
    lines = [
        "## Public sets", "",
        "Articles found (R@1 / R@5 / MRR) by each half of the first ranking, by both, and after the "
        "second ranking. Nothing was trained on these sets.", "",
        "| set | questions | vectors | words (BM25) | both | **second ranking** |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    found = []
    for name, make in sets:
        print(f"{name} ...", flush=True)
        figures = measure(name, make, others, encoder)
        found.append(figures)
        cells = [" / ".join(f"{it:.3f}" for it in ranked) for ranked in figures.ranked.values()]
        lines.append(f"| {name} | {figures.questions} | " + " | ".join(cells) + " |")
    lines += [
        "", "AUROC of the confidence for telling an answerable question from the same one with its "
        "article removed (near miss; in brackets by BM25's score alone), and from off-topic ones "
        f"({len(others)} out-of-scope questions of CLINC150):", "",
        "| set | near miss | off-topic |", "|---|---|---|",
        *[
            f"| {it.name} | {it.near_miss:.3f} ({it.near_miss_words:.3f}) | {it.off_topic:.3f} |"
            for it in found
        ],
        "",
    ]  # fmt: skip
    return lines

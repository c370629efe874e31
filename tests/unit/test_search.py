"""The knowledge base as its users see it: asked, edited, broken and mended, for two audiences."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import get_args
from zlib import crc32

import numpy as np
import pytest
from structlog.testing import capture_logs

from knowledge_base.confidence import Confidence, ConfidenceMissing
from knowledge_base.evaluate import QuestionError, read_questions
from knowledge_base.search import Kind, KnowledgeBase, NoUsableArticle
from knowledge_base.words import content_words, plain, stem, variants
from tests.unit.word_tokens import WithTokens

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "encoder"

needs_model = pytest.mark.skipif(
    not (MODEL / "model.onnx").is_file(), reason="no models/encoder; `make train` builds it"
)


class WordEncoder(WithTokens):
    """An encoder without a model: a text is the sum of its words' own random directions, and a
    token is its word's. `seen` are the texts embedded for the index."""

    dimension = 64

    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.seen += texts
        rows = np.stack([self._vector(text) for text in texts]) if texts else np.zeros((0, 64))
        return rows.astype(np.float32)

    def _vector(self, text: str) -> np.ndarray:
        total = np.full(64, 1e-3)
        for word in content_words(text):
            total += np.random.default_rng(crc32(word.encode())).normal(size=64)
        return total / np.linalg.norm(total)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "returns/how", "How to return an item", "You have 60 days to send it back.")
    write(tmp_path, "shipping/cost", "Delivery prices", "Delivery costs £3.95 in the UK.")
    write(tmp_path, "staff/goodwill", "Goodwill limits", "Agents may give £20 goodwill.", "staff")
    return tmp_path / "articles"


def write(root: Path, name: str, title: str, text: str, audience: str = "public") -> Path:
    path = root / "articles" / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"---\ntitle: {title}\naudience: {audience}\n---\n\n## {title} here\n\n{text}\n",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture
def opened(folder: Path, encoder: WordEncoder, tmp_path: Path) -> Iterator[Callable]:
    made = []

    def open_(threshold: float | None = 0.0) -> KnowledgeBase:
        made.append(KnowledgeBase(folder, encoder, tmp_path / "cache", threshold))
        made[-1].load()
        return made[-1]

    yield open_
    for knowledge_base in made:
        knowledge_base.close()


def soon(holds: Callable[[], bool], seconds: float = 2.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.01)
    return False


def best(knowledge_base: KnowledgeBase, question: str, audience="public"):
    return knowledge_base.ask(question, audience).hits[0].passage


def test_the_best_passage_is_verbatim_and_says_where_it_is_from(opened, folder):
    result = opened().ask("how many days to send an item back?")
    passage = result.hits[0].passage
    assert result.kind == "answer"
    assert 0 <= result.confidence <= 1
    assert passage.url == "/help/returns/how#how-to-return-an-item-here"
    assert passage.text in (folder / "returns/how.md").read_text(encoding="utf-8")
    assert [hit.score for hit in result.hits] == sorted(
        (h.score for h in result.hits), reverse=True
    )


@pytest.mark.parametrize(
    "question", ["", "   \n", "the of and", "?!", "🙂", "x" * 4000, "a. " * 900]
)
def test_any_text_can_be_asked(opened, question):
    assert opened().ask(question).kind in get_args(Kind)


def test_below_the_threshold_there_is_no_answer(opened):
    result = opened(threshold=1.0).ask("how many days to send an item back?")
    assert result.kind == "no_article"
    assert result.hits


@pytest.mark.parametrize("question", ["goodwill", "Agents may give £20 goodwill.", "limits £20"])
def test_staff_passages_never_reach_customers(opened, question):
    knowledge_base = opened()
    assert all(hit.passage.audience == "public" for hit in knowledge_base.ask(question).hits)
    assert best(knowledge_base, question, "staff").article_id == "staff/goodwill"
    assert knowledge_base.article("staff/goodwill", "public") is None
    assert knowledge_base.article("staff/goodwill", "staff").title == "Goodwill limits"
    assert {it.audience for it in knowledge_base.articles("public")} == {"public"}
    assert len(knowledge_base.articles("staff")) == 3


def test_an_article_that_becomes_internal_is_gone_for_customers(opened, tmp_path):
    knowledge_base = opened()
    knowledge_base.watch()
    write(tmp_path, "shipping/cost", "Delivery prices", "Delivery costs £3.95.", "staff")
    assert soon(lambda: knowledge_base.article("shipping/cost", "public") is None)
    hits = knowledge_base.ask("delivery costs").hits
    assert all(hit.passage.article_id != "shipping/cost" for hit in hits)


def test_only_internal_articles_leave_customers_with_nothing(tmp_path, encoder):
    write(tmp_path, "s", "Secret", "Words.", "staff")
    knowledge_base = KnowledgeBase(tmp_path / "articles", encoder, tmp_path / "cache", 0.0)
    knowledge_base.load()
    assert knowledge_base.ask("secret words").hits == ()
    assert knowledge_base.ask("secret words").kind == "no_article"


def test_an_edit_is_live_within_two_seconds_and_embeds_only_what_changed(opened, encoder, tmp_path):
    knowledge_base = opened()
    knowledge_base.watch()
    time.sleep(0.2)  # the watcher's own start is not what is measured
    encoder.seen.clear()
    write(tmp_path, "shipping/cost", "Delivery prices", "Delivery costs £4.95 in the UK.")
    assert soon(lambda: "£4.95" in best(knowledge_base, "delivery costs").text)
    assert [text for text in encoder.seen if "£" in text] == [
        "Delivery prices > Delivery prices here. Delivery costs £4.95 in the UK."
    ]
    assert not any("60 days" in text for text in encoder.seen)


def test_new_files_appear_and_deleted_ones_vanish(opened, folder, tmp_path):
    knowledge_base = opened()
    knowledge_base.watch()
    write(tmp_path, "new/gift", "Gift cards", "Gift cards last two years.")
    assert soon(lambda: knowledge_base.article("new/gift") is not None)
    (folder / "new/gift.md").unlink()
    assert soon(lambda: knowledge_base.article("new/gift") is None)
    assert all("Gift" not in hit.passage.title for hit in knowledge_base.ask("gift cards").hits)


def test_a_broken_edit_keeps_the_last_good_version_and_is_named(opened, folder, tmp_path):
    knowledge_base = opened()
    path = folder / "shipping/cost.md"
    with capture_logs() as logs:
        knowledge_base.watch()
        path.write_text("---\naudience: public\ntitle: Prices: all\n---\nGone.", encoding="utf-8")
        assert soon(lambda: knowledge_base.problems())
    (problem,) = knowledge_base.problems()
    assert (problem.path, problem.line) == (str(path), 3)
    assert "double quotes" in problem.message
    assert "£3.95" in best(knowledge_base, "delivery costs").text
    (warning,) = [log for log in logs if log["log_level"] == "warning"]
    assert (warning["path"], warning["line"]) == (str(path), problem.line)

    write(tmp_path, "shipping/cost", "Delivery prices", "Delivery costs nothing.")
    assert soon(lambda: not knowledge_base.problems())
    assert "nothing" in best(knowledge_base, "delivery costs").text


def test_whoever_may_read_a_broken_edit_must_be_beyond_doubt(opened, folder):
    """Somebody was about to make it internal: its last good version is not shown either."""
    knowledge_base = opened()
    knowledge_base.watch()
    path = folder / "shipping/cost.md"
    path.write_text("---\ntitle: Delivery prices\naudience: stuff\n---\nGone.", encoding="utf-8")
    assert soon(lambda: knowledge_base.problems())
    (problem,) = knowledge_base.problems()
    assert (problem.path, problem.line) == (str(path), 3)
    assert "`public` or `staff`" in problem.message
    assert {it.id for it in knowledge_base.articles()} == {"returns/how"}


def test_a_file_that_is_no_text_is_a_problem_of_its_own(opened, folder):
    (folder / "bad.md").write_bytes(b"---\ntitle: caf\xe9\n---\n")
    knowledge_base = opened()
    (problem,) = knowledge_base.problems()
    assert (problem.line, "UTF-8" in problem.message) == (2, True)
    assert len(knowledge_base.articles()) == 2


def test_the_same_name_twice_is_a_problem(opened, tmp_path):
    write(tmp_path, "refunds/how", "Refunds", "Refunds take 5 days.")
    write(tmp_path, "Returns/HOW", "Other", "Other text.")
    knowledge_base = opened()
    messages = [problem.message for problem in knowledge_base.problems()]
    assert any("same id" in message for message in messages)
    assert any("same name" in message for message in messages)
    assert knowledge_base.article("refunds/how") is not None


def test_without_one_usable_article_it_does_not_start(tmp_path, encoder):
    folder = tmp_path / "articles"
    knowledge_base = KnowledgeBase(folder, encoder, tmp_path / "cache")
    with pytest.raises(NoUsableArticle, match=r"no such folder; make it"):
        knowledge_base.load()
    folder.mkdir()
    with pytest.raises(NoUsableArticle, match=r"put a markdown file \(\.md, \.markdown, \.mdx\)"):
        knowledge_base.load()
    (folder / "a.md").write_text("---\ntitle: A\n---\n", encoding="utf-8")
    with pytest.raises(NoUsableArticle, match=r"a\.md:4: no text"):
        knowledge_base.load()
    (folder / "a.md").write_text("# A\n\nText.", encoding="utf-8")
    knowledge_base.load()
    assert [article.title for article in knowledge_base.articles()] == ["A"]


def test_a_folder_of_another_tool_is_answered_from_and_followed(tmp_path, encoder):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "pay.mdx").write_text(
        "import Tabs from 'tabs';\n\n# Ways to pay\n\n<Tabs>\n\n  Cards are charged at once.\n\n</Tabs>"
    )
    knowledge_base = KnowledgeBase(folder, encoder, tmp_path / "cache", 0.0)
    knowledge_base.load()
    knowledge_base.watch()
    passage = best(knowledge_base, "when are cards charged")
    assert (passage.title, passage.text, passage.line) == (
        "Ways to pay",
        "Cards are charged at once.",
        7,
    )
    (folder / "staff.md").write_text("---\naudience: staff\n---\nSecret.")
    assert soon(lambda: knowledge_base.article("pay", "public") is None)
    assert knowledge_base.ask("when are cards charged").hits == ()
    (folder / "staff.md").unlink()
    assert soon(lambda: knowledge_base.article("pay", "public") is not None)
    knowledge_base.close()


def test_a_public_page_neither_shows_nor_links_what_is_for_staff(opened, tmp_path):
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from bot.settings import Settings
    from channels.web import pages

    text = "See [our limits](../staff/goodwill.md) and [the prices](../shipping/cost.md#prices)."
    write(tmp_path, "returns/how", "How to return", text)
    app = FastAPI()
    app.include_router(pages.router(opened(), Settings(_env_file=None)))
    client = TestClient(app)
    page = client.get("/help/returns/how").text
    assert "See our limits and " in page
    assert '<a href="/help/shipping/cost#prices">the prices</a>' in page
    assert "goodwill" not in (page + client.get("/help").text).lower()
    assert client.get("/help/staff/goodwill").status_code == 404


def test_the_second_start_embeds_nothing_but_its_probe(opened, encoder):
    opened()
    encoder.seen.clear()
    opened()
    assert len(encoder.seen) == 1


def test_another_model_is_not_given_the_old_ones_vectors(opened, encoder, folder, tmp_path):
    opened()

    class Negative(WordEncoder):
        def _vector(self, text):
            return -super()._vector(text)

    other = Negative()
    KnowledgeBase(folder, other, tmp_path / "cache", 0.0).load()
    assert len(other.seen) == len(set(encoder.seen))


@pytest.mark.parametrize("damage", [b"", b"no JSON", b'{"format": 1'])
def test_a_damaged_cache_is_made_again(opened, tmp_path, damage):
    opened()
    file = tmp_path / "cache" / "manifest.json"
    file.write_bytes(damage)
    assert opened().ask("delivery costs").hits
    assert not list(file.parent.glob("*.part"))
    assert json.loads(file.read_bytes())["rows"] == 9


def test_readers_see_one_whole_version_or_the_other(opened, tmp_path):
    knowledge_base = opened()
    knowledge_base.watch()
    stop, torn = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            text = best(knowledge_base, "delivery costs").text
            if not re.fullmatch(r"Delivery costs £\d+\.95 (in the UK|now)\.", text):
                torn.append(text)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(10, 20):
        write(tmp_path, "shipping/cost", "Delivery prices", f"Delivery costs £{number}.95 now.")
        time.sleep(0.05)
    assert soon(lambda: "£19.95" in best(knowledge_base, "delivery costs").text)
    stop.set()
    for reader in readers:
        reader.join()
    assert not torn


def test_without_the_fitted_confidence_it_does_not_start(tmp_path):
    with pytest.raises(ConfidenceMissing, match=r"knowledge_base\.fit"):
        Confidence.load(tmp_path / "confidence.json")
    (tmp_path / "confidence.json").write_text('{"bias": 1}', encoding="utf-8")
    with pytest.raises(ConfidenceMissing):
        Confidence.load(tmp_path / "confidence.json")


def test_questions_are_searched_by_sentence():
    assert variants("hello!! i am SO fed up, how long does a return take???") == [
        "hello!! i am SO fed up, how long does a return take???",
        "i am SO fed up, how long does a return take???",
    ]
    long = "I have shopped here for years and years. " * 3 + "How long does a return take? Thanks."
    assert len(variants(long)) == 4
    assert long not in variants(long)
    assert variants("?") == ["?"]


def test_words_are_brought_to_one_form():
    assert {stem(word) for word in ("return", "returns", "returned", "returning")} == {"return"}
    assert stem("deliveries") == stem("delivery")
    assert stem("shipping") == stem("ship")
    assert plain("r u open? I'm u") == "are you open? I'm you"
    assert content_words("Where is the  parcel, PLEASE?") == ["parcel"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("not json", ":2:"),
        ('{"gold": []}', "question"),
        ('{"question": "q", "gold": ["x"]}', "'x'"),
    ],
)
def test_a_file_of_questions_is_checked(tmp_path, line, says):
    file = tmp_path / "q.jsonl"
    file.write_text(f'{{"question": "a", "gold": []}}\n{line}\n', encoding="utf-8")
    with pytest.raises(QuestionError, match=says):
        read_questions(file, ["returns/how"])


@needs_model
def test_the_right_passage_is_found_under_greetings_and_anger(tmp_path_factory):
    from bot.encoder import Encoder

    cache = tmp_path_factory.mktemp("vectors")
    knowledge_base = KnowledgeBase(ROOT / "knowledge_base/articles", Encoder(MODEL), cache)
    knowledge_base.load()
    assert not knowledge_base.problems()
    for question in (
        "how long does a return take",
        "hello!! i am SO fed up, how long does a return even take???",
    ):
        assert best(knowledge_base, question).article_id == "returns/return-an-item"
    for question in ("what's the capital of france", "tell me a joke", "do you sell skis"):
        assert knowledge_base.ask(question).kind in {"no_article", "out_of_scope"}


@needs_model
def test_our_development_questions_name_articles_that_exist():
    known = [
        path.relative_to(ROOT / "knowledge_base/articles").with_suffix("").as_posix()
        for path in (ROOT / "knowledge_base/articles").rglob("*.md")
    ]
    file = ROOT / "knowledge_base/evaluation/dev.jsonl"
    questions = read_questions(file, known)
    assert len({json.loads(line)["question"] for line in file.open(encoding="utf-8")}) == len(
        questions
    )

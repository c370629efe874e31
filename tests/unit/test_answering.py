"""From a question to the words that answer it: the ranking, the excerpt, the kinds of non-answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from bot.encoder import Encoder
from knowledge_base.__main__ import app
from knowledge_base.account import AccountModel
from knowledge_base.evaluate import auroc, interval
from knowledge_base.excerpt import excerpt, units
from knowledge_base.late import QuestionTokens, packed, similarities
from knowledge_base.query import make_query
from knowledge_base.search import KnowledgeBase
from knowledge_base.sentences import spans
from knowledge_base.token_store import FILE, TokenStore

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "encoder"

pytestmark = pytest.mark.skipif(
    not (MODEL / "model.onnx").is_file(), reason="no models/encoder; `make train` builds it"
)

ARTICLES = {
    "returns/return": (
        "Return an item",
        "## How long you have\n\nYou can return most items within 60 days. The day of delivery "
        "counts as day one. Underwear can be returned only in its sealed bag.\n\n## What it costs\n\n"
        "Returns within the UK are free. From abroad you pay the postage yourself.\n",
    ),
    "delivery/prices": (
        "Delivery prices",
        "## Prices\n\nWhat you pay depends on the country:\n\n| Country | Price |\n| --- | --- |\n"
        "| UK | £3.95 |\n| France | £9.50 |\n\nOrders over £80 are delivered free in the UK.\n",
    ),
    "repairs/tents": (
        "Repair a tent",
        "## Poles\n\nA broken tent pole is mended with the sleeve from the repair kit. Slide it over "
        "the break. Then tape both ends.\n",
    ),
    "staff/goodwill": (
        "Goodwill vouchers",
        "## Limits\n\nAn agent may give a goodwill voucher of up to £20 without asking a lead.\n",
    ),
}


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(MODEL)


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    for name, (title, body) in ARTICLES.items():
        path = root / "articles" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        audience = "staff" if name.startswith("staff") else "public"
        path.write_text(f"---\ntitle: {title}\naudience: {audience}\n---\n\n{body}", "utf-8")
    return root


@pytest.fixture(scope="module")
def knowledge_base(shop, encoder) -> KnowledgeBase:
    made = KnowledgeBase(shop / "articles", encoder, shop / "index", 0.6)
    made.load()
    return made


def test_sentences_end_where_a_reader_would_end_them():
    text = (
        "The fee is £3.99, e.g. for parcels. It takes approx. 5 days! Ask Dr. Smith (no. 5). "
        'We open at 9 a.m. and close at 5 p.m. on weekdays. "Really?" she said. See www.x.com.'
    )
    assert [text[start:end] for start, end in spans(text)] == [
        "The fee is £3.99, e.g. for parcels.",
        "It takes approx. 5 days!",
        "Ask Dr. Smith (no. 5).",
        "We open at 9 a.m. and close at 5 p.m. on weekdays.",
        '"Really?"',
        "she said.",
        "See www.x.com.",
    ]


def test_a_table_is_one_unit_with_the_sentence_that_announces_it():
    text = ARTICLES["delivery/prices"][1].split("\n\n", 1)[1].strip()
    table, last = units(text)
    assert text[table.start : table.end].startswith("What you pay depends on the country:")
    assert text[table.start : table.end].endswith("| France | £9.50 |")
    assert text[last.start : last.end] == "Orders over £80 are delivered free in the UK."


def test_the_excerpt_is_a_slice_and_leaves_out_what_does_not_answer(encoder):
    text = (
        "You can return most items within 60 days. The day of delivery counts as day one. "
        "Underwear can be returned only in its sealed bag. Gift cards cannot be returned at all, "
        "and neither can anything that was made to your measure."
    )
    asked = QuestionTokens.of(encoder.encode_tokens("can i send back a gift card")[1])
    found = excerpt(text, asked, encoder)
    assert found in text and "Gift cards cannot be returned" in found
    assert len(found) < len(text)


def test_a_sentence_that_leans_on_the_one_before_takes_it_along(encoder):
    text = (
        "The leak guarantee is given for twenty years. It does not cover damage by frost. "
        "Appliances in hotels are looked at case by case, by a colleague who calls you first. "
        "Please keep the receipt, as we ask for it before we send anybody to your home."
    )
    asked = QuestionTokens.of(encoder.encode_tokens("is frost damage covered?")[1])
    assert "twenty years" in excerpt(text, asked, encoder)


def test_each_word_finds_its_best_match_in_each_passage(encoder):
    asked = QuestionTokens.of(encoder.encode_tokens("mend a broken tent pole")[1])
    passages = [
        packed(encoder.encode_tokens(text)[1])
        for text in ("A snapped tent pole is repaired with a sleeve.", "Delivery takes three days.")
    ]
    met = similarities(asked, [*passages, np.zeros((0, 128), dtype=np.int8)])
    assert met.shape == (len(asked.vectors), 3)
    first, second, none = met.T @ asked.weights
    assert first > second + 0.2 and none == 0
    assert asked.weights.sum() == pytest.approx(1, abs=1e-5)


def test_token_vectors_are_computed_once_and_survive_a_damaged_file(encoder, tmp_path):
    class Counting:
        asked = 0

        def encode_with_tokens(self, texts):
            self.asked += len(texts)
            return encoder.encode_with_tokens(texts)

    counting = Counting()
    first = TokenStore(counting, tmp_path, "model").of(["Returns are free.", "We open at nine."])
    again = TokenStore(counting, tmp_path, "model").of(["We open at nine.", "Returns are free."])
    assert counting.asked == 2
    assert np.array_equal(first[0], again[1])
    TokenStore(counting, tmp_path, "other model").of(["Returns are free."])
    assert counting.asked == 3
    for path in tmp_path.glob(f"{FILE}*"):
        path.write_bytes(b"no database")
    assert np.array_equal(
        TokenStore(counting, tmp_path, "model").of(["Returns are free."])[0], first[0]
    )


def test_a_short_question_is_understood_by_what_was_said_before(knowledge_base):
    said = ["how much is delivery in the uk?", "What you pay depends on the country: UK £3.95."]
    assert knowledge_base.ask("and to france?", history=said).hits[0].passage.article_id == (
        "delivery/prices"
    )
    returned = ["who pays when i send something back?", "Returns within the UK are free."]
    found = knowledge_base.ask("and from abroad?", history=returned)
    assert found.hits[0].passage.url == "/help/returns/return#what-it-costs"


def test_a_new_subject_is_not_drowned_by_the_old_one(knowledge_base):
    said = ["how much is delivery in the uk?", "What you pay depends on the country: UK £3.95."]
    found = knowledge_base.ask("my tent pole snapped, how do i mend it", history=said)
    assert found.hits[0].passage.article_id == "repairs/tents"


def test_a_long_history_is_cut_and_not_an_error(encoder):
    query = make_query("and then?", encoder, ["word " * 5000] * 50)
    assert np.isfinite(query.vectors).all() and len(query.tokens[0].weights)


def test_what_staff_may_read_is_hinted_at_to_nobody_else(knowledge_base):
    question = "what is the limit of a goodwill voucher?"
    public = knowledge_base.ask(question)
    assert public.kind == "staff_only"
    assert all(hit.passage.audience == "public" for hit in public.hits)
    staff = knowledge_base.ask(question, "staff")
    assert staff.kind == "answer" and staff.hits[0].passage.article_id == "staff/goodwill"


@pytest.mark.parametrize("question", ["who won the cup final last night", "write me a poem"])
def test_what_is_far_off_is_out_of_scope(knowledge_base, question):
    assert knowledge_base.ask(question).kind == "out_of_scope"


def test_only_the_account_could_tell(encoder):
    model = AccountModel.load(encoder.dimension)
    assert model is not None
    asked = ["why was my card charged twice yesterday", "has my refund been sent out yet"]
    general = ["how long do refunds take", "which cards do you take", "do you ship to spain"]
    assert any(model.hears(encoder.encode([it])[0]) for it in asked)
    assert not any(model.hears(encoder.encode([it])[0]) for it in general)
    assert AccountModel.load(768) is None


def test_evaluate_counts_what_it_says(shop, tmp_path):
    rows = [
        {"question": "how many days to return an item?", "gold": ["return"]},
        {"question": "price of delivery to france", "gold": ["delivery/prices.md"]},
        {
            "question": "and to france?",
            "gold": ["prices"],
            "history": ["delivery price in the uk?"],
        },
        {"question": "do you sell skis?", "gold": []},
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    command = ["evaluate", str(file), "--articles", str(shop / "articles"), "--json"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    for name in ("recall_at_1", "recall_at_5", "mrr", "ndcg_at_10", "coverage", "auroc"):
        figures = report[name]
        assert set(figures) == {"value", "low", "high"}
        assert 0 <= figures["low"] <= figures["value"] <= figures["high"] <= 1
    assert report["recall_at_1"]["value"] == 1
    assert report["questions"] == {"answerable": 3, "others": 1}
    answered = report["coverage"]["value"] * 3
    assert len([it for it in report["failures"] if it["gold"]]) == round(3 - answered)


def test_a_question_file_that_is_wrong_is_named_with_its_line(shop, tmp_path):
    file = tmp_path / "questions.jsonl"
    file.write_text(
        '{"question": "a", "gold": []}\n{"question": "b", "gold": ["nowhere"]}\n', "utf-8"
    )
    done = CliRunner().invoke(app, ["evaluate", str(file), "--articles", str(shop / "articles")])
    assert done.exit_code == 1
    assert f"{file}:2: no article 'nowhere'" in done.output.replace("\n", "")


def test_auroc_and_intervals_are_what_the_books_say():
    right = np.array([True, True, False, False])
    assert auroc(right, np.array([0.9, 0.8, 0.2, 0.1])) == 1
    assert auroc(right, np.array([0.9, 0.1, 0.9, 0.1])) == 0.5
    assert auroc(right, np.array([0.5, 0.5, 0.5, 0.5])) == 0.5
    assert auroc(np.array([True, True]), np.array([0.1, 0.2])) is None
    figures = interval([1.0, 0.0] * 50)
    assert figures["value"] == 0.5 and 0.38 < figures["low"] < 0.45 < 0.55 < figures["high"] < 0.62


def test_ask_says_why(shop):
    command = [
        "ask",
        "how many days to return an item?",
        "--articles",
        str(shop / "articles"),
        "--json",
    ]
    done = CliRunner().invoke(app, command)
    report = json.loads(done.stdout)
    assert {"kind", "confidence", "threshold", "answer", "hits"} <= set(report)
    assert report["hits"][0]["url"].startswith("/help/returns/return")
    assert {"score", "tokens", "dense", "lexical", "text", "hash"} <= set(report["hits"][0])

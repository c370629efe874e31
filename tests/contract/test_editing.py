"""What editors see of customers' questions, over HTTP and by the commands, on both stores.

The engine is the stand-in, told what to do by what is asked; everything else is real: gateway, store,
encoder, knowledge base, commands.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from bot.settings import ROOT
from bot.store import schema
from bot.store.database import Database
from knowledge_base.parse import parse_article
from tests.contract.shop import NO_HELP, RETURNS, Knowing, Shop, run_gaps, running_gateway

TENTS = (
    "do you rent out tents",
    "Can I hire a tent for a weekend?",
    "how much is it to rent a tent",
)
AGAIN = "is it possible to rent a tent from you"
DOGS = "are dogs allowed in the store"

needs_model = pytest.mark.skipif(
    not (ROOT / "models" / "encoder" / "model.onnx").is_file(),
    reason="no models/encoder; `make train` builds it",
)
pytestmark = needs_model


@pytest.fixture
def store(request: pytest.FixtureRequest) -> str:
    """The kind of store; tests of statements name both."""
    return getattr(request, "param", "sqlite")


on_both_stores = pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def shop(
    store: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    migrated_sqlite: Path,
) -> Iterator[Shop]:
    """A shop that nobody has asked anything yet, with articles that may be changed."""
    url = ""
    if store == "postgresql":
        template = request.getfixturevalue("migrated_postgres")
        url = request.getfixturevalue("postgres").create_database(template)
    with opened(migrated_sqlite, tmp_path, monkeypatch, url) as shop:
        yield shop


@pytest.fixture(scope="module")
def same_shop(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop for all tests to which it does not matter what others have asked."""
    folder = tmp_path_factory.mktemp("editing")
    with pytest.MonkeyPatch.context() as patch, opened(migrated_sqlite, folder, patch) as shop:
        yield shop


@contextmanager
def opened(
    template: Path, folder: Path, patch: pytest.MonkeyPatch, url: str = ""
) -> Iterator[Shop]:
    data, articles = folder / "var", folder / "articles"
    data.mkdir()
    shutil.copytree(ROOT / "knowledge_base" / "articles", articles)
    places = {"ARTICLES_DIR": str(articles), "DATABASE_URL": url}
    with running_gateway(template, data, patch, Knowing(), **places) as running:
        yield Shop(*running)


@on_both_stores
def test_asked_in_vain_answered_by_a_colleague_drafted_closed_and_asked_again(shop, tmp_path):
    first = shop.ask(TENTS[0] + "!!")
    shop.hand_over(first, "Hello, Ada here.", "Only in Leeds, £20 a day.", rating="1")
    for text in TENTS[1:]:
        shop.ask(text)
    shop.ask(DOGS)
    shop.ask(RETURNS, "thanks")

    tents, dogs = shop.gaps()
    assert (tents["customers"], tents["handed_over"], tents["badly_rated"]) == (3, 1, 1)
    assert {it["text"] for it in tents["wordings"]} == {TENTS[0] + "!!", *TENTS[1:]}
    assert tents["answers"] == ["Hello, Ada here.", "Only in Leeds, £20 a day."]
    assert tents["upset"] == 1 and tents["why"]["no_article"] == 3
    assert dogs["question"] == DOGS and dogs["nearest"]["url"].startswith("/help/")
    assert tents["id"] == shop.gaps()[0]["id"]
    table = shop.command("--limit", "1")
    assert tents["id"] in table and "1 more" in table

    shown = shop.command("--draft", tents["id"])
    path = Path(json.loads(shop.command("--draft", tents["id"], "--write", "--json"))["path"])
    assert path.is_relative_to(tmp_path / "articles" / "drafts")
    text = path.read_text("utf-8")
    article = parse_article(text.replace("\ndraft: true\n", "\n"), "drafts/x")
    assert path.read_text("utf-8") == shown and article.audience == "staff"
    assert set(article.questions) == {it["text"] for it in tents["wordings"]}
    assert "> Only in Leeds, £20 a day." in shown and "draft: true" in shown
    assert "already" in shop.command("--draft", tents["id"], "--write", status=1)

    because = "answered by shops-and-contact/rent"
    assert "Closed" in shop.command("--close", tents["id"], "--because", because)
    assert [gap["question"] for gap in shop.gaps()] == [DOGS]
    assert tents["id"] in shop.command("--close", tents["id"], "--because", "x", status=1)
    shop.ask(AGAIN)
    back = next(gap for gap in shop.gaps() if gap["question"] == AGAIN)
    assert back["customers"] == 1 and back["reopened"]["because"] == because
    assert back["wordings"] == [{"text": AGAIN, "times": 1}]


@on_both_stores
def test_an_answer_that_did_not_help_is_a_gap_and_counts_against_its_article(shop):
    shop.ask(RETURNS, NO_HELP)
    shop.hand_over(shop.ask(RETURNS), "It is in Leeds.")
    shop.hand_over(shop.ask(RETURNS, "thanks"), "You are welcome.")
    (gap,) = shop.gaps()
    assert gap["why"] == {"not_helpful": 1, "asked_for_person": 1}
    assert gap["answers"] == ["It is in Leeds."] and gap["customers"] == 2
    assert (gap["nearest"]["kind"], gap["nearest"]["advice"]) == ("answer", "improve")
    use = shop.gateway.editing.record().uses["returns/return-an-item"]
    assert (use.answered, use.badly) == (3, 2)
    assert use.by_anchor["how-long-a-return-takes"] == 3
    page = shop.page("/desk/knowledge/returns/return-an-item")
    assert "confidence 0.91" in page.text and "the answer did not help" in page.text
    assert "3 in an earlier wording" in page.text


def test_a_suggestion_taken_up_is_an_answer(shop):
    """The bot was not sure and offered an article by name; the customer pressed it."""
    engine_answer = Knowing._answer

    def offering(self, question):
        status, body = engine_answer(self, question)
        if question["text"] == "return how":
            body["replies"] = [{"text": "Perhaps one of these?", "buttons": [{"title": RETURNS}]}]
        return status, body

    Knowing._answer = offering
    try:
        shop.ask("return how", RETURNS)
    finally:
        Knowing._answer = engine_answer
    assert shop.gaps() == []
    assert len(shop.gateway.editing.record().uses["returns/return-an-item"].latest) == 1


def test_options_that_do_not_fit_are_refused_and_a_shop_without_gaps_says_so(shop):
    assert "No gap" in shop.command()
    assert json.loads(shop.command("--json"))["gaps"] == []
    for words in (["--close", "x"], ["--write"], ["--because", "y"], ["--limit", "0"]):
        shop.command(*words, status=2)
    shop.command("--close", "x", "--draft", "x", "--because", "z", status=2)
    assert "no open gap 'x'" in shop.command("--close", "x", "--because", "z", status=1)


def test_the_desk_lists_articles_and_gaps_and_closes_them(shop):
    odd = 'can I rent a <b>tent</b> & "sherpa" {{ 7*7 }}'
    shop.ask(odd)
    page = shop.page("/desk/knowledge")
    assert odd in page.text and "<b>tent" not in page.html and "49" not in page.text
    rows = [it["href"] for it in page.all("a") if (it.get("href") or "").endswith("goodwill")]
    assert rows == ["/desk/knowledge/staff/refund-limits-and-goodwill"]
    gap = next(it["value"] for it in page.all("input") if it.get("name") == "gap")
    refused = shop.page("/desk/gaps", 422, gap=gap, why="answered", article="no/such")
    assert "There is no such article" in refused.text and odd in refused.text
    closed = shop.page("/desk/gaps", gap=gap, why="answered", article="returns/return-an-item")
    assert (
        "Closed." in closed.text and "answered by returns/return-an-item; Ada Hill" in closed.text
    )
    assert not [it for it in closed.all("input") if it.get("name") == "gap"]
    assert "not open any more" in shop.page("/desk/gaps", 422, gap=gap, why="not_for_us").text
    number = next(it["value"] for it in closed.all("input") if it.get("name") == "closure")
    again = shop.page("/desk/gaps/open", closure=number)
    assert [it["value"] for it in again.all("input") if it.get("name") == "gap"] == [gap]
    assert "open already" in shop.page("/desk/gaps/open", 422, closure=number).text


def test_an_article_is_shown_as_customers_get_it_and_staffs_plainly_so(same_shop):
    page = same_shop.page("/desk/knowledge/returns/return-an-item")
    anchors = {it.get("id") for tag, it in page.elements if tag == "h2"}
    assert "how-long-a-return-takes" in anchors
    links = {it.get("href") for it in page.all("a")}
    assert "/desk/knowledge/refunds/refund-times#how-long-a-refund-takes" in links
    staff = same_shop.page("/desk/knowledge/staff/fraud-signs")
    assert "Staff only. Customers are never shown a word of it." in staff.text
    gone = same_shop.page("/desk/knowledge/no/such<script>", 404)
    assert "No such article" in gone.text and "<script>" not in gone.html.split("</head>")[1]


def test_a_preview_says_what_the_bot_would_say_and_leaves_no_trace(same_shop):
    before, asked = same_shop.rows(), RETURNS
    page = same_shop.page("/desk/preview", question=asked, audience="public")
    article = same_shop.gateway.knowledge_base.article("returns/return-an-item")
    passage = next(it for it in article.passages if it.anchor == "how-long-a-return-takes")
    result = same_shop.gateway.knowledge_base.ask(asked)
    assert "An article answers this" in page.text
    assert passage.text.split(". ")[0] in page.text
    assert f"Confidence {result.confidence:.2f} , above the threshold" in page.text
    unknown = same_shop.page("/desk/preview", question="do you offer sherpas", audience="public")
    assert (
        "No article answers this" in unknown.text or "Out of scope" in unknown.text
    ) and "Shall I bring in a colleague?" in unknown.text
    goodwill = "how much goodwill may I give"
    staff = same_shop.page("/desk/preview", question=goodwill, audience="staff")
    assert "staff/" in staff.html
    public = same_shop.page("/desk/preview", question=goodwill, audience="public")
    assert "staff/" not in public.html.split("preview.verdict")[1]
    assert "Write a question first" in same_shop.page("/desk/preview", 422, question=" ").text
    assert "too long" in same_shop.page("/desk/preview", 422, question="x" * 801).text
    for odd in ("\x00", "?", "שלום 👋🏽", "<img src=x onerror=alert(1)>", "'\"}{{{"):
        shown = same_shop.page("/desk/preview", 422 if odd == "\x00" else 200, question=odd)
        assert "<img" not in shown.html
    assert same_shop.rows() == before


def test_kinds_of_answers_that_came_later_are_named_in_words():
    from bot.desk.knowledge_views import kind_in_words

    assert kind_in_words("needs_account") == "Needs account"
    assert kind_in_words("no_article") == "No article answers this"


def test_the_list_is_found_and_sorted(shop):
    shop.ask(RETURNS)

    def titles(query: str) -> list[str]:
        page = shop.page(f"/desk/knowledge?{query}")
        table = page.html.split('class="articles"')[1]
        return [part.split("</a>")[0].split(">")[-1] for part in table.split('scope="row"')[1:]]

    every = titles("")
    assert every == sorted(every, key=str.casefold) and len(every) > 50
    found = titles("find=RETURN+item")
    assert 0 < len(found) < 10 and "How to return an item" in found
    assert titles("find=no+such+words+at+all") == []
    assert titles("sort=answered&down=1")[0] == "How to return an item"
    assert len(titles("sort=updated&down=1")) == len(every)
    assert titles("sort=nonsense") == every


def test_nobody_gets_in_without_a_log_in_and_no_form_from_elsewhere_is_taken(same_shop):
    stranger = TestClient(same_shop.client.app, follow_redirects=False)
    for path in ("/desk/knowledge", "/desk/knowledge/returns/return-an-item", "/desk/preview"):
        refused = stranger.get(path)
        assert (refused.status_code, refused.headers["location"]) == (303, "/desk/login")
    for path in ("/desk/preview", "/desk/gaps", "/desk/gaps/open"):
        assert stranger.post(path, data={"question": "x"}).status_code == 303
        forged = same_shop.browser.post(
            path, data={"question": "x", "closure": "1"}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert forged.status_code == 403


def test_the_pages_keep_the_desks_policy_and_their_headings_are_in_order(same_shop):
    same_shop.ask(TENTS[0])
    pages = [
        same_shop.page("/desk/knowledge"),
        same_shop.page("/desk/preview"),
        same_shop.page("/desk/preview", question=RETURNS),
        same_shop.page("/desk/knowledge/returns/return-an-item"),
    ]
    for page in pages:
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert not [it for _, it in page.elements if "style" in it or "onclick" in it]
        levels = page.headings()
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(b <= a + 1 for a, b in pairwise(levels)), levels
        ids = [it["id"] for _, it in page.elements if it.get("id")]
        assert len(ids) == len(set(ids))
        named = {it.get("for") for it in page.all("label")}
        for field in [*page.all("input"), *page.all("textarea")]:
            if field.get("type") not in ("hidden", "radio"):
                assert field.get("id") in named or field.get("aria-label")


def test_a_file_with_a_fault_is_shown_with_its_line(shop, tmp_path):
    broken = tmp_path / "articles" / "returns" / "broken.md"
    broken.write_text("---\ntitle: x\naudience: everybody\n---\n\ntext\n", encoding="utf-8")
    deadline = time.monotonic() + 10
    while not shop.gateway.knowledge_base.problems():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    page = shop.page("/desk/knowledge")
    assert "returns/broken.md:3" in page.text and "audience 'everybody'" in page.text


def test_without_a_store_the_command_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("DATABASE_URL", "")
    done = run_gaps()
    assert done.exit_code == 1 and "nobody has asked anything yet" in done.stderr


def test_the_migration_goes_down_and_up_again(own_database: Database):
    from alembic import command
    from alembic.config import Config

    from bot.store.database import MIGRATIONS

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    for step in (
        lambda: command.downgrade(config, "0001"),
        lambda: command.upgrade(config, "head"),
    ):
        with own_database.engine.connect() as connection:
            config.attributes["connection"] = connection
            step()
            connection.commit()
    with own_database.reading() as tx:
        assert tx.execute(select(func.count()).select_from(schema.closed_gaps)).scalar_one() == 0

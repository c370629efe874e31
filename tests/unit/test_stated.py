"""Rules for orders against articles, as editors and `make check` meet it: the real commands."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from knowledge_base.__main__ import app
from knowledge_base.check.page import read_page
from knowledge_base.check.stated import Stated, unstated
from knowledge_base.parse import parse_article

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "encoder"
NORTHPEAK = ROOT / "knowledge_base" / "articles"
ORDERS = ROOT / "orders.yml"

needs_model = pytest.mark.skipif(
    not (MODEL / "model.onnx").is_file(), reason="no models/encoder; `make train` builds it"
)


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """The encoder, and a cache that these tests share with nobody."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "encoder").symlink_to(MODEL)
    return folder


@pytest.fixture
def shop(tmp_path) -> Path:
    """A shop of its own: Northpeak's articles and rules, to be changed."""
    shutil.copytree(NORTHPEAK, tmp_path / "articles")
    shutil.copy(ORDERS, tmp_path / "orders.yml")
    return tmp_path


@pytest.fixture
def run(models, monkeypatch) -> Callable:
    monkeypatch.setenv("MODELS_DIR", str(models))

    def run_(*words: str | Path) -> tuple[int, list[dict]]:
        words = ("check", "--only", "orders", "--json", *words)
        result = CliRunner().invoke(app, [str(word) for word in words])
        assert result.exit_code < 2, result.output
        return result.exit_code, json.loads(result.stdout)["findings"]

    return run_


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def line_of(path: Path, part: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(n for n, line in enumerate(lines, 1) if part in line)


# ---------------------------------------------------------------- the command


@needs_model
def test_northpeaks_articles_state_every_rule(run, shop):
    assert run("--articles", shop / "articles", "--orders", shop / "orders.yml") == (0, [])


@needs_model
def test_an_article_that_was_changed_is_told(run, shop):
    article = shop / "articles" / "returns" / "return-an-item.md"
    change(article, "60 days", "45 days")
    code, (finding,) = run("--articles", shop / "articles", "--orders", shop / "orders.yml")
    assert code == 1
    assert (finding["rule"], finding["severity"]) == ("orders", "error")
    assert finding["path"].endswith("orders.yml")
    assert finding["line"] == line_of(shop / "orders.yml", "is: 60 days")
    assert finding["message"].startswith(
        "return_window: `returns/return-an-item` does not state “60 days”; it says “45 days”"
    )
    assert finding["see"]["path"].endswith("returns/return-an-item.md")
    assert finding["see"]["line"] == line_of(article, "You have 45 days from the day")


@needs_model
def test_an_article_that_was_half_changed_is_told(run, shop):
    article = shop / "articles" / "returns" / "return-an-item.md"
    change(article, "You have 60 days from the day of delivery", "You have 45 days from then")
    code, (finding,) = run("--articles", shop / "articles", "--orders", shop / "orders.yml")
    assert (code, finding["severity"]) == (0, "warning")
    assert "first speaks of it, it says “45 days”" in finding["message"]


@needs_model
def test_the_words_tell_two_rules_of_one_length_apart(run, shop):
    """The bank's five working days are no statement on when the shop issues a refund."""
    article = shop / "articles" / "refunds" / "refund-times.md"
    change(article, "issued within 5 working days", "issued within 7 working days")
    _, (finding,) = run("--articles", shop / "articles", "--orders", shop / "orders.yml")
    assert finding["message"].startswith("refund_issued: ")
    assert "“7 working days”" in finding["message"]


@needs_model
@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "returns/return-an-item",
            "returns/return-an-iten",
            "did you mean `returns/return-an-item`",
        ),
        ("returns/return-an-item", "staff/refund-limits-and-goodwill", "is for staff only"),
        ("is: 10 days", "is: 3 weeks", "does not state “21 days”; it says “10 days”"),
        ("is: €6.95", "is: €4.95", "does not state “€4.95”; it says “€6.95”"),
        ("is: €6.95", "is: £6.95", "does not state “£6.95”, nor anything like it"),
        ("is: 48 hours", "is: 24 hours", "does not state “24 hours”; it says “48 hours”"),
        ("is: 2 years", "is: 3 years", "does not state “3 years”; it says “2 years”"),
        ("is: 3 working days", "is: 3 days", "does not state “3 days”; it says “3 working days”"),
    ],
)
def test_a_rule_that_was_changed_is_told(run, shop, old, new, told):
    change(shop / "orders.yml", old, new)
    code, (finding,) = run("--articles", shop / "articles", "--orders", shop / "orders.yml")
    assert code == 1
    assert told in finding["message"]


@needs_model
def test_a_number_that_the_article_says_of_something_else(run, shop):
    """The article on exchanges has 14 days, too: for a price match."""
    change(shop / "orders.yml", "is: 10 days", "is: 14 days")
    code, (finding,) = run("--articles", shop / "articles", "--orders", shop / "orders.yml")
    assert (code, finding["severity"]) == (0, "warning")
    assert "it says “10 days”: “We reserve the new item" in finding["message"]


@needs_model
def test_an_article_may_ask_to_be_left_alone(run, shop):
    article = shop / "articles" / "returns" / "return-from-abroad.md"
    change(article, "€6.95", "seven euros")
    words = ("--articles", shop / "articles", "--orders", shop / "orders.yml")
    assert "nor anything like it" in run(*words)[1][0]["message"]
    change(article, "audience: public", "audience: public\ncheck_ignore: [orders]")
    assert run(*words) == (0, [])
    told = _bot_check(
        ARTICLES_DIR=shop / "articles", ORDERS_FILE=shop / "orders.yml", DATA_DIR=shop / "var"
    )
    assert not [it for it in told if "return_fee_abroad" in it["what"]]


@needs_model
def test_mistakes_in_the_file_are_findings(run, shop):
    change(shop / "orders.yml", "60 days", "60 dayz")
    code, (finding,) = run("--articles", shop / "articles", "--orders", shop / "orders.yml")
    assert code == 1 and "did you mean “days”?" in finding["message"]
    assert finding["line"] == line_of(shop / "orders.yml", "is: 60 dayz")


@needs_model
def test_the_shops_own_file_is_read_for_the_articles_that_are_served(run, shop, monkeypatch):
    change(shop / "articles" / "returns" / "return-an-item.md", "60 days", "45 days")
    monkeypatch.setenv("ARTICLES_DIR", str(shop / "articles"))
    monkeypatch.setenv("ORDERS_FILE", str(shop / "orders.yml"))
    assert [it["rule"] for it in run()[1]] == ["orders"]
    monkeypatch.setenv("ORDERS", "none")
    assert run() == (0, [])


@needs_model
def test_another_folder_is_not_held_against_the_shops_rules(run, shop):
    (shop / "one").mkdir()
    (shop / "one" / "a.md").write_text("---\naudience: public\n---\n# A\n\nText.\n", "utf-8")
    assert run("--articles", shop / "one") == (0, [])


@needs_model
def test_a_file_that_is_not_there_is_no_finding(models, shop, monkeypatch):
    monkeypatch.setenv("MODELS_DIR", str(models))
    words = ["check", "--articles", str(shop / "articles"), "--orders", str(shop / "gone.yml")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2 and "gone.yml" in result.output


@needs_model
def test_bot_check_says_the_same(shop, models):
    """In a process of its own, as `make check` runs it."""
    article = shop / "articles" / "returns" / "return-an-item.md"
    change(article, "60 days", "45 days")
    told = _bot_check(
        ARTICLES_DIR=shop / "articles", ORDERS_FILE=shop / "orders.yml", DATA_DIR=shop / "var"
    )
    line = line_of(shop / "orders.yml", "is: 60 days")
    (finding,) = [it for it in told if "return_window" in it["what"]]
    assert finding["level"] == "error"
    assert finding["what"].startswith(f"orders.yml, line {line}: return_window: ")
    assert "it says “45 days”" in finding["what"]
    # Articles of one's own with the demo shop's orders: customers would be shown somebody's.
    assert [it["level"] for it in told if "orders are invented" in it["what"]] == ["warning"]


def _bot_check(**settings: Path) -> list[dict]:
    code = (
        "from functools import partial; from bot import findings; from bot.check import orders;"
        "from bot.settings import Settings;"
        "print(findings.as_json(findings.guarded('orders', partial(orders, Settings()))))"
    )
    names = {name: str(value) for name, value in settings.items()}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=names,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# ---------------------------------------------------------------- what states a rule


def compared(rule: str, body: str, words: str = "") -> list[str]:
    article = parse_article(f"---\ntitle: A\naudience: public\n---\n{body}", "a", "a.md")
    page = read_page(article.for_audience("public"), body, "a.md")
    one = Stated("it", rule, "a", "orders.yml", 1, words)
    return [f"{it.severity} {it.message}" for it in unstated([one], {"a": page})]


@pytest.mark.parametrize(
    ("rule", "body"),
    [
        ("14 days", "You have two weeks."),
        ("48 hours", "It takes 2 days."),
        ("24 months", "It lasts two years."),
        ("5 working days", "It takes up to 5 business days."),
        ("60 days", "You have sixty days."),
        ("60 days", "| What | When |\n| --- | --- |\n| Returns | 60 days |"),
        ("€6.95", "It costs 6,95 €."),
        ("€0.00", "Returning is free."),
    ],
)
def test_the_same_in_other_words(rule, body):
    assert compared(rule, body) == []


@pytest.mark.parametrize(
    ("rule", "body", "told"),
    [
        ("5 working days", "It takes 5–8 working days.", "it says “5–8 working days”"),
        ("5 days", "It takes 5 working days.", "it says “5 working days”"),
        ("60 days", "You have 6 weeks, or 45 days abroad.", "it says “6 weeks”"),
        ("60 days", "## 60 days\n\nYou have plenty of time.", "nor anything like it"),
        ("60 days", "```\n60 days\n```\n\nText.", "nor anything like it"),
        ("£5.00", "It costs €5.", "nor anything like it"),
        ("2 years", "Call 0113 496 0000 about NP-123456.", "nor anything like it"),
    ],
)
def test_what_does_not_state_it(rule, body, told):
    (found,) = compared(rule, body)
    assert found.startswith("error ") and told in found


def test_words_that_the_article_does_not_use_do_no_harm():
    assert compared("60 days", "Send it home within 60 days.", "bank") == []


def test_two_lengths_in_one_sentence_are_one_statement():
    body = "The warranty lasts 5 years on poles and 2 years on all else."
    assert compared("2 years", body, "warranty lasts") == []

"""`diff` as an editor meets it before publishing: a real git repository, the real encoder."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from knowledge_base.__main__ import app
from knowledge_base.check.known import Known
from knowledge_base.cli.diff import excerpts
from knowledge_base.diff import Given, compare

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "encoder"

pytestmark = [
    pytest.mark.skipif(
        not (MODEL / "model.onnx").is_file(), reason="no models/encoder; `make train` builds it"
    ),
    pytest.mark.skipif(shutil.which("git") is None, reason="no git"),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    (folder / "encoder").symlink_to(MODEL)
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with articles in a folder of it, all committed."""
    folder = tmp_path / "shop" / "kb" / "articles"
    write(folder, "returns/how", "Returns", "## How long\n\nYou can return boots for 60 days.\n")
    write(folder, "shipping/cost", "Delivery", "## Price\n\nDelivery in the UK costs £3.95.\n")
    write(folder, "gifts/cards", "Gift cards", "## Validity\n\nGift cards last two years.\n")
    write(folder, "staff/limits", "Goodwill", "## Limits\n\nAgents give £20 goodwill.\n", "staff")
    git(tmp_path / "shop", "init", "--quiet")
    commit(tmp_path / "shop")
    return tmp_path / "shop"


@pytest.fixture
def folder(repository: Path) -> Path:
    return repository / "kb" / "articles"


@pytest.fixture
def run(models: Path, folder: Path, monkeypatch) -> Callable:
    monkeypatch.setenv("MODELS_DIR", str(models))
    # So few articles say little about what is rare, so confidence is low.
    monkeypatch.setenv("ANSWER_THRESHOLD", "0.45")

    def run_(*words: str, articles: Path = folder) -> tuple[int, dict]:
        """The exit code and the report; what was said, where it could not run."""
        result = CliRunner().invoke(app, ["diff", "--articles", str(articles), "--json", *words])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, (
            {"said": result.output} if result.exit_code == 2 else json.loads(result.stdout)
        )

    return run_


def write(folder: Path, name: str, title: str, body: str, audience: str = "public") -> Path:
    path = folder / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\ntitle: {title}\naudience: {audience}\n---\n\n{body}", encoding="utf-8")
    return path


def git(folder: Path, *words: str) -> None:
    settings = ["user.name=Editor", "user.email=e@example.com", "commit.gpgsign=false"]
    options = [option for setting in settings for option in ("-c", setting)]
    subprocess.run(["git", "-C", str(folder), *options, *words], check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "articles")


def changes(report: dict) -> dict[str, tuple[str, str]]:
    return {it["question"]: (it["change"], it["what"]) for it in report["changes"]}


def test_nothing_edited_is_nothing_changed(run):
    code, report = run("--exit-code")
    assert (code, report["changes"], report["questions"]) == (0, [], 0)
    assert report["counts"] == {"lost": 0, "changed": 0, "gained": 0, "moved": 0}


def test_an_edited_text_changes_its_answers(run, folder):
    write(folder, "returns/how", "Returns", "## How long\n\nYou can return boots for 30 days.\n")
    code, report = run("--exit-code")
    assert code == 1
    assert report["articles"]["edited"] == ["returns/how"]
    (change,) = report["changes"]
    assert (change["question"], change["what"]) == ("Returns", "text")
    assert (change["before"]["text"], change["after"]["text"]) == (
        "You can return boots for 60 days.",
        "You can return boots for 30 days.",
    )
    assert change["before"]["kind"] == change["after"]["kind"] == "answer"
    assert change["before"]["hash"] != change["after"]["hash"]
    assert change["before"]["url"] == change["after"]["url"] == "/help/returns/how#how-long"
    assert run()[0] == 0, "without --exit-code a change is no failure"


def test_a_removed_article_loses_its_answers_and_a_new_one_gains_some(run, folder):
    (folder / "gifts/cards.md").unlink()
    write(folder, "shops/parking", "Parking", "## Parking\n\nPark your car behind the shop.\n")
    code, report = run("--exit-code")
    assert code == 1
    assert (report["articles"]["removed"], report["articles"]["added"]) == (
        ["gifts/cards"],
        ["shops/parking"],
    )
    assert changes(report)["Gift cards"] == ("lost", "")
    assert changes(report)["Parking"] == ("gained", "")
    assert [it["change"] for it in report["changes"]] == sorted(
        (it["change"] for it in report["changes"]),
        key=["lost", "changed", "gained", "moved"].index,
    )


def test_a_renamed_article_still_gives_its_answer(run, folder):
    (folder / "returns/how.md").rename(folder / "returns/return-boots.md")
    text = (folder / "gifts/cards.md").read_text().replace("two years", "two whole years")
    (folder / "gifts/cards.md").unlink()
    (folder / "presents").mkdir()
    more = "They are sent by e-mail, and by post in the UK.\n"
    (folder / "presents/card.md").write_text(text + more)
    code, report = run("--exit-code")
    assert {"from": "returns/how", "to": "returns/return-boots"} in report["articles"]["renamed"]
    assert "Returns" not in changes(report)
    assert code in (0, 1)


@pytest.mark.parametrize("moved", [False, True])
def test_a_staff_article_that_becomes_public_is_shown_loudly(run, folder, moved, models):
    name = "help/limits" if moved else "staff/limits"
    (folder / "staff/limits.md").unlink()
    write(folder, name, "Goodwill", "## Limits\n\nAgents give £20 goodwill.\n")
    report = run()[1]
    assert report["articles"]["now_public"] == [name]
    assert report["articles"]["leaked"] == [f"/help/{name}#limits"]
    words = ["diff", "--articles", str(folder)]
    said = CliRunner().invoke(app, words, env={"MODELS_DIR": str(models)}).stdout
    assert "NOW PUBLIC" in said
    assert f"{name} was for staff" in said


def test_staff_text_that_is_copied_to_customers_is_noticed(run, folder):
    write(
        folder,
        "returns/how",
        "Returns",
        "## How long\n\nYou can return boots for 60 days.\n\n## More\n\nAgents give £20 goodwill.\n",
    )
    report = run()[1]
    assert report["articles"]["now_public"] == []
    assert report["articles"]["leaked"] == ["/help/returns/how#more"]


def test_an_article_for_staff_only_is_lost_to_customers(run, folder):
    write(folder, "shipping/cost", "Delivery", "## Price\n\nDelivery costs £3.95.\n", "staff")
    code, report = run("--exit-code")
    assert code == 1
    assert report["articles"]["no_longer_public"] == ["shipping/cost"]
    lost = [it for it in report["changes"] if it["change"] == "lost"]
    assert ("Delivery", "public") in {(it["question"], it["audience"]) for it in lost}


def test_older_commits_branches_and_subfolders(run, repository, folder):
    write(folder, "returns/how", "Returns", "## How long\n\nYou can return boots for 30 days.\n")
    git(repository, "tag", "published")
    commit(repository)
    assert run()[1]["changes"] == []
    report = run("published")[1]
    assert changes(report) == {"Returns": ("changed", "text")}
    assert run("HEAD~1")[1]["commit"] == report["commit"]
    # A folder of the folder is compared by itself.
    assert run("HEAD~1", articles=folder / "shipping")[1]["changes"] == []


def test_line_ends_alone_are_no_edit(run, folder):
    path = folder / "returns/how.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert run()[1]["questions"] == 0


def test_odd_names_and_links_come_back_from_git(run, repository, folder):
    write(folder, "größen/schuhe und söckchen", "Sizes", "## Sizes\n\nShoes are measured.\n")
    (folder / "alias.md").symlink_to("returns/how.md")
    (folder / "lost.md").symlink_to("/nowhere/at/all.md")
    commit(repository)
    write(folder, "gifts/cards", "Gift cards", "## Validity\n\nGift cards last a year.\n")
    report = run()[1]
    assert report["articles"]["edited"] == ["gifts/cards"]
    assert report["articles"]["added"] == report["articles"]["removed"] == []


def test_questions_of_files_are_asked_too(run, repository, folder, tmp_path):
    (repository / "kb/evaluation").mkdir()
    known = {"question": "how long can i return boots", "gold": ["returns/how"]}
    (repository / "kb/evaluation/dev.jsonl").write_text(json.dumps(known) + "\n")
    asked = tmp_path / "asked.txt"
    asked.write_text("how long to return boots\n\nhow long can i return BOOTS\n")
    write(folder, "returns/how", "Returns", "## How long\n\nYou can return boots for 30 days.\n")
    report = run("--questions", str(asked))[1]
    sources = {it["question"]: it["source"] for it in report["changes"]}
    assert sources["how long can i return boots"] == "dev.jsonl"
    assert sources["how long to return boots"] == "asked.txt"
    assert len([it for it in sources if it.lower() == "how long can i return boots"]) == 1
    asked.write_text('{"question": 5}\n')
    code, said = run("--questions", str(asked))
    assert code == 2
    assert "asked.txt:1: no question" in said["said"]


def test_a_broken_article_is_told_from_a_removed_one(run, folder):
    (folder / "gifts/cards.md").write_text("---\ntitle: Gift cards\naudience: all\n---\nX\n")
    code, report = run("--exit-code")
    assert code == 1
    assert any("cards.md:3: " in problem for problem in report["problems"])


def test_when_no_article_is_left_everything_is_lost(run, folder):
    for path in folder.rglob("*.md"):
        path.write_bytes(b"\xff\xfe broken")
    code, report = run("--exit-code")
    assert code == 1
    assert report["counts"]["lost"] >= 3
    assert not report["counts"]["gained"]


def test_a_folder_that_is_new_gains_everything(run, repository):
    write(repository / "more", "a", "Parking", "## Parking\n\nPark behind the shop.\n")
    code, report = run("--exit-code", articles=repository / "more")
    assert code == 0
    assert report["articles"]["added"] == ["a"]
    assert changes(report)["Parking"] == ("gained", "")


@pytest.mark.parametrize("ref", ["no-such-branch", "HEAD~99", "0123456", "--upload-pack=x"])
def test_a_commit_that_does_not_exist_is_said(run, ref):
    code, said = run("--", ref) if ref.startswith("-") else run(ref)
    assert code == 2
    assert "no commit" in said["said"]


def test_without_git_there_is_nothing_to_compare(run, tmp_path):
    write(tmp_path / "alone", "a", "Title", "Text.\n")
    code, said = run(articles=tmp_path / "alone")
    assert (code, "no git repository" in said["said"]) == (2, True)
    git(tmp_path / "alone", "init", "--quiet")
    code, said = run(articles=tmp_path / "alone")
    assert (code, "nothing has been committed" in said["said"]) == (2, True)
    code, said = run(articles=tmp_path / "nowhere")
    assert (code, "no folder" in said["said"]) == (2, True)


def test_the_readable_form_shows_what_differs(run, folder, models):
    long = "Boots, jackets and tents can be returned by post or in one of our shops, unused. " * 3
    write(folder, "returns/how", "Returns", f"## How long\n\n{long}You have 60 days.\n")
    git(folder, "commit", "--all", "--quiet", "--message", "long")
    write(folder, "returns/how", "Returns", f"## How long\n\n{long}You have 30 days.\n")
    words = ["diff", "--articles", str(folder)]
    said = CliRunner().invoke(app, words, env={"MODELS_DIR": str(models)}).stdout
    assert "You have 60 days." in said
    assert "You have 30 days." in said
    assert "~ returns/how (edited)" in said
    assert "1 get another answer" in said


GIVEN = Given("answer", 0.8, "a", "x", "/help/a#x", "A > X", "h1", "text")


@pytest.mark.parametrize(
    ("after", "how", "what"),
    [
        (GIVEN, None, None),
        (Given("answer", 0.89, "a", "x", "/help/a#x", "A > X", "h1", "text"), None, None),
        (Given("answer", 0.95, "a", "x", "/help/a#x", "A > X", "h1", "text"), "moved", ""),
        (Given("answer", 0.8, "b", "x", "/help/b#x", "B > X", "h1", "text"), "changed", "article"),
        (Given("answer", 0.8, "a", "y", "/help/a#y", "A > Y", "h2", "other"), "changed", "passage"),
        (Given("answer", 0.8, "a", "x", "/help/a#x", "A > X", "h2", "other"), "changed", "text"),
        (Given("unsure", 0.8, "a", "x", "/help/a#x", "A > X", "h1", "text"), "lost", ""),
    ],
)
def test_what_counts_as_a_change(after, how, what):
    def go(before, after):
        return compare(Known("q"), before, after, renamed={}, still=lambda passage: False)

    change = go(GIVEN, after)
    assert (change and change.how, change and change.what) == (how, what)
    if how == "lost":
        assert go(after, GIVEN).how == "gained"


def test_every_kind_without_an_answer_counts_as_none():
    def go(before, after):
        return compare(Known("q"), before, after, renamed={}, still=lambda passage: False)

    assert go(Given("no_article", 0.3), Given("no_article", 0.35)) is None
    assert go(Given("no_article", 0.3), Given("ambiguous", 0.35)).how == "moved"
    assert go(Given("ambiguous", 0.3), Given("answer", 0.9)).how == "gained"


def test_excerpts_begin_where_texts_differ():
    same = (
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    )
    before, after = excerpts(same + "old end", same + "new end")
    assert before.startswith("… ") and before.endswith("fifteen old end")
    assert after.endswith("fifteen new end")
    assert excerpts("short old", "short new") == ("short old", "short new")
    assert excerpts("", "new") == ("", "new")

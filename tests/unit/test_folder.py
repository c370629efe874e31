"""A folder of markdown as it comes: whose, how broken, and who may see what is in it."""

from __future__ import annotations

import os
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from knowledge_base.files import Files
from knowledge_base.folder import LARGE, TOO_LARGE, Folder, Reading, read_folder

PUBLIC = "---\ntitle: T\naudience: public\n---\nText.\n"
STAFF = "---\ntitle: T\naudience: staff\n---\nText.\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    return folder


def put(root: Path, name: str, content: str | bytes = "Text.\n") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def ids(reading: Reading, audience: str = "staff") -> list[str]:
    """What these readers get."""
    return [it.id for it in reading.articles if audience == "staff" or it.audience == "public"]


def problems(reading: Reading, root: Path) -> list[tuple[str, int]]:
    return [(os.path.relpath(it.path, root), it.line) for it in reading.problems]


# Which files


def test_all_kinds_of_markdown_are_articles_and_nothing_else(root):
    for name in ("a.md", "b.markdown", "c/d.mdx", "e/f g.MD", "v2.0/notes.md", "x.md/inner.md"):
        put(root, name)
    for name in (
        "node_modules/p/README.md", "_site/a.md", "_includes/a.md", "_layouts/a.md", "_drafts/a.md",
        ".git/a.md", ".hidden.md", "#lock.md#", "a.md~", "a.txt", "md", "picture.png",
    ):  # fmt: skip
        put(root, name)
    found = read_folder(root)
    assert ids(found) == ["a", "b", "c/d", "e/f g", "v2.0/notes", "x.md/inner"]
    assert [it.path for it in found.articles][3] == "e/f g.MD"
    assert not found.problems


def test_links_that_leave_the_folder_are_not_followed(root, tmp_path):
    put(root, "a.md")
    put(tmp_path, "secret/passwords.md", "Secret.")
    (root / "file.md").symlink_to(tmp_path / "secret" / "passwords.md")
    (root / "folder").symlink_to(tmp_path / "secret")
    (root / "up").symlink_to("..")
    (root / "articles-2").symlink_to(tmp_path / "articles-2")
    put(tmp_path, "articles-2/also.md")
    found = read_folder(root)
    assert ids(found) == ["a"]
    assert [name for name, _ in problems(found, root)] == ["articles-2", "file.md", "folder", "up"]
    assert all("out of the folder" in it.message for it in found.problems)


def test_links_to_nowhere_and_in_circles_do_no_harm(root):
    put(root, "a/b.md")
    (root / "nowhere.md").symlink_to("missing.md")
    (root / "self.md").symlink_to("self.md")
    (root / "a" / "loop").symlink_to("..")
    (root / "again").symlink_to("a")
    found = read_folder(root)
    assert ids(found) == ["a/b"]
    assert not found.problems


def test_links_within_the_folder_are_followed_as_a_mounted_volume_needs_it(root):
    put(root, "..2026_10/a.md")
    put(root, "..2026_10/sub/b.md")
    (root / "..data").symlink_to("..2026_10")
    (root / "a.md").symlink_to("..data/a.md")
    (root / "sub").symlink_to("..data/sub")
    (root / "alias.md").symlink_to("a.md")
    assert ids(read_folder(root)) == ["a", "sub/b"]


def test_the_folder_itself_may_be_a_link(root, tmp_path):
    put(root, "a.md")
    (tmp_path / "current").symlink_to(root)
    found = read_folder(tmp_path / "current")
    assert ids(found) == ["a"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
def test_what_is_no_file_is_not_waited_for(root):
    os.mkfifo(root / "pipe.md")
    put(root, "a.md")
    assert ids(read_folder(root)) == ["a"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow no such name")
def test_a_name_that_is_no_text_is_named(root):
    put(root, "a.md")
    (Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9.md"))).write_text("Text.")
    found = read_folder(root)
    assert ids(found) == ["a"]
    (problem,) = found.problems
    assert "rename it" in problem.message
    problem.path.encode()


def test_no_folder_or_an_empty_one_holds_nothing(root):
    assert read_folder(root) == Reading((), ())
    (problem,) = read_folder(root / "missing").problems
    assert "cannot be listed" in problem.message
    (problem,) = read_folder(put(root, "a.md")).problems
    assert "cannot be listed" in problem.message


def test_a_folder_that_is_away_for_a_while_keeps_its_articles(root):
    put(root, "a.md")
    folder = Folder(root)
    before = folder.look()
    assert ids(folder.read(before)) == ["a"]
    root.rename(root.with_name("away"))
    assert folder.look() != before
    away = folder.read()
    assert ids(away) == ["a"]
    assert "stay as they were" in away.problems[0].message
    root.with_name("away").rename(root)
    assert folder.look() == before
    assert folder.read() == Reading(away.articles, ())


def test_a_sub_folder_that_is_deleted_is_gone(root):
    put(root, "a.md")
    put(root, "b/c.md")
    folder = Folder(root)
    folder.read()
    (root / "b/c.md").unlink()
    (root / "b").rmdir()
    assert ids(folder.read()) == ["a"]


def test_a_look_sees_every_change(root):
    path = put(root, "a.md", "One.")
    files = Files(root)
    seen = [files.look()]
    put(root, "a.md", "Three.")
    seen.append(files.look())
    time.sleep(0.05)  # the clock of a file system ticks every few milliseconds
    path.chmod(0o600)
    seen.append(files.look())
    path.rename(root / "b.md")
    seen.append(files.look())
    assert all(one != other for one, other in pairwise(seen))
    assert files.look() == seen[-1]


# What is in them


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b"", 1, "the file is empty"),
        (b"---\ntitle: T\n---\n", 4, "no text below the front matter"),
        (b"---\ntitle: caf\xe9\n---\nText.", 2, "save it as UTF-8"),
        (b"a\nb\n\x00\x01\xff\xfe", 3, "NUL"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", 3, "NUL"),
        ("Text.".encode("utf-16"), 1, "UTF-16"),
        ("Text.".encode("utf-16-le"), 1, "UTF-8"),
        (b"---\ntitle: a: b\n---\nText.", 2, "no YAML"),
        (b"---\ntitle: T\naudience: internal\n---\nText.", 3, "`public` or `staff`"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_the_rest_served(root, content, line, says):
    path = put(root, "bad.md", content)
    put(root, "good.md", PUBLIC)
    found = read_folder(root)
    assert ids(found, "staff") == ["good"]
    (problem,) = found.problems
    assert (problem.path, problem.line) == (str(path), line)
    assert says in problem.message


def test_windows_line_ends_and_a_byte_order_mark_are_no_trouble(root):
    put(root, "a.md", "\ufeff---\r\ntitle: T\r\n---\r\n\r\n## H\r\n\r\nText.\r\n")
    (article,) = read_folder(root).articles
    assert (article.title, article.passages[0].text, article.passages[0].line) == ("T", "Text.", 7)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_without_permission_a_file_is_named_and_read_when_it_is_given(root):
    path = put(root, "a.md")
    put(root, "b.md")
    path.chmod(0)
    folder = Folder(root)
    found = folder.read()
    assert (ids(found), found.complete) == (["b"], True)
    assert "no permission" in found.problems[0].message
    path.chmod(0o644)
    assert folder.read() == Reading(read_folder(root).articles, ())


@pytest.mark.parametrize(
    ("reason", "kept", "complete", "says"),
    [
        (FileNotFoundError(2, "gone"), False, True, None),
        (PermissionError(13, "denied"), True, True, "no permission"),
        (OSError(5, "Input/output error"), True, False, "Input/output error"),
    ],
)
def test_a_file_that_cannot_be_read_any_more(root, monkeypatch, reason, kept, complete, says):
    put(root, "a.md", PUBLIC)
    put(root, "b.md", PUBLIC)
    folder = Folder(root)
    folder.read()
    opened = Path.open

    def refuse(path: Path, *mode):
        if path.name == "a.md":
            raise reason
        return opened(path, *mode)

    monkeypatch.setattr(Path, "open", refuse)  # whoever runs the tests may be allowed to read all
    found = folder.read()
    assert ids(found, "public") == (["a", "b"] if kept else ["b"])
    assert found.complete is complete
    assert [says in it.message for it in found.problems] == ([True] if says else [])


def test_a_large_file_is_read_and_a_huge_one_is_not(root):
    start = time.process_time()
    put(root, "large.md", "# Large\n\n" + "Some words in a row.\n\n" * (LARGE // 20))
    put(root, "huge.md", b"x\n" * (TOO_LARGE // 2 + 1))
    found = read_folder(root)
    assert ids(found) == ["large"]
    assert [it.message for it in found.problems] == [
        "over 20 MB, so it is not read; split it into articles",
        "2.2 MB in one article; split it",
    ]
    assert time.process_time() - start < 10


def test_drafts_and_pages_of_folders_make_no_noise(root):
    put(root, "a.md")
    put(root, "b.md", "---\ndraft: true\n---\nText.")
    put(root, "c.md", "---\npublished: false\n---\n")
    put(root, "guides/index.md", "---\ntitle: Guides\nchildren: [/a]\n---\n")
    found = read_folder(root)
    assert (ids(found), found.problems) == (["a"], ())


def test_two_files_with_one_id_are_told_apart(root):
    for name in ("a.md", "a.mdx", "b.md", "B.md", "caf\u00e9.md", "cafe\u0301.md"):
        put(root, name)
    if len(list(root.iterdir())) < 6:
        pytest.skip("this file system tells no capitals or accents apart")
    found = read_folder(root)
    assert len(found.articles) == 3
    assert all("has the same id; rename" in it.message for it in found.problems)
    assert len(found.problems) == 3


def test_the_same_name_in_two_folders_is_named_but_for_the_pages_of_folders(root):
    for name in ("a/how.md", "b/how.md", "a/index.md", "b/index.md", "README.md", "a/README.md"):
        put(root, name)
    found = read_folder(root)
    assert len(found.articles) == 6
    assert problems(found, root) == [("b/how.md", 1)]


def test_mistakes_that_may_be_forgiven_are_named_and_the_article_served(root):
    put(root, "a.md", "---\nupdated: May 1\ntags: {a: b}\n---\nText.")
    found = read_folder(root)
    assert (ids(found), problems(found, root)) == (["a"], [("a.md", 2), ("a.md", 3)])


# Who may see them


def test_where_nobody_says_who_may_read_everybody_may(root):
    put(root, "a.md")
    put(root, "b.md", "---\ntitle: T\n---\nText.")
    found = read_folder(root)
    assert ids(found, "public") == ["a", "b"]
    assert {it.audience for article in found.articles for it in article.passages} == {"public"}


@pytest.mark.parametrize(
    "other",
    [
        PUBLIC,
        STAFF,
        "---\naudience: internal\n---\nText.",
        "---\ntitle: a: b\naudience: staff\n---\nText.",
        "---\naudience: staff\nText that never ends the front matter.",
        "---\ndraft: true\naudience: staff\n---\nText.",
        "+++\naudience = 'staff'\n+++\nText.",
        "---\naudience: staff\n---\nText.".encode("utf-16"),
        b"---\naudience: staff\ntitle: caf\xe9\n---\nText.",
    ],
)
def test_as_soon_as_one_file_says_so_the_others_must_too(root, other):
    path = put(root, "a.md", "# A\n\nText.")
    put(root, "other.md", other)
    found = read_folder(root)
    assert "a" not in ids(found, "public")
    assert "a" in ids(found, "staff")
    (problem,) = [it for it in found.problems if it.path == str(path)]
    assert problem.line == 1
    assert "no audience; add a line `audience: public` or `audience: staff`" in problem.message


def test_taking_the_only_audience_away_again_shows_all_again(root):
    put(root, "a.md")
    path = put(root, "b.md")
    folder = Folder(root)
    assert ids(folder.read(), "public") == ["a", "b"]
    path.write_text(STAFF)
    assert ids(folder.read(), "public") == []
    path.write_text("Text.\n")
    found = folder.read()
    assert (ids(found, "public"), found.problems) == (["a", "b"], ())


def test_an_edit_that_breaks_a_file_leaves_the_last_good_version(root):
    path = put(root, "a.md", PUBLIC)
    folder = Folder(root)
    before = folder.read().articles
    for broken in ("", "---\ntitle: a: b\naudience: public\n---\nNew.", "\x00", "---\ntitle: T\n"):
        path.write_text(broken)
        found = folder.read()
        assert found.articles == before
        assert len(found.problems) == 1
    path.write_text(PUBLIC.replace("Text", "Better text"))
    found = folder.read()
    assert (found.articles[0].body, found.problems) == ("Better text.\n", ())


@pytest.mark.parametrize(
    "broken",
    [
        "---\ntitle: a: b\naudience: staff\n---\nText.",
        "---\ntitle: T\naudience: internal\n---\nText.",
        "---\ntitle: T\naudience:\n---\nText.",
        "---\ntitle: T\naudience: [public]\n---\nText.",
        "---\ntitle: T\naudience: public and partners\n---\nText.",
        "---\ntitle: a: b\naudience staff\n---\nText.",
        "---\ntitle: a: b\n# for staff only\n---\nText.",
        "---\ntitle: T\naudiance: staff\n---\nText.",
        "---\ntitle: T\naudience: staff\nText that never ends the front matter.",
        "---\ntitle: T\naudience: staff\n---\n",
        "---\ntitle: T\naudience: staff\n---\nText.".encode("utf-16"),
        b"---\naudience: staff\ntitle: caf\xe9\n---\nText.",
    ],
)
@pytest.mark.parametrize("before", [PUBLIC, "---\ntitle: T\n---\nText.\n"], ids=["said", "unsaid"])
def test_a_broken_edit_that_may_mean_staff_takes_the_article_from_customers(root, before, broken):
    path = put(root, "a.md", before)
    folder = Folder(root)
    assert ids(folder.read(), "public") == ["a"]
    put(root, "a.md", broken)
    found = folder.read()
    assert (ids(found, "public"), ids(found, "staff")) == ([], ["a"])
    assert {it.audience for it in found.articles[0].passages} == {"staff"}
    (problem,) = found.problems
    assert problem.path == str(path)
    assert "customers no longer see" in problem.message
    # Another broken edit gives it back as little; a good one does.
    put(root, "a.md", "---\ntitle: a: b\n---\nText.")
    assert ids(folder.read(), "public") == []
    put(root, "a.md", PUBLIC)
    assert ids(folder.read(), "public") == ["a"]


def test_breaking_the_only_file_that_says_who_may_read_shows_nobody_the_others(root):
    put(root, "a.md")
    path = put(root, "b.md", STAFF)
    folder = Folder(root)
    assert ids(folder.read(), "public") == []
    for broken in ("", "---\ntitle: a: b\n---\nText.", "\x00"):
        path.write_text(broken)
        found = folder.read()
        assert (ids(found, "public"), ids(found, "staff")) == ([], ["a", "b"])


def test_what_was_for_staff_stays_so_while_it_is_broken(root):
    path = put(root, "a.md", STAFF)
    put(root, "b.md", PUBLIC)
    folder = Folder(root)
    folder.read()
    path.write_text("---\ntitle: a: b\naudience: public\n---\nText.")
    found = folder.read()
    assert (ids(found, "public"), ids(found, "staff")) == (["b"], ["a", "b"])


def test_a_draft_is_gone_at_once(root):
    path = put(root, "a.md", PUBLIC)
    folder = Folder(root)
    folder.read()
    path.write_text(PUBLIC.replace("title: T", "draft: true"))
    assert folder.read() == Reading((), ())


@pytest.mark.parametrize(
    "content",
    [
        "---\na" + " " * 200_000 + "b\n---\nText.",
        "---\ntitle: T\n" + "\n" * 200_000 + "Text.",
        "---\ntitle: " + "[" * 60_000 + "\n---\nText.",
        "---\n" + "a: &a [*a, *a]\n" * 4_000 + "---\nText.",
        "+++\na = " + "[" * 60_000 + "\n+++\nText.",
        "\n" * 500_000 + "Text.",
        "**" + " " * 200_000 + "\n\nText.",
    ],
    ids=range(7),
)
def test_no_front_matter_takes_long_or_is_too_deep(root, content):
    put(root, "a.md", content)
    start = time.process_time()
    found = read_folder(root)
    assert time.process_time() - start < 5
    assert len(found.articles) + len(found.problems) >= 1

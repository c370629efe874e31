"""Imports point down only: wiring > edges > use cases > resources > rules."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# The longest matching prefix decides. Wiring is everything that starts or checks the whole.
FLOORS = {
    "bot": 5,
    "bot.evaluate": 5,
    "bot.desk": 4,
    "channels": 4,
    "actions": 4,
    "bot.support": 3,
    "bot.turns": 3,
    "bot.deliveries": 3,
    "bot.followups": 3,
    "bot.editing": 3,
    "bot.handover": 3,
    "bot.use_case": 3,
    "bot.summary": 1,
    "bot.desk_reading": 3,
    "bot.desk_work": 3,
    "bot.watch": 3,
    "bot.ratings": 3,
    "bot.notices": 3,
    "bot.numbers": 3,
    "bot.service": 1,
    "bot.service_file": 2,
    "bot.simulate": 5,
    "bot.store": 2,
    "bot.brain": 2,
    "bot.wakeups": 2,
    "bot.logs": 2,
    "bot.body_limit": 2,
    "bot.encoder": 2,
    "bot.feeling": 2,
    "knowledge_base": 2,
    "knowledge_base.cli": 5,
    "knowledge_base.__main__": 5,
    "knowledge_base.fit": 5,
    "bot.views": 2,
    "bot.settings": 1,
    "bot.wording": 1,
    "bot.links": 1,
    "bot.findings": 1,
    "bot.arriving": 3,
    "bot.proving": 3,
    "bot.identity": 1,
    "bot.jobs": 3,
    "bot.jobs.details": 2,
    "bot.orders": 2,
    "bot.orders.card": 1,
    "bot.orders.contract": 1,
    "bot.orders.policy": 1,
    "bot.conversation": 1,
    "bot.mood": 1,
    "bot.phrases": 1,
    "bot.escalation": 1,
    "bot.escalation_file": 2,
    "bot.yaml_nodes": 2,
    "bot.judging": 3,
    "bot.policies": 3,
    "bot.privacy": 1,
    "channels.contract": 1,
    "knowledge_base.parse": 1,
    "knowledge_base.front_matter": 1,
    "knowledge_base.markup": 1,
    "knowledge_base.cut": 1,
    "knowledge_base.words": 1,
    "knowledge_base.sentences": 1,
    "knowledge_base.check": 2,
    "knowledge_base.check.ages": 1,
    "knowledge_base.check.clock": 1,
    "knowledge_base.check.contradictions": 1,
    "knowledge_base.check.facts": 1,
    "knowledge_base.check.finding": 1,
    "knowledge_base.check.library": 1,
    "knowledge_base.check.links": 1,
    "knowledge_base.check.near": 1,
    "knowledge_base.check.page": 1,
    "knowledge_base.check.prose": 1,
    "knowledge_base.check.quantities": 1,
    "knowledge_base.check.silence": 1,
    "knowledge_base.check.stated": 1,
    "knowledge_base.check.structure": 1,
    "knowledge_base.check.twins": 1,
    "knowledge_base.check.wording": 1,
    "knowledge_base.diff": 2,
    "knowledge_base.past": 2,
    "knowledge_base.gaps": 1,
    "knowledge_base.drafts": 1,
}
EDGES = ("bot.desk", "channels.web", "actions")
PURE = (
    "bot.conversation",
    "bot.mood",
    "bot.phrases",
    "bot.escalation",
    "bot.wording",
    "bot.privacy.redaction",
    "channels.contract",
)


def modules() -> dict[str, Path]:
    found = {}
    for top in ("bot", "actions", "channels", "knowledge_base"):
        for path in (ROOT / top).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path) -> set[str]:
    """Every module named in an import, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def floor(module: str) -> int:
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        if ".".join(parts[:length]) in FLOORS:
            return FLOORS[".".join(parts[:length])]
    raise AssertionError(f"{module} is on no floor")


def inside(module: str, rooms: tuple[str, ...]) -> str | None:
    return next((room for room in rooms if module == room or module.startswith(room + ".")), None)


MODULES = modules()
OURS = {
    name: {other for other in imports(path) if other in MODULES} for name, path in MODULES.items()
}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_down(module):
    if inside(module, ("bot.engine", "bot.build")):
        return
    for other in OURS[module]:
        if other == "bot" or (other.split(".")[0] == module and "." not in other):
            continue  # a package's front page
        assert floor(other) <= floor(module), f"{module} imports {other} from a higher floor"


def test_edges_do_not_import_one_another():
    for module, others in OURS.items():
        room = inside(module, EDGES)
        for other in others:
            if room and other not in EDGES:
                assert inside(other, EDGES) in (None, room), f"{module} imports {other}"


def test_the_engine_stands_apart():
    """Two environments: the engine may import what both can, and nobody imports the engine."""
    allowed = {"bot", "bot.encoder", "bot.feeling", "bot.mood"}
    for module, others in OURS.items():
        if inside(module, ("bot.engine",)):
            others = {other for other in others if not inside(other, ("bot.engine",))}
            assert others <= allowed, f"{module} imports {others - allowed}"
        else:
            assert not {o for o in others if inside(o, ("bot.engine",))}, module


@pytest.mark.parametrize("module", PURE)
def test_rules_import_the_standard_library_only(module):
    import sys

    for name in imports(MODULES[module]):
        standard = name.split(".")[0] in sys.stdlib_module_names
        assert standard or inside(name, PURE), f"{module} imports {name}"


def test_serving_imports_no_torch():
    heavy = ("torch", "transformers", "sentence_transformers", "peft", "sklearn")
    for module, path in MODULES.items():
        if not inside(module, ("bot.build", "knowledge_base.fit")):
            assert not {n for n in imports(path) if n.split(".")[0] in heavy}, module


def test_only_settings_and_starters_read_the_environment():
    """`bot.settings` reads it for us; the starters hand it to child processes."""
    allowed = {"bot.settings", "bot.launch", "bot.engine.connector", "bot.engine.__main__"}
    for module, path in MODULES.items():
        if module not in allowed and not inside(module, ("bot.build",)):
            assert "os.environ" not in path.read_text("utf-8"), module

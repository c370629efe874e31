"""Says in words what is missing or wrong, why it matters and what to do about it.

Every check is a function that yields findings and may fail in any way it likes: `check` turns that
into a finding too. Nothing is put right here, and nothing is started.
"""

from __future__ import annotations

import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from bot.build.steps import Places, steps, verify_manifest, why_build
from bot.findings import Finding, Level, error, guarded, ok, warning
from bot.settings import ROOT, Settings

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
GIGABYTE = 1_000_000_000
PRIVATE = ("engine.secret", "first-login.txt", "engine/endpoints.yml", "rapport.db", "tracker.db")


def check() -> list[Finding]:
    """Look at everything; never raises."""
    findings = guarded("environments", environments)
    try:
        settings = Settings()
    except Exception as problem:
        return findings + guarded("settings", partial(_wrong_settings, problem))
    findings.append(ok("settings are valid"))
    for name, look in CHECKS.items():
        findings += guarded(name, partial(look, settings))
    return findings


def _wrong_settings(problem: Exception) -> Iterator[Finding]:
    from pydantic import ValidationError

    from bot.settings_text import explain

    told = explain(problem) if isinstance(problem, ValidationError) else [str(problem)]
    for one in told:
        yield error(one, "Rapport does not start", "correct it in the environment or .env")


def environments() -> Iterator[Finding]:
    """Both environments: do they start, is it Python 3.11, is each package the pinned one?"""
    for name, pins in ((".venv", "gateway.txt"), (".venv-engine", "engine.txt")):
        python = ROOT / name / "bin" / "python"
        try:
            done = subprocess.run(
                [python, "-ISc", "import sys; print('%d.%d' % sys.version_info[:2])"],
                capture_output=True,
                text=True,
                timeout=20,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            yield error(f"{name} is missing or broken", "it runs the bot", "make setup")
            continue
        if done.stdout.strip() != "3.11":
            yield error(
                f"{name} has Python {done.stdout.strip()}, not 3.11",
                "the pinned packages are for 3.11",
                f"rm -r {name} && make setup",
            )
            continue
        wrong = list(_differing_packages(ROOT / name, ROOT / "requirements" / pins))
        if wrong:
            yield warning(
                f"{name}: {', '.join(wrong[:5])}" + (" and more" if wrong[5:] else ""),
                f"only the versions in requirements/{pins} are tested together",
                "make setup",
            )
        else:
            yield ok(f"{name} has Python 3.11 and the pinned packages")


def _differing_packages(folder: Path, pins: Path) -> Iterator[str]:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name
    from packaging.version import Version

    places = [str(path) for path in folder.glob("lib/python*/site-packages")]
    installed = {
        canonicalize_name(it.metadata["Name"]): it.version
        for it in metadata.distributions(path=places)
        if it.metadata["Name"]
    }
    for line in pins.read_text(encoding="utf-8").splitlines():
        if not (line := line.split("#")[0].strip()):
            continue
        pin = Requirement(line)
        if pin.marker and not pin.marker.evaluate():
            continue
        version = installed.get(canonicalize_name(pin.name))
        if version is None:
            yield f"{pin.name} is not installed"
        elif not pin.specifier.contains(Version(version).public, prereleases=True):
            yield f"{pin.name} is {version}, not {str(pin.specifier).lstrip('=')}"


def models(settings: Settings) -> Iterator[Finding]:
    """Are the models there, unchanged, and made from what is there now?"""
    problems = verify_manifest(settings.models_dir)
    for problem in problems:
        yield error(problem, "the bot does not start without it", "make train")
    if problems:
        return
    for step in steps(Places.of(settings)):
        if (why := why_build(settings.models_dir, step)) and not step.cache:
            yield warning(
                f"the {step.name} model is out of date: {why}",
                "the bot behaves as before the change",
                "make train",
            )
            return
    yield ok("models are complete and up to date")


def articles(settings: Settings) -> Iterator[Finding]:
    """Can every article be read?"""
    from knowledge_base.folder import read_folder

    folder = settings.articles_dir
    reading = read_folder(folder)
    usable = len(reading.articles)
    for problem in reading.problems:
        yield warning(str(problem), "its answers may not be given", "edit the article")
    if usable:
        yield ok(f"{usable} articles in {folder}")
    else:
        yield error(
            f"no usable article in {folder}",
            "there is nothing to answer from",
            "put markdown files there, or set ARTICLES_DIR",
        )


def ports(settings: Settings) -> Iterator[Finding]:
    """Are the ports free, or held by ourselves?"""
    from bot.launch import is_running, taken_ports

    if is_running(settings):
        yield ok("Rapport is running")
        return
    taken = taken_ports(settings)
    for problem in taken:
        yield error(problem, "Rapport does not start", "stop the other program, or that")
    if not taken:
        yield ok(f"ports {settings.port}, {settings.engine_port}, {settings.actions_port} are free")


def storage(settings: Settings) -> Iterator[Finding]:
    """Can DATA_DIR be written, is there room, and are its secrets for our eyes only?"""
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".check"
        probe.touch()
        probe.unlink()
    except OSError as problem:
        yield error(
            f"DATA_DIR {folder} cannot be written: {problem.strerror}",
            "conversations are kept there",
            "change its owner, or set DATA_DIR",
        )
        return
    free = shutil.disk_usage(folder).free / GIGABYTE
    level: Level = "error" if free < 0.2 else "warning" if free < 1 else "ok"
    full = level != "ok"
    yield Finding(
        level,
        f"{free:.1f} GB free in DATA_DIR {folder}",
        "a full disk stops the bot" if full else "",
        "make room" if full else "",
    )
    for path in [*(folder / name for name in PRIVATE), ROOT / ".env"]:
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield warning(
                f"{path} can be read by other users of this machine",
                "it holds secrets or customers' words",
                f"chmod 600 {path}",
            )


def database(settings: Settings) -> Iterator[Finding]:
    """Does the store open, and do its tables come up to date?"""
    from bot.app import open_store
    from bot.store.database import StoreUnavailable

    on_sqlite = not settings.database_url.get_secret_value()
    if on_sqlite and not (settings.data_dir / "rapport.db").exists():
        yield ok("the database is made at the first start")
        return
    try:
        agents = open_store(settings).agents.list()
    except StoreUnavailable as problem:
        yield error(
            str(problem),
            "nothing works without the store",
            "start the database, or correct DATABASE_URL",
        )
        return
    yield ok(f"the database is up to date, with {len(agents)} agents")


def dialogue(settings: Settings) -> Iterator[Finding]:
    """Is every custom action of the domain one that the gateway has?"""
    import yaml

    from bot.app import ACTION_NAMES

    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    listed = {one if isinstance(one, str) else next(iter(one)) for one in domain.get("actions", [])}
    wanted = {name for name in listed if name.startswith("action_")}
    for name in sorted(wanted - set(ACTION_NAMES)):
        yield error(
            f"domain.yml names {name}, which the gateway does not have",
            "turns that reach it fail",
            "register it in bot/app.py",
        )
    for name in sorted(set(ACTION_NAMES) - listed):
        yield warning(
            f"{name} is not listed in domain.yml",
            "no rule can call it",
            "add it to domain.yml's actions",
        )
    if wanted <= set(ACTION_NAMES):
        yield ok(f"the gateway has all {len(wanted)} actions of domain.yml")


def escalation(settings: Settings) -> Iterator[Finding]:
    """Can the rules of when a person is needed be used, and does the bot know their intents?"""
    import yaml

    from bot.escalation_file import load
    from bot.yaml_nodes import FileWrong

    path = settings.escalation_file
    try:
        found = load(path)
    except FileWrong as problems:
        for problem in problems.problems:
            yield error(
                str(problem), "Rapport does not start", f"correct {path}; see docs/escalation.md"
            )
        return
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    intents = {one if isinstance(one, str) else next(iter(one)) for one in domain["intents"]}
    for rule in found.rules:
        for name in sorted(set(rule.when.intent) - intents - {"nlu_fallback"}):
            yield warning(
                f"the rule “{rule.name}” waits for the intent {name}, which domain.yml has not",
                "the rule never applies",
                f"correct it in {path}",
            )
    phrases = sum(len(topic.phrases) for topic in found.topics.values())
    yield ok(f"{len(found.rules)} rules and {phrases} phrases in {path.name}")


def service(settings: Settings) -> Iterator[Finding]:
    """Can hours, queues and response times be used, and is every queue of the rules there?"""
    from bot.escalation_file import load as load_escalation
    from bot.service_file import load
    from bot.yaml_nodes import FileWrong

    path = settings.service_file
    try:
        found = load(path)
    except FileWrong as problems:
        for problem in problems.problems:
            yield error(
                str(problem), "Rapport does not start", f"correct {path}; see docs/service.md"
            )
        return
    try:
        rules = load_escalation(settings.escalation_file)
    except FileWrong:
        return  # its own check says so
    lines = _lines_of_queues(settings.escalation_file)
    for queue in sorted(rules.queues - set(found.queues)):
        line = lines.get(queue, [])
        where = (
            f", line {' and '.join(map(str, line))}" if line else ""
        )  # none: it is the usual one
        yield warning(
            f"{settings.escalation_file.name}{where}: the queue “{queue}” is not in {path.name}",
            f"its tickets wait in “{found.queue(queue).title}”",
            f"add it to “queues:” in {path}, or correct the name",
        )
    yield ok(f"{len(found.queues)} queues and {len(found.slas)} service levels in {path.name}")


def _lines_of_queues(path: Path) -> dict[str, list[int]]:
    """The lines of ``escalation.yml`` that name each queue, in a file that has no mistake."""
    from bot.yaml_nodes import Nodes, read_yaml

    reader, found = Nodes(path.name, ""), dict[str, list[int]]()
    root, _ = read_yaml(path, "ESCALATION_FILE")
    sections = {key.value: value for key, value in reader.pairs(root, "the file")}
    entries = reader.items(sections.get("rules"), "rules")
    entries += [value for _, value in reader.pairs(sections.get("other_reasons"), "other_reasons")]
    for entry in entries:
        for key, value in reader.pairs(entry, "an entry"):
            if key.value == "queue":
                found.setdefault(str(value.value).strip(), []).append(key.start_mark.line + 1)
    return found


def orders(settings: Settings) -> Iterator[Finding]:
    """Can orders be looked up, and are the rules for them those of the articles?"""
    from bot.orders import checks

    yield from checks.check(settings)


def notices(settings: Settings) -> Iterator[Finding]:
    """Is everybody who should be told of waiting tickets told?"""
    from bot.notices.sender import sinks

    try:
        places = [place.name for place in sinks(settings)]
    except ValueError as problem:
        yield error(str(problem), "Rapport does not start", "correct .env; see docs/notices.md")
        return
    told = ", ".join(name for name in places if name != "customer_mail")
    yield ok(f"waiting tickets are told to the desk{' and to ' + told if told else ' only'}")


def texts(settings: Settings) -> Iterator[Finding]:
    """Do text messages come and go?"""
    if not settings.twilio_tokens:
        return
    from channels.sms import checks, make_vendor

    yield from checks.check(settings, make_vendor(settings))


def slack(settings: Settings) -> Iterator[Finding]:
    """Can colleagues ask in Slack?"""
    if not settings.slack_asks:
        return
    from channels.slack import checks

    yield from checks.check(settings)


def addresses(settings: Settings) -> Iterator[Finding]:
    """Is what customers see encrypted, and is it known where that is?"""
    parts = urlsplit(settings.origin)
    if parts.hostname not in LOOPBACK and parts.scheme != "https":
        yield warning(
            f"PUBLIC_URL {settings.origin} is not https",
            "what customers write can be read on its way",
            "put a proxy with a certificate in front, and set PUBLIC_URL",
        )
    if settings.host not in LOOPBACK and not settings.public_url:
        yield warning(
            f"HOST is {settings.host}, but PUBLIC_URL is not set",
            "links and the widget point to the wrong address",
            "set PUBLIC_URL",
        )
    for origin in settings.allowed_origins[1:]:
        if origin.startswith("http://") and urlsplit(origin).hostname not in LOOPBACK:
            yield warning(
                f"WIDGET_ORIGINS has {origin}, which is not https",
                "anyone on the way can change that page",
                "use https there",
            )


CHECKS: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "models": models,
    "articles": articles,
    "ports": ports,
    "storage": storage,
    "the database": database,
    "the dialogue": dialogue,
    "the rules of escalation": escalation,
    "hours, queues and response times": service,
    "orders": orders,
    "notices": notices,
    "text messages": texts,
    "Slack": slack,
    "addresses": addresses,
}

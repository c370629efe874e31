"""The settings: named in .env.example, explained when wrong, handed to the engine sparingly."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot import launch
from bot.settings import ROOT, Settings
from bot.settings_text import example, explain


@pytest.fixture
def settings(tmp_path: Path) -> Any:
    def make(**values: Any) -> Settings:
        return Settings(_env_file=None, **{"data_dir": tmp_path, **values})

    return make


def test_env_example_is_what_the_settings_say() -> None:
    written = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert written == example(), "write it anew: .venv/bin/python -m bot settings > .env.example"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described(name: str) -> None:
    field = Settings.model_fields[name]
    assert field.description and f"# {name.upper()}=" in example()


def test_wrong_settings_are_told_by_name_and_secrets_are_not_repeated(settings: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(port=99999, database_url=["hunter2"])
    told = explain(caught.value)
    assert any(line.startswith("PORT: ") and "99999" in line for line in told)
    assert any(line.startswith("DATABASE_URL: ") for line in told)
    assert not any("hunter2" in line for line in told)


def test_settings_that_contradict_each_other_are_told_without_their_values(settings: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(port=5005, engine_secret="hunter2")
    assert explain(caught.value) == ["PORT, ENGINE_PORT and ACTIONS_PORT must differ"]


def test_the_engine_is_told_no_secret_but_the_shared_one(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://a:hunter2@db/b")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    given = launch.engine_environment(settings(engine_secret="x" * 32))
    assert "hunter2" not in str(given)
    assert given["ENGINE_SECRET"] == "x" * 32
    assert given["TICKET_LOCK_LIFETIME"] == "300"


def test_endpoints_are_written_for_this_installation_alone(settings: Any, tmp_path: Path) -> None:
    path = launch.write_endpoints(settings(actions_port=6055))
    endpoints = read(path)
    assert endpoints["action_endpoint"]["url"] == "http://127.0.0.1:6055/webhook"
    assert endpoints["tracker_store"]["db"] == str(tmp_path / "tracker.db")
    assert path.stat().st_mode & 0o077 == 0


def test_a_tracker_database_is_handed_over_with_any_password(settings: Any) -> None:
    url = "postgresql://rasa:p%40ss%24%7BHOME%7D@db.example:5433/tracker?sslmode=require"
    found = read(launch.write_endpoints(settings(tracker_database_url=url)))["tracker_store"]
    assert found == {
        "type": "bot.engine.tracker_store.RapportTrackerStore",
        "dialect": "postgresql",
        "url": "db.example",
        "port": 5433,
        "username": "rasa",
        "password": "p@ss${HOME}",
        "db": "tracker",
        "query": {"sslmode": "require"},
    }


def test_a_tracker_database_of_another_kind_is_refused(settings: Any) -> None:
    with pytest.raises(ValueError, match="TRACKER_DATABASE_URL"):
        launch.tracker_store(settings(tracker_database_url="mysql://a:b@c/d"))


def read(path: Path) -> dict[str, Any]:
    return json.loads("\n".join(path.read_text().splitlines()[1:]))


def test_a_port_that_is_taken_is_told_with_its_setting(settings: Any) -> None:
    with ExitStack() as stack:
        taken, *free = (stack.enter_context(socket.socket()) for _ in range(3))
        for each in (taken, *free):
            each.bind(("127.0.0.1", 0))
        ports = [each.getsockname()[1] for each in (taken, *free)]
        taken.listen()
        for each in free:
            each.close()
        mine = settings(engine_port=ports[0], port=ports[1], actions_port=ports[2])
        (told,) = launch.taken_ports(mine)
    assert f"127.0.0.1:{ports[0]}" in told and "ENGINE_PORT=" in told


def test_one_data_folder_is_run_from_once(settings: Any) -> None:
    mine = settings()
    assert not launch.is_running(mine)
    with launch.only_one(mine):
        assert launch.is_running(mine)
        with pytest.raises(launch.AlreadyRunning), launch.only_one(mine):
            pass
    assert not launch.is_running(mine)


def test_the_welcome_shows_where_to_look_and_the_first_login(settings: Any, tmp_path: Path) -> None:
    mine = settings(public_url="https://help.shop.example")
    assert "https://help.shop.example/desk" in launch.welcome(mine, 5.0)
    (tmp_path / "first-login.txt").write_text("email: a@b.example\npassword: wonderful\n")
    told = launch.welcome(mine, 5.0)
    assert "password: wonderful" in told and "deleted after the first log-in" in told

"""A support day in small, with everything real but the engine and the people."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from bot.__main__ import cli


def test_a_day_loses_nobody():
    done = CliRunner().invoke(
        cli, ["simulate", "day", "--conversations", "120", "--agents", "2", "--seed", "3", "--json"]
    )
    assert done.exit_code == 0, (done.output, done.exception)
    found = json.loads(done.stdout)
    assert found["conversations"] == 120 and found["tickets"] > 30
    assert (found["lost"], found["answered_by_two"], found["without_deadline"]) == (0, 0, 0)
    assert found["ratings"] > 0 and found["sla"]["first_response"]["ended"] > 30

"""Every job of the support line, from the first word to what was done: ``tests/journeys``."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.journey_files import Journey, load
from tests.journey_play import Stage, play, stage

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def played_on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("journeys")) as it:
        yield it


def _param(journey: Journey) -> object:
    reason = journey.known_miss
    marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
    return pytest.param(journey, id=journey.id, marks=marks)


@pytest.mark.parametrize("journey", [_param(one) for one in load()])
def test_journey(journey: Journey, played_on: Stage):
    went = play(played_on, journey)
    told = "\n".join(went.transcript)
    if os.environ.get("JOURNEYS_SHOWN"):
        print(f"\n## {journey.id}\n{told}")
    if went.problems:
        problems = "\n".join(went.problems)
        pytest.fail(f"“{journey.title}” ({journey.file})\n{problems}\n\n{told}", pytrace=False)

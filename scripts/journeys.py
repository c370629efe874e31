"""Plays the journeys of `tests/journeys` through the whole system: `make journeys`.

Prints which held, turn by turn where one did not, and how many messages each job took; with `--write`
the figures go into docs/quality.md. Exits with 1 when one did not hold.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.twilio_contract import ENDS  # noqa: E402
from tests.journey_files import Journey, load  # noqa: E402
from tests.journey_play import Played, play, stage  # noqa: E402

BEGINS = "## Jobs\n"
STRAIGHT = "Straight"  # in the title of a journey that takes no detour


def section(played: list[tuple[Journey, Played]]) -> str:
    """For docs/quality.md."""
    turns: dict[str, list[int]] = defaultdict(list)
    straight: dict[str, list[int]] = defaultdict(list)
    held: dict[str, int] = defaultdict(int)
    for journey, went in played:
        turns[journey.job].append(went.turns)
        held[journey.job] += not went.problems
        if STRAIGHT in journey.title:
            straight[journey.job].append(went.turns)
    rows = [
        f"| {job} | {held[job]} of {len(counts)} | "
        f"{statistics.median(straight[job]) if straight[job] else '–'} | {statistics.median(counts)} |"
        for job, counts in turns.items()
    ]
    return "\n".join(
        [
            BEGINS,
            f"By `make journeys ARGS=--write` on {time.strftime('%Y-%m-%d')}: whole conversations of "
            "`tests/journeys` through the real gateway and engine, with a local shop, mail server and "
            "vendor of texts. Turns are the customer's messages until the job is done, refused or with "
            "a person, the proof and the code included.",
            "",
            "| journeys | hold | turns of the straight one, median | turns of all, median |",
            "|---|---|---|---|",
            *rows,
            "",
            f"In all {sum(held.values())} of {len(played)} hold.",
            "",
        ]
    )


def placed(document: str, text: str) -> str:
    """The document with the section in the place of the former one, or at its end."""
    start = document.find(BEGINS)
    if start < 0:
        return f"{document.rstrip()}\n\n{text}"
    end = document.find(ENDS, start + len(BEGINS))
    return document[:start] + text + (document[end:] if end >= 0 else "")


def main(
    name: Annotated[str, typer.Option(help="Only journeys with this in file or title.")] = "",
    write: Annotated[bool, typer.Option(help="Put the figures into docs/quality.md.")] = False,
    show: Annotated[bool, typer.Option(help="Print every journey turn by turn.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Play the journeys; exits with 1 when one does not hold."""
    journeys = [one for one in load() if name.casefold() in one.id.casefold()]
    if not journeys:
        print(f"no journey has “{name}” in its file or title", file=sys.stderr)
        raise typer.Exit(2)
    played: list[tuple[Journey, Played]] = []
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder) / "stage") as place:
        for at, journey in enumerate(journeys, 1):
            went = play(place, journey)
            played.append((journey, went))
            mark = "FAILS" if went.problems else "holds"
            print(f"[{at}/{len(journeys)}] {mark}  {journey.id}", file=sys.stderr, flush=True)
            if (went.problems or show) and not as_json:
                print("\n".join([f"\n## {journey.id}", *went.transcript, *went.problems]))
    if as_json:
        found = [
            {"journey": one.id, "turns": went.turns, "problems": went.problems}
            for one, went in played
        ]
        print(json.dumps({"journeys": found}))
    else:
        print("\n" + section(played))
    if write:
        document = ROOT / "docs" / "quality.md"
        text = placed(document.read_text("utf-8"), section(played))
        document.write_text(text, encoding="utf-8")
    if any(went.problems and not one.known_miss for one, went in played):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)

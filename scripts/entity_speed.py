"""How long SupportEntities takes for a message; run it in the engine's environment:

.venv-engine/bin/python scripts/entity_speed.py
"""

from __future__ import annotations

import random
import statistics
import sys
import timeit
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import yaml  # noqa: E402
from rasa.engine.storage.resource import Resource  # noqa: E402
from rasa.shared.nlu.training_data.message import Message  # noqa: E402

from bot.engine.entities import SupportEntities  # noqa: E402

MESSAGES, WARM_UP = 200, 20


def messages() -> list[str]:
    """Messages of all intents in an order that stays the same, no two alike."""
    found: list[str] = []
    for path in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        for item in yaml.safe_load(path.read_text("utf-8"))["nlu"]:
            lines = item["examples"].splitlines()
            found += [line[2:] for line in lines if line.startswith("- ")]
    random.Random(0).shuffle(found)
    return found[: MESSAGES + WARM_UP]


def main() -> None:
    config = {**SupportEntities.get_default_config(), "catalogue": str(ROOT / "data/catalogue.csv")}
    component = SupportEntities(config, Resource("speed"))
    times = []
    for text in messages():
        message = Message({"text": text})
        times.append(timeit.timeit(lambda m=message: component.process([m]), number=1) * 1000)
    times = times[WARM_UP:]
    print(f"{len(times)} messages, each for the first time: median {statistics.median(times):.2f} ms, "
          f"95 % below {sorted(times)[int(len(times) * 0.95)]:.2f} ms")  # fmt: skip


if __name__ == "__main__":
    main()

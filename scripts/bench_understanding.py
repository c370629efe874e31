"""How long it takes to understand a message, on one core: run by `scripts/bench.py`.

Runs in the engine's environment: `.venv-engine/bin/python scripts/bench_understanding.py MODEL`.
Loads the model as the engine does and times `Agent.parse_message`: tokens, features, intent,
entities and, in ours, emotion. Prints one JSON object: median and 95th percentile in ms.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

ROUNDS = 5
MESSAGES = (
    "hello",
    "how long does a return take?",
    "do you deliver to Norway and what does it cost",
    "my order NP-123456 from last Tuesday still has not arrived, this is the third time I ask",
    "can I pay with a gift card and a credit card together?",
    "I WANT TO TALK TO A PERSON NOW",
    "thank you so much, that helped",
    "cancel it and where is my refund of £59.90",
)


async def measure(model: str) -> dict[str, float]:
    from rasa.core.agent import Agent
    from rasa.utils.common import configure_logging_and_warnings
    from rasa.utils.log_utils import configure_structlog

    configure_logging_and_warnings(logging.ERROR)
    configure_structlog(logging.ERROR)
    agent = Agent.load(model)
    times = []
    for number in range(ROUNDS + 1):
        for text in MESSAGES:
            started = time.perf_counter()
            found = await agent.parse_message(text)
            if number:  # the first round warms up
                times.append(1000 * (time.perf_counter() - started))
            assert found["intent"]["name"], f"nothing understood of {text!r}"
    times.sort()
    return {
        "median": statistics.median(times),
        "p95": times[int(0.95 * (len(times) - 1))],
        "count": len(times),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(sys.argv[1]))))

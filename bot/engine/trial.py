"""`python -m bot.engine.trial FOLDER`: train a pipeline on messages, then ask it about others.

Reads config.yml, train.json (Rasa's JSON format) and ask.json (a list of texts) in FOLDER and writes
answers.json there: for each text its ranking [[intent, confidence], ...], best first, as the
classifier gave it, whatever a FallbackClassifier made of it. Progress goes to stderr. The gateway's
`python -m bot evaluate intents` calls it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any, Dict, List, Text, Tuple

from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.model_training import train_nlu
from tqdm import tqdm

FALLBACK = "nlu_fallback"


def main(folder: Path) -> None:
    """Do it all; any failure is an exception and leaves no answers.json."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("bot").setLevel(logging.INFO)
    model = train_nlu(str(folder / "config.yml"), str(folder / "train.json"), str(folder), "trial")
    if not model:
        sys.exit("Rasa trained no model")
    texts = json.loads((folder / "ask.json").read_text(encoding="utf-8"))
    answers = asyncio.run(_ask(Agent.load(model), texts))
    (folder / "answers.json").write_text(json.dumps(answers), encoding="utf-8")


async def _ask(agent: Agent, texts: List[Text]) -> List[List[Tuple[Text, float]]]:
    answers = []
    for text in tqdm(texts, desc="Asking", unit="text", mininterval=1.0):
        # A leading slash would make it a command.
        message = UserMessage(text.lstrip("/ ") or "?")
        answers.append(_ranking(await agent.processor.parse_message(message)))
    return answers


def _ranking(found: Dict[Text, Any]) -> List[Tuple[Text, float]]:
    ranking = found.get("intent_ranking") or [found["intent"]]
    return [
        (one["name"], float(one["confidence"]))
        for one in ranking
        if one["name"] and one["name"] != FALLBACK
    ]


if __name__ == "__main__":
    main(Path(sys.argv[1]))

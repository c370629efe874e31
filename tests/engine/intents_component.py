"""Run by test_intents.py in the engine's environment: IntentClassifier as Rasa's graph uses it.

Prints one JSON object; the folder to keep models in is the first argument.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import yaml
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.encoder import Encoder
from bot.engine.encoder import SentenceEncoder
from bot.engine.intents import IntentClassifier

ASKED = ["where's my parcel?", "how do you tune a violin", "", "?!", "🙂", "x" * 3000, "أين طلبي"]


def main(folder: Path) -> None:
    context = ExecutionContext(GraphSchema({}), node_name="node")
    config = SentenceEncoder.get_default_config()
    featurizer = SentenceEncoder(config, "encoder", Encoder(Path(config["model_dir"])))

    def understood(classifier: IntentClassifier, texts: list[str]) -> list[Message]:
        messages = [Message({TEXT: text}) for text in texts]
        return classifier.process(featurizer.process(messages))

    def trained(name: str, messages: list[Message]) -> tuple[IntentClassifier, IntentClassifier]:
        """A classifier as it is after training, and as it is loaded."""
        (folder / name).mkdir()
        storage, resource = LocalModelStorage.create(folder / name), Resource("intents")
        settings = IntentClassifier.get_default_config()
        fresh = IntentClassifier.create(settings, storage, resource, context)
        fresh.train(TrainingData(featurizer.process(messages)))
        return fresh, IntentClassifier.load(settings, storage, resource, context)

    def ours() -> list[Message]:
        return [
            Message({TEXT: line[2:], INTENT: item["intent"]})
            for file in ("orders.yml", "returns.yml")
            for item in yaml.safe_load(Path("data/nlu", file).read_text("utf-8"))["nlu"]
            for line in item["examples"].splitlines()[:25]
        ]

    fresh, loaded = trained("one", ours())
    again, _ = trained("two", ours())
    _, empty = trained("three", [])
    single, _ = trained("four", [Message({TEXT: "hello", INTENT: "greet"})])
    (kept,) = folder.glob("one/**/model.npz")
    (kept_again,) = folder.glob("two/**/model.npz")
    messages = understood(loaded, ASKED)
    times = []
    for _ in range(60):
        started = time.perf_counter()
        understood(loaded, ["my parcel was due on tuesday and has not come, where is it"])
        times.append(time.perf_counter() - started)
    with np.load(kept, allow_pickle=False) as one, np.load(kept_again, allow_pickle=False) as two:
        same = all(np.array_equal(one[name], two[name]) for name in one.files)
    print(
        json.dumps(
            {
                "answers": [message.get(INTENT) for message in messages],
                "rankings": [message.get("intent_ranking") for message in messages],
                "fresh": [message.get(INTENT) for message in understood(fresh, ASKED)],
                "again": [message.get(INTENT) for message in understood(again, ASKED)],
                "untrained": understood(empty, ["hello"])[0].get(INTENT),
                "single": [
                    one.get(INTENT) for one in understood(single, ["hello", "nuclear fusion"])
                ],
                "same": same,
                "milliseconds": float(np.median(times) * 1000),
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))

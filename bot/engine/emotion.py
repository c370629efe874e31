"""EmotionClassifier: how the customer feels, for each message and over the last ones."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Dict, List, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.encoder import ModelMissing, TextModel
from bot.mood import advance


# Registered as an extractor: Rasa knows no kind for feelings, and of extractors it calls `process`
# when serving only, so training never waits for emotions.
@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class EmotionClassifier(GraphComponent):
    """Sets `emotion` and `mood` on each message.

    emotion = {"label": one of the eight, "probabilities": {label: 0..1}, "intensity": 0..1}

    The label is the model's decision, which leans towards trouble as a support line must, and need
    not be the likeliest single label; `config.json` beside the model says how it is made.
    Intensity is 1 less the probability of neutral.
    """

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {
            # Folder of the exported emotion model, relative to where Rasa runs.
            "model_dir": "models/emotion-onnx",
            # Threads for one message; one leaves the other cores to other conversations.
            "threads": 1,
        }

    @staticmethod
    def required_packages() -> List[Text]:
        return ["onnxruntime", "tokenizers"]

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> EmotionClassifier:
        """Load the model. Raises ModelMissing: feelings unseen are worse than no start."""
        folder = Path(config["model_dir"])
        if not (folder / "config.json").is_file():
            raise ModelMissing(folder / "config.json")
        facts = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        model = TextModel(folder, max_tokens=facts["max_tokens"], threads=config["threads"])
        return cls(model, facts["support"]["labels"])

    def __init__(self, model: TextModel, labels: List[Text]) -> None:
        self._model = model
        self._labels = labels

    def process(self, messages: List[Message]) -> List[Message]:
        """Judge each message in place."""
        for message in messages:
            emotion = self._judge((message.get(TEXT) or "").strip())
            message.set("emotion", emotion, add_to_output=True)
            message.set("mood", self._mood(message, emotion), add_to_output=True)
        return messages

    def _judge(self, text: Text) -> Dict[Text, Any]:
        """The emotion of one text; of an empty one, neutral."""
        if not text:
            probabilities = {label: float(label == "neutral") for label in self._labels}
            return {"label": "neutral", "probabilities": probabilities, "intensity": 0.0}
        outputs = self._model.run([text])
        probabilities = {
            label: round(float(p), 4) for label, p in zip(self._labels, outputs["support"][0])
        }
        return {
            "label": self._labels[int(outputs["label"][0])],
            "probabilities": probabilities,
            "intensity": round(1.0 - probabilities["neutral"], 4),
        }

    def _mood(self, message: Message, emotion: Dict[Text, Any]) -> Dict[Text, Any]:
        """The mood over this message and those before it; the gateway sends the mood so far in the
        message's metadata."""
        metadata = message.get("metadata") or {}
        at = metadata.get("at") or time.time()
        return advance(metadata.get("mood"), emotion, at, message.get(TEXT) or "")

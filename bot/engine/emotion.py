"""EmotionClassifier: how the customer feels, for each message and over the last ones."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Dict, List, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.feeling import Feelings
from bot.mood import advance


# Registered as an extractor: Rasa knows no kind for feelings, and of extractors it calls `process`
# when serving only, so training never waits for emotions.
@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class EmotionClassifier(GraphComponent):
    """Sets `emotion`, as `bot.feeling.Feelings.judge` describes it, and `mood` on each message.

    The label is the model's decision, which leans towards trouble as a support line must, and need
    not be the likeliest single label; `config.json` beside the model says how it is made.
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
        return cls(Feelings(Path(config["model_dir"]), threads=config["threads"]))

    def __init__(self, feelings: Feelings) -> None:
        self._feelings = feelings

    def process(self, messages: List[Message]) -> List[Message]:
        """Judge each message in place."""
        found = self._feelings.judge([message.get(TEXT) or "" for message in messages])
        for message, emotion in zip(messages, found, strict=True):
            message.set("emotion", emotion, add_to_output=True)
            message.set("mood", self._mood(message, emotion), add_to_output=True)
        return messages

    def _mood(self, message: Message, emotion: Dict[Text, Any]) -> Dict[Text, Any]:
        """The mood over this message and those before it; the gateway sends the mood so far in the
        message's metadata."""
        metadata = message.get("metadata") or {}
        at = metadata.get("at") or time.time()
        return advance(metadata.get("mood"), emotion, at, message.get(TEXT) or "")

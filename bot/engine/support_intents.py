"""SupportIntents: the intent classifier, asked again for the clauses of a longer message."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Text, Tuple

import numpy as np
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.engine.details import without_details
from bot.engine.encoder import shared_encoder
from bot.engine.intents import IntentClassifier
from bot.engine.wishes import Wishes, close_call


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SupportIntents(IntentClassifier):
    """Sets the intent as its parent does, and on a message that has them:

    wishes = [{"intent", "confidence", "text", "start", "end"}], two or more in the order of the text,
    or a single one for a person; between = [intent, intent], two that are too close to tell.

    It only tells; `IntentRules` decides what comes of it.
    """

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {
            **IntentClassifier.get_default_config(),
            "threads": 1,
            # Intents that no classifier learns: rules set them, and their examples are for Rasa's
            # checks of the data.
            "by_rule": ["several_wishes"],
            # When two intents are too close to tell: the lead of the first is less than `margin`,
            # and its confidence from `least` up to `most`.
            "margin": 0.2,
            "least": 0.25,
            "most": 0.6,
        }

    def __init__(
        self, config: Dict[Text, Any], model_storage: ModelStorage, resource: Resource
    ) -> None:
        super().__init__(config, model_storage, resource)
        self._wishes = Wishes()
        self._encoder = shared_encoder(config["model_dir"], config["threads"])

    def train(self, training_data: TrainingData) -> Resource:
        """Learn every intent but those that rules set."""
        by_rule = self._config["by_rule"]
        learnt = [one for one in training_data.training_examples if one.get(INTENT) not in by_rule]
        return super().train(TrainingData(learnt))

    def process(self, messages: List[Message]) -> List[Message]:
        """Judge each message in place."""
        super().process(messages)
        settings = self._config
        for message in messages:
            ranking = message.get("intent_ranking") or []
            close = close_call(
                [one["name"] for one in ranking],
                np.array([one["confidence"] for one in ranking]),
                margin=settings["margin"],
                least=settings["least"],
                most=settings["most"],
            )
            if close:
                message.set("between", list(close), add_to_output=True)
            wishes = self._wishes.find(without_details(message.get(TEXT) or ""), self._judge)
            if wishes:
                message.set("wishes", [wish.as_dict() for wish in wishes], add_to_output=True)
        return messages

    def _judge(self, texts: Sequence[Text]) -> Tuple[Sequence[Text], np.ndarray]:
        vectors = np.concatenate([self._encoder.encode([text]) for text in texts])
        likely, known = self._model.judge(vectors, list(texts))
        return self._labels, likely * known[:, None]

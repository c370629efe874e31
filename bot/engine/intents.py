"""IntentClassifier: which intent a message has, with a confidence that means something."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Text, Tuple, Type

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier as RasaClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.exceptions import InvalidConfigException, RasaException
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.encoder import Encoder
from bot.engine import kernel
from bot.engine.details import without_details

MODEL, LABELS = "model.npz", "labels.json"

logger = logging.getLogger(__name__)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(RasaClassifier, GraphComponent):
    """Sets `intent` and `intent_ranking` from SentenceEncoder's vectors and the message's n-grams.

    A confidence is the probability that the message has that intent; those of all intents add up to
    the probability that it has any, so a message of none has low ones throughout.
    """

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {
            # Folder of SentenceEncoder's model, for the vectors of the background in training.
            "model_dir": "models/encoder",
            **kernel.DEFAULTS,
            # Learn from the background's sentences what no intent looks like.
            "background": True,
            # Intents in the ranking; 0 for all.
            "ranking_length": 10,
        }

    @classmethod
    def required_components(cls) -> List[Type]:
        return [Featurizer]

    @classmethod
    def validate_config(cls, config: Dict[Text, Any]) -> None:
        given = {**cls.get_default_config(), **config}
        for name in ("gamma", "ridge", "landmarks"):
            if not given[name] > 0:
                raise InvalidConfigException(f"IntentClassifier: `{name}` must be above 0.")
        if given["share"] < 0 or not 0 <= given["refused"] < 1:
            raise InvalidConfigException(
                "IntentClassifier: `share` must not be below 0, and `refused` lie between 0 and 1."
            )

    @classmethod
    def fingerprint_addon(cls, config: Dict[Text, Any]) -> Optional[Text]:
        """The background's hash: other sentences make another model."""
        return hashlib.sha256(kernel.BACKGROUND.read_bytes()).hexdigest()

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> IntentClassifier:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> IntentClassifier:
        """The trained classifier; one that was trained on no intents gives none."""
        component = cls(config, model_storage, resource)
        try:
            with model_storage.read_from(resource) as folder:
                component._labels = json.loads((folder / LABELS).read_text(encoding="utf-8"))
                component._model = kernel.Model.load(folder / MODEL)
        except ValueError:
            logger.warning("IntentClassifier was trained on no messages and will find no intent.")
        return component

    def __init__(
        self, config: Dict[Text, Any], model_storage: ModelStorage, resource: Resource
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._labels: List[Text] = []
        self._model: Optional[kernel.Model] = None

    def train(self, training_data: TrainingData) -> Resource:
        """Fit and store. The same messages in the same order give the same model."""
        examples = [
            example
            for example in training_data.intent_examples
            if example.get(INTENT) and (example.get(TEXT) or "").strip()
        ]
        if not examples:
            return self._resource
        self._labels, numbers = _numbered([example.get(INTENT) for example in examples])
        vectors = np.vstack([_vector(example) for example in examples])
        self._model = kernel.fit(
            vectors,
            [example.get(TEXT) for example in examples],
            numbers,
            background=self._background(vectors),
            **{name: self._config[name] for name in kernel.DEFAULTS},
            say=lambda words: logger.info(f"IntentClassifier: {words}"),
        )
        with self._model_storage.write_to(self._resource) as folder:
            self._model.save(folder / MODEL)
            (folder / LABELS).write_text(json.dumps(self._labels), encoding="utf-8")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Rasa asks for it where policies learn from messages; ours are rules."""
        self.process([one for one in training_data.training_examples if one.get(TEXT)])
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        """Judge each message in place."""
        for message in messages:
            ranking = self._rank(message) if self._model else []
            nothing = {"name": None, "confidence": 0.0}
            message.set(INTENT, ranking[0] if ranking else nothing, add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages

    def _rank(self, message: Message) -> List[Dict[Text, Any]]:
        likely, known = self._model.judge(
            _vector(message), [without_details(message.get(TEXT) or "")]
        )
        confidences = likely[0] * known[0]
        order = np.argsort(-confidences, kind="stable")
        return [
            {"name": self._labels[at], "confidence": float(confidences[at])}
            for at in order[: self._config["ranking_length"] or None]
        ]

    def _background(self, vectors: np.ndarray) -> Tuple[np.ndarray, Sequence[Text]]:
        """The background's vectors and sentences, without those that come near an intent."""
        if not self._config["background"]:
            return np.zeros((0, vectors.shape[1]), dtype=np.float32), []
        sentences = kernel.background()
        found = Encoder(Path(self._config["model_dir"])).encode(sentences)
        if found.shape[1] != vectors.shape[1]:
            raise RasaException(
                f"IntentClassifier: the messages' vectors have {vectors.shape[1]} numbers, those of "
                f"{self._config['model_dir']} {found.shape[1]}. It reads SentenceEncoder alone: take "
                "other dense featurizers out of the pipeline, and name the same `model_dir`."
            )
        far = kernel.strangers(found, vectors)
        return found[far], [sentences[at] for at in far]


def _numbered(names: Sequence[Text]) -> Tuple[List[Text], np.ndarray]:
    """The different names in order, and for each name its place among them."""
    labels, numbers = np.unique(np.array(names, dtype=object), return_inverse=True)
    return [str(label) for label in labels], numbers


def _vector(message: Message) -> np.ndarray:
    """The sentence feature of a message, (1, dimension)."""
    sentence = message.get_dense_features(TEXT)[1]
    if sentence is None:
        raise RasaException("IntentClassifier needs bot.engine.encoder.SentenceEncoder before it.")
    return np.asarray(sentence.features, dtype=np.float32).reshape(1, -1)

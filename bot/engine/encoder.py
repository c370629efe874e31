"""SentenceEncoder: the vector of the whole message, as a dense feature for Rasa's classifiers."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Optional, Text, Type

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import TOKENS_NAMES
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from tqdm import tqdm

from bot.encoder import Encoder, ModelMissing
from bot.engine.details import without_details


@lru_cache(maxsize=2)
def shared_encoder(model_dir: Text, threads: int) -> Encoder:
    """The encoder of a folder, once a process. Raises ModelMissing."""
    return Encoder(Path(model_dir), threads=threads)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceEncoder(DenseFeaturizer, GraphComponent):
    """Adds a sentence feature, float32 (1, 384), to every message; of an empty text, zeros.

    IntentClassifier reads only that. DIETClassifier refuses to train without sequence
    features, so each token is given the sentence's vector too: float32 (tokens, 384).
    """

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {
            **DenseFeaturizer.get_default_config(),
            # Folder of the exported encoder, relative to where Rasa runs.
            "model_dir": "models/encoder",
            # Length of the vectors. Rasa's LogisticRegressionClassifier fixes its regularisation at
            # C = 1, and vectors of length s there are the same as C = s² with unit vectors.
            "scale": 1.0,
            # Threads for one message; one leaves the other cores to other conversations.
            "threads": 1,
            # Give each token the sentence's vector. Turn it off where another featurizer has
            # sequence features for DIETClassifier; nothing else reads them.
            "sequence_features": True,
        }

    @classmethod
    def required_components(cls) -> List[Type]:
        return [Tokenizer]

    @staticmethod
    def required_packages() -> List[Text]:
        return ["onnxruntime", "tokenizers"]

    @classmethod
    def validate_config(cls, config: Dict[Text, Any]) -> None:
        if not config.get("model_dir"):
            raise InvalidConfigException("SentenceEncoder needs a `model_dir`.")

    @classmethod
    def fingerprint_addon(cls, config: Dict[Text, Any]) -> Optional[Text]:
        """The model's own hash: a new model must not meet features cached from the old one."""
        folder = Path({**cls.get_default_config(), **config}["model_dir"])
        digest = hashlib.sha256()
        for name in ("model.onnx", "tokenizer.json"):
            if not (folder / name).is_file():
                raise ModelMissing(folder / name)
            digest.update((folder / name).read_bytes())
        return digest.hexdigest()

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceEncoder:
        """Load the encoder. Raises ModelMissing: a bot without its encoder must not start."""
        encoder = shared_encoder(config["model_dir"], config["threads"])
        return cls(config, execution_context.node_name, encoder)

    def __init__(self, config: Dict[Text, Any], name: Text, encoder: Encoder) -> None:
        super().__init__(name, config)
        self._encoder = encoder
        self._nothing = np.zeros((1, encoder.dimension), dtype=np.float32)

    def process(self, messages: List[Message]) -> List[Message]:
        """Add the features to each message in place; one that has no text at all is left alone."""
        for message in messages:
            if message.get(TEXT) is not None:
                self._add(message)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """As `process`, for every training example, with a progress bar."""
        examples = tqdm(training_data.training_examples, desc="Encoding sentences", unit="text")
        self.process(examples)
        return training_data

    def _add(self, message: Message) -> None:
        text = " ".join(without_details(message.get(TEXT)).split())
        # Classifiers need a feature even of nothing, or an empty message ends the turn in an error.
        vector = self._encoder.encode([text]) if text.strip() else self._nothing
        vector = vector * np.float32(self._config["scale"])
        sequence = None
        if self._config["sequence_features"]:
            sequence = np.repeat(vector, max(1, len(message.get(TOKENS_NAMES[TEXT]) or [])), axis=0)
        self.add_features_to_message(sequence, vector, TEXT, message)

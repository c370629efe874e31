"""Text to vectors with ONNX Runtime: the one module that both environments import.

Standard library, numpy, onnxruntime and tokenizers only, and valid on Python 3.10, because the
engine's old environment loads it too. `bot.build.encoder` writes the folder that it reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

import numpy as np
import onnxruntime as ort
from tokenizers import Encoding, Tokenizer


class ModelMissing(FileNotFoundError):
    """A model's folder, or a file in it, is not there: it was never built."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"no model at {path}: run `make train`")
        self.path = path


class TextModel:
    """A folder with `tokenizer.json` and `model.onnx`: texts in, the graph's outputs out.

    The graph takes `input_ids` and `attention_mask`, both int64 (batch, tokens), and every output
    has one row for each text. Safe to call from several threads at once.
    """

    def __init__(self, model_dir: Path, max_tokens: int = 256, threads: int = 1) -> None:
        """Load the model; longer texts lose what comes after `max_tokens` tokens.

        `threads` are ONNX Runtime's for one run: one, so that turns run side by side.
        Raises ModelMissing.
        """
        folder = Path(model_dir)
        for name in ("model.onnx", "tokenizer.json"):
            if not (folder / name).is_file():
                raise ModelMissing(folder / name)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(max_length=max_tokens)
        self._tokenizer.no_padding()
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self.outputs = [output.name for output in self._session.get_outputs()]

    def width(self, output: str) -> int:
        """The number of columns of one output."""
        (found,) = [o for o in self._session.get_outputs() if o.name == output]
        return int(found.shape[-1])

    def run(self, texts: Sequence[str], only: Sequence[str] = ()) -> dict[str, np.ndarray]:
        """Every output by its name, or `only` those; rows in the order of `texts`; at least one.

        One text at a time. An int8 graph scales its activations by the largest in the whole batch,
        so in a batch a text's vector depends on its neighbours (cosine .987 to itself alone), and
        padding makes a batch no faster on a core (measured 6.4 ms a text against 4.3).
        """
        rows = [self._run_one(text) for text in texts]
        return {
            name: np.concatenate([row[column] for row in rows])
            for column, name in enumerate(self.outputs)
            if not only or name in only
        }

    def run_each(self, texts: Sequence[str]) -> list[tuple[Encoding, dict[str, np.ndarray]]]:
        """Each text's encoding by the tokenizer, and the outputs for it alone by their names."""
        results = []
        for text in texts:
            encoding = self._tokenizer.encode(text)
            outputs = self._run_ids(encoding.ids)
            results.append((encoding, dict(zip(self.outputs, outputs))))
        return results

    def _run_one(self, text: str) -> list[np.ndarray]:
        return self._run_ids(self._tokenizer.encode(text).ids)

    def _run_ids(self, ids: Sequence[int]) -> list[np.ndarray]:
        row = np.array([ids], dtype=np.int64)
        return self._session.run(
            self.outputs, {"input_ids": row, "attention_mask": np.ones_like(row)}
        )


@dataclass(frozen=True)
class Tokens:
    """The tokens of a text as they are meant there, without the model's own ([CLS], [SEP]).

    `vectors` float32 (tokens, 128) of length 1; `pieces` the tokenizer's word pieces, lower case, a
    piece within a word with `##` in front; `places` where each stands in the text, [start, end).
    """

    vectors: np.ndarray
    pieces: tuple[str, ...]
    places: tuple[tuple[int, int], ...]


class Encoder:
    """Sentence vectors of all-MiniLM-L6-v2, or of any model exported in the same shape."""

    def __init__(self, model_dir: Path, threads: int = 1) -> None:
        """Load the model in `model_dir` (`models/encoder`). Raises ModelMissing."""
        self._model = TextModel(model_dir, threads=threads)
        self.dimension = self._model.width("vector")

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of length 1, float32 (len(texts), dimension): a dot product is a cosine."""
        if len(texts) == 0:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return self._model.run(texts, ["vector"])["vector"]

    def encode_tokens(self, text: str) -> tuple[np.ndarray, Tokens]:
        """A text's vector, float32 (dimension,), and its tokens; one pass through the model."""
        return self.encode_with_tokens([text])[0]

    def encode_with_tokens(self, texts: Sequence[str]) -> list[tuple[np.ndarray, Tokens]]:
        """The same for many texts, in their order."""
        results = []
        for encoding, outputs in self._model.run_each(texts):
            inner = slice(1, len(encoding.ids) - 1)
            tokens = Tokens(
                outputs["tokens"][0][inner],
                tuple(encoding.tokens[inner]),
                tuple(encoding.offsets[inner]),
            )
            results.append((outputs["vector"][0], tokens))
        return results

"""The labels, the settings of a training run, and the texts to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

# How the 28 labels of GoEmotions become the 8 of a support line, in the order they are served.
SUPPORT = {
    "angry": ["anger", "disgust"],
    "frustrated": ["annoyance", "disappointment", "disapproval"],
    "worried": ["fear", "nervousness"],
    "sad": ["sadness", "grief", "remorse"],
    "confused": ["confusion"],
    "grateful": ["gratitude"],
    "satisfied": [
        "admiration", "amusement", "approval", "excitement", "joy", "love", "optimism", "pride",
        "relief",
    ],
    "neutral": [
        "neutral", "caring", "curiosity", "desire", "embarrassment", "realization", "surprise",
    ],
}  # fmt: skip
NAMES = list(SUPPORT)
NEGATIVE = ["angry", "frustrated", "worried", "sad"]
# Labels that share one prior. Few, because few lines speak for them.
PRIORS = [["angry"], ["frustrated", "worried", "sad"], ["confused"], ["grateful"], ["satisfied"]]
NEGATIVE_SHARE = 0.5

LORA_MODULES = ["query", "key", "value", "dense"]  # every linear layer of attention and ffn
MAX_TOKENS = 64
MAX_DRIFT = 0.02  # mean difference of the 28 probabilities, ONNX int8 to torch
SAVE_EVERY = 200  # steps between checkpoints
CHECKPOINT = Path("var/emotion-checkpoint/last.pt")
LINES = Path(__file__).with_name("emotion_dev.tsv")


@dataclass(frozen=True)
class Settings:
    """What a training run depends on; a checkpoint of other settings is not resumed."""

    epochs: int = 4
    batch: int = 32
    rate: float = 8e-4
    warmup: float = 0.06  # share of the steps
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.1
    seed: int = 7


@dataclass(frozen=True)
class Rows:
    """Texts as token ids, and float32 targets: 1 where the row has the label (rows, labels)."""

    ids: list[list[int]]
    targets: np.ndarray


def read_goemotions(path: Path, labels: int, base: Path) -> Rows:
    """Read `text<TAB>comma-separated label numbers<TAB>id`."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n") if line]
    targets = np.zeros((len(rows), labels), dtype=np.float32)
    for row, (_, numbers, _) in enumerate(rows):
        targets[row, [int(number) for number in numbers.split(",")]] = 1
    return Rows(tokenise([text for text, _, _ in rows], base), targets)


def read_lines() -> tuple[list[str], np.ndarray]:
    """Our own support lines, and for each the number of its support label."""
    rows = [line.split("\t") for line in LINES.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if len(row) == 2]
    return [text for text, _ in rows], np.array([NAMES.index(label) for _, label in rows])


def tokenise(texts: list[str], base: Path) -> list[list[int]]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    return [encoding.ids for encoding in tokenizer.encode_batch(texts)]


def pad(ids: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask, int64 (texts, tokens), tokens a multiple of 4: fewer shapes to plan."""
    width = -(-max(len(row) for row in ids) // 4) * 4
    padded = torch.zeros(len(ids), width, dtype=torch.int64)
    mask = torch.zeros_like(padded)
    for row, tokens in enumerate(ids):
        padded[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
    return padded, mask


def epoch_batches(ids: list[list[int]], size: int, seed: int) -> list[np.ndarray]:
    """Row numbers of each batch: like lengths together, and both rows and batches shuffled."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(ids))
    order = order[np.argsort([len(ids[i]) for i in order], kind="stable")]
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    return [batches[i] for i in rng.permutation(len(batches))]

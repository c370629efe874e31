"""The labels, the settings of a training run, and the texts to learn from."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from bot.feeling import as_heard

NAMES = [
    "angry", "frustrated", "worried", "sad", "confused", "grateful", "satisfied", "neutral",
]  # fmt: skip
"""What a support line wants to know, in the order in which the probabilities are served."""

NEGATIVE = ["angry", "frustrated", "worried", "sad"]
HEATED = ["angry", "frustrated"]

# The coarser labels that papers on GoEmotions report; the taxonomy is its authors'.
EKMAN = {
    "anger": ["anger", "annoyance", "disapproval"],
    "disgust": ["disgust"],
    "fear": ["fear", "nervousness"],
    "joy": [
        "joy", "amusement", "approval", "excitement", "gratitude", "love", "optimism", "relief",
        "pride", "admiration", "desire", "caring",
    ],
    "sadness": ["sadness", "disappointment", "embarrassment", "grief", "remorse"],
    "surprise": ["surprise", "realization", "confusion", "curiosity"],
    "neutral": ["neutral"],
}  # fmt: skip
GROUPS = {
    "positive": [
        "amusement", "excitement", "joy", "love", "desire", "optimism", "caring", "pride",
        "admiration", "gratitude", "relief", "approval",
    ],
    "negative": [
        "fear", "nervousness", "remorse", "embarrassment", "disappointment", "sadness", "grief",
        "disgust", "anger", "annoyance", "disapproval",
    ],
    "ambiguous": ["realization", "surprise", "curiosity", "confusion"],
    "neutral": ["neutral"],
}  # fmt: skip

LORA_MODULES = ["query", "key", "value", "dense"]  # every linear layer of attention and ffn
MAX_TOKENS = 128
MAX_DRIFT = 0.02  # mean difference of the probabilities, ONNX int8 to torch
FEELINGS = Path(__file__).with_name("feelings")
"""Lines written for this project: `train.tsv` to learn from, `dev.tsv` to calibrate on."""


@dataclass(frozen=True)
class Settings:
    """What a training run depends on; a checkpoint of other settings is not resumed."""

    epochs: int = 4
    batch: int = 32
    rate: float = 8e-4
    head_rate: float = 2e-3
    warmup: float = 0.06  # share of the steps
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.1
    seed: int = 7
    every: int = 6  # so many batches of GoEmotions to one of our lines
    lines: int = 12
    abuse: int = 6


@dataclass(frozen=True)
class Rows:
    """Texts as token ids, and float32 targets: 1 where the row has the label (rows, labels)."""

    ids: list[list[int]]
    targets: np.ndarray


@dataclass(frozen=True)
class Lines:
    """Our lines: `moods` float32 (lines, 8) summing to 1, `intensity` float32 (lines,) 0..1, `abuse`
    int64 (lines,) as in `bot.feeling.ABUSE`."""

    texts: list[str]
    ids: list[list[int]]
    moods: np.ndarray
    intensity: np.ndarray
    abuse: np.ndarray

    @property
    def gold(self) -> np.ndarray:
        """The number of each line's main mood."""
        return self.moods.argmax(axis=1)


def read_goemotions(path: Path, labels: int, base: Path) -> Rows:
    """Read `text<TAB>comma-separated label numbers<TAB>id`."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n") if line]
    targets = np.zeros((len(rows), labels), dtype=np.float32)
    for row, (_, numbers, _) in enumerate(rows):
        targets[row, [int(number) for number in numbers.split(",")]] = 1
    return Rows(tokenise([text for text, _, _ in rows], base), targets)


def read_lines(name: str, base: Path) -> Lines:
    """Read `text<TAB>mood or main mood,second mood<TAB>intensity 0..3<TAB>abuse 0..2`."""
    rows = [
        line.split("\t")
        for line in (FEELINGS / name).read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    moods = np.zeros((len(rows), len(NAMES)), dtype=np.float32)
    for row, (_, said, _, _) in enumerate(rows):
        names = said.split(",")
        for mood, share in zip(names, (1.0,) if len(names) == 1 else (0.75, 0.25), strict=True):
            moods[row, NAMES.index(mood)] = share
    texts = [text for text, *_ in rows]
    return Lines(
        texts,
        tokenise(texts, base),
        moods,
        np.array([int(strength) / 3 for _, _, strength, _ in rows], dtype=np.float32),
        np.array([int(abuse) for *_, abuse in rows]),
    )


def read_convabuse(path: Path, base: Path) -> Rows:
    """ConvAbuse's users' messages; target 1 (rows, 1) where most annotators saw abuse."""
    texts, targets = [], []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            votes = [
                grade in ("-1", "-2", "-3")
                for name, value in row.items()
                if "_is_abuse." in name and value in ("1", "1.0")
                for grade in [name.rsplit(".", 1)[1]]
            ]
            if votes:
                texts.append(row["user"])
                targets.append([float(2 * sum(votes) > len(votes))])
    return Rows(tokenise(texts, base), np.array(targets, dtype=np.float32))


def tokenise(texts: list[str], base: Path) -> list[list[int]]:
    """Token ids of the texts as the model hears them."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    return [encoding.ids for encoding in tokenizer.encode_batch([as_heard(it) for it in texts])]


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

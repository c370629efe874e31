"""The mathematics of IntentClassifier: kernel ridge regression with a calibrated confidence.

Numpy, scipy and the standard library only. Two messages are alike by their sentence vectors (a
Gaussian kernel) and by the n-grams they share. One score for each intent is fitted in closed form,
near 1 for messages like those of the intent and near 0 far from all of them.

The closed form also says what each score would be had a message, or a whole intent, been left out of
training. So the confidence is fitted on messages that the model has not seen: those of training as
themselves, those of each intent in turn as if nobody had thought of it, and the background's.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, fields
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np
import scipy.linalg
import scipy.sparse
from scipy.optimize import minimize_scalar
from scipy.special import expit, softmax

BACKGROUND = Path(__file__).with_name("background.txt")
BUCKETS = 2**18
NEIGHBOURS = 5
NEAR = 0.6
"""A sentence of the background with this cosine to a training message could well be of its intent."""
STEEPER = 2.0
"""By how much the border between some intent and none is steeper than fitted. The fit weighs what is
outside like what is inside, so it doubts much that lies well inside; messages of no intent are fewer
in life. Measured, 2 brought accuracy, AUROC and calibration on public sets."""
LEFT_OUT = 0.3
"""What the messages of intents left out weigh in the confidence, and the background the rest of 1.
They are the harder ones, and the fewer in life."""
_WORDS = re.compile(r"\w+|[?!]")

Say = Callable[[str], None]

DEFAULTS: Dict[str, Any] = {
    # How fast likeness falls with the cosine of two messages.
    "gamma": 2.0,
    # Weight of shared words and letters beside the sentence vector.
    "share": 0.25,
    # Regularisation.
    "ridge": 0.15,
    # Training messages that a new one is compared with; of more, a sample.
    "landmarks": 6000,
    # Share of the training messages which, were they new, the model would rather take for messages
    # of no intent than of any.
    "refused": 0.005,
}


def grams(text: str) -> Tuple[List[str], List[str]]:
    """The words and pairs of words of a text, and the runs of 2 to 5 letters within its words."""
    words = _WORDS.findall(text.lower())
    letters = []
    for word in words:
        padded = f" {word} "
        for size in range(2, 6):
            letters += [padded[at : at + size] for at in range(max(1, len(padded) - size + 1))]
    return words + [f"{a} {b}" for a, b in pairwise(words)], letters


def counts(texts: Sequence[str]) -> scipy.sparse.csr_matrix:
    """Dampened counts of n-grams, float32 (texts, 2 · BUCKETS): words left, letters right.

    N-grams are hashed into buckets, so there is no vocabulary to keep; crc32 is the same everywhere.
    """
    indices: List[int] = []
    values: List[float] = []
    ends = [0]
    for text in texts:
        found: Dict[int, int] = {}
        for side, kind in enumerate(grams(text)):
            for gram in kind:
                bucket = side * BUCKETS + zlib.crc32(gram.encode()) % BUCKETS
                found[bucket] = found.get(bucket, 0) + 1
        indices += sorted(found)
        values += [1.0 + log(found[bucket]) for bucket in sorted(found)]
        ends.append(len(indices))
    shape = (len(texts), 2 * BUCKETS)
    return scipy.sparse.csr_matrix((np.array(values, dtype=np.float32), indices, ends), shape)


def weighted(found: scipy.sparse.csr_matrix, rarity: np.ndarray) -> scipy.sparse.csr_matrix:
    """Counts times rarity, the words and the letters of each text both of length √½."""
    result = found.copy()
    result.data = result.data * rarity[result.indices]
    rows = np.repeat(np.arange(result.shape[0]), np.diff(result.indptr))
    place = rows * 2 + (result.indices >= BUCKETS)
    squares = np.bincount(place, result.data**2, minlength=2 * result.shape[0])
    result.data = (result.data / np.sqrt(2 * squares[place])).astype(np.float32)
    return result


def unit(vectors: np.ndarray) -> np.ndarray:
    """Each row at length 1, float32; a row of zeros (an empty message) stays."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1)).astype(np.float32)


def background() -> List[str]:
    """The sentences of nobody's business that are shipped."""
    lines = [line.strip() for line in BACKGROUND.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def strangers(others: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The places of those `others` (the background's vectors) that come near no training message."""
    return np.flatnonzero((unit(others) @ unit(vectors).T).max(axis=1) < NEAR)


@dataclass
class Model:
    """What is kept, all arrays. The first `landmarks` are training messages, the rest background.

    `vectors` (landmarks, 384), `grams_*` the n-grams of the landmarks by bucket (compressed rows),
    `rarity` (2 · BUCKETS,), `weights` (landmarks, intents), `shape` [gamma, share of the n-grams,
    sharpness of the softmax, number of training landmarks], `logistic` (signals + 1,).
    """

    vectors: np.ndarray
    grams_data: np.ndarray
    grams_indices: np.ndarray
    grams_ends: np.ndarray
    rarity: np.ndarray
    weights: np.ndarray
    shape: np.ndarray
    logistic: np.ndarray

    def __post_init__(self) -> None:
        parts = (self.grams_data, self.grams_indices, self.grams_ends)
        # By bucket: a message looks at the few dozen buckets that it has itself.
        self._by_bucket = scipy.sparse.csr_matrix(
            parts, shape=(len(self.grams_ends) - 1, len(self.vectors))
        )

    def judge(self, vectors: np.ndarray, texts: Sequence[str]) -> Tuple[np.ndarray, np.ndarray]:
        """The probability of each intent, given that it is one of them, (texts, intents), and the
        probability that it is, (texts,)."""
        gamma, share, sharpness, known = self.shape
        cosines = unit(vectors) @ self.vectors.T
        alike = (weighted(counts(texts), self.rarity) @ self._by_bucket).toarray()
        scores = (np.exp(gamma * (cosines - 1)) + share * alike) @ self.weights
        near = closeness(cosines[:, : int(known)], cosines[:, int(known) :])
        return softmax(scores * sharpness, axis=1), expit(signals(scores, near) @ self.logistic)

    def save(self, path: Path) -> None:
        """Write an .npz without pickled objects."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Model:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as found:
            return cls(**{field.name: found[field.name] for field in fields(cls)})


def closeness(known: np.ndarray, background: np.ndarray) -> np.ndarray:
    """(texts, 2): mean cosine to the nearest training messages, and to the nearest background."""
    columns = []
    for cosines in (known, background):
        if cosines.shape[1] == 0:
            columns.append(np.zeros(len(cosines)))
            continue
        count = min(NEIGHBOURS, cosines.shape[1])
        columns.append(-np.partition(-cosines, count - 1, axis=1)[:, :count].mean(axis=1))
    return np.stack(columns, axis=1)


def signals(scores: np.ndarray, near: np.ndarray) -> np.ndarray:
    """What tells whether a message is of any intent at all, (texts, 4): a one, the length of its
    scores, its nearness to training messages and to the background."""
    return np.column_stack([np.ones(len(scores)), np.linalg.norm(scores, axis=1), near])


def fit(
    vectors: np.ndarray,
    texts: Sequence[str],
    intents: np.ndarray,
    *,
    background: Tuple[np.ndarray, Sequence[str]],
    gamma: float,
    share: float,
    ridge: float,
    landmarks: int,
    refused: float,
    say: Say = lambda words: None,
) -> Model:
    """Fit on messages; `intents` are numbers from 0, every one of them used. The rest as in
    `DEFAULTS`; `background` may be empty, and `say` is told how far it is."""
    known = len(texts)
    everything = np.vstack([unit(vectors), unit(background[0])]).astype(np.float32)
    found = counts([*texts, *background[1]])
    rarity = _rarity(found[:known])
    alike = weighted(found, rarity)
    chosen = _sample(intents, landmarks)
    marks = np.concatenate([chosen, np.arange(known, len(everything))])
    say(f"comparing {len(everything)} messages with {len(marks)}")
    cosines = everything @ everything[marks].T
    kernel = np.exp(gamma * (cosines - 1)) + share * (alike @ alike[marks].T).toarray()
    targets = np.zeros((len(everything), int(intents.max()) + 1), dtype=np.float32)
    targets[np.arange(known), intents] = 1
    say("solving")
    weights, reach = _solve(kernel, targets, marks, ridge)
    say("fitting the confidence")
    cosines[marks, np.arange(len(marks))] = -1  # nobody is their own neighbour
    shape, logistic = _confidence(
        kernel @ weights, targets, reach, cosines, intents, chosen=chosen, refused=refused
    )
    by_bucket = alike[marks].T.tocsr()
    return Model(
        everything[marks], by_bucket.data, by_bucket.indices, by_bucket.indptr, rarity, weights,
        np.array([gamma, share, shape, len(chosen)], dtype=np.float64), logistic,
    )  # fmt: skip


def _rarity(found: scipy.sparse.csr_matrix) -> np.ndarray:
    """How rare each bucket is among the training messages: smoothed inverse document frequency."""
    seen = np.bincount(found.indices, minlength=found.shape[1])
    return (np.log((1 + found.shape[0]) / (1 + seen)) + 1).astype(np.float32)


def _sample(intents: np.ndarray, most: int) -> np.ndarray:
    """At most `most` places in `intents`, in rising order, of every intent in turn."""
    if len(intents) <= most:
        return np.arange(len(intents))
    shuffled = np.random.default_rng(0).permutation(len(intents))
    turn = np.empty(len(intents), dtype=np.int64)
    for intent in np.unique(intents):
        own = shuffled[intents[shuffled] == intent]
        turn[own] = np.arange(len(own))
    return np.sort(shuffled[np.argsort(turn[shuffled], kind="stable")][:most])


def _solve(
    kernel: np.ndarray, targets: np.ndarray, marks: np.ndarray, ridge: float
) -> Tuple[np.ndarray, np.ndarray]:
    """The landmarks' weights, and `reach` (messages, landmarks): the products of its rows say how
    much each message's target pulls at the other's score."""
    among = kernel[marks].astype(np.float32)
    among[np.diag_indices_from(among)] += 1e-3  # copies of a message must not make it singular
    root = scipy.linalg.cholesky(among, lower=True, check_finite=False)
    features = scipy.linalg.solve_triangular(
        root, kernel.T.astype(np.float32), lower=True, check_finite=False
    )
    inner = features @ features.T
    inner[np.diag_indices_from(inner)] += ridge
    factor = scipy.linalg.cholesky(inner, lower=True, check_finite=False)
    reach = scipy.linalg.solve_triangular(factor, features, lower=True, check_finite=False)
    half = scipy.linalg.solve_triangular(factor, reach @ targets, lower=True, trans=1)
    weights = scipy.linalg.solve_triangular(root, half, lower=True, trans=1)
    return weights.astype(np.float32), reach.T


def _confidence(
    scores: np.ndarray,
    targets: np.ndarray,
    reach: np.ndarray,
    cosines: np.ndarray,
    intents: np.ndarray,
    *,
    chosen: np.ndarray,
    refused: float,
) -> Tuple[float, np.ndarray]:
    """The softmax's sharpness, and the weights of the signals."""
    known, count = len(intents), len(chosen)
    pull = np.clip(np.square(reach).sum(axis=1, keepdims=True), 0, 0.999)
    unseen = (scores - pull * targets) / (1 - pull)
    rows = np.arange(known)

    def surprise(sharpness: float) -> float:
        likely = softmax(unseen[:known] * sharpness, axis=1)[rows, intents]
        return float(-np.log(np.maximum(likely, 1e-12)).mean())

    sharpness = float(minimize_scalar(surprise, bounds=(1.0, 60.0), method="bounded").x)
    seen = signals(unseen, closeness(cosines[:, :count], cosines[:, count:]))
    strange = signals(*_without_their_intent(scores, reach, cosines, intents, chosen))
    # The only message of an intent, left out, is a message of no intent: it says nothing here.
    told = np.bincount(intents)[intents] > 1
    if not told.any():
        return sharpness, np.array([STEEPER, 0, 0, 0], dtype=np.float64)
    backgrounds = len(seen) - known
    inside = np.concatenate([np.ones(known), np.zeros(backgrounds + known)])
    far = known * (1 - LEFT_OUT) / max(1, backgrounds)
    weight = np.concatenate([told, np.full(backgrounds, far), np.full(known, LEFT_OUT)])
    logistic = _logistic(np.vstack([seen, strange]), inside, weight)
    logistic[0] -= np.quantile((seen[:known] @ logistic)[told], refused)
    return sharpness, STEEPER * logistic


def _without_their_intent(
    scores: np.ndarray,
    reach: np.ndarray,
    cosines: np.ndarray,
    intents: np.ndarray,
    chosen: np.ndarray,
) -> Tuple[np.ndarray, np.ndarray]:
    """Scores and closeness of each training message, had its whole intent been left out."""
    strange = np.zeros((len(intents), scores.shape[1]))
    near = np.zeros((len(intents), 2))
    for intent in np.unique(intents):
        own = np.flatnonzero(intents == intent)
        wanted = np.zeros((len(own), scores.shape[1]))
        wanted[:, intent] = 1
        apart = np.eye(len(own)) * 1.001 - reach[own] @ reach[own].T
        strange[own] = wanted - np.linalg.solve(apart, wanted - scores[own])
        strange[own, intent] = 0
        others = np.flatnonzero(intents[chosen] != intent)
        near[own] = closeness(cosines[own][:, others], cosines[own][:, len(chosen) :])
    return strange, near


def _logistic(found: np.ndarray, right: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weights of a logistic regression by Newton's method, slightly held back."""
    spread = found.std(axis=0)
    middle = np.where(spread > 0, found.mean(axis=0), 0)
    scale = np.where(spread > 0, spread, 1)
    rows = (found - middle) / scale
    hold = np.eye(rows.shape[1])
    hold[0, 0] = 1e-6
    result = np.zeros(rows.shape[1])
    for _ in range(50):
        likely = expit(rows @ result)
        slope = rows.T @ (weight * (likely - right)) + hold @ result
        bend = (rows.T * (weight * likely * (1 - likely))) @ rows + hold
        step = np.linalg.solve(bend, slope)
        result -= step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    weights = result / scale
    weights[0] -= middle @ weights
    return weights

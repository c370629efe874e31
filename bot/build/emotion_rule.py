"""From the network's logits to calibrated probabilities and a decision, and how good they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from bot.build.emotion_data import EKMAN, GROUPS, HEATED, NAMES, NEGATIVE, Lines
from bot.build.emotion_net import EmotionNet
from bot.evaluate.figures import calibration_error

GRID = np.arange(0.05, 0.96, 0.01)


class SupportRule(nn.Module):
    """Logits to what is served.

    The 28 labels: sigmoid(scale * logit + shift). The moods: softmax((logits + bias) / temperature).
    If the negative ones together reach `share`, the label is the likeliest of them, else the
    likeliest of the others: trouble that is split over three words is still trouble. Angry and
    frustrated stand together against the other two for the same reason.
    """

    def __init__(self, scale: np.ndarray, shift: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float32))
        self.register_buffer("shift", torch.tensor(shift, dtype=torch.float32))
        self.register_buffer("bias", torch.zeros(len(NAMES)))
        self.register_buffer("temperature", torch.ones(1))
        self.register_buffer("share", torch.full((1,), 0.5))
        self.register_buffer("negative", torch.tensor([name in NEGATIVE for name in NAMES]))
        self.register_buffer("heated", torch.tensor([name in HEATED for name in NAMES]))

    def emotions(self, logits: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(logits * self.scale + self.shift)

    def moods(self, logits: torch.Tensor) -> torch.Tensor:
        return torch.softmax((logits + self.bias) / self.temperature, dim=1)

    def label(self, moods: torch.Tensor) -> torch.Tensor:
        bad = torch.where(self.negative, moods, torch.zeros_like(moods))
        trouble = bad.sum(dim=1) >= self.share
        heated = torch.where(self.heated, moods, torch.zeros_like(moods))
        # The likelier of the two gets the sum of both, the other as much less as it is.
        joint = heated.sum(dim=1, keepdim=True) - heated.amax(dim=1, keepdim=True) + moods
        bad = torch.where(self.heated, joint, bad)
        others = torch.where(self.negative, torch.zeros_like(moods), moods)
        return torch.where(trouble, bad.argmax(dim=1), others.argmax(dim=1))


class Served(nn.Module):
    """What `models/emotion-onnx` computes: the network and the rule."""

    def __init__(self, net: EmotionNet, rule: SupportRule) -> None:
        super().__init__()
        self.net = net
        self.rule = rule

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        found = self.net(input_ids, attention_mask)
        moods = self.rule.moods(found.moods)
        return (
            self.rule.emotions(found.emotions),
            moods,
            self.rule.label(moods),
            torch.sigmoid(found.intensity),
            torch.softmax(found.abuse, dim=1),
        )


OUTPUTS = ["emotions", "support", "label", "intensity", "abuse"]


def calibrate(logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Platt scaling: for each label the scale and shift that make its logit a probability."""
    from sklearn.linear_model import LogisticRegression

    fits = [
        LogisticRegression(C=1.0).fit(logits[:, [column]], targets[:, column])
        for column in range(targets.shape[1])
    ]
    return (
        np.array([one.coef_[0, 0] for one in fits]),
        np.array([one.intercept_[0] for one in fits]),
    )


def fit_moods(rule: SupportRule, logits: np.ndarray, targets: np.ndarray) -> None:
    """Set temperature and biases by maximum likelihood; one bias for all negative moods, one for
    all others but neutral, since few lines speak for each."""
    found, wanted = torch.from_numpy(logits), torch.from_numpy(targets)
    group = torch.tensor(
        [0 if name in NEGATIVE else 2 if name == "neutral" else 1 for name in NAMES]
    )
    values = torch.zeros(3, requires_grad=True)  # log temperature, two biases
    optimizer = torch.optim.LBFGS([values], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        bias = torch.cat([values[1:], torch.zeros(1)])[group]
        scaled = (found + bias) / values[0].exp()
        loss = nn.functional.cross_entropy(scaled, wanted) + 0.001 * values.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        rule.temperature.copy_(values[:1].exp())
        rule.bias.copy_(torch.cat([values[1:], torch.zeros(1)])[group])


def best_thresholds(probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """For each label the probability from which saying it gives the best F1."""
    said = probabilities[:, :, None] >= GRID  # (rows, labels, thresholds)
    hits = (said & (targets[:, :, None] > 0)).sum(0)
    return GRID[(2 * hits / (said.sum(0) + targets.sum(0)[:, None])).argmax(1)]


def coarse(
    probabilities: np.ndarray, labels: Sequence[str], families: Mapping[str, Sequence[str]]
) -> np.ndarray:
    """The probability (rows, families) that at least one label of each family holds."""
    member = np.array([[label in names for names in families.values()] for label in labels])
    return 1 - np.exp(np.log1p(-np.minimum(probabilities, 1 - 1e-6)) @ member)


def coarse_targets(
    targets: np.ndarray, labels: Sequence[str], families: Mapping[str, Sequence[str]]
) -> np.ndarray:
    """1 where a row has a label of the family, float32 (rows, families)."""
    member = np.array([[label in names for names in families.values()] for label in labels])
    return (targets @ member > 0).astype(np.float32)


def halves_f1(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Macro-F1, each half of the rows judged with thresholds from the other half."""
    from sklearn.metrics import f1_score

    said = np.zeros_like(targets)
    half = np.arange(len(targets)) % 2 == 0
    for here in (half, ~half):
        said[here] = probabilities[here] >= best_thresholds(probabilities[~here], targets[~here])
    return float(f1_score(targets, said, average="macro", zero_division=0))


def emotion_figures(
    labels: Sequence[str], probabilities: np.ndarray, targets: np.ndarray
) -> dict[str, float]:
    """How well the 28 labels are told on GoEmotions dev."""
    from sklearn.metrics import average_precision_score

    found = {
        "dev_rows": float(len(targets)),
        "dev_macro_average_precision_28": float(average_precision_score(targets, probabilities)),
        "dev_macro_f1_28": halves_f1(probabilities, targets),
    }
    for name, families in (("ekman", EKMAN), ("groups", GROUPS)):
        found[f"dev_macro_f1_{name}"] = halves_f1(
            coarse(probabilities, labels, families), coarse_targets(targets, labels, families)
        )
    return found


def line_figures(rule: SupportRule, logits: np.ndarray, lines: Lines) -> dict[str, float]:
    """How well the moods are told on our dev lines, each judged by a rule fitted on the others
    (5 folds)."""
    from sklearn.metrics import f1_score, roc_auc_score

    moods = np.zeros_like(logits)
    fold = np.random.default_rng(0).permutation(len(logits)) % 5
    held_out = SupportRule(rule.scale.numpy(), rule.shift.numpy())
    for number in range(5):
        fit_moods(held_out, logits[fold != number], lines.moods[fold != number])
        moods[fold == number] = held_out.moods(torch.from_numpy(logits[fold == number])).numpy()
    said = held_out.label(torch.from_numpy(moods)).numpy()
    bad = [NAMES.index(name) for name in NEGATIVE]
    trouble, heard = np.isin(lines.gold, bad), np.isin(said, bad)
    share = moods[:, bad].sum(axis=1)
    eight = range(len(NAMES))
    return {
        "lines": float(len(logits)),
        "lines_accuracy": float((said == lines.gold).mean()),
        "lines_macro_f1": float(f1_score(lines.gold, said, average="macro", labels=eight)),
        "lines_negative_recall": float(heard[trouble].mean()),
        "lines_negative_precision": float(trouble[heard].mean()),
        "lines_negative_auc": float(roc_auc_score(trouble, share)),
        "lines_negative_calibration_error": calibration_error(share, trouble),
    }

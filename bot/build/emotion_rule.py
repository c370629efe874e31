"""From 28 logits to the 8 labels of a support line, and how well that works on dev data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from bot.build.emotion_data import NAMES, NEGATIVE, NEGATIVE_SHARE, PRIORS, SUPPORT, read_lines
from bot.build.emotion_net import EmotionNet


@dataclass(frozen=True)
class Judged:
    """Texts as evidence (texts, 8), and the number of the support label each should have."""

    evidence: torch.Tensor
    gold: np.ndarray

    def where(self, chosen: np.ndarray) -> Judged:
        return Judged(self.evidence[torch.from_numpy(chosen)], self.gold[chosen])


class SupportRule(nn.Module):
    """Logits to calibrated probabilities, support probabilities and the decision.

    A group's evidence is the chance that at least one of its labels holds. Times the prior, and
    divided by the sum of all eight, that is its support probability. If the negative ones together
    reach the share, the label is the strongest of them; else the strongest of the others. So the
    label need not be the likeliest one: trouble that is split over four words is still trouble.
    """

    def __init__(self, labels: list[str], scale: np.ndarray, shift: np.ndarray) -> None:
        super().__init__()
        member = [[label in SUPPORT[name] for name in NAMES] for label in labels]
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float32))
        self.register_buffer("shift", torch.tensor(shift, dtype=torch.float32))
        self.register_buffer("member", torch.tensor(member, dtype=torch.float32))
        self.register_buffer("weights", torch.ones(len(NAMES)))
        self.register_buffer("negative", torch.tensor([name in NEGATIVE for name in NAMES]))

    def forward(self, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(batch, 28) to emotions (batch, 28), support (batch, 8) and label int64 (batch,)."""
        emotions = torch.sigmoid(logits * self.scale + self.shift)
        support, label = self.decide(self.evidence(emotions))
        return emotions, support, label

    def evidence(self, emotions: torch.Tensor) -> torch.Tensor:
        return 1 - torch.exp(torch.log1p(-emotions.clamp(max=1 - 1e-6)) @ self.member)

    def decide(self, evidence: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        weighted = evidence * self.weights
        support = weighted / weighted.sum(dim=1, keepdim=True)
        bad = torch.where(self.negative, support, torch.zeros_like(support))
        good = support - bad
        trouble = bad.sum(dim=1) >= NEGATIVE_SHARE
        return support, torch.where(trouble, bad.argmax(dim=1), good.argmax(dim=1))


class Served(nn.Module):
    """What `models/emotion-onnx` computes: the network and the rule."""

    def __init__(self, net: EmotionNet, rule: SupportRule) -> None:
        super().__init__()
        self.net = net
        self.rule = rule

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return self.rule(self.net(input_ids, attention_mask))


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


def macro_f1(gold: np.ndarray, said: np.ndarray) -> float:
    """Over the eight support labels; a label never said nor meant counts as 0."""
    from sklearn.metrics import f1_score

    return float(f1_score(gold, said, average="macro", labels=range(len(NAMES)), zero_division=0))


def trouble_f1(gold: np.ndarray, said: np.ndarray) -> float:
    """F1 of the question whether the label is one of the negative ones."""
    from sklearn.metrics import f1_score

    bad = [NAMES.index(name) for name in NEGATIVE]
    return float(f1_score(np.isin(gold, bad), np.isin(said, bad), zero_division=0))


def tune(rule: SupportRule, dev: Judged, lines: Judged) -> None:
    """Set the priors by coordinate search on their logarithms.

    Trouble counts twice on our lines, once as such and once as its label: that is where Reddit's
    idea of neutral is wrong. GoEmotions dev keeps the rest in place.
    """

    def score(logs: list[float]) -> float:
        rule.weights.fill_(1.0)
        for names, log in zip(PRIORS, logs, strict=True):
            rule.weights[[NAMES.index(name) for name in names]] = float(np.exp(log))
        said = [rule.decide(judged.evidence)[1].numpy() for judged in (dev, lines)]
        found = [
            macro_f1(dev.gold, said[0]),
            macro_f1(lines.gold, said[1]),
            trouble_f1(lines.gold, said[1]),
        ]
        return float(np.mean(found)) - 0.002 * float(np.abs(logs).mean())  # ties go to small ones

    best = [0.0] * len(PRIORS)
    steps = [float(log) for log in np.arange(-1, 3.01, 0.25)]
    for _ in range(4):
        # the negative ones together first: alone, each would only take from the others
        best = max([best, *([log, log, *best[2:]] for log in steps)], key=score)
        for which in range(len(PRIORS)):
            tries = ([*best[:which], log, *best[which + 1 :]] for log in steps)
            best = max([best, *tries], key=score)
    score(best)


def best_thresholds(probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """For each label the probability from which saying it gives the best F1."""
    grid = np.arange(0.05, 0.96, 0.01)
    said = probabilities[:, :, None] >= grid  # (rows, labels, thresholds)
    hits = (said & (targets[:, :, None] > 0)).sum(0)
    return grid[(2 * hits / (said.sum(0) + targets.sum(0)[:, None])).argmax(1)]


def f1_of_28(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Macro-F1, each half of the rows judged with thresholds from the other half."""
    from sklearn.metrics import f1_score

    said = np.zeros_like(targets)
    half = np.arange(len(targets)) % 2 == 0
    for here in (half, ~half):
        said[here] = probabilities[here] >= best_thresholds(probabilities[~here], targets[~here])
    return float(f1_score(targets, said, average="macro", zero_division=0))


def fit_rule(
    labels: list[str], logits: np.ndarray, targets: np.ndarray, *, lines: np.ndarray
) -> tuple[SupportRule, dict[str, float]]:
    """Calibrate and tune on dev and on our support lines (their logits); and the figures."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    rule = SupportRule(labels, *calibrate(logits, targets))
    with torch.inference_mode():
        emotions = rule(torch.from_numpy(logits))[0]
        line_evidence = rule.evidence(rule(torch.from_numpy(lines))[0])
    groups = (targets @ rule.member.numpy()) > 0
    clear = groups.sum(1) == 1  # rows of one support label
    dev = Judged(rule.evidence(emotions), groups.argmax(1)).where(clear)
    ours = Judged(line_evidence, read_lines()[1])
    gold = ours.gold
    untuned, dev_untuned = (rule.decide(one.evidence)[1].numpy() for one in (ours, dev))

    # the lines are few: a prior tuned on some of them is measured on the others
    said = np.zeros_like(gold)
    fold = np.random.default_rng(0).permutation(len(gold)) % 5
    for number in range(5):
        tune(rule, dev, ours.where(fold != number))
        held = ours.where(fold == number)
        said[fold == number] = rule.decide(held.evidence)[1].numpy()
    tune(rule, dev, ours)

    bad = [NAMES.index(name) for name in NEGATIVE]
    trouble, heard = np.isin(gold, bad), np.isin(said, bad)
    share = rule.decide(line_evidence)[0][:, bad].sum(1).numpy()
    probabilities = emotions.numpy()
    figures = {
        "dev_rows": len(targets),
        "dev_macro_average_precision_28": average_precision_score(targets, probabilities),
        "dev_macro_f1_28": f1_of_28(probabilities, targets),
        "dev_rows_of_one_support_label": int(clear.sum()),
        "dev_macro_f1_support_without_priors": macro_f1(dev.gold, dev_untuned),
        "dev_macro_f1_support": macro_f1(dev.gold, rule.decide(dev.evidence)[1].numpy()),
        "lines": len(gold),
        "lines_macro_f1_support_without_priors": macro_f1(gold, untuned),
        "lines_macro_f1_support_held_out": macro_f1(gold, said),
        "lines_negative_recall_without_priors": (trouble & np.isin(untuned, bad)).sum()
        / trouble.sum(),
        "lines_negative_recall_held_out": (trouble & heard).sum() / trouble.sum(),
        "lines_negative_precision_held_out": (trouble & heard).sum() / heard.sum(),
        "lines_negative_auc": roc_auc_score(trouble, share),
    }
    return rule, {name: round(float(value), 3) for name, value in figures.items()}

"""What is kept of a training run: adapter, head, `config.json` and the model card."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bot.build.emotion_data import (
    LORA_MODULES,
    MAX_TOKENS,
    NAMES,
    NEGATIVE,
    NEGATIVE_SHARE,
    SUPPORT,
    Settings,
)
from bot.build.emotion_net import EmotionNet, new_net
from bot.build.emotion_rule import SupportRule
from bot.build.encoder import WEIGHTS_SHA256, ExportError


def save_weights(net: EmotionNet, out: Path) -> None:
    """The adapter as fp16 and the head as fp32, as safetensors."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    out.mkdir(parents=True, exist_ok=True)
    adapter = get_peft_model_state_dict(net.bert)
    save_file(
        {name: value.detach().half().contiguous() for name, value in adapter.items()},
        out / "adapter.safetensors",
    )
    save_file(
        {name: value.detach().contiguous() for name, value in net.head.state_dict().items()},
        out / "head.safetensors",
    )


def load_net(model: Path, base: Path, *, labels: int, settings: Settings) -> EmotionNet:
    """The network as it was saved, the adapter merged into the base model."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    net = new_net(base, labels, settings)
    adapter = load_file(model / "adapter.safetensors")
    unknown = set_peft_model_state_dict(
        net.bert, {name: value.float() for name, value in adapter.items()}
    ).unexpected_keys
    if unknown:
        raise ExportError(f"{model}/adapter.safetensors does not fit the base model: {unknown}")
    net.head.load_state_dict(load_file(model / "head.safetensors"))
    net.bert = net.bert.merge_and_unload()
    return net.eval()


def config_of(
    labels: list[str], settings: Settings, rule: SupportRule, *, thresholds: np.ndarray
) -> dict[str, Any]:
    """Everything but the weights: what `export` and the engine read, and a person can check."""

    def by_label(values: Any) -> dict[str, float]:
        return {label: round(float(value), 4) for label, value in zip(labels, values, strict=True)}

    return {
        "labels": labels,
        "base": {"name": "sentence-transformers/all-MiniLM-L6-v2", "sha256": WEIGHTS_SHA256},
        "max_tokens": MAX_TOKENS,
        "settings": asdict(settings),
        "lora_modules": LORA_MODULES,
        "calibration": {
            "how": "probability = sigmoid(scale * logit + shift), fitted on GoEmotions dev",
            "scale": by_label(rule.scale),
            "shift": by_label(rule.shift),
        },
        "thresholds": {
            "how": "say the label from this probability on: best F1 on GoEmotions dev; "
            "the support labels do not use it",
            **by_label(thresholds),
        },
        "support": {
            "how": "evidence = 1 - product of (1 - probability) over the label's emotions; "
            "probability = prior * evidence, divided by the sum over the eight; if the negative "
            "ones sum to negative_share or more, the label is the likeliest of them, else the "
            "likeliest of the others. Priors: a support line hears more trouble than Reddit, "
            "where the emotions were learnt; tuned on GoEmotions dev and emotion_dev.tsv",
            "labels": NAMES,
            "from": SUPPORT,
            "prior": dict(zip(NAMES, (round(float(w), 3) for w in rule.weights), strict=True)),
            "negative": NEGATIVE,
            "negative_share": NEGATIVE_SHARE,
        },
    }


def rule_of(config: dict[str, Any]) -> SupportRule:
    """The rule that `config_of` wrote down. Raises ExportError if the code has moved on."""
    support = config["support"]
    if (support["from"], support["negative_share"]) != (SUPPORT, NEGATIVE_SHARE):
        raise ExportError("config.json and bot/build/emotion.py disagree: run `train` again")
    scale, shift = (
        np.array([config["calibration"][key][label] for label in config["labels"]])
        for key in ("scale", "shift")
    )
    rule = SupportRule(config["labels"], scale, shift)
    rule.weights.copy_(torch.tensor([support["prior"][name] for name in NAMES]))
    return rule


# what a figure is called in the card; GoEmotions dev, or our own lines
FIGURES = {
    "dev_rows": "rows of GoEmotions dev",
    "dev_macro_f1_28": "28 labels, macro-F1 on dev, thresholds held out",
    "dev_macro_average_precision_28": "28 labels, macro average precision on dev",
    "dev_rows_of_one_support_label": "rows of dev that have exactly one support label",
    "dev_macro_f1_support_without_priors": "8 support labels, macro-F1 on those rows, no priors",
    "dev_macro_f1_support": "the same with priors",
    "lines": "our lines",
    "lines_macro_f1_support_without_priors": "8 support labels, macro-F1 on our lines, no priors",
    "lines_macro_f1_support_held_out": "the same with priors, held out",
    "lines_negative_recall_without_priors": "our lines, negative or not: recall, no priors",
    "lines_negative_recall_held_out": "our lines, negative or not: recall, held out",
    "lines_negative_precision_held_out": "our lines, negative or not: precision, held out",
    "lines_negative_auc": "our lines, negative or not: AUC",
}

CARD = """\
# The emotion model

Eight labels for how a customer feels ({names})
and, beneath them, the 28 labels of GoEmotions. `bot/build/emotion.py` trains it and
exports it to ONNX int8; `config.json` says how a decision is made, number by number.

## Made from
- Base model: sentence-transformers/all-MiniLM-L6-v2, Apache-2.0, SHA-256 of `model.safetensors`
  {base}. It is not in this folder.
- Data: GoEmotions (Demszky et al., 2020, Google Research), Reddit comments in English, CC BY 4.0:
  {train_rows} rows to train on. The data is not in this repository.
- {line_count} support lines in `bot/build/emotion_dev.tsv`, written for this project, to tune five
  priors. Not a word of a real customer. The last fourteen neutral ones were written after a look
  at false alarms on sentences of CLINC150, HWU64, Banking77 and Bitext; none is copied from there.

This folder: a LoRA adapter (rank {rank}, every linear layer of attention and feed-forward) and a
linear head on mean pooling. {epochs} epochs, seed {seed}; the best epoch by macro average precision
on dev. {minutes} minutes on two shared CPU cores.

## Figures: all on dev, none on a test set
Epoch, calibration, thresholds and priors were chosen on this very dev set, so expect a little less
elsewhere. *Held out* means tuned on one part of dev and counted on the other.

| what | figure |
|---|---|
{table}

## Limits
- It learnt from Reddit. There, a plain report of trouble ("the tracking has said out for delivery
  for six days") is neutral, and no prior changes a probability of nearly nothing: such messages are
  missed. The recall above says how often.
- The priors that catch trouble also hear it in calm requests that use its words ("turn off the
  newsletter", "I can't log in"). The precision above says how often.
- Politeness hides anger: with "kindly" and "with respect" it hears the courtesy.
- The lines were written by one author who knew the labels; real customers will be harder.
- English only, one message at a time, no capitals (the base model is uncased), {max_tokens} tokens.
- Annotators disagree much on GoEmotions, most of all on its rare labels (grief, pride, relief).
- A wording aid and a sign to look, not a verdict on a person.
"""


def card_of(config: dict[str, Any], *, rows: int, seconds: float) -> str:
    figures = config["figures"]
    table = [f"| {title} | {figures[name]:g} |" for name, title in FIGURES.items()]
    return CARD.format(
        names=", ".join(NAMES),
        base=config["base"]["sha256"],
        train_rows=rows,
        line_count=int(figures["lines"]),
        table="\n".join(table),
        minutes=round(seconds / 60),
        max_tokens=MAX_TOKENS,
        **{key: config["settings"][key] for key in ("rank", "epochs", "seed")},
    )

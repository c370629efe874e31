"""What is kept of a training run: adapter, heads, `config.json` and the model card."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bot.build.emotion_data import (
    EKMAN,
    GROUPS,
    LORA_MODULES,
    MAX_TOKENS,
    NAMES,
    NEGATIVE,
    Settings,
)
from bot.build.emotion_net import EmotionNet, new_net
from bot.build.emotion_rule import SupportRule
from bot.build.encoder import WEIGHTS_SHA256, ExportError

HEADS = ("head", "support")


def save_weights(net: EmotionNet, out: Path) -> None:
    """The adapter as fp16 and the heads as fp32, as safetensors."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    out.mkdir(parents=True, exist_ok=True)
    adapter = get_peft_model_state_dict(net.bert)
    save_file(
        {name: value.detach().half().contiguous() for name, value in adapter.items()},
        out / "adapter.safetensors",
    )
    heads = {
        name: value.detach().contiguous()
        for name, value in net.state_dict().items()
        if name.startswith(HEADS)
    }
    save_file(heads, out / "head.safetensors")


def load_weights(net: EmotionNet, model: Path) -> None:
    """Put what `save_weights` wrote into a net that was just made. Raises ExportError."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    adapter = load_file(model / "adapter.safetensors")
    unknown = set_peft_model_state_dict(
        net.bert, {name: value.float() for name, value in adapter.items()}
    ).unexpected_keys
    heads = load_file(model / "head.safetensors")
    unknown += net.load_state_dict(heads, strict=False).unexpected_keys
    if unknown:
        raise ExportError(f"the weights in {model} do not fit the base model: {unknown}")


def load_net(model: Path, base: Path, *, labels: int, settings: Settings) -> EmotionNet:
    """The network as it was saved, the adapter merged into the base model."""
    net = new_net(base, labels, settings)
    load_weights(net, model)
    net.bert = net.bert.merge_and_unload()
    return net.eval()


def config_of(
    labels: list[str],
    settings: Settings,
    rule: SupportRule,
    *,
    thresholds: np.ndarray,
    coarse: dict[str, np.ndarray],
) -> dict[str, Any]:
    """Everything but the weights: what `export` and the engine read, and a person can check."""

    def by(names: Any, values: Any) -> dict[str, float]:
        return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}

    return {
        "labels": labels,
        "base": {"name": "sentence-transformers/all-MiniLM-L6-v2", "sha256": WEIGHTS_SHA256},
        "max_tokens": MAX_TOKENS,
        "settings": asdict(settings),
        "lora_modules": LORA_MODULES,
        "calibration": {
            "how": "probability = sigmoid(scale * logit + shift), fitted on GoEmotions dev",
            "scale": by(labels, rule.scale),
            "shift": by(labels, rule.shift),
        },
        "thresholds": {
            "how": "say the label from this probability on: best F1 on GoEmotions dev; the moods "
            "do not use it",
            **by(labels, thresholds),
        },
        "coarse": {
            "how": "families of the 28 labels; a family's probability is that of at least one of "
            "them, and it is said from its threshold on: best F1 on GoEmotions dev",
            "ekman": {"labels": EKMAN, "thresholds": by(EKMAN, coarse["ekman"])},
            "groups": {"labels": GROUPS, "thresholds": by(GROUPS, coarse["groups"])},
        },
        "support": {
            "how": "probability = softmax((logits + bias) / temperature), fitted on our dev lines; "
            "if the negative ones sum to negative_share or more, the label is the likeliest of "
            "them, angry and frustrated counted together, else the likeliest of the others",
            "labels": NAMES,
            "bias": by(NAMES, rule.bias),
            "temperature": round(float(rule.temperature), 4),
            "negative": NEGATIVE,
            "negative_share": round(float(rule.share), 4),
        },
    }


def rule_of(config: dict[str, Any]) -> SupportRule:
    """The rule that `config_of` wrote down. Raises ExportError if the code has moved on."""
    import torch

    support = config["support"]
    if (support["labels"], support["negative"]) != (NAMES, NEGATIVE):
        raise ExportError("config.json and bot/build/emotion_data.py disagree: run `train` again")
    scale, shift = (
        np.array([config["calibration"][key][label] for label in config["labels"]])
        for key in ("scale", "shift")
    )
    rule = SupportRule(scale, shift)
    rule.bias.copy_(torch.tensor([support["bias"][name] for name in NAMES]))
    rule.temperature.fill_(support["temperature"])
    rule.share.fill_(support["negative_share"])
    return rule

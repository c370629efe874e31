"""The network: MiniLM with a LoRA adapter and a linear head, and its training."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from bot.build.emotion_data import (
    CHECKPOINT,
    LORA_MODULES,
    SAVE_EVERY,
    Rows,
    Settings,
    epoch_batches,
    pad,
)
from bot.build.encoder import load_bert, mean_pool


class EmotionNet(nn.Module):
    """Base model, mean pooling, one linear layer: the logits of the labels (batch, labels)."""

    def __init__(self, bert: nn.Module, labels: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.bert = bert
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(384, labels)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.head(self.dropout(mean_pool(self.bert, input_ids, attention_mask)))


def new_net(base: Path, labels: int, settings: Settings) -> EmotionNet:
    """The base model with a fresh LoRA adapter in every linear layer, the rest of it frozen."""
    from peft import LoraConfig, get_peft_model

    bert = load_bert(base)
    for layer in bert.encoder.layer:  # noise on attention costs a tenth of the time, brings nothing
        layer.attention.self.dropout.p = 0.0
    lora = LoraConfig(r=settings.rank, lora_alpha=settings.alpha, target_modules=LORA_MODULES)
    return EmotionNet(get_peft_model(bert, lora), labels, settings.dropout)


def logits_of(net: nn.Module, ids: list[list[int]]) -> np.ndarray:
    """Logits float32 (texts, labels) in the order of the texts, without dropout."""
    net.eval()
    order = np.argsort([len(row) for row in ids])
    with torch.inference_mode():
        parts = [
            net(*pad([ids[i] for i in order[start : start + 64]])).numpy()
            for start in range(0, len(order), 64)
        ]
    return np.concatenate(parts)[np.argsort(order)]


class Run:
    """One training run: the weights, the optimizer and how far it is, kept in a checkpoint."""

    def __init__(self, net: EmotionNet, steps: int, settings: Settings) -> None:
        warm = max(1, int(steps * settings.warmup))
        self.settings = settings
        self.parameters = {name: p for name, p in net.named_parameters() if p.requires_grad}
        self.optimizer = torch.optim.AdamW(
            self.parameters.values(), lr=settings.rate, weight_decay=0.01
        )
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer,
            lambda step: min((step + 1) / warm, (steps - step) / (steps - warm + 1)),
        )
        self.state: dict[str, Any] = {"step": 0, "best": -1.0, "weights": {}, "seconds": 0.0}

    def save(self, seconds: float) -> None:
        self.state["seconds"] = seconds
        CHECKPOINT.parent.mkdir(parents=True, exist_ok=True)
        fresh = CHECKPOINT.with_suffix(".new")
        content = {
            "settings": asdict(self.settings),
            "state": self.state,
            "parameters": {name: p.detach() for name, p in self.parameters.items()},
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "random": torch.get_rng_state(),
        }
        torch.save(content, fresh)
        fresh.replace(CHECKPOINT)  # a kill leaves the old one or the new one, never half of one

    def resume(self) -> None:
        """Go on where a run of the same settings stopped, if one did."""
        if not CHECKPOINT.is_file():
            return
        saved = torch.load(CHECKPOINT, weights_only=True)
        if saved["settings"] != asdict(self.settings):
            return
        self.put(saved["parameters"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.scheduler.load_state_dict(saved["scheduler"])
        torch.set_rng_state(saved["random"])
        self.state = saved["state"]
        print(f"going on from {CHECKPOINT} at step {self.state['step']}", flush=True)

    def step(self, loss: torch.Tensor) -> None:
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters.values(), 1.0)
        self.optimizer.step()
        self.scheduler.step()
        self.optimizer.zero_grad()
        self.state["step"] += 1

    def keep_if_best(self, score: float) -> None:
        if score > self.state["best"]:
            weights = {name: p.detach().clone() for name, p in self.parameters.items()}
            self.state |= {"best": score, "weights": weights}

    def put(self, weights: dict[str, torch.Tensor]) -> None:
        with torch.no_grad():
            for name, value in weights.items():
                self.parameters[name].copy_(value)


def fit(net: EmotionNet, rows: Rows, dev: Rows, *, settings: Settings) -> float:
    """Train in place, leave the best epoch's weights, return the seconds it took.

    Best by macro average precision on dev, which needs no threshold. Resumes from CHECKPOINT.
    """
    from sklearn.metrics import average_precision_score
    from tqdm import tqdm

    torch.manual_seed(settings.seed)
    per_epoch = -(-len(rows.ids) // settings.batch)
    total = per_epoch * settings.epochs
    run = Run(net, total, settings)
    run.resume()
    targets = torch.from_numpy(rows.targets)
    started = time.monotonic() - run.state["seconds"]
    bar = tqdm(total=total, initial=run.state["step"], unit="batch", mininterval=5)
    while run.state["step"] < total:
        epoch, first = divmod(run.state["step"], per_epoch)
        net.train()
        for chosen in epoch_batches(rows.ids, settings.batch, settings.seed + epoch)[first:]:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = net(*pad([rows.ids[i] for i in chosen]))
            run.step(
                nn.functional.binary_cross_entropy_with_logits(logits.float(), targets[chosen])
            )
            bar.update()
            if run.state["step"] % SAVE_EVERY == 0 and run.state["step"] % per_epoch:
                run.save(time.monotonic() - started)
        score = average_precision_score(dev.targets, logits_of(net, dev.ids), average="macro")
        bar.write(f"epoch {epoch + 1}: macro average precision on dev {score:.4f}")
        run.keep_if_best(float(score))
        run.save(time.monotonic() - started)
    bar.close()
    run.put(run.state["weights"])
    return run.state["seconds"]

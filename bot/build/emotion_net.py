"""The network: MiniLM with a LoRA adapter and two linear heads, and its training."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bot.build.emotion_data import (
    LORA_MODULES,
    NAMES,
    Lines,
    Rows,
    Settings,
    epoch_batches,
    pad,
)
from bot.build.encoder import last_hidden, load_bert, pooled
from bot.feeling import ABUSE

CHECKPOINT = Path("var/emotion-checkpoint/last.pt")
SAVE_EVERY = 200  # steps between checkpoints
LINES_WEIGHT = 0.1  # of a batch of our lines: the mean over 28 labels beside it is a small number


class Logits(NamedTuple):
    """What the network says of a batch: (batch, 28), (batch, 8), (batch,) and (batch, 3)."""

    emotions: torch.Tensor
    moods: torch.Tensor
    intensity: torch.Tensor
    abuse: torch.Tensor

    def part(self, start: int, end: int) -> Logits:
        return Logits(*(logits[start:end].float() for logits in self))


class EmotionNet(nn.Module):
    """Base model and two linear layers on the mean and the maximum of the token vectors, since one
    word can decide: the 28 labels of GoEmotions; and moods, intensity, abuse."""

    def __init__(self, bert: nn.Module, labels: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.bert = bert
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(768, labels)
        self.support = nn.Linear(768, len(NAMES) + 1 + len(ABUSE))
        for layer in (self.head, self.support):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Logits:
        hidden = last_hidden(self.bert, input_ids, attention_mask)
        padding = (1.0 - attention_mask[:, :, None].float()) * -1e4
        both = [pooled(hidden, attention_mask), (hidden + padding).amax(dim=1)]
        vector = self.dropout(torch.cat(both, dim=1))
        found, moods = self.support(vector), len(NAMES)
        return Logits(self.head(vector), found[:, :moods], found[:, moods], found[:, moods + 1 :])


def new_net(base: Path, labels: int, settings: Settings) -> EmotionNet:
    """The base model with a fresh LoRA adapter in every linear layer, the rest of it frozen."""
    from peft import LoraConfig, get_peft_model

    bert = load_bert(base)
    for layer in bert.encoder.layer:  # noise on attention costs a tenth of the time, brings nothing
        layer.attention.self.dropout.p = 0.0
    lora = LoraConfig(r=settings.rank, lora_alpha=settings.alpha, target_modules=LORA_MODULES)
    return EmotionNet(get_peft_model(bert, lora), labels, settings.dropout)


def logits_of(net: nn.Module, ids: list[list[int]]) -> list[np.ndarray]:
    """The logits, float32, in the order of the texts, without dropout; as in `Logits`."""
    net.eval()
    order = np.argsort([len(row) for row in ids])
    with torch.inference_mode():
        parts = [
            net(*pad([ids[i] for i in order[start : start + 64]]))
            for start in range(0, len(order), 64)
        ]
    back = np.argsort(order)
    return [torch.cat(column).float().numpy()[back] for column in zip(*parts, strict=True)]


@dataclass(frozen=True)
class Lesson:
    """What is learnt from: GoEmotions in every batch; our lines and ConvAbuse, in every
    `settings.every`-th, so that what holds for a support line is learnt beside what holds on Reddit.
    """

    rows: Rows
    lines: Lines
    abuse: Rows
    settings: Settings

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.rows.ids) // self.settings.batch)

    def start(self, net: EmotionNet) -> None:
        """Biases at the log-odds of how often each label holds: the first steps need not find it."""
        share = np.clip(self.rows.targets.mean(axis=0), 1e-4, 1 - 1e-4)
        with torch.no_grad():
            net.head.bias.copy_(torch.from_numpy(np.log(share / (1 - share))))

    def batches(self, epoch: int) -> Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Row numbers of the rows, lines and abuse in each batch; the same again for an epoch."""
        settings = self.settings
        random = np.random.default_rng(settings.seed + 100 + epoch)
        nothing = np.zeros(0, dtype=np.int64)
        left = nothing
        for number, rows in enumerate(
            epoch_batches(self.rows.ids, settings.batch, settings.seed + epoch)
        ):
            if number % settings.every:
                yield rows, nothing, nothing
                continue
            if len(left) < settings.lines:
                left = np.concatenate([left, random.permutation(len(self.lines.ids))])
            lines, left = left[: settings.lines], left[settings.lines :]
            yield rows, lines, random.integers(0, len(self.abuse.ids), settings.abuse)

    def loss(
        self, net: EmotionNet, batch: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> torch.Tensor:
        rows, lines, abuse = batch
        found = net(*pad([self.rows.ids[i] for i in rows])).emotions.float()
        binary = functional.binary_cross_entropy_with_logits
        loss = binary(found, torch.from_numpy(self.rows.targets[rows]))
        if not len(lines):
            return loss
        ids = [self.lines.ids[i] for i in lines] + [self.abuse.ids[i] for i in abuse]
        both = net(*pad(ids))
        own = both.part(0, len(lines))
        talk = both.part(len(lines), len(ids)).abuse
        # ConvAbuse says only whether abuse is aimed, not whether the rest is swearing.
        is_aimed = talk[:, 2] - torch.logsumexp(talk[:, :2], dim=1)
        ours = (
            functional.cross_entropy(own.moods, torch.from_numpy(self.lines.moods[lines]))
            + 0.5 * binary(own.intensity, torch.from_numpy(self.lines.intensity[lines]))
            + 0.5 * functional.cross_entropy(own.abuse, torch.from_numpy(self.lines.abuse[lines]))
            + 0.5 * binary(is_aimed, torch.from_numpy(self.abuse.targets[abuse, 0]))
        )
        return loss + LINES_WEIGHT * ours


class Run:
    """A training run: the weights, the optimizer and how far it is, kept in a checkpoint."""

    def __init__(self, net: EmotionNet, steps: int, settings: Settings) -> None:
        warm = max(1, int(steps * settings.warmup))
        self.settings = asdict(settings) | {"steps": steps}
        self.parameters = {name: p for name, p in net.named_parameters() if p.requires_grad}
        heads = ("head", "support")
        groups = [
            {"params": [p for name, p in self.parameters.items() if name.startswith(heads)],
             "lr": settings.head_rate},
            {"params": [p for name, p in self.parameters.items() if not name.startswith(heads)],
             "lr": settings.rate},
        ]  # fmt: skip
        self.optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer,
            lambda step: min((step + 1) / warm, (steps - step) / (steps - warm + 1)),
        )
        self.state: dict[str, Any] = {"step": 0, "seconds": 0.0}

    def save(self, seconds: float) -> None:
        self.state["seconds"] = seconds
        CHECKPOINT.parent.mkdir(parents=True, exist_ok=True)
        fresh = CHECKPOINT.with_suffix(".new")
        content = {
            "settings": self.settings,
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
        if saved["settings"] != self.settings:
            return
        with torch.no_grad():
            for name, value in saved["parameters"].items():
                self.parameters[name].copy_(value)
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


def fit(net: EmotionNet, lesson: Lesson, dev: Rows, line_dev: Lines) -> float:
    """Train in place; the seconds it took. Goes on from the checkpoint of an interrupted run."""
    from tqdm import tqdm

    settings = lesson.settings
    torch.manual_seed(settings.seed)
    total = settings.epochs * lesson.steps
    run = Run(net, total, settings)
    lesson.start(net)
    run.resume()
    started = time.monotonic() - run.state["seconds"]
    bar = tqdm(total=total, initial=run.state["step"], unit="batch", mininterval=5)
    while run.state["step"] < total:
        epoch, first = divmod(run.state["step"], lesson.steps)
        net.train()
        for number, batch in enumerate(lesson.batches(epoch)):
            if number < first:
                continue
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = lesson.loss(net, batch)
            run.step(loss)
            bar.update()
            if run.state["step"] % SAVE_EVERY == 0 and run.state["step"] % lesson.steps:
                run.save(time.monotonic() - started)
        bar.write(f"epoch {epoch + 1}: {_standing(net, dev, line_dev)}")
        run.save(time.monotonic() - started)
    bar.close()
    return run.state["seconds"]


def _standing(net: EmotionNet, dev: Rows, line_dev: Lines) -> str:
    """How the net does on dev, in words; nothing is chosen by it."""
    from sklearn.metrics import average_precision_score

    precision = average_precision_score(dev.targets, logits_of(net, dev.ids)[0], average="macro")
    moods = logits_of(net, line_dev.ids)[1].argmax(axis=1)
    right = (moods == line_dev.gold).mean()
    return f"28 labels, average precision {precision:.4f}; moods, accuracy {right:.3f}"

"""The emotion model: train it, calibrate it, export it to ONNX.

    python -m bot.build.emotion train --data FOLDER --out models/emotion
    python -m bot.build.emotion export --model models/emotion --out models/emotion-onnx

`train` teaches a LoRA adapter and two linear heads on all-MiniLM-L6-v2 the 28 labels of GoEmotions
and, beside them, the moods of a support line from lines of our own, with abuse from ConvAbuse. It
calibrates on dev data, and only there. What it writes is small and in git; `export` needs no data.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

from bot.build.emotion_card import card_of
from bot.build.emotion_data import (
    EKMAN,
    GROUPS,
    MAX_DRIFT,
    MAX_TOKENS,
    Rows,
    Settings,
    pad,
    read_convabuse,
    read_goemotions,
    read_lines,
    tokenise,
)
from bot.build.emotion_files import (
    config_of,
    load_net,
    rule_of,
    save_weights,
)
from bot.build.emotion_net import (
    EmotionNet,
    Lesson,
    fit,
    logits_of,
    new_net,
)
from bot.build.emotion_rule import (
    OUTPUTS,
    Served,
    SupportRule,
    best_thresholds,
    calibrate,
    coarse,
    coarse_targets,
    emotion_figures,
    fit_moods,
    line_figures,
)
from bot.build.encoder import (
    OPSET,
    WEIGHTS_SHA256,
    ExportError,
    check_sentences,
    export_int8,
    save_tokenizer,
    sha256,
    weights_folder,
)
from bot.encoder import TextModel
from bot.feeling import as_heard

cli = typer.Typer(add_completion=False, help=__doc__)


@cli.command()
def train(
    data: Annotated[Path, typer.Option(help="Folder with goemotions/ and convabuse/.")],
    out: Path = Path("models/emotion"),
    *,
    threads: int = 2,
) -> None:
    """Train, calibrate, and write adapter, heads, config and card into OUT.

    Goes on from var/emotion-checkpoint after an interruption. On cores that others use too, one
    thread is faster than two: two wait for each other at every step.
    """
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    settings = Settings()
    torch.manual_seed(settings.seed)
    base = weights_folder()
    labels = (data / "goemotions" / "labels.txt").read_text(encoding="utf-8").split()
    rows, dev = (
        read_goemotions(data / "goemotions" / name, len(labels), base)
        for name in ("train.tsv", "dev.tsv")
    )
    abuse, abuse_dev = (
        read_convabuse(data / "convabuse" / name, base) for name in ("train.csv", "valid.csv")
    )
    lines, line_dev = read_lines("train.tsv", base), read_lines("dev.tsv", base)
    net = new_net(base, len(labels), settings)
    lesson = Lesson(rows, lines, abuse, settings)
    seconds = fit(net, lesson, dev, line_dev)

    print("emotion: calibrating", flush=True)
    save_weights(net, out)
    net = load_net(out, base, labels=len(labels), settings=settings)  # as it will be served
    config = _calibrated(net, labels, settings, dev=dev, line_dev=line_dev, abuse_dev=abuse_dev)
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    counts = {
        "emotion_rows": len(rows.ids),
        "abuse_rows": len(abuse.ids),
        "train_lines": len(lines.ids),
        "dev_lines": len(line_dev.ids),
    }
    card = card_of(config, counts=counts, seconds=seconds)
    (out / "README.md").write_text(card, encoding="utf-8")
    print(json.dumps(config["figures"], indent=1))


def _calibrated(
    net: EmotionNet,
    labels: list[str],
    settings: Settings,
    *,
    dev: Rows,
    line_dev: Any,
    abuse_dev: Rows,
) -> dict[str, Any]:
    """The config of a trained net: its rule, thresholds and figures."""
    from sklearn.metrics import f1_score, roc_auc_score

    emotion_logits = logits_of(net, dev.ids)[0]
    rule = SupportRule(*calibrate(emotion_logits, dev.targets))
    probabilities = rule.emotions(torch.from_numpy(emotion_logits)).numpy()
    mood_logits = logits_of(net, line_dev.ids)[1]
    abuse_logits = torch.from_numpy(logits_of(net, abuse_dev.ids)[3])
    aimed = torch.softmax(abuse_logits, dim=1)[:, 2].numpy()
    is_abuse = abuse_dev.targets[:, 0]
    figures = {
        **emotion_figures(labels, probabilities, dev.targets),
        "abuse_rows": len(is_abuse),
        "abuse_macro_f1": f1_score(is_abuse, aimed >= 0.5, average="macro"),
        "abuse_auc": roc_auc_score(is_abuse, aimed),
        **line_figures(rule, mood_logits, line_dev),
    }
    fit_moods(rule, mood_logits, line_dev.moods)
    thresholds = {
        name: best_thresholds(
            coarse(probabilities, labels, families), coarse_targets(dev.targets, labels, families)
        )
        for name, families in (("ekman", EKMAN), ("groups", GROUPS))
    }
    config = config_of(
        labels,
        settings,
        rule,
        thresholds=best_thresholds(probabilities, dev.targets),
        coarse=thresholds,
    )
    return config | {"figures": {name: round(float(it), 3) for name, it in figures.items()}}


def export_emotion(target: Path, model: Path = Path("models/emotion")) -> dict[str, Any]:
    """Merge, export and quantise `model` into `target`; the facts for a manifest.

    Writes `model.onnx`, `tokenizer.json` and `config.json`. Raises ExportError if the base model is
    not the one it was trained on, or if the export drifts from torch.
    """
    base = weights_folder()
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    if config["base"]["sha256"] != WEIGHTS_SHA256:
        raise ExportError(f"{model} was trained on a base model of another hash")
    print(f"emotion: exporting {model}", flush=True)
    settings = Settings(**config["settings"])
    net = load_net(model, base, labels=len(config["labels"]), settings=settings)
    served = Served(net, rule_of(config)).eval()
    export_int8(served, target / "model.onnx", OUTPUTS)
    save_tokenizer(base, target / "tokenizer.json")
    (target / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    print("emotion: comparing with torch", flush=True)
    agreement = check_against_torch(target, served, base)
    files = ("model.onnx", "tokenizer.json", "config.json")
    return {
        "model": "emotion: LoRA on all-MiniLM-L6-v2",
        "weights_sha256": {
            name: sha256(model / name) for name in ("adapter.safetensors", "head.safetensors")
        },
        "files": {name: sha256(target / name) for name in files},
        "opset": OPSET,
        "agreement": agreement,
    }


def check_against_torch(target: Path, served: Served, base: Path) -> dict[str, float]:
    """How far the export is from torch on support sentences. Raises ExportError if too far."""
    texts = [*read_lines("dev.tsv", base).texts[:150], *check_sentences()]
    with torch.inference_mode():
        torch_says = [served(*pad([ids])) for ids in tokenise(texts, base)]
    expected = [torch.cat(column).numpy() for column in zip(*torch_says, strict=True)]
    found = TextModel(target, max_tokens=MAX_TOKENS).run([as_heard(text) for text in texts])
    drift = max(
        float(np.abs(found[name] - expected[OUTPUTS.index(name)]).mean())
        for name in ("emotions", "support", "abuse")
    )
    labels = expected[OUTPUTS.index("label")]
    if not drift <= MAX_DRIFT:
        raise ExportError(f"ONNX drifts from torch: mean difference {drift:.4f} > {MAX_DRIFT}")
    return {
        "texts": len(texts),
        "mean_difference": round(drift, 5),
        "same_label": round(float((found["label"] == labels).mean()), 4),
    }


@cli.command()
def export(model: Path = Path("models/emotion"), out: Path = Path("models/emotion-onnx")) -> None:
    """Merge MODEL into the base model, export it to ONNX int8 in OUT and compare."""
    print(json.dumps(export_emotion(out, model), indent=1))


if __name__ == "__main__":
    cli()

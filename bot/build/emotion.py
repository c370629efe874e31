"""The emotion model: train it on GoEmotions, fit its support labels, export it to ONNX.

    python -m bot.build.emotion train --data FOLDER --out models/emotion
    python -m bot.build.emotion export --model models/emotion --out models/emotion-onnx

`train` teaches a LoRA adapter and a linear head on all-MiniLM-L6-v2 the 28 labels of GoEmotions,
then fits on dev data, and only there, each label's calibration and the rule from the 28 labels to
the 8 of a support line. What it writes is small and in git; `export` needs no data.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

from bot.build.emotion_data import (
    MAX_DRIFT,
    MAX_TOKENS,
    Settings,
    pad,
    read_goemotions,
    read_lines,
    tokenise,
)
from bot.build.emotion_files import card_of, config_of, load_net, rule_of, save_weights
from bot.build.emotion_net import fit, logits_of, new_net
from bot.build.emotion_rule import Served, best_thresholds, fit_rule
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

cli = typer.Typer(add_completion=False, help=__doc__)


@cli.command()
def train(
    data: Annotated[Path, typer.Option(help="Folder with goemotions/{train,dev}.tsv.")],
    out: Path = Path("models/emotion"),
    epochs: int = Settings.epochs,
    *,
    threads: int = 2,
) -> None:
    """Train on DATA/goemotions, calibrate, and write adapter, head, config and card into OUT.

    Goes on from var/emotion-checkpoint after an interruption. On cores that others use too, one
    thread is faster than two: two wait for each other at every step.
    """
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    settings = Settings(epochs=epochs)
    torch.manual_seed(settings.seed)
    base = weights_folder()
    corpus = data / "goemotions"
    labels = (corpus / "labels.txt").read_text(encoding="utf-8").split()
    rows = read_goemotions(corpus / "train.tsv", len(labels), base)
    dev = read_goemotions(corpus / "dev.tsv", len(labels), base)
    net = new_net(base, len(labels), settings)
    seconds = fit(net, rows, dev, settings=settings)

    print("emotion: calibrating", flush=True)
    save_weights(net, out)
    net = load_net(out, base, labels=len(labels), settings=settings)  # as it will be served
    logits = logits_of(net, dev.ids)
    lines = logits_of(net, tokenise(read_lines()[0], base))
    rule, figures = fit_rule(labels, logits, dev.targets, lines=lines)
    with torch.inference_mode():
        thresholds = best_thresholds(rule(torch.from_numpy(logits))[0].numpy(), dev.targets)
    config = config_of(labels, settings, rule, thresholds=thresholds) | {"figures": figures}
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    card = card_of(config, rows=len(rows.ids), seconds=seconds)
    (out / "README.md").write_text(card, encoding="utf-8")
    print(json.dumps(figures, indent=1))


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
    export_int8(served, target / "model.onnx", ["emotions", "support", "label"])
    save_tokenizer(base, target / "tokenizer.json")
    (target / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    print("emotion: comparing with torch", flush=True)
    agreement = check_against_torch(target, served, base)
    files = ("model.onnx", "tokenizer.json", "config.json")
    return {
        "model": "emotion: GoEmotions LoRA on all-MiniLM-L6-v2",
        "weights_sha256": {
            name: sha256(model / name) for name in ("adapter.safetensors", "head.safetensors")
        },
        "files": {name: sha256(target / name) for name in files},
        "opset": OPSET,
        "agreement": agreement,
    }


def check_against_torch(target: Path, served: Served, base: Path) -> dict[str, float]:
    """How far the export is from torch on support sentences. Raises ExportError if too far."""
    texts = read_lines()[0] + check_sentences()
    with torch.inference_mode():
        torch_says = [served(*pad([ids])) for ids in tokenise(texts, base)]
    expected = torch.cat([emotions for emotions, _, _ in torch_says]).numpy()
    labels = torch.cat([label for _, _, label in torch_says]).numpy()
    found = TextModel(target, max_tokens=MAX_TOKENS).run(texts)
    drift = float(np.abs(found["emotions"] - expected).mean())
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

"""The model card: what the emotion model is made from, how good it is, and where it fails."""

from __future__ import annotations

from typing import Any

from bot.build.emotion_data import MAX_TOKENS, NAMES

# What a figure is called in the card; the first ones on GoEmotions dev, the others on our lines.
FIGURES = {
    "dev_rows": "rows of GoEmotions dev",
    "dev_macro_average_precision_28": "28 labels, macro average precision",
    "dev_macro_f1_28": "28 labels, macro-F1",
    "dev_macro_f1_ekman": "Ekman's six and neutral, macro-F1",
    "dev_macro_f1_groups": "positive, negative, ambiguous, neutral, macro-F1",
    "abuse_rows": "rows of ConvAbuse valid",
    "abuse_macro_f1": "ConvAbuse, abuse or not, macro-F1",
    "abuse_auc": "ConvAbuse, AUC",
    "lines": "our dev lines",
    "lines_accuracy": "eight moods, accuracy",
    "lines_macro_f1": "eight moods, macro-F1",
    "lines_negative_recall": "negative or not: recall",
    "lines_negative_precision": "negative or not: precision",
    "lines_negative_auc": "negative or not: AUC",
    "lines_negative_calibration_error": "negative or not: expected calibration error",
}

CARD = """\
# The emotion model

Eight moods of a customer ({names}), how
strongly they are felt, whether the language is rough and at whom, and the 28 labels of GoEmotions.
`bot/build/emotion.py` trains it and exports it to ONNX int8; `config.json` says how a decision is
made, number by number.

## Made from
- Base model: sentence-transformers/all-MiniLM-L6-v2, Apache-2.0, SHA-256 of `model.safetensors`
  {base}. It is not in this folder.
- GoEmotions (Demszky et al., 2020, Google Research), Reddit comments in English, CC BY 4.0:
  {emotion_rows} rows to train on. Not in this repository.
- ConvAbuse (Cercas Curry et al., 2021), messages to conversational agents, CC BY 4.0: {abuse_rows}
  rows to train on. Not in this repository.
- {train_lines} messages to support lines of all trades, invented for this project with their moods:
  `bot/build/feelings/train.tsv`; {dev_lines} more, `dev.tsv`, to calibrate on. Not a word of a real
  customer. Each label had one reader.

This folder: a LoRA adapter (rank {rank}, every linear layer of attention and feed-forward) and two
linear heads on the mean and the maximum of the token vectors. {epochs} epochs of GoEmotions, with our
lines and ConvAbuse in every {every}th batch; seed {seed}. {minutes} minutes on a shared CPU core.

    python -m bot.build.emotion train --data FOLDER     # goemotions/ and convabuse/ in FOLDER

## Figures
On dev sets. Thresholds of GoEmotions are tuned on one half and counted on the other; temperature
and biases on our lines are fitted on four fifths and counted on the rest. The number of epochs and
the rates were chosen on these sets too, so expect a little less elsewhere. docs/quality.md has the
figures on lines that nothing was tuned on.

| what | figure |
|---|---|
{table}

## Limits
- Irony and icy politeness are heard in part only: "Thank you for the goodwill gesture of two pounds"
  may pass for thanks.
- A bare fact can be trouble or none ("the blue one", "lost"); with no context it guesses.
- It hears one message at a time, the first {max_tokens} word pieces of it, in English. It tells no case
  apart but for one thing: a message mostly in capitals is marked as shouted.
- Our lines were invented by few authors who knew the labels; real customers will be harder.
- Annotators disagree much on GoEmotions, most of all on its rare labels (grief, pride, relief).
- A wording aid and a sign to look, not a verdict on a person.
"""


def card_of(config: dict[str, Any], *, counts: dict[str, int], seconds: float) -> str:
    """`counts`: emotion_rows, abuse_rows, train_lines, dev_lines."""
    figures = config["figures"]
    table = [f"| {title} | {figures[name]:g} |" for name, title in FIGURES.items()]
    return CARD.format(
        names=", ".join(NAMES),
        base=config["base"]["sha256"],
        table="\n".join(table),
        minutes=round(seconds / 60),
        max_tokens=MAX_TOKENS,
        **counts,
        **{key: config["settings"][key] for key in ("rank", "epochs", "every", "seed")},
    )

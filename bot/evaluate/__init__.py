"""`python -m bot evaluate`: how often Rapport is right, on anybody's data.

emotion.py   the command for feelings
intents.py   the command for intents
trial.py     a pipeline trained and asked in the engine's environment
rows.py      messages with labels, read from CSV
figures.py   the figures, from labels, predictions and confidences
"""

from __future__ import annotations

import typer

from bot.evaluate.emotion import emotion
from bot.evaluate.intents import intents

app = typer.Typer(help="How often Rapport is right, on your own data.", no_args_is_help=True)
app.command()(intents)
app.command()(emotion)


@app.callback()
def main() -> None:
    """How often Rapport is right, on your own data."""

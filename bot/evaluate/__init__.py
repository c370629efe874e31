"""`python -m bot evaluate`: how often Rapport is right, on anybody's data.

emotion.py   the command for feelings
"""

from __future__ import annotations

import typer

from bot.evaluate.emotion import emotion

app = typer.Typer(help="How often Rapport is right, on your own data.", no_args_is_help=True)
app.command()(emotion)


@app.callback()
def main() -> None:
    """How often Rapport is right, on your own data."""

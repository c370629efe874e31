"""`python -m knowledge_base`: the editor's commands. Each works without the rest of Rapport."""

from __future__ import annotations

import typer

from knowledge_base.cli.ask import ask
from knowledge_base.cli.check import check
from knowledge_base.cli.diff import diff
from knowledge_base.cli.evaluate import evaluate

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)

for command in (ask, check, diff, evaluate):
    app.command()(command)

if __name__ == "__main__":
    app()

"""`python -m knowledge_base`: the editor's commands. Each works without the rest of Rapport."""

from __future__ import annotations

import typer

from knowledge_base.cli.ask import ask
from knowledge_base.cli.build import build
from knowledge_base.cli.check import check
from knowledge_base.cli.diff import diff
from knowledge_base.cli.evaluate import evaluate
from knowledge_base.cli.gaps import gaps
from knowledge_base.cli.stats import stats
from knowledge_base.cli.watch import watch

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)

for command in (ask, check, diff, evaluate, gaps, build, watch, stats):
    app.command()(command)

if __name__ == "__main__":
    app()

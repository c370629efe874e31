"""`python -m bot simulate slack`: ask as a colleague in Slack, from a terminal, without an account."""

from __future__ import annotations

import re
import sys
import threading
import time
from typing import Annotated, Any

import typer

SETTINGS = """
# Slack, tried out with `python -m bot simulate slack`: no account, nothing leaves this machine.
SLACK_BOT_TOKEN={bot}
SLACK_APP_TOKEN={app}
SLACK_API_URL=http://127.0.0.1:{port}/api/
"""
WAIT = 40.0  # seconds until Rapport has connected: it tries again every minute at the latest


def slack(
    port: Annotated[int, typer.Option(help="Port of the local Slack.")] = 8091,
    guest: Annotated[
        bool, typer.Option("--guest", help="Be a guest, who gets public articles only.")
    ] = False,
    settings: Annotated[
        bool, typer.Option("--settings", help="Print the lines that .env needs, and stop.")
    ] = False,
) -> None:
    """Be a colleague who asks: each line you type is a direct message, and the answer is shown.

    Put the lines of --settings into .env, start Rapport with `make run`, and run this beside it.
    """
    from bot.settings import Settings
    from bot.simulate.slackd import Slackd

    server = Slackd(port=port)
    tokens = server.workspace
    lines = SETTINGS.format(bot=tokens.bot_token, app=tokens.app_token, port=port)
    if settings:
        typer.echo(lines.strip())
        return
    if Settings().slack_api_url != f"http://127.0.0.1:{port}/api/":
        told = "Rapport is not set up for this. Put these lines into .env and start it again:\n"
        typer.echo(told + lines, err=True)
        raise typer.Exit(1)
    with server:
        typer.echo("Waiting for Rapport to connect ...", err=True)
        if not _connected(server):
            typer.echo("Rapport does not connect: start it with `make run`.", err=True)
            raise typer.Exit(1)
        user = server.add_user("you", "you@shop.example", is_ultra_restricted=guest)
        channel = server.open_im(user)
        ended = threading.Event()
        watcher = threading.Thread(target=_show, args=(server, channel, ended), daemon=True)
        watcher.start()
        typer.echo("Ask, and press Enter; Ctrl-D ends it.")
        for line in sys.stdin:
            if line.strip():
                server.says(user, channel, line.strip())
        time.sleep(3 if not sys.stdin.isatty() else 0)  # what is on its way may still arrive
        ended.set()
        watcher.join()


def _connected(server: Any) -> bool:
    deadline = time.monotonic() + WAIT
    while not server.connections and time.monotonic() < deadline:
        time.sleep(0.1)
    return bool(server.connections)


def _show(server: Any, channel: Any, ended: threading.Event) -> None:
    """What the bot writes, as it comes."""
    seen: set[str] = set()
    while not ended.wait(0.2):
        for message in list(server.channel(channel).all_messages):
            if message.user == server.bot.id and message.ts not in seen:
                seen.add(message.ts)
                typer.echo(f"\n{words_of(message)}")


def words_of(message: Any) -> str:
    """A message's blocks as a terminal shows them."""
    found: list[str] = []
    for block in message.blocks or []:
        if block["type"] == "section":
            found.append(block["text"]["text"])
        elif block["type"] == "context":
            found.append(typer.style(" · ".join(it["text"] for it in block["elements"]), dim=True))
        elif block["type"] == "actions":
            found += [f"[{it['text']['text']}]" for it in block["elements"]]
    text = "\n".join(found) or message.text
    text = re.sub(r"<([^|>]+)\|([^>]+)>", r"\2 (\1)", text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

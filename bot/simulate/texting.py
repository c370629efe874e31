"""`python -m bot simulate sms`: text with the bot from a terminal, without an account. The running
Rapport is the real one, and so is everything on the way but the vendor."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import httpx
import typer

if TYPE_CHECKING:
    from bot.simulate.twilio import LocalTwilio

SETTINGS = """
# Text messages, tried out with `python -m bot simulate sms`: no account, nothing leaves this machine.
TWILIO_ACCOUNT_SID={account}
TWILIO_AUTH_TOKEN={token}
TWILIO_API_URL=http://127.0.0.1:{port}
SMS_FROM={number}
SMS_QUIET=
"""


def sms(
    sender: Annotated[str, typer.Option("--from", help="The customer's number.")] = "+447700900123",
    port: Annotated[int, typer.Option(help="Port of the local Twilio.")] = 8090,
    settings: Annotated[
        bool, typer.Option("--settings", help="Print the lines that .env needs, and stop.")
    ] = False,
) -> None:
    """Be a customer who texts: each line you type is a text, and what comes back is shown.

    Put the lines of --settings into .env, start Rapport with `make run`, and run this beside it.
    """
    from bot.settings import Settings
    from bot.simulate.twilio import ACCOUNT, NUMBER, TOKEN, LocalTwilio, Message
    from channels.sms.text import segments

    if settings:
        typer.echo(SETTINGS.format(account=ACCOUNT, token=TOKEN, number=NUMBER, port=port).strip())
        return
    found = Settings()
    if found.twilio_account_sid != ACCOUNT or found.twilio_api_url != f"http://127.0.0.1:{port}":
        typer.echo(
            "Rapport is not set up for this. Put these lines into .env and start it again:\n"
            + SETTINGS.format(account=ACCOUNT, token=TOKEN, number=NUMBER, port=port),
            err=True,
        )
        raise typer.Exit(1)

    def show(message: Message) -> None:
        if message.to == sender:
            count = segments(message.body)
            size = f"{len(message.body)} characters, {count} segment{'s' if count > 1 else ''}"
            typer.echo(f"\n{message.body}\n{typer.style(size, dim=True)}")

    here = f"http://127.0.0.1:{found.port}/channels/sms"
    with LocalTwilio(here, accounts={ACCOUNT: TOKEN}, on_message=show, port=port) as twilio:
        twilio.public = f"{found.origin}/channels/sms"
        typer.echo(f"You are {sender}. Write a text and press Enter; Ctrl-D ends it.")
        for line in sys.stdin:
            _text(twilio, sender, line.rstrip("\n"))
        time.sleep(3 if not sys.stdin.isatty() else 0)  # what is on its way may still arrive


def _text(twilio: LocalTwilio, sender: str, line: str) -> None:
    try:
        answer = twilio.texts(sender, line)
    except httpx.HTTPError:
        typer.echo("Rapport does not answer: start it with `make run`.", err=True)
        raise typer.Exit(1) from None
    if answer.status_code != 200:
        typer.echo(f"Rapport refused it ({answer.status_code}): {answer.text}", err=True)

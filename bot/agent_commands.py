"""`python -m bot agent`: the people at the desk."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from bot.app import Store
    from bot.store.agents import Agent

T = TypeVar("T")

app = typer.Typer(help="The people at the desk.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Email = Annotated[str, typer.Argument(help="The agent's e-mail.")]


@app.command()
def add(
    email: Annotated[str, typer.Argument(help="What the agent logs in with.")],
    name: Annotated[str, typer.Option(help="What customers see: the first word of it.")] = "",
    password: Annotated[str, typer.Option(help="Left out: one is made and printed.")] = "",
    role: Annotated[str, typer.Option(help="agent, lead, editor or admin.")] = "agent",
    *,
    as_json: AsJson = False,
) -> None:
    """Let a person work at the desk.

    Agents serve customers; leads also see numbers and who did what; editors see the knowledge pages
    and no customers; admins look after the people, too.
    """
    from bot.store.agents import new_password

    chosen = password or new_password()
    agent = _told(lambda store: store.agents.add(email, name, chosen, role))
    if as_json:
        typer.echo(json.dumps(plain(agent) | ({} if password else {"password": chosen})))
        return
    typer.echo(f"{agent.name} can log in at the desk as {agent.email} ({agent.role}).")
    if not password:
        typer.echo(f"Password: {chosen}")


@app.command(name="list")
def list_agents(as_json: AsJson = False) -> None:
    """Who may work at the desk."""
    found = _told(lambda store: store.agents.list())
    if as_json:
        typer.echo(json.dumps({"agents": [plain(agent) for agent in found]}, indent=2))
        return
    for agent in found:
        state = "  disabled" if agent.disabled else "  away" if agent.away else ""
        typer.echo(f"{agent.id:>4}  {agent.email:<40} {agent.role:<7} {agent.name}{state}")
    if not found:
        typer.echo("Nobody yet: python -m bot agent add EMAIL")


@app.command()
def disable(email: Email) -> None:
    """Let an agent in no more, from now on; what they did stays."""
    _told(lambda store: store.agents.disable(email))
    typer.echo(f"{email} cannot log in any more, and is signed out everywhere.")


@app.command()
def enable(email: Email) -> None:
    """Let a disabled agent in again."""
    _told(lambda store: store.agents.enable(email))
    typer.echo(f"{email} can log in again.")


@app.command()
def reset(
    email: Email,
    password: Annotated[str, typer.Option(help="Left out: one is made and printed.")] = "",
) -> None:
    """Give an agent a new password and end the sessions that are open."""
    from bot.store.agents import new_password

    chosen = password or new_password()
    _told(lambda store: store.agents.set_password(email, chosen))
    typer.echo(f"{email} has a new password." + ("" if password else f" Password: {chosen}"))


def plain(agent: Agent) -> dict[str, Any]:
    """An agent as JSON; ``queues`` null: all of them."""
    return {
        "id": agent.id,
        "email": agent.email,
        "name": agent.name,
        "role": agent.role,
        "queues": None if agent.queues is None else sorted(agent.queues),
        "skills": sorted(agent.skills),
        "languages": sorted(agent.languages),
        "capacity": agent.capacity,
        "away": agent.away,
        "disabled": agent.disabled,
    }


def _told(do: Callable[[Store], T]) -> T:
    """What `do` makes of the open store; what goes wrong in words."""
    from pydantic import ValidationError

    from bot.app import open_store
    from bot.settings import Settings
    from bot.settings_text import explain
    from bot.store.database import StoreUnavailable

    try:
        return do(open_store(Settings()))
    except ValidationError as error:
        told = "\n".join(explain(error))
    except (ValueError, StoreUnavailable) as error:
        told = str(error)
    typer.echo(told, err=True)
    raise typer.Exit(1)

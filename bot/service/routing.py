"""Who may take a ticket, in what order tickets are taken, and who is given the next one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.service.policy import Service


@dataclass(frozen=True)
class Colleague:
    """An agent as far as assignment goes. ``queues`` None: all of them."""

    id: int
    queues: frozenset[str] | None = None
    skills: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    capacity: int = 4
    load: int = 0  # conversations that the agent has
    free_since: int = 0  # when the agent was given the last one; 0: none yet


@dataclass(frozen=True)
class Waiting:
    """A ticket that waits. ``first`` stands before all others of its priority."""

    id: int
    queue: str
    priority: int
    since: int
    also_in: tuple[str, ...] = ()
    language: str | None = None
    wanted: int | None = None  # who had it before
    first: bool = False


def may_take(agent: Colleague, ticket: Waiting, service: Service) -> bool:
    """Whether the ticket is this agent's to take: by queue, skills and, where anybody has any,
    language."""
    if agent.id == ticket.wanted:
        return True
    mine = [
        name
        for name in (ticket.queue, *ticket.also_in)
        if agent.queues is None or name in agent.queues
    ]
    # Widened, a ticket needs nothing but somebody.
    return any(
        name in ticket.also_in or service.queue(name).skills <= agent.skills for name in mine
    )


def order(tickets: Iterable[Waiting]) -> list[Waiting]:
    """As they are to be taken: the most urgent first, of these the longest wait."""
    return sorted(tickets, key=lambda it: (it.priority, not it.first, it.since, it.id))


def ahead_of(ticket_id: int, tickets: Iterable[Waiting]) -> int:
    """How many of the same queue are to be taken before this one."""
    queue = order(tickets)
    mine = next((it for it in queue if it.id == ticket_id), None)
    if mine is None:
        return 0
    before = queue[: queue.index(mine)]
    return sum(it.queue == mine.queue for it in before)


def assignments(
    tickets: Iterable[Waiting], agents: Sequence[Colleague], service: Service
) -> list[tuple[int, int]]:
    """Pairs (ticket, agent): each ticket in turn goes to the agent who may take it and has room,
    of those first to who had it before, then to who speaks the language, has the fewest, has been
    free the longest. Nobody gets more than their capacity."""
    load = {agent.id: agent.load for agent in agents}
    pairs: list[tuple[int, int]] = []
    for ticket in order(tickets):
        fit = [
            agent
            for agent in agents
            if load[agent.id] < agent.capacity and may_take(agent, ticket, service)
        ]
        if not fit:
            continue
        chosen = min(
            fit,
            key=lambda agent: (
                agent.id != ticket.wanted,
                bool(ticket.language) and ticket.language not in agent.languages,
                load[agent.id],
                agent.free_since,
                agent.id,
            ),
        )
        load[chosen.id] += 1
        pairs.append((ticket.id, chosen.id))
    return pairs

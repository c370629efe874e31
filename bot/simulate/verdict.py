"""What came of the day, read from the rows that it left."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from bot.service import history
from bot.service.clocks import Mark, standings
from bot.simulate.day import Day
from bot.simulate.people import MINUTE
from bot.store import schema, tickets


def verdict(day: Day) -> dict[str, Any]:
    """The table: counts that must be 0, service levels kept, waits in minutes."""
    with day.database.reading() as tx:
        messages = tx.execute(
            select(schema.messages).order_by(
                schema.messages.c.conversation_id, schema.messages.c.seq
            )
        ).all()
        rows = tx.execute(select(schema.tickets)).all()
        channels = dict(
            tx.execute(select(schema.conversations.c.id, schema.conversations.c.channel)).all()
        )
        events = tx.execute(select(schema.ticket_events).order_by(schema.ticket_events.c.id)).all()
        turns = dict(
            tx.execute(select(schema.turns.c.outcome, func.count()).group_by("outcome")).all()
        )
    told: dict[int, list[Any]] = defaultdict(list)
    for event in events:
        told[event.ticket_id].append(event)
    kinds = Counter(event.kind for event in events)
    return {
        "conversations": len(channels),
        "messages": len(messages),
        "tickets": len(rows),
        "lost": _lost(messages),
        "answered_by_two": _two_speakers(messages, rows, told),
        "without_deadline": sum(
            row.state in tickets.OPEN
            and (row.next_at is None or row.next_at < day.database.time - 5 * MINUTE)
            for row in rows
        ),
        "dropped_bot_answers": turns.get("dropped", 0),
        "still_open": sum(row.state in tickets.OPEN for row in rows),
        "given_back": kinds[history.GIVEN_BACK],
        "promised": kinds[history.PROMISED],
        "promises_missed": kinds[history.PROMISE_MISSED],
        "ratings": kinds[history.RATED],
        "sla": _sla(day, rows, told, channels),
        "wait_minutes": _waits(day, rows, told),
    }


def _lost(messages: Sequence[Any]) -> int:
    """Customers' messages that nobody dealt with, or after which nothing was ever said."""
    said: dict[str, int] = {}
    for message in messages:
        if message.author != "customer":
            said[message.conversation_id] = message.seq
    unhandled = sum(m.author == "customer" and m.handled_at is None for m in messages)
    silent = {
        message.conversation_id
        for message in messages
        if message.author == "customer" and message.conversation_id not in said
    }
    return unhandled + len(silent)


def _two_speakers(messages: Sequence[Any], rows: Sequence[Any], told: dict[int, list[Any]]) -> int:
    """Messages of the bot, or of another agent, while one agent had the conversation."""
    held: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for row in rows:
        holder = since = None
        for event in told[row.id]:
            if event.kind in (history.CLAIMED, history.ASSIGNED):
                holder, since = event.agent_id, event.at
            elif holder is not None and event.kind in (
                *history.CLOSING, history.GIVEN_BACK, history.TRANSFERRED,
            ):  # fmt: skip
                held[row.conversation_id].append((since or 0, event.at, holder))
                holder = None
        if holder is not None:
            held[row.conversation_id].append((since or 0, 2**62, holder))
    wrong = 0
    for message in messages:
        for since, until, holder in held.get(message.conversation_id, ()):
            if since < message.created_at < until and (
                message.author == "bot"
                or (message.author == "agent" and message.agent_id != holder)
            ):
                wrong += 1
    return wrong


def _sla(
    day: Day, rows: Sequence[Any], told: dict[int, list[Any]], channels: dict[str, str]
) -> dict[str, dict[str, float]]:
    """For each clock: how many ran to their end or ran out, and the share that was kept."""
    kept: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    for row in rows:
        channel = channels[row.conversation_id]
        policy = day.service.sla(queue=row.queue, priority=row.priority, channel=channel)
        if policy is None:
            continue
        marks = [
            Mark(event.at, history.MARKS.get(event.kind, "closed"))
            for event in told[row.id]
            if event.kind in (*history.MARKS, *history.CLOSING)
        ]
        for clock in standings(policy, day.service.hours(row.queue), marks, day.database.time):
            if clock.stopped_at is not None or clock.breached:
                ended[clock.clock] += 1
                kept[clock.clock] += not clock.breached
    return {
        name: {"ended": ended[name], "kept": round(kept[name] / ended[name], 3)} for name in ended
    }


def _waits(
    day: Day, rows: Sequence[Any], told: dict[int, list[Any]]
) -> dict[str, dict[str, float]]:
    """Working minutes until the first claim, by queue."""
    found: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        first = next(
            (e.at for e in told[row.id] if e.kind in (history.CLAIMED, history.ASSIGNED)), None
        )
        if first is not None:
            hours = day.service.hours(row.queue)
            found[row.queue].append(hours.minutes_between(row.opened_at, first))
    return {
        queue: {
            "tickets": len(waits),
            "median": round(statistics.median(waits), 1),
            "p90": round(sorted(waits)[int(0.9 * (len(waits) - 1))], 1),
            "longest": round(max(waits), 1),
        }
        for queue, waits in sorted(found.items())
    }

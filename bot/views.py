"""Rows as people see them: the JSON of the web API and of the desk."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from bot import wording
from bot.orders.card import checked
from bot.service import history


def public_message(row: Row[Any], conversation_id: str) -> dict[str, Any]:
    """A message as the web API shows it."""
    extra = row.extra or {}
    prefix = f"{conversation_id}/"
    own = row.author == "customer" and (row.vendor_id or "").startswith(prefix)
    return {
        "id": row.seq,
        "author": row.author,
        "author_name": first_name(row.agent_name) if row.author == "agent" else "",
        "text": row.text,
        "time": iso(row.created_at),
        "client_id": row.vendor_id.removeprefix(prefix) if own else None,
        "sources": extra.get("sources", []),
        "buttons": extra.get("buttons", []),
        "order": checked(extra.get("order")) if row.author == "bot" else None,
    }


def desk_ticket(row: Row[Any], agent_id: int) -> dict[str, Any]:
    """A ticket as the desk shows it."""
    return {
        "id": row.id,
        "number": wording.ticket_number(row.id),
        "conversation_id": row.conversation_id,
        "state": row.state,
        "reason_type": row.reason_type,
        "reason": row.reason,
        "rule": row.rule,
        "rules": row.rules or [],
        "mood": mood(row.mood_now or row.mood or {}),
        "priority": row.priority,
        "queue": row.queue,
        "channel": row.channel,
        "opened_at": iso(row.opened_at),
        "claimed_at": iso(row.claimed_at),
        "closed_at": iso(row.closed_at),
        "agent": {"id": row.agent_id, "name": row.agent_name} if row.agent_id else None,
        "mine": row.agent_id == agent_id,
        "last_message": (
            {"author": row.last_author, "text": row.last_text[:200], "time": iso(row.last_at)}
            if row.last_author
            else None
        ),
        "note": row.note,
        "settled": row.settled,
        "rating": row.rating,
        "rating_comment": row.rating_comment,
        "priority_why": row.priority_why or [],
        "summary": row.summary,
        "tags": row.tags or [],
        "also_in": row.also_in or [],
        "contact": row.contact,
        "language": row.language,
        "customer": _customer(row),
        "waiting_since": iso(row.waiting_since),
        "customer_since": iso(row.customer_since),
        "snoozed_until": iso(row.snoozed_until),
        "promised_for": iso(row.promised_for),
        "nudged": row.nudged_at is not None,
        "sla": row.sla,
        "sla_due_at": iso(row.sla_due_at),
        "sla_clock": row.sla_clock,
        "breached": row.sla_breached or [],
        "merged_into": wording.ticket_number(row.merged_into) if row.merged_into else None,
    }


def _customer(row: Row[Any]) -> dict[str, Any] | None:
    """Who it is, once that is proven by the shop's site; or the end of their number."""
    if row.customer_subject:
        return {"name": row.customer_name or row.customer_subject, "email": row.customer_email}
    if row.address:
        return {"name": f"number ending in {row.address[-3:]}", "email": None}
    return None


def desk_event(row: Row[Any]) -> dict[str, Any]:
    """Something that happened to a ticket, as the desk shows it."""
    return {
        "at": iso(row.at),
        "kind": row.kind,
        "words": history.WORDS.get(row.kind, row.kind),
        "agent": row.agent_name,
        "data": row.data or {},
    }


def iso(milliseconds: int | None) -> str | None:
    """ISO 8601 in UTC, or None."""
    if milliseconds is None:
        return None
    moment = datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def mood(felt: dict[str, Any]) -> dict[str, Any]:
    return {
        "label": felt.get("label", "neutral"),
        "level": felt.get("level", 0),
        "why": felt.get("why", ""),
        "course": [
            {key: step.get(key, "") for key in ("label", "felt", "said")}
            for step in felt.get("course") or []
        ],
    }


def first_name(name: str | None) -> str:
    """What customers see of an agent's name."""
    return name.split()[0] if name and name.split() else "A colleague"

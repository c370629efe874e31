"""A ticket as Slack shows it: a card in the channel of its queue, and forms to act on it."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Row

from bot.views import desk_ticket, first_name
from channels.slack import wording
from channels.slack.blocks import cut, inert

PRIORITIES = {1: "Urgent", 2: "High", 3: "Normal", 4: "Low"}
CHANNELS = {"web": "Web chat", "sms": "Text message"}
LATER = (("60", "in an hour"), ("180", "in three hours"), ("1080", "in 18 hours"))
SHOWN = 280  # characters of a line
QUOTED = 2800


def card(row: Row[Any], queue: str, origin: str) -> dict[str, Any]:
    """The ticket's state, and the buttons that fit it. The same state makes the same card."""
    ticket = desk_ticket(row, 0)
    number = str(ticket["number"])
    state = {
        "waiting": "waits",
        "human": f"with {row.agent_name}" if row.agent_name else "with a person",
    }.get(row.state, "closed")
    if row.snoozed_until and row.state == "human":
        state += f", put off until {_date(row.snoozed_until)}"
    lines = [
        f"*{number}* · {PRIORITIES.get(row.priority, 'Normal')} · {inert(queue)} · {inert(state)}",
        inert(cut(ticket["reason"], SHOWN)),
    ]
    facts = [
        f"Mood: {inert(ticket['mood']['label'])}",
        CHANNELS.get(row.channel, inert(row.channel)),
        f"since {_date(row.opened_at)}",
    ]
    if row.state in ("waiting", "human") and row.sla_due_at:
        facts.append(f"*due {_date(row.sla_due_at)}*")
    if row.promised_for:
        facts.append(f"promised for {_date(row.promised_for)}")
    blocks: list[dict[str, Any]] = [_section("\n".join(lines)), _context(" · ".join(facts))]
    summary = ticket["summary"] or {}
    asked = [f"“{inert(cut(it, SHOWN))}”" for it in (summary.get("asked") or [])[-3:]]
    if asked:
        blocks.append(_section("Asked: " + " ".join(asked)))
    if row.state in ("waiting", "human"):
        blocks.append({"type": "actions", "elements": _buttons(row, origin)})
    return {"text": f"{number}: {inert(cut(ticket['reason'], SHOWN))}", "blocks": blocks}


def _buttons(row: Row[Any], origin: str) -> list[dict[str, Any]]:
    value = str(row.id)
    desk = {"type": "button", "action_id": "ticket.open", "text": _plain("Open the desk")}
    desk["url"] = f"{origin}/desk#{row.conversation_id}"
    if row.state == "waiting":
        claim = _button("Claim", "ticket.claim", value) | {"style": "primary"}
        return [claim, _button("Note", "ticket.note", value), desk]
    later = {
        "type": "static_select",
        "action_id": "ticket.snooze",
        "placeholder": _plain("Put off"),
        "options": [{"text": _plain(words), "value": f"{value}:{it}"} for it, words in LATER],
    }
    return [
        _button("Write to the customer", "ticket.write", value) | {"style": "primary"},
        _button("Resolve", "ticket.resolve", value),
        _button("Hand back to the bot", "ticket.hand_back", value),
        later,
        _button("Note", "ticket.note", value),
        desk,
    ]


def message(row: Row[Any]) -> dict[str, Any]:
    """One message of the conversation, for the card's thread."""
    who = {
        "customer": "Customer",
        "bot": "Bot",
        "agent": f"{first_name(row.agent_name)} to the customer",
    }.get(row.author, "To the customer")
    text = f"*{inert(who)}:* {inert(cut(row.text, QUOTED))}"
    return {"text": text, "blocks": [_section(text)]}


def so_far(rows: list[Row[Any]]) -> dict[str, Any]:
    """What was written before the ticket came, in one message."""
    lines = [message(row)["text"] for row in rows]
    shown = [cut(line, SHOWN) for line in lines[-8:]]
    text = "\n".join(shown)
    return {"text": text, "blocks": [_section(text[:QUOTED])]}


def preview(text: str, ticket_id: int, key: str, promised: list[str]) -> dict[str, Any]:
    """What a colleague is about to send, and the two buttons that decide."""
    quoted = "\n".join(f"&gt; {inert(line)}" for line in cut(text, 2000).split("\n"))
    blocks = [_section(f"{wording.PREVIEW}\n{quoted}")]
    if promised:
        words = ", ".join(f"“{it}”" for it in promised)
        blocks.append(_context(inert(wording.PROMISES.format(words=words))))
    value = json.dumps({"ticket": ticket_id, "key": key})
    blocks.append(
        {
            "type": "actions",
            "elements": [
                _button("Send to the customer", "reply.send", value) | {"style": "primary"},
                _button("Do not send", "reply.drop", value),
            ],
        }
    )
    return {"text": wording.PREVIEW, "blocks": blocks}


def form(what: str, ticket_id: int, number: str) -> dict[str, Any]:
    """The modal for a note, a reply or a hand-back."""
    title, submit, fields = {
        "note": ("Internal note", "Keep", (("text", "For colleagues only", False),)),
        "write": ("To the customer", "Send", (("text", f"Your answer in {number}", False),)),
        "hand_back": (
            "Back to the bot",
            "Hand back",
            (
                ("settled", "What is settled? The customer reads this", True),
                ("note", "Why? For colleagues only", True),
            ),
        ),
    }[what]
    return {
        "type": "modal",
        "callback_id": f"ticket.{what}",
        "private_metadata": json.dumps({"ticket": ticket_id, "what": what}),
        "title": _plain(title),
        "submit": _plain(submit),
        "close": _plain("Cancel"),
        "blocks": [
            {
                "type": "input",
                "block_id": name,
                "optional": optional,
                "label": _plain(label),
                "element": {
                    "type": "plain_text_input",
                    "action_id": "text",
                    "multiline": True,
                    "max_length": 2000,
                },
            }
            for name, label, optional in fields
        ],
    }


def _date(milliseconds: int) -> str:
    """A moment that Slack shows in each reader's own time."""
    seconds = milliseconds // 1000
    return f"<!date^{seconds}^{{date_short_pretty}} {{time}}|{seconds}>"


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:3000]}}


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text[:3000]}]}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def _button(text: str, action_id: str, value: str) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": _plain(text), "value": value}

"""The rules of ``escalation.yml`` inside a turn: what a message calls for, and seeing to it.

Everything here happens in a caller's transaction, with the conversation's row locked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row

from bot import wording
from bot.brain import Heard
from bot.conversation import State
from bot.escalation import Decision, Escalation, Situation, with_mood
from bot.privacy.redaction import mask
from bot.store import ledger, tickets
from bot.store.questions import CONTENT
from bot.support import Support

CONTACTS = ("email", "phone")
OUR_LAST = 3  # a fixed reply is not repeated while it is among our last messages


class Judge:
    """Decides on messages, and hands over or raises what is open already."""

    def __init__(self, support: Support):
        self._support = support

    @property
    def _rules(self) -> Escalation:
        return self._support.escalation

    def at_once(self, text: str) -> Decision | None:
        """The rule that these words set off and that waits for nobody."""
        return self._rules.judge_words(text, at_once=True)

    def decide(
        self, tx: Connection, conversation_id: str, message: Row[Any], heard: Heard | None
    ) -> Decision | None:
        """What the message calls for, from its words and what the engine heard; ``heard`` is None
        when the engine did not answer, and then the words alone decide."""
        if heard is None:
            return self._rules.judge_words(message.text)
        earlier = ledger.turns_before(tx, conversation_id, message.id)
        since = tickets.last_closed_at(tx, conversation_id)
        lately = [row for row in earlier if row.started_at > since]
        offered = {str((row.understood or {}).get("offered") or "") for row in earlier}
        situation = Situation(
            text=message.text,
            # An answer to a question of a job asks for no person, whatever it sounds like.
            intent="" if _goes_on_with_job(heard) else heard.intent,
            mood=heard.mood,
            misses=1 + _misses(lately) if missed(heard) else 0,
            abuse=str(heard.emotion.get("abuse") or "none"),
            contacts=tuple(_contacts(heard.entities, lately)),
        )
        return self._rules.judge(situation, done=offered)

    def hand_over(
        self,
        tx: Connection,
        conversation_id: str,
        decision: Decision,
        *,
        cause: str,
        message_id: int,
        mood: dict[str, Any] | None,
    ) -> None:
        """A ticket for this reason, with what the customer is told; or, where one is open, that
        one raised. The customer's message is marked for whoever reads it."""
        ledger.note_rule(tx, message_id, decision.rule.name)
        opened = tickets.by_cause(tx, cause)
        row = ledger.conversation(tx, conversation_id)
        open_id = opened.id if opened else (row.ticket_id if row is not None else None)
        if open_id is not None:
            self._raise(tx, open_id, decision, mood)
            return
        self._support.open_ticket(
            tx,
            conversation_id,
            cause=cause,
            reason_type=decision.rule.reason_type,
            reason=decision.reason,
            mood=mood,
            decision=decision,
        )

    def while_with_person(self, tx: Connection, row: Row[Any], message: Row[Any]) -> None:
        """A message that waits for a person or goes to one: its words may still raise the ticket,
        and what is always said is said."""
        found = [it for it in self._rules.all_words(message.text) if it.hands_over]
        if not found or not row.ticket_id:
            return
        ledger.note_rule(tx, message.id, found[0].rule.name)
        for decision in found:
            self._raise(tx, row.ticket_id, decision, row.mood)
            if decision.rule.always_said and not self._just_said(tx, row.id, decision):
                agent = row.agent_id if State(row.state) is State.HUMAN else None
                self._support.say_fixed(
                    tx, row.id, decision, row.ticket_id, agent_id=agent, author="system"
                )

    def _raise(
        self,
        tx: Connection,
        ticket_id: int,
        decision: Decision,
        mood: dict[str, Any] | None = None,
    ) -> None:
        """Let one more rule count for an open ticket, each rule once.

        The more urgent rule, and of two the one that stands first in the file, gives the reason;
        what was there before stays readable behind it.
        """
        ticket = tickets.get(tx, ticket_id)
        rule = decision.rule
        applied = list((ticket.rules if ticket else None) or [])
        if ticket is None or rule.name in applied:
            return
        priority = with_mood(rule.priority, mood or ticket.mood)
        values: dict[str, Any] = {
            "rules": [*applied, rule.name],
            "priority": min(priority, ticket.priority),
        }
        reason = mask(decision.reason)
        ranks = [it.name for it in self._rules.rules]
        rank = ranks.index(ticket.rule) if ticket.rule in ranks else len(ranks)
        queue = self._support.service.queue(rule.queue).name
        if priority < ticket.priority:
            why = f"{priority}: by the rule “{rule.name}”"
            values["priority_why"] = [*(ticket.priority_why or []), why]
        if ticket.reason_type == rule.reason_type:
            values.update(rule=rule.name, queue=queue)
        elif (priority, ranks.index(rule.name)) < (ticket.priority, rank):
            values.update(
                rule=rule.name,
                queue=queue,
                reason_type=rule.reason_type,
                reason=f"{reason} Before that: {ticket.reason}",
            )
        else:
            values["reason"] = f"{ticket.reason} Also: {reason}"
        tickets.change(tx, ticket_id, **values)
        self._support.retime(tx, ticket_id, self._support.database.now(tx))

    def _just_said(self, tx: Connection, conversation_id: str, decision: Decision) -> bool:
        return any(
            (said.extra or {}).get("rule") == decision.rule.name
            for said in ledger.last_said(tx, conversation_id, OUR_LAST)
        )


def _goes_on_with_job(heard: Heard) -> bool:
    return bool(heard.replies) and bool((heard.replies[-1].get("custom") or {}).get("job"))


def missed(heard: Heard) -> bool:
    """Whether the bot had no answer, by its own account."""
    return any((reply.get("custom") or {}).get("miss") for reply in heard.replies)


def before_receipt(replies: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """The replies that may stand before a receipt, and the text of the others.

    An answer with its sources helps in any case. A question ("Shall I bring in a colleague?") would
    contradict what follows it.
    """
    kept: list[dict[str, Any]] = []
    dropped: list[str] = []
    for reply in replies:
        custom = reply.get("custom") or {}
        if custom.get("sources") and not custom.get("offer"):
            kept.append(reply)
        else:
            dropped.append(mask(str(reply.get("text") or "")))
    return kept, dropped


def with_offer(
    replies: tuple[dict[str, Any], ...], decision: Decision
) -> tuple[tuple[dict[str, Any], ...], dict[str, str] | None]:
    """The replies with the offer of a person added to the last, and the offer to remember; None
    where the engine has made one itself."""
    if any((reply.get("custom") or {}).get("offer") for reply in replies):
        return replies, None
    offer = {
        "to": "person",
        "reason_type": decision.rule.reason_type,
        "reason": decision.reason,
    }
    *others, last = replies
    text = str(last.get("text") or "").rstrip()
    buttons = last.get("buttons") or []
    last = {
        **last,
        "text": f"{text}\n\n{decision.rule.reply or wording.OFFER}".strip(),
        "buttons": [*buttons, wording.PERSON_BUTTON] if buttons else wording.YES_NO,
        "custom": {**(last.get("custom") or {}), "offer": offer},
    }
    return (*others, last), offer


def _misses(earlier: Iterable[Row[Any]]) -> int:
    """How many turns before had no answer, back to one that had. Small talk does not count."""
    count = 0
    for row in earlier:
        understood = row.understood or {}
        if understood.get("missed"):
            count += 1
        elif row.citations or set(understood.get("actions") or ()) & CONTENT:
            break
    return count


def _contacts(entities: list[dict[str, Any]], earlier: Iterable[Row[Any]]) -> Iterable[str]:
    """The addresses and numbers that the customer wrote, now and before."""
    heard = [entities, *((row.understood or {}).get("entities") or [] for row in earlier)]
    for entity in (one for found in heard for one in found):
        if entity.get("entity") in CONTACTS and entity.get("value"):
            yield str(entity["value"])

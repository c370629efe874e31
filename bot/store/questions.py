"""What customers asked the bot, and what became of it; and the gaps that were closed.

A question was not answered when no article was cited, or when the customer then said that it did
not help, asked for a person, or rated badly. Texts are as they are stored: masked.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, select

from bot.store import ledger
from bot.store.schema import closed_gaps, messages, tickets, turns

ANSWERS, REFERS, SEVERAL = "action_answer", "action_refer_job", "action_several"
"""The actions that look for an article: for a question, for something to be done, for several things
at once, of which one at least has to be done by a person."""

CONTENT = {"utter_thank", "utter_praise", "utter_goodbye"}
"""After these, what was answered before counts as accepted."""

NO_ARTICLE, NOT_HELPFUL, ASKED_FOR_PERSON, BAD_RATING = (
    "no_article",
    "not_helpful",
    "asked_for_person",
    "bad_rating",
)
WORST_RATINGS = 2
ROWS_AT_ONCE = 1000


@dataclass
class Asked:
    """A question that was put to the bot.

    `number` is the message's in its conversation, `sources` what was cited in answer, `why` the
    reasons for which it counts as unanswered (none: it was answered), `mood_level` (0 to 4) the
    worst until it was dealt with, `rating` (1 to 5) that of the person who took over, and `answers`
    what that person wrote until the ticket was closed. Times are milliseconds since the epoch.
    """

    conversation_id: str
    number: int
    text: str
    asked_at: int
    mood_level: int
    sources: tuple[dict[str, Any], ...] = ()
    why: tuple[str, ...] = ()
    handed_over: bool = False
    rating: int | None = None
    answers: tuple[str, ...] = ()
    refers: bool = field(default=False, repr=False)

    def blame(self, why: str) -> None:
        if why not in self.why:
            self.why += (why,)


def asked(tx: Connection, since: int) -> Iterator[Asked]:
    """Every question since then, by conversation, each in the order asked."""
    opened = _tickets(tx, since)
    rows = tx.execute(
        select(
            messages.c.conversation_id,
            messages.c.id,
            messages.c.seq,
            messages.c.author,
            messages.c.text,
            messages.c.asks_for_person,
            messages.c.extra,
            messages.c.created_at,
            turns.c.id.label("turn_id"),
            turns.c.outcome,
            turns.c.understood,
            turns.c.mood,
            turns.c.citations,
        )
        .outerjoin(turns, turns.c.message_id == messages.c.id)
        .where(messages.c.created_at >= since)
        .order_by(messages.c.conversation_id, messages.c.seq)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    for _, conversation in groupby(rows, key=lambda row: row.conversation_id):
        yield from _Reading(opened).read(conversation)


def _tickets(tx: Connection, since: int) -> dict[str, Row[Any]]:
    """Tickets by what opened them."""
    found = tx.execute(
        select(tickets.c.cause, tickets.c.rating).where(tickets.c.opened_at >= since)
    )
    return {row.cause: row for row in found}


class _Reading:
    """One conversation, read from its first message to its last."""

    def __init__(self, opened: dict[str, Row[Any]]):
        self._opened = opened
        self._found: list[Asked] = []
        self._last: Asked | None = None  # what a "that does not help" would be about
        self._pending: list[Asked] = []  # what a person who takes over would have to answer
        self._with_person: list[Asked] = []
        self._offered: frozenset[str] = frozenset()

    def read(self, rows: Iterable[Row[Any]]) -> list[Asked]:
        for row in rows:
            if row.author == "customer":
                self._customer(row)
            elif row.author == "bot":
                buttons = (row.extra or {}).get("buttons") or []
                self._offered = frozenset(str(it.get("text", "")) for it in buttons)
            elif row.author == "agent":
                for one in self._with_person:
                    one.answers += (row.text,)
        return self._found

    def _customer(self, row: Row[Any]) -> None:
        actions = set((row.understood or {}).get("actions") or ())
        level = int((row.mood or {}).get("level") or 0)
        if row.outcome in ("answered", "person") and actions & {ANSWERS, REFERS, SEVERAL}:
            self._question(row, level, refers=bool(actions & {REFERS, SEVERAL}))
        elif self._last is not None:
            self._last.mood_level = max(self._last.mood_level, level)
            if "action_not_helpful" in actions:
                self._last.blame(NOT_HELPFUL)
            # Whoever wants something done needs a person in any case, article or not.
            elif not self._last.refers and (
                row.asks_for_person or "action_request_person" in actions
            ):
                self._last.blame(ASKED_FOR_PERSON)
            elif actions & CONTENT:
                self._last, self._pending = None, []
        ticket = self._opened.get(f"turn/{row.turn_id}") or self._opened.get(f"message/{row.id}")
        if ticket is not None and row.outcome != "failed":
            self._hand_over(ticket.rating)
        self._offered = frozenset()

    def _question(self, row: Row[Any], level: int, *, refers: bool) -> None:
        sources = tuple(row.citations or ())
        chosen = self._last is not None and sources and row.text.strip() in self._offered
        if chosen:  # a suggestion was taken up: the same question, answered now
            self._last.sources = sources
            self._last.why = tuple(it for it in self._last.why if it != NO_ARTICLE)
            self._pending = [self._last]
            return
        question = Asked(
            row.conversation_id,
            row.seq,
            row.text,
            row.created_at,
            level,
            sources=sources,
            why=() if sources else (NO_ARTICLE,),
            refers=refers,
        )
        self._found.append(question)
        self._last = question
        # An answer that nobody objected to ends what was open before it.
        self._pending = [question] if sources else [*self._pending, question]

    def _hand_over(self, rating: int | None) -> None:
        for one in self._pending:
            one.handed_over, one.rating = True, rating
            if rating is not None and rating <= WORST_RATINGS:
                one.blame(BAD_RATING)
        self._with_person, self._pending, self._last = self._pending, [], None


# Gaps that were closed.


def closures(tx: Connection) -> list[Row[Any]]:
    """All closures, the latest first."""
    return list(tx.execute(select(closed_gaps).order_by(closed_gaps.c.id.desc())))


def close_gap(
    tx: Connection,
    question: str,
    wordings: list[str],
    *,
    because: str,
    closed_by: str,
    now: int,
) -> int:
    """Note that a gap is dealt with; returns the closure's id."""
    return int(
        tx.execute(
            closed_gaps.insert()
            .values(
                question=question,
                wordings=wordings,
                because=because,
                closed_by=closed_by[:100],
                closed_at=now,
            )
            .returning(closed_gaps.c.id)
        ).scalar_one()
    )


def open_again(tx: Connection, closure_id: int) -> bool:
    """Take a closure back; whether it was there."""
    return tx.execute(closed_gaps.delete().where(closed_gaps.c.id == closure_id)).rowcount == 1


STAFF = "staff"
"""The channel of what colleagues asked: questions without a customer."""


def log_gap(tx: Connection, question: str, *, by: str, now: int) -> bool:
    """Keep a question that no article answered; once for each wording."""
    name = hashlib.sha256(question.casefold().encode()).hexdigest()[:32]
    if ledger.find_message(tx, STAFF, name) is not None:
        return False
    ledger.add_conversation(tx, name, secrets.token_hex(32), channel=STAFF, now=now)
    message = ledger.append_message(
        tx,
        name,
        "customer",
        question,
        now=now,
        vendor_id=name,
        handled_at=now,
        extra={"asked_by": by[:100]},
    )
    turn_id = uuid.uuid4().hex
    row = tx.execute(select(messages).where(messages.c.id == message.id)).one()
    ledger.begin_turn(tx, turn_id, row, now)
    understood = {"actions": [ANSWERS], "missed": True}
    ledger.finish_turn(
        tx, turn_id, "answered", now=now, understood=understood, citations=[], intent="ask_question"
    )
    return True

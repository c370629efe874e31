"""The inbox: from a stored message to stored replies, first in first out, one engine call in flight.

A worker holds the conversation's lease and deals with its oldest unanswered message until none is
left. Each message ends in exactly one transaction, which stores the replies, marks the message as
dealt with and checks that the lease is still this worker's; killed anywhere before that commit, the
turn is done again by whoever takes the lease next, and killed after it, it is over.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from anyio import to_thread
from sqlalchemy import Connection, Row

from bot import wording
from bot.brain import Brain, BrainError, BrainUnavailable, Heard, Turn
from bot.conversation import Arrival, Event, Route, State, after, bot_may_speak, rating_of, route
from bot.deliveries import Courier
from bot.escalation import Decision
from bot.judging import Judge, before_receipt, missed, with_offer
from bot.orders.card import checked
from bot.privacy.redaction import mask
from bot.store import ledger, tickets
from bot.support import Support
from bot.wakeups import DESK

MOST_ATTEMPTS = 3

log = structlog.get_logger("turns")


@dataclass(frozen=True)
class Work:
    """A message that the engine has to answer."""

    turn: Turn
    message: Row[Any]
    lease: str


class LeaseLost(Exception):
    """Another worker has taken over; whatever this one found out is worthless."""


class Turns:
    """Works on conversations; at most one worker a conversation, by its lease."""

    def __init__(self, support: Support, brain: Brain, courier: Courier):
        self._support = support
        self._database = support.database
        self._brain = brain
        self._courier = courier
        self._judge = Judge(support)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, conversation_id: str, lease: str) -> None:
        """Begin to work on a conversation whose lease the caller just took."""
        task = asyncio.create_task(self._work(conversation_id, lease))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def resume(self) -> None:
        """Take up what a crash left: unanswered messages whose lease is free."""
        for conversation_id, lease in await to_thread.run_sync(self._take_forgotten):
            log.info("turn.resumed", conversation_id=conversation_id)
            self.start(conversation_id, lease)

    async def finish(self, seconds: float) -> None:
        """Let running turns end before a stop; what does not end in time is taken up later."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()

    def _take_forgotten(self) -> list[tuple[str, str]]:
        with self._database.reading() as tx:
            forgotten = ledger.forgotten(tx, self._database.now(tx))
        taken: list[tuple[str, str]] = []
        for conversation_id in forgotten:
            with self._database.transaction() as tx:
                lease = self._support.take_lease(tx, conversation_id, self._database.now(tx))
            if lease:
                taken.append((conversation_id, lease))
        return taken

    async def _work(self, conversation_id: str, lease: str) -> None:
        try:
            while True:
                work, more = await to_thread.run_sync(self._begin, conversation_id, lease)
                if work is not None:
                    more = await self._answer(work)
                elif not more:
                    return
                await self._courier.deliver(conversation_id)
                if not more:
                    return
        except LeaseLost:
            log.warning("turn.lease_lost", conversation_id=conversation_id)
        except asyncio.CancelledError:
            raise
        except Exception:
            # The message stays unanswered and the lease runs out; the ticker tries again.
            log.exception("turn.broke", conversation_id=conversation_id)

    async def _answer(self, work: Work) -> bool:
        """Work on a message to its end; whether there are more, and the lease is kept for them."""
        heard: Heard | BrainError
        try:
            heard = await self._brain.ask(work.turn)
        except BrainError as error:
            heard = error
            log.warning(
                "turn.not_heard",
                conversation_id=work.turn.conversation_id,
                turn_id=work.turn.id,
                kind=error.kind,
                reason=str(error),
            )
        outcome, more = await to_thread.run_sync(self._end, work, heard)
        log.info(
            "turn.done",
            conversation_id=work.turn.conversation_id,
            turn_id=work.turn.id,
            outcome=outcome,
            intent=heard.intent if isinstance(heard, Heard) else None,
        )
        return more

    # The first transaction of a turn: whose is this message?

    def _begin(self, conversation_id: str, lease: str) -> tuple[Work | None, bool]:
        """The next message for the engine, and whether to go on looking when there is none."""
        with self._database.transaction() as tx:
            row = self._hold(tx, conversation_id, lease)
            message = ledger.oldest_unhandled(tx, conversation_id)
            if message is None:
                ledger.release_lease(tx, conversation_id, lease)
                return None, False
            now = self._database.now(tx)
            ledger.change_conversation(
                tx, conversation_id, now, lease_until=now + self._support.lease_milliseconds
            )
            where = self._route(row, message, now)
            if where is Route.BRAIN and self._support.goes_to_merged(tx, row, message, now):
                ledger.mark_handled(tx, message.id, now)
                self._support.wake(conversation_id, DESK)
                return None, True
            urgent = self._judge.at_once(message.text) if where is Route.BRAIN else None
            if urgent is not None:
                self._at_once(tx, row, message, urgent, now=now)
            elif where is Route.BRAIN:
                begun = self._begin_turn(tx, row, message, lease=lease, now=now)
                if begun is not None:
                    return begun, True
            else:
                self._without_brain(tx, where, row, message, now=now)
                ledger.mark_handled(tx, message.id, now)
        self._support.wake(conversation_id, DESK)
        return None, True

    def _hold(self, tx: Connection, conversation_id: str, lease: str) -> Row[Any]:
        row = ledger.lock_conversation(tx, conversation_id)
        if row is None or row.lease_owner != lease:
            raise LeaseLost
        return row

    def _route(self, row: Row[Any], message: Row[Any], now: int) -> Route:
        return route(
            Arrival(
                state=State(row.state),
                text=message.text,
                asks_for_person=message.asks_for_person,
                rating_expected=bool(row.rating_ticket_id and (row.rating_until or 0) > now),
            )
        )

    def _without_brain(
        self, tx: Connection, where: Route, row: Row[Any], message: Row[Any], *, now: int
    ) -> None:
        if where is Route.PERSON:
            self._support.open_ticket(
                tx,
                row.id,
                cause=f"message/{message.id}",
                reason_type="asked",
                reason="Pressed the button to talk to a person.",
            )
        elif where is Route.SURVEY:
            rating = rating_of(message.text)
            if rating is not None:
                self._support.rate(tx, row, message, rating, now)
        elif where is Route.DESK:
            self._support.customer_wrote(tx, row, message.text, now)
            self._judge.while_with_person(tx, row, message)

    def _at_once(
        self, tx: Connection, row: Row[Any], message: Row[Any], urgent: Decision, *, now: int
    ) -> None:
        """Words that must not wait for the engine: it is not asked, so it cannot contradict."""
        turn = ledger.begin_turn(tx, uuid.uuid4().hex, message, now)
        self._judge.hand_over(
            tx, row.id, urgent, cause=f"turn/{turn.id}", message_id=message.id, mood=row.mood
        )
        understood = {"rule": urgent.rule.name}
        ledger.finish_turn(tx, turn.id, "person", now=now, understood=understood)
        ledger.mark_handled(tx, message.id, now)

    def _begin_turn(
        self, tx: Connection, row: Row[Any], message: Row[Any], *, lease: str, now: int
    ) -> Work | None:
        """The turn for the engine; or None when it has failed too often and went to a person."""
        state = after(State(row.state), Event.CUSTOMER_WROTE)
        if state is not State(row.state):
            ledger.change_conversation(tx, row.id, now, state=state)
        turn = ledger.begin_turn(tx, uuid.uuid4().hex, message, now)
        if turn.attempt > MOST_ATTEMPTS:
            self._to_person(tx, row.id, turn.id)
            ledger.finish_turn(tx, turn.id, "failed", now=now, understood={"failure": "crashed"})
            ledger.mark_handled(tx, message.id, now)
            return None
        offer = ledger.standing_offer(tx, row.id, message.id)
        asked = Turn(turn.id, row.id, message.text, turn.attempt, row.mood, offer)
        return Work(asked, message, lease)

    # The last transaction of a turn: is the bot still the one to speak?

    def _end(self, work: Work, heard: Heard | BrainError) -> tuple[str, bool]:
        conversation_id = work.turn.conversation_id
        with self._database.transaction() as tx:
            row = self._hold(tx, conversation_id, work.lease)
            now = self._database.now(tx)
            answer = heard if isinstance(heard, Heard) else None
            decision = self._judge.decide(tx, conversation_id, work.message, answer)
            if isinstance(heard, Heard):
                found = self._record(tx, conversation_id, heard, now)
                outcome = self._say(tx, row, work, heard, decision, notes=found["understood"])
            else:
                found = {"understood": {"failure": heard.kind, "reason": str(heard)[:200]}}
                outcome = self._without_answer(tx, row, work, heard, decision, now=now)
            if decision is not None:
                found["understood"]["rule"] = decision.rule.name
            ledger.finish_turn(tx, work.turn.id, outcome, now=now, **found)
            ledger.mark_handled(tx, work.message.id, now)
            more = ledger.has_unhandled(tx, conversation_id)
            if not more:
                ledger.release_lease(tx, conversation_id, work.lease)
        self._support.wake(conversation_id, DESK)
        return outcome, more

    def _record(
        self, tx: Connection, conversation_id: str, heard: Heard, now: int
    ) -> dict[str, Any]:
        if heard.mood:
            ledger.change_conversation(tx, conversation_id, now, mood=heard.mood)
        return {
            "intent": heard.intent,
            "confidence": heard.confidence,
            "understood": {
                "entities": heard.entities,
                "emotion": heard.emotion,
                "actions": heard.actions,
                "slots": heard.slots,
                **({"missed": True} if missed(heard) else {}),
            },
            "mood": heard.mood,
            "citations": [
                source
                for reply in heard.replies
                for source in (reply.get("custom") or {}).get("sources", [])
            ],
        }

    def _say(
        self,
        tx: Connection,
        row: Row[Any],
        work: Work,
        heard: Heard,
        decision: Decision | None,
        *,
        notes: dict[str, Any],
    ) -> str:
        """Say what the engine answered, or what a rule says instead; returns the outcome."""
        now = self._database.now(tx)
        if row.failures:
            ledger.change_conversation(tx, row.id, now, failures=0)
        handed_over = tickets.by_cause(tx, f"turn/{work.turn.id}") is not None
        speaks = not handed_over and bot_may_speak(State(row.state))
        replies: Sequence[dict[str, Any]] = heard.replies
        if decision is not None and decision.hands_over:
            if speaks:
                replies, notes["dropped"] = before_receipt(replies)
                if not decision.rule.reply:
                    self._say_replies(tx, row.id, work, replies, now=now)
                else:
                    notes["dropped"] += [str(reply.get("text") or "") for reply in replies]
            self._hand_over(tx, row, work, decision, heard.mood)
        elif speaks and self._reopened(tx, row, work, heard, notes=notes, now=now):
            return "person"
        elif speaks:
            if decision is not None:
                replies, offer = with_offer(heard.replies, decision)
                notes.update(offered=decision.rule.name, **({"offer": offer} if offer else {}))
            self._say_replies(tx, row.id, work, replies, now=now)
            return "answered"
        if handed_over or speaks:
            return "person"  # the receipt was stored with the ticket
        return "dropped"  # a person took over while the engine was thinking

    def _reopened(
        self,
        tx: Connection,
        row: Row[Any],
        work: Work,
        heard: Heard,
        *,
        notes: dict[str, Any],
        now: int,
    ) -> bool:
        """Whether the message reopened what a person had resolved; the table of service.yml says
        for whom. What an article answers is answered, and needs nobody."""
        if any((reply.get("custom") or {}).get("sources") for reply in heard.replies):
            return False
        to, ticket = self._support.reopening(tx, row.id, heard.intent, now)
        if to == "bot" or ticket is None:
            return False
        replies, notes["dropped"] = before_receipt(heard.replies)
        self._say_replies(tx, row.id, work, replies, now=now)
        self._support.reopen(
            tx,
            ticket,
            to=to,
            cause=f"turn/{work.turn.id}",
            text=work.message.text,
            mood=heard.mood,
        )
        return True

    def _hand_over(
        self,
        tx: Connection,
        row: Row[Any],
        work: Work,
        decision: Decision,
        mood: dict[str, Any] | None,
    ) -> None:
        self._judge.hand_over(
            tx,
            row.id,
            decision,
            cause=f"turn/{work.turn.id}",
            message_id=work.message.id,
            mood=mood,
        )

    def _say_replies(
        self,
        tx: Connection,
        conversation_id: str,
        work: Work,
        replies: Sequence[dict[str, Any]],
        *,
        now: int,
    ) -> None:
        for reply in replies:
            custom = reply.get("custom") or {}
            extra = {
                "sources": custom.get("sources", []),
                "buttons": _buttons(reply),
                "order": checked(custom.get("order")),
            }
            ledger.say(
                tx,
                conversation_id,
                "bot",
                mask(str(reply.get("text") or "")),
                now=now,
                turn_id=work.turn.id,
                extra={key: value for key, value in extra.items() if value} or None,
            )

    def _without_answer(
        self,
        tx: Connection,
        row: Row[Any],
        work: Work,
        error: BrainError,
        decision: Decision | None,
        *,
        now: int,
    ) -> str:
        """The engine did not answer: what the words call for is done all the same."""
        opened = tickets.by_cause(tx, f"turn/{work.turn.id}") is not None
        speaks = bot_may_speak(State(row.state))
        if decision is not None and decision.hands_over:
            self._hand_over(tx, row, work, decision, row.mood)
            opened = opened or speaks
        if opened:
            return "person"
        return self._apologise(tx, row, work, error, now=now) if speaks else "dropped"

    def _apologise(
        self, tx: Connection, row: Row[Any], work: Work, error: BrainError, *, now: int
    ) -> str:
        """Never silence: an apology, and a person when the engine is away or fails twice."""
        if isinstance(error, BrainUnavailable) or row.failures >= 1:
            self._to_person(tx, row.id, work.turn.id)
            return "failed"
        ledger.change_conversation(tx, row.id, now, failures=row.failures + 1)
        extra = {"buttons": [wording.PERSON_BUTTON]}
        ledger.say(
            tx,
            row.id,
            "bot",
            wording.FAILED_ONCE,
            now=now,
            turn_id=work.turn.id,
            extra=extra,
        )
        return "failed"

    def _to_person(self, tx: Connection, conversation_id: str, turn_id: str) -> None:
        self._support.open_ticket(
            tx,
            conversation_id,
            cause=f"turn/{turn_id}",
            reason_type="failure",
            reason="The assistant could not answer: a fault on our side.",
            say=wording.engine_down,
        )


def _buttons(reply: dict[str, Any]) -> list[dict[str, str]]:
    """Choices as titles that are sent as plain text; never Rasa's payloads."""
    return [
        {"title": str(button["title"]), "text": str(button.get("text") or button["title"])}
        for button in reply.get("buttons") or []
        if button.get("title")
    ]

"""One question after a conversation was resolved, and what a low answer sets off."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from bot import wording
from bot.conversation import Rating
from bot.handover import HandingOver
from bot.privacy.redaction import mask
from bot.service import history
from bot.service.policy import DAY, HOUR
from bot.store import ledger, tickets
from bot.wording import ticket_number


class AskingRatings(HandingOver):
    """CSAT: asked once for a resolved episode, and not again of the same person too soon."""

    def rating_question(self, tx: Connection, ticket: Row[Any], row: Row[Any], now: int) -> bool:
        """Whether this customer is asked now; what the answer will count for is noted with it."""
        since = now - self.service.ratings.cooldown_days * DAY
        if tickets.asked_lately(tx, ticket.conversation_id, row.contact, since):
            return False
        by_bot = any(turn.outcome == "answered" for turn in ledger.turns_of(tx, row.id))
        tickets.change(
            tx, ticket.id, asked_rating_at=now, handled_by="both" if by_bot else "person"
        )
        return True

    def rating_until(self, now: int) -> int:
        return now + self.service.ratings.hours * HOUR

    def rate(
        self, tx: Connection, row: Row[Any], message: Row[Any], rating: Rating, now: int
    ) -> None:
        """Store the answer; a low one opens a ticket, so that somebody makes amends."""
        ticket = tickets.shown(tx, row.rating_ticket_id)
        tickets.change(
            tx, ticket.id, rating=rating.score, rated_at=now, rating_comment=rating.comment or None
        )
        tickets.note(tx, ticket.id, history.RATED, now, score=rating.score)
        ledger.change_conversation(tx, row.id, now, rating_ticket_id=None, rating_until=None)
        rules = self.service.ratings
        if rating.score > rules.low:
            text = wording.thanks_for_rating(rating.score)
            ledger.say(tx, row.id, "system", text, now=now)
            return
        comment = f" “{mask(rating.comment)[:160]}”" if rating.comment else ""
        self.open_ticket(
            tx,
            row.id,
            cause=f"rating/{ticket.id}",
            reason_type="recovery",
            reason=f"Rated {ticket_number(ticket.id)} with {rating.score} of 5.{comment}",
            mood=row.mood,
            say=lambda number, desk: wording.thanks_for_rating(rating.score, recovery=number),
            values={
                "queue": self.service.queue(rules.recovery_queue).name,
                "priority": rules.recovery_priority,
                "priority_why": [f"{rules.recovery_priority}: a rating of {rating.score}"],
            },
        )

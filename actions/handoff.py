"""Getting to a person: asking for one, being offered one, saying yes or no to it."""

from __future__ import annotations

from typing import Any

from anyio import to_thread

from actions.base import (
    YES_NO,
    CollectingDispatcher,
    Events,
    People,
    Skill,
    Tracker,
    last_custom,
    mood,
    offer,
    quote,
    said,
    turn_id,
)


class HandsOver(Skill):
    """An action that may bring in a person."""

    def __init__(self, people: People):
        self._people = people

    async def hand_over(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        *,
        reason_type: str,
        reason: str,
        first: str = "",
    ) -> Events:
        """Open the ticket; the receipt is stored with it, so no reply of ours can be lost or come
        too late. Outside the gateway (`rasa shell`) there is nobody to hand over to."""
        turn = turn_id(tracker)
        if not turn or not await to_thread.run_sync(
            self._people.running_turn, tracker.sender_id, turn
        ):
            dispatcher.utter_message(response="utter_person_requested", ticket="(none: no gateway)")
            return []
        number = await to_thread.run_sync(
            lambda: self._people.request_person(
                tracker.sender_id,
                cause=f"turn/{turn}",
                reason_type=reason_type,
                reason=reason,
                mood=mood(tracker),
                first=first,
            )
        )
        dispatcher.utter_message(response="utter_person_requested", ticket=number)
        return []


class RequestPerson(HandsOver):
    """The customer asks for a person, and gets one: no questions first."""

    action_name = "action_request_person"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        reason = f"Asked for a person: {quote(said(tracker))}"
        standing = last_custom(tracker).get("offer")
        if standing:
            reason = f"{standing['reason']} Then asked for a person: {quote(said(tracker))}"
        return await self.hand_over(dispatcher, tracker, reason_type="asked", reason=reason)


class Affirm(HandsOver):
    """A yes: to the offer that was made last, if one was."""

    action_name = "action_affirm"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        standing = last_custom(tracker).get("offer")
        if not standing:
            dispatcher.utter_message(response="utter_affirm_unclear")
            return []
        return await self.hand_over(
            dispatcher, tracker, reason_type=standing["reason_type"], reason=standing["reason"]
        )


class Deny(Skill):
    """A no."""

    action_name = "action_deny"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        dispatcher.utter_message(response="utter_deny")
        return []


class Complaint(Skill):
    """General anger: acknowledged, apologised for once, with the offer of a person."""

    action_name = "action_complaint"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        dispatcher.utter_message(
            response="utter_complaint",
            buttons=YES_NO,
            json_message={"offer": offer("upset", f"Complains: {quote(said(tracker))}")},
        )
        return []


class NotHelpful(Skill):
    """The last answer was none: ask for other words, and the second time recommend a person."""

    action_name = "action_not_helpful"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        again = bool(last_custom(tracker).get("miss"))
        reason = f"The answers did not help: {quote(said(tracker))}"
        dispatcher.utter_message(
            response="utter_no_answer_again" if again else "utter_not_helpful",
            buttons=YES_NO,
            json_message={"miss": True, "offer": offer("accepted", reason)},
        )
        return []

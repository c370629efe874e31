"""The dialogue of a job: asks only for what is missing, and lets itself be interrupted.

Rasa's form ``job_form`` keeps it going from message to message; this action reads each of them, fills
what can be filled, and asks for the next thing, or ends the form. What it knows travels in the slot
``job``; whose order it is does not: that is asked of the clerk each time.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from anyio import to_thread

from actions.answer import Answer, find, sources
from actions.base import (
    YES_NO,
    CollectingDispatcher,
    Events,
    People,
    Skill,
    Tracker,
    intent,
    offer,
    quote,
    said,
    turn_id,
    wishes,
)
from actions.handoff import Affirm, Complaint, Deny, HandsOver, NotHelpful, RequestPerson
from actions.jobs import doing, filling
from actions.jobs.hearing import Heard, heard
from actions.jobs.replies import Masked, Number, Phrase, items_of, say
from actions.jobs.rules import TROUBLES, WITH_ITEMS, lines_for, refusal
from actions.jobs.state import FORGOTTEN_AFTER, NEEDS, Job
from actions.jobs.status import late_days, money, status
from actions.phrases import phrase
from actions.refer import ReferJob
from actions.several import Several, part
from bot import wording
from bot.jobs.clerk import CannotSend, Clerk, CodeProblem, Refused
from bot.orders.card import card
from bot.orders.contract import (
    Conflict,
    NotAllowed,
    NotFound,
    Operation,
    Order,
    OrderError,
    Unavailable,
    Unknown,
)
from bot.orders.policy_file import JOBS as CODE_FOR
from knowledge_base.search import KnowledgeBase

QUESTIONS_FIRST = tuple(
    f"utter_job_{name}"
    for name in (
        "which_order", "which_of", "one_at_a_time", "proof", "cancel_which", "return_which",
        "problem_which", "return_reason", "problem_remedy", "problem_details",
    )
)  # fmt: skip
"""What may be the first reply to somebody who is cross, and says nothing of the trouble itself."""

QUESTIONS = ("ask_question", "nlu_fallback", "out_of_scope")
COURTESIES = ("greet", "goodbye", "thank", "chitchat", "praise", "bot_challenge", "capabilities")
OWN_WORDS = {"order": "no_number", "address": "address_incomplete"}
"""How it is said that an answer was none, where it can be said what is wrong with it."""

PLAINLY = 0.9  # of a wish for a person, to be heard before anything else
SURE = 0.6  # of another job, to leave the one that is being done
NEEDS_OPERATION = {
    "cancel_order": Operation.CANCEL,
    "start_return": Operation.START_RETURN,
    "exchange_item": Operation.START_RETURN,
    "report_damage": Operation.REPORT,
    "report_missing_item": Operation.REPORT,
    "warranty_claim": Operation.REPORT,
    "change_address": Operation.CHANGE_ADDRESS,
    "update_contact": Operation.CHANGE_CONTACT,
    "invoice_copy": Operation.SEND_INVOICE,
    "unsubscribe": Operation.UNSUBSCRIBE,
    "loyalty_points": Operation.POINTS,
}


class JobForm(HandsOver):
    """``validate_job_form``: one turn of a job."""

    action_name = "validate_job_form"

    def __init__(self, people: People, knowledge_base: KnowledgeBase, clerk: Clerk | None):
        super().__init__(people)
        self._knowledge_base = knowledge_base
        self._clerk = clerk
        answer, refer = Answer(knowledge_base), ReferJob(knowledge_base)
        self._others: dict[str, Skill] = {
            **dict.fromkeys(QUESTIONS, answer),
            "several_wishes": Several(knowledge_base),
            "affirm": Affirm(people),
            "deny": Deny(),
            "not_helpful": NotHelpful(),
            "complaint": Complaint(),
            "request_person": RequestPerson(people),
            **dict.fromkeys((*NEEDS, "gift_card_balance", "data_request"), refer),
        }

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        if self._clerk is None:
            return await self._left_to_others(dispatcher, tracker, domain)
        job = await self._going_on(tracker)
        turn = _Turn(self, self._clerk, dispatcher, tracker)
        if job is None:
            job, part_of_it = await to_thread.run_sync(self._begun, tracker, dispatcher)
            if job is None:
                return await self._left_to_others(dispatcher, tracker, domain)
            await turn.begin(job, part_of_it)
        else:
            await turn.go_on(job)
        await turn.rest()
        return turn.events()

    async def _left_to_others(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        """What is no job, where the form was still open, or where no orders can be seen: as the rule
        of its intent would have it."""
        name = intent(tracker)
        if name in COURTESIES:
            dispatcher.utter_message(response=f"utter_{name}")
            return _over()
        skill = self._others.get(name, self._others["ask_question"])
        return [*await skill.run(dispatcher, tracker, domain), *_over()]

    async def _going_on(self, tracker: Tracker) -> Job | None:
        """The job that the last messages were about, unless it was left for long, or to a person."""
        job = Job.from_slot(tracker.get_slot("job"))
        if job is None or self._clerk is None:
            return None
        conversation = str(tracker.sender_id)
        if await self._clerk.silent_seconds(conversation) > FORGOTTEN_AFTER:
            return None
        if await self._clerk.handed_over_since(conversation, job.at):
            return None
        return job

    def _begun(
        self, tracker: Tracker, dispatcher: CollectingDispatcher
    ) -> tuple[Job | None, Tracker]:
        """The job that a message asks for, and the part of the message that does; with several wishes
        the questions among them are answered at once, and the jobs done one after the other. None
        when it is for others to deal with."""
        words = said(tracker)
        parts = [part(tracker, it) for it in wishes(tracker)]
        if intent(tracker) != "several_wishes" or not parts:
            kind = intent(tracker)
            return (Job(kind, first_words=words[:500]) if kind in NEEDS else None), tracker
        jobs = [one for one in parts if intent(one) in NEEDS]
        questions = [one for one in parts if intent(one) in QUESTIONS]
        if not jobs or len(jobs) + len(questions) < len(parts):
            return None, tracker
        for one in questions:
            self.answer(dispatcher, one)
        first, *others = ({"kind": intent(one), "text": said(one)[:500]} for one in jobs)
        return Job(first["kind"], first_words=words[:500], waiting=list(others)), jobs[0]

    def answer(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> bool:
        """Answer a question from the articles, in between; whether one did."""
        result, quoted = find(self._knowledge_base, tracker)
        if result.kind != "answer" or not quoted:
            return False
        custom = {"sources": sources(result)}
        dispatcher.utter_message(response="utter_answer", answer=quoted, json_message=custom)
        return True


class _Turn:
    """One message of a job."""

    def __init__(
        self, form: JobForm, clerk: Clerk, dispatcher: CollectingDispatcher, tracker: Tracker
    ):
        self._form, self._clerk = form, clerk
        self._dispatcher, self._tracker = dispatcher, tracker
        self._conversation = str(tracker.sender_id)
        self._key = turn_id(tracker) or uuid.uuid4().hex
        self._heard: Heard = heard(tracker.latest_message, said(tracker), clerk.policy)
        self._job: Job | None = None
        self._last = ""  # the order that was last spoken of
        self._next: list[dict[str, str]] = []  # further wishes, once this one is done
        self._more: Events = []

    def events(self) -> Events:
        """What Rasa has to note: the job as it stands now, or that there is none."""
        job = self._job
        about = job.order if job else self._last
        order = [_slot("order_number", about)] if about else []
        if job is None:
            return [*self._more, *order, *_over()]
        job.at = _now(self._tracker)
        return [
            *self._more, *order, _slot("job", job.as_slot()), _slot("requested_slot", job.need)
        ]  # fmt: skip

    # From message to message.

    async def rest(self) -> None:
        """What else was wished, one after the other, until one of them has a question."""
        while self._job is None and self._next:
            wish, *others = self._next
            self._next = []
            named = Phrase(phrase(wish["kind"]).button)
            say(self._dispatcher, "next_wish", wish=named)
            self._heard = heard({}, wish["text"], self._clerk.policy)
            fresh = Job(wish["kind"], first_words=wish["text"], waiting=others)
            filling.take_what_is_said(fresh, self._heard)
            fresh.order = fresh.order or self._last
            await self._guarded(fresh)

    async def begin(self, job: Job, part_of_it: Tracker) -> None:
        """The first message, or the part of it that is about this job, which may say much already.
        Whose the order is may stand in another part."""
        whole, policy = self._heard, self._clerk.policy
        mine = heard(part_of_it.latest_message, said(part_of_it), policy)
        self._heard = replace(
            mine,
            numbers=mine.numbers or whole.numbers,
            email=mine.email or whole.email,
            postcode=mine.postcode or whole.postcode,
        )
        filling.take_what_is_said(job, self._heard)
        await self._guarded(job)
        self._acknowledge()

    def _acknowledge(self) -> None:
        """Trouble is acknowledged before the first question; an answer does so itself."""
        slots, said_first = self._tracker.slots, self._dispatcher.messages[:1]
        cross = slots.get("tone") in ("upset", "angry") and not slots.get("apologised")
        asks = said_first and said_first[0].get("response") in QUESTIONS_FIRST
        if cross and asks:
            say(self._dispatcher, "acknowledge")
            self._dispatcher.messages.insert(0, self._dispatcher.messages.pop())

    async def go_on(self, job: Job) -> None:
        """A message that answers, or does not."""
        it = self._heard
        if it.intent == "request_person" and it.confidence >= PLAINLY:
            await self._asked_for_person(job)
            return
        if job.need.startswith("person"):
            await self._after_offer(job)
            return
        changed = job.need == "reason" and "mind" in it.plain  # a reason, and no wish to stop
        if it.stops and job.need != "credit" and not changed:
            self._job = job
            self._end("stopped")
            return
        if job.need in ("confirm", "credit"):
            settle = self._confirm if job.need == "confirm" else self._credit
            self._job = job
            if not await self._safely(job, settle):
                await self._else(job)
            return
        if await self._taken(job):
            job.misses = 0
            await self._guarded(job)
        else:
            await self._else(job)

    async def _else(self, job: Job) -> None:
        """No answer to what was asked: a correction, another job, a no, or something in between."""
        it = self._heard
        if it.intent == "request_person":
            await self._asked_for_person(job)
            return
        if self._corrected(job) or self._another_job(job):
            job = self._job or job
            job.misses = 0
            await self._guarded(job)
        elif job.need in ("items", "reason", "variant", "address", "contact") and it.says_no:
            self._job = job
            self._end("stopped")
        else:
            await self._in_between(job)

    async def _after_offer(self, job: Job) -> None:
        """The answer to "shall I bring in a colleague?" in the middle of a job."""
        if self._heard.says_yes:
            await self._to_person(job, "Could not say what was asked for.", "accepted")
            return
        job.need = job.need.partition(":")[2]
        job.misses = 0
        if self._heard.says_no or await self._taken(job):
            await self._guarded(job)
        else:
            await self._else(job)

    async def _in_between(self, job: Job) -> None:
        """Something that is no answer: a question, a courtesy, or nothing that is understood."""
        it = self._heard
        if it.intent in COURTESIES:
            self._dispatcher.utter_message(response=f"utter_{it.intent}")
            await self._guarded(job)
            return
        asks = it.intent in QUESTIONS and (it.asks or it.intent == "ask_question")
        if asks and await to_thread.run_sync(self._form.answer, self._dispatcher, self._tracker):
            await self._guarded(job)
            return
        job.misses += 1
        cross = it.intent in ("complaint", "not_helpful")
        if job.misses >= 2:
            job.need = f"person:{job.need}"
            self._job = job
            say(self._dispatcher, "not_understood_again", buttons=("Yes, please", "No, go on"))
            return
        if cross:
            say(self._dispatcher, "acknowledge")
            await self._guarded(job)
            return
        if job.need in OWN_WORDS:
            self._job = job
            example = Number(self._clerk.policy.number_example)
            values = {"example": example} if job.need == "order" else {}
            say(self._dispatcher, OWN_WORDS[job.need], **values)
            return
        say(self._dispatcher, "not_understood")
        await self._guarded(job)

    def _corrected(self, job: Job) -> bool:
        """ "No, the other order": another number than the one that is talked about."""
        numbers = [one for one in self._heard.numbers if one != job.order]
        if not numbers:
            return False
        job.order = numbers[0]
        job.forget_order()
        self._job = job
        return True

    def _another_job(self, job: Job) -> bool:
        """Something else is wanted now; the order stays the one that was talked about."""
        it = self._heard
        same = it.intent not in NEEDS or it.intent == job.kind
        same = same or {it.intent, job.kind} <= set(TROUBLES)  # told more about, in other words
        if same or it.confidence < SURE or it.bare:
            return False
        fresh = Job(it.intent, order=job.order, first_words=it.text[:500], waiting=job.waiting)
        filling.take_what_is_said(fresh, it)
        self._job = fresh
        return True

    async def _taken(self, job: Job) -> bool:
        """Whether the message answers what was asked."""
        order = None
        if job.need in ("items", "reason", "variant"):
            order = await self._known(job)
        return filling.take(job, self._heard, order, self._clerk.policy)

    async def _known(self, job: Job) -> Order | None:
        try:
            return await self._clerk.order(self._conversation, job.order)
        except OrderError:
            return None

    # What is missing?

    async def _guarded(self, job: Job) -> None:
        """Go on to the next question, or to the end; a shop that fails is said plainly."""
        await self._safely(job, self._advance)

    async def _safely(self, job: Job, step: Callable[[Job], Awaitable[bool | None]]) -> bool:
        self._job = job
        try:
            return bool(await step(job))
        except Unavailable:
            await self._keep(job, "The shop's system did not answer.", wording.SHOP_DOWN)
        except Unknown:
            why = "It was sent to the shop's system, which did not confirm it: see whether it was done."
            await self._keep(job, why, wording.SHOP_UNCLEAR)
        except (NotAllowed, NotFound, Conflict):
            self._end("shop_refuses", person=self._wish(job))
        return True

    async def _advance(self, job: Job) -> None:
        operation = NEEDS_OPERATION.get(job.kind)
        if operation and operation not in self._clerk.system.can:
            self._end("cannot", person=self._wish(job))
            return
        order: Order | None = None
        for need in NEEDS[job.kind]:
            if need == "order":
                order = await self._order(job)
                if order is None or await self._at_once(job, order):
                    return
            elif not await self._has(job, need, order):
                return
        await self._carry_out(job, order)

    async def _order(self, job: Job) -> Order | None:
        """The order, proven; None when something had to be asked first."""
        if job.kind == "loyalty_points" and not job.order and await self._points(None):
            return None
        if not job.order and not await self._which(job):
            return None
        order = await self._clerk.order(self._conversation, job.order)
        if order is not None:
            self._last = order.number
            return order
        it = self._heard
        # A new address to deliver to, or to write to, proves nothing.
        elsewhere = job.kind in ("change_address", "update_contact") and job.need != "proof"
        email = "" if elsewhere else it.email or job.said.get("email", "")
        postcode = "" if elsewhere else it.postcode or job.said.get("postcode", "")
        job.said = {}
        if not (email or postcode):
            job.need = "proof"
            say(self._dispatcher, "proof", number=Number(job.order))
            return None
        try:
            order = await self._clerk.prove(
                self._conversation, job.order, email=email, postcode=postcode
            )
        except Refused as refused:
            if refused.over:
                about = f"{self._wish(job)} The details did not match an order."
                self._end("no_match_over", person=about, reason_type="job")
            else:
                job.need = "proof"
                say(self._dispatcher, "no_match")
            return None
        self._last = order.number
        return order

    async def _which(self, job: Job) -> bool:
        """Find out which order is meant; false when it has to be asked."""
        it = self._heard
        numbers = it.numbers if job.need in ("", "order") else ()
        job.need = "order"
        if (it.email or it.postcode) and job.kind not in ("change_address", "update_contact"):
            job.said = {"email": it.email, "postcode": it.postcode}
        if len(numbers) > 1:
            job.offered = list(numbers[:5])
            say(self._dispatcher, "one_at_a_time", buttons=job.offered)
            return False
        if numbers:
            job.order = numbers[0]
            return True
        proven = await self._clerk.proven(self._conversation)
        if proven:
            job.order = proven[0]
            return True
        mine = await self._clerk.orders(self._conversation)
        today = await to_thread.run_sync(self._clerk.today)
        fitting = [
            it for it in mine if not refusal(job.kind, it, self._clerk.policy, today)
        ] or mine
        if len(fitting) == 1:
            job.order = fitting[0].number
            return True
        if fitting:
            job.offered = [it.number for it in fitting]
            say(self._dispatcher, "which_of", buttons=[_title(it) for it in fitting])
        else:
            say(self._dispatcher, "which_order", example=Number(self._clerk.policy.number_example))
        return False

    async def _at_once(self, job: Job, order: Order) -> bool:
        """What can be said now: jobs that are only a look, and jobs that cannot be done."""
        today = await to_thread.run_sync(self._clerk.today)
        shown = {"order": card(order)}
        if job.kind == "track_order":
            name, values = status(order, today)
            if name in ("status_lost", "status_came_back"):
                self._end(name, values, person=self._wish(job), custom=shown)
                return True
            say(self._dispatcher, name, custom=shown, **values)
            if not await self._offers_credit(job, order, today):
                self._done()
            return True
        if job.kind == "refund_status":
            name, values = money(order, self._clerk.policy, today)
            self._end(name, values, custom=shown)
            return True
        if job.kind == "loyalty_points":
            await self._points(order)
            return True
        if job.confirmed:
            # It was looked at before it was confirmed; a turn that is done again after a crash finds
            # it done, and the shop knows it again by its key.
            return False
        refused = refusal(job.kind, order, self._clerk.policy, today)
        if refused is not None:
            self._end(refused[0], refused[1], person=self._wish(job))
            return True
        if job.kind == "update_contact" and not order.customer_id:
            self._end("contact_guest", person=self._wish(job))
            return True
        if job.kind == "invoice_copy":
            name, values = await doing.send_invoice(order, self._clerk, f"{self._key}/invoice")
            self._end(name, values)
            return True
        if job.kind in WITH_ITEMS and not job.items:
            filling.only_line(job, lines_for(job.kind, order))
            if not job.items:
                filling.named_lines(job, self._heard, lines_for(job.kind, order))
        if job.items:
            job.named = str(items_of(order, job.items))
        return False

    async def _has(self, job: Job, need: str, order: Order | None) -> bool:
        """Whether a need is met; if not it was asked for, or the job has come to an end."""
        policy = self._clerk.policy
        if need != "confirm":
            if filling.met(job, need):
                return True
            asked = filling.question(job, need, order, policy)
            ended = filling.dead_end(job, need, order)
            if ended is not None:
                self._end(ended[0], ended[1], person=self._wish(job))
                return False
            job.need, job.offered = need, list(asked.choices)
            say(self._dispatcher, asked.reply, buttons=asked.choices, **asked.values)
            return False
        if job.kind == "start_return" and job.reason == "faulty":
            await self._is_faulty(job)
            return False
        if job.unused is False:
            self._end("used", person=self._wish(job))
            return False
        ended = filling.dead_end(job, need, order)
        if ended is not None:
            self._end(ended[0], ended[1], person=self._wish(job))
            return False
        if job.confirmed:
            return True
        await self._ask_to_confirm(job, order)
        return False

    async def _is_faulty(self, job: Job) -> None:
        """What is faulty is no return: it is reported, and nothing is taken off."""
        order = await self._clerk.order(self._conversation, job.order)
        today = await to_thread.run_sync(self._clerk.today)
        late = order and refusal("report_damage", order, self._clerk.policy, today)
        kind = "warranty_claim" if late else "report_damage"
        fresh = Job(
            kind, order=job.order, items=job.items, first_words=job.first_words, waiting=job.waiting
        )
        await self._guarded(fresh)

    # The confirmation.

    async def _ask_to_confirm(self, job: Job, order: Order | None) -> None:
        name, values = doing.confirmation(job, order, self._clerk)
        again, job.need = job.need == "confirm", "confirm"
        free = order is None or job.kind not in CODE_FOR
        if free or await self._clerk.may_change(self._conversation, order, job.kind):  # type: ignore[arg-type]
            job.code_to = ""
            say(self._dispatcher, name, buttons=("Yes, please", "No, leave it"), **values)
            return
        if not (again and job.code_to):
            say(self._dispatcher, name, **values)
        if not job.code_to:
            await self._send_code(job, order)
        else:
            say(self._dispatcher, "code_sent", to=Masked(job.code_to))

    async def _send_code(self, job: Job, order: Order | None, reply: str = "code_sent") -> None:
        if order is None:
            raise Unavailable("the order cannot be read now")
        try:
            job.code_to = await self._clerk.send_code(self._conversation, order)
        except CannotSend:
            self._end("code_impossible", person=self._wish(job))
            return
        say(self._dispatcher, reply, to=Masked(job.code_to))

    async def _confirm(self, job: Job) -> bool:
        """The answer to the confirmation; whether it was one."""
        it = self._heard
        if job.code_to and it.code:
            try:
                await self._clerk.use_code(self._conversation, job.order, it.code)
            except CodeProblem as problem:
                await self._code_was_wrong(job, problem)
                return True
            job.confirmed = True
            await self._advance(job)
        elif it.says_yes and job.code_to:
            say(self._dispatcher, "code_sent", to=Masked(job.code_to))
        elif it.says_yes:
            job.confirmed = True
            await self._advance(job)
        elif it.says_no and not await self._other_items(job):
            self._end("stopped")
        elif not it.says_no:
            return False
        return True

    async def _other_items(self, job: Job) -> bool:
        """ "No, the boots": other lines than were asked to be confirmed."""
        order = await self._known(job)
        meant = Job(job.kind)
        if order is not None:
            filling.named_lines(meant, self._heard, lines_for(job.kind, order))
        if not meant.items or meant.items == job.items:
            return False
        job.items, job.need = meant.items, ""
        await self._advance(job)
        return True

    async def _code_was_wrong(self, job: Job, problem: CodeProblem) -> None:
        if problem.left:
            say(self._dispatcher, "code_wrong")
            return
        order = await self._known(job)
        await self._send_code(job, order, "code_over")

    async def _carry_out(self, job: Job, order: Order | None) -> None:
        name, values = await doing.carry_out(job, order, self._clerk, f"{self._key}/{job.kind}")
        self._end(name, values)

    # Late, and made good.

    async def _offers_credit(self, job: Job, order: Order, today: Any) -> bool:
        credit = self._clerk.policy.late_credit
        if (
            credit is None
            or Operation.GIVE_CREDIT not in self._clerk.system.can
            or late_days(order, today) < self._clerk.policy.late_by
            or credit.currency != order.total.currency
            or await self._clerk.system.outcome(doing.credit_key(order)) is not None
        ):
            return False
        job.need = "credit"
        say(
            self._dispatcher, "late_credit", buttons=("Yes, please", "No, thank you"), credit=credit
        )
        return True

    async def _credit(self, job: Job) -> bool:
        """The answer to the offer of a voucher; whether it was one."""
        it = self._heard
        coded = bool(job.code_to and it.code)
        if not coded and it.says_no:
            self._end("credit_refused")
            return True
        if not coded and not it.says_yes:
            return False
        order = await self._clerk.order(self._conversation, job.order)
        if order is None:
            raise Unavailable("the order cannot be read now")
        if coded:
            try:
                await self._clerk.use_code(self._conversation, job.order, it.code)
            except CodeProblem as problem:
                await self._code_was_wrong(job, problem)
                return True
        elif not await self._clerk.may_change(self._conversation, order, "late_credit"):
            # A voucher is money: it goes to whoever has the order's address, and not to a finder.
            await self._send_code(job, order)
            return True
        name, values = await doing.give_credit(order, self._clerk)
        self._end(name, values)
        return True

    async def _points(self, order: Order | None) -> bool:
        customer = await self._clerk.customer(self._conversation, order)
        if customer is None and order is None:
            return False
        if customer is None or customer.points is None:
            self._end("points_none")
            return True
        until = customer.points_expire
        words = f"{customer.points} points" + (f", good until {until:%d %B %Y}" if until else "")
        self._end("points", {"points": Phrase(words)})
        return True

    # Endings.

    def _end(
        self,
        name: str,
        values: dict[str, Any] | None = None,
        *,
        person: str = "",
        reason_type: str = "job",
        custom: dict[str, Any] | None = None,
    ) -> None:
        """Say the last thing, with the offer of a person where there is a reason for one; then the
        next wish has its turn."""
        more = dict(custom or {})
        buttons: tuple[str, ...] = ()
        if person:
            also = [phrase(it["kind"]).ticket for it in self._job.waiting] if self._job else []
            more["offer"] = offer(reason_type, " ".join([person, *(f"Also {it}." for it in also)]))
            buttons = tuple(it["title"] for it in YES_NO)
        say(self._dispatcher, name, buttons=buttons, custom=more, **(values or {}))
        self._done(offered=bool(person))

    def _done(self, *, offered: bool = False) -> None:
        job, self._job = self._job, None
        if job is not None:
            self._last = job.order or self._last
            self._next = [] if offered else job.waiting

    async def _keep(self, job: Job, why: str, first: str) -> None:
        """The shop cannot be asked now: a colleague gets the job with all that is known."""
        await self._to_person(job, why, "job", first)

    async def _asked_for_person(self, job: Job) -> None:
        await self._to_person(job, f"Asked for a person: {quote(self._heard.text)}", "asked")

    async def _to_person(self, job: Job, why: str, reason_type: str, first: str = "") -> None:
        self._job = None
        self._last = job.order or self._last
        reason = f"{self._wish(job)} {why}"
        self._more += await self._form.hand_over(
            self._dispatcher, self._tracker, reason_type=reason_type, reason=reason, first=first
        )

    def _wish(self, job: Job) -> str:
        """What a colleague reads: the job and everything that was gathered."""
        known = [f"order {job.order}"] if job.order else []
        known += [job.named] if job.named else []
        known += [it for it in (job.reason, job.variant, job.remedy, job.details) if it]
        known += [doing.in_a_line(job.address)] if job.address else []
        known += list(job.contact.values())
        about = f" ({'; '.join(known)})" if known else ""
        return f"The customer {phrase(job.kind).ticket}{about}: {quote(job.first_words)}"


def _title(order: Order) -> str:
    items = str(items_of(order))
    return f"{order.number}: {items if len(items) <= 60 else items[:59] + '…'}"


def _now(tracker: Tracker) -> float:
    return float((tracker.latest_message.get("metadata") or {}).get("at") or time.time())


def _slot(name: str, value: Any) -> dict[str, Any]:
    return {"event": "slot", "name": name, "value": value}


def _over() -> Events:
    return [_slot("job", None), _slot("requested_slot", None)]

"""Handing over: nobody is forgotten, talked over or left in the dark. Real store, a clock to turn."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from bot.service.hours import Calendar, Span
from bot.service.policy import (
    Assignment,
    Clock,
    Queue,
    Ratings,
    Reopening,
    Service,
    Silence,
    Sla,
    Waiting,
)
from bot.store import schema
from bot.support import Conflict, NotFound
from tests.contract.clocked import MONDAY, Stage

WORKDAYS = Calendar(
    "desk",
    week=((Span(9 * 60, 12 * 60), Span(13 * 60, 17 * 60)),) * 5 + ((), ()),
)
SERVICE = Service(
    calendars={"desk": WORKDAYS},
    queues={
        "general": Queue("general", "General", "desk", widen_to=("second",)),
        "second": Queue("second", "Second line", "desk", skills=frozenset({"refunds"})),
    },
    waiting=Waiting(remind=(5, 15), widen=10, promise=30, promise_within=240, promise_warning=60),
    silence=Silence(nudge=5, give_back=15, customer_hours=72),
    slas=(
        Sla(
            "usual",
            {Clock.FIRST_RESPONSE: 60, Clock.NEXT_RESPONSE: 120, Clock.RESOLUTION: 960},
            warn=0.75,
            on_warning=("notify",),
            on_breach=("notify", "raise"),
        ),
    ),
    reopening=(Reopening(24, "agent", "queue"), Reopening(72, "queue")),
    ratings=Ratings(cooldown_days=7, low=2, recovery_queue="second", recovery_priority=2),
)


@pytest.fixture
def told():
    return []


@pytest.fixture
def stage(tmp_path: Path, migrated_sqlite: Path, told) -> Stage:
    """Monday 9:00, the desk is open."""
    shutil.copy(migrated_sqlite, tmp_path / "rapport.db")

    def announce(tx, kind, ticket, now):
        told.append((kind, ticket.id))

    stage = Stage(tmp_path / "rapport.db", service=SERVICE, announce=announce)
    yield stage
    stage.database.close()


def ask(stage: Stage) -> str:
    conversation = stage.open()
    stage.say(conversation, "I would like to talk to a person.", person=True)
    return conversation


# Waiting.


def test_who_waits_is_told_then_shown_to_more_queues_then_promised_a_time(stage, told):
    conversation = ask(stage)
    assert "Nobody is at the desk" in stage.last(conversation)
    sam = stage.agent("Sam")
    stage.pass_minutes(5, sam)
    assert "still in the queue" in stage.last(conversation)
    assert stage.ticket(conversation).also_in is None
    stage.pass_minutes(5, sam)
    assert stage.ticket(conversation).also_in == ["second"]
    stage.pass_minutes(20, sam)
    # 9:30 and four working hours, with the lunch break from 12 to 13.
    assert "on the latest" not in stage.last(conversation)
    assert "at 14:30 today at the latest" in stage.last(conversation)
    assert [kind for kind, _ in told] == ["ticket.waiting", *["ticket.reminder"] * 3]
    assert stage.kinds(conversation) == [
        "opened", "reminded", "widened", "reminded", "promised",
    ]  # fmt: skip


def test_a_promise_is_recalled_an_hour_before_and_owned_up_to_when_missed(stage, told):
    conversation = ask(stage)
    stage.pass_minutes(30)
    told.clear()
    stage.pass_minutes(4 * 60)  # 13:30
    assert ("ticket.promise_due", 1) in told
    stage.pass_minutes(60)
    assert "That is our fault" in stage.last(conversation)
    assert "tomorrow" in stage.last(conversation)
    assert stage.ticket(conversation).priority == 2
    assert "promise_missed" in stage.kinds(conversation)


def test_an_answer_in_time_keeps_the_promise(stage):
    conversation = ask(stage)
    sam = stage.agent("Sam")
    stage.pass_minutes(30, sam)
    stage.support.claim(1, sam)
    stage.support.reply_as_person(conversation, sam, "Here I am.", "c1")
    assert "promise_kept" in stage.kinds(conversation)
    assert stage.ticket(conversation).promised_for is None
    stage.pass_minutes(300, sam)
    assert "promise_missed" not in stage.kinds(conversation)


def test_breaks_and_nights_do_not_count_as_waiting(stage):
    stage.database.time += (2 * 60 + 58) * 60_000  # 11:58
    conversation = ask(stage)
    stage.pass_minutes(60)  # 12:58
    assert "still in the queue" not in stage.last(conversation)
    stage.pass_minutes(5)  # 13:03
    assert "still in the queue" in stage.last(conversation)


def test_out_of_hours_the_truth_is_told(stage):
    stage.database.time += 10 * 3_600_000  # Monday 19:00
    assert "opens at 9:00 tomorrow" in stage.last(ask(stage))
    stage.database.time += 3 * 86_400_000 + 12 * 3_600_000  # Friday 7:00
    assert "opens at 9:00 today" in stage.last(ask(stage))
    stage.database.time += 12 * 3_600_000
    assert "opens on Monday at 9:00" in stage.last(ask(stage))


def test_place_in_the_queue_and_what_the_wait_was(stage):
    sam = stage.agent("Sam")
    for _ in range(6):
        stage.at_desk(sam)
        conversation = ask(stage)
        stage.pass_minutes(3, sam)
        ticket = stage.ticket(conversation)
        stage.support.claim(ticket.id, sam)
        stage.support.resolve(conversation, sam)
    assert "You are next; lately it took 3 to 4 minutes" in stage.last(ask(stage))
    assert "There is 1 person before you" in stage.last(ask(stage))


# With a person.


def test_an_agent_who_says_nothing_gives_the_ticket_back(stage, told):
    conversation = ask(stage)
    sam = stage.agent("Sam")
    stage.support.claim(1, sam)
    told.clear()
    stage.pass_minutes(5, sam)
    assert told == [("ticket.reminder", 1)] and stage.ticket(conversation).state == "human"
    stage.pass_minutes(10, sam)
    assert stage.ticket(conversation).state == "waiting"
    assert "Sam is held up" in stage.last(conversation) and "R-1001" in stage.last(conversation)
    assert told[-1] == ("ticket.given_back", 1)
    with pytest.raises(Conflict, match="Claim"):
        stage.support.reply_as_person(conversation, sam, "too late", "c1")
    stage.support.claim(1, sam)  # and may be claimed again


def test_who_is_answered_and_silent_is_not_waited_for_for_ever(stage):
    conversation = ask(stage)
    sam = stage.agent("Sam")
    stage.support.claim(1, sam)
    stage.support.reply_as_person(conversation, sam, "What is the order number?", "c1")
    stage.pass_minutes(71 * 60, sam)
    assert stage.ticket(conversation).state == "human"
    stage.pass_minutes(60, sam)
    assert stage.conversation(conversation).state == "resolved"
    assert "not heard from you for 3 days" in stage.last(conversation)
    stage.say(conversation, "sorry, I was away")
    assert "I am telling Sam, who helped you before" in stage.last(conversation)


def test_a_put_off_ticket_is_due_again_when_the_customer_writes(stage):
    conversation = ask(stage)
    sam = stage.agent("Sam")
    stage.support.claim(1, sam)
    later = stage.database.time + 3 * 3_600_000
    with pytest.raises(Conflict, match="waits for an answer"):
        stage.support.snooze(1, sam, later)
    stage.support.reply_as_person(conversation, sam, "I will ask the warehouse.", "c1")
    stage.support.snooze(1, sam, later)
    stage.say(conversation, "any news?")
    assert stage.ticket(conversation).snoozed_until is None
    assert "woken" in stage.kinds(conversation)
    stage.support.reply_as_person(conversation, sam, "Not yet.", "c2")
    stage.support.snooze(1, sam, later)
    stage.pass_minutes(180, sam)
    assert stage.kinds(conversation)[-1] == "woken"


def test_passing_on(stage):
    conversation = ask(stage)
    sam, kim = stage.agent("Sam"), stage.agent("Kim")
    stage.support.claim(1, sam)
    stage.support.pass_on(1, sam, to_agent=kim, note="Knows boots. Card 4242 4242 4242 4242")
    ticket = stage.ticket(conversation)
    assert (ticket.state, ticket.agent_id) == ("human", kim)
    texts = [text for _, text in stage.said(conversation)]
    assert any("Sam is passing your conversation on" in text for text in texts)
    assert texts[-1] == "Kim has joined the conversation."
    noted = [it for it in stage.rows(schema.ticket_events) if it.kind == "noted"]
    assert "4242" not in noted[0].data["text"] and "Knows boots" in noted[0].data["text"]
    assert not any("Knows boots" in text for text in texts)  # a remark never reaches the customer
    with pytest.raises(Conflict, match="Kim has this"):
        stage.support.pass_on(1, sam, queue="second")
    stage.support.pass_on(1, kim, queue="second")
    ticket = stage.ticket(conversation)
    assert (ticket.state, ticket.queue) == ("waiting", "second")
    for wrong in ({}, {"queue": "nowhere"}, {"queue": "second", "to_agent": sam}):
        with pytest.raises(ValueError, match=r"queue"):
            stage.support.pass_on(1, sam, **wrong)


def test_two_tickets_of_one_person_become_one(stage):
    first, second = ask(stage), ask(stage)
    sam, kim = stage.agent("Sam"), stage.agent("Kim")
    stage.support.claim(1, sam)
    with pytest.raises(Conflict, match="Sam has R-1001"):
        stage.support.merge(2, 1, kim)
    stage.support.merge(2, 1, sam)
    assert stage.conversation(second).state == "resolved"
    assert "now part of R-1001" in stage.last(second)
    stage.support.reply_as_person(first, sam, "Hello.", "c1")
    stage.say(second, "and the other boot?")
    assert "added to R-1001" in stage.last(second)
    events = stage.rows(schema.ticket_events, ticket_id=1)
    noted = [it.data for it in events if it.kind == "noted"]
    assert noted == [{"text": "and the other boot?", "written_in": "R-1002"}]
    assert stage.ticket(first).customer_since is not None  # the agent owes an answer again
    with pytest.raises(Conflict, match="closed"):
        stage.support.merge(2, 1, sam)
    with pytest.raises(NotFound):
        stage.support.merge(1, 99, sam)


# Talking over.


def test_what_the_bot_thought_out_before_a_claim_is_dropped_and_recorded(stage):
    conversation = stage.open()
    lease = stage.write(conversation, "where is my parcel")
    work = stage.begin(conversation, lease)
    stage.support.request_person(conversation, cause="x", reason_type="asked", reason="asked")
    sam = stage.agent("Sam")
    stage.support.claim(1, sam)
    before = stage.said(conversation)
    assert stage.end(work, "Your parcel is on its way.") == "dropped"
    assert stage.said(conversation) == before
    assert stage.rows(schema.turns)[0].outcome == "dropped"


# Handing back and reopening.


def test_a_hand_back_says_what_was_settled_and_the_bot_goes_on(stage):
    conversation = ask(stage)
    sam = stage.agent("Sam")
    stage.support.claim(1, sam)
    stage.support.hand_back(conversation, sam, "grumpy", "your refund of £20 was sent today.")
    assert "Sam notes: your refund of £20 was sent today." in stage.last(conversation)
    assert "grumpy" not in stage.last(conversation)
    stage.say(conversation, "how long does a return take?")
    assert stage.said(conversation)[-1] == ("bot", "Five days.")


@pytest.mark.parametrize(
    ("hours", "there", "owner", "says"),
    [
        (1, True, "human", "Sam has joined"),
        (1, False, "waiting", "I am telling a colleague"),
        (30, True, "waiting", "I am telling a colleague"),
        (100, True, "bot", "Five days."),
    ],
)
def test_a_resolved_conversation_reopens_by_the_table(stage, hours, there, owner, says):
    conversation = ask(stage)
    sam = stage.agent("Sam")
    stage.support.claim(1, sam)
    stage.support.reply_as_person(conversation, sam, "Sent.", "c1")
    stage.support.resolve(conversation, sam)
    stage.database.time += hours * 3_600_000
    if there:
        stage.at_desk(sam)
    stage.say(conversation, "it is still not here")
    stage.support.watch()
    assert stage.conversation(conversation).state == owner
    assert says in stage.last(conversation)
    if owner != "bot":
        assert stage.ticket(conversation).reason_type == "reopened"
        numbers = [text for _, text in stage.said(conversation) if "R-1002" in text]
        assert numbers


def test_thanks_reopen_nothing(stage):
    conversation = ask(stage)
    sam = stage.agent("Sam")
    stage.support.claim(1, sam)
    stage.support.reply_as_person(conversation, sam, "Sent.", "c1")
    stage.support.resolve(conversation, sam)
    stage.say(conversation, "thank you so much", answer="You are welcome.", intent="thank")
    assert stage.conversation(conversation).state == "bot"
    stage.say(conversation, "but it is the wrong colour")
    assert stage.ticket(conversation).reason_type == "reopened"


# Ratings.


def resolved(stage: Stage, sam: int) -> str:
    conversation = ask(stage)
    ticket = stage.ticket(conversation)
    stage.support.claim(ticket.id, sam)
    stage.support.reply_as_person(conversation, sam, "Done.", f"c{ticket.id}")
    stage.support.resolve(conversation, sam)
    return conversation


def test_a_low_rating_is_made_amends_for(stage):
    sam = stage.agent("Sam")
    conversation = resolved(stage, sam)
    stage.say(conversation, "2, I had to ask three times")
    first, recovery = stage.rows(schema.tickets)
    assert (first.rating, first.rating_comment) == (2, "I had to ask three times")
    assert first.handled_by == "person"
    assert (recovery.reason_type, recovery.queue, recovery.priority) == ("recovery", "second", 2)
    assert recovery.sla_due_at is not None
    assert "three times" in recovery.reason
    assert "R-1002" in stage.last(conversation)


def test_nobody_is_asked_again_so_soon(stage):
    sam = stage.agent("Sam")
    conversation = resolved(stage, sam)
    stage.say(conversation, "5")
    stage.say(conversation, "one more thing, please", person=True)
    ticket = stage.ticket(conversation)
    stage.support.claim(ticket.id, sam)
    stage.support.reply_as_person(conversation, sam, "Done.", "d1")
    stage.support.resolve(conversation, sam)
    assert "How did we do" not in stage.last(conversation)
    assert stage.ticket(conversation).asked_rating_at is None


# Clocks.


def test_a_clock_warns_before_it_runs_out_and_acts_when_it_does(stage, told):
    conversation = ask(stage)
    sam = stage.agent("Sam")
    ticket = stage.ticket(conversation)
    assert ticket.sla == "usual" and ticket.sla_clock == "first_response"
    assert ticket.sla_due_at == stage.database.time + 3_600_000
    stage.pass_minutes(45, sam)
    assert ("ticket.warned", 1) in told
    stage.pass_minutes(15, sam)
    assert ("ticket.breached", 1) in told
    assert stage.ticket(conversation).priority == 2
    view = stage.support.conversation_for_desk(conversation, sam)
    first = next(it for it in view["clocks"] if it["clock"] == "first_response")
    assert first["breached"] and first["rule"] == "usual" and first["minutes"] == 60


def test_resolution_stands_still_while_the_customer_is_to_speak(stage):
    conversation = ask(stage)
    sam = stage.agent("Sam")
    stage.support.claim(1, sam)
    stage.support.reply_as_person(conversation, sam, "Which size?", "c1")
    assert stage.ticket(conversation).sla_due_at is None
    due_before = 960
    stage.pass_minutes(60, sam)
    stage.say(conversation, "42")
    view = stage.support.conversation_for_desk(conversation, sam)
    clocks = {it["clock"]: it for it in view["clocks"]}
    assert clocks["resolution"]["used"] == 0 and clocks["resolution"]["minutes"] == due_before
    assert clocks["resolution"]["pauses"] == [
        [stage.database.time - 3_600_000, stage.database.time]
    ]
    assert clocks["next_response"]["due_at"] == stage.database.time + 2 * 3_600_000


# Giving out.


def test_tickets_are_given_to_who_has_room_and_skill(tmp_path, migrated_sqlite):
    shutil.copy(migrated_sqlite, tmp_path / "auto.db")
    service = Service(
        calendars=SERVICE.calendars,
        queues=SERVICE.queues,
        assignment=Assignment(automatic=True, capacity=2),
    )
    stage = Stage(tmp_path / "auto.db", service=service)
    sam = stage.agent("Sam")
    kim = stage.agent("Kim", queues=["second"], skills=["refunds"])
    conversations = [ask(stage) for _ in range(3)]
    stage.pass_minutes(0, sam, kim)
    held = [stage.ticket(it).agent_id for it in conversations]
    assert held == [sam, sam, None]  # the longest waits first; two are all that Sam can have
    stage.pass_minutes(10, sam, kim)  # widened to the second line
    assert stage.ticket(conversations[2]).agent_id == kim
    stage.database.close()


# Always a number.


@pytest.mark.parametrize("state", ["bot", "waiting", "human", "resolved"])
def test_asking_for_a_person_always_yields_a_number(stage, state):
    conversation = stage.open()
    sam = stage.agent("Sam")
    if state != "bot":
        stage.say(conversation, "a person", person=True)
    if state in ("human", "resolved"):
        stage.support.claim(1, sam)
    if state == "resolved":
        stage.support.resolve(conversation, sam)
    stage.say(conversation, "a person, please", person=True)
    answer = stage.last(conversation)
    assert re.search(r"R-\d{4}", answer) or (state == "human" and "Sam" in answer)
    assert stage.conversation(conversation).ticket_id is not None


def test_a_queue_that_is_gone_loses_nobody(stage):
    conversation = stage.open()
    with stage.database.transaction() as tx:
        stage.support.open_ticket(
            tx, conversation, cause="y", reason_type="asked", reason="?", values={"queue": "gone"}
        )
    sam = stage.agent("Sam")
    stage.pass_minutes(6, sam)
    assert "still in the queue" in stage.last(conversation)
    stage.support.claim(1, sam)


# An address to answer to.


def test_an_answer_goes_to_the_address_that_was_left_unless_the_page_is_open(
    tmp_path, migrated_sqlite
):
    shutil.copy(migrated_sqlite, tmp_path / "mail.db")
    sent = []
    stage = Stage(
        tmp_path / "mail.db",
        now=MONDAY + 10 * 3_600_000,
        service=SERVICE,
        mail=lambda tx, row, text, now: sent.append((row.contact, text)),
    )
    conversation = ask(stage)
    assert "write your e-mail address here" in stage.last(conversation)
    stage.say(conversation, "sure: Ada@Example.org.")
    assert "sent to ada@example.org too" in stage.last(conversation)
    stage.database.time += 14 * 3_600_000
    sam = stage.agent("Sam")
    stage.support.claim(1, sam)
    stage.support.reply_as_person(conversation, sam, "Good morning.", "c1")
    assert sent == [("ada@example.org", "Good morning.")]
    stage.support.read(conversation)  # the customer's page looks
    stage.support.reply_as_person(conversation, sam, "You are there.", "c2")
    assert len(sent) == 1
    stage.database.close()

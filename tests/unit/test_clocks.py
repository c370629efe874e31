"""The clocks of service levels, and what lies ahead of a ticket."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.service.clocks import Mark, first_due, standings
from bot.service.estimate import Estimate, estimate, in_words
from bot.service.hours import ALWAYS, Calendar, Span
from bot.service.policy import Clock, Queue, Service, Sla, Waiting
from bot.service.routing import Colleague, ahead_of, assignments, order
from bot.service.routing import Waiting as Ticket
from bot.service.waiting import Facts, Step, next_look, steps

MINUTE = 60_000
SLA = Sla(
    "usual", {Clock.FIRST_RESPONSE: 30, Clock.NEXT_RESPONSE: 20, Clock.RESOLUTION: 100}, warn=0.5
)
MORNING = Calendar("morning", week=((Span(0, 720),),) * 7)


def found(marks, now, sla=SLA, calendar=ALWAYS):
    told = [Mark(minute * MINUTE, kind) for minute, kind in marks]
    return standings(sla, calendar, told, now * MINUTE)


def of(standings_, clock):
    return [it for it in standings_ if it.clock is clock]


def test_the_first_response_runs_from_the_opening_to_a_persons_words():
    (running,) = of(found([(0, "opened")], 10), Clock.FIRST_RESPONSE)
    assert (running.due_at, running.warn_at) == (30 * MINUTE, 15 * MINUTE)
    assert running.used == 10 and not running.breached and running.rule == "usual"
    (late,) = of(found([(0, "opened")], 30), Clock.FIRST_RESPONSE)
    assert late.breached
    (kept,) = of(found([(0, "opened"), (30, "answered")], 500), Clock.FIRST_RESPONSE)
    assert kept.stopped_at == 30 * MINUTE and not kept.breached
    (missed,) = of(found([(0, "opened"), (31, "answered")], 500), Clock.FIRST_RESPONSE)
    assert missed.breached


def test_the_next_response_runs_from_the_first_message_that_was_not_answered():
    marks = [(0, "opened"), (5, "answered"), (10, "customer"), (12, "customer")]
    (running,) = of(found(marks, 15), Clock.NEXT_RESPONSE)
    assert running.started_at == 10 * MINUTE and running.due_at == 30 * MINUTE
    runs = of(found([*marks, (20, "answered"), (40, "customer")], 45), Clock.NEXT_RESPONSE)
    assert [it.stopped_at for it in runs] == [20 * MINUTE, None]


def test_the_resolution_stands_still_while_the_customer_is_to_speak():
    marks = [(0, "opened"), (10, "answered")]
    (still,) = of(found(marks, 500), Clock.RESOLUTION)
    assert still.due_at is None and still.used == 10 and not still.breached
    (again,) = of(found([*marks, (500, "customer")], 505), Clock.RESOLUTION)
    assert again.due_at == 590 * MINUTE and again.used == 15
    assert again.pauses == ((10 * MINUTE, 500 * MINUTE),)


def test_it_runs_in_working_hours_unless_it_counts_always():
    (running,) = of(found([(700, "opened")], 700, calendar=MORNING), Clock.FIRST_RESPONSE)
    assert running.due_at == (1440 + 10) * MINUTE
    always = Sla("urgent", SLA.targets, always=True)
    (running,) = of(found([(700, "opened")], 700, always, MORNING), Clock.FIRST_RESPONSE)
    assert running.due_at == 730 * MINUTE


def test_the_running_clock_that_runs_out_first():
    assert first_due(found([(0, "opened")], 1)).clock is Clock.FIRST_RESPONSE
    assert first_due(found([(0, "opened"), (1, "answered")], 2)) is None
    assert first_due([]) is None


KINDS = st.sampled_from(("customer", "answered"))


@given(
    gaps=st.lists(st.tuples(st.integers(0, 300), KINDS), max_size=12),
    closed=st.booleans(),
    now=st.integers(0, 500),
    calendar=st.sampled_from((ALWAYS, MORNING)),
)
def test_used_and_left_make_the_target(gaps, closed, now, calendar):
    at, marks = 0, [Mark(0, "opened")]
    for gap, kind in gaps:
        at += gap * MINUTE
        marks.append(Mark(at, kind))
    if closed:
        marks.append(Mark(at, "closed"))
    now = at + now * MINUTE
    for clock in standings(SLA, calendar, marks, now):
        end = clock.stopped_at if clock.stopped_at is not None else now
        assert clock.used >= 0
        if clock.due_at is not None and not clock.breached:
            left = calendar.minutes_between(end, clock.due_at)
            assert clock.used + left == pytest.approx(clock.minutes)
        if clock.due_at is not None:
            assert clock.due_at >= calendar.after(clock.started_at, clock.minutes)  # pauses add
            assert clock.warn_at <= clock.due_at
        for begins, ends in clock.pauses:
            assert ends is None or begins <= ends


# What lies ahead.

SERVICE = Service(
    calendars={"always": ALWAYS},
    queues={"general": Queue("general", "General", "always", widen_to=("other",))},
    waiting=Waiting(remind=(5, 15), widen=10, promise=30, promise_within=60, promise_warning=10),
)
QUEUE = SERVICE.queues["general"]


@given(
    facts=st.builds(
        Facts,
        state=st.sampled_from(("waiting", "human")),
        waiting_since=st.integers(0, 10**9),
        claimed_at=st.none() | st.integers(0, 10**9),
        customer_since=st.none() | st.integers(0, 10**9),
        answered_at=st.none() | st.integers(0, 10**9),
        snoozed_until=st.none() | st.integers(0, 10**9),
        promised_for=st.none() | st.integers(0, 10**9),
        promise_warned=st.booleans(),
        reminders=st.integers(0, 5),
        widened=st.booleans(),
        nudged=st.booleans(),
    ),
    now=st.integers(0, 10**10),
)
def test_there_is_always_something_ahead(facts, now):
    ahead = steps(facts, SERVICE, QUEUE)
    assert ahead and ahead == sorted(ahead, key=lambda it: it.at)
    assert now < next_look(ahead, now) <= now + 86_400_000


def test_a_step_is_not_taken_twice():
    before = {it.step for it in steps(Facts("waiting", 0), SERVICE, QUEUE)}
    assert before == {Step.REMIND, Step.WIDEN, Step.PROMISE}
    done = Facts("waiting", 0, reminders=2, widened=True, promised_for=90 * MINUTE)
    assert {it.step for it in steps(done, SERVICE, QUEUE)} == {
        Step.PROMISE_SOON,
        Step.PROMISE_MISSED,
    }


# Who gets what.


def test_the_most_urgent_first_then_the_longest_wait():
    queue = [
        Ticket(1, "general", 3, since=0),
        Ticket(2, "general", 2, since=50),
        Ticket(3, "general", 2, since=10),
        Ticket(4, "other", 1, since=90),
        Ticket(5, "general", 2, since=99, first=True),
    ]
    assert [it.id for it in order(queue)] == [4, 5, 3, 2, 1]
    assert ahead_of(2, queue) == 2 and ahead_of(4, queue) == 0 and ahead_of(99, queue) == 0


@given(
    tickets=st.lists(
        st.builds(
            Ticket,
            id=st.integers(1, 500),
            queue=st.sampled_from(("general", "other")),
            priority=st.integers(1, 4),
            since=st.integers(0, 1000),
            wanted=st.none() | st.integers(1, 5),
        ),
        max_size=20,
        unique_by=lambda it: it.id,
    ),
    agents=st.lists(
        st.builds(
            Colleague,
            id=st.integers(1, 5),
            queues=st.none() | st.just(frozenset({"general"})),
            capacity=st.integers(1, 4),
            load=st.integers(0, 4),
        ),
        max_size=5,
        unique_by=lambda it: it.id,
    ),
)
def test_nobody_gets_more_than_they_can_take(tickets, agents):
    given_ = assignments(tickets, agents, SERVICE)
    assert len({ticket for ticket, _ in given_}) == len(given_)
    for agent in agents:
        got = sum(who == agent.id for _, who in given_)
        assert got <= max(0, agent.capacity - agent.load)
    # Nobody who could be given a ticket waits while somebody who may take it has room.
    room = {
        agent.id: agent.capacity - agent.load - sum(who == agent.id for _, who in given_)
        for agent in agents
    }
    left = [it for it in tickets if it.id not in {ticket for ticket, _ in given_}]
    for ticket in left:
        for agent in agents:
            may = ticket.wanted == agent.id or agent.queues is None or ticket.queue in agent.queues
            assert not (may and room[agent.id] > 0)


# How long it may take.


def test_little_is_known_little_is_said():
    assert estimate(2, [3.0] * 4, agents=3).minutes is None
    assert estimate(2, [3.0] * 9, agents=0).minutes is None
    assert in_words(Estimate(0, None)) == "You are next."
    assert in_words(Estimate(1, None)) == "There is 1 person before you."
    told = in_words(estimate(2, [1, 2, 3, 4, 5, 6, 7, 8, 9, 40], agents=1))
    assert (
        told == "There are 2 people before you; lately it took 5 to 9 minutes until somebody came."
    )


def test_the_range_holds_for_a_steady_queue():
    """Waits of a queue with three agents and customers by chance: how many of the next ones lie
    below the upper end? It says what nine in ten had lately, so about as many."""
    chance = random.Random(7)
    free, waits, below, asked = [0.0, 0.0, 0.0], [], 0, 0
    at = 0.0
    for _ in range(3000):
        at += chance.expovariate(0.27)
        free.sort()
        begin = max(at, free[0])
        free[0] = begin + chance.expovariate(0.1)
        wait = begin - at
        told = estimate(0, waits[-50:], agents=3)
        if told.minutes:
            asked += 1
            below += wait <= told.minutes[1]
        waits.append(wait)
    assert asked > 2000 and 0.75 < below / asked < 0.97

"""The clocks of service levels, and what lies ahead of a ticket."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.service.clocks import Mark, first_due, standings
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
LUNCH = Calendar("lunch", week=((Span(60, 150), Span(180, 300)), (), (Span(0, 30),)) * 2 + ((),))
CALENDARS = st.sampled_from((ALWAYS, MORNING, LUNCH))


def found(marks, now, sla=SLA, calendar=ALWAYS):
    told = [Mark(minute * MINUTE, kind) for minute, kind in marks]
    return standings(sla, calendar, told, now * MINUTE)


def of(standings_, clock):
    return [it for it in standings_ if it.clock is clock]


def same(run, before, after):
    """The run as it stands at another time: of its clock, the one in the same place."""
    return of(after, run.clock)[of(before, run.clock).index(run)]


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
    assert not of(found([(0, "opened"), (2, "customer")], 15), Clock.NEXT_RESPONSE)
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


def test_who_answers_after_hours_is_late_when_the_time_ran_out_at_the_close():
    opened = (690, "opened")  # 30 minutes before the end: due at the end itself
    for late in (721, 800, 1439, 1440):
        (run,) = of(
            found([opened, (late, "answered")], 3000, calendar=MORNING), Clock.FIRST_RESPONSE
        )
        assert run.breached and run.due_at == 720 * MINUTE and run.used == 30
    (kept,) = of(found([opened, (720, "answered")], 3000, calendar=MORNING), Clock.FIRST_RESPONSE)
    assert not kept.breached


def test_a_pause_at_the_very_border():
    marks = [(0, "opened"), (100, "answered")]
    (still,) = of(found(marks, 900), Clock.RESOLUTION)
    assert still.used == 100 and not still.breached
    (again,) = of(found([*marks, (900, "customer"), (900, "closed")], 901), Clock.RESOLUTION)
    assert again.due_at == 900 * MINUTE and not again.breached
    (late,) = of(found([(0, "opened"), (101, "answered")], 900), Clock.RESOLUTION)
    assert late.breached and late.due_at is None


def test_the_close_ends_every_clock():
    marks = [(0, "opened"), (5, "answered"), (10, "customer"), (12, "closed"), (90, "answered")]
    runs = found(marks, 1000)
    assert [(it.clock, it.stopped_at) for it in runs] == [
        (Clock.FIRST_RESPONSE, 5 * MINUTE),
        (Clock.NEXT_RESPONSE, 12 * MINUTE),
        (Clock.RESOLUTION, 12 * MINUTE),
    ]
    (nobody,) = of(found([(0, "opened"), (31, "closed")], 1000), Clock.FIRST_RESPONSE)
    assert nobody.stopped_at == 31 * MINUTE and nobody.breached


def test_nothing_but_the_targets_and_nothing_without_marks():
    only = Sla("only", {Clock.RESOLUTION: 5})
    assert [it.clock for it in found([(0, "opened")], 1, sla=only)] == [Clock.RESOLUTION]
    assert found([], 1) == []


@pytest.mark.parametrize(
    ("opened", "due"),
    [
        ((2026, 3, 27, 16, 50), (2026, 3, 30, 8, 20)),  # the clocks go forward on Sunday
        ((2026, 4, 2, 15, 50), (2026, 4, 7, 8, 20)),  # Easter, Friday to Monday
        ((2026, 10, 23, 15, 50), (2026, 10, 26, 9, 20)),  # the clocks go back on Sunday
        ((2026, 11, 4, 11, 50), (2026, 11, 4, 13, 20)),  # lunch
    ],
)
def test_half_an_hour_in_london(opened, due):
    desk = Calendar(
        "desk",
        zone="Europe/London",
        week=((Span(540, 720), Span(780, 1020)),) * 5 + ((), ()),
        country="GB",
        region="ENG",
    )
    start, end = (int(datetime(*it, tzinfo=UTC).timestamp() * 1000) for it in (opened, due))
    (run, *_) = standings(SLA, desk, [Mark(start, "opened")], start)
    assert run.due_at == end


GAPS = st.lists(
    st.tuples(st.integers(0, 300), st.sampled_from(("customer", "answered"))), max_size=12
)


def story(gaps, *, closed=False, unit=MINUTE):
    """Marks that follow one another."""
    at, marks = 0, [Mark(0, "opened")]
    for gap, kind in gaps:
        at += gap * unit
        marks.append(Mark(at, kind))
    return [*marks, Mark(at, "closed")] if closed else marks


@given(gaps=GAPS, closed=st.booleans(), now=st.integers(0, 500), calendar=CALENDARS)
def test_used_and_left_make_the_target(gaps, closed, now, calendar):
    marks = story(gaps, closed=closed)
    now = marks[-1].at + now * MINUTE
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


@given(gaps=GAPS, now=st.integers(0, 900), calendar=CALENDARS, target=st.integers(1, 400))
def test_the_resolution_agrees_with_counting_each_minute(gaps, now, calendar, target):
    marks = story(gaps)
    now = marks[-1].at // MINUTE + now
    (clock,) = standings(Sla("any", {Clock.RESOLUTION: target}), calendar, marks, now * MINUTE)
    paused, used, due = False, 0, None
    for minute in range(now + 1):
        for mark in marks:
            if mark.at == minute * MINUTE:
                paused = mark.kind == "answered"
        if used == target and not paused and due is None:
            due = minute
        if minute < now and not paused and calendar.is_open(minute * MINUTE):
            used += 1
    assert clock.used == pytest.approx(used)
    assert clock.breached is (due is not None)
    if clock.due_at is not None and due is not None:
        assert clock.due_at == due * MINUTE


@given(
    gaps=GAPS,
    more=st.lists(
        st.tuples(st.integers(1, 300), st.sampled_from(("customer", "answered", "closed"))),
        min_size=1,
        max_size=3,
    ),
    now=st.integers(0, 900),
    calendar=CALENDARS,
)
def test_what_was_late_stays_late(gaps, more, now, calendar):
    """Whatever happens later, and however late it is looked at."""
    marks = story(gaps)
    now = marks[-1].at + now * MINUTE
    before = standings(SLA, calendar, marks, now)
    at = now
    for gap, kind in more:
        at += gap * MINUTE
        marks.append(Mark(at, kind))
    after = standings(SLA, calendar, marks, at)
    assert all(same(it, before, after).breached >= it.breached for it in before)


@given(gaps=GAPS, now=st.integers(0, 5000), calendar=CALENDARS, pause=st.integers(0, 5000))
def test_a_pause_never_moves_the_due_time_to_earlier(gaps, now, calendar, pause):
    marks = [*story(gaps), Mark(10**9, "customer")]
    now = marks[-1].at + now * MINUTE
    (*_, before) = standings(SLA, calendar, marks, now)
    marks += [Mark(now, "answered"), Mark(now + pause * MINUTE, "customer")]
    (*_, after) = standings(SLA, calendar, marks, now + pause * MINUTE)
    assert before.clock is after.clock is Clock.RESOLUTION
    assert after.due_at >= before.due_at and after.warn_at >= before.warn_at
    assert after.used == pytest.approx(before.used)


@given(
    gaps=st.lists(st.tuples(st.integers(0, 2_000_000), st.sampled_from(("customer", "answered")))),
    calendar=CALENDARS,
)
def test_the_very_border(gaps, calendar):
    """To the millisecond: one before it is due, in that moment, and one after."""
    marks = [*story(gaps, unit=1), Mark(10**8, "customer")]
    before = standings(SLA, calendar, marks, 10**8)
    for clock in before:
        if clock.stopped_at is not None or clock.breached:
            continue
        due = clock.due_at
        for now, late in ((due - 1, False), (due, True)):
            running = standings(SLA, calendar, marks, now)
            assert same(clock, before, running).breached is late
        for end in ("answered", "closed"):
            for moment, late in ((due, False), (due + 1, True)):
                ended = standings(SLA, calendar, [*marks, Mark(moment, end)], moment + 5)
                assert same(clock, before, ended).breached is late


@given(
    marks=st.lists(
        st.builds(
            Mark,
            st.integers(0, 10**8),
            st.sampled_from(("customer", "answered", "closed", "opened")),
        ),
        max_size=12,
    ),
    now=st.integers(0, 10**8),
    calendar=CALENDARS,
)
def test_a_machine_whose_clock_is_set_back(marks, now, calendar):
    for clock in standings(SLA, calendar, marks, now):
        assert clock.used >= 0
        assert clock.stopped_at is None or clock.stopped_at >= clock.started_at
        times = [it for pause in clock.pauses for it in pause if it is not None]
        assert times == sorted(times) and all(it >= clock.started_at for it in times)


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

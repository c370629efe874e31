"""Numbers: counted from the rows that the use cases left, each with the rows behind it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.numbers import Numbers, wilson
from tests.contract.clocked import Stage
from tests.contract.test_handing_over import SERVICE, ask


@pytest.fixture
def stage(tmp_path: Path, migrated_sqlite: Path):
    shutil.copy(migrated_sqlite, tmp_path / "rapport.db")
    stage = Stage(tmp_path / "rapport.db", service=SERVICE)
    yield stage
    stage.database.close()


def numbers(stage: Stage, days: int = 7):
    found = Numbers(stage.database, SERVICE)
    period = found.period(days)
    return found, period, {it.title: it for it in found.overview(period)}


def serve(stage: Stage, sam: int, *, after: float, until: float, rating: str = "") -> str:
    """A customer asks for a person; Sam comes after so many minutes, and resolves later."""
    conversation = ask(stage)
    ticket = stage.ticket(conversation)
    stage.pass_minutes(after, sam)
    stage.support.claim(ticket.id, sam)
    stage.support.reply_as_person(conversation, sam, "Hello.", f"a{ticket.id}")
    stage.say(conversation, "and the other one?")
    stage.pass_minutes(until, sam)
    stage.support.reply_as_person(conversation, sam, "That, too.", f"b{ticket.id}")
    stage.support.resolve(conversation, sam)
    if rating:
        stage.say(conversation, rating)
    return conversation


def test_nothing_yet_is_a_dash_and_no_zero(stage):
    _, _, found = numbers(stage)
    assert found["First response, median"].value is None
    assert found["Resolved by the bot"].value is None
    assert found["Waiting now"].value == 0


def test_times_shares_and_the_rows_behind_them(stage):
    sam = stage.agent("Sam")
    serve(stage, sam, after=2, until=8, rating="5")
    serve(stage, sam, after=4, until=6, rating="2, slow")
    slow = serve(stage, sam, after=70, until=0)
    waiting = ask(stage)
    alone = stage.open()
    stage.say(alone, "how long does a return take?")
    missed = stage.open()
    stage.say(missed, "can I bring my dog", intent="nlu_fallback")
    with stage.database.transaction() as tx:
        tx.exec_driver_sql(
            "UPDATE turns SET understood = '{\"missed\": true}' WHERE conversation_id = ?",
            (missed,),
        )
    counted, period, found = numbers(stage)
    assert found["Waiting now"].value == 2  # and the one that makes amends for the 2
    assert waiting in [it.conversation_id for it in found["Waiting now"].rows]
    first = found["First response, median"]
    assert (first.value, found["First response, 90 % within"].value) == (4, 70)
    assert first.rows[0].conversation_id == slow and first.rows[0].value == "70 min"
    assert found["Resolution, median"].value == 10
    kept = found["First response in time"]
    assert (kept.value, kept.of) == (50, 4)  # the slow one, and nobody has made amends yet
    assert [it.conversation_id for it in kept.rows][-1] == slow
    assert (found["Handed over"].of, len(found["Handed over"].rows)) == (6, 4)
    assert [it.conversation_id for it in found["Resolved by the bot"].rows] == [alone]
    assert [it.conversation_id for it in found["Left without an answer"].rows] == [missed]
    good = found["Satisfied (4 or 5 of 5)"]
    assert (good.value, good.of) == (50, 2) and good.low < 50 < good.high
    assert good.rows[0].value == "2 of 5 slow"
    assert found["Answered the question"].of == 3
    queues = counted.by(period, lambda it: it.row.queue)
    assert {name: count for name, (count, _) in queues.items()} == {"general": 4, "second": 1}
    hours = counted.by(period, counted.hour_of)
    assert set(hours) == {9, 10}


def test_a_reopened_ticket_counts_for_seven_days(stage):
    sam = stage.agent("Sam")
    conversation = serve(stage, sam, after=1, until=1)
    serve(stage, sam, after=1, until=1)
    stage.say(conversation, "it is broken again")
    _, _, found = numbers(stage)
    again = found["Reopened within 7 days"]
    assert (again.value, again.of) == (50, 2)
    assert [it.conversation_id for it in again.rows] == [conversation]


def test_what_lies_before_the_period_is_left_out(stage):
    sam = stage.agent("Sam")
    serve(stage, sam, after=1, until=1, rating="5")
    stage.database.time += 8 * 86_400_000
    _, _, found = numbers(stage)
    assert found["Answered the question"].of == 0
    assert numbers(stage, 30)[2]["Answered the question"].of == 1


def test_the_interval_of_a_share():
    # Values of Wilson's interval as tables give them.
    assert wilson(8, 10) == (pytest.approx(0.490, abs=5e-4), pytest.approx(0.943, abs=5e-4))
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 20)[0] == 0.0 and wilson(20, 20)[1] == 1.0

"""Writers in a line: one at a time, none forgotten, those that somebody waits for first."""

import threading
import time

import pytest

from bot.store.line import Line


def test_one_at_a_time_and_everyone_gets_a_turn():
    line, inside, most, done = Line(), [0], [0], []

    def writer(at: int) -> None:
        for _ in range(50):
            with line.turn(ahead=at % 3 == 0):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0)
                inside[0] -= 1
        done.append(at)

    threads = [threading.Thread(target=writer, args=(at,)) for at in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(done) == list(range(12)) and most[0] == 1


def queue_up(line: Line, order: list[str], name: str, *, ahead: bool) -> threading.Thread:
    def writer() -> None:
        with line.turn(ahead=ahead):
            order.append(name)

    thread = threading.Thread(target=writer)
    before = len(line._waiting)
    thread.start()
    while len(line._waiting) == before:
        time.sleep(0.001)
    return thread


def test_who_is_waited_for_goes_ahead_and_the_rest_in_their_order():
    line, order = Line(), []
    with line.turn():
        threads = [
            queue_up(line, order, name, ahead=name.isupper()) for name in ("a", "b", "C", "d", "E")
        ]
    for thread in threads:
        thread.join(5)
    assert order == ["C", "E", "a", "b", "d"]


def test_who_has_waited_too_long_leaves_and_blocks_nobody():
    line, order = Line(), []
    with line.turn():
        with pytest.raises(TimeoutError), line.turn(seconds=0.02):
            pytest.fail("two inside")
        thread = queue_up(line, order, "next", ahead=False)
    thread.join(5)
    with line.turn(seconds=1):
        order.append("last")
    assert order == ["next", "last"]


def test_a_turn_that_fails_ends():
    line = Line()
    with pytest.raises(ValueError), line.turn():
        raise ValueError
    with line.turn(seconds=0.1):
        pass

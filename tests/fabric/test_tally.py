"""Counts on both sides of a link, compared behind the messages."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.fabric.beat import Beat
from trivet.fabric.tally import COUNTS, RARELY, Tally

MINE, THEIRS = 11, 22


class Side:
    """One side of a link."""

    def __init__(self, run: int) -> None:
        self.run, self.tally = run, Tally()

    def beat(self, *, is_counting: bool = True) -> Beat:
        sent = self.tally.sent_in_run
        return Beat(self.run, self.tally.run, sent, is_counting=is_counting)

    def take(self, beat: Beat) -> None:
        self.tally.take(beat, self.run)


def pair() -> tuple[Side, Side]:
    """Two that have met, and have heard each other."""
    one, two = Side(MINE), Side(THEIRS)
    for side in (one, two):
        side.tally.meet()
    one.take(two.beat())
    two.take(one.beat())
    one.take(two.beat())
    return one, two


def send(source: Side, target: Side, count: int, lost: int = 0) -> None:
    source.tally.sent += count
    target.tally.arrived += count - lost


def test_what_arrives_is_not_lost_and_what_does_not_is() -> None:
    one, two = pair()
    send(one, two, 100)
    two.take(one.beat())
    assert two.tally.lost == 0
    send(one, two, 50, lost=7)
    two.take(one.beat())
    assert (one.tally.lost, two.tally.lost) == (0, 7)


def test_a_beat_ahead_of_the_messages_says_nothing_of_them() -> None:
    one, two = pair()
    send(one, two, 10, lost=10)  # they are under way
    two.take(one.beat(is_counting=False))
    assert two.tally.lost == 0


def test_what_was_lost_stays_lost_however_much_comes_after() -> None:
    one, two = pair()
    send(one, two, 10, lost=3)
    two.take(one.beat())
    two.tally.arrived += 20  # more has come than was counted when the beat left
    two.take(one.beat())
    assert two.tally.lost == 3


def test_a_count_is_told_while_there_is_something_new_and_then_rarely() -> None:
    tally = Tally()
    assert not any(tally.is_to_be_told() for _ in range(100))
    tally.sent += 1
    assert all(tally.is_to_be_told() for _ in range(COUNTS))
    assert sum(tally.is_to_be_told() for _ in range(10 * RARELY)) == 10
    told = 0
    for _ in range(10):
        tally.sent += 1
        told += tally.is_to_be_told()
    assert told == 10


def test_who_is_new_has_lost_nothing_of_what_was_sent_before() -> None:
    one, two = pair()
    send(one, two, 1000, lost=3)
    two = Side(THEIRS + 1)
    for side in (one, two):
        side.tally.meet()
    two.take(one.beat())  # it still counts for the run that has ended
    send(one, two, 20)  # before it has heard of the new run
    one.take(two.beat())
    send(one, two, 5, lost=1)
    for _ in range(2):
        two.take(one.beat())
    assert two.tally.lost == 1


def test_what_one_that_began_anew_lost_before_stays_counted() -> None:
    one, two = pair()
    send(one, two, 10, lost=4)
    two.take(one.beat())
    one = Side(MINE + 1)
    for side in (one, two):
        side.tally.meet()
    one.take(two.beat())
    two.take(one.beat())
    send(one, two, 10, lost=2)
    for _ in range(3):
        two.take(one.beat())
    assert two.tally.lost == 6


def test_a_link_made_anew_keeps_the_count() -> None:
    one, two = pair()
    send(one, two, 10, lost=10)  # they were in the cable that was cut
    for side in (one, two):
        side.tally.meet()
    one.take(two.beat())
    two.take(one.beat())
    send(one, two, 5)
    two.take(one.beat())
    assert two.tally.lost == 10


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=20))
def test_behind_the_messages_the_count_is_exact(
    steps: list[tuple[int, int]],
) -> None:
    one, two = pair()
    lost = 0
    for count, missing in steps:
        send(one, two, count, min(count, missing))
        lost += min(count, missing)
        two.take(one.beat())
    assert two.tally.lost == lost


def test_a_message_that_was_here_before_its_senders_token_is_not_lost() -> None:
    """Tokens and messages come on threads of their own."""
    one, two = Side(MINE), Side(THEIRS)
    one.tally.meet()
    send(one, two, 1)
    two.tally.meet()
    one.take(two.beat())
    two.take(one.beat())
    send(one, two, 4)
    one.take(two.beat())
    two.take(one.beat())
    assert two.tally.lost == 0

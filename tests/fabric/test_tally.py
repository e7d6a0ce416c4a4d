"""Counts on both sides of a link, compared one beat later."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.fabric.beat import Beat
from trivet.fabric.tally import UNDER_WAY_S, Tally

MINE, THEIRS = 11, 22
BEAT_S = UNDER_WAY_S + 0.1


class Side:
    """One side of a link, and its clock."""

    def __init__(self, run: int) -> None:
        self.run, self.tally, self.time = run, Tally(), 0.0

    def beat(self) -> Beat:
        return Beat(self.run, self.tally.run, self.tally.sent_in_run)

    def take(self, beat: Beat, after_s: float = BEAT_S) -> None:
        self.time += after_s
        self.tally.take(beat, self.run, self.time)


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
    send(one, two, 50, lost=7)
    two.take(one.beat())
    assert two.tally.lost == 0  # the seven may be under way
    two.take(one.beat())
    assert two.tally.lost == 7
    assert one.tally.lost == 0


def test_a_message_that_is_only_late_is_counted_until_it_arrives() -> None:
    one, two = pair()
    send(one, two, 10, lost=10)
    two.take(one.beat())
    two.take(one.beat())
    assert two.tally.lost == 10
    two.tally.arrived += 10
    two.take(one.beat())
    assert two.tally.lost == 0


def test_beats_in_haste_leave_what_is_under_way_its_time() -> None:
    one, two = pair()
    send(one, two, 5, lost=5)
    two.take(one.beat())
    for _ in range(5):
        two.take(one.beat(), after_s=0.01)
    assert two.tally.lost == 0


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
    for _ in range(2):
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
    for _ in range(2):
        two.take(one.beat())
    assert two.tally.lost == 10


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=20))
def test_after_two_beats_of_quiet_the_loss_is_exact(
    steps: list[tuple[int, int]],
) -> None:
    one, two = pair()
    lost = 0
    for count, missing in steps:
        send(one, two, count, min(count, missing))
        lost += min(count, missing)
        two.take(one.beat())
        assert two.tally.lost <= lost
    for _ in range(2):
        two.take(one.beat())
    assert two.tally.lost == lost

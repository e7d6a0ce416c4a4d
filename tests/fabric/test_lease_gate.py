"""The lease gate: one message is judged and taken down at one time."""

from __future__ import annotations

import pytest
from tests.fabric.test_lease import NOW, PARTIES, SIGNALS, Rules

from trivet.domain import (
    Answer,
    AnswerKind,
    LeaseRequest,
    Position,
    Purpose,
    RefusedError,
    Sample,
    Signal,
)
from trivet.fabric.lease import LeaseBook
from trivet.fabric.lease_gate import SUGGESTION, LeaseGate

HOME = (52.6, 8.0)
MADE = (Signal(SUGGESTION, datatype="suggestion"),)


class Times(list[float]):
    """A witness that keeps at what time each message was taken down."""

    def note(
        self,
        lease: str,
        peer: str,
        path: str,
        purpose: str,
        exact_m: int,
        time: float,
        now: float,
    ) -> None:
        self.append(now)


def sample() -> Sample:
    return Sample("phone", "location", NOW, Position(*HOME, 4.0))


def test_a_lease_that_ends_within_a_message_is_not_given_under_after_its_end() -> None:
    ticking, times = iter([NOW + 599.9, NOW + 600.1]), Times()
    policy = Rules(lambda access: "all")
    book = LeaseBook(PARTIES["phone"], SIGNALS, policy, PARTIES.get, lambda event: None)
    gate = LeaseGate(
        book, PARTIES.get, times, lambda event: None, lambda: next(ticking)
    )
    book.request("home", LeaseRequest(("location",), Purpose.ARRIVAL, NOW + 600), NOW)
    assert gate.sends("home", "location", sample()) == sample()
    assert times == [NOW + 599.9]


def test_what_became_of_a_suggestion_is_told_to_who_was_shown_it_alone() -> None:
    times, policy = Times(), Rules(lambda access: "all")
    book = LeaseBook(PARTIES["phone"], MADE, policy, PARTIES.get, lambda event: None)
    gate = LeaseGate(book, PARTIES.get, times, lambda event: None, lambda: NOW)
    over = Answer("dinner-1", AnswerKind.IGNORED, NOW)
    with pytest.raises(RefusedError, match="no lease on suggestion"):
        gate.sends("home", SUGGESTION, over)
    # a person's word, asked of the device that leads, needs none
    assert gate.sends("home", "answer", over) == over
    assert times == []
    book.request("home", LeaseRequest((SUGGESTION,), Purpose.DISPLAY, NOW + 600), NOW)
    assert gate.sends("home", SUGGESTION, over) == over
    assert times == [NOW]


def test_where_the_home_is_is_looked_up_only_to_say_less() -> None:
    looked: list[bool] = []

    def home() -> tuple[float, float]:
        looked.append(True)
        return HOME

    for exact_m, count in ((0, 0), (500, 1)):
        policy = Rules(lambda access: "all")
        book = LeaseBook(
            PARTIES["phone"], SIGNALS, policy, PARTIES.get, lambda event: None
        )
        gate = LeaseGate(
            book, PARTIES.get, Times(), lambda event: None, lambda: NOW, home
        )
        wanted = LeaseRequest(
            ("location",), Purpose.ARRIVAL, NOW + 600, exact_m=exact_m
        )
        book.request("home", wanted, NOW)
        gate.sends("home", "location", sample())
        assert len(looked) == count

"""What is not said now is said when it is said that it would be."""

from __future__ import annotations

from msgspec.structs import replace

from trivet.domain import AnswerKind
from trivet.domain.appointment import Appointment
from trivet.domain.clock import clock_text
from trivet.engine.feedback import Feedback
from trivet.engine.held import FINE_S, Held, held
from trivet.engine.situation import Situation
from trivet.engine.suggest import Suggester
from trivet.skills.check import example
from trivet.skills.leave_now import LeaveNow

#: At work at noon, with an appointment at the mall at four.
NOON = example(12.5, "work")
START = NOON.time + 3.5 * 3600.0
FITTING = Appointment("1", "Fitting", START, START + 1800.0, "Harbour Mall")
NOON = replace(NOON, appointments=(FITTING,))


def suggester(feedback: Feedback | None = None) -> Suggester:
    return Suggester("ada", [LeaveNow()], feedback or Feedback())


def found(asked: Suggester, situation: Situation) -> list[Held]:
    return [each for each in held(asked, situation) if each is not None]


def says(situation: Situation, feedback: Feedback | None = None) -> bool:
    return bool(suggester(feedback).suggest(situation))


def test_it_is_said_from_when_on_it_is_said_to_be() -> None:
    assert not says(NOON)
    (later,) = found(suggester(), NOON)
    assert later.need.skill == "leave_now"
    assert later.why_not == "There is no need of it yet."
    assert says(replace(NOON, time=later.time))
    assert not says(replace(NOON, time=later.time - FINE_S))


def test_what_is_said_now_or_never_is_not_held() -> None:
    (later,) = found(suggester(), NOON)
    due = replace(NOON, time=later.time)
    asked = suggester()
    assert asked.suggest(due)
    assert found(asked, due) == []
    assert found(suggester(), replace(NOON, appointments=())) == []


def test_what_a_person_silenced_tells_when_they_did() -> None:
    (later,) = found(suggester(), NOON)
    feedback = Feedback()
    refused, hour = later.time - 20 * 3600.0, 14.0
    feedback.learn_one("leave_now", later.need.key, AnswerKind.NOT_NOW, refused, hour)
    quiet = feedback.hush("leave_now", later.need.key)
    assert quiet is not None
    for each in found(suggester(feedback), NOON):
        assert each.why_not == f"You said not now at {clock_text(refused, NOON.zone)}."
        assert each.time >= quiet.until
        assert says(replace(NOON, time=each.time), feedback)
    forever = Feedback()
    forever.learn_one("leave_now", later.need.key, AnswerKind.NOT_NOW, NOON.time, hour)
    assert found(suggester(forever), NOON) == []


def test_looking_ahead_leaves_all_as_it_was() -> None:
    asked = suggester()
    before = asked.snapshot()
    assert found(asked, NOON)
    assert asked.snapshot() == before


def test_where_as_much_was_said_as_may_be_nothing_is_promised_that_day() -> None:
    asked = Suggester("ada", [LeaveNow()], max_per_day=1)
    other = replace(FITTING, id="0", title="Lunch", start=NOON.time + 1800.0)
    assert asked.suggest(replace(NOON, appointments=(other,)))
    assert found(asked, NOON) == []
    assert found(Suggester("ada", [LeaveNow()], max_per_day=1), NOON)

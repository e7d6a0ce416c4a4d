from __future__ import annotations

import pytest
from msgspec.structs import replace

from trivet.domain.clock import clock_text
from trivet.domain.forecast import Candidate, Forecast, Interval, Prospect, Reason
from trivet.domain.suggestion import AnswerKind, Need, Suggestion, Surface
from trivet.engine.explain import interval_text, percent, why, why_forecast
from trivet.engine.feedback import Feedback
from trivet.skills.check import example

NOW = example(17.5, "work")
ZONE = NOW.zone
NEED = Need(
    "preheat",
    "room",
    "Heat the room?",
    0.72,
    0.9,
    tuple(Reason(f"Reason {n}", n, 9) for n in (7, 6, 5, 4)),
    NOW.time + 1800,
)
ARRIVAL = Interval(NOW.time + 1200, NOW.time + 1800, NOW.time + 2400)
FORECAST = Forecast(
    "ada",
    NOW.time,
    NOW.time - 300,
    "work",
    (
        Candidate(
            "home", "home", 0.72, arrival=ARRIVAL, reasons=(Reason("Often", 14, 17),)
        ),
        Candidate("gym", "the gym", 0.2, reasons=(Reason("3 of 17 Tuesdays", 3, 17),)),
        Candidate("", "somewhere new", 0.08),
    ),
)


def suggestion(**changes: object) -> Suggestion:
    need = Need(**{f: getattr(NEED, f) for f in NEED.__struct_fields__} | changes)
    return Suggestion("id", "ada", NOW.time, need, Surface.PHONE)


def text(feedback: Feedback | None = None, **changes: object) -> str:
    return "\n".join(why(suggestion(**changes), feedback or Feedback(), ZONE).lines)


def test_the_strongest_reasons_come_first_with_their_counts() -> None:
    found = why(suggestion(), Feedback(), ZONE)
    assert found.reasons == tuple(f"Reason {n}." for n in (7, 6, 5))
    assert "Reason 4" not in "\n".join(found.lines)


def test_a_count_is_added_where_the_text_does_not_give_it() -> None:
    assert "You often do (14 of 17)." in text(reasons=(Reason("You often do", 14, 17),))
    assert "You often do (14 times)." in text(reasons=(Reason("You often do", 14),))


def test_it_says_how_likely_and_what_was_answered_before() -> None:
    assert "72 %" in text()
    assert "answered no suggestion of this kind" in text()
    feedback = Feedback()
    for kind in (AnswerKind.YES, AnswerKind.YES, AnswerKind.IGNORED):
        feedback.learn_one("preheat", "room", kind, 0.0, 18.0)
    assert "yes 2 of 3 times" in text(feedback=feedback)


def test_it_says_when_it_ends_by_itself() -> None:
    assert f"at {clock_text(NEED.expires, ZONE)}" in text()


def test_it_says_truly_how_long_not_now_would_last() -> None:
    feedback = Feedback()
    assert "for 20 hours" in text(feedback=feedback)
    feedback.learn_one("preheat", "room", AnswerKind.NOT_NOW, 0.0, 18.0)
    assert "for 2 days" in text(feedback=feedback)
    for _ in range(6):
        feedback.learn_one("preheat", "room", AnswerKind.NOT_NOW, 0.0, 18.0)
    assert "for 30 days" in text(feedback=feedback)
    assert "for 4 hours" in text(feedback=feedback, is_safety=True)


def test_safety_says_that_it_is_safety() -> None:
    assert "safety" in text(is_safety=True)


def test_a_forecast_names_best_reasons_arrival_and_alternatives() -> None:
    found = why_forecast(FORECAST, ZONE)
    assert found.reasons == ("Often (14 of 17).",)
    assert found.notes == (
        "72 % to home.",
        "Arrival 17:50 to 18:10, most likely 18:00; 8 of 10 such trips end in that "
        "time.",
        "Otherwise: the gym 20 %, somewhere new 8 %.",
    )
    assert (found.changes, found.unused) == ((), ())


def test_a_forecast_that_is_not_sure_says_so() -> None:
    home, *rest = FORECAST.candidates
    doubtful = (replace(home, probability=0.4), *rest)
    (first, *_) = why_forecast(replace(FORECAST, candidates=doubtful), ZONE).notes
    assert first == "40 % to home; it may well be elsewhere."


def test_a_forecast_of_nothing_says_so() -> None:
    nothing = Forecast("ada", 0.0, 0.0, "", ())
    assert why_forecast(nothing, ZONE).lines == (
        "Nothing is known yet of where this trip is going.",
    )


@pytest.mark.parametrize(
    ("probability", "said"), [(0.0, "1 %"), (1.0, "99 %"), (0.724, "72 %")]
)
def test_a_percentage_is_never_sure(probability: float, said: str) -> None:
    assert percent(probability) == said


def test_an_interval_within_a_minute_is_one_time() -> None:
    assert interval_text(Interval(NOW.time, NOW.time, NOW.time + 5), ZONE) == "17:30"


def test_what_somewhere_new_may_be_is_told_with_its_reason() -> None:
    near = Reason("800 m left")
    mall = Prospect("way/1", "Harbour Mall", "mall", 0.0, 0.0, 0.3, reason=near)
    pub = Prospect("node/1", "", "irish_pub", 0.0, 0.0, 0.1)
    new = Candidate("", "somewhere new", 0.5, prospects=(mall, pub))
    found = why_forecast(replace(FORECAST, candidates=(new,)), ZONE)
    assert "Somewhere new may be Harbour Mall 30 %: 800 m left." in found.notes
    assert "Somewhere new may be a irish pub 10 %." not in found.notes
    assert "Somewhere new may be an irish pub 10 %." in found.notes

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from trivet.domain.appointment import Appointment
from trivet.domain.forecast import Candidate
from trivet.domain.geo import offset
from trivet.domain.place import Trip
from trivet.domain.sample import Position, Sample
from trivet.domain.suggestion import Need, Surface
from trivet.engine.situation import Situation
from trivet.engine.suggest import Suggester
from trivet.skills.check import LAT, LON, example, knowing
from trivet.skills.leave_now import LeaveNow

MINUTE_S = 60.0
AT_WORK = example(16.5, "work")
#: Past trips from work to the mall took so many minutes.
TOOK = (18, 20, 25)


def planned(in_min: float, situation: Situation = AT_WORK, **changes: Any) -> Situation:
    """With trips that took 18 to 25 min, and an appointment in so many minutes."""
    trips = tuple(
        Trip("work", "mall", begin, begin + took * MINUTE_S, 6000.0)
        for day, took in enumerate(TOOK)
        for begin in [situation.time - (9 - day) * 86_400.0]
    )
    start = situation.time + in_min * MINUTE_S
    one = Appointment("1", "Fitting", start, start + 3600.0, "Harbour Mall")
    one = msgspec.structs.replace(one, **changes)
    return msgspec.structs.replace(situation, trips=trips, appointments=(one,))


def needs(situation: Situation) -> list[Need]:
    return list(LeaveNow().needs(situation))


def test_it_says_when_to_leave_and_how_long_it_takes() -> None:
    (need,) = needs(planned(34))
    assert need.title == "Leave by 16:39 for Fitting (18 to 25 min)"
    assert [reason.text for reason in need.reasons] == [
        "Fitting begins at 17:04 at Harbour Mall",
        "Your last 3 trips from here to there took 18 to 25 min",
        "It begins in 34 min",
    ]
    assert need.expires == AT_WORK.time + 34 * MINUTE_S


def test_it_speaks_ten_minutes_before_the_latest_moment_and_not_before() -> None:
    assert not needs(planned(35.5))
    assert needs(planned(34.5))


def test_with_no_time_left_it_says_now_and_when_one_gets_there() -> None:
    (need,) = needs(planned(15))
    assert need.title == "Leave now for Fitting (18 to 25 min)"
    assert need.reasons[-1].text == "Leaving now you are there at 16:48 at the earliest"


def test_who_is_long_past_leaving_is_not_told_and_nobody_once_it_began() -> None:
    assert not needs(planned(9))
    assert not needs(planned(-1))


def test_its_key_is_the_instance_so_that_next_week_is_another() -> None:
    (one,), (other,) = needs(planned(30)), needs(planned(32))
    assert one.key != other.key


def test_nothing_when_one_is_there_already() -> None:
    at_mall = planned(20, example(16.5, "mall"))
    assert not needs(at_mall)
    near = Position(*offset(LAT, LON, 4100.0, 3050.0))
    beside = planned(20, msgspec.structs.replace(AT_WORK, at=""))
    assert not needs(
        knowing(beside, Sample("phone", "location", AT_WORK.time + 1, near))
    )


def test_nothing_when_the_trip_goes_there() -> None:
    assert not needs(planned(20, example(16.5, "home", "mall")))


def test_a_trip_elsewhere_is_told() -> None:
    homeward = planned(22, example(16.5, "work", "home"))
    (need,) = needs(homeward)
    assert need.reasons[-1].text == "80 % you are on the way to home"


def test_nothing_when_the_trip_comes_nearer_though_the_forecast_knows_nothing() -> None:
    leaving = planned(20, example(16.5, "work", "home"))
    assert leaving.forecast is not None
    unknown = (Candidate("", "somewhere new", 1.0),)
    forecast = msgspec.structs.replace(leaving.forecast, candidates=unknown)
    nearer = Position(*offset(LAT, LON, 6500.0, 2000.0))
    coming = knowing(
        msgspec.structs.replace(leaving, forecast=forecast),
        Sample("phone", "location", leaving.time + 1, nearer),
    )
    assert not needs(coming)


@pytest.mark.parametrize(
    "changes",
    [{"location": ""}, {"location": "https://meet.example/x"}, {"is_all_day": True}],
)
def test_what_has_no_place_or_no_hour_is_not_told(changes: dict[str, Any]) -> None:
    assert not needs(planned(30, **changes))


def test_the_first_that_is_elsewhere_is_told() -> None:
    both = planned(30)
    call = msgspec.structs.replace(both.appointments[0], id="0", location="")
    soon = msgspec.structs.replace(both, appointments=(call, *both.appointments))
    (need,) = needs(soon)
    assert need.key.startswith("1@")


def test_a_place_never_been_to_is_known_by_the_calendar_s_point() -> None:
    lat, lon = offset(LAT, LON, 9000.0, 3000.0)
    there = planned(20, location="Dr. Weiß", lat=lat, lon=lon)
    (need,) = needs(msgspec.structs.replace(there, trips=()))
    assert need.reasons[0].text.endswith("at Dr. Weiß")
    assert "3.0 km in a straight line" in need.reasons[1].text


def test_a_far_point_that_is_in_nobody_s_history_is_less_sure() -> None:
    lat, lon = offset(LAT, LON, 9000.0, 90_000.0)
    far = planned(210, location="Fair", lat=lat, lon=lon)
    (need,) = needs(far)
    (near,) = needs(planned(30))
    assert need.probability < near.probability


def test_it_is_worth_saying_at_the_desk() -> None:
    (said,) = Suggester("ada", [LeaveNow()]).suggest(planned(30))
    assert said.surface is Surface.PHONE

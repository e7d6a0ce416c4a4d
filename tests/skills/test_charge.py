from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest

from trivet.domain.appointment import Appointment
from trivet.domain.geo import offset
from trivet.domain.place import PointOfInterest, Trip
from trivet.domain.sample import Quality, Sample, Value
from trivet.domain.suggestion import Need, Surface
from trivet.engine.situation import Situation
from trivet.engine.suggest import Suggester
from trivet.skills.charge import BATTERY, CHARGING, TANK, Charge
from trivet.skills.check import LAT, LON, FixedAtlas, example, knowing

SHOPPING = example(12.5, "home", "mall")
HOMEWARD = example(16.5, "work", "home")
KM = 1000.0


def car(situation: Situation, **told: Value) -> Situation:
    """The car telling this: `Range`, `StateOfCharge__Current`, ... of its battery."""
    samples = [
        Sample("car", BATTERY + path.replace("__", "."), situation.time + 1, value)
        for path, value in told.items()
    ]
    return knowing(situation, *samples)


def with_tank(situation: Situation, **told: Value) -> Situation:
    """Another car, with a tank and no battery."""
    kept = [
        sample
        for device in ("phone", "car", "home")
        for sample in situation.context.of_device(device)
        if BATTERY not in sample.path
    ]
    empty = msgspec.structs.replace(situation, context=type(situation.context)())
    more = [Sample("car", TANK + p, situation.time, v) for p, v in told.items()]
    return knowing(empty, *kept, *more)


def stations(
    situation: Situation, *points: tuple[str, str, float, float, str]
) -> Situation:
    """A map of stations: name, kind, metres east and north of home, hours."""
    found = [
        PointOfInterest(f"node/{n}", name, kind, *offset(LAT, LON, east, north), hours)
        for n, (name, kind, east, north, hours) in enumerate(points)
    ]
    return msgspec.structs.replace(situation, atlas=FixedAtlas(found))


def driving_days(situation: Situation, km: Iterable[float]) -> Situation:
    """Past days of tomorrow's weekday with so many km each, the newest first."""
    trips = [
        Trip("home", "work", begin, begin + 1500.0, length * KM)
        for week, length in enumerate(km, 1)
        for begin in [situation.time + 86_400.0 - week * 7 * 86_400.0]
    ]
    return msgspec.structs.replace(situation, trips=tuple(reversed(trips)))


def parked(hour: float, range_km: float) -> Situation:
    at_home = driving_days(example(hour, "home"), [40, 42, 44, 46, 48, 300])
    return car(at_home, Range=range_km * KM, StateOfCharge__Current=20.0)


def needs(situation: Situation, skill: Charge | None = None) -> list[Need]:
    return list((skill or Charge()).needs(situation))


def test_too_little_for_there_and_back_names_a_charger_with_its_detour() -> None:
    (need,) = needs(car(SHOPPING, Range=30 * KM))
    assert need.key == "station"
    assert need.title == "Charge on the way: Galvani, 7 min detour"
    texts = [reason.text for reason in need.reasons]
    assert texts[0] == "The battery is good for 30 km (14 %)"
    assert texts[1].startswith("80 % you are heading to Harbour Mall, where ")
    assert texts[-1] == "A reserve of 25 km is kept"
    assert need.details[0].startswith("Galvani, 3.2 km ahead at 12:")


def test_enough_for_there_and_back_says_nothing() -> None:
    assert not needs(car(SHOPPING, Range=60 * KM))


def test_what_does_not_reach_says_by_how_far() -> None:
    (need,) = needs(car(SHOPPING, Range=4 * KM))
    assert "further than that" in need.reasons[1].text


def test_a_charger_out_of_reach_or_closed_is_not_offered() -> None:
    low = car(SHOPPING, Range=20 * KM)
    far = ("Far", "charging_station", 3000.0, 2400.0, "24/7")
    shut = ("Shut", "charging_station", 2000.0, 1500.0, "Mo-Fr 06:00-08:00")
    (need,) = needs(stations(low, far, shut))
    assert "Far" in need.title
    assert not needs(stations(low, shut))
    assert not needs(stations(car(SHOPPING, Range=1 * KM), far))


def test_on_the_way_home_with_a_plug_there_no_charger_is_needed() -> None:
    assert not needs(car(HOMEWARD, Range=30 * KM))
    (need,) = needs(car(HOMEWARD, Range=30 * KM), Charge(charges_at_home=False))
    assert need.key == "station"


def test_a_low_tank_is_filled_on_the_way_for_tomorrow_too() -> None:
    pump = ("Pump", "fuel", 5000.0, 300.0, "24/7")
    far = driving_days(HOMEWARD, [120, 130, 140, 150])
    low = stations(with_tank(far, Range=150 * KM, RelativeLevel=25), pump)
    (need,) = needs(low)
    assert need.title.startswith("Fill up on the way: Pump")
    assert any("Saturdays" in reason.text for reason in need.reasons)
    full = stations(with_tank(far, Range=400 * KM, RelativeLevel=80), pump)
    assert not needs(full)


def test_a_tank_that_tells_only_its_level_is_taken_for_a_usual_one() -> None:
    pump = ("Pump", "fuel", 2000.0, 1500.0, "24/7")
    low = stations(with_tank(SHOPPING, RelativeLevel=5), pump)
    (need,) = needs(low)
    assert need.reasons[0].text == "The tank is good for 28 km (5 %)"
    assert not needs(low, Charge(full_tank_m=2e6))


def test_in_the_evening_at_home_it_asks_for_the_plug() -> None:
    (need,) = needs(parked(20.0, 60))
    assert need.title == "Plug in the car tonight: it has 60 km left"
    assert need.reasons[1].text == "5 of your last 6 Saturdays took no more than 48 km"
    (said,) = Suggester("ada", [Charge()]).suggest(parked(20.0, 60))
    assert said.surface is Surface.HOME


def test_enough_for_tomorrow_and_the_reserve_says_nothing() -> None:
    assert not needs(parked(20.0, 80))


def test_not_before_the_evening_not_at_the_plug_and_not_with_the_car_elsewhere() -> (
    None
):
    assert not needs(parked(14.0, 60))
    assert not needs(knowing(parked(20.0, 60), Sample("car", CHARGING, 2e9, True)))
    lat = Sample("car", "Vehicle.CurrentLocation.Latitude", 2e9, LAT + 0.1)
    assert not needs(knowing(parked(20.0, 60), lat))


def test_with_too_little_history_nobody_knows_what_tomorrow_takes() -> None:
    assert not needs(driving_days(parked(20.0, 60), [48, 48, 48]))


def test_tomorrow_s_appointment_counts_where_it_is_further() -> None:
    evening = parked(20.0, 90)
    lat, lon = offset(LAT, LON, 0.0, 60 * KM)
    start = evening.time + 14 * 3600.0
    fair = Appointment("1", "Fair", start, start + 3600.0, "Fair", lat, lon)
    (need,) = needs(msgspec.structs.replace(evening, appointments=(fair,)))
    assert need.reasons[1].text == "Fair at 10:00 on Saturday is 78 km from home"
    midnight = start - 10 * 3600.0
    days = msgspec.structs.replace(fair, start=midnight, is_all_day=True)
    (need,) = needs(msgspec.structs.replace(evening, appointments=(days,)))
    assert need.reasons[1].text == "Fair on Saturday is 78 km from home"
    later = msgspec.structs.replace(days, start=midnight + 86_400.0)
    assert not needs(msgspec.structs.replace(evening, appointments=(later,)))


def test_it_asks_once_an_evening() -> None:
    (need,) = needs(parked(20.0, 60))
    assert need.expires == need_time(20.0) + 4 * 3600.0


def need_time(hour: float) -> float:
    return example(hour, "home").time


def test_a_range_told_before_charging_says_nothing_of_now() -> None:
    low = parked(20.0, 40)
    charged = knowing(
        low,
        Sample("car", CHARGING, low.time + 600, False),
        Sample("car", f"{BATTERY}StateOfCharge.Current", low.time + 700, 90.0),
    )
    assert needs(low)
    assert not needs(charged)
    (need,) = needs(charged, Charge(full_battery_m=60 * KM))
    assert need.reasons[0].text == "The battery is good for 54 km (90 %)"


def test_shortly_before_home_it_asks_what_will_be_left() -> None:
    homeward = driving_days(example(17.5, "work", "home"), [40, 42, 44, 46])
    assert homeward.forecast is not None
    arrival = homeward.forecast.arrival
    assert arrival is not None
    low = car(homeward, Range=60 * KM)
    assert not needs(low)
    soon = msgspec.structs.replace(low, time=arrival.median - 240.0)
    nearly = [
        Sample("car", "Vehicle.Speed", soon.time, 20.0),
        Sample("car", "Vehicle.CurrentLocation.Latitude", soon.time, LAT),
        Sample("car", "Vehicle.CurrentLocation.Longitude", soon.time, LON + 0.01),
    ]
    at = msgspec.structs.replace(soon, phone="")
    (need,) = needs(knowing(at, *nearly))
    assert need.key == "plug"


@pytest.mark.parametrize("value", [-1.0, 9e9, "full", True])
def test_a_range_that_is_none_is_not_believed(value: Value) -> None:
    assert not needs(car(SHOPPING, Range=value, StateOfCharge__Current=value))


def test_a_range_that_its_source_calls_wrong_is_not_believed() -> None:
    bad = Sample("car", f"{BATTERY}Range", SHOPPING.time, 3000, Quality.BAD)
    assert not needs(knowing(SHOPPING, bad))


def test_a_passenger_of_a_bus_is_not_told_of_the_car() -> None:
    bus = Sample("car", "Vehicle.Speed", SHOPPING.time - 900, 0.0)
    kept = [
        s
        for d in ("phone", "car", "home")
        for s in SHOPPING.context.of_device(d)
        if s.path != "Vehicle.Speed"
    ]
    empty = msgspec.structs.replace(SHOPPING, context=type(SHOPPING.context)())
    assert not needs(knowing(empty, *kept, bus))

"""Whereabouts: where the person is, how fast, and whether they are in the car."""

from __future__ import annotations

from typing import TypeGuard

from trivet.domain.geo import distance_m
from trivet.domain.sample import LOCATION, Position, Quality, Sample
from trivet.engine.situation import Situation

SPEED = "Vehicle.Speed"
LATITUDE = "Vehicle.CurrentLocation.Latitude"
LONGITUDE = "Vehicle.CurrentLocation.Longitude"
#: A speed older than this says nothing of now.
SPEED_FRESH_S = 120.0
#: Phone and car further apart than this: the person is not in the car.
APART_M = 500.0
#: A car with the person in it leaves the last position of their phone no faster.
DRIVING_MPS = 40.0


def position_of(situation: Situation) -> tuple[float, float] | None:
    """Latitude and longitude where the person was last seen, by phone or car.

    The car stands in only while the person is on a trip: parked, it says where the
    car is.
    """
    found = [_phone_position(situation)]
    if situation.forecast is not None:
        found.append(_car_position(situation))
    seen = [entry for entry in found if entry is not None]
    if not seen:
        return None
    _, lat, lon = max(seen)
    return lat, lon


def is_in_car(situation: Situation) -> bool:
    """Whether the person is on a trip in the household's car, as far as is known."""
    if situation.forecast is None or not situation.car:
        return False
    speed = situation.context.sample(situation.car, SPEED)
    if speed is None or situation.time - speed.time > SPEED_FRESH_S:
        return False
    phone, car = _phone_position(situation), _car_position(situation)
    if phone is None or car is None:
        return True
    # a phone that sleeps in the car is where the car was: as far back as it drives
    silent_s = abs(phone[0] - car[0])
    driven_m = DRIVING_MPS * silent_s if silent_s > SPEED_FRESH_S else 0.0
    return distance_m(*phone[1:], *car[1:]) <= APART_M + driven_m


def has_car(situation: Situation) -> bool:
    """Whether the household's car is at hand: being driven, or parked close by."""
    if is_in_car(situation):
        return True
    here, car = position_of(situation), _car_position(situation)
    if here is None or car is None:
        return False
    return distance_m(*here, *car[1:]) <= APART_M


def speed_kph(situation: Situation) -> float | None:
    """Speed of the person in km/h, None when nothing fresh says it."""
    if is_in_car(situation):
        return situation.context.number(situation.car, SPEED)
    sample = situation.context.sample(situation.phone, LOCATION)
    if sample is None or situation.time - sample.time > SPEED_FRESH_S:
        return None
    position = sample.value
    if not isinstance(position, Position) or position.speed_mps is None:
        return None
    return position.speed_mps * 3.6


def _phone_position(situation: Situation) -> tuple[float, float, float] | None:
    sample = situation.context.sample(situation.phone, LOCATION)
    if not _is_usable(sample) or not isinstance(sample.value, Position):
        return None
    return sample.time, sample.value.lat, sample.value.lon


def _car_position(situation: Situation) -> tuple[float, float, float] | None:
    sample = situation.context.sample(situation.car, LATITUDE)
    lat = situation.context.number(situation.car, LATITUDE)
    lon = situation.context.number(situation.car, LONGITUDE)
    if not _is_usable(sample) or lat is None or lon is None:
        return None
    if abs(lat) > 90.0 or abs(lon) > 180.0:
        return None
    return sample.time, lat, lon


def _is_usable(sample: Sample | None) -> TypeGuard[Sample]:
    return sample is not None and sample.quality is not Quality.BAD

"""A household to show: a drive from work on a Friday evening, likely to the mall."""

from __future__ import annotations

from collections.abc import Sequence
from math import sin

import msgspec
import pytest

from trivet.app.outlook import Coming, Next, Outlook, Presence
from trivet.app.place_view import CorrectPlace, PlaceRow
from trivet.app.view import DeviceView, Fact, Flow, Frame, MapView, TimelineEntry
from trivet.domain.device import DeviceKind
from trivet.domain.error import UsageError
from trivet.domain.forecast import Candidate, Forecast, Interval, Reason
from trivet.domain.place import Place, PlaceRole, PointOfInterest
from trivet.domain.suggestion import (
    Action,
    Answer,
    AnswerKind,
    Need,
    Suggestion,
    Surface,
)
from trivet.domain.why import Why

#: Friday 6 March 2026, 17:41 in Berlin.
NOW = 1772815260.0
WORK, HOME, MALL, GYM = (48.78, 9.18), (48.742, 9.1), (48.735, 9.205), (48.76, 9.225)
HERE = (48.7655, 9.19)


class FakeNode:
    """A `Viewed` that shows what it is given and remembers what it is told."""

    def __init__(self, frame: Frame, drawn: MapView) -> None:
        self.now = frame
        self.drawn = drawn
        self.entries: list[TimelineEntry] = []
        self.answers: list[tuple[str, AnswerKind]] = []
        self.rows: tuple[PlaceRow, ...] = make_rows()
        self.said: list[CorrectPlace] = []

    def frame(self) -> Frame:
        return self.now

    def frame_at(self, time: float) -> Frame:
        return msgspec.structs.replace(self.now, time=time)

    def span(self) -> tuple[float, float]:
        return self.now.time - 11 * 3600.0, self.now.time

    def map(self) -> MapView:
        return self.drawn

    def timeline(self) -> Sequence[TimelineEntry]:
        return self.entries

    def why(self, suggestion: str) -> Why:
        return Why(
            ("11 of 14 Fridays at this hour you went there.",),
            ("After 1 km towards home, home would be likelier.",),
            ("The car's speed was not used: its owner's policy refuses it.",),
        )

    async def answer(self, suggestion: str, kind: AnswerKind) -> list[str]:
        self.answers.append((suggestion, kind))
        left = tuple(s for s in self.now.suggestions if s.id != suggestion)
        self.now = msgspec.structs.replace(self.now, suggestions=left)
        return []

    def places(self) -> Sequence[PlaceRow]:
        return self.rows

    async def correct(self, word: CorrectPlace) -> str:
        self.said.append(word)
        if word.place == "refused":
            raise UsageError("that place cannot be set right")
        return "done"

    async def set_learning(self, is_on: bool) -> None:
        outlook = msgspec.structs.replace(make_outlook(), is_learning=is_on)
        self.now = msgspec.structs.replace(self.now, outlook=outlook)

    def set_speed(self, speed: float) -> None:
        self.now = msgspec.structs.replace(self.now, speed=speed)

    def set_paused(self, is_paused: bool) -> None:
        self.now = msgspec.structs.replace(self.now, is_paused=is_paused)


def way(
    a: tuple[float, float], b: tuple[float, float], bend: float, parts: int = 60
) -> tuple[tuple[float, float], ...]:
    """A road from `a` to `b` with some bends."""
    steps = [i / parts for i in range(parts + 1)]
    return tuple(
        (
            a[0] + (b[0] - a[0]) * t + bend * 0.01 * sin(3.14 * t),
            a[1] + (b[1] - a[1]) * t + bend * 0.006 * sin(6.28 * t),
        )
        for t in steps
    )


def make_map() -> MapView:
    roads = (
        way(WORK, HERE, 0.4),
        way(HERE, MALL, -0.5),
        way(HERE, HOME, 0.7),
        way(MALL, HOME, -0.4),
        way(HERE, GYM, 0.5),
        way(WORK, GYM, 0.3),
        way(GYM, MALL, 0.2),
        way(WORK, HOME, 1.2),
    )
    places = (
        Place("home", *HOME, 90, PlaceRole.HOME, "", 210),
        Place("work", *WORK, 120, PlaceRole.WORK, "", 190),
        Place("mall", *MALL, 180, PlaceRole.OTHER, "Riverside Mall", 31),
        Place("gym", *GYM, 80, PlaceRole.OTHER, "Boulder Hall", 22),
        Place("school", 48.752, 9.115, 80, PlaceRole.OTHER, "Linden School", 12),
    )
    pois = (
        PointOfInterest("node/1", "Trattoria Ponte", "restaurant", 48.7362, 9.2035),
        PointOfInterest("node/2", "Noodle Bar 8", "restaurant", 48.7345, 9.2072),
        PointOfInterest("node/3", "Corner Market", "supermarket", 48.7335, 9.2020),
        PointOfInterest("node/4", "Café Mirabel", "cafe", 48.771, 9.172),
        PointOfInterest("node/5", "City Library", "library", 48.757, 9.16),
    )
    return MapView(roads, places, pois, "© OpenStreetMap contributors (ODbL)")


def make_forecast() -> Forecast:
    arrival = Interval(NOW + 540, NOW + 1080, NOW + 1740)
    reasons = (
        Reason("11 of 14 Fridays at this hour you went there", 11, 14),
        Reason("The way so far leads there"),
    )
    candidates = (
        Candidate("mall", "Riverside Mall", 0.62, *MALL, arrival, reasons),
        Candidate("home", "home", 0.21, *HOME),
        Candidate("gym", "Boulder Hall", 0.09, *GYM),
        Candidate("", "somewhere new", 0.08),
    )
    middle = Interval(NOW + 840, NOW + 1080, NOW + 1320, 0.5)
    return Forecast("ada", NOW, NOW - 540, "work", candidates, arrival, 3100.0, middle)


def make_devices() -> tuple[DeviceView, ...]:
    return (
        DeviceView(
            "phone",
            DeviceKind.PHONE,
            "Ada’s phone",
            True,
            *HERE,
            (Fact("batt", "Battery", "64 %"),),
        ),
        DeviceView(
            "car",
            DeviceKind.CAR,
            "Car",
            True,
            *HERE,
            (
                Fact("Vehicle.Speed", "Speed", "47 km/h"),
                Fact("x.StateOfCharge", "Battery", "58 %, 212 km"),
            ),
        ),
        DeviceView(
            "home",
            DeviceKind.HOME,
            "Home",
            True,
            *HOME,
            (
                Fact("cover.garage_door", "Garage", "open for 25 min", True),
                Fact("climate.living_room", "Living room", "17.5 °C, off"),
                Fact("lock.front_door", "Front door", "locked"),
                Fact("binary_sensor.kitchen_window", "Kitchen window", "closed"),
                Fact("switch.stove", "Stove", "off"),
                Fact("binary_sensor.occupancy", "Anybody in", "no"),
            ),
        ),
    )


def make_suggestions() -> tuple[Suggestion, ...]:
    dinner = Need(
        "dinner",
        "mall",
        "Dinner near Riverside Mall?",
        0.7,
        0.5,
        (Reason("You stayed for dinner on 8 of 11 Fridays there", 8, 11),),
        NOW + 2400,
        (Surface.CAR,),
        (),
        (
            "Trattoria Ponte, 3 min on foot, about 10 min wait",
            "Noodle Bar 8, 4 min on foot, no wait",
        ),
    )
    garage = Need(
        "left_open",
        "garage",
        "The garage is open and nobody is in",
        0.93,
        0.8,
        (Reason("It was closed on 26 of 27 such days", 26, 27),),
        NOW + 3600,
        (Surface.PHONE,),
        (Action("home", "cover.garage_door", "closed", "Close the garage"),),
    )
    return (
        Suggestion("s2", "ada", NOW - 60, dinner, Surface.CAR),
        Suggestion("s1", "ada", NOW - 400, garage, Surface.PHONE),
    )


def make_outlook() -> Outlook:
    middle = Interval(NOW + 1800, NOW + 2400, NOW + 3600, 0.5)
    arrival = Interval(NOW + 1200, NOW + 2400, NOW + 5400)
    coming = Coming("Ada", False, middle, arrival, "the running trip, 21 % of it home")
    evening = (0.1,) * 2 + (0.6,) + (0.95,) * 12 + (0.7, 0.3, 0.1) + (0.05,) * 6
    return Outlook(
        NOW,
        "Europe/Berlin",
        coming=(coming,),
        presence=(Presence("", evening), Presence("Ada", evening)),
        presence_rests="who was in since 2 January",
        next=(
            Next("light.kitchen=on", "Kitchen light on", 0.71, arrival),
            Next("cover.garage_door=open", "Garage open", 0.12, None),
        ),
        next_rests="1,204 things done at home since 2 January",
        bed=Interval(NOW + 18000, NOW + 19800, NOW + 21600),
        wake=Interval(NOW + 45000, NOW + 46800, NOW + 50400),
        night_rests="61 nights since 2 January",
    )


def make_rows() -> tuple[PlaceRow, ...]:
    return (
        PlaceRow("p1", "home", PlaceRole.HOME, 210, NOW - 6e6, NOW - 600, *HOME),
        PlaceRow("p2", "work", PlaceRole.WORK, 190, NOW - 6e6, NOW - 7200, *WORK),
        PlaceRow("p3", "Riverside Mall", PlaceRole.OTHER, 31, 1.0, NOW - 9e5, *MALL),
        PlaceRow(
            "p4",
            "a place near Boulder Hall",
            PlaceRole.OTHER,
            1,
            NOW - 9e5,
            NOW - 9e5,
            *GYM,
        ),
    )


def make_frame() -> Frame:
    return Frame(
        time=NOW,
        zone="Europe/Berlin",
        speed=10.0,
        is_paused=False,
        notice="A simulated household: nobody lives here.",
        devices=make_devices(),
        forecast=make_forecast(),
        at="",
        trail=way(WORK, HERE, 0.4),
        suggestions=make_suggestions(),
        answers=(Answer("s0", AnswerKind.YES, NOW - 36000),),
        flows=(
            Flow("phone", "car", "location", 541, NOW - 1),
            Flow("car", "phone", "Vehicle.CurrentLocation.Latitude", 540, NOW - 1),
            Flow("car", "home", "Vehicle.Powertrain.TractionBattery.Range", 54, NOW),
            Flow("home", "phone", "cover.garage_door", 3, NOW - 1500),
        ),
        outlook=make_outlook(),
        leader="home",
    )


def make_timeline() -> list[TimelineEntry]:
    return [
        TimelineEntry(NOW - 33600, "departure", "Left home, likely to work"),
        TimelineEntry(
            NOW - 32000, "arrival", "Arrived at work", ("Forecast 08:44–08:52",)
        ),
        TimelineEntry(NOW - 1500, "home", "The garage is open"),
        TimelineEntry(NOW - 540, "departure", "Left work"),
        TimelineEntry(
            NOW - 400, "suggestion", "The garage is open and nobody is in", ("Phone",)
        ),
        TimelineEntry(NOW - 60, "suggestion", "Dinner near Riverside Mall?", ("Car",)),
    ]


@pytest.fixture
def frame() -> Frame:
    return make_frame()


@pytest.fixture
def drawn() -> MapView:
    return make_map()


@pytest.fixture
def node(frame: Frame, drawn: MapView) -> FakeNode:
    made = FakeNode(frame, drawn)
    made.entries = make_timeline()
    return made

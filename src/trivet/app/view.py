"""What a person is shown: plain values that page, CLI and JSON all draw from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from trivet.app.outlook import Outlook
from trivet.app.place_view import CorrectPlace, PlaceRow
from trivet.domain.device import DeviceKind
from trivet.domain.forecast import Forecast
from trivet.domain.place import Place, PointOfInterest
from trivet.domain.suggestion import Answer, AnswerKind, Suggestion
from trivet.domain.why import Why


class Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing known of a device, ready to be read.

    Attributes:
        path: the signal it comes from.
        label: "Living room".
        text: "19.5 °C".
        is_alert: whether a person would want to know now (a garage left open).
    """

    path: str
    label: str
    text: str
    is_alert: bool = False


class DeviceView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A device as a person sees it; `lat` and `lon` in degrees where they are known."""

    id: str
    kind: DeviceKind
    name: str
    is_alive: bool
    lat: float | None = None
    lon: float | None = None
    facts: tuple[Fact, ...] = ()


class Flow(msgspec.Struct, frozen=True):
    """What one device has given another since the node started.

    Attributes:
        owner: whose signal.
        recipient: who received it.
        path: which signal.
        count: samples given.
        last: event time of the last one.
        purpose: what for, as the running lease says; empty where none runs.
        exact_m: exactness of a position, in metres; 0 as measured.
    """

    owner: str
    recipient: str
    path: str
    count: int
    last: float
    purpose: str = ""
    exact_m: int = 0


class TimelineEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the day.

    Attributes:
        time: event time.
        kind: departure, arrival, suggestion, answer, home or notice.
        text: the line.
        details: further lines: the reasons.
    """

    time: float
    kind: str
    text: str
    details: tuple[str, ...] = ()


class Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that the page shows for one event time.

    Attributes:
        time: event time of the frame.
        zone: name of the local time zone.
        speed: event seconds a real second.
        is_paused: whether event time stands still.
        notice: what the household is, when it is not a real one.
        devices: phone, car and home.
        forecast: of the running trip, None when there is none.
        at: label of the place where the person is staying, empty on a trip.
        trail: the running trip so far, (lat, lon) in degrees.
        suggestions: those that wait for an answer, newest first.
        answers: the last answers given, newest first.
        flows: what was shared with whom.
        outlook: the next day at home.
        leader: id of the device that forecasts and suggests, empty if none is known.
    """

    time: float
    zone: str
    speed: float
    is_paused: bool
    notice: str
    devices: tuple[DeviceView, ...]
    forecast: Forecast | None
    at: str
    trail: tuple[tuple[float, float], ...]
    suggestions: tuple[Suggestion, ...]
    answers: tuple[Answer, ...]
    flows: tuple[Flow, ...]
    outlook: Outlook | None = None
    leader: str = ""


class MapView(msgspec.Struct, frozen=True):
    """What the map is drawn from: the household's own data, no tiles.

    Attributes:
        roads: polylines of (lat, lon) in degrees: known roads or past traces.
        places: where the person stays.
        points_of_interest: of the offline map.
        attribution: whom to name for it.
    """

    roads: tuple[tuple[tuple[float, float], ...], ...]
    places: tuple[Place, ...]
    points_of_interest: tuple[PointOfInterest, ...]
    attribution: str


class Viewed(Protocol):
    """What the page asks of the node that it shows."""

    def frame(self) -> Frame:
        """The newest frame."""
        ...

    def frame_at(self, time: float) -> Frame:
        """The frame that was newest at event time `time`; the oldest kept before it."""
        ...

    def span(self) -> tuple[float, float]:
        """Event times of the oldest and the newest frame kept."""
        ...

    def map(self) -> MapView:
        """What the map is drawn from; changes when a place is learned."""
        ...

    def timeline(self) -> Sequence[TimelineEntry]:
        """The lines of the day, oldest first."""
        ...

    def why(self, suggestion: str) -> Why:
        """Why a suggestion was made; why this forecast, for an empty id."""
        ...

    async def answer(self, suggestion: str, kind: AnswerKind) -> list[str]:
        """Record what the person said, do what a "yes" asks for; what of it failed."""
        ...

    def places(self) -> Sequence[PlaceRow]:
        """The places that are known, most visited first."""
        ...

    async def correct(self, word: CorrectPlace) -> str:
        """Say something of a place, for the whole household; what was done."""
        ...

    async def set_learning(self, is_on: bool) -> None:
        """Have the household learn from what happens, or not."""
        ...

    def set_speed(self, speed: float) -> None:
        """Set event seconds a real second."""
        ...

    def set_paused(self, is_paused: bool) -> None:
        """Let event time stand still, or go on."""
        ...

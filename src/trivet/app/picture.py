"""Draws frames and the map from what the mind knows."""

from __future__ import annotations

import msgspec

from trivet.app.fact import facts, place_of
from trivet.app.mind import Mind
from trivet.app.view import DeviceView, Flow, Frame, MapView
from trivet.domain import DeviceKind, PointOfInterest

#: Roads drawn from past trips when no road network is known.
MAX_TRACES = 200
#: Points of interest on the map, around the person's home.
MAP_RADIUS_M = 15_000.0


class Scene(msgspec.Struct, frozen=True):
    """What is drawn besides what was learned.

    Attributes:
        notice: what the household is, when it is not a real one.
        roads: polylines of (lat, lon) in degrees; past traces stand in when empty.
        points_of_interest: on the map.
    """

    notice: str = ""
    roads: tuple[tuple[tuple[float, float], ...], ...] = ()
    points_of_interest: tuple[PointOfInterest, ...] = ()


def draw_frame(
    mind: Mind,
    scene: Scene,
    alive: frozenset[str],
    flows: tuple[Flow, ...],
    *,
    time: float,
    speed: float,
    is_paused: bool,
) -> Frame:
    """Everything that the page shows for one event time."""
    place = mind.place(time)
    return Frame(
        time=time,
        zone=mind.zone_name,
        speed=speed,
        is_paused=is_paused,
        notice=scene.notice,
        devices=_devices(mind, alive),
        forecast=mind.forecast,
        at=place.label if place and mind.forecast is None else "",
        trail=mind.trail(),
        suggestions=tuple(reversed(mind.suggester.live)),
        answers=tuple(mind.answers)[:20],
        flows=flows,
    )


def _devices(mind: Mind, alive: frozenset[str]) -> tuple[DeviceView, ...]:
    roles = mind.roles
    is_empty = mind.context.value(roles.home, "binary_sensor.occupancy") == "off"
    views = []
    for kind, device in (
        (DeviceKind.PHONE, roles.phone),
        (DeviceKind.CAR, roles.car),
        (DeviceKind.HOME, roles.home),
    ):
        samples = list(mind.context.of_device(device))
        where = mind.home_position() if kind is DeviceKind.HOME else place_of(samples)
        lat, lon = where if where else (None, None)
        shown = facts(samples, is_home_empty=is_empty)
        name = f"{roles.person.title()}'s {kind.value}"
        is_alive = device in alive
        views.append(DeviceView(device, kind, name, is_alive, lat, lon, shown))
    return tuple(views)


def draw_map(mind: Mind, scene: Scene) -> MapView:
    """What the map is drawn from: the household's own data."""
    roads = scene.roads or tuple(
        tuple((point.lat, point.lon) for point in trip.trace)
        for trip in list(mind.anticipator.trips)[-MAX_TRACES:]
        if len(trip.trace) > 1
    )
    points = scene.points_of_interest
    home = mind.home_position()
    if not points and mind.atlas is not None and home is not None:
        points = tuple(mind.atlas.near(*home, MAP_RADIUS_M, limit=400))
    attribution = mind.atlas.attribution if mind.atlas is not None else ""
    places = tuple(mind.namer.places(mind.anticipator.places).values())
    return MapView(roads, places, points, attribution)

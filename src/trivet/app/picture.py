"""Draws frames and the map from what the mind knows."""

from __future__ import annotations

import msgspec

from trivet.app.fact import facts, place_of
from trivet.app.mind import Mind
from trivet.app.view import DeviceView, Flow, Frame, MapView
from trivet.domain import DeviceKind, PointOfInterest
from trivet.domain.geo import distance_m
from trivet.domain.sample import LOCATION

#: Roads drawn from past trips when no road network is known.
MAX_TRACES = 200
#: How far the map reaches around home, or around the phone when that is far away.
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
    leader: str = "",
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
        outlook=mind.outlook(time),
        leader=leader,
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
    """What the map is drawn from: the household's own data, around where it is now."""
    centre = _centre(mind)
    traces = (
        tuple((point.lat, point.lon) for point in trip.trace)
        for trip in list(mind.anticipator.trips)[-MAX_TRACES:]
        if len(trip.trace) > 1
    )
    points = scene.points_of_interest
    if not points and mind.atlas is not None and centre is not None:
        points = tuple(mind.atlas.near(*centre, MAP_RADIUS_M, limit=400))
    places = mind.namer.places(mind.anticipator.places).values()
    return MapView(
        roads=tuple(
            road
            for road in scene.roads or tuple(traces)
            if all(_is_near(centre, lat, lon) for lat, lon in road)
        ),
        places=tuple(p for p in places if _is_near(centre, p.lat, p.lon)),
        points_of_interest=tuple(p for p in points if _is_near(centre, p.lat, p.lon)),
        attribution=mind.atlas.attribution if mind.atlas is not None else "",
    )


def _centre(mind: Mind) -> tuple[float, float] | None:
    home = mind.home_position()
    phone = mind.context.position(mind.roles.phone, LOCATION)
    if phone is None or _is_near(home, phone.lat, phone.lon):
        return home
    # away from home: a new map for each tenth of a degree, not for each fix
    return round(phone.lat, 1), round(phone.lon, 1)


def _is_near(
    centre: tuple[float, float] | None, lat: float | None, lon: float | None
) -> bool:
    if lat is None or lon is None:
        return False
    return centre is None or distance_m(*centre, lat, lon) <= MAP_RADIUS_M

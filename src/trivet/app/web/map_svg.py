"""The map as SVG layers, drawn from the household's own data: what stays, and devices.

Lengths are metres on a `Plane`; what a `pin` holds is in screen pixels, which page.js
keeps so at every zoom by the style variable `--u` (metres a pixel).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from trivet.app.view import DeviceView, Frame, MapView
from trivet.app.web.icon import glyph
from trivet.app.web.plane import Plane, Point, length
from trivet.app.web.words import headed, percent, short
from trivet.domain.device import DeviceKind
from trivet.domain.place import Place, PlaceRole, PointOfInterest

#: Roads and trails are drawn to this detail.
DETAIL_M = 12.0
#: At most so many points of interest are drawn.
MOST_DOTS = 1500
#: Devices closer than this are drawn side by side.
SPOT_M = 40.0

_FOOD = frozenset({"restaurant", "cafe", "fast_food", "pub", "bar", "food_court"})
_SHOP = frozenset({"supermarket", "mall", "department_store", "bakery", "chemist"})
_ORDER = (DeviceKind.CAR, DeviceKind.PHONE, DeviceKind.HOME, DeviceKind.OTHER)


def base_layer(drawn: MapView, plane: Plane) -> str:
    """Roads, the reach of places, and dots for points of interest."""
    roads = "".join(path(plane.line(road, DETAIL_M)) for road in drawn.roads)
    dots: dict[str, list[str]] = {"food": [], "shop": [], "other": []}
    for poi in drawn.points_of_interest[:MOST_DOTS]:
        if at := plane.point(poi.lat, poi.lon):
            dots[group(poi)].append(f"M{xy(at)}h0")
    return (
        f'<path class="road-edge" d="{roads}"/><path class="road" d="{roads}"/>'
        + "".join(f'<path class="dot {g}" d="{"".join(d)}"/>' for g, d in dots.items())
        + "".join(_area(place, plane) for place in drawn.places)
    )


def place_layer(drawn: MapView, plane: Plane) -> str:
    """The places where the person stays, as pins over whatever leads there."""
    return "".join(_place(place, plane) for place in drawn.places)


def device_layer(devices: Sequence[DeviceView], drawn: MapView, plane: Plane) -> str:
    """Where each device is; devices at one spot are drawn side by side, car first."""
    spots: list[tuple[Point, list[DeviceView]]] = []
    for device in sorted(devices, key=lambda d: _ORDER.index(d.kind)):
        at = plane.point(device.lat, device.lon)
        if at is None:
            continue
        for spot, there in spots:
            if length(spot, at) < SPOT_M:
                there.append(device)
                break
        else:
            spots.append((at, [device]))
    return "".join(_devices(at, there, drawn, plane) for at, there in spots)


def describe(frame: Frame) -> str:
    """The map in words, for somebody who does not see it."""
    where = [
        f"{device.name} {'shown' if device.lat is not None else 'position unknown'}"
        for device in frame.devices
    ]
    if frame.forecast and frame.forecast.candidates:
        likely = ", ".join(
            f"{headed(c.label)} {percent(c.probability)}"
            for c in frame.forecast.candidates
        )
        where.append(f"a trip is under way; likely destinations: {likely}")
        if new := frame.forecast.prospects:
            listed = ", ".join(f"{p.label} {percent(p.probability)}" for p in new)
            where.append(f"somewhere new may be {listed}")
    elif frame.at:
        where.append(f"no trip under way; at {frame.at}")
    return "; ".join(where) + "."


def pin(
    at: Point,
    kind: str,
    rank: int,
    key: str,
    label: str,
    body: str,
    anchor: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> str:
    """Something of fixed size on the screen, with a label that page.js places.

    Of two pins with one key only the label of the lower rank is shown. `anchor` is
    what the label belongs to: its offset right and down, and its extra width.
    """
    around = " ".join(f"{v:.0f}" for v in anchor)
    text = f'<text data-at="{around}">{escape(label)}</text>' if label else ""
    return (
        f'<g class="pin {kind}" data-rank="{rank}" data-key="{escape(key)}"'
        f' data-x="{at[0]:g}" data-y="{at[1]:g}"'
        f' style="transform:translate({at[0]:g}px,{at[1]:g}px) scale(var(--u))'
        ' translate(var(--aside,0px))">'
        f"{body}{text}</g>"
    )


def xy(point: Point) -> str:
    """A point as SVG writes it."""
    return f"{point[0]:g} {point[1]:g}"


def path(points: Iterable[Point]) -> str:
    """A polyline as the `d` of an SVG path."""
    return "".join(f"{'L' if i else 'M'}{xy(p)}" for i, p in enumerate(points))


def group(poi: PointOfInterest) -> str:
    """What a point of interest is coloured as: food, shop or other."""
    return "food" if poi.kind in _FOOD else "shop" if poi.kind in _SHOP else "other"


def _area(place: Place, plane: Plane) -> str:
    at = plane.point(place.lat, place.lon)
    if at is None:
        return ""
    return (
        f'<circle class="area" cx="{at[0]:g}" cy="{at[1]:g}" r="{place.radius_m:g}"/>'
    )


def _place(place: Place, plane: Plane) -> str:
    at = plane.point(place.lat, place.lon)
    if at is None:
        return ""
    if place.role is PlaceRole.OTHER:
        body, rank = '<circle class="spot" r="4.5"/>', 40
    else:
        body, rank = '<circle class="disc" r="12"/>' + glyph(place.role.value), 20
    label = short(headed(place.label))
    return pin(at, f"place {place.role.value}", rank, place.id, label, body)


def _devices(
    at: Point, devices: Sequence[DeviceView], drawn: MapView, plane: Plane
) -> str:
    body = ""
    for i, device in enumerate(devices):
        off = "" if device.is_alive else " off"
        body += (
            f'<g class="device {device.kind.value}{off}"'
            f' transform="translate({i * 25} 0)"><circle class="disc" r="14"/>'
            f"{glyph(device.kind.value)}</g>"
        )
    # a home stands at a place that has a name of its own: one of the two is enough
    is_home = devices[0].kind is DeviceKind.HOME
    named = [d for d in devices if is_home or d.kind is not DeviceKind.HOME]
    label = " + ".join(short(device.name or device.id) for device in named)
    key = _place_at(at, drawn, plane) if is_home else ""
    wide = (len(devices) - 1) * 25
    return pin(at, "devices", 15 if is_home else 12, key, label, body, (0, 0, wide))


def _place_at(at: Point, drawn: MapView, plane: Plane) -> str:
    for place in drawn.places:
        centre = plane.point(place.lat, place.lon)
        if centre and length(at, centre) <= max(place.radius_m, SPOT_M):
            return place.id
    return ""

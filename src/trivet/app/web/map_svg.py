"""The map as SVG layers, drawn from the household's own data.

The base layer is sent when the map changes, the trip and device layers when they
do. Lengths are metres on a `Plane`; what a `pin` holds is in screen pixels, which
map.js keeps so at every zoom by the style variable `--u` (metres a pixel).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import cos, sin

from trivet.app.view import DeviceView, Frame, MapView
from trivet.app.web.icon import glyph
from trivet.app.web.plane import Box, Plane, Point, angle, free_angle, length
from trivet.domain.device import DeviceKind
from trivet.domain.forecast import Candidate
from trivet.domain.place import Place, PlaceRole, PointOfInterest

#: Roads and trails are drawn to this detail.
DETAIL_M = 12.0
#: No map is drawn closer than this across.
LEAST_M = 900.0
#: Points of interest this near to a likely destination are named.
NEAR_M = 350.0
#: At most so many points of interest are drawn, and named.
MOST_DOTS = 1500
MOST_NAMES = 6
#: Candidates below this are drawn without a say in what the map shows.
LIKELY = 0.05

_FOOD = frozenset({"restaurant", "cafe", "fast_food", "pub", "bar", "food_court"})
_SHOP = frozenset({"supermarket", "mall", "department_store", "bakery", "chemist"})


def base_layer(drawn: MapView, plane: Plane) -> str:
    """Roads, places and points of interest: what stays where it is."""
    roads = "".join(_path(plane.line(road, DETAIL_M)) for road in drawn.roads)
    dots: dict[str, list[str]] = {"food": [], "shop": [], "other": []}
    for poi in drawn.points_of_interest[:MOST_DOTS]:
        if at := plane.point(poi.lat, poi.lon):
            dots[_group(poi)].append(f"M{_xy(at)}h0")
    return (
        f'<path class="road-edge" d="{roads}"/><path class="road" d="{roads}"/>'
        + "".join(f'<path class="dot {g}" d="{"".join(d)}"/>' for g, d in dots.items())
        + "".join(_place(place, plane) for place in drawn.places)
    )


def trip_layer(frame: Frame, drawn: MapView, plane: Plane) -> str:
    """The trail, the likely destinations, and what the map should keep in view."""
    trail = plane.line(frame.trail, DETAIL_M)
    here = position(frame, plane)
    parts = [f'<path class="trail" d="{_path(trail)}"/>'] if len(trail) > 1 else []
    ends: list[tuple[Candidate, Point]] = []
    if frame.forecast and here:
        ends = _ends(frame.forecast.candidates, drawn, plane)
        # the most likely is drawn last, on top of the others
        for rank, (candidate, end) in reversed(list(enumerate(ends))):
            parts.append(_arc(candidate, here, end, rank))
        parts += [_destination(c, end, rank) for rank, (c, end) in enumerate(ends)]
        parts += _somewhere_new(frame.forecast.candidates, here, trail, ends)
    parts += _names(frame, drawn, plane, [end for _, end in ends[:2]])
    box = Box.around(_in_view(frame, drawn, plane, trail, ends), LEAST_M)
    return f'<g class="focus" data-box="{box.text}">{"".join(parts)}</g>'


def device_layer(devices: Sequence[DeviceView], plane: Plane) -> str:
    """Where each device is; devices at one spot are drawn side by side."""
    spots: list[tuple[Point, list[DeviceView]]] = []
    for device in devices:
        at = plane.point(device.lat, device.lon)
        if at is None:
            continue
        for spot, there in spots:
            if length(spot, at) < 40.0:
                there.append(device)
                break
        else:
            spots.append((at, [device]))
    return "".join(_devices(at, there) for at, there in spots)


def position(frame: Frame, plane: Plane) -> Point | None:
    """Where the person is: the trail's end, else the car, else the phone."""
    if frame.trail:
        return plane.point(*frame.trail[-1])
    for kind in (DeviceKind.CAR, DeviceKind.PHONE):
        for device in frame.devices:
            at = plane.point(device.lat, device.lon)
            if device.kind is kind and at:
                return at
    return None


def describe(frame: Frame) -> str:
    """The map in words, for somebody who does not see it."""
    where = [
        f"{device.name} {'shown' if device.lat is not None else 'position unknown'}"
        for device in frame.devices
    ]
    if frame.forecast and frame.forecast.candidates:
        likely = ", ".join(
            f"{c.label} {percent(c.probability)}" for c in frame.forecast.candidates
        )
        where.append(f"a trip is under way; likely destinations: {likely}")
    elif frame.at:
        where.append(f"no trip under way; at {frame.at}")
    return "; ".join(where) + "."


def percent(probability: float) -> str:
    """A probability for a person: whole percent, never a false 0 or 100."""
    if 0.0 < probability < 0.01:
        return "<1 %"
    if 0.99 < probability < 1.0:
        return ">99 %"
    return f"{probability * 100:.0f} %"


def matters(
    frame: Frame, drawn: MapView, plane: Plane, ends: Sequence[Point]
) -> list[PointOfInterest]:
    """The points of interest worth a name: spoken of, or by a likely destination."""
    spoken = "\n".join(
        line
        for suggestion in frame.suggestions
        for line in (suggestion.need.title, *suggestion.need.details)
    )
    named, near = [], []
    for poi in drawn.points_of_interest:
        at = plane.point(poi.lat, poi.lon)
        if at is None or not poi.name:
            continue
        if poi.name in spoken:
            named.append(poi)
        elif any(length(at, end) <= NEAR_M for end in ends):
            near.append(poi)
    return (named + near)[:MOST_NAMES]


def _xy(point: Point) -> str:
    return f"{point[0]:g} {point[1]:g}"


def _path(points: Iterable[Point]) -> str:
    return "".join(f"{'L' if i else 'M'}{_xy(p)}" for i, p in enumerate(points))


def _pin(
    at: Point,
    kind: str,
    rank: int,
    key: str,
    label: str,
    body: str,
    anchor: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> str:
    """Something of fixed size on the screen, with a label that map.js places.

    Of two pins with one key only the label of the lower rank is shown. `anchor` is
    what the label belongs to: its offset right and down, and its extra width.
    """
    around = " ".join(f"{v:.0f}" for v in anchor)
    text = f'<text data-at="{around}">{escape(label)}</text>' if label else ""
    return (
        f'<g class="pin {kind}" data-rank="{rank}" data-key="{escape(key)}"'
        f' data-x="{at[0]:g}" data-y="{at[1]:g}"'
        f' style="transform:translate({at[0]:g}px,{at[1]:g}px) scale(var(--u))">'
        f"{body}{text}</g>"
    )


def _place(place: Place, plane: Plane) -> str:
    at = plane.point(place.lat, place.lon)
    if at is None:
        return ""
    area = (
        f'<circle class="area" cx="{at[0]:g}" cy="{at[1]:g}" r="{place.radius_m:g}"/>'
    )
    kind = f"place {place.role.value}"
    if place.role is PlaceRole.OTHER:
        body = '<circle class="spot" r="4.5"/>'
    else:
        body = '<circle class="disc" r="12"/>' + glyph(place.role.value)
    rank = 40 if place.role is PlaceRole.OTHER else 20
    return area + _pin(at, kind, rank, place.id, place.label, body)


def _group(poi: PointOfInterest) -> str:
    return "food" if poi.kind in _FOOD else "shop" if poi.kind in _SHOP else "other"


def _ends(
    candidates: Iterable[Candidate], drawn: MapView, plane: Plane
) -> list[tuple[Candidate, Point]]:
    """The candidates that can be drawn, most likely first, with their points."""
    places = {place.id: place for place in drawn.places}
    ends = []
    for candidate in sorted(candidates, key=lambda c: -c.probability):
        known = places.get(candidate.place) if candidate.lat is None else candidate
        if known and (end := plane.point(known.lat, known.lon)):
            ends.append((candidate, end))
    return ends


def _arc(candidate: Candidate, here: Point, end: Point, rank: int) -> str:
    """A bow to a candidate: the likelier, the wider and the stronger."""
    bow = 0.14 * (1 if rank % 2 else -1)
    middle = (
        (here[0] + end[0]) / 2 - (end[1] - here[1]) * bow,
        (here[1] + end[1]) / 2 + (end[0] - here[0]) * bow,
    )
    p = candidate.probability
    return (
        f'<path class="arc{"" if rank else " best"}" data-p="{p:.3f}"'
        f' style="stroke-width:{1.5 + 8 * p:.1f}px;opacity:{0.4 + 0.6 * p:.2f}"'
        f' d="M{_xy(here)}Q{_xy((round(middle[0], 1), round(middle[1], 1)))}'
        f' {_xy(end)}"/>'
    )


def _destination(candidate: Candidate, end: Point, rank: int) -> str:
    label = f"{candidate.label} {percent(candidate.probability)}"
    size = 5 + 5 * candidate.probability
    kind = "destination" if rank else "destination best"
    body = f'<circle class="ring" r="{size:.1f}"/>'
    return _pin(end, kind, 5 + rank, candidate.place, label, body)


def _somewhere_new(
    candidates: Iterable[Candidate],
    here: Point,
    trail: Sequence[Point],
    ends: Sequence[tuple[Candidate, Point]],
) -> list[str]:
    """A dashed way into the open, for all that is not a known place."""
    p = sum(c.probability for c in candidates if not c.place)
    if p <= 0.0:
        return []
    back = trail[-8:-1] or [(here[0] - 1.0, here[1])]
    at = free_angle([angle(here, end) for _, end in ends], angle(back[0], here))
    x, y = 74 * cos(at), 74 * sin(at)
    body = (
        f'<path class="unknown" style="stroke-width:{1.5 + 8 * p:.1f}px"'
        f' d="M{18 * cos(at):.0f} {18 * sin(at):.0f}L{x:.0f} {y:.0f}"/>'
        f'<circle class="unknown end" cx="{x:.0f}" cy="{y:.0f}" r="6"/>'
    )
    label = f"Somewhere new {percent(p)}"
    return [_pin(here, "new", 9, "", label, body, (x, y, 0.0))]


def _names(
    frame: Frame, drawn: MapView, plane: Plane, ends: Sequence[Point]
) -> list[str]:
    return [
        _pin(at, f"poi {_group(poi)}", 30, poi.id, poi.name, '<circle r="3.5"/>')
        for poi in matters(frame, drawn, plane, ends)
        if (at := plane.point(poi.lat, poi.lon))
    ]


def _in_view(
    frame: Frame,
    drawn: MapView,
    plane: Plane,
    trail: Sequence[Point],
    ends: Sequence[tuple[Candidate, Point]],
) -> list[Point]:
    """A trip with its likely ends; without one, places and devices."""
    here = position(frame, plane)
    likely = [end for c, end in ends if c.probability >= LIKELY or c == ends[0][0]]
    if here and likely:
        return [here, *trail, *likely]
    known = [(place.lat, place.lon) for place in drawn.places]
    known += [(device.lat, device.lon) for device in frame.devices]
    points = [p for at in known if (p := plane.point(*at))]
    roads = (plane.point(*at) for road in drawn.roads for at in road[:1])
    return [*points, *trail] or [p for p in roads if p]


def _devices(at: Point, devices: Sequence[DeviceView]) -> str:
    """One or more devices at one spot, the first at the spot itself."""
    body = ""
    for i, device in enumerate(devices):
        off = "" if device.is_alive else " off"
        body += (
            f'<g class="device {device.kind.value}{off}"'
            f' transform="translate({i * 24} 0)"><circle class="disc" r="14"/>'
            f"{glyph(device.kind.value)}</g>"
        )
    label = " + ".join(device.name or device.id for device in devices)
    return _pin(at, "devices", 0, "", label, body, (0.0, 0.0, (len(devices) - 1) * 24))

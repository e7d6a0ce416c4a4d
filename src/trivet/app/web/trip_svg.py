"""The running trip as SVG layers: its trail, where it may go, and what matters there.

See `map_svg` for the units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import cos, sin

from trivet.app.view import Frame, MapView
from trivet.app.web.map_svg import DETAIL_M, group, path, pin, xy
from trivet.app.web.plane import Box, Plane, Point, angle, free_angle, length
from trivet.app.web.words import headed, percent, short
from trivet.domain.device import DeviceKind
from trivet.domain.forecast import Candidate, Forecast
from trivet.domain.place import PlaceRole, PointOfInterest

#: No map is drawn closer than this across.
LEAST_M = 900.0
#: Points of interest this near to a likely destination are named.
NEAR_M = 350.0
#: At most so many points of interest are named.
MOST_NAMES = 6
#: Candidates below this have no say in what the map shows.
LIKELY = 0.05
#: So many candidates are drawn, and none below this beside the best.
MOST_DRAWN = 6
LEAST_DRAWN = 0.02
#: Length in pixels of the way into the open.
OPEN_PX = 74.0

#: A candidate and the point of the drawing where it is.
End = tuple[Candidate, Point]


def way_layer(frame: Frame, drawn: MapView, plane: Plane) -> str:
    """The trail, bows to the likely destinations, and what to keep in view."""
    trail = plane.line(frame.trail, DETAIL_M)
    here = position(frame, plane)
    ends = destinations(frame, drawn, plane) if here else []
    # the most likely is drawn last, on top of the others
    arcs = [_arc(c, here, end, i) for i, (c, end) in enumerate(ends) if here]
    line = f'<path class="trail" d="{path(trail)}"/>' if len(trail) > 1 else ""
    box = Box.around(_in_view(frame, drawn, plane, trail, ends), LEAST_M)
    return f'<g class="focus" data-box="{box.text}">{"".join(reversed(arcs))}{line}</g>'


def end_layer(frame: Frame, drawn: MapView, plane: Plane) -> str:
    """Pins for the likely destinations, "somewhere new", and what is by them."""
    here = position(frame, plane)
    ends = destinations(frame, drawn, plane) if here else []
    seats = {place.id for place in drawn.places if place.role is not PlaceRole.OTHER}
    pins = [
        _destination(c, end, rank, c.place in seats)
        for rank, (c, end) in enumerate(ends)
    ]
    if here and frame.forecast:
        trail = plane.line(frame.trail[-40:], DETAIL_M)
        pins += _somewhere_new(frame.forecast.candidates, here, trail, ends)
        pins += _prospects(frame.forecast, plane)
    near = [end for _, end in ends[:2]]
    for poi in matters(frame, drawn, plane, near):
        if at := plane.point(poi.lat, poi.lon):
            dot = '<circle r="3.5"/>'
            pins.append(pin(at, f"poi {group(poi)}", 30, poi.id, short(poi.name), dot))
    return "".join(pins)


def destinations(frame: Frame, drawn: MapView, plane: Plane) -> list[End]:
    """The candidates worth drawing, most likely first, with their points."""
    if frame.forecast is None:
        return []
    places = {place.id: place for place in drawn.places}
    ends: list[End] = []
    for candidate in sorted(frame.forecast.candidates, key=lambda c: -c.probability):
        end = plane.point(candidate.lat, candidate.lon)
        if end is None and (place := places.get(candidate.place)):
            end = plane.point(place.lat, place.lon)
        is_worth_it = not ends or candidate.probability >= LEAST_DRAWN
        if end and is_worth_it:
            ends.append((candidate, end))
    return ends[:MOST_DRAWN]


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
        f' d="M{xy(here)}Q{xy((round(middle[0], 1), round(middle[1], 1)))}'
        f' {xy(end)}"/>'
    )


def _destination(candidate: Candidate, end: Point, rank: int, is_seat: bool) -> str:
    label = f"{short(headed(candidate.label))} {percent(candidate.probability)}"
    # home and work have a sign of their own, which the ring goes around
    radius = 16.0 if is_seat else 5 + 5 * candidate.probability
    body = f'<circle class="ring" r="{radius:.1f}"/>'
    kind = "destination" + (" seat" if is_seat else "") + ("" if rank else " best")
    return pin(end, kind, 5 + rank, candidate.place, label, body)


def _somewhere_new(
    candidates: Iterable[Candidate],
    here: Point,
    trail: Sequence[Point],
    ends: Sequence[End],
) -> list[str]:
    """A dashed way into the open, for all that is not a known place."""
    p = sum(c.probability for c in candidates if not c.place)
    if p <= 0.0:
        return []
    back = trail[-8:-1] or [(here[0] - 1.0, here[1])]
    taken = [angle(here, end) for _, end in ends] + [angle(here, back[0])]
    at = free_angle(taken, angle(back[0], here))
    x, y = OPEN_PX * cos(at), OPEN_PX * sin(at)
    body = (
        f'<path class="unknown" style="stroke-width:{1.5 + 8 * p:.1f}px"'
        f' d="M{18 * cos(at):.0f} {18 * sin(at):.0f}L{x:.0f} {y:.0f}"/>'
        f'<circle class="unknown end" cx="{x:.0f}" cy="{y:.0f}" r="6"/>'
    )
    label = f"Somewhere new {percent(p)}"
    return [pin(here, "new", 9, "", label, body, (x, y, 0.0))]


def _prospects(forecast: Forecast, plane: Plane) -> list[str]:
    """Small marks for what on the map somewhere new may be."""
    pins = []
    for found in forecast.prospects:
        if at := plane.point(found.lat, found.lon):
            label = f"{short(found.label)} {percent(found.probability)}"
            body = '<circle class="unknown end" r="5"/>'
            pins.append(pin(at, "new prospect", 11, found.point, label, body))
    return pins


def _in_view(
    frame: Frame,
    drawn: MapView,
    plane: Plane,
    trail: Sequence[Point],
    ends: Sequence[End],
) -> list[Point]:
    """A trip with its likely ends; without one, places and devices."""
    here = position(frame, plane)
    likely = [end for c, end in ends if c.probability >= LIKELY or c == ends[0][0]]
    if here and likely:
        new = frame.forecast.prospects if frame.forecast else ()
        likely += [p for n in new if (p := plane.point(n.lat, n.lon))]
        return [here, *trail, *likely]
    known = [(place.lat, place.lon) for place in drawn.places]
    known += [(device.lat, device.lon) for device in frame.devices]
    points = [p for at in known if (p := plane.point(*at))]
    roads = (plane.point(*at) for road in drawn.roads for at in road[:1])
    return [*points, *trail] or [p for p in roads if p]

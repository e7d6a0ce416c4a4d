"""From degrees to a flat drawing: metres east and south of one fixed origin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import atan2, hypot, isfinite, pi, tau

import msgspec

from trivet.app.view import Frame, MapView
from trivet.domain.geo import plane_m

#: A point of the drawing: metres east and metres south, as SVG counts.
Point = tuple[float, float]


class Plane(msgspec.Struct, frozen=True):
    """The plane that touches the Earth at an origin in degrees.

    Longitudes are taken the short way round from the origin, so a household that
    lives across the antimeridian is drawn in one piece.
    """

    lat: float = 0.0
    lon: float = 0.0

    @classmethod
    def of(cls, drawn: MapView, frame: Frame) -> Plane:
        """The plane at the first place known, else at whatever is known."""
        for lat, lon in _positions(drawn, frame):
            if lat is not None and lon is not None and isfinite(lat + lon):
                return cls(lat, lon)
        return cls()

    def point(self, lat: float | None, lon: float | None) -> Point | None:
        """Where a position is drawn, rounded to a decimetre; None when unknown."""
        if lat is None or lon is None or not isfinite(lat + lon):
            return None
        east, north = plane_m(lat, lon, self.lat, self.lon)
        return round(east, 1), round(-north, 1)

    def line(
        self, positions: Iterable[tuple[float, float]], step_m: float
    ) -> list[Point]:
        """A polyline without points closer than `step_m` to the one before.

        The last point is always kept: it is where somebody is.
        """
        kept: list[Point] = []
        last: Point | None = None
        for lat, lon in positions:
            last = self.point(lat, lon)
            if last and (not kept or length(kept[-1], last) >= step_m):
                kept.append(last)
        if last and kept[-1] != last:
            kept.append(last)
        return kept


class Box(msgspec.Struct, frozen=True):
    """A rectangle of the drawing in metres."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, points: Sequence[Point], least_m: float) -> Box:
        """The smallest box of at least `least_m` a side that holds all points."""
        xs = [x for x, _ in points] or [0.0]
        ys = [y for _, y in points] or [0.0]
        wide = max(0.0, least_m - (max(xs) - min(xs))) / 2
        high = max(0.0, least_m - (max(ys) - min(ys))) / 2
        return cls(min(xs) - wide, min(ys) - high, max(xs) + wide, max(ys) + high)

    @property
    def text(self) -> str:
        """Left, top, right and bottom in whole metres."""
        return " ".join(
            f"{v:.0f}" for v in (self.left, self.top, self.right, self.bottom)
        )


def length(a: Point, b: Point) -> float:
    """Distance in metres between two points of the drawing."""
    return hypot(b[0] - a[0], b[1] - a[1])


def angle(a: Point, b: Point) -> float:
    """Direction in radians from `a` to `b` on the drawing, clockwise from east."""
    return atan2(b[1] - a[1], b[0] - a[0])


def free_angle(taken: Sequence[float], wanted: float) -> float:
    """The direction nearest to `wanted` that stays clear of the `taken` ones.

    Where nothing is clear by 40 degrees it is the middle of the widest gap.
    """
    steps = [wanted + side * turn * pi / 18 for turn in range(19) for side in (1, -1)]

    def room(at: float) -> float:
        return min((abs((at - t + pi) % tau - pi) for t in taken), default=pi)

    return next((s for s in steps if room(s) >= 2 * pi / 9), max(steps, key=room))


def _positions(
    drawn: MapView, frame: Frame
) -> Iterator[tuple[float | None, float | None]]:
    yield from ((place.lat, place.lon) for place in drawn.places)
    for road in drawn.roads:
        yield from road
    yield from ((poi.lat, poi.lon) for poi in drawn.points_of_interest)
    yield from frame.trail
    yield from ((device.lat, device.lon) for device in frame.devices)

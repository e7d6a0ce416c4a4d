"""The streets of an invented town, its motorway and a holiday village.

The plan is a grid pulled onto an ellipse of about 8 x 10 km: rows and columns bend
into a ring and radials, blocks are small at the centre and large outside. Two avenues
cut across, a river with five bridges divides the town, and one local street in eight
does not exist. It lies in a real landscape and copies no real street.
"""

from __future__ import annotations

from math import cos, radians, sin, sqrt

import msgspec

from trivet.devices.world.chance import stream
from trivet.domain.geo import distance_m, offset

#: Where the town lies: open country in the zone of Europe/Berlin.
CENTRE = (52.63, 11.25)
#: Where the holiday village lies: about 225 km away as the crow flies.
VILLAGE = (54.38, 12.95)

LOCAL_MPS, MAIN_MPS, RING_MPS, RAMP_MPS, MOTORWAY_MPS = (
    kmh / 3.6 for kmh in (30.0, 50.0, 70.0, 80.0, 120.0)
)

_COLUMNS, _ROWS = 21, 25
_MID_COLUMN, _MID_ROW = _COLUMNS // 2, _ROWS // 2
_MAIN_COLUMNS, _MAIN_ROWS = {0, 5, 10, 15, 20}, {0, 6, 12, 18, 24}
_RING_COLUMNS, _RING_ROWS = (3, 17), (3, 21)
_BRIDGE_ROWS = {3, 8, 12, 17, 21}
_MISSING = 0.12
_AVENUE_STEPS = 7

Point = tuple[float, float]


class Street(msgspec.Struct, frozen=True):
    """A street between two crossings.

    Attributes:
        start: index of the crossing at one end.
        end: index of the crossing at the other.
        length_m: its length.
        limit_mps: the speed allowed.
    """

    start: int
    end: int
    length_m: float
    limit_mps: float


class StreetPlan(msgspec.Struct, frozen=True):
    """Crossings and what joins them.

    Attributes:
        crossings: latitude and longitude in degrees of each.
        streets: all streets; each may be driven both ways.
        lights: crossings with traffic lights.
        river: the river's course.
        village: index of the first crossing of the holiday village.
        services: crossing half way along the motorway.
    """

    crossings: tuple[Point, ...]
    streets: tuple[Street, ...]
    lights: frozenset[int]
    river: tuple[Point, ...]
    village: int
    services: int


def build_streets(seed: int) -> StreetPlan:
    """The street plan of one seed."""
    crossings = _town_crossings(seed)
    limits = _town_streets(seed)
    main_degree = [0] * len(crossings)
    for (start, end), limit in limits.items():
        if limit > LOCAL_MPS:
            main_degree[start] += 1
            main_degree[end] += 1
    lights = frozenset(i for i, degree in enumerate(main_degree) if degree >= 3)
    services = _add_motorway(seed, crossings, limits)
    village = _add_village(seed, crossings, limits)
    streets = tuple(
        Street(start, end, distance_m(*crossings[start], *crossings[end]), limit)
        for (start, end), limit in limits.items()
    )
    return StreetPlan(
        tuple(crossings), streets, lights, _river(crossings), village, services
    )


def _index(column: int, row: int) -> int:
    return row * _COLUMNS + column


def _warp(u: float) -> float:
    return 0.6 * u + 0.4 * u * u * u


def _town_crossings(seed: int) -> list[Point]:
    jitter = stream(seed, "streets").normal(0.0, 1.0, (_ROWS, _COLUMNS, 2)).tolist()
    turn = radians(16.0)
    crossings = []
    for row in range(_ROWS):
        for column in range(_COLUMNS):
            u = _warp((column - _MID_COLUMN) / _MID_COLUMN)
            v = _warp((row - _MID_ROW) / _MID_ROW)
            x = 4000.0 * u * sqrt(1.0 - v * v / 2.0)
            y = 5000.0 * v * sqrt(1.0 - u * u / 2.0)
            x += 180.0 * sin(y / 1100.0)
            y += 140.0 * sin(x / 900.0 + 1.0)
            rough = 18.0 + 45.0 * (abs(u) + abs(v))
            x += rough * jitter[row][column][0]
            y += rough * jitter[row][column][1]
            east, north = x * cos(turn) - y * sin(turn), x * sin(turn) + y * cos(turn)
            crossings.append(offset(*CENTRE, east, north))
    return crossings


def _river_column(row: int) -> int:
    """The river runs between this column and the next."""
    return 12 + round(1.3 * sin(row / 4.0))


def _is_east(column: int, row: int) -> bool:
    return column > _river_column(row)


def _river(crossings: list[Point]) -> tuple[Point, ...]:
    course = []
    for row in range(_ROWS):
        west = crossings[_index(_river_column(row), row)]
        east = crossings[_index(_river_column(row) + 1, row)]
        course.append(((west[0] + east[0]) / 2, (west[1] + east[1]) / 2))
    return tuple(course)


def _limit(column: int, row: int, along_row: bool) -> float:
    low, high = _RING_ROWS if along_row else _RING_COLUMNS
    on_ring = (row if along_row else column) in (low, high)
    low, high = _RING_COLUMNS if along_row else _RING_ROWS
    place = column if along_row else row
    if on_ring and low <= place < high:
        return RING_MPS
    if along_row:
        return MAIN_MPS if row in _MAIN_ROWS | {8, 17} else LOCAL_MPS
    return MAIN_MPS if column in _MAIN_COLUMNS else LOCAL_MPS


def _town_streets(seed: int) -> dict[tuple[int, int], float]:
    """Speed limits in m/s by pair of crossings."""
    rng = stream(seed, "missing streets")
    kept: dict[tuple[int, int], float] = {}
    missing: list[tuple[int, int]] = []
    for row in range(_ROWS):
        for column in range(_COLUMNS):
            for along_row in (True, False):
                east, north = (column + 1, row) if along_row else (column, row + 1)
                if east >= _COLUMNS or north >= _ROWS:
                    continue
                crosses = _is_east(column, row) != _is_east(east, north)
                if crosses and not (along_row and row in _BRIDGE_ROWS):
                    continue
                pair = (_index(column, row), _index(east, north))
                limit = _limit(column, row, along_row)
                gone = rng.random() < _MISSING
                if gone and limit == LOCAL_MPS and not crosses:
                    missing.append(pair)
                else:
                    kept[pair] = limit
    _add_avenues(kept)
    _reconnect(kept, missing)
    return kept


def _add_avenues(kept: dict[tuple[int, int], float]) -> None:
    for step in range(-_AVENUE_STEPS, _AVENUE_STEPS):
        for slope in (1, -1):
            here = (_MID_COLUMN + step, _MID_ROW + slope * step)
            there = (here[0] + 1, here[1] + slope)
            if _is_east(*here) == _is_east(*there):
                kept[(_index(*here), _index(*there))] = MAIN_MPS


def _reconnect(
    kept: dict[tuple[int, int], float], missing: list[tuple[int, int]]
) -> None:
    """Put back those missing streets without which a part would be cut off."""
    parent = list(range(_COLUMNS * _ROWS))

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for start, end in kept:
        parent[find(start)] = find(end)
    for start, end in missing:
        if find(start) != find(end):
            parent[find(start)] = find(end)
            kept[(start, end)] = LOCAL_MPS


def _add_motorway(
    seed: int, crossings: list[Point], limits: dict[tuple[int, int], float]
) -> int:
    """Join the ring to the village; gives the crossing at the services."""
    rng = stream(seed, "motorway")
    first, pieces = _index(_MID_COLUMN, _RING_ROWS[1]), 46
    start, previous, services = crossings[first], first, 0
    for piece in range(1, pieces):
        share = piece / pieces
        lat = start[0] + share * (VILLAGE[0] - 0.02 - start[0])
        lon = start[1] + share * (VILLAGE[1] - 0.02 - start[1])
        sway = 9000.0 * sin(share * 9.0) * sin(share * 3.14159)
        east, north = rng.normal(0.0, 350.0, 2)
        crossings.append(offset(lat, lon, float(east) + sway, float(north) - sway / 2))
        here = len(crossings) - 1
        limits[(previous, here)] = (
            RAMP_MPS if piece in (1, pieces - 1) else MOTORWAY_MPS
        )
        previous = here
        if piece == pieces // 2:
            services = here
    limits[(previous, len(crossings))] = RAMP_MPS
    return services


def _add_village(
    seed: int, crossings: list[Point], limits: dict[tuple[int, int], float]
) -> int:
    rng = stream(seed, "village")
    first, width = len(crossings), 5
    for i in range(width * width):
        row, column = divmod(i, width)
        east, north = rng.normal(0.0, 45.0, 2)
        crossings.append(
            offset(*VILLAGE, 330.0 * column + float(east), 290.0 * row + float(north))
        )
        main = row == 2 or column == 0
        if column:
            limits[(first + i - 1, first + i)] = MAIN_MPS if row == 2 else LOCAL_MPS
        if row:
            limits[(first + i - width, first + i)] = MAIN_MPS if main else LOCAL_MPS
    return first

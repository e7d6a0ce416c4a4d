"""A Bayesian grid after Predestination: cells of a kilometre, efficient driving.

Source: J. Krumm and E. Horvitz, "Predestination: inferring destinations from partial
trajectories", UbiComp 2006: the prior mixes past destinations with an open world that
expects new ones near the known ones and, less, anywhere; each step to a new cell that
comes closer to a candidate than ever before speaks for it. Here distances are straight
lines and there is no ground cover, since no map is given to anybody; nor are there the
source's trip times, which come from a survey of a nation's driving. Within a cell its
known places share by how often they were gone to; a cell without any is its middle.
"""

from __future__ import annotations

import msgspec
import numpy as np
from benchmarks.anticipation.memory import Drive, Floats, Ints, Memory
from benchmarks.anticipation.score import Guess

from trivet.domain.geo import DEGREE_M

_CELL_M = 1000.0
_CELL_DEG = _CELL_M / DEGREE_M
#: Cells each way from where the trip began, for destinations in the open world.
_REACH = 15
#: A step into a new cell comes closer to the destination with this probability: of a
#: few tried on people not reported on, the best; the source found 0.625.
_CLOSER = 0.7
#: The share of new destinations at first, and the days after which it has halved.
_NEW, _NEW_HALF_LIFE_D, _LEAST_NEW = 0.5, 14.0, 0.08
#: How far from known destinations new ones lie, and the share that lies anywhere.
_NEAR_CELLS, _ANYWHERE = 3.0, 0.3
#: Trips by which a place counts that none went to yet.
_STAYED = 0.1
_DAY_S = 86_400.0
#: More than there are columns: a row and a column are one number.
_ROW = 1_000_000


class _Start(msgspec.Struct, frozen=True):
    """What is worked out once a trip.

    Attributes:
        scale: metres of a degree of longitude over those of one of latitude.
        row: of each cell.
        column: likewise.
        prior: probability of each cell before the way is seen.
        known: numbers of the places that have a position.
        own: index of the cell of each of those.
        share: of each of those within its cell.
    """

    scale: float
    row: Ints
    column: Ints
    prior: Floats
    known: Ints
    own: Ints
    share: Floats


class Grid:
    """Guesses cells, and gives them as the places and middles in them."""

    def __init__(self) -> None:
        self._departure: float | None = None
        self._start: _Start | None = None

    def guess(self, memory: Memory, drive: Drive) -> Guess:
        """The places and the middles of cells that the trip may end in."""
        if drive.departure != self._departure or self._start is None:
            self._departure, self._start = drive.departure, _begin(memory, drive)
        start = self._start
        if start is None:
            return Guess(np.zeros(len(drive.lat)), drive.lat, drive.lon)
        mass = start.prior * np.exp(_likelihood(drive, start))
        mass /= mass.sum()
        score = np.zeros(len(drive.lat))
        score[start.known] = mass[start.own] * start.share
        empty = np.bincount(start.own, minlength=len(mass)) == 0
        middle = (start.column[empty] + 0.5) * _CELL_DEG / start.scale
        return Guess(
            np.concatenate([score, mass[empty]]),
            np.concatenate([drive.lat, (start.row[empty] + 0.5) * _CELL_DEG]),
            np.concatenate([drive.lon, middle]),
        )


def _begin(memory: Memory, drive: Drive) -> _Start | None:
    lat, lon = drive.here
    known: Ints = np.flatnonzero(np.isfinite(drive.lat)).astype(np.int64)
    if not np.isfinite(lat) or not len(known):
        return None
    scale = float(np.cos(np.radians(lat)))
    places = _cells(drive.lat[known], drive.lon[known], scale)
    centre = _cells(np.array([lat]), np.array([lon]), scale)[0]
    cells, own = _window(places, centre)
    visits = np.bincount(memory.destination, minlength=len(drive.lat))[known] + _STAYED
    past: Floats = np.bincount(own, visits, len(cells)).astype(np.float64)
    days = (drive.departure - memory.departure[0]) / _DAY_S if memory.count else 0.0
    return _Start(
        scale,
        cells[:, 0],
        cells[:, 1],
        _prior(cells, past, days),
        known,
        own,
        visits / past[own],
    )


def _cells(lat: Floats, lon: Floats, scale: float) -> Ints:
    """Row and column of the cell of each point in degrees."""
    both = np.stack([lat, lon * scale], axis=1)
    found: Ints = np.floor(both / _CELL_DEG).astype(np.int64)
    return found


def _window(places: Ints, centre: Ints) -> tuple[Ints, Ints]:
    """The cells around a cell and those of places elsewhere; each place's cell."""
    side = np.arange(-_REACH, _REACH + 1)
    grid = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    every = np.concatenate([places, grid + centre])
    key = every[:, 0] * _ROW + every[:, 1]
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return every[first], inverse.reshape(-1)[: len(places)].astype(np.int64)


def _prior(cells: Ints, past: Floats, days: float) -> Floats:
    """Probability of each cell: past destinations, near them, and anywhere."""
    lived = np.flatnonzero(past)
    off = cells[:, None, :] - cells[None, lived, :]
    near = np.exp(-np.sqrt((off**2).sum(axis=2)) / _NEAR_CELLS).sum(axis=1)
    new = max(_LEAST_NEW, _NEW * 0.5 ** (days / _NEW_HALF_LIFE_D))
    mixed: Floats = (
        (1.0 - new) * past / past.sum()
        + new * (1.0 - _ANYWHERE) * near / near.sum()
        + new * _ANYWHERE / len(past)
    )
    return mixed


def _likelihood(drive: Drive, start: _Start) -> Floats:
    """Log likelihood of the cells driven through, for each cell as destination."""
    if not drive.trace:
        return np.zeros(len(start.row))
    lat = np.array([point.lat for point in drive.trace])
    lon = np.array([point.lon for point in drive.trace])
    way = _cells(lat, lon, start.scale)
    moved = np.flatnonzero((np.diff(way, axis=0) != 0).any(axis=1)) + 1
    way = way[np.concatenate([[0], moved])]
    away2 = (start.row - way[:, :1]) ** 2 + (start.column - way[:, 1:]) ** 2
    least = np.minimum.accumulate(away2, axis=0)
    closer = (away2[1:] < least[:-1]).sum(axis=0)
    further = len(moved) - closer
    found: Floats = closer * np.log(_CLOSER) + further * np.log(1.0 - _CLOSER)
    return found

"""Open world: what on the map a trip to "somewhere new" may be going to.

The forecaster says how likely somewhere new is. Here that share is spread over things
on the map at which the person never stayed: by how much people like to go there
(`appeal`) and how well the way so far leads there (`heading`). What the map does not
have is stood for by made-up points all around, over which the same way so far is
judged: a thing stands out only as far as the way leads to it rather than to anywhere.

Source: J. Krumm and E. Horvitz, "Predestination" (UbiComp 2006), whose open-world model
spreads a share over cells by ground cover; here it is things on the map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from math import cos, pi, radians
from typing import NamedTuple

import msgspec
import numpy as np

from trivet.domain.clock import local
from trivet.domain.forecast import MOST_PROSPECTS, Forecast, Prospect, Reason
from trivet.domain.geo import DEGREE_M
from trivet.domain.place import Place, Stay
from trivet.engine.appeal import UNTOLD
from trivet.engine.heading import Way, fit, way_of
from trivet.engine.plane import away_m, plane_m
from trivet.engine.route import Floats
from trivet.engine.situation import Atlas
from trivet.engine.surroundings import (
    FAR_CELL_M,
    Cells,
    Surroundings,
    Taste,
    cell,
    look,
    usual_s,
)
from trivet.engine.travel import far_text
from trivet.engine.trip import RunningTrip

#: Of new places so many are not on the map, or are there as nothing that one goes to:
#: friends, addresses, offices. This project's own reading.
OFF_MAP = 0.4
#: No land is so empty that it draws less, in restaurants a square metre.
_LEAST_DRAW = 2e-8
#: Things this near to each other share: a mall is one goal, with all its shops.
TOGETHER_M = 120.0
#: Less of all that is likely is not told: it would be a guess at anything.
LEAST = 0.05
#: Of so many of the likeliest is seen what stands around them.
_LOOKED_AT = 40
_QUARTER_S = 900.0
#: A way longer than straight by less than this is a direct one.
_DIRECT = 0.1

#: Made-up points: rings around the person, each of as wide a band as the next by ratio.
_RINGS, _TURNS = 16, 16
_RADII = np.geomspace(150.0, 60_000.0, _RINGS)
_RATIO = float(_RADII[1] / _RADII[0])
_NORTH_M = (_RADII[:, None] * np.cos(2 * pi * np.arange(_TURNS) / _TURNS)).ravel()
_EAST_M = (_RADII[:, None] * np.sin(2 * pi * np.arange(_TURNS) / _TURNS)).ravel()
_AREA = np.repeat(pi * _RADII**2 * (_RATIO - 1.0 / _RATIO) / _TURNS, _TURNS)
_OUT_M = np.repeat(_RADII, _TURNS)


class _Past(NamedTuple):
    """What the person's stays say of how they go to new places, for one trip."""

    departure: float
    usual_s: float
    tastes: Mapping[str, int]


class OpenWorld:
    """Says of forecasts what on the map somewhere new may be.

    Args:
        atlas: the offline map; with none, nothing is said.
        least: what is less likely of all is not told.
    """

    def __init__(self, atlas: Atlas | None, least: float = LEAST) -> None:
        self._atlas, self._least = atlas, least
        self.forget()

    def forget(self) -> None:
        """Know nothing more of where the person is, was and stayed; look anew."""
        atlas = self._atlas
        self._cells = None if atlas is None else Cells(atlas)
        self._taste = None if atlas is None else Taste(atlas)
        self._past: _Past | None = None
        self._around: Surroundings | None = None
        self._key: tuple[object, ...] = ()

    def forecast(
        self,
        forecast: Forecast,
        trip: RunningTrip | None,
        places: Mapping[str, Place],
        stays: Sequence[Stay],
        zone: tzinfo,
    ) -> Forecast:
        """The forecast with the prospects of "somewhere new", where any stand out.

        Args:
            forecast: of the running trip.
            trip: which that is.
            places: at which the person stayed, by id.
            stays: theirs, oldest first.
            zone: the local time zone.
        """
        way = None if trip is None else way_of(trip)
        new = next((c for c in forecast.candidates if not c.place), None)
        cells = self._cells
        if cells is None or way is None or new is None:
            return forecast
        if new.probability < self._least:
            return forecast
        past = self._past_of(forecast.departure, places, stays)
        ends = new.arrival or forecast.arrival
        time = forecast.time if ends is None else max(forecast.time, ends.median)
        around = self._look(cells, way, time, forecast.departure, places, past, zone)
        share = new.probability * spread(way, around, past.usual_s)
        found = prospects(way, around, share, self._least)
        if not found:
            return forecast
        told = tuple(
            msgspec.structs.replace(c, prospects=found) if c is new else c
            for c in forecast.candidates
        )
        return msgspec.structs.replace(forecast, candidates=told)

    def _past_of(
        self, departure: float, places: Mapping[str, Place], stays: Sequence[Stay]
    ) -> _Past:
        if self._past is None or self._past.departure != departure:
            tastes = {} if self._taste is None else self._taste.of(stays, places)
            self._past = _Past(departure, usual_s(stays, places), tastes)
        return self._past

    def _look(
        self,
        cells: Cells,
        way: Way,
        time: float,
        departure: float,
        places: Mapping[str, Place],
        past: _Past,
        zone: tzinfo,
    ) -> Surroundings:
        quarter = time // _QUARTER_S
        far = cell(way.lat, way.lon, FAR_CELL_M)
        key = (*cell(way.lat, way.lon), *far, quarter, departure, len(places))
        if self._around is None or key != self._key:
            moment = local((quarter + 0.5) * _QUARTER_S, zone)
            known = places.values()
            self._around = look(cells, way.lat, way.lon, moment, known, past.tastes)
            self._key = key
        return self._around


def prospects(
    way: Way, around: Surroundings, share: Floats, least: float = LEAST
) -> tuple[Prospect, ...]:
    """What stands out of the shares that things on the map have, most likely first.

    Args:
        way: so far.
        around: what of the map may be new.
        share: of each thing there, of all that is likely; things that stand together
            are told as one, and what is nobody's business not at all.
        least: what is less likely is not told.
    """
    found: list[Prospect] = []
    told = np.array([point.kind not in UNTOLD for point in around.points], dtype=bool)
    left = np.where(told, share, 0.0)
    top = np.argsort(-left, kind="stable")[:_LOOKED_AT]
    east, north = plane_m(way.lat, way.lon, around.lat, around.lon)
    apart = np.hypot(east[top, None] - east, north[top, None] - north)
    near = apart <= TOGETHER_M
    while len(found) < min(MOST_PROSPECTS, len(share)):
        sums = near @ left
        best = int(np.argmax(sums))
        group = np.flatnonzero(near[best] & (left > 0.0))
        total = float(sums[best])
        if not len(group) or total < least:
            break
        first = int(group[np.argmax(left[group])])
        found.append(_prospect(way, around, first, len(group), min(1.0, total)))
        left[group] = 0.0
    return tuple(found)


def spread(way: Way, around: Surroundings, usual_s: float) -> Floats:
    """Share of each thing in all trips to somewhere new; the rest is off the map."""
    scale_m = way.scale_m(usual_s)
    lat = np.clip(way.lat + _NORTH_M / DEGREE_M, -90.0, 90.0)
    lon = way.lon + _EAST_M / (DEGREE_M * max(0.01, cos(radians(way.lat))))
    known = away_m(around.centre_lat, around.centre_lon, around.lat, around.lon)
    inside, within = known <= around.reach_m, around.reach_m >= _OUT_M
    # how much land draws, by what the map has within reach
    drawn = float(around.appeal[inside].sum())
    area = float(_AREA[within].sum())
    density = max(_LEAST_DRAW, drawn / max(area, 1.0))
    missing = np.where(within, OFF_MAP, 1.0) / (1.0 - OFF_MAP)
    made_up = np.log(density * missing * _AREA) + fit(way, lat, lon, scale_m)
    if not around.points:
        return np.empty(0)
    real = np.log(around.appeal) + fit(way, around.lat, around.lon, scale_m)
    top = max(float(made_up.max()), float(real.max()))
    weight = np.exp(real - top)
    share: Floats = weight / (weight.sum() + np.exp(made_up - top).sum())
    return share


def _prospect(
    way: Way, around: Surroundings, first: int, count: int, total: float
) -> Prospect:
    point = around.points[first]
    one = slice(first, first + 1)
    lat, lon = around.lat[one], around.lon[one]
    left = float(away_m(way.lat, way.lon, lat, lon)[0])
    direct = float(away_m(way.start.lat, way.start.lon, lat, lon)[0])
    longer = (way.driven_m + left) / max(1.0, direct) - 1.0
    how = "a direct way"
    if longer >= _DIRECT:
        how = f"a way {100 * longer:.0f} % longer than straight"
    if longer >= 1.0:
        how = "a way more than twice as long as straight"
    why = f"{far_text(left)} left on {how}; no stay of yours there yet"
    if count > 1:
        why += f"; {count} things to go to within {TOGETHER_M:.0f} m"
    return Prospect(
        point.id[:100],
        point.name[:200],
        point.kind[:60],
        point.lat,
        point.lon,
        total,
        count,
        Reason(why),
    )

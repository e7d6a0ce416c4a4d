"""Places out of stays: found, merged, named, and given their roles.

A stay belongs to the nearest place within `place_radius_m`, else it makes a new one; a
place's centre is the mean of its stays. Home is where the nights are spent and work
where the weekdays are; old hours fade, so that both follow a move within weeks. What
the person says of a place, its name, its role, that two are one, goes before that.

Source: D. Ashbrook and T. Starner (see `Settings`) for places as clusters of stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from math import cos, radians

import msgspec
import numpy as np
from numpy.typing import NDArray

from trivet.domain.clock import local
from trivet.domain.error import UsageError
from trivet.domain.geo import DEGREE_M
from trivet.domain.place import Place, PlaceRole
from trivet.engine.settings import Settings
from trivet.engine.stay import on_earth

_DAY_S = 86_400.0
#: A stay is read in steps of this length for its nights and office hours.
_STEP_S = 1800.0
#: No more of one stay than this counts: a phone left behind is no week at home.
_MOST_S = 36 * 3600.0
_NIGHT = range(0, 6)
_OFFICE = range(9, 17)
_LEAST_NIGHT_H = 4.0
_LEAST_OFFICE_H = 8.0
_LEAST_OFFICE_VISITS = 3
_REGION = "region:"


class PlaceRecord(msgspec.Struct):
    """What is remembered of a place: its centre, its visits and its faded hours.

    Attributes:
        chosen_name: what the person calls it, empty if they said nothing.
        chosen_role: what the person says that it is, None likewise.
        more: centres in degrees of places that the person said are this one.
    """

    id: str
    lat: float | None
    lon: float | None
    name: str = ""
    visits: int = 0
    night_h: float = 0.0
    office_h: float = 0.0
    hours_at: float = 0.0
    chosen_name: str = ""
    chosen_role: PlaceRole | None = None
    more: list[tuple[float, float]] = []

    def take(self, other: PlaceRecord, ours: float, theirs: float) -> None:
        """Take in another place, its centre and hours; both faded by so much."""
        both = self.visits + other.visits
        if other.lat is not None and other.lon is not None:
            share = other.visits / max(1, both)
            if self.lat is not None and self.lon is not None:
                self.lat += (other.lat - self.lat) * share
                self.lon = on_earth(self.lon + on_earth(other.lon - self.lon) * share)
        self.night_h = self.night_h * ours + other.night_h * theirs
        self.office_h = self.office_h * ours + other.office_h * theirs
        self.hours_at, self.visits = max(self.hours_at, other.hours_at), both
        self.name = self.name or other.name
        self.chosen_name = self.chosen_name or other.chosen_name
        self.chosen_role = self.chosen_role or other.chosen_role
        self.more += other.more


class Visit(msgspec.Struct, frozen=True):
    """A stay taken up.

    Attributes:
        place: id of the place.
        is_new: the place was made by this stay.
        absorbed: id of a place that turned out to be the same one, else empty.
    """

    place: str
    is_new: bool
    absorbed: str = ""


class PlaceBook:
    """One person's places."""

    def __init__(
        self, settings: Settings, records: Iterable[PlaceRecord] = (), made: int = 0
    ) -> None:
        self._settings = settings
        self._records = {record.id: record for record in records}
        self.made = made
        #: raised with each change of the places or their centres
        self.version = 0
        self._places: dict[str, Place] | None = None
        self._ids: list[str] = []
        self._lat: NDArray[np.float64] = np.empty(0)
        self._lon: NDArray[np.float64] = np.empty(0)
        self._lay_out()

    @property
    def places(self) -> Mapping[str, Place]:
        """All places by id, with the roles as they are now."""
        if self._places is None:
            home, work = self._roles()
            self._places = {r.id: self._place(r, home, work) for r in self.records}
        return self._places

    @property
    def records(self) -> list[PlaceRecord]:
        """What to write to disk."""
        return list(self._records.values())

    def _touch(self) -> None:
        self._places = None
        self.version += 1

    def nearest(self, lat: float, lon: float, radius_m: float | None = None) -> str:
        """Id of the nearest place within `radius_m` (`place_radius_m`), else empty."""
        if not self._ids:
            return ""
        reach = self._settings.place_radius_m if radius_m is None else radius_m
        away = self._away(lat, lon)
        index = int(away.argmin())
        return self._ids[index] if away[index] <= reach else ""

    def knows(self, lat: float, lon: float) -> bool:
        """Whether there is a place at a point in degrees."""
        return bool(self.nearest(lat, lon))

    def centre(self, place: str) -> tuple[float, float] | None:
        """Latitude and longitude in degrees, None where it has none."""
        record = self._records.get(place)
        if record is None or record.lat is None or record.lon is None:
            return None
        return record.lat, record.lon

    def visits(self, place: str) -> int:
        """How often the person has stayed there."""
        record = self._records.get(place)
        return 0 if record is None else record.visits

    def visit(self, lat: float, lon: float) -> Visit:
        """Take up a stay around a point in degrees."""
        self._touch()
        place = self.nearest(lat, lon)
        if not place:
            self.made += 1
            place = f"p{self.made}"
            self._records[place] = PlaceRecord(place, lat, lon, visits=1)
            self._lay_out()
            return Visit(place, is_new=True)
        record = self._records[place]
        record.visits += 1
        if record.lat is not None and record.lon is not None and not record.more:
            record.lat += (lat - record.lat) / record.visits
            turn = on_earth(lon - record.lon) / record.visits
            record.lon = on_earth(record.lon + turn)
        self._lay_out()
        return Visit(place, is_new=False, absorbed=self._absorb(record))

    def visit_region(self, name: str) -> Visit:
        """Take up a stay in a region that is known by its name only."""
        self._touch()
        place = _REGION + name
        record = self._records.get(place)
        if record is None:
            self._records[place] = PlaceRecord(place, None, None, name, visits=1)
            return Visit(place, is_new=True)
        record.visits += 1
        return Visit(place, is_new=False)

    def find_region(self, name: str) -> str:
        """Id of the place of that name, empty when it was never stayed at."""
        place = _REGION + name
        return place if place in self._records else ""

    def name(self, place: str, name: str) -> None:
        """Call a place by a name; an unknown id changes nothing."""
        record = self._records.get(place)
        if record is not None and record.name != name:
            record.name = name
            self._touch()

    def choose_name(self, place: str, name: str) -> None:
        """Call it what the person calls it; empty for what was found."""
        self.record(place).chosen_name = name
        self._touch()

    def choose_role(self, place: str, role: PlaceRole | None) -> None:
        """It is what the person says; None for what is found."""
        self.record(place).chosen_role = role
        self._touch()

    def join(self, kept: str, gone: str) -> None:
        """The person says that two places are one: `kept`, at both their centres."""
        record, other = self.record(kept), self.record(gone)
        lat, lon = record.lat, record.lon
        if kept == gone or lat is None or other.lat is None or other.lon is None:
            raise UsageError(
                f"places {kept!r} and {gone!r} cannot be made one",
                hint="name two places that have a position",
            )
        self._touch()
        del self._records[gone]
        now = max(record.hours_at, other.hours_at)
        ours, theirs = self._fade(record, now), self._fade(other, now)
        record.take(other, ours, theirs)
        record.lat, record.lon = lat, lon
        record.more.append((other.lat, other.lon))
        self._lay_out()

    def record(self, place: str) -> PlaceRecord:
        """What is remembered of a place.

        Raises:
            UsageError: no such place is known.
        """
        record = self._records.get(place)
        if record is None:
            raise UsageError(
                f"no place {place!r} is known", hint="`places` has those that are"
            )
        return record

    def add_hours(
        self, place: str, arrival: float, departure: float, zone: tzinfo
    ) -> None:
        """Count a stay's nights and office hours towards the place's role."""
        record = self._records.get(place)
        if record is None or departure <= arrival:
            return
        self._touch()
        fade = self._fade(record, departure)
        record.night_h *= fade
        record.office_h *= fade
        record.hours_at = max(record.hours_at, departure)
        moment, end = arrival, min(departure, arrival + _MOST_S)
        while moment < end:
            span = min(_STEP_S, end - moment)
            there = local(moment + span / 2, zone)
            if there.hour in _NIGHT:
                record.night_h += span / 3600
            elif there.hour in _OFFICE and there.weekday() < 5:
                record.office_h += span / 3600
            moment += span

    def _fade(self, record: PlaceRecord, time: float) -> float:
        days = max(0.0, time - record.hours_at) / _DAY_S
        return float(0.5 ** (days / self._settings.role_half_life_d))

    def _roles(self) -> tuple[str, str]:
        """Ids of home and work as they were found, empty where there is none.

        Where the person chose a home or a work, no other is found; a place whose role
        they chose is none but that.
        """
        records = [r for r in self.records if r.chosen_role is None]
        chosen = {r.chosen_role for r in self.records}
        now = max((r.hours_at for r in self.records), default=0.0)
        home, most = "", _LEAST_NIGHT_H
        for record in records if PlaceRole.HOME not in chosen else ():
            hours = record.night_h * self._fade(record, now)
            if hours >= most:
                home, most = record.id, hours
        work, most = "", _LEAST_OFFICE_H
        for record in records if PlaceRole.WORK not in chosen else ():
            hours = record.office_h * self._fade(record, now)
            often = record.visits >= _LEAST_OFFICE_VISITS
            if record.id != home and often and hours >= most:
                work, most = record.id, hours
        return home, work

    def _place(self, record: PlaceRecord, home: str, work: str) -> Place:
        role = record.chosen_role or PlaceRole.OTHER
        if record.id == home:
            role = PlaceRole.HOME
        elif record.id == work:
            role = PlaceRole.WORK
        return Place(
            record.id,
            record.lat,
            record.lon,
            self._settings.place_radius_m,
            role,
            record.chosen_name or record.name,
            record.visits,
        )

    def _away(self, lat: float, lon: float) -> NDArray[np.float64]:
        turn = (self._lon - lon + 180.0) % 360.0 - 180.0
        east = turn * (DEGREE_M * cos(radians(lat)))
        north = (self._lat - lat) * DEGREE_M
        away: NDArray[np.float64] = np.hypot(east, north)
        return away

    def _lay_out(self) -> None:
        """The centres as arrays, for distances to all of them at once."""
        centres = [
            (record.id, lat, lon)
            for record in self._records.values()
            for lat, lon in ((record.lat, record.lon), *record.more)
            if lat is not None and lon is not None
        ]
        self._ids = [place for place, _, _ in centres]
        self._lat = np.array([lat for _, lat, _ in centres], dtype=float)
        self._lon = np.array([lon for _, _, lon in centres], dtype=float)

    def _absorb(self, record: PlaceRecord) -> str:
        """Merge a place that has come within half the radius; give its id."""
        if record.lat is None or record.lon is None:
            return ""
        away = self._away(record.lat, record.lon)
        away[[place == record.id for place in self._ids]] = np.inf
        index = int(away.argmin())
        if away[index] > self._settings.place_radius_m / 2:
            return ""
        other = self._records.pop(self._ids[index])
        now = max(record.hours_at, other.hours_at)
        record.take(other, self._fade(record, now), self._fade(other, now))
        self._lay_out()
        return other.id

"""Recollection: places, ends of trips and errors made anew from what is kept.

Each is a fold over stays and trips in the order in which they were lived, so that what
is left after some were forgotten is what there would be without them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from datetime import tzinfo

import msgspec

from trivet.domain.clock import ZoneOf
from trivet.domain.place import Stay
from trivet.engine.history import PastTrip
from trivet.engine.misjudgement import Calibration, Errors
from trivet.engine.place import PlaceBook, PlaceRecord
from trivet.engine.settings import Settings
from trivet.engine.snapshot import Spot, State

_REGION = "region:"
#: Times closer than this are the same: floats that went through a sum.
SAME_S = 1e-3


class Rebuilt(msgspec.Struct, frozen=True):
    """Places made anew from stays.

    Attributes:
        records: the places.
        made: number of places made so far.
        places: id of the place of each stay.
        is_new: whether each stay made its place.
    """

    records: list[PlaceRecord]
    made: int
    places: list[str]
    is_new: list[bool]


def rebuild(
    state: State,
    stays: Sequence[Stay],
    spots: Sequence[Spot],
    settings: Settings,
    zone_of: ZoneOf,
    zone: tzinfo,
) -> Rebuilt:
    """The places that these stays make; each keeps the id that most of them know.

    Args:
        state: what was known: the places folded, what the person said of places.
        stays: oldest first.
        spots: where each was.
        settings: the numbers.
        zone_of: the time zone at a latitude and longitude in degrees.
        zone: the time zone while no position was seen.
    """
    book = PlaceBook(settings, deepcopy(state.folded), state.made)
    places: list[str] = []
    is_new: list[bool] = []
    for number, (stay, spot) in enumerate(zip(stays, spots, strict=True)):
        if spot.lat is None or spot.lon is None:
            visit = book.visit_region(stay.place.removeprefix(_REGION))
        else:
            zone = zone_of(spot.lat, spot.lon)
            visit = book.visit(spot.lat, spot.lon)
        if visit.absorbed:
            places = [visit.place if p == visit.absorbed else p for p in places]
        if spot.name:
            book.name(visit.place, spot.name)
        places.append(visit.place)
        is_new.append(visit.is_new)
        # of one that lasts, what has been counted is still counted
        is_open = state.open and number == len(stays) - 1
        until = min(stay.departure, state.counted) if is_open else stay.departure
        book.add_hours(visit.place, stay.arrival, until, zone)
    names, made = _names(places, [stay.place for stay in stays], book, state.made)
    records = [_renamed(record, names) for record in book.records]
    records = _as_the_person_said(records, state.records, settings)
    alive = {record.id for record in records}
    final = [names.get(place, place) for place in places]
    joined = {place for place in final if place not in alive}
    if joined:  # the person made them one with the place that the stay knows
        final = [
            stay.place if place in joined else place
            for place, stay in zip(final, stays, strict=True)
        ]
    return Rebuilt(records, made, final, is_new)


def _names(
    places: Sequence[str], known: Sequence[str], book: PlaceBook, made: int
) -> tuple[dict[str, str], int]:
    """Lasting id for each id of the new book: the one most of its stays had."""
    votes: dict[str, Counter[str]] = {}
    for place, before in zip(places, known, strict=True):
        votes.setdefault(place, Counter())[before] += 1
    taken = {place for place in votes if place.startswith(_REGION)}
    taken |= {record.id for record in book.records if record.id not in votes}
    names: dict[str, str] = {}
    for place in sorted(votes, key=lambda place: -votes[place].total()):
        if place in taken:
            continue
        free = [before for before, _ in votes[place].most_common()]
        free = [before for before in free if before not in taken]
        if not free:
            made += 1
            free = [f"p{made}"]
        names[place] = free[0]
        taken.add(free[0])
    return names, made


def _renamed(record: PlaceRecord, names: dict[str, str]) -> PlaceRecord:
    record.id = names.get(record.id, record.id)
    return record


def _as_the_person_said(
    records: list[PlaceRecord], known: Sequence[PlaceRecord], settings: Settings
) -> list[PlaceRecord]:
    """Names and roles that the person chose, and places that they made one."""
    book = PlaceBook(settings, records)
    for old in known:
        if old.id not in book.places:
            continue
        book.choose_name(old.id, old.chosen_name)
        book.choose_role(old.id, old.chosen_role)
        own = [(old.lat, old.lon)] if old.more else []
        for lat, lon in (*own, *old.more):
            if lat is None or lon is None:
                continue
            other = book.nearest(lat, lon)
            if other and other != old.id:
                book.join(old.id, other)
    return book.records


class Links:
    """From the ends of trips to the stays that they join, and to their places now.

    Args:
        stays: all that were known, oldest first.
        now_at: by the number of a stay that is kept, its place, and whether it made it.
    """

    def __init__(
        self, stays: Sequence[Stay], now_at: dict[int, tuple[str, bool]]
    ) -> None:
        self._arrivals = [stay.arrival for stay in stays]
        self._departures = [stay.departure for stay in stays]
        self._places, self._now_at = [stay.place for stay in stays], now_at
        votes: dict[str, Counter[str]] = {}
        for number, (place, _) in now_at.items():
            votes.setdefault(self._places[number], Counter())[place] += 1
        self._usual = {p: votes[p].most_common(1)[0][0] for p in votes}

    def usual(self, place: str) -> str:
        """What a place is called now, empty if it is known no longer."""
        return self._usual.get(place, "")

    def origin(self, place: str, departure: float) -> str:
        """Id of the place now of the stay that ended as a trip began."""
        number = bisect_left(self._departures, departure + SAME_S) - 1
        if number >= 0 and self._places[number] == place and number in self._now_at:
            return self._now_at[number][0]
        return self.usual(place)

    def destination(self, trip: PastTrip) -> tuple[str, bool]:
        """Id of the place now of the stay that a trip ended in; whether it was new."""
        place = trip.trip.destination
        number = bisect_left(self._arrivals, trip.trip.arrival - SAME_S)
        if number < len(self._places) and self._places[number] == place:
            # of a stay too short to be kept the place may be known from others
            return self._now_at.get(number, (self.usual(place), False))
        return self.usual(place), trip.is_new

    def follow(
        self, before: Sequence[PastTrip], kept: Sequence[PastTrip]
    ) -> list[PastTrip]:
        """The trips that are kept, between the places as they are now."""
        stay = {id(trip) for trip in kept}
        found, came = list[PastTrip](), True
        for past in before:
            if id(past) not in stay:
                came = False
                continue
            destination, is_new = self.destination(past)
            if not destination:
                came = False
                continue
            trip = msgspec.structs.replace(
                past.trip,
                origin=self.origin(past.trip.origin, past.trip.departure),
                destination=destination,
            )
            earlier = self.usual(past.before) if came else ""
            found.append(
                msgspec.structs.replace(past, trip=trip, before=earlier, is_new=is_new)
            )
            came = True
        return found


def calibrate(past: Sequence[PastTrip]) -> Calibration:
    """What the estimates on these trips taught."""
    calibration = Calibration()
    errors = Errors(calibration)
    for trip in past:
        for judgement in trip.judgements:
            errors.learn(judgement)
    return calibration

"""Past trips as columns, and how much each of them says about a trip of now.

Each past trip is a witness. Its weight is a product: how recent it is, and for each of
origin, hour, kind of day and place before, how well it agrees. A disagreement costs but
never silences, so that with little history the votes back off by themselves to all
that is known, as kernel estimates do.
"""

from __future__ import annotations

from array import array
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from trivet.domain.place import Trip
from trivet.engine.route import Floats, Ints, RouteIndex
from trivet.engine.settings import Settings
from trivet.engine.trip import Judgement, Query, RunningTrip

_DAY_S = 86_400.0
#: Numbers of a row.
_WIDTH = 9
#: Weight of a witness that disagrees, against 1 for one that agrees.
_OTHER_ORIGIN = 0.02
_OTHER_HOUR = 0.1
_OTHER_DAY = 0.4
_OTHER_BEFORE = 0.5
_HOUR_WIDTH_H = 1.5
_SAME_HOUR_H = 1.0
#: Half-life of what a person has been doing lately.
_LATELY_D = 10.0
_OTHER_START = 0.3
_LEAST_STAY_H = 0.05


class PastTrip(msgspec.Struct, frozen=True):
    """A trip that ended, with what was known when it began.

    Attributes:
        trip: the trip; its trace is empty when it was dropped to save memory.
        before: id of the place stayed at before the origin.
        hour: local hour of the departure.
        weekend: whether it began on a Saturday or Sunday.
        is_new: the destination had never been stayed at before.
        pace: without positions, metres driven at each whole minute.
        judgements: how wrong the estimates were that were made on the way.
    """

    trip: Trip
    before: str
    hour: float
    weekend: bool
    is_new: bool
    pace: tuple[float, ...] = ()
    judgements: tuple[Judgement, ...] = ()

    @classmethod
    def of(
        cls,
        running: RunningTrip,
        trip: Trip,
        is_new: bool,
        judgements: Iterable[Judgement] = (),
    ) -> PastTrip:
        """The record of a trip that has ended."""
        return cls(
            trip,
            running.before,
            running.hour,
            running.weekend,
            is_new,
            tuple(running.pace),
            tuple(judgements),
        )


class Seen(msgspec.Struct, frozen=True):
    """How each row of a history agrees with a query.

    Attributes:
        age_d: days since it began.
        apart_h: hours between the hours of the day, at most 12.
        same_origin: whether it began at the same place, as far as is known.
        same_kind: whether both began at a weekend, or neither.
        same_weekday: whether both began on the same day of the week.
        log_stay: log hours of the stay at the origin before it, NaN if not known.
        log_stay_now: of the stay that ends with the query.
        turn: how many trips the day had had before it, 3 at the most.
        turn_now: how many the query's day has had.
    """

    age_d: Floats
    apart_h: Floats
    same_origin: NDArray[np.bool_]
    same_kind: NDArray[np.bool_]
    same_weekday: NDArray[np.bool_]
    log_stay: Floats
    log_stay_now: float
    turn: Ints
    turn_now: int


class History:
    """Past trips, oldest first, in rows; bounded by `most_trips`."""

    def __init__(self, settings: Settings, past: Iterable[PastTrip] = ()) -> None:
        self._settings = settings
        self.past: list[PastTrip] = list(past)
        self.routes = RouteIndex()
        self._lay_routes()
        #: raised with each change: what was derived from the rows is then stale
        self.version = 0
        self._laid_out = -1
        self._index: dict[str, int] = {}
        self._places: list[str] = []
        self._rows: array[float] = array("d")
        self._traced: defaultdict[tuple[str, str], deque[int]] = defaultdict(deque)
        self._departure: Floats = np.empty(0)
        self._hour: Floats = np.empty(0)
        self._weekend: NDArray[np.bool_] = np.empty(0, dtype=bool)
        self._origin: Ints = np.empty(0, dtype=np.int64)
        self._before: Ints = np.empty(0, dtype=np.int64)
        self._destination: Ints = np.empty(0, dtype=np.int64)
        self._duration: Floats = np.empty(0)
        self._distance: Floats = np.empty(0)
        self._new: NDArray[np.bool_] = np.empty(0, dtype=bool)
        self._enter_all()

    def __len__(self) -> int:
        return len(self.past)

    def add(self, past: PastTrip) -> None:
        """Take up a trip that ended at a known destination."""
        self.routes.add(len(self.past), past.trip.trace)
        self.past.append(past)
        self.version += 1
        self._enter(len(self.past) - 1, past)
        self._thin_traces(past.trip)
        if len(self.past) > self._settings.most_trips:
            del self.past[: max(1, self._settings.most_trips // 20)]
            self._lay_routes()
            self._enter_all()

    def rename(self, old: str, new: str) -> None:
        """Two places turned out to be one."""

        def now(place: str) -> str:
            return new if place == old else place

        for row, past in enumerate(self.past):
            trip = past.trip
            if old not in (trip.origin, trip.destination, past.before):
                continue
            moved = msgspec.structs.replace(
                trip, origin=now(trip.origin), destination=now(trip.destination)
            )
            self.past[row] = msgspec.structs.replace(
                past, trip=moved, before=now(past.before)
            )
        self._enter_all()

    def _lay_routes(self) -> None:
        self.routes = RouteIndex()
        for row, past in enumerate(self.past):
            self.routes.add(row, past.trip.trace)

    def _thin_traces(self, latest: Trip) -> None:
        """Drop the oldest trace of a pair that has enough newer ones."""
        rows = self._traced[latest.origin, latest.destination]
        while len(rows) > self._settings.most_traces:
            row = rows.popleft()
            past = self.past[row]
            self.routes.remove(row, past.trip.trace)
            bare = msgspec.structs.replace(past.trip, trace=())
            self.past[row] = msgspec.structs.replace(past, trip=bare, pace=())

    @property
    def places(self) -> Sequence[str]:
        """Ids of the places that columns refer to by number."""
        self._lay_out()
        return self._places

    @property
    def destination(self) -> Ints:
        """Number of each row's destination in `places`."""
        self._lay_out()
        return self._destination

    @property
    def origin(self) -> Ints:
        """Number of each row's origin in `places`; the empty id has one too."""
        self._lay_out()
        return self._origin

    @property
    def duration(self) -> Floats:
        """Seconds of each row."""
        self._lay_out()
        return self._duration

    @property
    def distance(self) -> Floats:
        """Metres of each row."""
        self._lay_out()
        return self._distance

    @property
    def new(self) -> NDArray[np.bool_]:
        """Whether each row's destination was new then."""
        self._lay_out()
        return self._new

    @property
    def arrival(self) -> Floats:
        """Event time at which each row ended."""
        self._lay_out()
        return self._departure + self._duration

    def weights(self, query: Query) -> tuple[Floats, Floats, Floats]:
        """How much each row says about a trip that begins like the query, 0 to 1.

        Three times: by all that is known, by the hour alone, by how recent it is alone.
        """
        age_d = self._age_d(query)
        recent: Floats = 0.5 ** (age_d / self._settings.half_life_d)
        weight = recent.copy()
        if query.origin:
            same = self._origin == self._index.get(query.origin, -1)
            weight *= np.where(same, 1.0, _OTHER_ORIGIN)
        if query.before:
            same = self._before == self._index.get(query.before, -1)
            weight *= np.where(same, 1.0, _OTHER_BEFORE)
        apart = self._apart_h(query)
        near = np.exp(-0.5 * (apart / _HOUR_WIDTH_H) ** 2)
        weight *= _OTHER_HOUR + (1.0 - _OTHER_HOUR) * near
        weight *= np.where(self._weekend == query.weekend, 1.0, _OTHER_DAY)
        hour: Floats = recent * np.exp(-0.5 * (apart / _SAME_HOUR_H) ** 2)
        lately: Floats = 0.5 ** (age_d / _LATELY_D)
        return weight, hour, lately

    def trust(self, query: Query) -> Floats:
        """How much each row says about which way leads where, 0 to 1."""
        age_d = self._age_d(query)
        trust: Floats = 0.5 ** (age_d / (2 * self._settings.half_life_d))
        if query.origin:
            same = self._origin == self._index.get(query.origin, -1)
            trust *= np.where(same, 1.0, _OTHER_START)
        return trust

    def from_origin(self, query: Query) -> NDArray[np.bool_]:
        """Rows with the same origin."""
        self._lay_out()
        same: NDArray[np.bool_] = self._origin == self._index.get(query.origin, -1)
        return same

    def departing(self, low_min: int, high_min: int) -> NDArray[np.bool_]:
        """Rows that began between two local minutes of the day, `high_min` not among.

        A span that begins later than it ends goes over midnight.
        """
        self._lay_out()
        minute = np.floor(self._hour * 60.0 + 1e-6)
        late, early = minute >= low_min, minute < high_min
        return late & early if low_min <= high_min else late | early

    def of_weekend(self, is_weekend: bool) -> NDArray[np.bool_]:
        """Rows of Saturdays and Sundays, or of all other days."""
        self._lay_out()
        rows: NDArray[np.bool_] = self._weekend == is_weekend
        return rows

    def of_weekday(self, query: Query) -> NDArray[np.bool_]:
        """Rows that began on the query's day of the week."""
        rows: NDArray[np.bool_] = self._days_before(query) % 7 == 0
        return rows

    def seen(self, query: Query) -> Seen:
        """How each row agrees with a query."""
        log_stay = self._log_stays(query)
        day = np.append(self._days_before(query), 0.0)
        turn = np.minimum(np.arange(len(day)) - np.searchsorted(day[:-1], day), 3)
        return Seen(
            self._age_d(query),
            self._apart_h(query),
            self.from_origin(query) & bool(query.origin),
            self.of_weekend(query.weekend),
            self.of_weekday(query),
            log_stay[:-1],
            float(log_stay[-1]),
            turn[:-1],
            int(turn[-1]),
        )

    def _log_stays(self, query: Query) -> Floats:
        """Log hours of the stay before each row, and before the query.

        Where the trip before ended elsewhere it is not known.
        """
        self._lay_out()
        hours = np.full(len(self) + 1, np.nan)
        gone = np.append(self._departure, query.time)[1:]
        left = np.append(self._origin, self._index.get(query.origin, -1))[1:]
        spent_h = np.maximum((gone - self.arrival) / 3600.0, _LEAST_STAY_H)
        hours[1:] = np.where(self._destination == left, spent_h, np.nan)
        logs: Floats = np.log(hours)
        return logs

    def _age_d(self, query: Query) -> Floats:
        self._lay_out()
        age_d: Floats = np.maximum(0.0, query.time - self._departure) / _DAY_S
        return age_d

    def _apart_h(self, query: Query) -> Floats:
        self._lay_out()
        apart = np.abs(self._hour - query.hour)
        return np.minimum(apart, 24.0 - apart)

    def _days_before(self, query: Query) -> Floats:
        """Local days from the query's to each row's, 0 or less."""
        self._lay_out()
        # noons of local days: whole days apart, an hour more or less
        noon = self._departure - self._hour * 3600.0
        apart_d: Floats = np.rint((noon - query.time + query.hour * 3600.0) / _DAY_S)
        return apart_d

    def _lay_out(self) -> None:
        if self._laid_out == self.version:
            return
        self._laid_out = self.version
        table = np.array(self._rows).reshape(-1, _WIDTH)
        self._departure, self._hour = table[:, 0], table[:, 1]
        self._duration, self._distance = table[:, 2], table[:, 3]
        self._weekend, self._new = table[:, 4] > 0, table[:, 5] > 0
        places = table[:, 6:].astype(np.int64)
        self._origin, self._before, self._destination = places.T

    def _enter(self, row: int, past: PastTrip) -> None:
        """Write a trip as a row of numbers."""
        trip, index = past.trip, self._index
        numbers = []
        for place in (trip.origin, past.before, trip.destination):
            if place not in index:
                index[place] = len(self._places)
                self._places.append(place)
            numbers.append(float(index[place]))
        if trip.trace or past.pace:
            self._traced[trip.origin, trip.destination].append(row)
        self._rows.extend(
            (
                trip.departure,
                past.hour,
                trip.arrival - trip.departure,
                trip.distance_m,
                float(past.weekend),
                float(past.is_new),
                *numbers,
            )
        )

    def _enter_all(self) -> None:
        """Write all rows anew, after old ones went or places became one."""
        self.version += 1
        self._index, self._places = {}, []
        self._rows = array("d")
        self._traced.clear()
        for row, past in enumerate(self.past):
            self._enter(row, past)

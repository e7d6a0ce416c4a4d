"""Cases to train on: what was known of each place on a trip, and where it ended.

Prequential, as the judge of forecasts is (`engine.evaluate`): evidence is put aside
while the trip runs, from the past alone, and is joined with the truth when it has
ended. Of what was put aside, that for a share of the trip's time is the newest that is
not later.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from io import BytesIO
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import msgspec
import numpy as np
from numpy.typing import NDArray

from trivet.domain.clock import ZoneOf
from trivet.domain.error import InputError
from trivet.domain.sample import LOCATION, Sample
from trivet.engine.diary import Diary
from trivet.engine.event import Event, TripEnded, TripStarted
from trivet.engine.evidence import COLUMNS, NEW_COLUMNS, Evidence
from trivet.engine.fix import fix_of
from trivet.engine.route import Floats, Ints
from trivet.engine.settings import Settings
from trivet.engine.snapshot import State
from trivet.engine.stay import StayDetector
from trivet.engine.student import default
from trivet.engine.trip import RunningTrip

#: A departure, and shares of a trip's time.
SHARES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)
#: Candidates kept of a case: those that history and way speak most for, and the truth.
MOST_CANDIDATES = 48
#: Trips of the first week are to new places nearly all: they teach little.
WARM_UP_S = 7 * 86_400.0
_FIRST_S, _GROWTH = 10.0, 1.15
#: What reading a damaged file of arrays raises.
_UNREADABLE = (
    *(OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, MemoryError),
    *(BadZipFile, zlib.error, struct.error),
)


class Case(msgspec.Struct, frozen=True):
    """One moment of one trip.

    Attributes:
        table: candidates by `evidence.COLUMNS`.
        new: of somewhere new, by `evidence.NEW_COLUMNS`.
        truth: row of the place where the trip ended; the number of rows for a new one.
        share: of the trip's time.
        blind: no position of the trip was known.
        departure: event time at which the trip began.
    """

    table: Floats
    new: Floats
    truth: int
    share: float
    blind: bool
    departure: float


class _Trip:
    """Evidence of the running trip, put aside ever more rarely."""

    def __init__(self) -> None:
        self.kept: list[tuple[float, Evidence]] = []
        self._next = 0.0

    def add(self, time: float, departure: float, evidence: Evidence) -> None:
        self.kept.append((time, evidence))
        self._next = departure + max(_FIRST_S, (time - departure) * _GROWTH)

    def is_due(self, time: float) -> bool:
        return time >= self._next

    def at(self, time: float) -> Evidence:
        """The newest that is not later than `time`; the departure's at the least."""
        found = self.kept[0][1]
        for when, evidence in self.kept[1:]:
            if when > time:
                break
            found = evidence
        return found

    def cases(self, event: TripEnded) -> Iterator[Case]:
        trip, before = event.trip, None
        for share in SHARES:
            evidence = self.at(
                trip.departure + share * (trip.arrival - trip.departure)
                if share
                else -np.inf
            )
            if evidence is before:
                continue
            before = evidence
            case = _case(evidence, event, share, blind=evidence is self.kept[0][1])
            if case is not None:
                yield case


class Learner:
    """Learns a life's places and trips from positions, and nothing else of it.

    What `engine.Anticipator` learns besides, when somebody arrives and is home, is no
    part of the evidence, and takes most of the time.

    Args:
        zone_of: time zone at a latitude and longitude in degrees.
    """

    def __init__(self, zone_of: ZoneOf) -> None:
        settings, self._state = Settings(), State()
        self._most_m = settings.max_accuracy_m
        self._diary = Diary("somebody", zone_of, UTC, settings, self._state, default())
        knows = self._diary.book.knows
        self._detector = StayDetector(settings, knows, self._state.stay)

    @property
    def running(self) -> RunningTrip | None:
        """The running trip."""
        return self._state.running

    def learn_one(self, sample: Sample) -> list[Event]:
        """Take up a position; other samples change nothing."""
        found = fix_of(sample, self._most_m) if sample.path == LOCATION else None
        if found is None:
            return []
        (fix, accuracy_m), detector = found, self._detector
        before = detector.state.time
        moves = detector.learn_one(fix.time, fix.lat, fix.lon, accuracy_m)
        if not moves and self.running is not None and detector.state.time > before:
            self.running.add_fix(fix.time, fix.lat, fix.lon)
        return [e for move in moves for e in self._diary.follow(move, fix.time)]

    def evidence(self, trip: RunningTrip, time: float) -> Evidence:
        """What a forecast at event time `time` would rest on."""
        return self._diary.forecaster.evidence(trip, time)

    def evidence_blind(self, trip: RunningTrip) -> Evidence:
        """The same as the trip began, when no position of it was known."""
        begun = self._diary.begin(trip.origin, trip.departure, trip.before)
        return self.evidence(begun, trip.departure)


def gather_cases(
    samples: Iterable[Sample], zone_of: ZoneOf, *, warm_up_s: float = WARM_UP_S
) -> Iterator[Case]:
    """Learn one life, and give the cases of each trip that ended at a stay.

    Args:
        samples: of the life, in order of event time, of one device.
        zone_of: time zone at a latitude and longitude in degrees.
        warm_up_s: trips that begin sooner after the first sample give none.
    """
    learner, aside, first = Learner(zone_of), _Trip(), -1.0
    for sample in samples:
        first = sample.time if first < 0.0 else first
        for event in learner.learn_one(sample):
            trip = learner.running
            if isinstance(event, TripStarted) and trip is not None:
                aside, when = _Trip(), event.departure
                aside.add(when, when, learner.evidence_blind(trip))
            elif isinstance(event, TripEnded):
                is_late = event.trip.departure >= first + warm_up_s
                if aside.kept and event.trip.destination and is_late:
                    yield from aside.cases(event)
                aside = _Trip()
        trip = learner.running
        if trip is not None and aside.kept and aside.is_due(sample.time):
            evidence = learner.evidence(trip, sample.time)
            aside.add(sample.time, trip.departure, evidence)


def _case(
    evidence: Evidence, event: TripEnded, share: float, *, blind: bool
) -> Case | None:
    count = len(evidence.places)
    truth = count
    if not event.is_new:
        if event.trip.destination not in evidence.places:
            return None
        truth = evidence.places.index(event.trip.destination)
    # what speaks for a place: history, and more so the way
    worth = evidence.table[:, 0] + evidence.table[:, 4] + evidence.table[:, 8]
    kept = np.argsort(-worth, kind="stable")[:MOST_CANDIDATES]
    if truth < count and truth not in kept:
        kept = np.append(kept[:-1], truth)
    row = int(np.flatnonzero(kept == truth)[0]) if truth < count else len(kept)
    departure = event.trip.departure
    return Case(evidence.table[kept], evidence.new, row, share, blind, departure)


class Cases(msgspec.Struct, frozen=True):
    """Many cases as arrays: the rows of all tables, one below the other.

    Attributes:
        table: rows by `evidence.COLUMNS`.
        sizes: rows of each case.
        new: cases by `evidence.NEW_COLUMNS`.
        truth: of each case, its row within the case, or the number of its rows.
        share: of each case.
        blind: likewise.
        person: number of the person whose case it is.
        departure: event time at which the trip of each began.
    """

    table: NDArray[np.float32]
    sizes: Ints
    new: Floats
    truth: Ints
    share: Floats
    blind: NDArray[np.bool_]
    person: Ints
    departure: Floats

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def is_sound(self) -> bool:
        """Whether the columns are what they must be, and belong together."""
        own, bare = msgspec.structs.astuple(self), msgspec.structs.astuple(Cases.of([]))
        for mine, kind in zip(own, bare, strict=True):
            if not isinstance(mine, np.ndarray):
                return False
            if (mine.dtype, mine.ndim) != (kind.dtype, kind.ndim):
                return False
        told = self.table, self.new, self.share, self.departure
        within = (self.sizes >= 0) & (self.sizes <= len(self.table))
        return (
            {len(column) for column in own[1:]} == {len(self)}
            and bool(within.all())
            and int(self.sizes.sum()) == len(self.table)
            and bool(((self.truth >= 0) & (self.truth <= self.sizes)).all())
            and all(bool(np.isfinite(column).all()) for column in told)
        )

    @property
    def starts(self) -> Ints:
        """First row of each case."""
        return np.concatenate(([0], np.cumsum(self.sizes)[:-1])).astype(np.int64)

    @classmethod
    def of(cls, cases: Iterable[Case], person: int = 0) -> Self:
        """These cases of one person."""
        found = list(cases)
        columns, width = len(COLUMNS), len(NEW_COLUMNS)
        tables = [case.table for case in found] or [np.empty((0, columns))]
        news = [case.new for case in found] or [np.empty((0, width))]
        return cls(
            np.concatenate(tables).astype(np.float32),
            np.array([len(case.table) for case in found], dtype=np.int64),
            np.vstack(news).astype(np.float64),
            np.array([case.truth for case in found], dtype=np.int64),
            np.array([case.share for case in found], dtype=np.float64),
            np.array([case.blind for case in found], dtype=np.bool_),
            np.full(len(found), person, dtype=np.int64),
            np.array([case.departure for case in found], dtype=np.float64),
        )

    @classmethod
    def join(cls, parts: Sequence[Cases]) -> Self:
        """All of them, one after the other."""
        columns = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in cls.__struct_fields__
        )
        return cls(*columns)

    def where(self, mask: NDArray[np.bool_]) -> Cases:
        """Those cases alone."""
        rows = np.repeat(mask, self.sizes)
        rest = (getattr(self, name)[mask] for name in self.__struct_fields__[1:])
        return Cases(self.table[rows], *rest)

    def dump(self) -> bytes:
        """What a file of arrays (`.npz`) holds of them."""
        arrays, file = msgspec.structs.asdict(self), BytesIO()
        np.savez_compressed(file, **arrays)
        return file.getvalue()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Those in a file of what `dump` made.

        Raises:
            InputError: it is no such file, or its evidence is another.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                found = cls(*(arrays[name] for name in cls.__struct_fields__))
        except _UNREADABLE as error:
            raise InputError(
                f"no cases to train on: {error}", path=str(path), hint="delete it"
            ) from error
        if not found.is_sound:
            raise InputError(
                "no cases to train on: its columns do not fit",
                path=str(path),
                hint="delete it",
            )
        widths = found.table.shape[1:], found.new.shape[1:]
        if widths != ((len(COLUMNS),), (len(NEW_COLUMNS),)):
            raise InputError(
                "cases with other evidence", path=str(path), hint="delete it"
            )
        return found

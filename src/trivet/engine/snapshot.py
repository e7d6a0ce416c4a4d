"""What a learner remembers, as bytes: MessagePack behind one version byte."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from trivet.domain.error import UsageError
from trivet.domain.place import Stay
from trivet.engine import soundness
from trivet.engine.current_location import CurrentLocation
from trivet.engine.forecaster import Check
from trivet.engine.history import PastTrip
from trivet.engine.homecoming import HomeState
from trivet.engine.misjudgement import Calibration
from trivet.engine.place import PlaceRecord
from trivet.engine.residual import Exhibit, Lesson, are_foreign
from trivet.engine.stay import StayState
from trivet.engine.timeline import Timeline, is_event_time
from trivet.engine.trip import RunningTrip

#: Raised with each change that an older version could not read.
VERSION = 2


class Spot(msgspec.Struct, frozen=True, array_like=True):
    """Where a stay was, so that places can be found anew without some stays.

    Attributes:
        lat: latitude in degrees, None in a region known by its name only.
        lon: longitude likewise.
        name: of the region that told it, empty if none did.
    """

    lat: float | None
    lon: float | None
    name: str = ""


class State(msgspec.Struct):
    """All of a learner's memory.

    Attributes:
        person: whose.
        device: id of the device that tells where the person is.
        stay: of the stay detector.
        records: the places.
        made: number of places made so far.
        past: trips that ended.
        stays: past and present stays, oldest first.
        spots: where each of the stays was.
        folded: what stays told of places that are kept no longer.
        open: the last stay has not ended.
        running: the running trip.
        before: id of the place stayed at before the last one.
        by_name: the running trip or stay is known by region names, not by positions.
        checks: estimates put aside during the running trip.
        exhibits: evidence put aside during it.
        calibration: how wrong estimates turned out.
        lessons: what trips taught of the person's own weights, oldest first.
        student: fingerprint of the student that the lessons are about.
        place: latitude and longitude in degrees of the last stay, for its time zone.
        counted: event time up to which stays have counted towards roles.
        region: name of the region that was entered last and not left.
        region_at: event time at which it was entered.
        is_frozen: nothing is learned.
        is_untaught: nothing is learned from the running trip when it ends.
        home: what ways home taught.
        location: of a car: the half of a position that waits for the other.
        here: while nothing is learned, id of the known place where the person is.
        timeline: silences, and whether the clock was wrong in them.
    """

    person: str = ""
    device: str = ""
    stay: StayState = msgspec.field(default_factory=StayState)
    records: list[PlaceRecord] = []
    made: int = 0
    past: list[PastTrip] = []
    stays: list[Stay] = []
    spots: list[Spot] = []
    folded: list[PlaceRecord] = []
    open: bool = False
    running: RunningTrip | None = None
    before: str = ""
    by_name: bool = False
    checks: list[Check] = []
    exhibits: list[Exhibit] = []
    calibration: Calibration = msgspec.field(default_factory=Calibration)
    lessons: list[Lesson] = []
    student: str = ""
    place: tuple[float, float] | None = None
    counted: float = 0.0
    region: str = ""
    region_at: float = 0.0
    is_frozen: bool = False
    is_untaught: bool = False
    here: str = ""
    home: HomeState = msgspec.field(default_factory=HomeState)
    location: CurrentLocation = msgspec.field(default_factory=CurrentLocation)
    timeline: Timeline = msgspec.field(default_factory=Timeline)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)


def dump(state: State) -> bytes:
    """The state as bytes."""
    return bytes([VERSION]) + _encoder.encode(state)


def load(data: bytes) -> State:
    """The state in `data`, without lessons on evidence that this engine has not.

    Raises:
        UsageError: `data` is not a snapshot of this version, or is damaged.
    """
    hint = "learn again from the recorded samples"
    if not data or data[0] != VERSION:
        found = data[0] if data else "none"
        raise UsageError(
            f"snapshot of version {found}, this engine reads {VERSION}", hint=hint
        )
    try:
        state = _decoder.decode(memoryview(data)[1:])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"damaged snapshot: {error}", hint=hint) from error
    if are_foreign(state.exhibits, state.lessons):
        state.exhibits, state.lessons, state.student = [], [], ""
    for fault in _faults(state):
        raise UsageError(f"damaged snapshot: {fault}"[:300], hint=hint)
    return state


def _faults(state: State) -> Iterator[str]:
    """What of a state no learner remembers; nothing where it is sound."""
    if not soundness.is_sound_detector(state.stay):
        yield f"fixes {state.stay}"
    if not soundness.are_sound_stays(state.stays, state.open, len(state.spots)):
        yield f"{len(state.stays)} stays at {len(state.spots)} spots"
    for spot in state.spots:
        if not soundness.is_on_earth(spot.lat, spot.lon):
            yield f"a stay at {spot}"
    for record in (*state.records, *state.folded):
        if not soundness.is_sound_record(record):
            yield f"a place {record}"
    if state.running is not None and not soundness.is_sound_trip(state.running):
        yield f"a trip from {state.running.origin!r}"
    for past in state.past:
        if not soundness.is_sound_past(past):
            yield f"a trip {past.trip}"
    for check in state.checks:
        if not soundness.is_sound_check(check):
            yield f"an estimate {check}"
    if not soundness.is_sound_home(state.home):
        yield f"ways home {state.home}"
    noted: list[Exhibit | Lesson] = [*state.lessons, *state.exhibits]
    for one in noted:
        if not one.is_sound:
            yield f"a lesson {one}"
    rest = (state.calibration, state.location, state.timeline)
    if not all(map(soundness.is_finite, rest)) or not _is_sound_rest(state):
        yield f"{rest}"


def _is_sound_rest(state: State) -> bool:
    times = (state.counted, state.region_at)
    place = state.place or (0.0, 0.0)
    late, location = state.timeline.late, state.location
    return (
        all(map(is_event_time, times))
        and soundness.is_on_earth(*place)
        and soundness.are_sound_points(late)
        and len(late) <= 2
        and (not location.waits or location.waits in location.known)
        and 0 <= state.made < 1 << 53
    )

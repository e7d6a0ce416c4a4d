"""What was right: suggestions against what Ada truly did, and which stops count."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from benchmarks.skills_life import PLANNED, Way
from benchmarks.skills_record import Recording

from trivet.devices.world.town import HOME, WORK
from trivet.domain.clock import hour_of_day, local
from trivet.domain.suggestion import Need
from trivet.skills.charge import EVENING_FROM_H, Charge

#: A suggestion is about what begins within this time, and not about what has begun: an
#: arrival is noticed within a minute.
AHEAD_S, LATE_S = 90 * 60.0, 60.0
#: Who is out to eat may see to something else before; home and work end it.
MEAL_S = 3 * 3600.0
#: Coming home may differ so much from the hour that was told.
HOME_S = 30 * 60.0
#: A stop can be foretold from so many earlier ones for the same reason on.
KNOWN_STOPS = 3
#: Reasons for which a skill that speaks of stops may send somebody somewhere.
REASONS = {
    "dinner": frozenset({"lunch", "dinner out"}),
    "groceries": frozenset({"groceries"}),
    "charge": frozenset({"rest stop"}),
    "leave_now": PLANNED,
}


def is_right(need: Need, time: float, recording: Recording) -> bool:
    """Whether what `need` speaks of came about after it was said at `time`."""
    if need.skill == "preheat":
        return _is_home(need, time, recording)
    if need.skill == "left_open":
        return _is_left(need, time, recording)
    if need.skill == "departure":
        return _is_forgotten(need, time, recording)
    if need.skill == "holiday":
        return _is_on_holiday(time, recording)
    if need.key == "plug":
        return _runs_short(time, recording)
    return any(True for _ in stops_of(need, time, recording.ways))


def stops_of(need: Need, time: float, ways: Sequence[Way]) -> Iterator[Way]:
    """The stops that `need` speaks of: for its reasons, within the time ahead.

    An appointment is at its own hour, which stands in the key.
    """
    reasons = REASONS.get(need.skill, frozenset())
    most_s = MEAL_S if need.skill == "dinner" else AHEAD_S
    for way in ways:
        ahead_s = way.after.arrival - time
        if not -LATE_S <= ahead_s <= most_s:
            continue
        if need.skill == "dinner" and way.after.place in (HOME, WORK):
            return
        if way.after.reason not in reasons:
            continue
        if need.skill == "leave_now":
            start = float(need.key.rpartition("@")[2])
            if not 0.0 <= start - way.after.arrival < 300.0:
                continue
        yield way


def eligible(
    recording: Recording, skills: Collection[str] = tuple(REASONS)
) -> list[Way]:
    """Stops that a skill could have foretold, in the time that is judged.

    Somewhere else than home or work, for a reason that one of `skills` speaks of, and
    for which she had stopped three times before.
    """
    known: dict[str, int] = {}
    found = []
    spoken_of = frozenset().union(*(REASONS[skill] for skill in skills))
    for way in recording.ways:
        reason = way.after.reason
        if way.after.place in (HOME, WORK) or reason not in spoken_of:
            continue
        is_known = known.get(reason, 0) >= KNOWN_STOPS
        if is_known and way.after.arrival >= recording.judged_from:
            found.append(way)
        known[reason] = known.get(reason, 0) + 1
    return found


def _is_home(need: Need, time: float, recording: Recording) -> bool:
    """Whether she, or whoever it is said of, then came home."""
    if "somebody" in need.title:
        return any(time < came <= need.expires for came in recording.filled)
    return any(
        abs(way.after.arrival - need.expires) <= HOME_S
        for way in recording.ways
        if way.after.place == HOME
    )


def _is_left(need: Need, time: float, recording: Recording) -> bool:
    """Whether one of the things was left so when she last went from home."""
    gone = [w for w in recording.ways if w.before.departure <= time]
    from_home = [w for w in gone if w.before.place == HOME]
    if not from_home:
        return False
    return bool(set(need.key.split("+")) & set(from_home[-1].before.forgotten))


def _is_forgotten(need: Need, time: float, recording: Recording) -> bool:
    """Whether all of the things were forgotten when the home was last left empty."""
    left = [t for t in recording.empty if t <= time]
    paths = {action.path for action in need.actions}
    return bool(left) and paths <= recording.forgotten.get(max(left), set())


def _is_on_holiday(time: float, recording: Recording) -> bool:
    """Whether it is between leaving for the holiday flat and coming back."""
    begin = None
    for way in recording.ways:
        if way.after.reason == "rest stop" and way.before.place == HOME:
            begin = way.before.departure
        elif way.after.reason.startswith("back") and begin is not None:
            if begin <= time < way.after.arrival:
                return True
            begin = None
    return begin is not None and begin <= time


def _runs_short(time: float, recording: Recording) -> bool:
    """Whether the next day would end below the reserve on what is in the battery."""
    day = _day(recording, time)
    for (evening, range_m, driven_m), later in pairwise(_evenings(recording)):
        if evening == day:
            return range_m - (later[2] - driven_m) < Charge().reserve_m
    return False


def _evenings(recording: Recording) -> Iterator[tuple[int, float, float]]:
    """Each day's last range and odometer in metres, from the evening on."""
    last: tuple[int, float, float] | None = None
    for time, range_m, driven_m, _ in recording.nights:
        if hour_of_day(time, recording.zone) < EVENING_FROM_H:
            continue
        day = _day(recording, time)
        if last is not None and last[0] != day:
            yield last
        last = (day, range_m, driven_m)
    if last is not None:
        yield last


def _day(recording: Recording, time: float) -> int:
    return local(time - 1.0, recording.zone).toordinal()

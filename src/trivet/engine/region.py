"""Regions: names that a phone knows, entered and left, with positions or without."""

from __future__ import annotations

from trivet.domain.sample import TRANSITION_ENTER, TRANSITION_LEAVE, Sample
from trivet.engine.diary import Diary
from trivet.engine.event import Event
from trivet.engine.stay import Mode
from trivet.engine.timeline import is_event_time

PATHS = (TRANSITION_ENTER, TRANSITION_LEAVE)
#: A region's name belongs to a fix, and a fix makes regions needless, for this long.
_NEAR_S = 900.0


def learn_transition(diary: Diary, sample: Sample) -> list[Event]:
    """A region entered or left: a name beside positions, all there is without."""
    state, time, name = diary.state, sample.time, sample.value
    if not isinstance(name, str) or not name or not is_event_time(time):
        return []
    entered, where = sample.path == TRANSITION_ENTER, state.stay
    if where.mode != Mode.UNKNOWN and abs(time - where.time) <= _NEAR_S:
        if not entered and state.open and not state.by_name:
            diary.name_stay(name)
        if not state.is_frozen:
            state.region, state.region_at = (name, time) if entered else ("", 0.0)
        return []
    latest = state.stays[-1].arrival if state.stays else -1.0
    if state.running is not None:
        latest = max(latest, state.running.departure)
    if time <= max(latest, where.time if where.mode != Mode.UNKNOWN else -1.0):
        return []
    if not entered:
        return diary.leave_region(name, time)
    if state.open and state.stays[-1].place == diary.book.find_region(name):
        return []
    return diary.arrive_region(name, time)

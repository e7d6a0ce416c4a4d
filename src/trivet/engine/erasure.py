"""Erasure: what a learner keeps when it must forget a span of time, or a place.

Nothing that was learned is subtracted. Stays and trips that the span touches go, and
all that is made of them (places, their centres, visits, names, hours, errors of
estimates) is made anew from those that stay, in the order in which they were lived. So
what is left is what a learner would have that never saw the span, but for what
`Anticipator.forget` says.
"""

from __future__ import annotations

from datetime import tzinfo
from math import inf

import msgspec

from trivet.domain.clock import ZoneOf
from trivet.domain.place import Stay
from trivet.engine.current_location import CurrentLocation
from trivet.engine.history import PastTrip
from trivet.engine.recollection import SAME_S, Links, calibrate, rebuild
from trivet.engine.settings import Settings
from trivet.engine.snapshot import Spot, State
from trivet.engine.stay import Mode, StayState


class Erased(msgspec.Struct, frozen=True):
    """What was forgotten.

    Attributes:
        stays: how many went, or lost a part.
        trips: how many went.
        places: ids of the places that are known no longer; no other gets their id.
    """

    stays: int = 0
    trips: int = 0
    places: tuple[str, ...] = ()


class Kept(msgspec.Struct):
    """A stay that is kept: the number it had, and what is left of it.

    Attributes:
        is_cut: a part of it went.
        also: numbers of stays before the span that it goes on from.
    """

    number: int
    stay: Stay
    spot: Spot
    is_cut: bool = False
    also: tuple[int, ...] = ()


class Eraser:
    """Forgets out of one learner's state, in place.

    Args:
        state: all of it, with the places and the trips written into it.
        settings: the numbers.
        zone_of: the time zone at a latitude and longitude in degrees.
        zone: the time zone while no position was seen.
    """

    def __init__(
        self, state: State, settings: Settings, zone_of: ZoneOf, zone: tzinfo
    ) -> None:
        self._state = state
        self._settings = settings
        self._zone_of = zone_of
        self._zone = zone
        self._before = {record.id for record in state.records}

    @property
    def _last_seen(self) -> float:
        """Event time of the newest that was learned from."""
        state = self._state
        seen = state.stay.time if state.stay.mode != Mode.UNKNOWN else 0.0
        if state.running is not None:
            seen = max(seen, state.running.time)
        if state.stays:
            seen = max(seen, state.stays[-1].departure)
        return seen

    def forget_span(self, since: float, until: float) -> Erased:
        """Forget what was learned from event time `since` on, up to `until`."""
        state, seen = self._state, self._last_seen
        if state.folded and state.stays and since < state.stays[0].arrival:
            state.folded = []  # sums of what is older cannot be parted: all of it goes
        kept = self._keep_stays(since, until, seen)
        past = [
            trip
            for trip in state.past
            if trip.trip.departure >= until or trip.trip.arrival < since
        ]
        running = state.running
        if running is not None and running.departure < until and since <= seen:
            state.running, state.checks = None, []
        was_here = bool(kept) and kept[-1].is_cut and kept[-1].stay.departure == since
        was_here = was_here and until > seen
        self._cut_detector(since, until, kept[-1] if was_here else None)
        state.home.forget(since, until)
        state.timeline.forget(since, until)
        if any(since <= time < until for time, _ in state.location.known.values()):
            state.location = CurrentLocation()
        if since <= state.region_at < until:
            state.region, state.region_at = "", 0.0
        is_open = bool(kept) and (
            was_here or (state.open and kept[-1].number == len(state.stays) - 1)
        )
        return self._settle(kept, past, is_open=is_open and state.running is None)

    def forget_place(self, place: str, before: float = inf) -> Erased:
        """Forget a place: its stays, the trips from and to it, its name.

        Those stay that began there from event time `before` on.
        """
        state = self._state
        state.folded = [record for record in state.folded if record.id != place]
        state.home.forget(0.0, before)
        state.timeline.late, state.timeline.count = [], 0
        state.location = CurrentLocation()
        kept = [
            Kept(number, stay, spot)
            for number, (stay, spot) in enumerate(self._stays())
            if stay.place != place or stay.arrival >= before
        ]
        there = [each.stay.arrival for each in kept if each.stay.place == place]
        since = min(there, default=inf)
        past = [
            one
            for one in state.past
            if (one.trip.origin != place or one.trip.departure >= since)
            and (one.trip.destination != place or one.trip.arrival >= before)
        ]
        last = len(state.stays) - 1
        is_open = state.open and bool(kept) and kept[-1].number == last
        if state.open and not is_open:
            state.stay, state.by_name = StayState(), False
            state.region, state.region_at = "", 0.0
        running = state.running
        if running and running.origin == place and running.departure < since:
            state.running, state.checks = None, []
        return self._settle(kept, past, is_open=is_open)

    def _stays(self) -> list[tuple[Stay, Spot]]:
        return list(zip(self._state.stays, self._state.spots, strict=True))

    def _keep_stays(self, since: float, until: float, seen: float) -> list[Kept]:
        """The stays that are left, cut where the span reaches into them."""
        state, kept = self._state, list[Kept]()
        for number, (stay, spot) in enumerate(self._stays()):
            is_last = state.open and number == len(state.stays) - 1
            end = max(stay.departure, seen) if is_last else stay.departure
            spans = stay.arrival < since and end >= until
            if end < since or stay.arrival >= until or spans:
                kept.append(Kept(number, stay, spot))
                continue
            if stay.arrival < since:
                rest = Stay(stay.place, stay.arrival, since)
            else:
                rest = Stay(stay.place, until, max(until, stay.departure))
                end = max(end, until)
            length = (since if stay.arrival < since else end) - rest.arrival
            if not length >= self._settings.known_stay_s or rest.arrival > end:
                continue
            bare = msgspec.structs.replace(spot, name="")
            whole = kept[-1] if kept else None
            goes_on = (
                stay.arrival >= since
                and whole is not None
                and whole.is_cut
                and whole.stay.departure == since
                and whole.stay.place == stay.place
            )
            if goes_on and whole is not None:
                # nobody knows that they were away: it was one stay
                whole.stay = Stay(stay.place, whole.stay.arrival, rest.departure)
                whole.also += (whole.number,)
                whole.number = number
                continue
            kept.append(Kept(number, rest, bare, is_cut=True))
        return kept

    def _cut_detector(self, since: float, until: float, here: Kept | None) -> None:
        """Take fixes of the span out of the detector; it stays where they were last."""
        detector, settings = self._state.stay, self._settings
        if detector.mode == Mode.UNKNOWN or detector.time < since:
            return
        if until > detector.time:
            self._state.stay = StayState()
            if here is not None and here.spot.lat is not None:
                lat, lon = here.spot.lat, here.spot.lon or 0.0
                self._state.stay = StayState(
                    Mode.STAYING,
                    since - SAME_S,
                    lat,
                    lon,
                    here.stay.arrival,
                    since - SAME_S,
                    lat,
                    lon,
                    weight=int(settings.stay_s / 60),
                )
            return
        for points in (detector.window, detector.outside, detector.suspects):
            points[:] = [p for p in points if not since <= p.time < until]
        if since <= detector.since < until:
            detector.since = until
        if since <= detector.inside < until:
            detector.inside = until

    def _settle(
        self, kept: list[Kept], past: list[PastTrip], *, is_open: bool
    ) -> Erased:
        """Make everything anew from what is kept."""
        state = self._state
        gone = len(state.stays) - sum(not k.is_cut for k in kept)
        trips = len(state.past) - len(past)
        self._count_again(kept, is_open=is_open)
        state.open = is_open
        if state.stay.mode == Mode.STAYING and not is_open and not state.is_frozen:
            state.stay.mode = Mode.SETTLING
        stays, spots = [k.stay for k in kept], [k.spot for k in kept]
        rebuilt = rebuild(
            state, stays, spots, self._settings, self._zone_of, self._zone
        )
        now_at = {
            number: (place, new)
            for k, place, new in zip(kept, rebuilt.places, rebuilt.is_new, strict=True)
            for number in (k.number, *k.also)
        }
        self._follow(Links(state.stays, now_at), past)
        state.stays = [
            Stay(place, stay.arrival, stay.departure)
            for place, stay in zip(rebuilt.places, stays, strict=True)
        ]
        state.spots, state.records = spots, rebuilt.records
        state.made = rebuilt.made
        seen = [(s.lat, s.lon) for s in spots if s.lat is not None]
        state.place = next(
            ((lat, lon) for lat, lon in reversed(seen) if lon is not None), None
        )
        state.calibration = calibrate(state.past)
        learned = {trip.trip.departure for trip in state.past}
        state.lessons = [one for one in state.lessons if one.departure in learned]
        state.exhibits = []
        alive = {record.id for record in state.records}
        return Erased(gone, trips, tuple(sorted(self._before - alive)))

    def _count_again(self, kept: list[Kept], *, is_open: bool) -> None:
        """Up to when the stays that are kept have counted towards roles."""
        state, counted = self._state, self._state.counted
        closed = kept[:-1] if is_open else kept
        state.counted = max((k.stay.departure for k in closed), default=0.0)
        if not is_open or kept[-1].is_cut or kept[-1].also:
            return
        is_last = kept[-1].number == len(state.stays) - 1
        if is_last and counted > kept[-1].stay.arrival:
            state.counted = counted  # it was closed once, and went on

    def _follow(self, links: Links, past: list[PastTrip]) -> None:
        """Let trips lead between places as they are now; forget those of nowhere."""
        state = self._state
        last = state.past[-1] if state.past else None
        state.past = links.follow(state.past, past)
        now = state.past[-1] if state.past else None
        came = (last and last.trip.arrival) == (now and now.trip.arrival)
        state.before = links.usual(state.before) if came else ""
        state.here = links.usual(state.here)
        running = state.running
        if running is None:
            state.checks = []
            return
        running.origin = links.origin(running.origin, running.departure)
        running.before = links.usual(running.before) if came else ""

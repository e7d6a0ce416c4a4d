"""Sequence: which event comes next at home, and when.

Each past event is a witness of what came after it and how long that took. It speaks the
louder the more now is like then: the events just before, the hour, the kind of day; and
the less the longer ago it was, by half-lives. Three ways of listening to the witnesses,
prediction by partial matching, the shares at this hour, the mere share of each event
and a race of all entities to change are pooled by weights that are learned. A state
that holds now cannot come next.

When the next event comes is told by the same witnesses: soon ones by how long it took,
late ones by the clock; people make coffee so long after waking, and wake at seven.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from trivet.domain.clock import hour_of_day, local
from trivet.domain.forecast import Interval
from trivet.engine.activity import HomeEvent
from trivet.engine.blend import Blend, Floats, Steering
from trivet.engine.partial_match import PartialMatch
from trivet.engine.pool import Pool
from trivet.engine.race import Race

Ints = NDArray[np.int64]

_DAY_S = 86_400.0
#: Events kept; a busy home has a hundred a day.
MOST_EVENTS = 10_000
#: Different events told apart; while so many are known, further ones are passed over.
MOST_KINDS = 250
#: A delay of this length is told half by how long it took and half by the clock.
_BY_CLOCK_S = 3600.0
#: Half-life of the share of each event, in events.
_SHARE_LIFE = 1500.0


class Listening(msgspec.Struct, frozen=True):
    """One way of listening to the witnesses.

    Attributes:
        half_life_d: days after which a witness weighs half.
        other_before: weight of a witness with another event before the last one,
            against 1 of the same.
        other_third: likewise of the event before that.
        hours: width in hours of what counts as the same time of day.
        other_hour: weight of a witness at another time of the day.
        other_day: weight of one on another kind of day.
    """

    half_life_d: float
    other_before: float
    other_third: float
    hours: float
    other_hour: float
    other_day: float


WAYS = (
    Listening(12.0, 0.12, 0.35, 1.5, 0.08, 0.6),
    Listening(45.0, 0.12, 0.35, 1.0, 0.04, 0.45),
    Listening(30.0, 0.5, 0.8, 0.6, 0.02, 0.4),
)
#: Beside them partial matching, shares at this hour, mere shares.
EXPERTS = len(WAYS) + 3
#: Shares of this weight speak with a way's witnesses, lest few be taken for many.
_SMOOTH = 0.5
#: Witnesses heard: the newest that had the same last event.
_MOST_WITNESSES = 800
#: With fewer than these, the newest of all events are heard on when the next comes.
_FEW, _ANY = 5, 400
#: Shares at this hour are counted by half hours, and reach so many to both sides.
_BINS = 48
_NEAR_BINS = np.array((0.3, 0.8, 1.0, 0.8, 0.3))
_HOURLY_LIFE_D = 21.0


class Expected(msgspec.Struct, frozen=True):
    """One event that may be next.

    Attributes:
        what: path and state, `light.kitchen=on`; empty for one never seen.
        probability: that it is the next event.
        time: when it is, if it is next; 80 %. None when nothing tells.
        middle: likewise, 50 %.
    """

    what: str
    probability: float
    time: Interval | None = None
    middle: Interval | None = None


class _Heard(msgspec.Struct, frozen=True):
    """What was worked out since the last event.

    Attributes:
        chances: by expert, of each event and of a new one.
        weights: of each witness.
        nexts: the event that followed each.
        times: event time at which the next would come, by each.
    """

    chances: Floats
    weights: Floats
    nexts: Ints
    times: Floats


class EventSequence:
    """The home's events in order, as rows of numbers; bounded.

    Args:
        zone: the home's time zone.
        events: oldest first.
        blend: which of WAYS tells when; and of the experts beside them.
        steering: so that the intervals of the next event hold.
        pool: the weights by which all experts tell which event is next.
    """

    def __init__(
        self,
        zone: tzinfo,
        events: Iterable[HomeEvent] = (),
        blend: Blend | None = None,
        steering: Steering | None = None,
        pool: Pool | None = None,
    ) -> None:
        self._zone = zone
        self.steering = steering or Steering()
        self.blend = blend or Blend.even(EXPERTS)
        self.pool = pool or Pool.even(EXPERTS + 1)
        self.events: list[HomeEvent] = []
        self._lay_out(list(events))

    def learn_one(self, event: HomeEvent) -> None:
        """Take up the next event: judge what was foretold, then learn it."""
        if self.events and event.time < self.events[-1].time:
            return
        code = self._codes.get(event.what)
        if self.events:
            number = len(self._codes) if code is None else code
            heard, last = self._opinions(), self.events[-1]
            self.blend.learn(heard.chances[:, number].tolist())
            opinions = self._with_race(heard, last.time)
            self.pool.learn(opinions, last.what, self._can_come(), number)
            for level in (0.5, 0.8):
                said = self.predict_time(self.events[-1].time, level)
                if said is not None:
                    held = said.low <= event.time <= said.high
                    self.steering.learn(level, held)
        self._enter(event)
        if len(self.events) > MOST_EVENTS:
            self._lay_out(self.events[MOST_EVENTS // 10 :])

    def predict_one(self, time: float, most: int = 10) -> list[Expected]:
        """The likeliest next events after event time `time`, likeliest first.

        Args:
            time: now, with no event since the last one learned.
            most: how many.
        """
        if not self.events:
            return []
        heard = self._opinions()
        left = heard.times >= max(time, self.events[-1].time)
        probability = self._probability(heard, left, time)
        names = [*self._codes, ""]
        found = []
        for code in np.argsort(-probability, kind="stable")[:most].tolist():
            rows = left & (heard.nexts == code)
            found.append(
                Expected(
                    names[code],
                    float(probability[code]),
                    interval(heard.times[rows], heard.weights[rows], 0.8),
                    interval(heard.times[rows], heard.weights[rows], 0.5),
                )
            )
        return found

    def chances(self, time: float) -> dict[str, float]:
        """Chance of each event that it comes next after `time`; empty for a new one."""
        if not self.events:
            return {}
        heard = self._opinions()
        left = heard.times >= max(time, self.events[-1].time)
        chances = self._probability(heard, left, time).tolist()
        return dict(zip((*self._codes, ""), chances, strict=True))

    def predict_time(self, time: float, level: float = 0.8) -> Interval | None:
        """When the next event comes, whichever it is."""
        if len(self.events) < 2:
            return None
        heard = self._opinions()
        left = heard.times >= max(time, self.events[-1].time)
        asked = self.steering.level(level)
        found = interval(heard.times[left], heard.weights[left], asked)
        return found and Interval(found.low, found.median, found.high, level)

    def forget(self, since: float, until: float) -> int:
        """Forget the events from `since` up to `until`; give how many went."""
        kept = [e for e in self.events if not since <= e.time < until]
        gone = len(self.events) - len(kept)
        if gone:
            self._lay_out(kept)
        return gone

    def _lay_out(self, events: list[HomeEvent]) -> None:
        """Write all rows anew."""
        self.events = []
        self._codes: dict[str, int] = {}
        self._match, self._race = PartialMatch(), Race(MOST_KINDS)
        self._rows = 0
        size = max(1024, 2 * len(events))
        self._time: Floats = np.zeros(size)
        self._hour: Floats = np.zeros(size)
        self._weekend: NDArray[np.bool_] = np.zeros(size, dtype=bool)
        self._code: Ints = np.full(size, -1, dtype=np.int64)
        self._share: Floats = np.zeros(MOST_KINDS)
        self._hourly: Floats = np.zeros((2 * _BINS, MOST_KINDS))
        self._hourly_day = np.zeros(2 * _BINS)
        self._novel = 1.0
        self._at: list[list[int]] = []
        self._heard: _Heard | None = None
        self._raced: tuple[float, Floats] | None = None
        for event in events:
            self._enter(event)
        self.pool.keep(self._codes)

    def _enter(self, event: HomeEvent) -> None:
        if self._rows == len(self._time):
            self._grow()
        code = self._codes.get(event.what)
        self._novel *= 0.5 ** (1.0 / _SHARE_LIFE)
        if code is None and len(self._codes) < MOST_KINDS:
            code = self._codes[event.what] = len(self._codes)
            self._at.append([])
            self._novel += 1.0
        elif code is None:
            return
        row = self._rows
        self.events.append(event)
        self._time[row], self._code[row] = event.time, code
        self._hour[row] = hour_of_day(event.time, self._zone)
        self._weekend[row] = local(event.time, self._zone).weekday() >= 5
        self._share *= 0.5 ** (1.0 / _SHARE_LIFE)
        self._share[code] += 1.0
        self._count_hour(row, code)
        self._at[code].append(row)
        self._rows, self._heard, self._raced = row + 1, None, None
        self._match.learn_one(code)
        self._race.learn_one(event.path, code, event.time)

    def _count_hour(self, row: int, code: int) -> None:
        bin_, day = self._bin(row), self._time[row] / _DAY_S
        age_d = day - self._hourly_day[bin_]
        self._hourly[bin_] *= 0.5 ** (max(0.0, age_d) / _HOURLY_LIFE_D)
        self._hourly[bin_, code] += 1.0
        self._hourly_day[bin_] = day

    def _bin(self, row: int) -> int:
        """Number of the half hour, of both kinds of day."""
        return int(self._hour[row] * 2) + _BINS * int(self._weekend[row])

    def _grow(self) -> None:
        self._time = np.append(self._time, np.zeros_like(self._time))
        self._hour = np.append(self._hour, np.zeros_like(self._hour))
        self._weekend = np.append(self._weekend, np.zeros_like(self._weekend))
        self._code = np.append(self._code, np.full_like(self._code, -1))

    def _probability(
        self, heard: _Heard, left: NDArray[np.bool_], time: float
    ) -> Floats:
        """Chance of each event, and of a new one, given those that are left."""
        kinds, last = len(self._codes), self.events[-1]
        whole = np.bincount(heard.nexts, heard.weights, kinds)
        still = np.bincount(heard.nexts[left], heard.weights[left], kinds)
        # what should have come by now is less likely to be what comes
        lasts = np.append((still + 1e-6) / (whole + 1e-6), 1.0)
        opinions = self._with_race(heard, max(time, last.time))
        mixed = self.pool.mix(opinions, last.what, self._can_come())
        probability: Floats = mixed * lasts
        probability /= probability.sum()
        return probability

    def _with_race(self, heard: _Heard, time: float) -> Floats:
        """What each expert says, last the race as it stands at an event time."""
        if self._raced is None or self._raced[0] != time:
            raced = self._race.predict_one(time, len(self._codes))
            self._raced = time, np.vstack((heard.chances, raced))
        return self._raced[1]

    def _can_come(self) -> NDArray[np.bool_]:
        """Whether each event, and a new one, changes anything."""
        can_come = np.ones(len(self._codes) + 1, dtype=bool)
        can_come[self._race.now] = False
        return can_come

    def _opinions(self) -> _Heard:
        """What each expert says of each event and of a new one, and the witnesses."""
        if self._heard is not None:
            return self._heard
        kinds, now = len(self._codes), self._rows - 1
        shares = np.append(self._share[:kinds], self._novel)
        shares /= shares.sum()
        rows = np.array(self._at[self._code[now]][:-1][-_MOST_WITNESSES:], np.int64)
        listened = self._listen(rows)
        nexts = self._code[rows + 1]
        said = [
            _with_shares(np.bincount(nexts, weights, kinds).astype(np.float64), shares)
            for weights in listened
        ]
        said.append(self._match.predict_one(kinds))
        said.append(_with_shares(self._at_this_hour(now)[:kinds], shares))
        said.append(shares)
        if len(rows) < _FEW:
            rows = np.arange(max(0, now - _ANY), now)
            listened = self._listen(rows)
        totals = np.maximum(listened.sum(axis=1, keepdims=True), 1e-9)
        trust = np.array(self.blend.weights[: len(WAYS)]) + 1e-3
        weights = trust @ (listened / totals)
        nexts = self._code[rows + 1]
        self._heard = _Heard(np.array(said), weights, nexts, self._times(rows))
        return self._heard

    def _at_this_hour(self, now: int) -> Floats:
        """How often each event comes around this half hour, on this kind of day."""
        bin_ = self._bin(now)
        kind, half = bin_ // _BINS, bin_ % _BINS
        near = [(half + step) % _BINS + kind * _BINS for step in range(-2, 3)]
        age_d = np.maximum(0.0, self._time[now] / _DAY_S - self._hourly_day[near])
        counts: Floats = (_NEAR_BINS * 0.5 ** (age_d / _HOURLY_LIFE_D)) @ (
            self._hourly[near]
        )
        return counts

    def _listen(self, rows: Ints) -> Floats:
        """Weight of past events as witnesses, by each way of listening."""
        now = self._rows - 1
        age_d = (self._time[now] - self._time[rows]) / _DAY_S
        apart = np.abs(self._hour[rows] - self._hour[now])
        apart = np.minimum(apart, 24.0 - apart)
        other_day = self._weekend[rows] != self._weekend[now]
        before = self._other(rows, 1)
        third = self._other(rows, 2)
        listened = np.empty((len(WAYS), len(rows)))
        for row, way in zip(listened, WAYS, strict=True):
            near = np.exp(-0.5 * (apart / way.hours) ** 2)
            row[:] = 0.5 ** (age_d / way.half_life_d)
            row *= way.other_hour + (1.0 - way.other_hour) * near
            row[other_day] *= way.other_day
            row[before] *= way.other_before
            row[third] *= way.other_third
        return listened

    def _other(self, rows: Ints, back: int) -> NDArray[np.bool_]:
        """Whether the event `back` before each row is another than before now."""
        now = self._rows - 1
        if now < back:
            return np.zeros(len(rows), dtype=bool)
        other: NDArray[np.bool_] = self._code[rows - back] != self._code[now - back]
        return other | (rows < back)

    def _times(self, rows: Ints) -> Floats:
        """When the next event would come, by each witness."""
        now = self._rows - 1
        delay = self._time[rows + 1] - self._time[rows]
        turned = (self._hour[rows] - self._hour[now] + 12.0) % 24.0 - 12.0
        by_clock = delay / (delay + _BY_CLOCK_S)
        ahead = np.maximum(delay + by_clock * turned * 3600.0, 0.2 * delay)
        times: Floats = self._time[now] + ahead
        return times


def _with_shares(votes: Floats, shares: Floats) -> Floats:
    """Votes as chances, with the mere shares behind them."""
    chances: Floats = _SMOOTH * shares
    chances[:-1] += votes
    chances /= votes.sum() + _SMOOTH
    return chances


def interval(times: Floats, weights: Floats, level: float) -> Interval | None:
    """Weighted quantiles of event times; None when there is no weight."""
    total = float(weights.sum())
    if not total > 1e-12:
        return None
    order = np.argsort(times, kind="stable")
    reached = (np.cumsum(weights[order]) - 0.5 * weights[order]) / total
    wanted = ((1.0 - level) / 2, 0.5, (1.0 + level) / 2)
    low, median, high = np.interp(wanted, reached, times[order]).tolist()
    return Interval(low, median, high, level)

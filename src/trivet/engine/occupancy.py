"""Occupancy: whether somebody is in, a quarter of an hour at a time, for the next day.

Four experts speak, and are blended by how well each has foretold lately, for each hour
ahead by itself:

- the usual week, twice: the share of past weeks in which somebody was in at this
  quarter of it, with a short and a long half-life;
- days like this one: past days whose last hours went as these did, and what followed;
- how it goes on: who is in leaves, and who is out returns, with the chances of this
  quarter of the day; who has been out for most of a day returns otherwise.

Source: J. Scott et al., "PreHeat: controlling home heating using occupancy prediction",
UbiComp 2011, for days that are alike.
"""

from __future__ import annotations

from array import array
from datetime import tzinfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from trivet.domain.clock import local
from trivet.engine.blend import Blend, Floats
from trivet.engine.timeline import is_event_time

Ints = NDArray[np.int64]

SLOT_S = 900
DAY = 96
_WEEK = 7 * DAY
HOURS = 24
#: Days that are kept.
MOST_DAYS = 400
_KEPT_S = (MOST_DAYS + 28) * 86_400.0
_UNKNOWN = np.nan
#: Half-lives in days of the usual week.
_SHORT_D, _LONG_D = 14.0, 60.0
_ALIKE_D = 45.0
_CHAIN_D = 30.0
#: Days alike differ by this much, as a share of the hours just before.
_ALIKE = 0.07
_RECENT_H = 5.0
#: Out for longer than this is not the usual absence.
_LONG_AWAY = 18 * 4
_RATE = 0.35
_EXPERTS = 4


class Presence(msgspec.Struct, frozen=True, array_like=True):
    """Somebody came in, or the last one left; None when it is not known."""

    time: float
    is_home: bool | None


class OccupancyState(msgspec.Struct):
    """All that is remembered; written to disk as it is.

    Attributes:
        changes: who is in and who is out, oldest first.
        blends: for each hour ahead, the weights of the experts.
        until: event time up to which quarters of an hour have passed.
    """

    changes: list[Presence] = []
    blends: list[Blend] = []
    until: float = 0.0

    @property
    def is_sound(self) -> bool:
        """Whether it can be gone on from: what a decoder does not see to."""
        times = [change.time for change in self.changes]
        return (
            all(map(is_event_time, (*times, self.until)))
            and times == sorted(times)
            and len(self.blends) in (0, HOURS)
            and all(blend.is_sound(_EXPERTS) for blend in self.blends)
        )


class Occupancy:
    """Foretells whether somebody is in: of one person, or of the home.

    Args:
        zone: the home's time zone.
        state: what was learned before.
    """

    def __init__(self, zone: tzinfo, state: OccupancyState | None = None) -> None:
        self._zone = zone
        self.state = state or OccupancyState()
        if not self.state.blends:
            self.state.blends = [Blend.even(_EXPERTS) for _ in range(HOURS)]
        self._live_again()

    @property
    def is_home(self) -> bool | None:
        """Whether somebody is in, as far as is known."""
        changes = self.state.changes
        return changes[-1].is_home if changes else None

    def learn_one(self, time: float, is_home: bool) -> None:
        """Take up whether somebody is in from event time `time` on."""
        changes = self.state.changes
        if changes and time < changes[-1].time:
            return
        self.pass_time(time)
        if is_home == self.is_home:
            return
        if not changes:
            self._begun = self.state.until = time - time % SLOT_S
        changes.append(Presence(time, is_home))
        oldest = time - MOST_DAYS * DAY * SLOT_S
        while len(changes) > 2 and changes[1].time < oldest:
            del changes[0]

    def lose(self, time: float) -> None:
        """Nobody knows who is in from event time `time` on."""
        changes = self.state.changes
        self.pass_time(time)
        if changes and changes[-1].is_home is not None and time >= changes[-1].time:
            changes.append(Presence(time, None))

    def pass_time(self, time: float) -> None:
        """Nothing changed up to event time `time`.

        All begins anew after longer than what is kept: a clock had stood at 1970.
        """
        if self.state.changes and time - self.state.until > _KEPT_S:
            self.state.changes.clear()
            self._live_again()
        while self.state.changes and self.state.until + SLOT_S <= time:
            self._judge(self.is_home)
            self._pass(self.is_home)
            if len(self._slots) % 4 == 0 and len(self._slots) >= DAY:
                self._ask()
        if len(self._slots) > (MOST_DAYS + 28) * DAY:
            cut = 28 * DAY
            del self._slots[:cut], self._label[:cut]
            self._begun += cut * SLOT_S

    def predict_one(self, time: float) -> list[float]:
        """Chance that somebody is in at each full hour of the next 24 from `time`."""
        slots = self.predict_slots(time)
        return [slots[hour * 4 - 1] for hour in range(1, HOURS + 1)]

    def predict_slots(self, time: float) -> list[float]:
        """Chance that somebody is in, for each quarter of an hour from `time` on."""
        if not self._slots:
            return [0.5] * DAY
        gap = int(max(0.0, time - self.state.until) // SLOT_S)
        opinions = self._opinions(min(gap, _WEEK), is_asked_now=True)
        weights = np.array([blend.weights for blend in self.state.blends])
        mixed = (weights[np.arange(DAY) // 4].T * opinions).sum(axis=0)
        chances: list[float] = mixed.tolist()
        return chances

    def forget(self, since: float, until: float) -> int:
        """Forget who was in from `since` up to `until`; give how many changes went."""
        state = self.state
        before = [c for c in state.changes if c.time < since]
        after = [c for c in state.changes if c.time >= until]
        inside = [c for c in state.changes if since <= c.time < until]
        if state.until <= since or not (before or inside):
            return 0
        known = (inside or before)[-1].is_home
        changes = [*before, Presence(since, None)] if before else []
        if state.until > until:
            # who is in at its end is what the next sample would say
            changes.append(Presence(until, known))
        state.until = state.until if changes else 0.0
        state.changes = [*changes, *after]
        self._live_again()
        return len(inside)

    # --- within -------------------------------------------------------------------

    def _live_again(self) -> None:
        """Work out from the changes all that is not written to disk."""
        state = self.state
        self._slots = array("d")
        self._label = array("q")
        self._away = 0
        self._week = np.zeros((2, 2, _WEEK))  # half-life, [in, all], quarter
        self._chain = np.zeros((3, 2, 2 * DAY))  # from in/out/long out, [turned, all]
        self._asked: list[Floats] = []
        first = state.changes[0].time if state.changes else 0.0
        first = max(first, state.until - _KEPT_S)
        self._begun = first - first % SLOT_S
        until, state.until = state.until, self._begun
        now: bool | None = None
        for change in [*state.changes, None]:
            time = until if change is None else min(change.time, until)
            while state.until + SLOT_S <= time:
                self._pass(now)
                is_recent = until - state.until <= (HOURS + 1) * 3600
                if is_recent and len(self._slots) % 4 == 0 and len(self._slots) >= DAY:
                    self._ask()
            now = None if change is None else change.is_home

    def _pass(self, now: bool | None) -> None:
        """A quarter of an hour is over, with somebody in or not."""
        label = self._label_of(self.state.until)
        value = _UNKNOWN if now is None else float(now)
        self._count(label, value)
        self._slots.append(value)
        self._label.append(label)
        self._away = self._away + 1 if value == 0.0 else 0
        self.state.until += SLOT_S

    def _ask(self) -> None:
        self._asked.append(self._opinions(0)[:, 3::4])
        del self._asked[: -HOURS - 1]

    def _label_of(self, moment: float) -> int:
        there = local(moment, self._zone)
        return there.weekday() * DAY + there.hour * 4 + there.minute // 15

    def _labels(self, first: float) -> Ints:
        """The quarters of the week of the day that begins at an event time."""
        label = self._label_of(first)
        labels = (label + np.arange(DAY)) % _WEEK
        if labels[-1] == self._label_of(first + (DAY - 1) * SLOT_S):
            return labels
        # the clocks are turned on that day
        return np.array([self._label_of(first + n * SLOT_S) for n in range(DAY)])

    def _judge(self, now: bool | None) -> None:
        """Hold the experts to what they said of this quarter of an hour."""
        if now is None or len(self._slots) % 4 != 3:
            return
        for ahead, said in enumerate(reversed(self._asked[-HOURS:])):
            given = said[:, ahead] if now else 1.0 - said[:, ahead]
            self.state.blends[ahead].learn(given.tolist(), _RATE)

    def _count(self, label: int, value: float) -> None:
        if value != value:
            return
        for table, life_d in zip(self._week, (_SHORT_D, _LONG_D), strict=True):
            table[:, label] *= 0.5 ** (7.0 / life_d)
            table[:, label] += (value, 1.0)
        before = self._slots[-1] if self._slots else _UNKNOWN
        if before != before:
            return
        row = 0 if before else 2 if self._away > _LONG_AWAY else 1
        at = _kind(label) * DAY + label % DAY
        self._chain[row, :, at] *= 0.5 ** (1.0 / _CHAIN_D)
        self._chain[row, :, at] += (float(value != before), 1.0)

    def _opinions(self, gap: int, *, is_asked_now: bool = False) -> Floats:
        """What each expert says of each quarter of the next 24 hours.

        Args:
            gap: quarters that have passed since with nothing new.
            is_asked_now: go on from who is in now, not from the last whole quarter.
        """
        now = self.is_home
        value = _UNKNOWN if now is None else float(now)
        first = self.state.until + gap * SLOT_S
        labels = self._labels(first)
        slots = self._slots[-(MOST_DAYS + 1) * DAY :]
        slots.extend([value] * gap)
        known = np.frombuffer(slots)
        short, long = self._usual(0)[labels], self._usual(1)[labels]
        alike = self._days_alike(known, labels, long)
        away = self._away + gap if value == 0.0 else 0
        last = value if is_asked_now else float(known[-1])
        goes_on = self._goes_on(last, away, labels)
        opinions: Floats = np.array([short, long, alike, goes_on])
        return np.clip(opinions, 0.002, 0.998)

    def _usual(self, life: int) -> Floats:
        """Share of past weeks, backed by the kind of day where weeks are few."""
        own, whole = self._week[life]
        weekend = np.arange(_WEEK) // DAY >= 5
        usual = np.empty(_WEEK)
        for kind in (False, True):
            of = weekend == kind
            daily = own[of].reshape(-1, DAY).sum(axis=0)
            total = whole[of].reshape(-1, DAY).sum(axis=0)
            share = (daily + 0.5 * self._mean()) / (total + 0.5)
            share = np.tile(share, int(of.sum()) // DAY)
            usual[of] = (own[of] + 1.0 * share) / (whole[of] + 1.0)
        return usual

    def _mean(self) -> float:
        own, whole = self._week[1].sum(axis=1)
        return float((own + 0.5) / (whole + 1.0))

    def _days_alike(self, slots: Floats, labels: Ints, usual: Floats) -> Floats:
        """What followed past days that went as the last 24 hours did."""
        count = len(slots) // DAY - 1
        if count < 1:
            return usual
        ends = len(slots) - DAY * np.arange(1, count + 1)
        span = np.arange(DAY)
        before = slots[ends[:, None] - DAY + span]
        after = slots[ends[:, None] + span]
        near = 0.5 ** ((DAY - 1 - span) / (4 * _RECENT_H))
        apart = np.abs(before - slots[-DAY:])
        apart = np.where(np.isnan(apart), 0.5, apart)
        away = apart @ near / near.sum()
        weights = np.exp(-away / _ALIKE) * 0.5 ** (np.arange(1, count + 1) / _ALIKE_D)
        weekday = (int(labels[0]) // DAY - np.arange(1, count + 1)) % 7
        weights = weights * _like_day(weekday, int(labels[0]) // DAY)
        seen = ~np.isnan(after)
        votes = weights @ np.where(seen, after, 0.0)
        alike: Floats = (votes + 0.15 * usual) / (weights @ seen + 0.15)
        return alike

    def _goes_on(self, is_in: float, away: int, labels: Ints) -> Floats:
        """How it goes on from now, quarter by quarter."""
        turns = [self._turning(row) for row in range(3)]
        late = away > _LONG_AWAY
        long_out = 1.0 if late else 0.0
        chance = self._mean() if is_in != is_in else is_in
        found = np.empty(DAY)
        for number, label in enumerate(labels.tolist()):
            at = _kind(label) * DAY + label % DAY
            leaves, returns, returns_late = (float(turn[at]) for turn in turns)
            out = 1.0 - chance - long_out
            chance += out * returns + long_out * returns_late - chance * leaves
            long_out *= 1.0 - returns_late
            found[number] = chance
        return found

    def _turning(self, row: int) -> Floats:
        """Chance of leaving or returning in each quarter, of both kinds of day."""
        turned, whole = self._chain[row].reshape(2, 2, DAY)
        kernel = np.array((1, 2, 3, 2, 1)) / 3.0 if row < 2 else np.ones(13)
        half = len(kernel) // 2
        wide = np.concatenate(
            (turned[..., -half:], turned, turned[..., :half]), axis=-1
        )
        wider = np.concatenate((whole[..., -half:], whole, whole[..., :half]), axis=-1)
        turned = np.array([np.convolve(k, kernel, "valid") for k in wide])
        whole = np.array([np.convolve(k, kernel, "valid") for k in wider])
        mean = (self._chain[row, 0].sum() + 0.05) / (self._chain[row, 1].sum() + 5.0)
        turning: Floats = ((turned + mean) / (whole + 1.0)).reshape(-1)
        return turning


def _kind(label: int) -> int:
    """0 on weekdays, 1 at weekends."""
    return int(label // DAY >= 5)


def _like_day(past: Ints, now: int) -> Floats:
    """How much a past weekday says about this one, Monday being 0."""
    kind = (past >= 5) == (now >= 5)
    following = ((past + 1) % 7 >= 5) == ((now + 1) % 7 >= 5)
    alike: Floats = np.where(past == now, 1.0, np.where(kind & following, 0.4, 0.08))
    return alike

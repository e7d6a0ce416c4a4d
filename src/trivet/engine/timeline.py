"""Timeline: which of two stories of the time is believed when a clock was wrong.

A device whose clock is ahead tells of a time that has not come. Once it is put right
its samples are late, and would stay so until that time comes. They are known by where
they fall: into a silence, where nothing was seen. So silences are remembered, and a run
of late samples in one of them is followed. When it has gone on for longer than what was
lived after the silence, the run is believed, and what came after it is not.

Samples that were held up are late too. A silence shorter than `LEAP_S` is therefore
none: there they are passed over, and the clock is waited for.
"""

from __future__ import annotations

from math import inf

import msgspec

from trivet.domain.geo import distance_m
from trivet.domain.place import TracePoint

#: Event times are up to the end of the year 2199, as those of samples are.
LATEST_S = 7_258_118_400.0
#: A silence may be the doing of a wrong clock from this length on.
LEAP_S = 2 * 86_400.0
#: Late samples that must agree with each other.
_AGREEING = 3
#: Silences that are remembered; the oldest but the first go.
_MOST_SILENCES = 16


def is_event_time(time: float) -> bool:
    """Whether it is an event time at all, between 1970 and 2200."""
    return 0.0 <= time <= LATEST_S


class Timeline(msgspec.Struct):
    """Silences, and the late samples that are followed; written to disk as it is.

    Attributes:
        silences: event times from and to which nothing was seen, oldest first. The
            first one begins at 0: it ends with the first sample of all.
        late: the first and the last of a run of late samples in one silence.
        count: how many there are in that run.
    """

    silences: list[tuple[float, float]] = []
    late: list[TracePoint] = []
    count: int = 0

    def pass_on(self, before: float, time: float) -> None:
        """A sample in its turn, at event time `time`; nothing was seen since `before`.

        With it ends a run of late samples: those had been held up.
        """
        if self.late:
            self.late, self.count = [], 0
        if time - before > LEAP_S:
            self.silences.append((before, time))
            if len(self.silences) > _MOST_SILENCES:
                del self.silences[1]

    def doubt(self, late: TracePoint, newest: float, max_speed_mps: float) -> bool:
        """Take up a late sample; tell whether its run is now believed.

        Args:
            late: time and position of it.
            newest: event time of the newest sample of all.
            max_speed_mps: nobody is faster.
        """
        silence = self._silence(late.time)
        if silence is None:
            return False
        last = self.late[-1] if self.late else None
        if last is None or not self._goes_on(last, late, max_speed_mps):
            self.late, self.count = [late], 1
            return False
        self.late, self.count = [self.late[0], late], self.count + 1
        lived_s = newest - silence[1]
        return self.count >= _AGREEING and late.time - self.late[0].time >= lived_s

    def go_back(self, time: float) -> float:
        """Believe the run of late samples around event time `time`.

        Returns:
            The event time from which on all that was seen is not believed.
        """
        silence = self._silence(time) or (0.0, 0.0)
        self.silences = [s for s in self.silences if s[1] < silence[0]]
        self.late, self.count = [], 0
        return silence[0]

    def forget(self, since: float, until: float) -> None:
        """Forget what is known of a span: silences end and begin at its edges."""
        if any(since <= point.time < until for point in self.late):
            self.late, self.count = [], 0
        known = []
        for first, last in self.silences:
            began, ended = since <= first < until, since <= last < until
            if began and ended and first > 0.0:
                continue
            begins, ends = since if began else first, until if ended else last
            if ends < inf:
                known.append((begins if first > 0.0 else 0.0, ends))
        self.silences = known

    def _silence(self, time: float) -> tuple[float, float] | None:
        found = (s for s in reversed(self.silences) if s[0] < time < s[1])
        return next(found, None)

    def _goes_on(self, last: TracePoint, late: TracePoint, most_mps: float) -> bool:
        span = late.time - last.time
        if span <= 0.0 or self._silence(last.time) != self._silence(late.time):
            return False
        return distance_m(last.lat, last.lon, late.lat, late.lon) <= most_mps * span

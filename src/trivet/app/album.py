"""The frames of the day that the timeline goes back to."""

from __future__ import annotations

from bisect import bisect_right

from trivet.app.view import Frame

#: Frames kept; the oldest go first.
MAX_FRAMES = 3000
#: Least event time between two kept frames.
EVERY_S = 30.0


class Album:
    """Keeps one frame each EVERY_S of event time, MAX_FRAMES at most."""

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._times: list[float] = []

    def keep(self, frame: Frame) -> None:
        """Take up a frame unless the last one is nearly as new."""
        if self._times and frame.time - self._times[-1] < EVERY_S:
            return
        self._frames.append(frame)
        self._times.append(frame.time)
        if len(self._times) > MAX_FRAMES:
            del self._frames[: MAX_FRAMES // 10]
            del self._times[: MAX_FRAMES // 10]

    def replace(self, frame: Frame) -> None:
        """Take up a frame in place of the last of the same event time, if any."""
        if self._times and self._times[-1] == frame.time:
            self._frames[-1] = frame
        else:
            self.keep(frame)

    def at(self, time: float) -> Frame | None:
        """The frame that was newest at `time`, the oldest before; None if empty."""
        if not self._frames:
            return None
        return self._frames[max(0, bisect_right(self._times, time) - 1)]

    def span(self) -> tuple[float, float] | None:
        """Event times of the oldest and newest frame, None if empty."""
        return (self._times[0], self._times[-1]) if self._times else None

    def forget(self, since: float, until: float) -> None:
        """Drop the frames of a span of event time."""
        self._frames = [f for f in self._frames if not since <= f.time < until]
        self._times = [frame.time for frame in self._frames]

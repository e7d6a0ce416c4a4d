"""What flows under leases, taken down so that nothing leaves unrecorded.

That a signal begins to flow is in the ledger before its first sample leaves. How much
followed is counted in memory and written at the end of a window, so a crash loses a
count, never the fact. The windows of a stream that flows on grow, so the ledger grows
with what happened and not with how long it went on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Protocol, TypeAlias

from trivet.fabric.event import Event, EventKind

#: No window is longer, in seconds.
MAX_WINDOW_S = 3600.0


class Record(Protocol):
    """Keeps events; see Ledger."""

    def append_many(self, events: Sequence[Event]) -> object:
        """Keep all of them, durably, or raise and keep none."""
        ...


class _Window:
    """What flowed of one stream since that was taken down."""

    __slots__ = ("begin", "count", "end", "first", "last", "length_s", "since")

    def __init__(self, length_s: float, time: float, now: float) -> None:
        self.length_s = length_s
        self.since = now
        # threads read the clock one after the other, so some are late; later than this
        # the clock was set
        self.begin = now - length_s
        self.end = now + length_s
        self.count = 0
        self.first = time
        self.last = time


#: lease, peer, path, purpose, exact_m: what samples share that are counted together
_Stream: TypeAlias = tuple[str, str, str, str, int]


class Disclosures:
    """Counts what is given, and keeps it in a ledger. Any thread may call it.

    Args:
        ledger: where it is kept.
        window_s: length of a stream's first window, in seconds; each further one of a
            stream that flows on is twice as long, up to MAX_WINDOW_S. A stream that is
            silent for so long has ended.
    """

    def __init__(self, ledger: Record, *, window_s: float = 60.0) -> None:
        self._ledger = ledger
        self._window_s = window_s
        # who holds the first may take the second, never the other way round
        self._writing, self._counting = Lock(), Lock()
        self._windows: dict[_Stream, _Window] = {}
        #: not yet in the ledger; whoever writes next takes all of them along
        self._begun: dict[_Stream, _Window] = {}
        self._ended: list[Event] = []

    def note(
        self,
        lease_id: str,
        peer: str,
        path: str,
        purpose: str,
        exact_m: int,
        time: float,
        now: float,
    ) -> None:
        """Take down one sample that is about to leave; it may when this returns.

        Args:
            lease_id: the lease that it leaves under.
            peer: the device that it goes to.
            path: its signal.
            purpose: the lease's purpose.
            exact_m: exactness of a position in it, in metres; 0 as measured.
            time: its event time.
            now: event time now, in seconds.

        Raises:
            SetupError: the ledger cannot be written: the sample must stay.
            UsageError: the ledger is closed: the sample must stay.
        """
        stream = (lease_id, peer, path, purpose, exact_m)
        while True:
            with self._counting:
                window = self._windows.get(stream)
                if window is not None and window.begin <= now < window.end:
                    window.count += 1
                    if time > window.last:
                        window.last = time
                    elif time < window.first:
                        window.first = time
                    return
                self._enrol(stream, time, now)
            self._write_begun(stream, time, now)

    def tick(self, now: float) -> None:
        """Write the counts of streams that fell silent; call it now and then.

        Raises:
            SetupError: the ledger cannot be written; the counts are kept.
        """
        limit = now - self._window_s
        self._close(now, lambda _, w: w.end <= limit or now < w.begin)

    def flush(self, now: float) -> None:
        """Write all counts, as before the device stops.

        Raises:
            SetupError: the ledger cannot be written; the counts are kept.
        """
        self._close(now, lambda _stream, _window: True)

    def end(self, lease_id: str, now: float) -> None:
        """Write the counts of a lease that has ended.

        Raises:
            SetupError: the ledger cannot be written; the counts are kept.
        """
        self._close(now, lambda stream, _: stream[0] == lease_id)

    def _enrol(self, stream: _Stream, time: float, now: float) -> None:
        """Have the stream's next window written; its last one is over."""
        length_s = self._window_s
        over = self._windows.pop(stream, None)
        if over is not None:
            self._ended.append(_disclosed(stream, over, now))
            if over.end <= now < over.end + self._window_s:
                length_s = min(2 * over.length_s, max(MAX_WINDOW_S, length_s))
        if stream not in self._begun:
            self._begun[stream] = _Window(length_s, time, now)

    def _write_begun(self, stream: _Stream, time: float, now: float) -> None:
        with self._writing:
            with self._counting:
                window = self._windows.get(stream)
                if window is not None and window.begin <= now < window.end:
                    return  # another thread took it along
                self._enrol(
                    stream, time, now
                )  # unless it is: one that failed dropped it
                begun = dict(self._begun)
                ended = list(self._ended)
            self._keep(ended, begun)

    def _close(self, now: float, is_over: Callable[[_Stream, _Window], bool]) -> None:
        with self._writing:
            with self._counting:
                for stream, window in list(self._windows.items()):
                    if is_over(stream, window):
                        del self._windows[stream]
                        self._ended.append(_disclosed(stream, window, now))
                ended = list(self._ended)
            self._keep(ended, {})

    def _keep(self, ended: list[Event], begun: dict[_Stream, _Window]) -> None:
        """Write in one transaction; on failure `ended` waits, `begun` does not."""
        opening = [_disclosing(stream, window) for stream, window in begun.items()]
        is_kept = False
        try:
            if ended or opening:
                self._ledger.append_many(ended + opening)
            is_kept = True
        finally:
            with self._counting:
                for stream in begun:
                    del self._begun[stream]
                if is_kept:
                    del self._ended[: len(ended)]
                    self._windows.update(begun)


def _disclosing(stream: _Stream, window: _Window) -> Event:
    lease, peer, path, purpose, exact_m = stream
    return Event(
        EventKind.DISCLOSING,
        window.since,
        peer=peer,
        lease=lease,
        paths=(path,),
        purpose=purpose,
        exact_m=exact_m,
        first=window.first,
    )


def _disclosed(stream: _Stream, window: _Window, now: float) -> Event:
    lease, peer, path, purpose, exact_m = stream
    return Event(
        EventKind.DISCLOSED,
        now,
        peer=peer,
        lease=lease,
        paths=(path,),
        purpose=purpose,
        exact_m=exact_m,
        count=window.count,
        first=window.first,
        last=window.last,
    )

"""The heart: a thread that beats for others to hear and listens for their beats.

It is a thread of its own, so that a busy event loop does not look dead to others. It
beats only while the loop turns, so that one that is stuck for long does. It cuts the
link of a device that it has lost; what follows from that is told to whoever made it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Container, Iterable
from threading import Event, Lock, Thread, current_thread
from time import monotonic

from trivet.fabric import beat
from trivet.fabric.cable import Cable, cut
from trivet.fabric.pulse import Pulse
from trivet.fabric.tally import Tally

#: The event loop shows this often that it turns.
TURN_S = 0.25
#: Cables that are remembered of one device: Zenoh forgets one before it lets go of it.
_MAX_CABLES = 4


class Heart:
    """Beats, listens and cuts. All methods may be called from any thread.

    Args:
        send: sends the bytes of a beat to a device, or not, without waiting; ahead of
            all messages to it, or in its turn if the last argument is False.
        links: gives the links that there are, by the device in its certificate.
        on_lost: is told, on the heart's thread, of a device that is lost, and whether
            it had a link that could not be cut.
    """

    def __init__(
        self,
        send: Callable[[str, bytes, bool], None],
        links: Callable[[], Iterable[tuple[str, Cable]]],
        on_lost: Callable[[str, bool], None],
    ) -> None:
        self._send = send
        self._links = links
        self._on_lost = on_lost
        self._lock = Lock()
        self._pulse = Pulse(secrets.randbelow(beat.MAX_RUN) + 1, monotonic())
        self._cables: dict[str, tuple[Cable, ...]] = {}
        self._linked: frozenset[str] = frozenset()
        self._is_beating = self._is_asking = self._has_ended = False
        self._is_relinked = False
        self._wake = Event()
        self._thread = Thread(target=self._run, daemon=True, name="trivet-heart")

    # --- from the event loop ------------------------------------------------------

    def prepare(self) -> None:
        """The session is about to be opened, for the first time or anew."""
        with self._lock:
            self._pulse.reopened(monotonic())

    def begin(self) -> None:
        """The session is open."""
        with self._lock:
            self._is_beating = True
        if not self._thread.is_alive() and not self._has_ended:
            self._thread.start()
        self._wake.set()

    def pause(self) -> None:
        """The session is about to be closed: nobody is heard, and nobody is lost."""
        with self._lock:
            self._is_beating = False

    def end(self) -> None:
        """Stop for good, and wait until the thread has ended."""
        self._has_ended = True
        self._wake.set()
        if self._thread.is_alive() and current_thread() is not self._thread:
            self._thread.join(1.0)

    def turn(self) -> None:
        """The event loop turned."""
        with self._lock:
            self._pulse.turn(monotonic())

    async def call_roll(
        self, limit_s: float, barred: Container[str] = ()
    ) -> frozenset[str]:
        """Ask everybody for a beat. Returns who gave none within `limit_s`.

        Whoever is barred is not waited for: it is not asked either.
        """
        began = monotonic()
        with self._lock:
            self._is_asking = True
        self._wake.set()
        while True:
            with self._lock:
                mute = frozenset(self._pulse.unheard_since(began))
            is_heard = all(device in barred for device in mute)
            if is_heard or monotonic() - began > limit_s:
                return mute
            await asyncio.sleep(0.002)

    # --- from Zenoh's threads -----------------------------------------------------

    def token(self, device: str, is_standing: bool) -> None:
        """A device's token was put up, or fell."""
        with self._lock:
            self._pulse.token(device, is_standing, monotonic())
        if is_standing:
            self._is_relinked = True
            self._wake.set()  # it is to hear from us at once

    def heard(self, device: str, sign: beat.Beat) -> bool:
        """A beat came. Returns whether a lost device is back."""
        with self._lock:
            is_back = self._pulse.heard(device, sign, monotonic())
        if sign.is_asking:
            self._wake.set()
        return is_back

    # --- from anywhere ------------------------------------------------------------

    def tally(self, device: str) -> Tally:
        """The counts of messages to and from a device."""
        with self._lock:
            tally = self._pulse.tally(device)
        return Tally() if tally is None else tally

    def lost(self) -> dict[str, int]:
        """Messages that were published to this device and never arrived, by sender."""
        with self._lock:
            return self._pulse.lost()

    def cut(self, devices: Iterable[str] | None = None) -> int:
        """Cut the links of some devices, or of all. Returns how many there were."""
        with self._lock:
            names = list(self._cables) if devices is None else devices
            cables = [c for name in names for c in self._cables.pop(name, ())]
        return cut(cables)

    # --- the thread ---------------------------------------------------------------

    def _run(self) -> None:
        while not self._has_ended:
            self._wake.clear()
            wait_s = self._beat()
            self._wake.wait(wait_s)

    def _beat(self) -> float:
        if self._is_relinked:
            self._is_relinked = False
            self._learn_cables()
        with self._lock:
            now = monotonic()
            lost = self._pulse.check(now) if self._is_beating else []
        for device, is_linked in lost:
            is_direct = device in self._linked  # else it is behind a router
            is_cut = self.cut([device]) > 0
            self._on_lost(device, is_linked and is_direct and not is_cut)
        with self._lock:
            is_asking, self._is_asking = self._is_asking, False
            due = self._pulse.beats(monotonic(), is_asking=is_asking)
        for device, sign in due:
            self._send(device, beat.encode(sign), not sign.is_counting)
        with self._lock:
            return self._pulse.wait_s(monotonic())

    def _learn_cables(self) -> None:
        links = list(self._links())
        self._linked = frozenset(device for device, _ in links)
        with self._lock:
            for device, cable in links:
                known = [c for c in self._cables.get(device, ()) if c != cable]
                self._cables[device] = (*known[1 - _MAX_CABLES :], cable)

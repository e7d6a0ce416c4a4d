"""Whose heart beats: life signs in, silence and our own beats out; pure.

A device whose token stands and which was not heard for SILENCE_S is lost: it is dead,
frozen, or what it says does not get here. It is lost too when it says that it did not
hear us for as long, although we beat: then what we say does not get there. Either way
both sides come to the same end.

Silence is counted in time that this device was awake. Who was suspended, or stopped,
or did not get the processor, has not listened: that is not the others' silence.

A device that is lost is told so once. It counts again when its link was made anew and
it is heard on it. All times are monotonic seconds.
"""

from __future__ import annotations

from trivet.fabric.beat import MAX_RUN, NEVER_MS, Beat
from trivet.fabric.presence import MAX_DEVICES
from trivet.fabric.tally import Tally

#: A device beats this often; it is lost when three beats are missed.
BEAT_S = 0.5
SILENCE_S = 1.6
#: A device whose event loop has not turned for so long does not beat.
STUCK_S = 4.0
#: Beats that are asked for come no faster.
HASTE_S = 0.01
#: A wake-up that is later than this was slept through.
LATE_S = 0.25
#: A lost device that goes on beating on its old link is believed after so long.
DOUBT_S = 5.0
#: So much longer a device waits before it complains that it is not heard.
PATIENCE_S = BEAT_S


class _Peer:
    """What is known of one device; times are of the clock that stands while asleep.

    Attributes:
        met: since when its token stands, or our session.
        listened: when a beat or a message of it came last, whatever it said.
        heard: the same, but only while it hears us too.
        is_confirmed: whether its token was seen in our present session.
        signs: of its messages, those that were counted as signs of life.
    """

    __slots__ = (
        "beat_time",
        "heard",
        "is_asked",
        "is_confirmed",
        "is_lost",
        "is_standing",
        "listened",
        "lost_time",
        "met",
        "signs",
        "tally",
    )

    def __init__(self, time: float) -> None:
        self.tally = Tally()
        self.is_standing = self.is_confirmed = False
        self.is_lost = self.is_asked = False
        self.met = self.heard = self.listened = time
        self.lost_time = self.beat_time = float("-inf")
        self.signs = 0


class Pulse:
    """The hearts of the others, and our own as they should hear it.

    Args:
        run: number of this link, not 0; drawn when it was opened.
        time: now.
    """

    def __init__(self, run: int, time: float) -> None:
        if not 0 < run <= MAX_RUN:
            raise ValueError(f"{run} cannot be the number of a run")
        self._run = run
        self._peers: dict[str, _Peer] = {}
        self._slept_s = 0.0
        self._planned = time
        self._turned = self._beating_since = self._looked = time

    # --- what happens -------------------------------------------------------------

    def tally(self, device: str) -> Tally | None:
        """The counts of messages to and from a device; None: there are too many."""
        peer = self._peer(device)
        return None if peer is None else peer.tally

    def turn(self, time: float) -> None:
        """The event loop turned."""
        self._turned = self._awake(time)

    def token(self, device: str, is_standing: bool, time: float) -> None:
        """A device's token was put up, or fell."""
        peer = self._peer(device)
        if peer is None:
            return
        peer.is_standing = peer.is_confirmed = is_standing
        peer.lost_time = float("-inf")  # if it was lost: its link is made anew
        if is_standing:
            peer.met = peer.heard = peer.listened = self._awake(time)
            peer.beat_time = float("-inf")  # let it hear us at once
            peer.tally.meet()

    def heard(self, device: str, beat: Beat, time: float) -> bool:
        """A beat came. Returns whether a lost device is back."""
        peer = self._peers.get(device)
        if peer is None or not peer.is_standing:
            return False
        now = self._awake(time)
        peer.tally.take(beat, self._run)
        if beat.is_counting:  # it waited in its turn: what it says is old
            return False
        peer.is_asked = peer.is_asked or beat.is_asking
        peer.listened = now
        if peer.is_lost:
            if now - peer.lost_time < DOUBT_S or self._is_unheard(peer, beat, now):
                return False
            peer.is_lost = False
            peer.heard = now
            return True
        if not self._is_unheard(peer, beat, now):
            peer.heard = now
        else:  # as good as silent: the next check finds it so
            peer.heard = min(peer.heard, now - SILENCE_S - LATE_S)
        return False

    def reopened(self, time: float) -> None:
        """Our session was opened anew: who was there has yet to show itself."""
        now = self._awake(time)
        for peer in self._peers.values():
            peer.is_confirmed = False
            peer.heard = peer.met = peer.listened = now

    # --- what follows ---------------------------------------------------------------

    def check(self, time: float) -> list[tuple[str, bool]]:
        """Devices that are lost from now on, and whether each had a link to cut.

        To be called at the time that `wait_s` gave, or earlier.
        """
        self._wake(time)
        now, lost = self._awake(time), []
        looked, self._looked = min(self._looked, now), now
        for device, peer in self._peers.items():
            signs = peer.tally.arrived
            if signs != peer.signs and now - peer.heard <= SILENCE_S:
                peer.signs = signs  # whoever sends is alive, at least since we looked
                peer.heard = max(peer.heard, looked)
                peer.listened = max(peer.listened, looked)
            if peer.is_standing and not peer.is_lost and now - peer.heard > SILENCE_S:
                peer.is_lost, peer.lost_time = True, now
                lost.append((device, peer.is_confirmed))
                peer.is_standing = peer.is_confirmed
        return lost

    def beats(self, time: float, *, is_asking: bool = False) -> list[tuple[str, Beat]]:
        """The beats that are due, by recipient; with `is_asking`, one to everybody."""
        self._wake(time)
        now = self._awake(time)
        if now - self._turned > STUCK_S:
            self._beating_since = now
            return []
        due = []
        for device, peer in self._peers.items():
            if peer.is_standing and (is_asking or now >= self._due(peer)):
                peer.beat_time, peer.is_asked = now, False
                due.append((device, self._beat(peer, now, is_asking=is_asking)))
                if peer.tally.is_to_be_told():
                    due.append((device, self._beat(peer, now, is_counting=True)))
        return due

    def lost(self) -> dict[str, int]:
        """Messages that never arrived, by sender; whoever lost none is left out."""
        return {d: p.tally.lost for d, p in self._peers.items() if p.tally.lost}

    def unheard_since(self, time: float) -> list[str]:
        """Devices that are there and were not heard since `time`."""
        then = self._awake(time)
        return [d for d, p in self._peers.items() if p.is_standing and p.heard < then]

    def wait_s(self, time: float) -> float:
        """Seconds until there is something to do."""
        self._wake(time)
        now, wait_s = self._awake(time), BEAT_S / 2
        for peer in self._peers.values():
            if peer.is_standing:
                wait_s = min(wait_s, self._due(peer) - now)
                if not peer.is_lost:
                    wait_s = min(wait_s, peer.heard + SILENCE_S - now)
        wait_s = max(wait_s, HASTE_S)
        self._planned = time + wait_s
        return wait_s

    # --- within -----------------------------------------------------------------------

    def _awake(self, time: float) -> float:
        return time - self._slept_s

    def _wake(self, time: float) -> None:
        late_s = time - self._planned - LATE_S
        self._planned = time
        if late_s <= 0:
            return
        self._slept_s += late_s
        now = self._awake(time)
        for peer in self._peers.values():  # what came before we knew that we had slept
            peer.heard, peer.met = min(peer.heard, now), min(peer.met, now)
            peer.listened = min(peer.listened, now)
            peer.beat_time = min(peer.beat_time, now)
        self._turned = min(self._turned, now)
        self._beating_since = now

    def _due(self, peer: _Peer) -> float:
        return peer.beat_time + (HASTE_S if peer.is_asked else BEAT_S)

    def _beat(
        self,
        peer: _Peer,
        now: float,
        *,
        is_asking: bool = False,
        is_counting: bool = False,
    ) -> Beat:
        silence_ms = int(1000 * (now - peer.listened))
        return Beat(
            self._run,
            peer.tally.run,
            peer.tally.sent_in_run,
            max(0, min(silence_ms, NEVER_MS)),
            is_asking,
            is_counting,
        )

    def _is_unheard(self, peer: _Peer, beat: Beat, now: float) -> bool:
        """Whether it does not hear us, though it could for long enough."""
        beating_s = now - max(peer.met, self._beating_since)
        return beat.silence_ms > 1000 * SILENCE_S and beating_s > SILENCE_S + PATIENCE_S

    def _peer(self, device: str) -> _Peer | None:
        peer = self._peers.get(device)
        if peer is None:
            if len(self._peers) >= MAX_DEVICES and not self._forget_one():
                return None
            peer = self._peers[device] = _Peer(float("-inf"))
        return peer

    def _forget_one(self) -> bool:
        for device, peer in self._peers.items():
            if not peer.is_standing and not peer.is_lost:
                del self._peers[device]
                return True
        return False

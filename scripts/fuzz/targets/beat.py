"""Heartbeats: what a peer may send each half second, alone and as a life of beats."""

from __future__ import annotations

from contextlib import suppress

from scripts.fuzz.target import Makers, Target

from trivet.domain.error import WireError
from trivet.fabric.beat import LENGTH, MAX_SENT, NEVER_MS, Beat, decode, encode
from trivet.fabric.pulse import BEAT_S, Pulse

_RUN = 0x0A0B0C0D
BEATS = (
    Beat(_RUN),
    Beat(_RUN, 7, 1234, 420),
    Beat(_RUN, 7, MAX_SENT, NEVER_MS, True),
    Beat(0xFFFF_FFFF, 0xFFFF_FFFF, 0, 0, True),
    Beat(_RUN, 7, 99, 3, False, True),
)
_ENCODED = tuple(encode(beat) for beat in BEATS)
#: Messages that come between two beats, and beats of ours that are allowed for each.
_MESSAGES, _ANSWERS = 3, 2


def _beat(data: bytes) -> None:
    assert encode(decode(data)) == data, f"{data.hex()} is read as something else"


def _life(data: bytes) -> None:
    """A peer that sends this, beat by beat, harms nobody's count but its own."""
    pulse = Pulse(7, 0.0)
    pulse.token("car", True, 0.0)
    pulse.token("home", True, 0.0)
    tally = pulse.tally("car")
    assert tally is not None
    time = 0.0
    for start in range(0, len(data), LENGTH):
        time += BEAT_S
        with suppress(WireError):
            pulse.heard("car", decode(data[start : start + LENGTH]), time)
        pulse.heard("home", Beat(9, 7, 0, 100), time)
        tally.arrived += _MESSAGES
        pulse.turn(time)
        lost = [device for device, _ in pulse.check(time)]
        assert "home" not in lost, "one peer's beats made another one lost"
        beats = pulse.beats(time)
        assert len(beats) <= _ANSWERS, f"{len(beats)} beats in return"
        assert all(encode(beat) for _, beat in beats)
        assert pulse.wait_s(time) > 0.0
        assert min(pulse.lost().values(), default=0) >= 0
        assert set(pulse.lost()) <= {"car"}


TARGETS: Makers = {
    "beat": lambda: Target("beat", _ENCODED, _beat, (WireError,)),
    "heart": lambda: Target(
        "heart",
        (b"".join(_ENCODED), _ENCODED[1] * 8, b"".join(_ENCODED[::-1]) * 3),
        _life,
        (),
        slowness=4,
    ),
}

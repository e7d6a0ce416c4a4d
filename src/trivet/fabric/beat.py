"""What a heartbeat says, to the one device that it is for.

Layout, big endian, 20 bytes: version (1), flags (1), run (4), heard run (4), messages
sent (8), milliseconds since the recipient was heard (2). There is no room for more:
whatever is longer, shorter or newer is no heartbeat of ours.
"""

from __future__ import annotations

from struct import Struct

import msgspec

from trivet.domain.error import WireError

VERSION = 1
#: Not heard yet, or longer ago than can be said.
NEVER_MS = 0xFFFF
MAX_RUN = 0xFFFF_FFFF
#: More than any device will ever publish.
MAX_SENT = (1 << 53) - 1

_LAYOUT = Struct(">BBIIQH")
LENGTH = _LAYOUT.size
_ASKS, _COUNTS = 1, 2


class Beat(msgspec.Struct, frozen=True, gc=False):
    """A sign of life, and how the link looks from where it comes from.

    Attributes:
        run: number of the sender's link, drawn when it was opened; never 0.
        heard_run: number that the recipient's own beats had last; 0: none heard yet.
        sent: messages published to the recipient in the run `heard_run`.
        silence_ms: time since the sender last heard the recipient; NEVER_MS at most.
        is_asking: whether the sender wants a beat in return at once.
        is_counting: whether it came in its turn, behind all `sent` messages, and not
            ahead of them as other beats do.
    """

    run: int
    heard_run: int = 0
    sent: int = 0
    silence_ms: int = NEVER_MS
    is_asking: bool = False
    is_counting: bool = False


def encode(beat: Beat) -> bytes:
    """The beat as bytes for the wire; its numbers must be in their ranges."""
    return _LAYOUT.pack(
        VERSION,
        _ASKS * beat.is_asking | _COUNTS * beat.is_counting,
        beat.run,
        beat.heard_run,
        beat.sent,
        beat.silence_ms,
    )


def decode(data: bytes) -> Beat:
    """The beat that came from a peer as `data`.

    Raises:
        WireError: it is none.
    """
    if len(data) != LENGTH:
        raise WireError(f"a heartbeat of {len(data)} bytes, not {LENGTH}")
    version, flags, run, heard_run, sent, silence_ms = _LAYOUT.unpack(data)
    if version != VERSION:
        raise WireError(
            f"a heartbeat of version {version}, not {VERSION}",
            hint="both devices need the same trivet",
        )
    if flags & ~(_ASKS | _COUNTS) or run == 0 or sent > MAX_SENT:
        raise WireError(f"a heartbeat that cannot be: {data.hex()}")
    asks, counts = bool(flags & _ASKS), bool(flags & _COUNTS)
    return Beat(run, heard_run, sent, silence_ms, asks, counts)

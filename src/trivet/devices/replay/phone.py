"""The signals that recordings of a phone give."""

from __future__ import annotations

from trivet.domain.sample import (
    BATTERY,
    LOCATION,
    TRANSITION_ENTER,
    TRANSITION_LEAVE,
)
from trivet.domain.signal import Signal

#: Position first: most formats give nothing else.
PHONE_SIGNALS = (
    Signal(LOCATION, datatype="position", description="where the phone is"),
    Signal(
        BATTERY,
        unit="percent",
        minimum=0,
        maximum=100,
        description="the phone's charge",
    ),
    Signal(TRANSITION_ENTER, datatype="string", description="region entered"),
    Signal(TRANSITION_LEAVE, datatype="string", description="region left"),
)

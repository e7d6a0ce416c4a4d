"""The vocabulary: devices, signals, samples, places, forecasts, suggestions."""

from trivet.domain.device import Adapter, Device, DeviceKind
from trivet.domain.error import (
    InputError,
    PeerError,
    RefusedError,
    RevokedError,
    SetupError,
    TaskError,
    TrivetError,
    UnreachableError,
    UsageError,
    WireError,
)
from trivet.domain.forecast import Candidate, Forecast, Interval, Prospect, Reason
from trivet.domain.lease import (
    EndReason,
    Lease,
    LeaseEnd,
    LeaseRequest,
    Purpose,
)
from trivet.domain.place import (
    Place,
    PlaceRole,
    PointOfInterest,
    Stay,
    TracePoint,
    Trip,
)
from trivet.domain.sample import Position, Quality, Sample, Value
from trivet.domain.signal import Signal, SignalKind
from trivet.domain.suggestion import (
    Action,
    Answer,
    AnswerKind,
    Need,
    Suggestion,
    Surface,
)

__all__ = [
    "Action",
    "Adapter",
    "Answer",
    "AnswerKind",
    "Candidate",
    "Device",
    "DeviceKind",
    "EndReason",
    "Forecast",
    "InputError",
    "Interval",
    "Lease",
    "LeaseEnd",
    "LeaseRequest",
    "Need",
    "PeerError",
    "Place",
    "PlaceRole",
    "PointOfInterest",
    "Position",
    "Prospect",
    "Purpose",
    "Quality",
    "Reason",
    "RefusedError",
    "RevokedError",
    "Sample",
    "SetupError",
    "Signal",
    "SignalKind",
    "Stay",
    "Suggestion",
    "Surface",
    "TaskError",
    "TracePoint",
    "Trip",
    "TrivetError",
    "UnreachableError",
    "UsageError",
    "Value",
    "WireError",
]

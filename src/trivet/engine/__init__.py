"""The engine: from samples and event time to places, trips and forecasts."""

from trivet.engine.anticipator import Anticipator
from trivet.engine.event import Event, StayEnded, StayStarted, TripEnded, TripStarted
from trivet.engine.settings import Settings

__all__ = [
    "Anticipator",
    "Event",
    "Settings",
    "StayEnded",
    "StayStarted",
    "TripEnded",
    "TripStarted",
]

"""A simulated household: Ada, Ben and Cleo, with phone, car and home.

No person, place or car in it is real. The town lies somewhere in the zone of
Europe/Berlin, its street plan and its names are invented.
"""

from trivet.devices.world.plan import DayKind, DayPlan, Episode, Span
from trivet.devices.world.road import Mode
from trivet.devices.world.world import World

__all__ = ["DayKind", "DayPlan", "Episode", "Mode", "Span", "World"]

"""A simulated household: Ada, Ben and Cleo, with phone, car and home.

No person, place or car in it is real. The town lies somewhere in the zone of
Europe/Berlin, its street plan and its names are invented; the holiday village is some
250 km of motorway away.

True rates, each drawn from the seed: of Ada's departures by car 5 % leave the garage
open; of those that leave the home empty 5 % leave the kitchen window open, 2.5 % the
bedroom window, 2 % the stove on, 3 % the front door unlocked. Of ways, 15 % take
another route than the usual and 2.5 % meet a jam; of the phone's fixes 0.5 % jump, of
ways 12 % have a gap, of days 5 % a dark hour or two. Habits' shares stand in
`routine`, exceptions in `season`.

What is left out: public and school holidays, rain, parking, other drivers than Ada.
Warming the parked car's cabin costs it no charge.
"""

from trivet.devices.world.plan import DayKind, DayPlan, Episode, Span
from trivet.devices.world.road import Mode
from trivet.devices.world.world import World

__all__ = ["DayKind", "DayPlan", "Episode", "Mode", "Span", "World"]

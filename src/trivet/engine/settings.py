"""Every number by which the engine judges movement, in one place.

Sources: D. Ashbrook and T. Starner, "Using GPS to learn significant locations and
predict movement across multiple users", Personal and Ubiquitous Computing 7 (2003): ten
minutes make a place, found at the knee of places against minutes. R. Hariharan and
K. Toyama, "Project Lachesis: parsing and modeling location histories", GIScience
(2004): a stay is a roaming distance and a duration. Y. Zheng et al., "Mining
interesting locations and travel sequences from GPS trajectories", WWW (2009): 200 m.
"""

from __future__ import annotations

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """Numbers of the engine's first floor; the defaults suit a person in a town.

    Attributes:
        stay_radius_m: who moves no further than this is staying.
        stay_s: how long that must last; a red light and a jam do not.
        known_stay_s: how long it must last at a place stayed at before.
        leave_radius_m: who is further than this from a stay's centre is leaving it.
        leave_s: how long that must last, so that drift is not a departure.
        gap_radius_m: a silence that ends no further than this from where it began
            was a stay.
        lost_s: a silence longer than this that ends further away ends a trip.
        far_m: a silence that ends further than this says nothing of what was between.
        max_speed_mps: a faster fix is an outlier.
        max_accuracy_m: a fix that is less sure than this is left out.
        place_radius_m: stays closer than this are at one place.
        least_trip_m: a loop shorter than this belongs to the stay it began from.
        half_life_d: days after which an old trip weighs half, for destinations.
        role_half_life_d: days after which an old hour weighs half, for home and work.
        most_trips: trips kept in all; the oldest go first.
        most_traces: traces kept for one pair of origin and destination.
        trace_points: points kept of a past trip's trace.
    """

    stay_radius_m: float = 150.0
    stay_s: float = 600.0
    known_stay_s: float = 300.0
    leave_radius_m: float = 200.0
    leave_s: float = 30.0
    gap_radius_m: float = 300.0
    lost_s: float = 1800.0
    far_m: float = 2000.0
    max_speed_mps: float = 70.0
    max_accuracy_m: float = 250.0
    place_radius_m: float = 200.0
    least_trip_m: float = 400.0
    half_life_d: float = 60.0
    role_half_life_d: float = 21.0
    most_trips: int = 20_000
    most_traces: int = 20
    trace_points: int = 128

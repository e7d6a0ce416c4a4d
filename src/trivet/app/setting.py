"""Paths of the household's settings that a mind obeys."""

from __future__ import annotations

#: Where the simulated household's time stands, by its seed.
CLOCK = "settings/simulation/{seed}"
#: Where the most suggestions a day stand.
MOST = "settings/suggestions/max_per_day"
#: Whether the mind learns; false to have it predict and learn nothing.
LEARNS = "settings/learning/on"
#: Whether the home's routine is learned and foretold; false where it costs too much.
ROUTINE = "settings/routine/on"

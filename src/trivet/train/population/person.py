"""A made-up person: where they live and work, what draws them, and how it drifts.

Where somebody goes next is exploration or return: somewhere new with a chance that
falls with the number of places known, else back to where they went often and lately (C.
Song, T. Koren, P. Wang, A.-L. Barabási, "Modelling the scaling properties of human
mobility", Nature Physics 6, 2010), near rather than far (L. Pappalardo et al.,
"Returners and explorers dichotomy in human mobility", Nature Communications 6, 2015).
"""

from __future__ import annotations

from math import hypot

import msgspec
import numpy as np
from numpy.random import Generator

from trivet.train.population.journey import BIKE, BUS, CAR, METRO, WALK, Navigator
from trivet.train.population.town import Spot, Town

#: Chance of somewhere new is this times the number of known places to a power.
_EXPLORES, _FADES = 0.6, 0.21
_HALF_LIFE_D = 75.0
_HOUR_WIDTH_H = 2.5


class Haunt(msgspec.Struct):
    """A place that somebody goes back to.

    Attributes:
        spot: where.
        hour: of the day at which they usually go.
        weekend: whether they go at weekends.
        stay_h: usual length of a stay in hours.
        near_work: they go there from work.
        visits: faded number of visits.
        day: of the last visit.
    """

    spot: Spot
    hour: float
    weekend: bool
    stay_h: float
    near_work: bool
    visits: float = 1.0
    day: float = 0.0


class Person:
    """One person in one town.

    Args:
        town: where they live.
        rng: theirs alone.
    """

    def __init__(self, town: Town, rng: Generator) -> None:
        self._town, self._rng = town, rng
        #: for all that befalls them
        self.rng = rng
        centre = (0.0, 0.0)
        self.home = town.pick(rng, centre, float(rng.uniform(0.0, 0.6)))
        self.works = rng.random() < 0.8
        self.sites = [town.pick(rng, self.home, float(rng.uniform(0.4, 1.6)))]
        while rng.random() < 0.4 and len(self.sites) < 5:
            reach = 2.5 if rng.random() < 0.7 else 1.0  # a campus, or across the town
            self.sites.append(town.pick(rng, self.sites[0], reach))
        self.haunts: list[Haunt] = []
        self._curiosity = float(rng.uniform(0.6, 2.4))
        self._reach = float(rng.uniform(1.3, 2.3))
        self._loyalty = float(rng.uniform(0.8, 1.3))
        self._owns_car = rng.random() < 0.55
        self._owns_bike = rng.random() < 0.45
        self._likes_metro = rng.random() < 0.35
        self._walks_m = float(rng.uniform(500.0, 1800.0))
        variety = float(rng.beta(1.5, 4.0))
        pace = float(rng.uniform(0.85, 1.2))
        self.ways = Navigator(town, rng, variety, pace)

    def means(self, a: Spot, b: Spot) -> str:
        """What somebody goes by from one point to another."""
        rng, away_m = self._rng, hypot(a[0] - b[0], a[1] - b[1])
        if away_m < self._walks_m * float(rng.lognormal(0.0, 0.25)):
            return WALK
        if self._owns_bike and away_m < 4500.0 and rng.random() < 0.75:
            return BIKE
        if self._owns_car and rng.random() < 0.85:
            return CAR
        if self._likes_metro and away_m > 3000.0 and rng.random() < 0.7:
            return METRO
        return BUS if rng.random() < 0.8 else CAR

    def choose(
        self,
        here: Spot,
        day: float,
        hour: float,
        weekend: bool,
        *,
        at_work: bool,
        explores: bool = False,
    ) -> Haunt:
        """Where they go for an hour or so: back to a haunt, or somewhere new."""
        rng = self._rng
        alike = [h for h in self.haunts if h.near_work == at_work]
        chance = _EXPLORES * self._curiosity * max(1, len(alike)) ** -_FADES
        if not alike or explores or rng.random() < chance:
            haunt = self._explore(here, hour, weekend, at_work)
            self.haunts.append(haunt)
        else:
            worth = np.array([self._worth(h, here, day, hour, weekend) for h in alike])
            haunt = alike[int(rng.choice(len(alike), p=worth / worth.sum()))]
        haunt.visits = haunt.visits * 0.5 ** ((day - haunt.day) / _HALF_LIFE_D) + 1.0
        haunt.day = day
        return haunt

    def move(self) -> None:
        """Find another home, or another work: a life changes."""
        rng = self._rng
        if rng.random() < 0.5:
            self.home = self._town.pick(rng, self.sites[0], 0.8)
        else:
            self.sites[0] = self._town.pick(rng, self.home, 0.8)

    def _explore(self, here: Spot, hour: float, weekend: bool, at_work: bool) -> Haunt:
        rng = self._rng
        reach = 3.0 if at_work else self._reach
        around = here if at_work or rng.random() < 0.5 else self.home
        stay_h = float(rng.lognormal(-0.2 if at_work else 0.1, 0.6))
        spot = self._town.pick(rng, around, reach)
        return Haunt(spot, hour, weekend, stay_h, at_work)

    def _worth(
        self, haunt: Haunt, here: Spot, day: float, hour: float, weekend: bool
    ) -> float:
        """How much a haunt draws now."""
        apart = abs(haunt.hour - hour)
        apart = min(apart, 24.0 - apart)
        faded = haunt.visits * 0.5 ** ((day - haunt.day) / _HALF_LIFE_D)
        away_m = hypot(haunt.spot[0] - here[0], haunt.spot[1] - here[1])
        if away_m < 250.0:
            return 1e-6  # they are there
        timely = 0.12 + np.exp(-0.5 * (apart / _HOUR_WIDTH_H) ** 2)
        kind = 1.0 if haunt.weekend == weekend else 0.45
        near = (away_m + 1500.0) ** -0.6
        return float((faded + 0.05) ** self._loyalty * timely * kind * near)

"""Ada's habits: which stops a day of each kind has, with their variation.

A habit is a share: how often it happens on its day. Times are local hours.
"""

from __future__ import annotations

import msgspec
from numpy.random import Generator

from trivet.devices.world.chance import near
from trivet.devices.world.plan import DayKind
from trivet.devices.world.road import Mode
from trivet.devices.world.town import FLAT, FRIENDS, HOME, WORK, Town

#: Shares by weekday from Monday on.
SCHOOL_RUN = (0.2, 0.85, 0.15, 0.85, 0.2)
GYM = (0.85, 0.0, 0.0, 0.85, 0.0)
GROCERIES = (0.05, 0.5, 0.3, 0.05, 0.1, 0.65, 0.0)
MALL_FRIDAY, MALL_SATURDAY, DINNER_AFTER_MALL = 0.45, 0.4, 0.65
LUNCH_OUT = 0.45
DINNER_OUT = (0.0, 0.03, 0.06, 0.03, 0.3, 0.35, 0.06)
FRIENDS_VISIT = (0.0, 0.0, 0.03, 0.0, 0.15, 0.35, 0.25)
PHARMACY = 0.04
CINEMA, BAKERY, PARK = 0.12, 0.55, 0.45


class Stop(msgspec.Struct, frozen=True):
    """Somewhere to go.

    Attributes:
        place: id of the place.
        reason: why.
        leave: local hour of setting off; None is as soon as the stay before is over.
        stay_min: how long to stay unless the next stop names its hour.
        mode: how to get there.
        with_family: Ben and Cleo come too.
    """

    place: str
    reason: str
    leave: float | None = None
    stay_min: float = 0.0
    mode: Mode = Mode.CAR
    with_family: bool = False


class Routine:
    """Draws the stops of one day."""

    def __init__(self, town: Town, rng: Generator, weekday: int) -> None:
        self._town = town
        self._rng = rng
        self._weekday = weekday
        self._stops: list[Stop] = []

    def stops(self, kind: DayKind) -> list[Stop]:
        """The day's stops in order; the last is where Ada sleeps."""
        draw = {
            DayKind.WORK: self._work,
            DayKind.HOME_OFFICE: self._home_office,
            DayKind.SICK: self._sick,
            DayKind.HOLIDAY_OUT: self._holiday_out,
            DayKind.HOLIDAY: self._holiday,
            DayKind.HOLIDAY_BACK: self._holiday_back,
        }
        if kind is DayKind.WEEKEND:
            if self._weekday == 5:
                self._saturday()
            else:
                self._sunday()
        else:
            draw[kind]()
        return self._stops

    def _chance(self, share: float) -> bool:
        return bool(self._rng.random() < share)

    def _near(self, mean: float, spread: float) -> float:
        return near(self._rng, mean, spread)

    def _go(
        self,
        place: str,
        reason: str,
        leave: float | None = None,
        stay_min: float = 0.0,
        *,
        mode: Mode = Mode.CAR,
        family: bool = False,
    ) -> None:
        self._stops.append(Stop(place, reason, leave, stay_min, mode, family))

    def _home(
        self,
        reason: str = "home",
        leave: float | None = None,
        *,
        mode: Mode = Mode.CAR,
        family: bool = False,
    ) -> None:
        self._go(HOME, reason, leave, 15.0, mode=mode, family=family)

    def _work(self) -> None:
        weekday = self._weekday
        if self._chance(SCHOOL_RUN[weekday]):
            school = self._town.of_kind("school")[0]
            self._go(school, "school run", self._near(7.45, 0.07), self._near(4.5, 1))
            self._go(WORK, "work")
        else:
            self._go(WORK, "work", self._near(7.75, 0.22))
        if self._chance(LUNCH_OUT):
            places = ("Kantine Werkhof", "Bowl & Blatt", "Bistro Linde", "Röstwerk")
            place = self._town.named(places[int(self._rng.choice(4, p=_LUNCH_TASTE))])
            leave = self._near(12.2, 0.17)
            self._go(place, "lunch", leave, self._near(38, 7), mode=Mode.WALK)
            self._go(WORK, "work", mode=Mode.WALK)
        self._evening(self._near(16.1 if weekday == 4 else 17.05, 0.28))

    def _home_office(self) -> None:
        if self._chance(SCHOOL_RUN[self._weekday] / 2):
            school = self._town.of_kind("school")[0]
            self._go(school, "school run", self._near(7.45, 0.07), self._near(4.5, 1))
            self._home("home office")
        elif self._chance(0.5):
            cafe = self._town.named("Café Morgenrot")
            leave = self._near(12.4, 0.3)
            self._go(cafe, "lunch", leave, self._near(32, 6), mode=Mode.WALK)
            self._home("home office", mode=Mode.WALK)
        self._evening(self._near(16.9, 0.3))

    def _evening(self, leave: float) -> None:
        """From the end of work on."""
        weekday = self._weekday
        start = len(self._stops)
        first: float | None = leave
        if self._chance(PHARMACY):
            place = self._town.of_kind("pharmacy")[0]
            self._go(place, "errand", first, self._near(7, 2))
            first = None
        if self._chance(GYM[weekday]):
            self._go(self._town.of_kind("gym")[0], "gym", first, self._near(78, 9))
            first = None
        elif self._chance(GROCERIES[weekday]):
            self._go(self._supermarket(), "groceries", first, self._near(27, 6))
            first = None
        if weekday == 4 and self._chance(MALL_FRIDAY):
            self._mall(first if first is None else first + 1.0, family=False)
            first = None
        was_home = not self._stops or self._stops[-1].place == HOME
        if len(self._stops) > start or not was_home:
            self._home(leave=first)
        self._night_out()

    def _mall(self, leave: float | None, *, family: bool) -> None:
        mall = self._town.of_kind("mall")[0]
        self._go(mall, "shopping", leave, self._near(98, 15), family=family)
        if self._chance(DINNER_AFTER_MALL):
            place = self._restaurant(_NEAR_MALL, 19.2)
            stay = self._near(72, 9)
            self._go(place, "dinner out", None, stay, mode=Mode.CAR, family=family)

    def _night_out(self) -> None:
        """Dinner or friends, from home, when the day has not had enough of it."""
        if any(stop.reason == "dinner out" for stop in self._stops):
            return
        if self._chance(DINNER_OUT[self._weekday]):
            place = self._restaurant(_IN_TOWN, 19.2)
            leave, stay = self._near(18.9, 0.2), self._near(92, 13)
            self._go(place, "dinner out", leave, stay, family=True)
            self._home(family=True)
        elif self._chance(FRIENDS_VISIT[self._weekday]):
            friend = FRIENDS[int(self._rng.choice(2, p=(0.65, 0.35)))]
            leave, stay = self._near(18.7, 0.3), self._near(165, 28)
            self._go(friend, "friends", leave, stay, family=True)
            self._home(family=True)

    def _saturday(self) -> None:
        if self._chance(GROCERIES[5]):
            leave, stay = self._near(10.1, 0.35), self._near(42, 8)
            self._go(self._supermarket(), "groceries", leave, stay)
            self._home()
        elif self._chance(BAKERY):
            self._bakery()
        if self._chance(MALL_SATURDAY):
            family = self._chance(0.6)
            self._mall(self._near(16.7, 0.35), family=family)
            self._home(family=family)
            return
        if self._chance(CINEMA):
            cinema = self._town.of_kind("cinema")[0]
            self._go(cinema, "cinema", self._near(19.3, 0.15), self._near(130, 12))
            self._home()
            return
        self._night_out()

    def _sunday(self) -> None:
        if self._chance(BAKERY):
            self._bakery()
        if self._chance(PARK):
            park = self._town.of_kind("park")[0]
            leave, stay = self._near(14.2, 0.4), self._near(70, 15)
            self._go(park, "outing", leave, stay, family=True)
            self._home(family=True)
        elif self._chance(FRIENDS_VISIT[6]):
            leave, stay = self._near(15.2, 0.3), self._near(180, 25)
            self._go(FRIENDS[0], "friends", leave, stay, family=True)
            self._home(family=True)
        self._night_out()

    def _bakery(self) -> None:
        bakery = self._town.of_kind("bakery")[0]
        leave, stay = self._near(9.0, 0.3), self._near(6, 1.5)
        self._go(bakery, "bakery", leave, stay, mode=Mode.WALK)
        self._home(mode=Mode.WALK)

    def _sick(self) -> None:
        if self._chance(0.5):
            place = self._town.of_kind("pharmacy")[0]
            self._go(place, "medicine", self._near(10.6, 0.5), self._near(9, 2))
            self._home("sick")

    def _holiday_out(self) -> None:
        services = self._town.named("Rasthof Heidekrug")
        leave = self._near(9.4, 0.3)
        self._go(services, "rest stop", leave, self._near(24, 4), family=True)
        self._go(FLAT, "holiday", None, 60.0, family=True)

    def _holiday(self) -> None:
        if self._chance(0.7):
            beach = self._town.named("Nordstrand")
            leave, stay = self._near(11.0, 0.5), self._near(190, 40)
            self._go(beach, "outing", leave, stay, family=True)
            self._go(FLAT, "holiday", None, 30.0, family=True)
        if self._chance(0.3):
            leave, stay = self._near(16.6, 0.3), self._near(20, 5)
            self._go(self._town.named("Inselmarkt"), "groceries", leave, stay)
            self._go(FLAT, "holiday", None, 30.0)
        if self._chance(0.5) and self._weekday != 0:
            leave, stay = self._near(18.8, 0.3), self._near(85, 12)
            place = self._town.named("Zur Boje")
            walk = Mode.WALK
            self._go(place, "dinner out", leave, stay, mode=walk, family=True)
            self._go(FLAT, "holiday", None, mode=walk, family=True)

    def _holiday_back(self) -> None:
        services = self._town.named("Rasthof Heidekrug")
        leave = self._near(10.3, 0.3)
        self._go(services, "rest stop", leave, self._near(24, 4), family=True)
        self._home("back from holiday", family=True)

    def _supermarket(self) -> str:
        markets = self._town.of_kind("supermarket")
        return markets[0] if self._chance(0.85) else markets[1]

    def _restaurant(self, taste: dict[str, float], hour: float) -> str:
        """One of those that are open, the liked ones more often."""
        choice = {
            place: weight
            for place, weight in (
                (self._town.named(name), weight) for name, weight in taste.items()
            )
            if self._town.is_open(place, self._weekday, hour)
        }
        weights = list(choice.values())
        total = sum(weights)
        pick = self._rng.choice(len(weights), p=[w / total for w in weights])
        return list(choice)[int(pick)]


_LUNCH_TASTE = (0.5, 0.25, 0.1, 0.15)
_NEAR_MALL = {
    "Trattoria Levante": 5.0,
    "Sakura Garden": 3.0,
    "Little Hanoi": 2.0,
    "Anatolia Grill": 1.0,
    "Brauhaus Kupferkanne": 1.0,
}
_IN_TOWN = {
    "Osteria Ponte": 4.0,
    "Trattoria Levante": 3.0,
    "Casa Tapa": 2.0,
    "Sakura Garden": 2.0,
    "Tandoori Haus": 1.0,
    "Meze am Fluss": 1.0,
    "Zum Alten Speicher": 1.0,
}

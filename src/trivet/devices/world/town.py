"""The town: what stands where, with OpenStreetMap's words. Every name is invented."""

from __future__ import annotations

import msgspec

from trivet.devices.world.chance import stream
from trivet.devices.world.road import Roads
from trivet.devices.world.street import CENTRE, VILLAGE, Point, StreetPlan
from trivet.domain.error import UsageError
from trivet.domain.geo import offset
from trivet.domain.place import Place, PlaceRole, PointOfInterest

HOME, WORK, FLAT = "home", "work", "flat"
FRIENDS = ("friend-mara", "friend-tom")

_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
#: (first weekday, last weekday, opens, closes), local hours.
Hours = tuple[tuple[int, int, float, float], ...]

_EVENING: Hours = ((1, 6, 17.0, 23.0),)
_ALL_DAY: Hours = ((0, 6, 11.5, 23.0),)
_LUNCH: Hours = ((0, 4, 11.0, 15.0),)
_CAFE: Hours = ((0, 6, 7.5, 18.5),)
_SHOP: Hours = ((0, 5, 7.0, 21.0),)
_MALL: Hours = ((0, 5, 9.5, 21.0),)
_GYM: Hours = ((0, 4, 6.0, 23.0), (5, 6, 9.0, 21.0))
_OFFICE: Hours = ((0, 4, 8.0, 18.5), (5, 5, 9.0, 13.0))
_SCHOOL: Hours = ((0, 4, 7.5, 17.5),)
_CINEMA: Hours = ((0, 6, 14.0, 23.5),)
_ALWAYS: Hours = ((0, 6, 0.0, 24.0),)

Row = tuple[str, str, float, float, Hours, str, int, float]
#: name, kind, km east and north of the centre, hours, cuisine, capacity, popularity
_TOWN: tuple[Row, ...] = (
    ("Trattoria Levante", "restaurant", -2.1, 1.35, _ALL_DAY, "italian", 70, 1.0),
    ("Sakura Garden", "restaurant", -2.3, 1.1, _EVENING, "japanese", 48, 1.04),
    ("Brauhaus Kupferkanne", "restaurant", -1.8, 1.2, _ALL_DAY, "german", 160, 0.85),
    ("Anatolia Grill", "restaurant", -2.4, 1.5, _ALL_DAY, "turkish", 60, 0.8),
    ("Little Hanoi", "restaurant", -1.7, 1.6, _ALL_DAY, "vietnamese", 40, 0.9),
    ("Zum Alten Speicher", "restaurant", 0.3, 0.2, _EVENING, "german", 90, 0.9),
    ("Osteria Ponte", "restaurant", 0.6, -0.3, _EVENING, "italian", 55, 1.0),
    ("Casa Tapa", "restaurant", -0.2, 0.4, _EVENING, "spanish", 45, 1.02),
    ("Tandoori Haus", "restaurant", -0.5, -0.4, _ALL_DAY, "indian", 50, 0.75),
    ("Meze am Fluss", "restaurant", 1.0, 0.5, _EVENING, "greek", 80, 0.88),
    ("Bistro Linde", "restaurant", 2.4, 2.9, _ALL_DAY, "regional", 60, 0.8),
    ("Kantine Werkhof", "fast_food", 2.9, 2.8, _LUNCH, "regional", 120, 0.95),
    ("Bowl & Blatt", "fast_food", 2.5, 3.35, _LUNCH, "salad", 30, 0.95),
    ("Burger Depot", "fast_food", -2.0, 1.3, _ALL_DAY, "burger", 60, 0.9),
    ("Café Morgenrot", "cafe", -2.2, -3.1, _CAFE, "coffee_shop", 35, 0.9),
    ("Café Uferblick", "cafe", 0.8, 0.1, _CAFE, "cake", 50, 1.0),
    ("Röstwerk", "cafe", 2.95, 3.2, _CAFE, "coffee_shop", 30, 0.9),
    ("Backstube Ährenkorn", "bakery", -2.45, -3.25, _CAFE, "", 0, 1.0),
    ("Frischmarkt Süd", "supermarket", -1.1, -2.4, _SHOP, "", 480, 1.0),
    ("Frischmarkt Mitte", "supermarket", 0.1, 0.7, _SHOP, "", 240, 1.05),
    ("Arkaden am Westring", "mall", -2.05, 1.25, _MALL, "", 0, 1.0),
    ("Kraftraum Ost", "gym", 1.6, 0.9, _GYM, "", 0, 1.0),
    ("Grundschule am Wehr", "school", -0.9, -2.0, _SCHOOL, "", 0, 1.0),
    ("Linden-Apotheke", "pharmacy", -0.3, -1.0, _OFFICE, "", 60, 0.8),
    ("Lichtspiele", "cinema", 0.2, -0.1, _CINEMA, "", 240, 1.0),
    ("Stadtpark", "park", 0.9, 1.6, _ALWAYS, "", 0, 1.0),
    ("Tankhof Westring", "fuel", -2.9, 0.3, _ALWAYS, "", 0, 1.0),
    ("Ladepark Süd", "charging_station", -1.15, -2.35, _ALWAYS, "", 8, 1.0),
)
_VILLAGE: tuple[Row, ...] = (
    ("Strandkiosk", "fast_food", 1.2, 1.1, _ALL_DAY, "fish", 40, 0.8),
    ("Zur Boje", "restaurant", 0.6, 0.6, _EVENING, "seafood", 60, 0.9),
    ("Inselmarkt", "supermarket", 0.4, 0.3, _SHOP, "", 240, 0.9),
    ("Nordstrand", "beach", 1.3, 1.15, _ALWAYS, "", 0, 1.0),
)
#: id, name, role, km east and north of the centre
_PRIVATE = (
    (HOME, "Home", PlaceRole.HOME, -2.3, -3.5),
    (WORK, "Work", PlaceRole.WORK, 2.7, 3.1),
    (FRIENDS[0], "Mara's place", PlaceRole.OTHER, 3.0, -2.8),
    (FRIENDS[1], "Tom's place", PlaceRole.OTHER, -3.0, 3.4),
)


class _Poi(msgspec.Struct, frozen=True):
    poi: PointOfInterest
    hours: Hours
    popularity: float


class Town:
    """Places of the town and of the holiday village.

    Attributes:
        points_of_interest: what a map would show.
        places: every place that Ada goes to, by id, private ones too.
    """

    def __init__(self, plan: StreetPlan, roads: Roads, seed: int) -> None:
        self._plan = plan
        self._roads = roads
        self._seed = seed
        self._known: dict[str, _Poi] = {}
        self._crossing: dict[str, int] = {}
        self.places: dict[str, Place] = {}
        for identity, name, role, east, north in _PRIVATE:
            self._put(identity, name, self._free(CENTRE, east, north), role)
        self._put(FLAT, "Holiday flat", plan.village + 6)
        for centre, rows in ((CENTRE, _TOWN), (VILLAGE, _VILLAGE)):
            for row in rows:
                self._put_poi(row, self._free(centre, row[2], row[3]))
        stop = ("Rasthof Heidekrug", "charging_station", 0, 0, _ALWAYS, "", 12, 1.0)
        self._put_poi(stop, plan.services)
        self.points_of_interest = tuple(k.poi for k in self._known.values())

    def _free(self, centre: Point, east_km: float, north_km: float) -> int:
        """The nearest crossing where nothing stands yet: every way has a length."""
        lat, lon = offset(*centre, 1000.0 * east_km, 1000.0 * north_km)
        return self._roads.nearest(lat, lon, set(self._crossing.values()))

    def _put(
        self, identity: str, name: str, crossing: int, role: PlaceRole = PlaceRole.OTHER
    ) -> tuple[float, float]:
        """Stand something some 20 to 45 m off a crossing."""
        rng = stream(self._seed, "doorstep", len(self.places))
        east, north = (
            float(rng.choice((-1, 1)) * rng.uniform(14.0, 32.0)) for _ in range(2)
        )
        lat, lon = offset(*self._plan.crossings[crossing], east, north)
        lat, lon = round(lat, 6), round(lon, 6)
        self.places[identity] = Place(identity, lat, lon, 60.0, role, name)
        self._crossing[identity] = crossing
        return lat, lon

    def _put_poi(self, row: Row, crossing: int) -> None:
        name, kind, _, _, hours, cuisine, capacity, popularity = row
        identity = f"node/{9001 + len(self._known)}"
        lat, lon = self._put(identity, name, crossing)
        poi = PointOfInterest(
            identity, name, kind, lat, lon, _text(hours), cuisine, capacity
        )
        self._known[identity] = _Poi(poi, hours, popularity)

    def crossing(self, place: str) -> int:
        """Index of the crossing at a place's door."""
        return self._crossing[place]

    def parking(self, place: str) -> Point:
        """Latitude and longitude where the car stands when Ada is at a place."""
        return self._plan.crossings[self._crossing[place]]

    def named(self, name: str) -> str:
        """Id of the point of interest of that name."""
        return next(i for i, k in self._known.items() if k.poi.name == name)

    def of_kind(self, *kinds: str) -> list[str]:
        """Ids of the town's points of interest of these kinds."""
        return [
            identity
            for identity, known in self._known.items()
            if known.poi.kind in kinds and known.poi.lat < CENTRE[0] + 0.1
        ]

    def point_of_interest(self, identity: str) -> PointOfInterest:
        """One point of interest.

        Raises:
            UsageError: there is none of that id.
        """
        return self._find(identity).poi

    def popularity(self, identity: str) -> float:
        """How sought after it is; 1 is usual."""
        return self._find(identity).popularity

    def is_open(self, identity: str, weekday: int, hour: float) -> bool:
        """Whether it is open at a local hour; 0 is Monday."""
        return any(
            first <= weekday <= last and opens <= hour < closes
            for first, last, opens, closes in self._find(identity).hours
        )

    def _find(self, identity: str) -> _Poi:
        known = self._known.get(identity)
        if known is None:
            raise UsageError(
                f"no point of interest {identity!r} in this world",
                hint="World.points_of_interest lists them",
            )
        return known


def _text(hours: Hours) -> str:
    """OpenStreetMap's opening_hours text."""
    if hours is _ALWAYS:
        return "24/7"
    parts = []
    for first, last, opens, closes in hours:
        days = _DAYS[first] if first == last else f"{_DAYS[first]}-{_DAYS[last]}"
        clock = "-".join(
            f"{int(h):02d}:{round(h % 1 * 60):02d}" for h in (opens, closes)
        )
        parts.append(f"{days} {clock}")
    return "; ".join(parts)

"""Laws of corrections: of a place and not of an id, obeyed again and again, undone."""

from __future__ import annotations

from functools import cache

import pytest
from tests.engine.life import (
    HOME,
    SHOP,
    WORK,
    Spot,
    commute,
    drive,
    here,
    learner,
    monday,
    stay,
)

from trivet.app.correction import MOST, SAME_M, Correction, Corrector, corrections_of
from trivet.app.mind import Mind, Roles
from trivet.app.place_view import MAX_NAME, CorrectPlace, Doing
from trivet.app.placing import Placing, find_place, rows_of
from trivet.domain import PlaceRole, Sample, UsageError
from trivet.domain.geo import distance_m, offset
from trivet.engine import Anticipator
from trivet.fabric.replica import Put
from trivet.fabric.replica.change import split

#: Where the errands of two Saturdays lead.
FIRST, SECOND = 5, 12


def errand(day: int, spot: Spot = SHOP) -> list[Sample]:
    """From home at ten to the shop for an hour, and back."""
    return [
        *stay(monday(0, day), HOME, 10 * 3600, 600),
        *drive(monday(10, day), HOME, spot),
        *stay(monday(10.3, day), spot, 3600.0, 300),
        *drive(monday(11.4, day), spot, HOME),
        *stay(monday(11.8, day), HOME, 12 * 3600, 600),
    ]


@cache
def known(days: int = 12) -> bytes:
    samples = commute(5) + errand(FIRST)
    if days > SECOND:
        samples += commute(5, 7) + errand(SECOND)
    return learner(samples).snapshot()


def mind(days: int = 12) -> Anticipator:
    return Anticipator.restore(known(days), here())


def at(anticipator: Anticipator, spot: Spot) -> str:
    """Id of the place at a spot, empty if none is known."""
    lat, lon = offset(49.0, 8.4, *spot)
    return Correction("", lat=lat, lon=lon).place_in(anticipator.places)


def said(spot: Spot, **fields: object) -> Correction:
    lat, lon = offset(49.0, 8.4, *spot)
    return corrections_of(
        {f"x/{k}": v for k, v in fields.items()} | {"x/lat": lat, "x/lon": lon}
    )[0]


def obeyed(anticipator: Anticipator, *corrections: Correction) -> Corrector:
    corrector = Corrector()
    corrector.take(corrections)
    assert corrector.apply(anticipator)
    assert not corrector.apply(anticipator)  # nothing new: nothing to do
    return corrector


def test_a_name_and_a_role_are_the_persons_until_taken_back() -> None:
    anticipator = mind()
    shop = at(anticipator, SHOP)
    corrector = obeyed(anticipator, said(SHOP, name="Corner", role="work"))
    assert anticipator.places[shop].name == "Corner"
    assert anticipator.places[shop].role is PlaceRole.WORK
    assert anticipator.places[at(anticipator, WORK)].role is PlaceRole.OTHER
    corrector.take([said(SHOP, name="", role="")])
    assert corrector.apply(anticipator)
    assert anticipator.places[shop].name == ""
    assert anticipator.places[at(anticipator, WORK)].role is PlaceRole.WORK


def test_a_mind_that_numbers_places_otherwise_obeys_as_well() -> None:
    other = learner(errand(FIRST) + commute(5, 7))
    assert at(other, SHOP) != at(mind(), SHOP) or at(other, WORK) != at(mind(), WORK)
    obeyed(other, said(SHOP, name="Corner"), said(WORK, name="Office"))
    assert other.places[at(other, SHOP)].name == "Corner"
    assert other.places[at(other, WORK)].name == "Office"


def test_a_place_that_is_found_later_has_its_name_at_once() -> None:
    anticipator = learner(commute(5))
    corrector = obeyed(anticipator, said(SHOP, name="Corner"))
    for sample in errand(FIRST):
        anticipator.learn_one(sample)
    assert corrector.apply(anticipator)
    assert anticipator.places[at(anticipator, SHOP)].name == "Corner"


def test_what_is_forgotten_stays_so_when_it_is_learned_anew() -> None:
    until = monday(23.0, FIRST)
    for _ in range(2):  # as lived, and as after a restart
        anticipator = mind()
        obeyed(anticipator, said(SHOP, forgotten=until))
        assert not at(anticipator, SHOP)
        assert at(anticipator, WORK)


def test_who_goes_there_again_finds_it_with_what_came_since() -> None:
    anticipator = mind(SECOND + 1)
    shop = at(anticipator, SHOP)
    assert anticipator.places[shop].visits == 2
    obeyed(anticipator, said(SHOP, forgotten=monday(23.0, FIRST)))
    assert anticipator.places[at(anticipator, SHOP)].visits == 1
    assert [
        s.arrival > monday(0.0, SECOND)
        for s in anticipator.stays
        if s.place == at(anticipator, SHOP)
    ] == [True]


def test_a_place_of_many_stays_is_forgotten_in_one_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each erasure makes all anew, while the device does nothing else."""
    anticipator, erased = mind(), []
    erase = anticipator._erase
    monkeypatch.setattr(anticipator, "_erase", lambda work: erased.append(erase(work)))
    obeyed(anticipator, said(WORK, forgotten=monday(0.0, 4)))
    assert anticipator.places[at(anticipator, WORK)].visits == 1
    assert len(erased) == 1


def test_two_places_are_one_and_take_the_name_of_the_one_kept() -> None:
    anticipator = mind()
    shop, work = at(anticipator, SHOP), at(anticipator, WORK)
    lat, lon = offset(49.0, 8.4, *WORK)
    office = Correction("office", name="Office", lat=lat, lon=lon)
    obeyed(anticipator, office, said(SHOP, same_as="office"))
    assert shop not in anticipator.places
    assert anticipator.places[work].name == "Office"
    assert {s.place for s in anticipator.stays} == {work, at(anticipator, HOME)}


def test_a_name_stays_while_the_centre_moves_with_each_stay() -> None:
    """Said after the first stay there; the later ones were at its other end."""
    anticipator, end = mind(), (SHOP[0] + 125.0, SHOP[1])
    shop = at(anticipator, SHOP)
    corrector = obeyed(anticipator, said(SHOP, name="Corner"))
    for week in range(1, 4):
        for sample in errand(FIRST + 7 * week, end):
            anticipator.learn_one(sample)
        corrector.apply(anticipator)
    place = anticipator.places[shop]
    assert place.lat is not None
    assert place.lon is not None
    assert distance_m(*offset(49.0, 8.4, *SHOP), place.lat, place.lon) > SAME_M
    assert place.name == "Corner"
    again = mind()
    for week in range(1, 4):
        for sample in errand(FIRST + 7 * week, end):
            again.learn_one(sample)
    obeyed(again, said(SHOP, name="Corner"))
    assert again.places[at(again, end)].name == "Corner"


async def test_a_name_that_was_given_from_afar_is_taken_back() -> None:
    one = Written(mind())
    lat, lon = offset(49.0, 8.4, SHOP[0] + 100.0, SHOP[1])
    await one.write(
        Put("places/x/name", "Corner"),
        Put("places/x/lat", lat),
        Put("places/x/lon", lon),
    )
    shop = at(one.mind.anticipator, SHOP)
    assert find_place(one.mind, shop).label == "Corner"
    await one.say(shop, Doing.NAME)
    assert find_place(one.mind, shop).label != "Corner"


async def test_what_is_said_of_a_place_forgets_nothing_next_to_one_forgotten() -> None:
    one = Written(mind())
    shop, time = at(one.mind.anticipator, SHOP), monday(23.0, FIRST)
    lat, lon = offset(49.0, 8.4, SHOP[0] + 120.0, SHOP[1])
    await one.write(
        Put("places/x/forgotten", time),
        Put("places/x/lat", lat),
        Put("places/x/lon", lon),
    )
    await one.say(shop, Doing.NAME, "Corner")
    assert find_place(one.mind, shop).label == "Corner"
    assert at(one.again().anticipator, SHOP)


def test_what_nobody_understands_counts_as_not_said() -> None:
    (odd,) = corrections_of(
        {
            "x/name": 7,
            "x/role": "castle",
            "x/lat": 91.0,
            "x/lon": True,
            "x/forgotten": "soon",
            "x/same_as": 1.5,
            "x/later": "of a newer version",
        }
    )
    assert odd == Correction("x")
    assert corrections_of({}) == ()
    assert not Corrector().apply(mind())


def test_attack_a_name_that_speaks_to_a_terminal_counts_as_not_said() -> None:
    (odd,) = corrections_of({"x/name": "a\x1b[2J"})
    assert odd.name == ""


def test_attack_an_id_that_cannot_be_written_is_not_obeyed_and_takes_no_room() -> None:
    ids = ["", "\x00", "a\nb", "x" * 121, "é" * 120]
    many: dict[str, object] = {f"\x01{n}/name": "evil" for n in range(MOST)}
    values = many | {f"{id}/name": "evil" for id in ids} | {"p1/name": "Nest"}
    assert corrections_of(values) == (Correction("p1", name="Nest"),)


@pytest.mark.parametrize("lat", [float("nan"), float("inf"), 1e300, "49", None, 91])
def test_attack_a_point_that_is_none_is_no_place_by_its_number(lat: object) -> None:
    anticipator = mind()
    shop = at(anticipator, SHOP)
    fields = {"lat": lat, "lon": 8.4, "name": "Elsewhere", "forgotten": 1e300}
    obeyed(anticipator, *corrections_of({f"{shop}/{k}": v for k, v in fields.items()}))
    assert anticipator.places[shop].name == ""


def test_what_holds_already_is_not_obeyed_anew() -> None:
    anticipator = mind()
    corrector = obeyed(anticipator, said(SHOP, name="Corner"))
    corrector.take([said(SHOP, name="Corner")])
    assert not corrector.apply(anticipator)
    corrector.take([said(SHOP, name="Mill")])
    assert corrector.apply(anticipator)


def test_attack_a_name_as_long_as_a_book_is_cut_and_many_are_not_all_obeyed() -> None:
    values: dict[str, object] = {f"p{n}/name": "x" * 16_000 for n in range(3 * MOST)}
    found = corrections_of(values)
    assert len(found) == MOST
    assert {len(each.name) for each in found} == {MAX_NAME}


class Written:
    """A mind whose corrections are kept in a state of its own."""

    def __init__(self, anticipator: Anticipator) -> None:
        self.mind = Mind(Roles(), here(), ())
        self.mind.anticipator = anticipator
        self.values: dict[str, object] = {}

    async def write(self, *puts: Put) -> None:
        for put in puts:
            root, _, key = put.path.partition("/")
            assert root == "places"
            self.values[key] = put.value
        self.mind.correct(corrections_of(self.values))

    async def say(self, place: str, doing: Doing, value: str = "") -> str:
        placing = Placing(self.mind, self.write)
        return await placing.correct(CorrectPlace(place, doing, value), monday(23, 5))

    def again(self) -> Mind:
        """The same past learned anew, obeying the same state."""
        anew = Mind(Roles(), here(), ())
        anew.anticipator = mind()
        anew.correct(corrections_of(self.values))
        return anew


async def test_what_is_said_by_label_is_kept_and_shown() -> None:
    one = Written(mind())
    shop = at(one.mind.anticipator, SHOP)
    label = find_place(one.mind, shop).label
    assert label == "a place 3.6 km south-east of home"
    assert (
        await one.say(label, Doing.NAME, " Corner  shop ") == f"{label} is Corner shop"
    )
    await one.say("corner SHOP", Doing.ROLE, "work")
    row = next(row for row in rows_of(one.mind) if row.id == shop)
    assert (row.label, row.role, row.is_named, row.is_chosen) == (
        "Corner shop",
        PlaceRole.WORK,
        True,
        True,
    )
    assert rows_of(one.again()) == rows_of(one.mind)
    await one.say("Corner shop", Doing.ROLE)
    await one.say("Corner shop", Doing.NAME)
    assert find_place(one.mind, shop).label == label


async def test_a_joined_place_is_forgotten_with_the_one_that_it_was() -> None:
    one = Written(mind())
    await one.say(at(one.mind.anticipator, SHOP), Doing.JOIN, "work")
    assert not at(one.again().anticipator, SHOP)
    await one.say("work", Doing.FORGET)
    for each in (one.mind, one.again()):
        assert not at(each.anticipator, WORK)
        assert not at(each.anticipator, SHOP)
        assert at(each.anticipator, HOME)


def _at_once(lat: float, lon: float) -> tuple[Put, ...]:
    """Of one place the phone says its name, and the home at the same time its role."""
    where = [Put(f"places/{id}/lat", lat) for id in ("p3", "q7")]
    where += [Put(f"places/{id}/lon", lon) for id in ("p3", "q7")]
    return (Put("places/p3/name", "Corner"), Put("places/q7/role", "work"), *where)


async def test_what_two_devices_say_at_once_of_a_place_holds_and_is_taken_back() -> (
    None
):
    one = Written(mind())
    shop = at(one.mind.anticipator, SHOP)
    found = find_place(one.mind, shop).label
    await one.write(*_at_once(*offset(49.0, 8.4, *SHOP)))
    for each in (one.mind, one.again()):
        row = find_place(each, at(each.anticipator, SHOP))
        assert (row.label, row.role) == ("Corner", PlaceRole.WORK)
    await one.say(shop, Doing.ROLE)
    assert find_place(one.mind, shop).role is PlaceRole.OTHER
    assert find_place(one.mind, shop).label == "Corner"
    await one.say(shop, Doing.NAME)
    assert find_place(one.mind, shop).label == found


async def test_nothing_that_was_said_is_left_of_a_place_that_is_forgotten() -> None:
    one = Written(mind())
    await one.write(*_at_once(*offset(49.0, 8.4, *SHOP)))
    await one.say("Corner", Doing.FORGET)
    assert not at(one.again().anticipator, SHOP)
    said = {
        v for k, v in one.values.items() if k.rpartition("/")[2] in {"name", "role"}
    }
    assert said == {""}


async def test_an_id_that_means_another_place_elsewhere_is_not_used_twice() -> None:
    one = Written(mind())
    shop = at(one.mind.anticipator, SHOP)
    await one.write(
        Put(f"places/{shop}/name", "Elsewhere"),
        Put(f"places/{shop}/lat", 10.0),
        Put(f"places/{shop}/lon", 10.0),
    )
    assert find_place(one.mind, shop).label != "Elsewhere"
    await one.say(shop, Doing.NAME, "Corner")
    assert one.values[f"{shop}/name"] == "Elsewhere"
    assert find_place(one.mind, shop).label == "Corner"


async def test_one_more_than_can_be_obeyed_is_refused() -> None:
    one = Written(mind())
    one.mind.correct([Correction(f"x{n}") for n in range(MOST)])
    with pytest.raises(UsageError, match="no more can be"):
        await one.say("home", Doing.NAME, "Ours")


@pytest.mark.parametrize(
    ("place", "doing", "value", "fault"),
    [
        ("nowhere", Doing.NAME, "X", "no place"),
        ("home", Doing.NAME, "X" * 81, "cannot be the name"),
        ("home", Doing.NAME, "a\x1b[2J", "cannot be the name"),
        ("home", Doing.ROLE, "castle", "cannot be 'castle'"),
        ("home", Doing.JOIN, "home", "one place already"),
        ("home", Doing.JOIN, "nowhere", "no place"),
    ],
)
async def test_what_cannot_be_said_is_refused(
    place: str, doing: Doing, value: str, fault: str
) -> None:
    one = Written(mind())
    with pytest.raises(UsageError, match=fault):
        await one.say(place, doing, value)
    assert not one.values


@pytest.mark.parametrize(
    "region", ["Ada/Ben", "<b>here</b>", "a\x1b[2J", "x" * 10_000, "Ada"]
)
async def test_attack_a_region_of_any_name_is_called_otherwise_and_forgotten(
    region: str,
) -> None:
    one = Written(learner(_regions(region)))
    (place,) = [p.id for p in one.mind.anticipator.places.values() if p.name == region]
    await one.say(place, Doing.NAME, "Ours")
    assert find_place(one.mind, place).label == "Ours"
    for key in one.values:
        split(f"places/{key}")
    await one.say(place, Doing.FORGET)
    assert place not in one.mind.anticipator.places
    assert "Elsewhere" in {row.label for row in rows_of(one.mind)}
    anew = learner(_regions(region))
    obeyed(anew, *corrections_of(one.values))
    assert place not in anew.places


def _regions(region: str) -> list[Sample]:
    """In and out of a region and another one, by their names alone."""
    return [
        Sample("phone", f"transition.{move}", monday(hour + later, day), name)
        for day in range(4)
        for name, hour in ((region, 8.0), ("Elsewhere", 12.0))
        for move, later in (("enter", 0.0), ("leave", 3.0))
    ]

"""A replica keeps what it acknowledged, and any two that saw the same are the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fabric.replica.household import House, content, exchange, give, roll_of

from trivet.domain import RefusedError, SetupError, UsageError
from trivet.fabric.replica import (
    Add,
    Drop,
    Item,
    Move,
    Put,
    Remove,
    Tick,
)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_what_two_wrote_apart_is_there_on_both(house: House) -> None:
    with house.open("home") as home, house.open("phone") as phone:
        home.write(Put("people/ada/name", "Ada"), Add("groceries", "milk"))
        phone.write(Put("people/ada/device", "phone"), Add("groceries", "bread"))
        exchange(home, phone)
        assert content(home) == content(phone)
        [ada] = home.state.people
        assert (ada.name, ada.device) == ("Ada", "phone")
        assert set(home.state.lists["groceries"]) == {Item("milk"), Item("bread")}


def test_a_write_reaches_the_third_through_the_second(house: House) -> None:
    with (
        house.open("home") as home,
        house.open("phone") as phone,
        house.open("car") as car,
    ):
        home.write(Put("settings/heating/comfort_c", 21.5))
        give(home, phone)
        [carried] = phone.lacking(car.vector).carried
        [signed] = home.lacking({}).carried
        assert carried == signed  # as the author signed it, byte for byte
        give(phone, car)
        assert car.state.settings == {"heating/comfort_c": 21.5}


def test_what_was_written_is_there_after_a_restart(house: House) -> None:
    with house.open("home") as home, house.open("phone") as phone:
        home.write(Put("settings/a", 1))
        phone.write(Put("settings/b", 2))
        exchange(home, phone)
        vector = home.vector
    with house.open("home") as home:
        assert home.state.settings == {"a": 1, "b": 2}
        assert home.vector == vector
        home.write(Put("settings/c", 3))
        assert len(home.vector) == 2  # it goes on as who it was


def test_changes_do_what_they_say(house: House) -> None:
    with house.open("home") as home:
        home.write(*(Add("todo", text) for text in ("a", "b", "c", "b")))
        home.write(Tick("todo", "c"), Move("todo", "c", 0), Drop("todo", "b"))
        assert home.state.lists["todo"] == (Item("c", True), Item("a"))
        home.write(Put("people/ada/name", "Ada"), Put("people/adam/name", "Adam"))
        home.write(Remove("people/ada"))
        assert [person.id for person in home.state.people] == ["adam"]
        home.write(Drop("todo", "nothing"), Remove("people/nobody"))
        home.write(Drop("todo", "a"), Drop("todo", "c"))
        assert home.state.lists == {}


def test_a_write_says_which_roots_it_touches(house: House) -> None:
    with house.open("home") as home, house.open("phone") as phone:
        touched = home.write(Put("settings/a", 1), Add("groceries", "milk"))
        assert touched == {"settings", "list:groceries"}
        assert give(home, phone)[0].roots == touched


def test_a_bad_change_is_refused_and_those_with_it(house: House) -> None:
    with house.open("home") as home:
        for bad in (
            Put("nothing/of/ours", 1),
            Put("settings", 1),
            Put("settings/", 1),
            Put("settings/a//b", 1),
            Put("settings/" + "x" * 300, 1),
            Put("settings/a", float("nan")),
            Put("settings/a", 1 << 64),
            Put("settings/a", "x" * 20_000),
            Add("a/b", "milk"),
            Add("groceries", " "),
            Add("groceries", "\ud800"),
        ):
            with pytest.raises(UsageError):
                home.write(Put("settings/good", 1), bad)
        assert home.state.is_empty
        assert home.size == (0, 0)


def test_many_edits_in_one_go_are_one_update(house: House) -> None:
    with house.open("home") as home:
        home.write_all([[Put(f"settings/k{i}", i)] for i in range(100)])
        assert home.size[0] == 1
        assert len(home.state.settings) == 100


def test_too_much_for_one_update_is_several(house: House) -> None:
    with house.open("home") as home, house.open("phone") as phone:
        home.write_all([[Put(f"settings/k{i}", "x" * 10_000)] for i in range(50)])
        assert 1 < home.size[0] < 50
        give(home, phone)
        assert content(phone) == content(home)


def test_a_file_is_one_device_s_and_open_once(house: House) -> None:
    with (
        house.open("home"),
        pytest.raises(SetupError, match="another process"),
        house.open("home"),
    ):
        pass
    house.path("home").rename(house.path("phone"))
    with pytest.raises(SetupError, match="state of home"), house.open("phone"):
        pass


def test_a_damaged_file_is_said_to_be(house: House) -> None:
    house.path("home").write_bytes(b"no database at all, but some bytes" * 100)
    with pytest.raises(SetupError, match="cannot be kept"), house.open("home"):
        pass


def test_a_guest_and_who_was_shut_out_write_nothing(house: House) -> None:
    house.roll = roll_of("home", guests=("phone",))
    for device, word in (("phone", "guest"), ("car", "no more")):
        with house.open(device) as replica:
            with pytest.raises(RefusedError, match=word):
                replica.write(Put("settings/a", 1))
            assert replica.state.is_empty

"""Versions live side by side: the newer carries over, the older leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from loro import CounterSpan, IdSpan, LoroDoc, LoroText
from tests.fabric.replica.household import (
    NAME,
    House,
    content,
    exchange,
    give,
    key_of,
)

from trivet.domain import AnswerKind
from trivet.fabric.replica import (
    Add,
    Carried,
    Change,
    Feedback,
    Item,
    NamedPlace,
    Put,
    Remove,
    SkillChoice,
    State,
    Tick,
    Value,
)
from trivet.fabric.replica.operation import from_loro
from trivet.fabric.replica.update import (
    BEGINNING,
    Claim,
    fingerprint_bytes,
    peer_of,
    sign_update,
)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def rename(state: State) -> Sequence[Change]:
    """From 1 to 2: `settings/comfort` is now called `settings/heating/comfort_c`."""
    value = state.get("settings/comfort", 0.0)
    if not value:
        return ()
    return Put("settings/heating/comfort_c", value), Remove("settings/comfort")


def shout(state: State) -> Sequence[Change]:
    """From 2 to 3: rooms are written in capitals."""
    return tuple(
        Put(f"devices/{device.id}/room", device.room.upper())
        for device in state.devices
        if device.room != device.room.upper()
    )


NEWER = (rename,)
NEWEST = (rename, shout)


def test_an_older_state_is_carried_over_once(house: House) -> None:
    with house.open("home") as home:
        home.write(Put("settings/comfort", 21.0), Put("devices/tv/room", "den"))
        assert home.state.schema == 1
    with house.open("home", migrations=NEWEST) as home:
        assert home.state.settings == {"heating/comfort_c": 21.0}
        assert home.state.devices[0].room == "DEN"
        assert home.state.schema == 3
        vector = home.vector
    with house.open("home", migrations=NEWEST) as home:
        assert home.vector == vector  # it is done, and not done again


def test_two_that_migrate_at_the_same_time_agree(house: House) -> None:
    with house.open("home") as home, house.open("phone") as phone:
        home.write(Put("settings/comfort", 21.0), Put("devices/tv/room", "den"))
        exchange(home, phone)
    with (
        house.open("home", migrations=NEWEST) as home,
        house.open("phone", migrations=NEWER) as phone,
    ):
        exchange(home, phone)
        assert content(home) == content(phone)
        assert home.state.settings == {"heating/comfort_c": 21.0}
        assert home.state.schema == 3
        assert home.state.devices[0].room == "DEN"


def test_what_an_older_device_writes_is_carried_over_each_time(house: House) -> None:
    with (
        house.open("home", migrations=NEWEST) as home,
        house.open("phone") as phone,
    ):
        home.write(Put("settings/a", 1))
        exchange(home, phone)
        for value in (20.0, 22.0):
            phone.write(Put("settings/comfort", value))
            exchange(home, phone)
            assert home.state.get("settings/heating/comfort_c", 0.0) == value
            assert content(home) == content(phone)
        assert phone.state.schema == 3  # and the older one works on


def test_nothing_is_migrated_where_nothing_is(house: House) -> None:
    with house.open("home", migrations=NEWEST) as home:
        assert home.state.is_empty
        assert home.size == (0, 0)


def newer_update(device: str) -> Carried:
    """What a version that is not written yet may write, within containers too."""
    peer = peer_of(fingerprint_bytes(key_of(device).public_key()), 5)
    document: LoroDoc = LoroDoc()  # type: ignore[no-untyped-call]
    document.peer_id = peer
    people = document.get_map("people")
    people.insert("ada/mood", {"now": "good", "since": [1, 2.5, None]})
    diary: LoroText = LoroText()  # type: ignore[no-untyped-call]
    made = people.insert_container("ada/diary", diary)
    assert isinstance(made, LoroText)
    made.insert(0, "Dear diary")
    document.get_list("visits").push("Bob")
    document.get_map("robots").insert("vacuum/charge", 0.5)
    items = document.get_movable_list("list:groceries")
    items.push({"text": "milk", "done": False, "shop": "Toivo"})
    document.commit()
    text = document.export_json_in_id_span(
        IdSpan(peer, CounterSpan(0, document.len_ops))
    )
    span, data = from_loro(peer, 0, text)
    print_ = fingerprint_bytes(key_of(device).public_key())
    claim = Claim(device, print_, 5, 0, span.end, BEGINNING, data)
    return Carried(sign_update(key_of(device), NAME, claim).raw)


def test_what_an_older_device_does_not_know_it_keeps_and_hands_on(
    house: House,
) -> None:
    with house.open("home") as home, house.open("car") as car:
        assert home.receive("phone", [newer_update("phone")]).taken == 1
        home.write(
            Put("people/ada/name", "Ada"), Tick("groceries", "milk"), Add("todo", "x")
        )
        give(home, car)
        for replica in (home, car):
            held = content(replica)
            people = held["people"]
            assert isinstance(people, dict)
            assert people["ada/diary"] == "Dear diary"
            assert people["ada/mood"] == {"now": "good", "since": [1, 2.5, None]}
            assert held["visits"] == ["Bob"]
            assert held["robots"] == {"vacuum/charge": 0.5}
            assert held["list:groceries"] == [
                {"text": "milk", "done": True, "shop": "Toivo"}
            ]
            assert replica.state.people[0].name == "Ada"
            assert replica.state.lists["groceries"] == (Item("milk", True),)
        for one, other in ((home, car), (car, home)):
            other.note_seen([one.declare(1)])
    house.roll.members = {d: p for d, p in house.roll.members.items() if d != "phone"}
    with house.open("home") as home:
        assert home.compact()
        assert content(home) == held
    with house.open("home") as home:
        assert content(home) == held


def test_what_is_read_is_typed_and_what_is_not_has_its_default(house: House) -> None:
    with house.open("home") as home:
        home.write(
            Put("places/h/name", "Home"),
            Put("places/h/lat", 60),
            Put("places/h/lon", "x"),
            Put("places/h/role", 7),
            Put("skills/dinner/on", False),
            Put("skills/dinner/budget", 30),
            Put("skills/preheat/ahead_s", 600),
            Put("feedback/b/kind", "no such kind"),
            Put("feedback/b/time", 2.0),
            Put("feedback/a/kind", "yes"),
            Put("feedback/a/time", 1),
            Put("people/nobody", "no field"),
        )
        state = home.state
        assert state.places == (NamedPlace("h", "Home", 60.0, None),)
        assert state.skills == (
            SkillChoice("dinner", False, {"budget": 30}),
            SkillChoice("preheat", True, {"ahead_s": 600}),
        )
        assert [(one.id, one.kind) for one in state.feedback] == [
            ("a", AnswerKind.YES),
            ("b", AnswerKind.IGNORED),
        ]
        assert isinstance(state.feedback[0], Feedback)
        assert state.people == ()
        assert state.get("places/h/lat", "") == ""
        assert state.get("skills/dinner/on", 1) == 1  # a flag is no number


def test_values_of_any_kind_are_the_same_everywhere(house: House) -> None:
    values: tuple[Value, ...] = (
        *(True, 0, -(1 << 62), 21.5, 1e-300, 0.1 + 0.2, "", "Ä\U0001f600", "a/b"),
    )
    with house.open("home") as home, house.open("phone") as phone:
        home.write(*(Put(f"settings/k{n}", v) for n, v in enumerate(values)))
        give(home, phone)
        for n, value in enumerate(values):
            found = phone.state.settings[f"k{n}"]
            assert (found, type(found)) == (value, type(value))
        assert msgspec.json.encode(content(home)) == msgspec.json.encode(content(phone))

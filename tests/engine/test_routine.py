"""The routine foretells the usual, sums to one, survives a restart, and forgets."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.home import RESIDENTS, at, home, routine, weeks
from tests.engine.life import BERLIN

from trivet.domain import Quality, Sample, UsageError
from trivet.engine.routine import HOME, Routine

LIFE = weeks(35)
KNOWN = routine(LIFE).snapshot()


def known() -> Routine:
    return Routine.restore(KNOWN, BERLIN)


def test_who_is_in_soon_is_told_by_the_quarter_of_an_hour() -> None:
    model = known()
    for sample in weeks(1, first=35)[6:]:
        if sample.time < at(35, 12):
            model.learn_one(sample)
    soon = model.soon(at(35, 12))
    assert len(soon) == 96
    assert soon[4] < 0.2  # 13:00
    assert soon[4 * 7] > 0.8  # 19:00
    assert model.soon(at(35, 12), "ada") != soon
    assert Routine("home", BERLIN).soon(at(35, 12)) == ()


def test_a_usual_day_is_foretold() -> None:
    outlook = known().predict_one(at(35, 0))
    best = outlook.events[0]
    assert best.what == "light.bedroom=on"
    assert best.time is not None
    assert abs(best.time.median - at(35, 6.5)) < 1200
    assert outlook.next is not None
    assert abs(outlook.next.median - at(35, 6.5)) < 1200
    house = outlook.day(HOME)
    assert house.is_home[5] > 0.9
    assert house.is_home[11] < 0.15
    assert house.is_home[19] > 0.9
    assert house.wake is not None
    assert abs(house.wake.median - at(35, 6.5)) < 900
    assert house.bed is not None
    assert abs(house.bed.median - at(35, 22.5)) < 1200


def test_each_person_has_a_day_of_their_own() -> None:
    outlook = known().predict_one(at(35, 0))
    assert [d.who for d in outlook.days] == [HOME, "ada", "ben"]
    with pytest.raises(UsageError, match="nothing is known of 'eve'"):
        outlook.day("eve")


def test_a_weekend_is_not_a_workday() -> None:
    model = known()
    for sample in weeks(5, first=35)[6:]:
        model.learn_one(sample)
    saturday = model.predict_one(at(40, 0)).day()
    assert saturday.is_home[11] > 0.85
    assert saturday.wake is not None
    assert abs(saturday.wake.median - at(40, 8.5)) < 1200


def test_chances_sum_to_one_and_intervals_are_in_order() -> None:
    model = known()
    for sample in weeks(1, first=35)[6:]:
        model.learn_one(sample)
        chances = model.chances(sample.time)
        assert sum(chances.values()) == pytest.approx(1.0)
        assert all(chance > 0 for chance in chances.values())
        for expected in model.predict_one(sample.time).events:
            if expected.time is not None and expected.middle is not None:
                assert sample.time < expected.time.low <= expected.time.median
                assert expected.middle.high <= expected.time.high


def test_what_should_have_come_by_now_is_less_likely() -> None:
    model = known()
    wake = weeks(1, first=35)[6]
    model.learn_one(wake)
    soon, late = model.chances(wake.time + 60), model.chances(wake.time + 9000)
    assert soon["light.bedroom=off"] > 0.7
    assert late["light.bedroom=off"] < soon["light.bedroom=off"] / 2


def test_the_routine_goes_with_the_season() -> None:
    model = known()
    for sample in weeks(28, first=35, shift_h=-1.0)[6:]:
        model.learn_one(sample)
    wake = model.predict_one(at(63, 0)).day().wake
    assert wake is not None
    assert abs(wake.median - at(63, 5.5)) < 900


def test_a_new_home_needs_no_new_start() -> None:
    model = known()
    for sample in weeks(14, first=35):
        path = sample.path.replace("bedroom", "upstairs").replace("coffee", "kettle")
        model.learn_one(Sample("home", path, sample.time, sample.value))
    chances = model.chances(at(49, 0))
    assert max(chances, key=lambda what: chances[what]) == "light.upstairs=on"


def lived(model: Routine, first: int, days: int, leave: float, back: float) -> None:
    """Ada out on weekdays; Ben, who works at home, out for lunch alone."""
    for number in range(first, first + days):
        if number % 7 < 5:
            model.learn_presence("ada", at(number, leave), is_home=False)
            model.learn_presence("ben", at(number, 12.0), is_home=False)
            model.learn_presence("ben", at(number, 13.0), is_home=True)
            model.learn_presence("ada", at(number, back), is_home=True)


def two() -> Routine:
    model = Routine("home", BERLIN, RESIDENTS)
    for who in ("ada", "ben"):
        model.learn_presence(who, at(0, 0), is_home=True)
    return model


def test_two_people_are_foretold_apart_and_the_home_is_whoever() -> None:
    model = two()
    lived(model, 0, 35, 8.0, 17.0)
    outlook = model.predict_one(at(35, 0))
    ada, ben = outlook.day("ada").is_home, outlook.day("ben").is_home
    assert ada[9] < 0.2 < 0.8 < ben[9]
    house = outlook.day().is_home
    assert house[9] > 0.8  # before 10:00, Ben is in
    assert house[12] < 0.3  # the quarter of an hour before 13:00, nobody
    assert model.soon(at(35, 0))[4 * 10] > 0.8


def test_who_is_in_when_goes_with_other_hours_after_a_move() -> None:
    model = two()
    lived(model, 0, 35, 8.0, 17.0)
    lived(model, 35, 28, 6.5, 19.5)
    ada = model.predict_one(at(63, 0)).day("ada").is_home
    assert ada[6] < 0.5  # before 7:00
    assert ada[17] < 0.5  # before 18:00
    assert ada[20] > 0.8  # before 21:00


def test_what_is_done_next_follows_within_two_weeks_of_a_move() -> None:
    model, hits, asked = known(), 0, 0
    for sample in weeks(21, first=35):
        path = sample.path.replace("bedroom", "upstairs").replace("coffee", "kettle")
        if sample.time > at(49, 0) and path.startswith(("light", "switch")):
            chances = model.chances(sample.time)
            asked += 1
            hits += max(chances, key=chances.__getitem__) == f"{path}={sample.value}"
        model.learn_one(Sample("home", path, sample.time, sample.value))
    assert hits / asked > 0.9


def test_predicting_changes_nothing() -> None:
    asked, unasked = known(), known()
    for sample in weeks(2, first=35)[6:]:
        asked.learn_one(sample)
        unasked.learn_one(sample)
        asked.predict_one(sample.time + 5000)
    assert asked.snapshot() == unasked.snapshot()


def test_a_restart_changes_no_forecast() -> None:
    going, again = known(), known()
    for number, sample in enumerate(weeks(2, first=35)[6:]):
        going.learn_one(sample)
        again.learn_one(sample)
        if number % 9 == 4:
            again = Routine.restore(again.snapshot(), BERLIN)
            assert going.predict_one(sample.time) == again.predict_one(sample.time)
    assert going.snapshot() == again.snapshot()


def test_what_comes_later_changes_no_forecast() -> None:
    short = known()
    before = short.predict_one(at(35, 0))
    for sample in weeks(1, first=35)[6:]:
        short.learn_one(sample)
    assert known().predict_one(at(35, 0)) == before


@settings(max_examples=15, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(KNOWN) - 1), st.integers(0, 255))
def test_a_damaged_snapshot_is_refused_or_read(
    junk: bytes, cut: int, byte: int
) -> None:
    for data in (junk, KNOWN[:cut], bytes([99]) + KNOWN[1:]):
        with pytest.raises(UsageError, match="learn again"):
            Routine.restore(data, BERLIN)
    flipped = KNOWN[:cut] + bytes([byte]) + KNOWN[cut + 1 :]
    try:
        model = Routine.restore(flipped, BERLIN)
    except UsageError:
        return
    model.chances(at(35, 0))


_NAN = float("nan")


@pytest.mark.parametrize(
    ("where", "what"),
    [
        (("pool", "whole", "weights"), [1.0]),
        (("pool", "whole", "weights"), [1e308] * 7),
        (("pool", "whole", "squares"), []),
        (("pool", "after", "light.bedroom=on", "weights"), [_NAN] * 7),
        (("blend", "weights"), [0.0] * 6),
        (("steering", "asked"), {80: _NAN}),
        (("events",), [[2e9, "light.bedroom=on"], [1e9, "light.bedroom=off"]]),
        (("subjects",), {}),
        (("subjects", "", "nights"), [[0.0, 1e17]]),
        (("subjects", "", "moments"), [[_NAN, True, True]]),
        (("subjects", "", "occupancy", "changes"), [[-1e12, True]]),
        (("subjects", "", "occupancy", "until"), _NAN),
        (("subjects", "", "occupancy", "blends"), [{"weights": [1.0]}] * 3),
    ],
)
def test_what_no_routine_remembers_is_damage(
    where: tuple[str, ...], what: object
) -> None:
    state = found = msgspec.msgpack.decode(KNOWN[1:])
    for name in where[:-1]:
        found = found[name]
    found[where[-1]] = what
    with pytest.raises(UsageError, match="damaged"):
        Routine.restore(KNOWN[:1] + msgspec.msgpack.encode(state), BERLIN)


def test_what_the_version_before_kept_is_read() -> None:
    state = msgspec.msgpack.decode(KNOWN[1:])
    del state["pool"]
    old = Routine.restore(b"\x01" + msgspec.msgpack.encode(state), BERLIN)
    assert old.events == known().events
    assert old.predict_one(at(35, 0)).events[0].what == "light.bedroom=on"


def test_a_state_that_holds_is_not_what_comes_next() -> None:
    model, time = known(), at(35, 6.5)
    model.learn_one(home(time, "light.bedroom", "on"))
    chances = model.chances(time)
    assert chances["light.bedroom=on"] < 1e-3
    assert max(chances, key=chances.__getitem__) == "light.bedroom=off"


def test_noise_is_no_event() -> None:
    model = known()
    before = model.snapshot()
    time = at(35, 1)
    for sample in (
        home(time, "sensor.outdoor_temperature", 4.5),
        home(time, "climate.living_room.temperature", 21.0),
        home(time, "light.bedroom", "off"),
        home(time, "light.bedroom", "unavailable"),
        home(time, "sensor.weather", "rain"),
        home(at(3, 1), "light.bedroom", "on"),
        Sample("car", "light.bedroom", time, "on"),
        Sample("home", "light.bedroom", time, "on", Quality.BAD),
    ):
        assert model.learn_one(sample) is None
    assert model.snapshot() == before


def test_forgetting_a_day_equals_never_having_seen_its_events() -> None:
    since, until = at(23, 0), at(24, 0)
    forgot = known()
    gone = forgot.forget(since, until)
    assert gone == sum(since <= e.time < until for e in known().events)
    never = routine([s for s in LIFE if not since <= s.time < until])
    assert forgot.events == never.events
    assert forgot.nights() == tuple(
        n for n in known().nights() if n.wake < since or n.bed >= until
    )
    assert not [n for n in forgot.nights() if n.bed < until and n.wake >= since]
    mine, theirs = forgot.predict_one(at(35, 0)), never.predict_one(at(35, 0))
    assert mine.day().is_home == pytest.approx(theirs.day().is_home, abs=0.05)
    assert mine.events[0].what == theirs.events[0].what


def test_a_forgotten_entity_is_gone_from_all_but_what_is_now() -> None:
    model = known()
    for number in range(3):
        time = at(36, 10 + number)
        model.learn_one(home(time, "switch.secret", "off" if number % 2 else "on"))
    assert any("secret" in what for what in model.chances(at(36, 13)))
    model.forget(at(36, 0), at(37, 0))
    assert not any("secret" in what for what in model.chances(at(37, 0)))
    # who is in the weights is what is now: the state that the entity has
    model.learn_one(home(at(37, 1), "light.bedroom", "on"))
    assert model.snapshot().count(b"switch.secret=") == 0


def test_a_frozen_routine_predicts_and_learns_nothing() -> None:
    model = known()
    model.freeze(at(35, 0))
    events, nights = model.events, model.nights()
    for sample in weeks(5, first=35)[6:]:
        model.learn_one(sample)
    model.learn_presence("ada", at(40, 0), is_home=False)
    model.learn_activity("ada", at(40, 0))
    assert Routine.restore(model.snapshot(), BERLIN).is_frozen
    assert (model.events, model.nights()) == (events, nights)
    assert model.predict_one(at(40, 0)).events
    model.thaw()
    model.learn_one(home(at(40, 7), "light.bedroom", "on"))
    assert len(model.events) == len(events) + 1


def test_presence_may_come_from_phones_alone() -> None:
    model = Routine("home", BERLIN, RESIDENTS)
    for number in range(28):
        for hour, is_home in ((0, True), (8, False), (17, True)):
            if is_home or number % 7 < 5:
                for who in ("ada", "ben"):
                    model.learn_presence(who, at(number, hour), is_home=is_home)
    house = model.predict_one(at(28, 0)).day()
    assert house.is_home[11] < 0.2
    assert house.is_home[19] > 0.8
    with pytest.raises(UsageError, match="lives here"):
        model.learn_presence("eve", at(28, 0), is_home=True)
    with pytest.raises(UsageError, match="lives here"):
        model.learn_activity(HOME, at(28, 0))


def test_what_phones_told_of_who_is_in_is_forgotten_alone() -> None:
    model = Routine("home", BERLIN, RESIDENTS)
    for hour, is_home in ((0, True), (8, False), (17, True)):
        model.learn_presence("ada", at(0, hour), is_home=is_home)
        model.learn_presence("ben", at(0, hour), is_home=is_home)
    model.learn_one(home(at(0, 18), "light.bedroom", "off"))
    model.learn_one(home(at(0, 19), "light.bedroom", "on"))
    assert model.forget_presence("ada", at(0, 7), at(0, 20)) == 2
    days = {day.who: day.is_home for day in model.predict_one(at(0, 21)).days}
    assert days["ben"] != days["ada"]
    assert len(model.events) == 1
    with pytest.raises(UsageError, match="lives here"):
        model.forget_presence("eve", at(0, 0), at(1, 0))


def test_who_has_just_left_is_out_though_the_quarter_is_not_over() -> None:
    model, evening = known(), at(35, 19.0)
    model.learn_presence("ada", at(35, 17.0), is_home=True)
    before = model.predict_one(evening).day("ada").is_home[0]
    model.learn_presence("ada", evening + 60.0, is_home=False)
    after = model.predict_one(evening + 120.0).day("ada").is_home[0]
    assert after < before - 0.1


def test_with_no_history_nothing_is_claimed() -> None:
    outlook = Routine("home", BERLIN).predict_one(at(0, 0))
    assert outlook.events == ()
    assert outlook.next is None
    assert outlook.day().is_home == ()
    assert outlook.day().bed is None


@pytest.mark.parametrize("span", [(5.0, 5.0), (6.0, 5.0)])
def test_an_empty_span_is_refused(span: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="holds nothing"):
        known().forget(*span)

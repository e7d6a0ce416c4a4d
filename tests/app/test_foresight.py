"""Laws of the next day at home: from the past alone, forgotten and taken over."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from operator import attrgetter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.life import BERLIN, commute, here, monday

from trivet.app.fact import state_words
from trivet.app.foresight import HOME_S, LATE_S, ROUTINE_S, load_memory
from trivet.app.mind import Mind, Roles
from trivet.app.moment import span_text, when_text
from trivet.app.outlook import Outlook
from trivet.domain import Sample, UsageError
from trivet.domain.forecast import Interval
from trivet.engine import Anticipator

DAYS = 12
#: Half an hour after the last of them.
NIGHT = monday(0.5, DAYS)


def evenings(first: int, days: int) -> Iterator[Sample]:
    """A home by itself: light and coffee in the morning, light in the evening."""
    for day in range(first, first + days):
        for hour, path, state in (
            (7.0, "light.kitchen", "on"),
            (7.2, "switch.coffee", "on"),
            (7.5, "switch.coffee", "off"),
            (7.9, "light.kitchen", "off"),
            (18.0, "light.living_room", "on"),
            (23.0, "light.living_room", "off"),
        ):
            late = 60.0 * (day % 4)
            yield Sample("home", path, monday(hour, day) + late, state)


def lived(first: int = 0, days: int = DAYS) -> list[Sample]:
    samples = [*commute(days, first), *evenings(first, days)]
    return sorted(samples, key=attrgetter("time"))


def young() -> Mind:
    return Mind(Roles(), here(), ())


def minded(samples: list[Sample], mind: Mind | None = None) -> Mind:
    mind = mind or young()
    for sample in samples:
        mind.learn(sample)
    return mind


@cache
def past() -> bytes:
    """What a mind learned of twelve days, Monday to Friday of the week after."""
    return minded(lived()).snapshot()


@pytest.fixture
def mind() -> Mind:
    made = young()
    made.recall(past())
    return made


def at_work(mind: Mind) -> Outlook:
    """At noon of the Monday after."""
    noon = monday(12.0, 14)
    minded([s for s in lived(DAYS, 3) if s.time <= noon], mind)
    return mind.outlook(noon)


def test_the_next_day_is_told_with_what_it_rests_on(mind: Mind) -> None:
    outlook = at_work(mind)
    (ada,) = outlook.coming
    assert ada.who == "Ada"
    assert not ada.is_home
    assert ada.arrival is not None
    assert abs(ada.arrival.median - monday(17.2, 14)) < 1800.0
    assert ada.rests
    somebody, she = outlook.presence
    assert (somebody.who, she.who) == ("", "Ada")
    assert [len(each.is_home) for each in outlook.presence] == [24, 24]
    assert she.is_home[1] < 0.3 < 0.7 < she.is_home[8]  # at one, and at eight
    pairs = zip(somebody.is_home, she.is_home, strict=True)
    assert all(either >= alone for either, alone in pairs)
    assert outlook.next[0].label == "Living room light on"
    assert outlook.bed is not None
    assert abs(outlook.bed.median - monday(23.0, 14)) < 1800.0
    assert "nights" in outlook.night_rests
    assert "since 6 January" in outlook.next_rests


def test_a_mind_that_takes_over_foretells_the_same(mind: Mind) -> None:
    whole = minded(lived())
    time = NIGHT
    assert mind.outlook(time) == whole.outlook(time)
    # what the other has learned already is not learned again
    minded(list(evenings(0, DAYS)), mind)
    assert mind.foresight.routine.events == whole.foresight.routine.events


def test_what_is_damaged_is_refused() -> None:
    for data in (b"", b"\xc1", past()[:-9], msgspec.msgpack.encode({"anticipator": 1})):
        with pytest.raises(UsageError, match="damaged"):
            young().recall(data)


def test_what_is_damaged_is_taken_over_in_no_part() -> None:
    whole = load_memory(past())
    for odd in (
        msgspec.structs.replace(whole, routine=whole.routine[:-9]),
        msgspec.structs.replace(whole, routine=b"\xff"),
        msgspec.structs.replace(whole, anticipator=whole.anticipator[:-9]),
        msgspec.structs.replace(whole, home_until=float("inf")),
        msgspec.structs.replace(whole, home_until=float("nan")),
    ):
        mind = young()
        before = mind.snapshot()
        with pytest.raises(UsageError):
            mind.recall(msgspec.msgpack.encode(odd))
        assert mind.snapshot() == before


@settings(deadline=None)
@given(st.data())
def test_attack_altered_bytes_are_refused_or_read(data: st.DataObject) -> None:
    raw = bytearray(past())
    head = st.integers(0, 200) | st.integers(0, len(raw) - 1)
    for index in data.draw(st.lists(head, min_size=1, max_size=4)):
        raw[index] = data.draw(st.integers(0, 255))
    mind = young()
    try:
        mind.recall(bytes(raw))
    except UsageError:
        assert mind.outlook(NIGHT).is_empty
    else:
        mind.outlook(NIGHT)


def test_the_home_goes_before_the_phone_in_who_is_in() -> None:
    told = [
        Sample("home", "person.ada", monday(hour, day), state)
        for day in range(DAYS)
        for hour, state in ((0.5, "home"), (6.0, "not_home"), (22.0, "home"))
    ]
    samples = sorted([*lived(), *told], key=attrgetter("time"))
    outlook = minded(samples).outlook(monday(23.0, DAYS - 1))
    assert outlook.presence[1].is_home[20] < 0.5  # at seven in the evening


def test_nothing_is_worked_out_anew_while_nothing_happens(mind: Mind) -> None:
    time = NIGHT
    first = mind.outlook(time)
    assert mind.outlook(time + HOME_S / 2) is first
    assert mind.outlook(time + HOME_S).time == time + HOME_S
    mind.learn(Sample("home", "switch.coffee", time + HOME_S, "on"))
    assert mind.outlook(time + HOME_S).next != first.next


def test_what_should_have_come_by_now_is_told_no_more(mind: Mind) -> None:
    (best, *_) = mind.outlook(NIGHT).next
    assert best.time is not None
    early = best.time.median - LATE_S
    (best, *_) = mind.outlook(early).next
    assert best.time is not None
    assert best.time.median < early + ROUTINE_S
    late = max(early + LATE_S, best.time.median + 1.0)
    for later in mind.outlook(late).next:
        assert later.time is None or later.time.median >= late


def test_what_is_forgotten_of_the_home_is_foretold_no_more(mind: Mind) -> None:
    assert mind.foresight.paths >= {"switch.coffee", "light.living_room"}
    mind.forget_home(0.0, monday(0.0, DAYS))
    assert not mind.foresight.routine.events
    outlook = mind.outlook(NIGHT)
    assert (outlook.next, outlook.bed, outlook.wake) == ((), None, None)
    assert mind.situation(NIGHT).changes == ()
    assert outlook.coming  # where the person goes is the phone's


def test_of_days_that_are_forgotten_it_is_not_said_that_they_are_known(
    mind: Mind,
) -> None:
    mind.forget_home(0.0, monday(0.0, 8))
    assert "since 14 January" in mind.outlook(NIGHT).next_rests
    mind.forget_home(0.0, monday(0.0, DAYS - 1))
    assert mind.outlook(NIGHT).next == ()  # of one day nothing is foretold


def test_who_was_in_is_forgotten_with_where_the_phone_was(mind: Mind) -> None:
    events = mind.foresight.routine.events
    mind.forget(0.0, monday(0.0, DAYS))
    outlook = mind.outlook(NIGHT)
    assert outlook.coming == ()
    assert outlook.presence == ()
    assert mind.foresight.routine.events == events


def test_a_mind_that_learns_nothing_says_so_and_foretells(mind: Mind) -> None:
    time = NIGHT
    known = mind.foresight.routine.events
    mind.set_learning(False, time)
    mind.learn(Sample("home", "switch.coffee", time + 60.0, "on"))
    outlook = mind.outlook(time + 60.0)
    assert not outlook.is_learning
    assert outlook.next
    assert mind.foresight.routine.events == known
    mind.set_learning(True, time + 120.0)
    mind.learn(Sample("home", "switch.coffee", time + 180.0, "off"))
    assert len(mind.foresight.routine.events) == len(known) + 1
    assert mind.outlook(time + 180.0).is_learning


def test_what_is_to_learn_nothing_learns_nothing_after_a_restart_either() -> None:
    mind = young()
    mind.set_learning(False, 0.0)
    mind.recall(past())
    stays, events = len(mind.anticipator.stays), mind.foresight.routine.events
    minded(lived(DAYS, 3), mind)
    assert len(mind.anticipator.stays) == stays
    assert mind.foresight.routine.events == events
    assert mind.outlook(monday(0.5, DAYS + 3)).next


def test_without_the_routine_the_way_home_is_told_alone(mind: Mind) -> None:
    time = NIGHT
    mind.set_learning(True, time, has_routine=False)
    outlook = mind.outlook(time)
    assert not outlook.is_on
    assert outlook.coming
    assert (outlook.next, outlook.presence, outlook.bed) == ((), (), None)
    mind.set_learning(True, time)
    assert mind.outlook(time).next


def test_the_routine_goes_at_once_though_nothing_was_learned_before(
    mind: Mind,
) -> None:
    mind.set_learning(False, NIGHT)
    assert mind.outlook(NIGHT).next
    mind.set_learning(False, NIGHT, has_routine=False)
    outlook = mind.outlook(NIGHT)
    assert (outlook.is_on, outlook.next) == (False, ())
    mind.set_learning(False, NIGHT)
    assert mind.outlook(NIGHT).next


def test_of_two_it_is_told_who_comes_first(mind: Mind) -> None:
    ben, noon = Anticipator("ben", "phone", here()), monday(12.0, DAYS)
    for sample in commute(DAYS):
        ben.learn_one(sample)
    outlook = mind.foresight.predict_one(noon, (mind.anticipator, ben), None)
    assert [each.who for each in outlook.coming] == ["Ada", "Ben"]
    assert outlook.first is not None


def test_with_no_past_nothing_is_claimed() -> None:
    outlook = young().outlook(monday(9.0))
    assert outlook.is_empty
    assert outlook.zone == str(BERLIN)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("light.kitchen=on", "Kitchen light on"),
        ("binary_sensor.front_door=on", "Front door open"),
        ("media_player.living_room_tv=playing", "Living room tv playing"),
        ("odd=", "odd "),
    ],
)
def test_an_event_is_said_in_words(what: str, words: str) -> None:
    assert state_words(what) == words


@pytest.mark.parametrize(
    ("ahead_h", "words"),
    [(0.5, "12:30"), (18.5, "06:30"), (30.0, "Tue 18:00"), (24.0 * 9, "15 January")],
)
def test_a_time_says_its_day_where_that_is_not_plain(
    ahead_h: float, words: str
) -> None:
    noon = monday(12.0)
    assert when_text(noon + ahead_h * 3600.0, noon, BERLIN) == words


def test_an_interval_of_no_length_is_one_time() -> None:
    noon = monday(12.0)
    assert span_text(Interval(noon, noon + 60, noon + 120), noon, BERLIN) == (
        "12:01 (80 % 12:00-12:02)"
    )
    assert span_text(Interval(noon, noon, noon), noon, BERLIN) == "12:00"


def test_an_interval_names_its_day_once() -> None:
    noon, hour = monday(12.0), 3600.0
    night = Interval(noon + 29 * hour, noon + 30 * hour, noon + 31 * hour)
    assert span_text(night, noon, BERLIN) == "Tue 18:00 (80 % 17:00-19:00)"
    late = Interval(noon + 29 * hour, noon + 30 * hour, noon + 37 * hour)
    assert span_text(late, noon, BERLIN) == "Tue 18:00 (80 % 17:00-Wed 01:00)"


@pytest.mark.parametrize(
    ("half_min", "whole_min", "words"),
    [
        (5, 20, "18:00 (50 % 17:55-18:05, 80 % 17:40-18:20)"),
        (20, 20, "18:00 (80 % 17:40-18:20)"),
        (0, 20, "18:00 (80 % 17:40-18:20)"),
        (0, 0, "18:00"),
    ],
)
def test_half_of_the_cases_are_told_where_that_says_more(
    half_min: float, whole_min: float, words: str
) -> None:
    six = monday(18.0)
    middle, whole = (
        Interval(six - 60 * least, six, six + 60 * least, level)
        for least, level in ((half_min, 0.5), (whole_min, 0.8))
    )
    assert span_text(whole, six - 3600.0, BERLIN, middle) == words

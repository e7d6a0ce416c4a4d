"""What is done each time before the home is left empty."""

from __future__ import annotations

from collections.abc import Iterable

from trivet.domain.sample import Sample, Value
from trivet.engine.habit import Habit, Timeline, find_habits

LAMP, PEOPLE = "light.kitchen", "binary_sensor.occupancy"
DAY_S = 86_400.0
#: Left at so many seconds into each day, back eight hours later.
LEFT_S, BACK_S = 28_800.0, 57_600.0

Told = tuple[float, str, Value]


def home(days: int, *each: Told, also: Iterable[Told] = ()) -> list[Sample]:
    """Days that are all alike, and some more; times count from the day's start."""
    told = [
        (day * DAY_S + time, path, value)
        for day in range(days)
        for time, path, value in (
            (LEFT_S, PEOPLE, "off"),
            (BACK_S, PEOPLE, "on"),
            *each,
        )
    ]
    return [
        Sample("home", path, time, value)
        for time, path, value in sorted([*told, *also], key=lambda one: one[0])
    ]


def found(changes: list[Sample], days: int, path: str = LAMP) -> list[Habit]:
    left = [day * DAY_S + LEFT_S for day in range(days)]
    stays = [
        (max(0.0, day * DAY_S + BACK_S - DAY_S), day * DAY_S + LEFT_S)
        for day in range(days)
    ]
    return find_habits(Timeline(changes, {path}), {path}, left, stays)


def test_a_lamp_that_was_on_and_is_put_out_is_counted() -> None:
    days = home(8, (LEFT_S - 3600, LAMP, "on"), (LEFT_S - 60, LAMP, "off"))
    (habit,) = found(days, 8)
    # on the first day nobody knew the lamp a quarter of an hour before
    assert (habit.value, habit.count, habit.of) == ("off", 8, 8)
    assert habit.usual == 0.0


def test_a_lamp_that_was_out_already_counts_for_nothing() -> None:
    days = home(8, (LEFT_S - 7200, LAMP, "on"), (LEFT_S - 3600, LAMP, "off"))
    assert not found(days, 8)


def test_a_day_on_which_it_was_left_on_counts_against() -> None:
    days = home(8, (LEFT_S - 3600, LAMP, "on"), (LEFT_S - 60, LAMP, "off"))
    forgot = [
        s
        for s in days
        if not (s.value == "off" and s.path == LAMP and s.time > 7 * DAY_S)
    ]
    (habit,) = found(forgot, 8)
    assert (habit.count, habit.of) == (7, 8)


def test_a_departure_that_left_somebody_in_counts_for_nothing() -> None:
    days = home(8, (LEFT_S - 3600, LAMP, "on"), (LEFT_S - 60, LAMP, "off"))
    with_others = [s for s in days if s.path != PEOPLE or s.time > 4 * DAY_S]
    started = [Sample("home", PEOPLE, 0.0, "on"), *with_others]
    (habit,) = found(started, 8)
    assert habit.of == 4


def test_a_few_minutes_after_leaving_still_are_leaving() -> None:
    days = home(8, (LEFT_S - 3600, LAMP, "on"), (LEFT_S + 120, LAMP, "off"))
    assert found(days, 8)[0].count == 8
    late = home(8, (LEFT_S - 3600, LAMP, "on"), (LEFT_S + 600, LAMP, "off"))
    assert not found(late, 8)


def test_what_goes_off_by_itself_all_the_time_is_said_to() -> None:
    often = [
        (day * DAY_S + minute * 60.0, LAMP, "on" if minute % 10 else "off")
        for day in range(8)
        for minute in range(0, 1440, 5)
    ]
    (off,) = [h for h in found(home(8, also=often), 8) if h.value == "off"]
    assert off.usual > 0.3


def test_least_leaves_out_what_is_rare() -> None:
    days = home(4, (LEFT_S - 3600, LAMP, "on"), (LEFT_S - 60, LAMP, "off"))
    timeline, left = Timeline(days, {LAMP}), [d * DAY_S + LEFT_S for d in range(4)]
    assert find_habits(timeline, {LAMP}, left, [], (4, 0.8))
    assert not find_habits(timeline, {LAMP}, left, [], (5, 0.8))

"""An evening of the home's own, to be lived again."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from trivet.domain.sample import Sample
from trivet.engine.presence import evening_plan

ZONE = ZoneInfo("Europe/Berlin")
#: A Friday in winter.
NOW = datetime(2026, 1, 16, 16, 0, tzinfo=ZONE)
LAMP = "light.living_room"


def at(days_ago: int, hour: float) -> float:
    midnight = (NOW - timedelta(days=days_ago)).replace(hour=0)
    return midnight.timestamp() + hour * 3600.0


def lit(*evenings: tuple[int, float, float], lamp: str = LAMP) -> list[Sample]:
    """Days ago, and the hours from when to when the lamp was on."""
    samples = [
        Sample("home", lamp, at(days, hour), value)
        for days, on, off in evenings
        for hour, value in ((on, "on"), (off, "off"))
    ]
    return sorted(samples, key=lambda sample: sample.time)


def test_the_same_weekday_comes_first_then_the_latest() -> None:
    evenings = lit((1, 18.0, 22.0), (7, 17.5, 22.5), (14, 16.5, 21.0))
    plan = evening_plan(evenings, ZONE, NOW.timestamp())
    assert plan is not None
    assert plan.of.isoformat() == "2026-01-09"
    (one,) = plan.lit
    assert (one.on, one.off) == (at(0, 17.5), at(0, 22.5))
    only = evening_plan(lit((1, 18.0, 22.0), (3, 17.0, 22.0)), ZONE, NOW.timestamp())
    assert only is not None
    assert only.of.isoformat() == "2026-01-15"


def test_several_lamps_come_in_the_order_of_the_evening() -> None:
    changes = sorted(
        [*lit((7, 19.0, 23.0)), *lit((7, 17.0, 19.5), lamp="light.kitchen")],
        key=lambda sample: sample.time,
    )
    plan = evening_plan(changes, ZONE, NOW.timestamp())
    assert plan is not None
    assert [one.path for one in plan.lit] == ["light.kitchen", LAMP]


def test_past_midnight_it_is_still_last_evening() -> None:
    evenings = lit((7, 20.0, 25.0), (8, 20.0, 23.0))
    night = at(1, 24.5)
    plan = evening_plan(evenings, ZONE, night)
    assert plan is not None
    assert plan.of.isoformat() == "2026-01-08"


def test_an_evening_hardly_lit_or_too_long_ago_tells_nothing() -> None:
    assert evening_plan(lit((7, 18.0, 18.1)), ZONE, NOW.timestamp()) is None
    assert evening_plan(lit((7, 18.0, 18.5)), ZONE, NOW.timestamp()) is None
    assert evening_plan(lit((77, 18.0, 22.0)), ZONE, NOW.timestamp()) is None
    assert evening_plan([], ZONE, NOW.timestamp()) is None


def test_the_hour_on_the_wall_is_kept_where_clocks_change() -> None:
    summer = datetime(2026, 4, 3, 16, 0, tzinfo=ZONE)
    lamp = [
        Sample("home", LAMP, datetime(2026, 3, 27, h, tzinfo=ZONE).timestamp(), value)
        for h, value in ((19, "on"), (22, "off"))
    ]
    plan = evening_plan(lamp, ZONE, summer.timestamp())
    assert plan is not None
    on = datetime.fromtimestamp(plan.lit[0].on, ZONE)
    assert (on.day, on.hour) == (3, 19)

"""The season: which weeks hold a holiday, a guest or an illness, and each day's kind.

Twelve weeks make a block, counted from Monday 5 January 2026. Each block has one week
of holiday in its fifth to ninth week, in four of five an illness of one to three
workdays, and in nine of ten a guest over one weekend. Public and school holidays are
not modelled.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import msgspec

from trivet.devices.world.chance import stream
from trivet.devices.world.plan import DayKind

BLOCK_DAYS = 84
_FIRST_MONDAY = date(2026, 1, 5).toordinal()
#: Share of Mondays, Tuesdays, ... worked from home.
HOME_OFFICE_SHARE = (0.04, 0.04, 0.6, 0.08, 0.35)
SICK_SHARE, GUEST_SHARE = 0.8, 0.9


class Block(msgspec.Struct, frozen=True):
    """Twelve weeks' exceptions, as ordinal days; empty ranges where there is none."""

    holiday: range
    sick: range
    guest: range


class Season:
    """Says what kind each day is."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._block = lru_cache(maxsize=8)(self._draw_block)

    def kind(self, day: date) -> DayKind:
        """The kind of a day."""
        ordinal = day.toordinal()
        block = self._block((ordinal - _FIRST_MONDAY) // BLOCK_DAYS)
        if ordinal in block.holiday:
            if ordinal == block.holiday.start:
                return DayKind.HOLIDAY_OUT
            is_last = ordinal == block.holiday.stop - 1
            return DayKind.HOLIDAY_BACK if is_last else DayKind.HOLIDAY
        if day.weekday() >= 5:
            return DayKind.WEEKEND
        if ordinal in block.sick:
            return DayKind.SICK
        share = HOME_OFFICE_SHARE[day.weekday()]
        at_home = stream(self._seed, "home office", ordinal).random() < share
        return DayKind.HOME_OFFICE if at_home else DayKind.WORK

    def has_guest(self, day: date) -> bool:
        """Whether a guest is there on that day (Friday evening to Sunday)."""
        ordinal = day.toordinal()
        return ordinal in self._block((ordinal - _FIRST_MONDAY) // BLOCK_DAYS).guest

    def _draw_block(self, number: int) -> Block:
        # keys of a stream are not negative; the years before 2026 are shifted up
        rng = stream(self._seed, "block", number + 100_000)
        first = _FIRST_MONDAY + number * BLOCK_DAYS
        away = first + 7 * int(rng.integers(4, 9)) + 5
        # neither an illness nor a guest falls into the holiday's two weeks
        weeks = [w for w in range(12) if first + 7 * w + 13 < away]
        weeks += [w for w in range(12) if first + 7 * w > away + 7]
        sick_week, guest_week = (int(rng.choice(weeks)) for _ in range(2))
        begin = first + 7 * sick_week + int(rng.integers(0, 3))
        length = int(rng.integers(1, 4)) if rng.random() < SICK_SHARE else 0
        friday = first + 7 * guest_week + 4
        stays = 3 if rng.random() < GUEST_SHARE else 0
        return Block(
            range(away, away + 8),
            range(begin, begin + length),
            range(friday, friday + stays),
        )

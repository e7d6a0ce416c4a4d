"""The time zone at a position, with no network."""

from __future__ import annotations

from datetime import UTC, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from trivet.domain import SetupError, UsageError
from trivet.domain.clock import ZoneOf


def named_zone(name: str) -> tzinfo:
    """The time zone of that name (`Europe/Berlin`).

    Raises:
        UsageError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"there is no time zone {name!r}", hint="such as Europe/Berlin"
        ) from error


def fixed_zone(zone: tzinfo) -> ZoneOf:
    """The same zone everywhere."""

    def zone_of(lat: float, lon: float) -> tzinfo:
        return zone

    return zone_of


def zone_by_position() -> ZoneOf:
    """The zone by position, from the borders that tzfpy carries.

    Raises:
        SetupError: the extra `replay` is not installed.
    """
    try:
        import tzfpy  # the extra `replay`
    except ImportError as error:
        raise SetupError(
            "time zones by position need tzfpy",
            hint="pip install 'trivet[replay]', or name the zone with --zone",
        ) from error

    @lru_cache(maxsize=4096)
    def of_cell(lat: float, lon: float) -> tzinfo:
        name = tzfpy.get_tz(lon, lat)
        return named_zone(name) if name else UTC

    def zone_of(lat: float, lon: float) -> tzinfo:
        return of_cell(round(lat, 1), round(lon, 1))

    return zone_of

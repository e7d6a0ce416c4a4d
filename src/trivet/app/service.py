"""What the command line and the page both call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from trivet.app.folder import atlas_file, samples_file
from trivet.app.mind import Mind, Roles
from trivet.app.naming import Firsts, Namer, home_position
from trivet.app.store import SampleStore
from trivet.app.student import student_of
from trivet.app.zone import fixed_zone, named_zone, zone_by_position
from trivet.atlas import AtlasIndex
from trivet.devices.replay import Options, Report, find_recordings, read
from trivet.domain import InputError, Sample, UsageError
from trivet.domain.clock import ZoneOf
from trivet.engine import Anticipator
from trivet.engine.evaluate import Row, evaluate, tabulate
from trivet.engine.student import Student
from trivet.skills.registry import load

DAY_S = 86_400.0


class Imported(msgspec.Struct, frozen=True):
    """What an import did: new samples, and the readers' report as plain values."""

    source: str
    added: int
    report: dict[str, object]


def zone_of(zone: str) -> ZoneOf:
    """The named zone everywhere, or the zone by position when none is named."""
    return fixed_zone(named_zone(zone)) if zone else zone_by_position()


def options(zone: str = "", device: str = "", person: str = "") -> Options:
    """What the recordings do not say themselves."""
    return Options(
        device=device, zone=named_zone(zone) if zone else None, person=person
    )


def recorded(path: Path, report: Report, given: Options) -> Iterator[Sample]:
    """The samples of a file or a folder of recordings, in order of event time.

    Raises:
        InputError: nothing there, or no known format.
    """
    if not path.exists():
        raise InputError("no such file or folder", path=str(path))
    files = find_recordings(path)
    if not files:
        raise InputError("no recordings in this folder", path=str(path))
    return read(files, report, given)


def import_recordings(folder: Path, path: Path, given: Options) -> Imported:
    """Take up recordings into the household: all of them, or nothing.

    Raises:
        InputError: a file is not what it claims, or nothing in it was understood.
        UsageError: it was imported before.
    """
    report = Report()
    with SampleStore(samples_file(folder)) as store:
        added = store.add(
            str(path.resolve()), _some(recorded(path, report, given), path, report)
        )
    return Imported(str(path), added, report.to_dict())


def _some(samples: Iterator[Sample], path: Path, report: Report) -> Iterator[Sample]:
    found = False
    for sample in samples:
        found = True
        yield sample
    if not found:
        reasons = ", ".join(report.skipped) or "it holds no records"
        raise InputError(f"nothing could be imported: {reasons}", path=str(path))


def learned(folder: Path, device: str, person: str, zone: str) -> Anticipator:
    """What is learned from the imported samples of one device.

    Raises:
        UsageError: nothing was imported, or nothing of that device.
    """
    with SampleStore(samples_file(folder)) as store:
        devices = store.devices()
        if device not in devices:
            raise UsageError(
                f"there are no samples of {device!r} here",
                hint=f"there are of: {', '.join(devices)}; name it with --device"
                if devices
                else "import a recording first: trivet import FILE",
            )
        student = student_of(folder)
        anticipator = Anticipator(person, device, zone_of(zone), student=student)
        for sample in store.samples(device):
            anticipator.learn_one(sample)
    return anticipator


@contextmanager
def naming(folder: Path, known: Anticipator, zone: str) -> Iterator[Namer]:
    """Names for the places of what `learned` gave, from the household's map if any."""
    path, zones = atlas_file(folder), zone_of(zone)
    atlas = AtlasIndex(path) if path.exists() else None
    try:
        namer, there = Namer(atlas), zones(0.0, 0.0)
        for place in known.places.values():
            if place.lat is not None and place.lon is not None:
                there = zones(place.lat, place.lon)
                break
        namer.first_seen = Firsts(lambda: known.stays, lambda: there)
        namer.home = lambda: home_position(known.places)
        yield namer
    finally:
        if atlas is not None:
            atlas.close()


def open_atlas(folder: Path) -> AtlasIndex:
    """The household's offline map.

    Raises:
        UsageError: none was imported.
    """
    path = atlas_file(folder)
    if not path.exists():
        raise UsageError(
            "this household has no offline map",
            hint="trivet map import FILE.osm.pbf",
        )
    return AtlasIndex(path)


def replay(
    path: Path,
    report: Report,
    given: Options,
    device: str,
    person: str,
    zone: str,
    warm_up_days: float,
    student: Student | None = None,
) -> list[Row]:
    """Replay recordings and judge each forecast on what came after it.

    Raises:
        InputError: the recordings cannot be read, or held no trip to judge.
    """
    anticipator = Anticipator(person, device, zone_of(zone), student=student)
    samples = recorded(path, report, given)
    scores = list(evaluate(samples, anticipator, warm_up_s=warm_up_days * DAY_S))
    if not scores:
        raise InputError(
            f"{report.understood:,} samples, but no trip of {device!r} after the first "
            f"{warm_up_days:g} days to judge",
            path=str(path),
            hint="give a longer recording, fewer --warm-up-days or another --device",
        )
    return tabulate(scores)


def mind_at(
    folder: Path, at: float | None, roles: Roles, zone: str, atlas: AtlasIndex | None
) -> tuple[Mind, float]:
    """A mind that knows all imported samples up to an event time, and that time.

    Args:
        folder: the household's.
        at: event time in seconds; the last sample's when None.
        roles: who is who.
        zone: name of the time zone, by position when empty.
        atlas: the offline map, if there is one.

    Raises:
        UsageError: nothing was imported, or all of it is later.
    """
    with SampleStore(samples_file(folder)) as store:
        span = store.span()
        if span is None:
            raise UsageError(
                "nothing was imported and no device runs here",
                hint="trivet import FILE, or trivet up DEVICE",
            )
        until = span[1] if at is None else at
        if until < span[0]:
            raise UsageError(
                "the time asked for is before the first sample",
                hint=f"the first is at {datetime.fromtimestamp(span[0], UTC):%Y-%m-%d}",
            )
        student = student_of(folder)
        mind = Mind(roles, zone_of(zone), load(), atlas, student)
        for sample in store.samples():
            if sample.time > until:
                break
            mind.learn(sample)
    mind.step(until)
    return mind, until

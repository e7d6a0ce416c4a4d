"""Recorded homes, read from a folder that the caller names; none of it is kept here.

Two forms of text, both of sensors that were on from a moment to another:

- `NAME.sensors` with `NAME.sensor_names`: seconds since 1970 of the home's own clock,
  seconds on, number of the sensor; number and name. The homes A, B and C of T. van
  Kasteren (Amsterdam) and D and E of E. Munguia Tapia (MIT) are passed around so.
- `NAME_Sensors.txt`: two lines of heading, then start, end, place, kind and room. The
  homes A and B of F. J. Ordóñez (Madrid).

Source: T. van Kasteren et al., "Accurate activity recognition in a home setting",
UbiComp 2008; E. Munguia Tapia et al., "Activity recognition in the home using simple
and ubiquitous sensors", Pervasive 2004; F. J. Ordóñez et al., "Activity recognition
using hybrid generative/discriminative models on home environments using binary
sensors", Sensors 13 (2013).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from trivet.domain import Sample
from trivet.domain.error import UsageError
from trivet.engine.timeline import is_event_time

_SLUG = re.compile(r"[^a-z0-9]+")

#: Start and end in seconds, and the sensor.
Span = tuple[float, float, str]


def homes(folder: Path) -> dict[str, Path]:
    """The recorded homes of a folder, by name.

    Raises:
        UsageError: there is none.
    """
    found = {path.stem: path for path in sorted(folder.glob("*.sensors"))}
    for path in sorted(folder.glob("*_Sensors.txt")):
        found[path.stem.removesuffix("_Sensors")] = path
    if not found:
        raise UsageError(
            f"no recorded home in {folder}",
            hint="it needs NAME.sensors with NAME.sensor_names, or NAME_Sensors.txt",
        )
    return found


def read(path: Path) -> list[Sample]:
    """The samples of one home, by event time, as Home Assistant would name them.

    Raises:
        UsageError: a line is none of the form, or there is none.
    """
    of_numbers = path.suffix == ".sensors"
    spans = list(_of_numbers(path) if of_numbers else _of_words(path))
    if not spans:
        raise UsageError(f"{path} tells of nothing", hint="fetch the file again")
    changes = sorted(
        change
        for start, end, name in spans
        for change in ((start, name, "on"), (max(end, start + 1.0), name, "off"))
    )
    begin = max(0.0, changes[0][0] - 1.0)
    samples = [
        Sample("home", f"binary_sensor.{name}", begin, "off")
        for name in sorted({name for _, _, name in spans})
    ]
    for time, name, state in changes:
        samples.append(Sample("home", f"binary_sensor.{name}", time, state))
    return samples


def _of_numbers(path: Path) -> Iterator[Span]:
    names = _names(path.with_suffix(".sensor_names"))
    for number, line in enumerate(path.read_text("latin-1").splitlines(), 1):
        if not line.strip():
            continue
        try:
            start, length, sensor = line.split()
            begin, end = float(start), float(start) + float(length)
            yield _span(begin, end, _slug(names.get(sensor, sensor), sensor))
        except ValueError as error:
            raise _fault(path, number, line, "start, seconds and sensor") from error


def _names(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise UsageError(f"there is no {path}", hint="it goes with the .sensors")
    names = {}
    for number, line in enumerate(path.read_text("latin-1").splitlines(), 1):
        sensor, tab, name = line.strip().partition("\t")
        if tab:
            names[sensor] = name
        elif sensor:
            raise _fault(path, number, line, "number and name")
    return names


def _of_words(path: Path) -> Iterator[Span]:
    for number, line in enumerate(path.read_text("latin-1").splitlines(), 1):
        words = line.split()
        if number <= 2 or not words:
            continue
        try:
            start, end = _moment(*words[:2]), _moment(*words[2:4])
            yield _span(start, end, _slug("_".join(words[4:]), str(number)))
        except (ValueError, TypeError) as error:
            raise _fault(path, number, line, "start, end and sensor") from error


def _span(start: float, end: float, sensor: str) -> Span:
    if not (is_event_time(start) and is_event_time(end)):
        raise ValueError("out of the calendar")
    return start, end, sensor


def _fault(path: Path, number: int, line: str, form: str) -> UsageError:
    return UsageError(
        f"{path}, line {number}: {line[:80]!r} is not {form}",
        hint="fetch the file again",
    )


def _moment(day: str, hour: str) -> float:
    there = datetime.strptime(f"{day} {hour}", "%Y-%m-%d %H:%M:%S")
    return there.replace(tzinfo=UTC).timestamp()


def _slug(name: str, number: str) -> str:
    return _SLUG.sub("_", name.lower()).strip("_") or f"sensor_{number}"

"""Reads `.ics` files: entries once, daily or weekly, with time zones by their names.

Not read are tasks, alarms, free and busy times, and a calendar's own definitions of
time zones: their names are looked up in the system's database. An entry that is not
understood whole (it repeats by month, its zone has no such name) is left out and
counted, so that nobody is sent somewhere at a guessed hour; a file that is no calendar
is an error.

Source: RFC 5545, "Internet Calendaring and Scheduling Core Object Specification".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, timedelta
from math import isfinite
from pathlib import Path

from trivet.devices.calendar.calendar import MAX_LENGTH, Calendar, Entry
from trivet.devices.calendar.line import Line, lines_of, text_of
from trivet.devices.calendar.moment import Moment, length_of, moment_of
from trivet.devices.calendar.rule import rule_of
from trivet.domain.error import InputError

MAX_BYTES = 32 << 20
MAX_ENTRIES = 50_000
#: Dates that one entry leaves out.
MAX_WITHOUT = 2_000
_MAX_DEPTH = 8
_TITLE, _LOCATION, _UID = 200, 500, 200
_POINT = re.compile(r"(?:geo:)?\s*([-+]?[\d.]{1,20})\s*[;,]\s*([-+]?[\d.]{1,20})")
_APPLE = "X-APPLE-STRUCTURED-LOCATION"
#: Properties that may stand once; of two the entry would be anybody's guess.
_ONCE = ("DTSTART", "DTEND", "DURATION", "RRULE", "RECURRENCE-ID")


class _NotReadError(Exception):
    """An entry that is not understood; the text is one of few reasons."""


def read_calendar(path: Path) -> Calendar:
    """The calendar in a file.

    Raises:
        InputError: it cannot be read, or is no calendar: which file and line.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be opened: {error}", path=str(path)) from error
    return parse_calendar(data, str(path))


def parse_calendar(data: bytes, path: str = "") -> Calendar:
    """The calendar that `data` is.

    Args:
        data: iCalendar text in UTF-8.
        path: what errors call it.

    Raises:
        InputError: it is no calendar.
    """
    if len(data) > MAX_BYTES:
        raise InputError(f"more than {MAX_BYTES >> 20} MiB", path=path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8 text at byte {error.start}",
            path=path,
            hint="export it as iCalendar (.ics)",
        ) from error
    entries: list[Entry] = []
    left_out: Counter[str] = Counter()
    for lines in _events(text, path):
        try:
            entries.append(_entry(lines))
        except _NotReadError as reason:
            left_out[str(reason)] += 1
        if len(entries) + left_out.total() > MAX_ENTRIES:
            raise InputError(f"more than {MAX_ENTRIES} entries", path=path)
    return Calendar(tuple(entries), dict(left_out))


def _events(text: str, path: str) -> Iterator[list[Line]]:
    """The properties of each VEVENT, those of its parts left away."""
    stack: list[str] = []
    begun = 0
    lines: list[Line] = []
    for line in lines_of(text, path):
        word = line.value.strip().upper()
        if line.name == "BEGIN":
            if len(stack) >= _MAX_DEPTH or (word == "VCALENDAR") != (not stack):
                raise _error(f"BEGIN:{word[:40]} in the wrong place", path, line)
            stack.append(word)
            begun += 1
            lines = [] if word == "VEVENT" else lines
        elif line.name == "END":
            if not stack or stack.pop() != word:
                raise _error(f"END:{word[:40]} ends what never began", path, line)
            if word == "VEVENT" and stack == ["VCALENDAR"]:
                yield lines
        elif not stack:
            raise _error("not within BEGIN:VCALENDAR", path, line)
        elif stack == ["VCALENDAR", "VEVENT"]:
            lines.append(line)
    if stack or not begun:
        what = f"cut off within {stack[-1][:40]}" if stack else "empty"
        raise InputError(f"no whole calendar: {what}", path=path)


def _error(message: str, path: str, line: Line) -> InputError:
    hint = "export it as iCalendar (.ics)"
    return InputError(message, path=path, line=line.number, hint=hint)


def _entry(lines: list[Line]) -> Entry:
    found: dict[str, Line] = {}
    for line in lines:
        if line.name in _ONCE and line.name in found:
            raise _NotReadError(f"two {line.name}")
        found.setdefault(line.name, line)
    start = _moment(found["DTSTART"]) if "DTSTART" in found else None
    if start is None:
        raise _NotReadError("no DTSTART")
    rule = None
    if "RRULE" in found:
        rule = rule_of(found["RRULE"], start)
        if rule is None:
            raise _NotReadError("repeats by a rule that is not daily or weekly")
    if "RDATE" in found or "EXRULE" in found:
        raise _NotReadError("repeats by RDATE or EXRULE")
    return Entry(
        uid=_text(found, "UID", _UID) or f"line-{lines[0].number}",
        title=_text(found, "SUMMARY", _TITLE),
        start=start,
        length=_length(found, start),
        location=_text(found, "LOCATION", _LOCATION),
        point=_point(found),
        rule=rule,
        without=_without(lines),
        instead_of=_instead_of(found),
        is_cancelled=_text(found, "STATUS", 20).upper() == "CANCELLED",
    )


def _instead_of(found: dict[str, Line]) -> Moment | None:
    line = found.get("RECURRENCE-ID")
    if line is None:
        return None
    if "RANGE" in line.parameters or "RRULE" in found:
        raise _NotReadError("changes a series from some day on")
    return _moment(line)


def _moment(line: Line) -> Moment:
    moment = moment_of(line, line.value.strip())
    if moment is None:
        raise _NotReadError(f"{line.name} is no date, or in a time zone not known")
    return moment


def _length(found: dict[str, Line], start: Moment) -> timedelta:
    is_all_day = start.second is None
    length = timedelta(1) if is_all_day else timedelta(0)
    if "DTEND" in found:
        end = _moment(found["DTEND"])
        if (end.second is None) != is_all_day or (end.zone is None) != (
            start.zone is None
        ):
            raise _NotReadError("begins with an hour or zone and ends without one")
        if is_all_day:
            length = end.day - start.day
        else:
            # where the reader is does not matter for how long it lasts
            length = timedelta(seconds=end.time(UTC) - start.time(UTC))
    elif "DURATION" in found:
        given = length_of(found["DURATION"].value.strip())
        if given is None or (is_all_day and given.seconds):
            raise _NotReadError("DURATION is no length of time")
        length = given
    if not timedelta(0) <= length <= MAX_LENGTH:
        raise _NotReadError("ends before it begins, or lasts more than a year")
    return max(length, timedelta(1)) if is_all_day else length


def _without(lines: list[Line]) -> tuple[Moment, ...]:
    found: list[Moment] = []
    for line in lines:
        if line.name != "EXDATE":
            continue
        for value in line.value.split(","):
            moment = moment_of(line, value.strip())
            if moment is None or len(found) >= MAX_WITHOUT:
                raise _NotReadError("EXDATE is no list of dates")
            found.append(moment)
    return tuple(found)


def _point(found: dict[str, Line]) -> tuple[float, float] | None:
    """Where it is, in degrees; 0, 0 is what programs write for "nowhere"."""
    line = found.get("GEO") or found.get(_APPLE)
    match = None if line is None else _POINT.match(line.value.strip())
    if match is None:
        return None
    try:
        lat, lon = float(match[1]), float(match[2])
    except ValueError:
        return None
    is_one = isfinite(lat) and abs(lat) <= 90.0 and abs(lon) <= 180.0
    return (lat, lon) if is_one and (lat or lon) else None


def _text(found: dict[str, Line], name: str, most: int) -> str:
    line = found.get(name)
    return "" if line is None else text_of(line.value, most)

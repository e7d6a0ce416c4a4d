"""Calendars: `.ics` files from a phone, or from whoever sent an invitation."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import msgspec
from scripts.fuzz.target import Makers, Target

from trivet.devices.calendar import parse_calendar
from trivet.domain.appointment import Appointment
from trivet.domain.error import InputError

_ZONE = ZoneInfo("Europe/Berlin")
#: Event time of the month that is asked about: March 2026.
_START, _END = 1_772_319_600.0, 1_774_994_400.0
_HEAD, _TAIL = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "END:VCALENDAR\r\n"
_ENTRIES = (
    "UID:1@a\r\nSUMMARY:Dentist\\, Dr. Wei\r\n ß\r\nGEO:51.5;9.25\r\n"
    "DTSTART;TZID=Europe/Berlin:20260310T173000\r\n"
    "DTEND;TZID=Europe/Berlin:20260310T181500\r\nLOCATION:Am Wehr 5\\nTown\r\n"
    "BEGIN:VALARM\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\n",
    "UID:2\r\nDTSTART;TZID=America/New_York:20160105T090000\r\nDURATION:PT45M\r\n"
    "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,FR;UNTIL=20270101T000000Z;WKST=SU\r\n"
    "EXDATE;TZID=America/New_York:20260310T090000,20260313T090000\r\n",
    "UID:2\r\nRECURRENCE-ID;TZID=America/New_York:20260324T090000\r\n"
    "DTSTART:20260325T090000Z\r\nSTATUS:CANCELLED\r\n",
    "UID:3\r\nDTSTART;VALUE=DATE:20260327\r\nDTEND;VALUE=DATE:20260405\r\n"
    "RRULE:FREQ=DAILY;INTERVAL=30;COUNT=9\r\n"
    "X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=a:geo:54.1,8.2\r\n",
)
_WORDS = """BEGIN:VEVENT END:VEVENT BEGIN:VCALENDAR END:VCALENDAR DTSTART: DTEND:
DURATION: RRULE:FREQ= DAILY WEEKLY ;COUNT= ;INTERVAL= ;UNTIL= ;BYDAY= EXDATE: ;TZID=
RECURRENCE-ID: 20260329T023000 99991231 00000000T000000Z P9999W GEO:""".split()


def _read(data: bytes) -> None:
    """Read a calendar: what it gives can be sent, in order, and is of that month."""
    found = parse_calendar(data, "a.ics").between(_START, _END, _ZONE)
    assert found == sorted(found, key=lambda one: one.start)
    for one in found:
        assert one.start < _END
        assert one.end >= max(one.start, _START)
        sent = msgspec.json.encode(one)
        assert msgspec.json.decode(sent, type=Appointment) == one


def _make() -> Target:
    bodies = [f"BEGIN:VEVENT\r\n{entry}END:VEVENT\r\n" for entry in _ENTRIES]
    texts = [*bodies, "".join(bodies)]
    return Target(
        "calendar",
        tuple(f"{_HEAD}{text}{_TAIL}".encode() for text in texts),
        _read,
        (InputError,),
        words=tuple(word.encode() for word in _WORDS),
        slowness=5,
    )


TARGETS: Makers = {"calendar": _make}

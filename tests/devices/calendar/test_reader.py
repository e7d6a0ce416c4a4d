"""What a calendar file says, whoever wrote it."""

from __future__ import annotations

import random
from datetime import datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.devices.calendar import Calendar, parse_calendar, read_calendar
from trivet.devices.calendar.moment import Moment
from trivet.devices.calendar.reader import MAX_ENTRIES
from trivet.domain.appointment import Appointment
from trivet.domain.error import InputError

BERLIN = ZoneInfo("Europe/Berlin")
DENTIST = """\
BEGIN:VEVENT
UID:1@phone
SUMMARY:Dentist\\, Dr. Weiß
DTSTART;TZID=Europe/Berlin:20260310T173000
DTEND;TZID=Europe/Berlin:20260310T181500
LOCATION:Am Wehr 5\\nTown
GEO:51.5;9.25
BEGIN:VALARM
TRIGGER:-PT15M
SUMMARY:an alarm is no title
END:VALARM
END:VEVENT
"""


def calendar(*events: str) -> bytes:
    """A file with those entries, each the inside of a VEVENT or a whole one."""
    bodies = [
        event if event.startswith("BEGIN") else f"BEGIN:VEVENT\n{event}\nEND:VEVENT\n"
        for event in events
    ]
    text = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y\n" + "".join(bodies)
    return f"{text}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


def in_march(read: Calendar) -> list[Appointment]:
    return read.between(at("2026-03-01"), at("2026-04-01"), BERLIN)


def test_an_entry_has_its_title_time_and_place() -> None:
    (dentist,) = in_march(parse_calendar(calendar(DENTIST)))
    assert dentist == Appointment(
        "1@phone",
        "Dentist, Dr. Weiß",
        at("2026-03-10T17:30"),
        at("2026-03-10T18:15"),
        "Am Wehr 5 Town",
        51.5,
        9.25,
    )


def test_a_folded_line_is_one_line() -> None:
    folded = DENTIST.replace("Dr. Weiß", "Dr.\n  Wei\n ß")
    (dentist,) = in_march(parse_calendar(calendar(folded)))
    assert dentist.title == "Dentist, Dr. Weiß"


@pytest.mark.parametrize(
    ("start", "end", "begins", "lasts_h"),
    [
        ("DTSTART:20260310T163000Z", "DTEND:20260310T173000Z", "2026-03-10T17:30", 1),
        ("DTSTART:20260310T173000", "DURATION:PT1H30M", "2026-03-10T17:30", 1.5),
        ("DTSTART:20260310T173000", "PRIORITY:1", "2026-03-10T17:30", 0),
        (
            "DTSTART;TZID=America/New_York:20260310T173000",
            "DTEND;TZID=Europe/Berlin:20260310T233000",
            "2026-03-10T22:30",
            1,
        ),
        (
            "DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Berlin"
            ":20260310T173000",
            "DURATION:P1D",
            "2026-03-10T17:30",
            24,
        ),
        (
            'DTSTART;TZID="Europe/Berlin":20260310T173000',
            "X-A:b",
            "2026-03-10T17:30",
            0,
        ),
    ],
)
def test_times_are_read_in_their_zone(
    start: str, end: str, begins: str, lasts_h: float
) -> None:
    (one,) = in_march(parse_calendar(calendar(f"UID:a\n{start}\n{end}")))
    assert one.start == at(begins)
    assert one.end - one.start == lasts_h * 3600


def test_a_whole_day_is_one_where_the_reader_is_also_when_clocks_change() -> None:
    event = "UID:a\nDTSTART;VALUE=DATE:20260329\nDTEND;VALUE=DATE:20260330"
    (one,) = in_march(parse_calendar(calendar(event)))
    assert one.is_all_day
    assert (one.start, one.end) == (at("2026-03-29"), at("2026-03-30"))
    assert one.end - one.start == 23 * 3600


def days_of(rule: str, start: str = "20260302T090000", more: str = "") -> list[str]:
    event = f"UID:a\nDTSTART;TZID=Europe/Berlin:{start}\nRRULE:{rule}\n{more}"
    read = parse_calendar(calendar(event.strip()))
    assert not read.left_out
    texts = [datetime.fromtimestamp(a.start, BERLIN) for a in in_march(read)]
    assert all(f"{text:%H:%M}" == "09:00" for text in texts)
    return [f"{text:%a %d}" for text in texts]


def test_every_other_week_on_two_days() -> None:
    rule = "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH"
    assert days_of(rule) == ["Mon 02", "Thu 05", "Mon 16", "Thu 19", "Mon 30"]


def test_a_rule_that_began_years_ago_still_keeps_its_weeks() -> None:
    rule = "FREQ=WEEKLY;INTERVAL=3;BYDAY=TU"
    assert days_of(rule, "20160105T090000") == ["Tue 10", "Tue 31"]


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        ("FREQ=DAILY;COUNT=4", 4),
        ("FREQ=DAILY;INTERVAL=10", 3),
        ("FREQ=DAILY;UNTIL=20260305T080000Z", 4),
        ("FREQ=DAILY;UNTIL=20260305T075959Z", 3),
        ("FREQ=DAILY;UNTIL=20260305", 4),
        ("FREQ=WEEKLY;COUNT=3", 3),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE;COUNT=5", 5),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", 22),
    ],
)
def test_a_series_ends_where_it_says(rule: str, count: int) -> None:
    assert len(days_of(rule)) == count


def test_of_a_counted_series_only_the_rest_is_left_later() -> None:
    # Monday 16 February, then five more up to Monday 23 March
    assert days_of("FREQ=WEEKLY;COUNT=6", "20260216T090000")[-1] == "Mon 23"
    counted = days_of("FREQ=WEEKLY;BYDAY=MO,FR;COUNT=7", "20260220T090000")
    assert counted == ["Mon 02", "Fri 06", "Mon 09", "Fri 13"]


def test_what_the_series_leaves_out_does_not_come() -> None:
    more = "EXDATE;TZID=Europe/Berlin:20260309T090000,20260316T090000"
    assert days_of("FREQ=WEEKLY", more=more) == ["Mon 02", "Mon 23", "Mon 30"]


def test_an_instance_that_was_moved_comes_once_and_one_cancelled_never() -> None:
    series = "UID:a\nDTSTART;TZID=Europe/Berlin:20260302T090000\nRRULE:FREQ=WEEKLY"
    moved = (
        "UID:a\nRECURRENCE-ID;TZID=Europe/Berlin:20260309T090000\n"
        "DTSTART;TZID=Europe/Berlin:20260310T110000"
    )
    gone = (
        "UID:a\nRECURRENCE-ID;TZID=Europe/Berlin:20260316T090000\n"
        "DTSTART;TZID=Europe/Berlin:20260316T090000\nSTATUS:CANCELLED"
    )
    found = in_march(parse_calendar(calendar(series, moved, gone)))
    days = [f"{datetime.fromtimestamp(a.start, BERLIN):%d %H}" for a in found]
    assert days == ["02 09", "10 11", "23 09", "30 09"]


@pytest.mark.parametrize(
    "event",
    [
        "SUMMARY:no time",
        "DTSTART:20260310T173000\nRRULE:FREQ=MONTHLY",
        "DTSTART:20260310T173000\nRRULE:FREQ=WEEKLY;BYDAY=1MO",
        "DTSTART:20260310T173000\nRRULE:FREQ=WEEKLY;BYSETPOS=1",
        "DTSTART:20260310T173000\nRRULE:FREQ=DAILY;COUNT=0",
        "DTSTART:20260310T173000\nRRULE:FREQ=DAILY;INTERVAL=99999999",
        "DTSTART;TZID=Mars/Olympus:20260310T173000",
        "DTSTART;TZID=../../etc/passwd:20260310T173000",
        "DTSTART;TZID=Europe:20260310T173000",
        "DTSTART:20260230T173000",
        "DTSTART:20260310T253000",
        "DTSTART:99990310T173000",
        "DTSTART:20260310T173000\nDTSTART:20260311T173000",
        "DTSTART:20260310T173000\nDTEND:20260310T163000",
        "DTSTART:20260310T173000\nDTEND;VALUE=DATE:20260311",
        "DTSTART:20260310T173000\nDURATION:P1Y",
        "DTSTART:20260310T173000\nRDATE:20260311T173000",
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20260310T173000\nDTSTART:20260310T173000",
    ],
)
def test_what_is_not_understood_whole_is_left_out_and_counted(event: str) -> None:
    read = parse_calendar(calendar(event, DENTIST))
    assert len(read.entries) == 1
    assert sum(read.left_out.values()) == 1


@pytest.mark.parametrize("point", ["0;0", "91;9", "nan;9", "1e5;2", "51.5", "..;.."])
def test_a_point_that_is_none_is_left_away(point: str) -> None:
    event = DENTIST.replace("51.5;9.25", point)
    (dentist,) = in_march(parse_calendar(calendar(event)))
    assert (dentist.lat, dentist.lon) == (None, None)


def test_an_iphone_s_place_is_a_point_too() -> None:
    line = 'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE="Wehr, 5":geo:51.5,9.25'
    event = DENTIST.replace("GEO:51.5;9.25", line)
    (dentist,) = in_march(parse_calendar(calendar(event)))
    assert (dentist.lat, dentist.lon) == (51.5, 9.25)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\xff\xfe\x00",
        calendar(DENTIST)[:-20],
        calendar(DENTIST).replace(b"END:VALARM", b"END:VCALENDAR"),
        b"BEGIN:VEVENT\nEND:VEVENT\n",
        b"BEGIN:VCALENDAR\nno colon here\nEND:VCALENDAR\n",
        b"BEGIN:VCALENDAR\n" + b"BEGIN:X\n" * 20,
    ],
)
def test_what_is_no_calendar_is_said_with_the_file(data: bytes) -> None:
    with pytest.raises(InputError, match=r"mine\.ics"):
        parse_calendar(data, "mine.ics")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone"):
        read_calendar(tmp_path / "gone.ics")
    path = tmp_path / "a.ics"
    path.write_bytes(b"\xef\xbb\xbf" + calendar(DENTIST))
    assert len(read_calendar(path).entries) == 1


def test_attack_a_million_instances_cost_no_more_than_a_few() -> None:
    event = "UID:{}\nDTSTART:19710101T000000Z\nRRULE:FREQ=DAILY"
    read = parse_calendar(calendar(*(event.format(n) for n in range(300))))
    assert len(in_march(read)) == 300 * 31
    more = parse_calendar(calendar(*(event.format(n) for n in range(2000))))
    with pytest.raises(InputError, match="more than"):
        in_march(more)


def marks_made(read: Calendar, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many event times are worked out for one answer."""
    made = []
    time = Moment.time

    def counted(moment: Moment, zone: tzinfo) -> float:
        made.append(moment)
        return time(moment, zone)

    with monkeypatch.context() as patch:
        patch.setattr(Moment, "time", counted)
        assert not in_march(read)
    return len(made)


def test_attack_entries_times_exceptions_cost_no_more_than_their_sum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = "UID:a\nDTSTART:20250310T173000"
    other = f"{entry}\nRECURRENCE-ID:20250310T173000"
    read = parse_calendar(calendar(*([entry] * 100 + [other] * 100)))
    assert marks_made(read, monkeypatch) < 1000


def test_attack_a_series_that_has_ended_costs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = "DTSTART:20200310T173000\nDURATION:P360D\nRRULE:FREQ=DAILY;UNTIL=20210101"
    read = parse_calendar(calendar(*(f"UID:{n}\n{ended}" for n in range(10))))
    assert marks_made(read, monkeypatch) < 100


def test_attack_too_many_entries_and_one_endless_line_are_refused() -> None:
    with pytest.raises(InputError, match="entries"):
        parse_calendar(calendar(*(["X:1"] * (MAX_ENTRIES + 1))))
    with pytest.raises(InputError, match="MiB"):
        parse_calendar(calendar("SUMMARY:" + "a\n " * 600_000))


def judge(data: bytes) -> None:
    """A value or an InputError, and appointments are sound."""
    try:
        read = parse_calendar(data)
        found = in_march(read)
    except InputError:
        return
    for one in found:
        assert one.start < at("2026-04-01")
        assert one.end >= one.start
        assert one.end > at("2026-03-01") or one.start >= at("2026-03-01")


SERIES = (
    "UID:s\nDTSTART;TZID=Europe/Berlin:20200107T090000\n"
    "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,FR;UNTIL=20270101T000000Z\n"
    "EXDATE;TZID=Europe/Berlin:20260310T090000\nDURATION:PT45M"
)


@given(st.integers(0, 2**32), st.integers(1, 12))
@settings(max_examples=150, deadline=None)
def test_attack_mutated_bytes_raise_nothing_else(seed: int, changes: int) -> None:
    rng = random.Random(seed)
    data = bytearray(calendar(DENTIST, SERIES))
    for _ in range(changes):
        at_byte = rng.randrange(len(data))
        kind = rng.randrange(3)
        if kind == 0:
            data[at_byte] = rng.randrange(256)
        elif kind == 1:
            del data[at_byte : at_byte + rng.randrange(1, 9)]
        else:
            piece = data[at_byte : at_byte + rng.randrange(1, 40)]
            data[rng.randrange(len(data)) : 0] = piece
    judge(bytes(data))


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_attack_any_bytes_raise_nothing_else(data: bytes) -> None:
    judge(data)
    judge(calendar("DTSTART:20260310T173000")[:-30] + data)

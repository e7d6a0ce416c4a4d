"""Opening hours as OpenStreetMap writes them, and whether a place is open.

Read are: weekdays and their ranges, months and dates of every year, several times a
day, times past midnight, `24/7`, `off` and `closed`, `unknown`, comments, and rules
joined by `;` (the later rule wins), `,` (it adds) and `||` (it is asked last).

Public and school holidays are not known here: what a text says of them is left out,
and `has_holidays` tells that it was. Anything else (sunset, weeks, years, the first
Friday of a month, an open end) makes the hours not known: `parse` gives None, and
nobody is sent to a closed door by a guess.

Source: OpenStreetMap wiki, `Key:opening_hours/specification`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import Enum
from functools import lru_cache

import msgspec

DAY_MIN = 1440
#: A text longer than OpenStreetMap's own limit for a value is not read.
MAX_LENGTH = 255
_DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
_MONTHS = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_DAY = "|".join(_DAYS)
_MONTH = "|".join(_MONTHS)
_TIME = r"\d{1,2}:\d{2}"
_TOKEN = re.compile(
    rf"""
      \s* (?:
        (?P<comment> "[^"]*" )
      | (?P<always>  24/7 )
      | (?P<times>   {_TIME} \s* - \s* {_TIME} (?! \s* [+/\d:]) )
      | (?P<dates>   (?:{_MONTH}) \s+ \d{{1,2}} (?! [:\d])
                     (?: \s* - \s* (?: (?:{_MONTH}) \s+ )? \d{{1,2}} (?! [:\d]) )? )
      | (?P<months>  (?:{_MONTH}) \b (?: \s* - \s* (?:{_MONTH}) \b )? )
      | (?P<days>    (?:{_DAY}) \b (?: \s* - \s* (?:{_DAY}) \b )? (?! \s* \[) )
      | (?P<holiday> (?: ph | sh ) \b )
      | (?P<state>   (?: off | closed | open | unknown ) \b )
      | (?P<join>    \|\| | ; | , )
      | (?P<colon>   : )
      )
    """,
    re.VERBOSE,
)


class _State(Enum):
    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class _Join(Enum):
    OVERRIDE = ";"
    ADD = ","
    FALLBACK = "||"


class _Rule(msgspec.Struct, frozen=True):
    """One rule: on which days, in which minutes, which state.

    Attributes:
        join: how it stands to the rules before it.
        state: what it says.
        days: weekdays, 0 is Monday; empty for all.
        dates: ranges of (month, day), both ends in; empty for all.
        spans: minutes from midnight, the end past DAY_MIN on the next day; empty for
            the whole day.
    """

    join: _Join
    state: _State
    days: frozenset[int]
    dates: tuple[tuple[tuple[int, int], tuple[int, int]], ...]
    spans: tuple[tuple[int, int], ...]

    def covers(self, day: date) -> bool:
        """Whether the rule speaks of that day."""
        if self.days and day.weekday() not in self.days:
            return False
        at = (day.month, day.day)
        return not self.dates or any(
            first <= at <= last if first <= last else at >= first or at <= last
            for first, last in self.dates
        )


class OpeningHours(msgspec.Struct, frozen=True):
    """When a place is open, in its own local time.

    Attributes:
        rules: in the order of the text.
        has_holidays: whether the text said something of holidays, which is left out.
    """

    rules: tuple[_Rule, ...]
    has_holidays: bool = False

    def is_open(self, moment: datetime) -> bool | None:
        """Whether it is open at a local time; None where the text says `unknown`.

        A time past midnight belongs to the day that it began on: `Fr 22:00-02:00` is
        open on Saturday at one, whatever is said of Saturday.
        """
        minute = moment.hour * 60 + moment.minute
        for is_fallback in (False, True):
            for back in (0, 1):
                day = moment.date() - timedelta(days=back)
                for begin, end, state in reversed(self._spans(day, is_fallback)):
                    if begin <= minute + back * DAY_MIN < end:
                        return None if state is _State.UNKNOWN else state is _State.OPEN
        return False

    def closes(self, moment: datetime) -> datetime | None:
        """First local minute after an open `moment` at which it is not known open.

        None when it is not open, or stays open for a day and longer.
        """
        begin = moment.replace(second=0, microsecond=0)
        if self.is_open(begin) is not True:
            return None
        edges = {
            end + (offset - 1) * DAY_MIN
            for offset in (0, 1, 2)
            for is_fallback in (False, True)
            for span in self._spans(
                begin.date() + timedelta(days=offset - 1), is_fallback
            )
            for end in span[:2]
        }
        midnight = begin.replace(hour=0, minute=0)
        for edge in sorted(edges):
            at = midnight + timedelta(minutes=edge)
            if begin < at < begin + timedelta(days=1) and self.is_open(at) is not True:
                return at
        return None

    def _spans(self, day: date, is_fallback: bool) -> list[tuple[int, int, _State]]:
        """What the rules together say of one day, the later span wins."""
        spans: list[tuple[int, int, _State]] = []
        for rule in self.rules:
            if (rule.join is _Join.FALLBACK) != is_fallback or not rule.covers(day):
                continue
            if rule.state is _State.CLOSED and not rule.spans:
                spans = []
                continue
            # "12:00-13:00 off" cuts a hole; any other rule after ";" replaces the day
            if rule.join is _Join.OVERRIDE and rule.state is not _State.CLOSED:
                spans = []
            spans += [(*span, rule.state) for span in rule.spans or ((0, DAY_MIN),)]
        return spans


@lru_cache(maxsize=4096)
def parse(text: str) -> OpeningHours | None:
    """The opening hours in `text`, None when it is empty or not understood."""
    text = text.strip().replace("–", "-").lower()
    if not text or len(text) > MAX_LENGTH:
        return None
    tokens = _tokens(text)
    if tokens is None:
        return None
    rules: list[_Rule] = []
    has_holidays = False
    for join, group in _groups(tokens):
        draft = _Draft()
        if not all(draft.take(kind, value) for kind, value in group):
            return None
        has_holidays |= draft.is_holiday
        if draft.is_empty:
            return None
        if not draft.is_holiday or draft.days or draft.dates:
            rules.append(draft.rule(join))
    return OpeningHours(tuple(rules), has_holidays) if rules else None


_Token = tuple[str, str]


def _tokens(text: str) -> list[_Token] | None:
    found: list[_Token] = []
    at = 0
    text = text.rstrip(" ;\t\n")
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            return None
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def _groups(tokens: list[_Token]) -> Iterator[tuple[_Join, list[_Token]]]:
    """Rules with their joins; a comma before a new day after times begins a rule."""
    join = _Join.OVERRIDE
    group: list[_Token] = []
    for index, (kind, value) in enumerate(tokens):
        following = tokens[index + 1][0] if index + 1 < len(tokens) else ""
        if kind == "join" and (value != "," or _begins_rule(group, following)):
            yield join, group
            join, group = _Join(value), []
        else:
            group.append((kind, value))
    yield join, group


def _begins_rule(group: list[_Token], following: str) -> bool:
    has_body = any(kind in ("times", "always", "state") for kind, _ in group)
    return has_body and following in ("days", "months", "dates", "holiday", "always")


class _Draft:
    """A rule while it is read, token by token."""

    def __init__(self) -> None:
        self.days: set[int] = set()
        self.dates: list[tuple[tuple[int, int], tuple[int, int]]] = []
        self.spans: list[tuple[int, int]] = []
        self.state = _State.OPEN
        self.is_holiday = False
        self._has_state = False
        self._has_comment = False
        self._is_always = False

    @property
    def is_empty(self) -> bool:
        """Whether it selects or says nothing."""
        return not (
            self.days
            or self.dates
            or self.spans
            or self.is_holiday
            or self._has_state
            or self._is_always
            or self._has_comment
        )

    def take(self, kind: str, value: str) -> bool:
        """Take up one token; False when it makes no sense here."""
        if kind == "times":
            return self._take_times(value)
        if kind == "days":
            first, last = _ends(value, _DAYS)
            span = (last - first) % 7
            self.days |= {(first + step) % 7 for step in range(span + 1)}
            return not self.spans
        if kind == "months":
            first, last = _ends(value, _MONTHS)
            self.dates.append(((first + 1, 1), (last + 1, 31)))
            return not self.spans
        if kind == "dates":
            return not self.spans and self._take_dates(value)
        if kind == "state":
            if self._has_state:
                return False
            self._has_state = True
            self.state = {"open": _State.OPEN, "unknown": _State.UNKNOWN}.get(
                value, _State.CLOSED
            )
        if kind == "always" and self.spans:
            return False
        self.is_holiday |= kind == "holiday"
        self._has_comment |= kind == "comment"
        self._is_always |= kind == "always"
        return True

    def rule(self, join: _Join) -> _Rule:
        """The rule that was read."""
        state = self.state
        says_when = self.spans or self._is_always or self._has_state
        if self._has_comment and not says_when:
            state = _State.UNKNOWN
        return _Rule(
            join, state, frozenset(self.days), tuple(self.dates), tuple(self.spans)
        )

    def _take_times(self, value: str) -> bool:
        begin, end = (_minute(part) for part in value.split("-"))
        if begin is None or end is None or begin >= DAY_MIN:
            return False
        self.spans.append((begin, end if end > begin else end + DAY_MIN))
        return not self._is_always

    def _take_dates(self, value: str) -> bool:
        numbers = [int(number) for number in re.findall(r"\d+", value)]
        if not all(1 <= number <= 31 for number in numbers):
            return False
        first, last = _ends(" ".join(re.findall(_MONTH, value)), _MONTHS)
        self.dates.append(((first + 1, numbers[0]), (last + 1, numbers[-1])))
        return True


def _ends(value: str, names: tuple[str, ...]) -> tuple[int, int]:
    found = re.findall("|".join(names), value)
    return names.index(found[0]), names.index(found[-1])


def _minute(text: str) -> int | None:
    hours, minutes = (int(part) for part in text.split(":"))
    at = hours * 60 + minutes
    return at if minutes < 60 and at <= 2 * DAY_MIN else None

"""How long samples are kept, and when means take their place: rules by signal.

    Vehicle.**     30 days raw, then means of 5 minutes until they are a year old
    location       7 days raw, then nothing

The rule that says most about a signal holds: a path before a pattern, and of patterns
the one with more parts that are no `*`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from trivet.domain.error import UsageError
from trivet.domain.lease import SignalPattern, matches

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_DURATION = re.compile(r"([0-9]{1,9})([smhdwy])", re.ASCII)
#: No rule keeps anything longer, in seconds.
FOREVER_S = 200 * _UNITS_S["y"]
#: The longest interval of which a mean is made, in seconds.
MAX_EVERY_S = 86_400

_Seconds = Annotated[int, Meta(ge=0, le=FOREVER_S)]


class Rule(msgspec.Struct, frozen=True):
    """What becomes of the samples of some signals as they grow old.

    Attributes:
        pattern: which signals; see domain.lease.matches.
        raw_s: up to this age each sample is kept as it was, in seconds.
        every_s: then one summary for so many seconds takes their place; 0 for none.
        for_s: at this age, raw or not, nothing is left of it.
    """

    pattern: SignalPattern
    raw_s: _Seconds
    every_s: Annotated[int, Meta(ge=0, le=MAX_EVERY_S)] = 0
    for_s: _Seconds = 0


#: Holds where no other rule does.
DEFAULT = Rule("**", 30 * 86_400, 300, 365 * 86_400)


def make_rule(pattern: str, raw_s: int, every_s: int, for_s: int) -> Rule:
    """A rule that makes sense.

    Raises:
        UsageError: no pattern of signals, a time that is out of bounds, or means of
            which none would ever be kept.
    """
    if not every_s:
        for_s = for_s or raw_s
    try:
        rule = msgspec.convert(
            {"pattern": pattern, "raw_s": raw_s, "every_s": every_s, "for_s": for_s},
            Rule,
        )
    except msgspec.ValidationError as error:
        raise UsageError(
            f"{pattern!r:.200} cannot be kept so: {error}",
            hint="a pattern is like Vehicle.Cabin.**, lock.* or location",
        ) from error
    if rule.for_s < rule.raw_s:
        raise UsageError(
            f"{pattern}: what is raw for {duration_text(raw_s)} cannot be gone after "
            f"{duration_text(for_s)}",
            hint="--for counts from the sample's own time, as --raw does",
        )
    if not rule.every_s and rule.for_s > rule.raw_s:
        raise UsageError(
            f"{pattern}: after {duration_text(raw_s)} raw there is nothing to keep",
            hint="say with --every how long the intervals of the means are",
        )
    return rule


def rule_of(rules: Iterable[Rule], path: str) -> Rule:
    """The rule that holds for a signal, DEFAULT if none of these does."""
    found = [rule for rule in rules if matches(rule.pattern, path)]
    return max(found, key=lambda rule: _weight(rule.pattern), default=DEFAULT)


def parse_duration(text: str) -> int:
    """Seconds of a duration: 90s, 5m, 12h, 30d, 2w, 1y; `0` for none.

    Raises:
        UsageError: it is none.
    """
    if text == "0":
        return 0
    match = _DURATION.fullmatch(text)
    if match is None or int(match[1]) * _UNITS_S[match[2]] > FOREVER_S:
        raise UsageError(
            f"{text!r:.40} is no duration", hint="write it as 90s, 5m, 12h, 30d, 1y"
        )
    return int(match[1]) * _UNITS_S[match[2]]


def duration_text(seconds: int) -> str:
    """The duration as `parse_duration` reads it, in the longest unit that fits."""
    for unit in reversed(_UNITS_S):
        if seconds and seconds % _UNITS_S[unit] == 0:
            return f"{seconds // _UNITS_S[unit]}{unit}"
    return "0"


def _weight(pattern: str) -> tuple[bool, int, int]:
    parts = pattern.split(".")
    literal = sum(part not in ("*", "**") for part in parts)
    return literal == len(parts), literal, len(parts)

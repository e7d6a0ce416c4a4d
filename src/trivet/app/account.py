"""What a ledger tells a person: who knew what, when, for what and how exactly."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo

import msgspec

from trivet.app.terminal import plain
from trivet.domain.lease import ZONE_M
from trivet.domain.sample import LOCATION
from trivet.fabric.event import Event, EventKind
from trivet.fabric.ledger_chain import Entry

#: What flowed again within so many seconds is told in one line.
GAP_S = 900.0
_CAR_POSITION = "Vehicle.CurrentLocation."
_FLOWS = (EventKind.DISCLOSING, EventKind.DISCLOSED)
_UNKNOWN = "still counting, or cut off before it was counted"


class Known(msgspec.Struct):
    """Something that a device was told over a time.

    Attributes:
        peer: the device that was told.
        path: the signal.
        purpose: what for.
        exact_m: exactness of positions, in metres; 0 as measured.
        since: event time of the first sample.
        until: event time of the last sample that is counted.
        count: samples counted.
        is_counted: that is all; else more may have flowed.
    """

    peer: str
    path: str
    purpose: str
    exact_m: int
    since: float
    until: float
    count: int = 0
    is_counted: bool = True


def known(entries: Iterable[Entry]) -> list[Known]:
    """What was told to whom, from what the ledger says of flows, by first time."""
    told: list[Known] = []
    latest: dict[tuple[object, ...], Known] = {}
    open_: dict[tuple[object, ...], Known] = {}
    for event in (entry.event for entry in entries):
        if event.kind not in _FLOWS:
            continue
        what = (event.peer, event.paths, event.purpose, event.exact_m)
        span = open_.pop((event.lease, *what), None)
        if span is not None and event.kind is EventKind.DISCLOSING:
            span.is_counted = False  # it began anew: what came before was cut off
        if span is None or event.kind is EventKind.DISCLOSING:
            span = latest.get(what)
            if span is None or event.first - span.until > GAP_S:
                span = latest[what] = _begun(event)
                told.append(span)
        if event.kind is EventKind.DISCLOSING:
            open_[(event.lease, *what)] = span
            span.until = max(span.until, event.first)
        elif event.count:
            span.count += event.count
            span.since = min(span.since, event.first)
            span.until = max(span.until, event.last)
    for span in open_.values():
        span.is_counted = False
    return sorted(told, key=lambda span: span.since)


def other(entries: Iterable[Entry]) -> list[Entry]:
    """What else happened: grants, refusals, ends, commands, changes."""
    return [entry for entry in entries if entry.event.kind not in _FLOWS]


def sentence(span: Known, device: str, zone: tzinfo | None = None) -> str:
    """One line for a person on what was told.

    Args:
        span: what was told.
        device: the device that told it.
        zone: in which to give the time, None for this machine's.
    """
    parts = [f"{span.peer} knew {_what(span.path, device)}"]
    if _is_position(span.path):
        parts.append(_exactness(span.exact_m))
    if span.purpose:
        parts.append(f"for {span.purpose}")
    parts.append(_when(span.since, span.until, zone))
    if span.count or span.is_counted:
        parts.append(f"{span.count} sample{'' if span.count == 1 else 's'}")
    if not span.is_counted:
        parts.append(f"and more ({_UNKNOWN})" if span.count else f"({_UNKNOWN})")
    return plain(", ".join(parts))


def happened(event: Event, device: str, zone: tzinfo | None = None) -> str:
    """One line for a person on anything else that happened; as `sentence`."""
    paths = ", ".join(event.paths)
    purpose = f" for {event.purpose}" if event.purpose else ""
    rule = f" (rule {event.rule})" if event.rule else ""
    detail = f": {event.detail}" if event.detail else ""
    text = {
        EventKind.GRANT: f"{event.peer} may know {paths} of {device}{purpose}{rule}",
        EventKind.REFUSAL: f"{event.peer} was refused {paths} of {device}{purpose}"
        f"{rule}{detail}",
        EventKind.END: f"{event.peer} may no longer know {paths} of {device}{purpose}"
        f"{rule}{detail}",
        EventKind.COMMAND: f"{event.peer} set {paths} of {device}{rule}{detail}",
        EventKind.POLICY: f"the policy of {device} changed{rule}{detail}",
        EventKind.MEMBER: f"{event.peer or device}{detail}",
        EventKind.FORGET: f"{paths} forgotten{detail}",
        EventKind.WITNESS: f"do not rely on the ledger of {event.peer}{detail}"
        if event.peer
        else f"the end of this ledger was {event.detail.partition(',')[0]}",
    }.get(event.kind, f"{event.kind.value} {event.peer} {paths}{rule}{detail}")
    return plain(f"{_moment(event.time, zone):%Y-%m-%d %H:%M} {text}")


def _begun(event: Event) -> Known:
    return Known(
        event.peer,
        ", ".join(event.paths),
        event.purpose,
        event.exact_m,
        event.first,
        event.first,
    )


def _is_position(path: str) -> bool:
    return path == LOCATION or path.startswith(_CAR_POSITION)


def _what(path: str, device: str) -> str:
    if path == LOCATION:
        return f"where {device} was"
    if _is_position(path):
        return f"where {device} was ({path.removeprefix(_CAR_POSITION).lower()})"
    return f"{path} of {device}"


def _exactness(exact_m: int) -> str:
    if exact_m <= 0:
        return "as exactly as measured"
    if exact_m >= ZONE_M:
        return "only whether at home, near it or away"
    return f"to {exact_m} m"


def _when(since: float, until: float, zone: tzinfo | None) -> str:
    begin, end = _moment(since, zone), _moment(until, zone)
    text = f"{begin:%Y-%m-%d %H:%M}"
    if f"{end:%Y-%m-%d %H:%M}" == text:
        return text
    if begin.date() == end.date():
        return f"{text}–{end:%H:%M}"
    return f"{text} – {end:%Y-%m-%d %H:%M}"


def _moment(time: float, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(time, UTC).astimezone(zone)

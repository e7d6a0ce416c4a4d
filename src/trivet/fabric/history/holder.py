"""Who was given what: the devices that a wish to forget must reach, by the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import TypeAlias

from trivet.fabric.event import Event, EventKind
from trivet.fabric.history.forget import Forget
from trivet.fabric.ledger_chain import Entry

_Stream: TypeAlias = tuple[object, ...]


def holders(entries: Iterable[Entry], wish: Forget) -> list[str]:
    """Devices that were given samples that a wish is about, by their ids.

    What began to flow and was never counted, by a crash or because it flows still, may
    have gone on: whoever was given that is asked too.

    Args:
        entries: of the ledger of the device whose samples they are, in order.
        wish: what is to be forgotten.
    """
    found: set[str] = set()
    begun: dict[_Stream, Event] = {}
    for event in (entry.event for entry in entries):
        if event.kind is EventKind.DISCLOSING:
            earlier = begun.get(_stream(event))
            if earlier is not None and _touches(earlier, earlier.first, inf, wish):
                found.add(earlier.peer)
            begun[_stream(event)] = event
        elif event.kind is EventKind.DISCLOSED:
            begun.pop(_stream(event), None)
            if _touches(event, event.first, event.last, wish):
                found.add(event.peer)
    open_ = [
        event for event in begun.values() if _touches(event, event.first, inf, wish)
    ]
    found.update(event.peer for event in open_)
    return sorted(found)


def _stream(event: Event) -> _Stream:
    return event.lease, event.peer, event.paths, event.purpose, event.exact_m


def _touches(event: Event, first: float, last: float, wish: Forget) -> bool:
    is_named = any(wish.names(path) for path in event.paths)
    return is_named and first < wish.until and last >= wish.since

"""What a device did not use, because a policy or an owner said no.

What it wants of others and what it was given of that stand with its leases; what was
looked at stands with the account that is given.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from trivet.app.fact import label_of
from trivet.app.trust import Trust
from trivet.domain.lease import ZONE_M, Lease, matches
from trivet.domain.sample import LOCATION
from trivet.fabric.access import Access, Party, Verb
from trivet.fabric.lessee import Standing, Wish

#: A signal: its device and its path.
Signal = tuple[str, str]

#: Lines at most.
MOST = 6
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
#: Paths of a car that tell where it is.
_CAR_POSITION = "Vehicle.CurrentLocation."


def unused(trust: Trust, looked_at: Collection[Signal] | None = None) -> list[str]:
    """What was refused, withheld or given more coarsely than wanted, a line each.

    Args:
        trust: of the device that decides.
        looked_at: the signals that matter; None for all that the device wants.
    """
    return list(dict.fromkeys(_lines(trust, looked_at)))[:MOST]


def signal_words(device: str, path: str) -> str:
    """A signal for a person: "where phone is", "range of car"."""
    if path == LOCATION or path.startswith(_CAR_POSITION):
        return f"where {device} is"
    label = label_of(path)
    if not label:
        label = " ".join(_WORD.findall(path.rpartition(".")[2])) or path
    return f"{label.lower()} of {device}"


def _lines(trust: Trust, looked_at: Collection[Signal] | None) -> Iterator[str]:
    for wish, standing in trust.lessee.standing.items():
        paths = _wanted(wish, looked_at)
        if looked_at is not None and not paths:
            continue
        if standing.lease is None:
            if standing.is_refused:
                yield _refused(wish, standing, paths)
        else:
            yield from _held_back(trust, wish, standing.lease, paths, looked_at)


def _wanted(wish: Wish, looked_at: Collection[Signal] | None) -> list[str]:
    """The paths that matter of those that the wish is for."""
    return [
        path
        for device, path in looked_at or ()
        if device == wish.owner and any(matches(each, path) for each in wish.paths)
    ]


def _refused(wish: Wish, standing: Standing, paths: list[str]) -> str:
    what = _join([signal_words(wish.owner, path) for path in paths])
    what = what or f"{', '.join(wish.paths)} of {wish.owner}"
    said = standing.error.partition(f" for {wish.purpose}: ")[2] or standing.error
    why = said.partition(" (its owner can see why")[0]
    return f"{_headed(what)} was not used for {wish.purpose}: {why}"[:500]


def _held_back(
    trust: Trust,
    wish: Wish,
    lease: Lease,
    paths: list[str],
    looked_at: Collection[Signal] | None,
) -> Iterator[str]:
    for path in lease.withheld:
        if looked_at is None or path in paths:
            what = _headed(signal_words(wish.owner, path))
            why = _why(trust, wish, path)
            yield f"{what} was not used for {wish.purpose}: {why}"[:500]
    given = [path for path in lease.paths if _tells_position(path)]
    if lease.exact_m > wish.exact_m and any(
        looked_at is None or path in paths for path in given
    ):
        exact = "as a word" if lease.exact_m >= ZONE_M else f"to {lease.exact_m} m"
        what = _headed(signal_words(wish.owner, given[0]))
        yield f"{what} was used only {exact}: {_why(trust, wish, given[0])}"[:500]


def _why(trust: Trust, wish: Wish, path: str) -> str:
    """The rule's own words; this device asks the same policy that the owner asked."""
    members, me = trust.household.members, trust.book.me
    owner = members.get(wish.owner)
    if owner is None:
        return f"{wish.owner} holds it back"
    decision = trust.household.policy.decide(
        Access(
            Verb.RECEIVE,
            Party(me.device, me.kind, me.is_guest),
            owner,
            path,
            trust.book.circumstances,
            wish.purpose,
            wish.exact_m,
        )
    )
    if decision.is_allowed:  # the owner knows other circumstances
        return f"{wish.owner} holds it back"
    rule = f" (rule {decision.rule})" if decision.rule else ""
    return f"{decision.why}{rule}"


def _tells_position(path: str) -> bool:
    return path == LOCATION or path.startswith(_CAR_POSITION)


def _join(words: list[str]) -> str:
    named = list(dict.fromkeys(words))
    return ", ".join(named[:3]) + (f" and {len(named) - 3} more" if named[3:] else "")


def _headed(text: str) -> str:
    return text[:1].upper() + text[1:]

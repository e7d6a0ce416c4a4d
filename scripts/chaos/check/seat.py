"""Has each seat one holder, and is an old one nowhere heard after a newer one?"""

from __future__ import annotations

from collections import defaultdict

from scripts.chaos.check.verdict import Verdict
from scripts.chaos.journal import Acted, Book, Held


def check_tokens(book: Book) -> Verdict:
    """No two devices ever held a seat under one token."""
    holders: dict[tuple[str, int], set[str]] = defaultdict(set)
    for device, line in book.all(Held):
        holders[line.seat, line.token].add(device)
    for _, act in book.all(Acted):
        holders[act.seat, act.token].add(act.holder)
    broken = [
        f"{seat}: token {token} was held by {' and '.join(sorted(devices))}"
        for (seat, token), devices in sorted(holders.items())
        if len(devices) > 1
    ]
    return Verdict("one holder of a token", len(holders), "tokens", broken)


def check_holders(book: Book) -> Verdict:
    """When one device holds a seat, whoever held it before holds it no more."""
    broken, basis = [], 0
    last: dict[str, tuple[str, Held]] = {}
    for device, line in sorted(book.all(Held), key=lambda pair: pair[1].seen):
        basis += 1
        before = last.get(line.seat)
        if before is not None and line.token < before[1].token:
            if before[0] != device:
                broken.append(
                    f"{device} held {line.seat} with token {line.token} at "
                    f"{line.seen:.3f}, after {before[0]} with {before[1].token} at "
                    f"{before[1].seen:.3f}"
                )
            continue
        last[line.seat] = device, line
    return Verdict("one holder of a seat at a time", basis, "looks", broken)


def check_acts(book: Book) -> Verdict:
    """At each resource, what was done under a token comes before all of a later one."""
    broken, basis = [], 0
    for resource in book.devices:
        last: dict[str, Acted] = {}
        for act in book.of(resource, Acted):
            basis += 1
            before = last.get(act.seat)
            if before is None or act.token >= before.token:
                last[act.seat] = act
            elif act.holder != before.holder:
                broken.append(
                    f"{resource}: {act.holder} acted for {act.seat} with token "
                    f"{act.token} at {act.at:.3f}, after {before.holder} with "
                    f"{before.token} at {before.at:.3f}"
                )
    return Verdict("no act with an old token after a newer one", basis, "acts", broken)

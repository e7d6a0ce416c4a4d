"""Has each token one holder, and does no resource go back to an old one?"""

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


def check_acts(book: Book) -> Verdict:
    """At each resource, what was done under a token comes before all of a later one."""
    broken, basis = [], 0
    for resource in book.devices:
        last: dict[str, Acted] = {}
        for act in book.of(resource, Acted):
            basis += 1
            before = last.get(act.seat)
            if before is not None and act.token < before.token:
                broken.append(
                    f"{resource}: {act.holder} acted for {act.seat} with token "
                    f"{act.token} at {act.at:.3f}, after {before.holder} with "
                    f"{before.token} at {before.at:.3f}"
                )
            else:
                last[act.seat] = act
    return Verdict("no act with an old token after a newer one", basis, "acts", broken)

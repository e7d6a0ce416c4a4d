"""Is every acknowledged write at every device, and are all devices of one mind?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from scripts.chaos.check.verdict import Verdict
from scripts.chaos.journal import Acked, Book
from scripts.chaos.work.charter import CHARTER

#: Keys under EACH are written once; those under LAST again and again by one device,
#: each time with a greater number.
EACH, LAST = "each", "last"

#: What a device holds at the end: by key, the value as text.
State = Mapping[str, str]


def check_writes(
    book: Book, states: Mapping[str, State], left: Mapping[str, float] | None = None
) -> Verdict:
    """No acknowledged write is lost, anywhere.

    Args:
        book: what was acknowledged.
        states: what each device holds.
        left: devices that are of the household no more, and since when: of what was
            acknowledged later they need have nothing.
    """
    left = left or {}
    broken, basis = [], 0
    latest: dict[str, list[Acked]] = defaultdict(list)
    for writer, line in book.all(Acked):
        kind = line.key.partition(".")[0]
        basis += kind in (EACH, LAST)
        if kind == LAST:
            latest[line.key].append(line)
        elif kind == EACH:
            broken += [
                f"{line.key} of {writer}, acknowledged in life {line.life}, is "
                f"{state.get(line.key)!r} at {device}, not {line.value!r}"
                for device, state in states.items()
                if state.get(line.key) != line.value
                and line.at <= left.get(device, line.at)
            ]
    for key, lines in latest.items():
        for device, state in states.items():
            due = [int(x.value) for x in lines if x.at <= left.get(device, x.at)]
            held = state.get(key)
            if due and int(held or 0) < max(due):
                broken.append(
                    f"{key} is {held!r} at {device}; {max(due)} was acknowledged"
                )
    return Verdict("no acknowledged write lost", basis, "writes", broken)


def check_equal(states: Mapping[str, State]) -> Verdict:
    """All devices hold the same."""
    broken = []
    first, *others = sorted(states)
    for other in others:
        keys = set(states[first]) | set(states[other])
        broken += [
            f"{key} is {states[first].get(key)!r} at {first}, "
            f"{states[other].get(key)!r} at {other}"
            for key in sorted(keys)
            if states[first].get(key) != states[other].get(key)
        ]
    basis = min(len(state) for state in states.values())
    return Verdict("replicas equal", basis, "keys", broken)


def check_charters(book: Book, versions: Mapping[str, int]) -> Verdict:
    """Every device keeps one charter, with every change that was acknowledged."""
    acked = [int(line.value) for _, line in book.all(Acked) if line.key == CHARTER]
    newest = max(versions.values())
    broken = [
        f"{device} keeps version {version}, another {newest}"
        for device, version in versions.items()
        if version != newest
    ]
    if acked and max(acked) > newest:
        broken.append(f"version {max(acked)} was acknowledged, and is nowhere")
    return Verdict("one charter everywhere", len(acked), "changes", broken)

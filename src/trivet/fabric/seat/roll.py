"""Who votes, and what a majority is while the household changes.

Two majorities of one roll have a voter in common; one of three devices and one of five
need not, as when two tablets join at home while phone and car are away. So a voter
stands by the roll by which the seat was last held, as far as it knows, and by each one
under which it gave a promise since. A candidate needs, besides a majority of its own
roll, one of each roll that those stand by who promise. Once it holds, the voters stand
by its roll alone.

So any two holders have a voter in common who promised to both, one after the other:
docs/decisions/0011-takeover.md has the proof. Who was shut out counts in no roll.

Source: Ongaro, "Consensus: Bridging Theory and Practice", section 4.3, joint consensus.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set

from trivet.fabric.seat.word import Roll


def is_majority(voters: Collection[str], granted: Set[str]) -> bool:
    """Whether more than half of the voters are among those who promised."""
    return 2 * len(granted & set(voters)) > len(voters)


def is_quorum(roll: Roll, granted: Mapping[str, Collection[Roll]]) -> bool:
    """Whether those who promised are enough to hold by `roll`.

    Args:
        roll: the candidate's.
        granted: the voters that promised, and the rolls each stands by.
    """
    living = frozenset(roll.devices)
    counted = living & set(granted)
    while True:
        # whoever stands by a roll that is not won does not count; nor, then, may others
        sound = {
            device
            for device in counted
            if all(_is_won(old, living, counted) for old in granted[device])
        }
        if sound == counted:
            return is_majority(roll.devices, counted)
        counted = frozenset(sound)


def _is_won(old: Roll, living: Set[str], counted: Set[str]) -> bool:
    left = living & set(old.devices)
    return not left or is_majority(left, counted)

"""What a check says: how much it rests on, and what broke."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Verdict(msgspec.Struct, frozen=True):
    """One promise, held against what was written down.

    Attributes:
        promise: in a few words.
        basis: how many things were looked at; none at all is a failure too.
        of_what: what they are, in the plural.
        broken: each violation, in a line for a person.
        note: what else is worth knowing.
    """

    promise: str
    basis: int
    of_what: str
    broken: Sequence[str] = ()
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether it was kept, and there was something to keep."""
        return self.basis > 0 and not self.broken

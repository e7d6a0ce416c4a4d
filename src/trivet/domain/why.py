"""Why: the account of a forecast or a suggestion, in lines for a person."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

#: At most so many lines of a kind, each as long as a reason may be.
Lines: TypeAlias = Annotated[
    tuple[Annotated[str, Meta(max_length=500)], ...], Meta(max_length=8)
]


class Why(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why something is thought or said.

    Attributes:
        reasons: the strongest first, with their numbers.
        changes: what would change it, each found by asking the engine again.
        unused: what was not used, because a policy or its owner said no.
        notes: what else there is to know: how sure, until when.
    """

    reasons: Lines = ()
    changes: Lines = ()
    unused: Lines = ()
    notes: Lines = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it, in the order in which it is read."""
        return (*self.reasons, *self.notes, *self.changes, *self.unused)

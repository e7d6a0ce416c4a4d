"""The schema of the state, and how an older one becomes a newer one.

A newer device moves what an older one wrote to where it belongs now, as often as the
older one writes it: a migration looks at the state and says what is left to change, and
once that is done it says nothing. Two devices that migrate at the same time write the
same values at the same paths, so it does not matter whose hold. What a device does not
know it leaves as it is: an older one works on beside a newer one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from trivet.fabric.replica.change import META, Change, Put
from trivet.fabric.replica.state import State

#: Says what is to be changed in a state so that it is of the next schema. It looks at
#: nothing else, gives the same for the same state, changes values at paths alone, and
#: gives nothing for a state that is of that schema already.
Migration: TypeAlias = Callable[[State], Sequence[Change]]

#: Where the version of the schema stands.
VERSION_PATH = f"{META}/schema"
#: From schema 1 to 2, from 2 to 3, ...: there is one schema so far.
MIGRATIONS: tuple[Migration, ...] = ()


def is_due(state: State, migrations: Sequence[Migration]) -> bool:
    """Whether migrations are to be asked: not about nothing, nor a newer schema."""
    return not state.is_empty and state.schema <= 1 + len(migrations)


def settle(
    migrations: Sequence[Migration],
    look: Callable[[], State],
    write: Callable[[Sequence[Change]], object],
) -> None:
    """Bring the state to the newest schema that is known here.

    Args:
        migrations: in order.
        look: gives the state as it is now.
        write: makes changes.
    """
    if not migrations or not is_due(look(), migrations):
        return
    for migrate in migrations:
        changes = migrate(look())
        if changes:
            write(changes)
    newest = 1 + len(migrations)
    if look().schema < newest:
        write([Put(VERSION_PATH, newest)])

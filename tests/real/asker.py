"""A device that does nothing but ask another for a lease, and print what it hears.

    python tests/real/asker.py DEVICE HOME OWNER PATH PURPOSE [LIMIT_S]

DEVICE is of the household in $TRIVET_HOUSEHOLD, HOME the `host:port` that it dials.
The last line is the lease's rule, or the error's kind and words.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from trivet.app.folder import identity_folder
from trivet.domain import Lease, LeaseRequest, Purpose, TrivetError
from trivet.fabric import SessionConfig, load_household, load_identity, open_session
from trivet.fabric.lessor import LEASE

#: Later than any day that the simulated household lives.
UNTIL = 4_000_000_000.0


async def main(
    device: str, home: str, owner: str, path: str, purpose: str, limit_s: str = "20"
) -> None:
    """Ask once, if the owner is there within `limit_s` seconds."""
    folder = identity_folder(Path(os.environ["TRIVET_HOUSEHOLD"]))
    identity = load_identity(load_household(folder), device)
    async with open_session(SessionConfig(identity, connect=(home,))) as link:
        try:
            await link.reach(owner, float(limit_s))
            wish = LeaseRequest((path,), Purpose(purpose), UNTIL)
            answer = await link.ask(owner, LEASE, wish)
        except TrivetError as error:
            said = f"{type(error).__name__}: {error}"
        else:
            assert isinstance(answer, Lease)
            said = f"granted by rule {answer.rule}, to {answer.exact_m} m"
    sys.stdout.write(said + "\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

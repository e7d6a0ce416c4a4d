"""A household of replicas, each with a key and a file of its own, without a link."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from trivet.domain import DeviceKind
from trivet.fabric.access import Party
from trivet.fabric.replica import Receipt, Replica
from trivet.fabric.replica.schema import MIGRATIONS, Migration
from trivet.fabric.request import new_key

NAME = "ours"


@cache
def key_of(device: str) -> ec.EllipticCurvePrivateKey:
    return new_key()


class Roll(msgspec.Struct):
    """Who belongs to the household, as one device knows it."""

    members: Mapping[str, Party]
    keys: Mapping[str, ec.EllipticCurvePublicKey]


def roll_of(*devices: str, guests: Sequence[str] = ()) -> Roll:
    """Members, and guests of the household."""
    return Roll(
        {
            device: Party(device, DeviceKind.OTHER, device in guests)
            for device in (*devices, *guests)
        },
        {d: key_of(d).public_key() for d in (*devices, *guests)},
    )


class House:
    """Replicas of one household, in one folder."""

    def __init__(self, folder: Path, *devices: str) -> None:
        self.folder = folder
        self.roll = roll_of(*(devices or ("home", "phone", "car")))

    def path(self, device: str) -> Path:
        return self.folder / f"state-{device}.db"

    @contextmanager
    def open(
        self,
        device: str,
        roll: Callable[[], Roll] | None = None,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> Iterator[Replica]:
        replica = Replica(
            self.path(device),
            device,
            NAME,
            key_of(device),
            roll or (lambda: self.roll),
            migrations,
        )
        try:
            yield replica
        finally:
            replica.close()


def give(giver: Replica, taker: Replica, most: int = 200 * 1024) -> list[Receipt]:
    """Hand over all that the taker lacks and the giver has."""
    receipts: list[Receipt] = []
    while True:
        handed = giver.lacking(taker.vector, most)
        if handed.needs_ground:
            ground = giver.ground()
            assert ground is not None
            proof = giver.seen().get(taker.device, b"")
            taker.adopt(giver.device, ground.raw, proof)
            continue
        if not handed.carried:
            return receipts
        receipts.append(taker.receive(giver.device, handed.carried))
        if not receipts[-1].taken:
            return receipts


def exchange(*replicas: Replica) -> None:
    """Let all hand over to all, until nobody lacks anything."""
    for _ in range(2):
        for giver in replicas:
            for taker in replicas:
                if giver is not taker:
                    give(giver, taker)


def content(replica: Replica) -> dict[str, object]:
    """All that stands in its state."""
    state = replica.state
    return {root: state._values[root] for root in state.roots}

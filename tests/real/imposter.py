"""A member of a household with a session of its own making: none of our code minds it.

    python tests/real/imposter.py FOLDER DEVICE ROUTER_AT VICTIM RECIPIENT

It dials the router and tries, over and over, to speak as the victim, to read what is
addressed to the recipient, and to ask in the victim's name; and speaks once in its own
each time. Lines: `heard KEY`, `answered KEY`, `asked KEY`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import sleep

import zenoh

from trivet.domain.sample import Sample
from trivet.domain.wire import encode
from trivet.fabric import SessionConfig, key, load_household, load_identity
from trivet.fabric.config import Role, settings_of

FORGED = 6666.0


def say(*words: object) -> None:
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


def main(folder: str, me: str, at: str, victim: str, recipient: str) -> None:
    identity = load_identity(load_household(Path(folder)), me)
    config = SessionConfig(identity, connect=(at,), role=Role.LEAF)
    house = identity.household
    forged = encode(Sample(victim, "Vehicle.Speed", 1_800_000_000.0, FORGED))
    honest = encode(Sample(me, "Vehicle.Speed", 1_800_000_000.0, 1.0))
    with zenoh.open(zenoh.Config.from_json5(json.dumps(settings_of(config)))) as door:
        kept = [
            door.declare_subscriber(
                text,
                lambda sample: say("heard", sample.key_expr),
                allowed_origin=zenoh.Locality.REMOTE,
            )
            for text in ("trivet/**", key.inbox(house, recipient), "**")
        ]
        desk = door.declare_queryable(
            key.desk(house, victim),
            lambda query: say("asked", query.key_expr),
            allowed_origin=zenoh.Locality.REMOTE,
        )
        life = door.liveliness()
        tokens = [life.declare_token(key.alive(house, who)) for who in (me, "ghost")]
        for _ in range(600):
            for text in (
                key.stream(house, recipient, victim, "Vehicle.Speed"),
                f"trivet/{house}/to/*/from/*/Vehicle/Speed",
                f"trivet/{house}/to/{recipient}/from/*/Vehicle/Speed",
            ):
                door.put(text, forged)
            door.put(key.stream(house, recipient, me, "Vehicle.Speed"), honest)
            for text in (key.question(house, recipient, victim, "lease"), "trivet/**"):
                for reply in door.get(text, timeout=0.2):
                    say("answered", text, reply.ok is not None)
            sleep(0.1)
        del kept, desk, tokens


if __name__ == "__main__":
    main(*sys.argv[1:])

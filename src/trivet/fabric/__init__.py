"""The fabric: identities, links between devices, and the one door to Zenoh."""

from trivet.fabric.config import SessionConfig
from trivet.fabric.desk import Handler
from trivet.fabric.gate import Gate, OpenGate
from trivet.fabric.identity import (
    Household,
    Identity,
    create_household,
    issue,
    load_household,
    load_identity,
    renew,
)
from trivet.fabric.letter import Received
from trivet.fabric.link import Link, Listener
from trivet.fabric.memory import MemoryFabric
from trivet.fabric.presence import Liveness
from trivet.fabric.session import open_session

__all__ = [
    "Gate",
    "Handler",
    "Household",
    "Identity",
    "Link",
    "Listener",
    "Liveness",
    "MemoryFabric",
    "OpenGate",
    "Received",
    "SessionConfig",
    "create_household",
    "issue",
    "load_household",
    "load_identity",
    "open_session",
    "renew",
]

"""The fabric: identities, links between devices, and the one door to Zenoh."""

from trivet.fabric.desk import Handler
from trivet.fabric.gate import Gate, OpenGate
from trivet.fabric.link import Link, Received
from trivet.fabric.memory import MemoryFabric
from trivet.fabric.presence import Liveness

__all__ = [
    "Gate",
    "Handler",
    "Link",
    "Liveness",
    "MemoryFabric",
    "OpenGate",
    "Received",
]

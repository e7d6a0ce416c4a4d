"""The gate: the one place that every message passes before it leaves a device.

Leases and policy stand here. The fabric asks the gate and obeys; it never decides.
"""

from __future__ import annotations

from typing import Protocol

from trivet.domain.wire import Message


class Gate(Protocol):
    """Decides what may pass from one device to another.

    A link asks it of everything that leaves: what it publishes, the message of a
    question, the answer to one. And of one thing that comes in: the message of a
    question put to this device, before its handler sees it. `owner` is always the
    device the message comes from and `recipient` the one it goes to.
    """

    def allows(
        self, owner: str, recipient: str, path: str, message: Message
    ) -> Message | None:
        """What may pass in the message's place: itself, less than itself, or None.

        Called on the event loop for each message: it answers at once.

        Args:
            owner: id of the device that the message comes from.
            recipient: id of the device that it goes to.
            path: the signal's path, or the question's name.
            message: what wants to pass.

        Raises:
            RefusedError: it may not pass, and the rule that says so.
        """
        ...


class OpenGate:
    """Lets everything pass: for one person's own devices, and for tests."""

    def allows(
        self, owner: str, recipient: str, path: str, message: Message
    ) -> Message | None:
        """The message itself."""
        return message

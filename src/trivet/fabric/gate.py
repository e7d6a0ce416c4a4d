"""The gate: the one place that every message passes before it leaves a device.

Leases and policy stand here. The fabric asks the gate and obeys; it never decides.
"""

from __future__ import annotations

from typing import Protocol

from trivet.domain.wire import Message


class Gate(Protocol):
    """Decides, for one device, what may leave it and what may be asked of it."""

    def sends(self, recipient: str, path: str, message: Message) -> Message | None:
        """What may leave in the message's place: itself, less than itself, or None.

        Asked of everything that leaves: what is published, the message of a question,
        the answer to one. It answers at once; a link with a listener may call it from
        any thread.

        Args:
            recipient: id of the device that it goes to.
            path: the signal's path, or the question's name.
            message: what wants to leave.

        Returns:
            None when it may leave, and not now: a lease gives less often.

        Raises:
            RefusedError: it may not leave, and the rule that says so.
        """
        ...

    def admits(self, asker: str, question: str, message: Message | None) -> None:
        """Let a question through to its handler by returning.

        Raises:
            RefusedError: it may not be asked, and the rule that says so.
        """
        ...


class OpenGate:
    """Lets everything pass: for tests, and for a device that is its own household."""

    def sends(self, recipient: str, path: str, message: Message) -> Message | None:
        """The message itself."""
        return message

    def admits(self, asker: str, question: str, message: Message | None) -> None:
        """Every question."""

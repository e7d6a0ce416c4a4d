"""Every error trivet raises, and whose fault each one is.

    TrivetError
    ├── UsageError          the caller: a wrong argument, a call in the wrong state
    ├── SetupError          this machine: no household here, unreadable key, port taken,
    │                       an extra that is not installed
    ├── InputError          a file: which one, which line, which value
    └── PeerError           another device
        ├── WireError         it sent bytes that are not a message of ours
        ├── RefusedError      it (or our policy about it) said no, and by which rule
        │   └── RevokedError    this device was shut out of its household, for good
        ├── TaskError         it ran a task that did not end well: which, and how
        └── UnreachableError  it did not answer in time

Each message says what happened and with which value; `hint` says what to do next.
"""

from __future__ import annotations


class TrivetError(Exception):
    """Base of all errors; `str()` gives the message followed by the hint."""

    #: exit code of the command line (see docs/cli.md)
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(TrivetError):
    """The caller's mistake."""

    exit_code = 2


class SetupError(TrivetError):
    """This machine is not ready for what was asked."""

    exit_code = 3


class InputError(TrivetError):
    """A file holds something that cannot be read as what it claims to be.

    Attributes:
        path: the file.
        line: 1-based line (or record) number, 0 where there is none.
    """

    exit_code = 4

    def __init__(
        self, message: str, *, path: str = "", line: int = 0, hint: str = ""
    ) -> None:
        where = f"{path}:{line}: " if line else f"{path}: " if path else ""
        super().__init__(where + message, hint=hint)
        self.path = path
        self.line = line


class PeerError(TrivetError):
    """Another device's mistake, or its absence."""

    exit_code = 5


class WireError(PeerError):
    """Bytes from another device that are not a message of ours."""


class RefusedError(PeerError):
    """A device, or the policy about it, said no."""

    exit_code = 6


class TaskError(PeerError):
    """A task ran and gave no result, whichever device ran it."""


class RevokedError(RefusedError):
    """An issuer has shut this device out, for good: starting it anew is of no use."""

    exit_code = 8


class UnreachableError(PeerError):
    """A device did not answer in time."""

    exit_code = 7

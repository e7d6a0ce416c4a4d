"""Wrongs that a node can be told to do, each of which the judgement must find."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from enum import StrEnum
from pathlib import Path

from trivet.domain import Sample
from trivet.domain.wire import Message
from trivet.fabric.gate import Gate


class Sabotage(StrEnum):
    """What is done wrong."""

    #: give samples past the gate, whether there is a lease or not
    DISCLOSE = "disclose"
    #: put an older copy in the ledger's place
    LEDGER = "ledger"
    #: acknowledge writes to the state that are never made
    FORGET = "forget"
    #: run what may run once at most a second time
    TWICE = "twice"
    #: act for a seat with a token that another device holds
    TOKEN = "token"


class LeakyGate:
    """Lets every sample out, and all else as the gate behind it does.

    Args:
        gate: the one that should have been asked.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def sends(self, recipient: str, path: str, message: Message) -> Message | None:
        """What passes of a message."""
        if isinstance(message, Sample):
            return message
        return self._gate.sends(recipient, path, message)

    def admits(self, asker: str, question: str, message: Message | None) -> None:
        """Let a question through if the gate does."""
        self._gate.admits(asker, question, message)


def set_back(ledger: Path, aside: Path, life: int) -> None:
    """Put a ledger's file back to what it was in an earlier life, after a kill."""
    if life == 2:
        with (
            closing(sqlite3.connect(ledger)) as now,
            closing(sqlite3.connect(aside)) as to,
        ):
            now.backup(to)
    elif life == 3 and aside.exists():
        for name in (f"{ledger}-wal", f"{ledger}-shm"):
            Path(name).unlink(missing_ok=True)
        ledger.write_bytes(aside.read_bytes())

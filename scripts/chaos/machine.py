"""A node's process on its host, and everything that can be done to it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

import msgspec
from scripts.chaos import clock
from scripts.chaos.lan import Host
from scripts.chaos.work.setting import Settings

#: Seconds until a process that ended by itself is started anew, as a service would be.
RESTART_S = 0.7


class Machine:
    """One node.

    Args:
        host: where it runs.
        settings: how; its life is counted here.
        folder: where its settings, its clock and what it says are kept.
        library: see clock.py.
    """

    def __init__(
        self, host: Host, settings: Settings, folder: Path, library: Path | None
    ) -> None:
        self.host = host
        self.life = 0
        #: why it ended by itself, each time: its last line
        self.falls: list[str] = []
        self._settings, self._folder, self._library = settings, folder, library
        self._process: subprocess.Popen[str] | None = None
        self._is_wanted = False
        self._order = ""
        self._fell_at = 0.0
        self._clock = folder / f"{host.name}.clock"
        self._ballast = host.folder / "ballast"
        clock.set_offset(self._clock, 0)

    @property
    def is_running(self) -> bool:
        """Whether its process is there; a frozen one is."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, for its next life."""
        self.life += 1
        self._is_wanted = True
        told = self._folder / f"{self.host.name}.json"
        settings = msgspec.structs.replace(self._settings, life=self.life)
        told.write_bytes(msgspec.json.encode(settings))
        words, besides = clock.command("scripts.chaos.node", self._clock, self._library)
        with self._log().open("wb") as log:
            self._process = subprocess.Popen(
                [*self.host.enter, *words, str(told)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                text=True,
                env={**os.environ, **besides, "OPENBLAS_NUM_THREADS": "1"},
                start_new_session=True,
            )
        if self._order:
            self.order(self._order)

    def kill(self, *, is_all: bool = False) -> bool:
        """Kill it, and all that it started too; whether there was anything to kill."""
        self._is_wanted = False
        was_running = self.is_running
        if is_all:
            self.host.signal_all(signal.SIGKILL)
        self._forget(signal.SIGKILL)
        return was_running

    def end(self, limit_s: float = 10.0) -> None:
        """End it gently, and by force after a while."""
        self._is_wanted = False
        if self._process is not None and self.is_running:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(limit_s)
        self._forget(signal.SIGKILL)

    def freeze(self) -> bool:
        """Stop it and all that it started; whether there was anything to stop."""
        self.host.signal_all(signal.SIGSTOP)
        return self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let all of it go on."""
        self.host.signal_all(signal.SIGCONT)
        self._send(signal.SIGCONT)

    def leave_alone(self) -> None:
        """Start it anew no more when it ends by itself."""
        self._is_wanted = False

    def order(self, word: str) -> None:
        """Write a line to its input, now and whenever it is started anew."""
        self._order = word
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.write(f"{word}\n")
                self._process.stdin.flush()

    def fill_disk(self) -> None:
        """Leave no byte free on its disk."""
        handle = os.open(self._ballast, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            for size in (1 << 20, 4096, 1):
                with suppress(OSError):
                    while True:
                        os.write(handle, bytes(size))
        finally:
            os.close(handle)

    def empty_disk(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    def set_clock(self, offset_s: int) -> None:
        """Move its wall clock, by so much from the true time."""
        clock.set_offset(self._clock, offset_s)

    def watch(self) -> None:
        """Start it anew if it ended by itself; call it often."""
        if not self._is_wanted or self.is_running:
            return
        if not self._fell_at:
            self._fell_at = monotonic()
            self.falls.append(self._last_words())
        elif monotonic() - self._fell_at > RESTART_S:
            self._fell_at = 0.0
            self._forget(signal.SIGKILL)
            self.start()

    def _send(self, number: int) -> bool:
        if self._process is None or not self.is_running:
            return False
        self._process.send_signal(number)
        return True

    def _forget(self, number: int) -> None:
        if self._process is None:
            return
        self._send(number)
        self._process.wait()
        self._fell_at = 0.0
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        self._process = None

    def _log(self) -> Path:
        return self._folder / f"{self.host.name}.{self.life:03}.log"

    def _last_words(self) -> str:
        lines = self._log().read_text(errors="replace").splitlines()
        return f"life {self.life}: {lines[-1] if lines else 'without a word'}"


def unexpected(falls: Sequence[str]) -> list[str]:
    """The ends that were no error of the product's own words.

    A device whose disk is full may say so and end (SetupError), and so may one that was
    shut out (RevokedError); a trace may not be.
    """
    words = ("SetupError: ", "RevokedError: ")
    return [fall for fall in falls if not any(word in fall for word in words)]

"""A link that watches over its links: who is silent is gone, and its link is cut.

Between a carrier's threads, the heart's and the event loop: what comes is counted and
heard where it comes, and who is there changes on the loop alone.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from abc import abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import monotonic
from typing import TypeAlias

from trivet.domain.error import WireError
from trivet.fabric import beat, key
from trivet.fabric.background import cancel
from trivet.fabric.cable import Cable
from trivet.fabric.desk import Handler
from trivet.fabric.gate import Gate
from trivet.fabric.heart import TURN_S, Heart
from trivet.fabric.leaving import DEAF_S, Ears, Way, leave, leave_at_exit
from trivet.fabric.letter import Received
from trivet.fabric.link import Link, Listener
from trivet.fabric.tally import Tally

log = logging.getLogger("trivet.fabric")
Work: TypeAlias = Callable[[], None]

#: Streams whose sender is remembered.
MAX_SENDERS = 4096
#: Seconds that closing may take when the interpreter ends.
EXIT_S = 0.9
#: Seconds that questions under way have to be answered before links are made anew.
ANSWER_S = 0.3
#: Seconds between two times that all links are made anew for the sake of one.
MEND_S = 10.0


class Lifeline(Link):
    """A device's place on the fabric, with a heart.

    A carrier adds: sending a beat, giving its cables, and making all links anew; and
    it hands in beats, tokens and the key of each message that comes.
    """

    def __init__(
        self,
        household: str,
        device: str,
        *,
        gate: Gate | None = None,
        answers: Mapping[str, Handler] | None = None,
        on_message: Listener | None = None,
        capacity: int = 4096,
    ) -> None:
        super().__init__(
            household,
            device,
            gate=gate,
            answers=answers,
            on_message=on_message,
            capacity=capacity,
        )
        self._loop = asyncio.get_running_loop()
        self._heart = Heart(self._send_beat, self._cables, self._on_lost)
        self._senders: dict[str, Tally] = {}
        self._turning: asyncio.TimerHandle | None = None
        self._mending: asyncio.Task[None] | None = None
        self._mended = float("-inf")
        self._ears = Ears()
        self._at_exit: weakref.finalize[..., Lifeline] | None = None

    @property
    def lost_from(self) -> Mapping[str, int]:
        """See Link."""
        return self._heart.lost()

    # --- what a carrier adds --------------------------------------------------

    @abstractmethod
    def _send_beat(self, recipient: str, data: bytes, is_ahead: bool) -> None:
        """Send a beat, or not, ahead of all messages or in its turn behind them.

        Called on the heart's thread.
        """

    @abstractmethod
    def _cables(self) -> list[tuple[str, Cable]]:
        """The connections that there are, by the device in the certificate."""

    @abstractmethod
    async def _relink(self) -> None:
        """Make all links anew."""

    # --- what a carrier calls -------------------------------------------------

    def _live(self) -> None:
        """The carrier is open, for the first time or anew."""
        self._heart.begin()
        if self._turning is None:
            self._turn()

    def _guard(self, close: Work) -> Ears:
        """The carrier is open, and is to be closed before the interpreter ends."""
        ears = self._ears = Ears()
        self._at_exit = weakref.finalize(
            self, leave_at_exit, self._heart, close, ears, EXIT_S
        )
        return ears

    async def _part(self, withdraw: Work, close: Work, limit_s: float) -> None:
        """Close the carrier, to open it anew or for good."""
        if self._at_exit is not None:
            self._at_exit.detach()
        if self.is_closed and self._listener is not None:
            self._listener = _ignore  # let what still comes go by

        def end() -> None:
            close()
            if self.is_closed:
                self._ears.wait(DEAF_S)

        async def settle() -> None:
            await self._desk.settle(ANSWER_S)  # for good: its tasks have ended

        way = Way(withdraw, settle, end)
        await leave(self.device, self._heart, way, limit_s, self._barred)

    async def _rest(self) -> None:
        """The carrier is about to be closed for good."""
        if self._turning is not None:
            self._turning.cancel()
        if self._mending is not None:
            await cancel(self._mending)

    def _sender(self, text: str) -> Tally | None:
        """The counts of whoever sent what came under the key `text`; None: a count."""
        try:
            _, _, owner, path = key.parse_stream(text)
        except WireError:  # whoever reads it will say so
            return Tally()
        if path == key.COUNT_PATH:
            return None
        tally = self._heart.tally(owner)
        if len(self._senders) >= MAX_SENDERS:
            self._senders.clear()
        self._senders[text] = tally
        return tally

    def _beat_came(self, text: str, data: bytes) -> None:
        try:
            house, device, recipient = key.parse_beat(text)
            if (house, recipient) != (self.household, self.device):
                raise WireError(f"a heartbeat for {recipient} of {house}")
            self._heed(device, beat.decode(data), is_counting=False)
        except WireError as error:
            self._note_malformed(error)

    def _count_came(self, text: str, data: bytes) -> None:
        try:
            owner = key.parse_stream(text).owner
            self._heed(owner, beat.decode(data), is_counting=True)
        except WireError as error:
            self._note_malformed(error)

    def _heed(self, device: str, sign: beat.Beat, *, is_counting: bool) -> None:
        if sign.is_counting is not is_counting:
            raise WireError(f"a heartbeat of {device} in another's place")
        if self._heart.heard(device, sign):
            self._on_loop(self._note_silence, device, False)

    def _token_came(self, text: str, is_standing: bool) -> None:
        try:
            _, device = key.parse_alive(text)
        except WireError as error:
            self._note_malformed(error)
            return
        if device != self.device:
            self._heart.token(device, is_standing)
        self._on_loop(self._note_token, device, is_standing)

    def _on_loop(self, call: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody is left to tell
            self._loop.call_soon_threadsafe(call, *arguments)

    # --- on the heart's thread ------------------------------------------------

    def _on_lost(self, device: str, is_uncut: bool) -> None:
        log.warning("%s: %s is silent", self.device, device)
        self._on_loop(self._note_silence, device, True)
        if is_uncut:
            self._on_loop(self._mend)

    # --- on the loop ----------------------------------------------------------

    def _note_token(self, device: str, is_standing: bool) -> None:
        self._tell(self._presence.token(device, is_standing))

    def _note_silence(self, device: str, is_silent: bool) -> None:
        self._tell(self._presence.silence(device, is_silent))

    def _turn(self) -> None:
        self._heart.turn()
        self._turning = self._loop.call_later(TURN_S, self._turn)

    def _mend(self) -> None:
        """A link that cannot be cut alone is made anew with all others, now and then.

        The other side may do the same at once; both then meet again as any two do.
        """
        now = monotonic()
        if now - self._mended < MEND_S or self.is_closed or self._mending is not None:
            return
        self._mended = now
        self._mending = asyncio.ensure_future(self._relink())
        self._mending.add_done_callback(self._note_mended)

    def _note_mended(self, task: asyncio.Task[None]) -> None:
        self._mending = None
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: cannot make its links anew: %s", self.device, error)


def _ignore(link: Link, received: Received) -> None:
    """Take nothing any more."""

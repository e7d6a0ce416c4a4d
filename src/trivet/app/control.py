"""A word to a running device of this machine, over a socket that its owner alone opens.

    -> {"verb": "leases"}                  <- {"leases": [...], "wishes": [...]}
    -> {"verb": "end", "lease": "0123..."} <- {"ended": {...}}
                                           <- {"error": "what is wrong and what to do"}

One line of JSON each way, then it is closed. Whoever may open the socket may read the
device's key as well: the file system's permissions guard both.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from trivet.app.trust import Trust
from trivet.domain import Lease, SetupError, TrivetError

#: Longest line either way, in bytes, and how long an answer may take, in seconds.
MAX_LINE, LIMIT_S = 1024 * 1024, 5.0


class Leases(msgspec.Struct, frozen=True, tag="leases", tag_field="verb"):
    """Ask which leases run, and what the device wants of others."""


class End(msgspec.Struct, frozen=True, tag="end", tag_field="verb"):
    """End a lease that this device granted."""

    lease: Annotated[str, Meta(max_length=64)]


Word: TypeAlias = Leases | End


class Wished(msgspec.Struct, frozen=True):
    """How it stands with something that the device wants.

    Attributes:
        owner: of whom.
        paths: which signals.
        purpose: what for.
        lease: what was granted, None if nothing is.
        error: why not.
    """

    owner: str
    paths: tuple[str, ...]
    purpose: str
    lease: Lease | None = None
    error: str = ""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the device says.

    Attributes:
        time: event time at the device.
        leases: what it granted and still runs.
        wishes: what it wants of others.
        ended: the lease that was ended.
        error: why not.
    """

    time: float = 0.0
    leases: tuple[Lease, ...] = ()
    wishes: tuple[Wished, ...] = ()
    ended: Lease | None = None
    error: str = ""


_word_decoder = msgspec.json.Decoder(Word)
_answer_decoder = msgspec.json.Decoder(Answer)


@asynccontextmanager
async def open_control(path: Path, trust: Trust) -> AsyncIterator[None]:
    """Let the owner of this machine speak to the device, until the end of the block.

    Raises:
        SetupError: the socket cannot be made, or another process answers there.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(TimeoutError, OSError, ValueError):
            async with asyncio.timeout(LIMIT_S):
                answer = await _answer(await reader.readline(), trust)
                writer.write(msgspec.json.encode(answer) + b"\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(serve, sock=_listen(path), limit=MAX_LINE)
    try:
        async with server:
            yield
    finally:
        _remove(path)


def tell(path: Path, word: Word) -> Answer:
    """Say a word to the device whose socket is at `path`, and wait for its answer.

    Raises:
        SetupError: no device runs there, or it does not answer.
    """
    data = b""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as to:
            to.settimeout(LIMIT_S)
            to.connect(str(path))
            to.sendall(msgspec.json.encode(word) + b"\n")
            while not data.endswith(b"\n") and len(data) < MAX_LINE:
                part = to.recv(65536)
                if not part:
                    break
                data += part
        return _answer_decoder.decode(data)
    except (OSError, msgspec.MsgspecError, RecursionError) as error:
        raise SetupError(
            f"no running device answers at {path}: {error}",
            hint="start it: trivet up DEVICE",
        ) from error


def _listen(path: Path) -> socket.socket:
    at = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists():
            _remove_if_dead(path)
        before = os.umask(0o177)  # from the moment it exists it is its owner's alone
        try:
            at.bind(str(path))
        finally:
            os.umask(before)
    except OSError as error:
        at.close()
        raise SetupError(
            f"{path} cannot be made: {error}",
            hint="is this device running already? Else choose a shorter folder name",
        ) from error
    return at


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _remove_if_dead(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            _remove(path)
            return
    raise OSError("another process answers there")


async def _answer(line: bytes, trust: Trust) -> Answer:
    try:
        word = _word_decoder.decode(line)
        if isinstance(word, End):
            held = {lease.id: lease for lease in trust.book.leases}
            await trust.lessor.end(word.lease)
            return Answer(trust.time, ended=held[word.lease])
    except (TrivetError, msgspec.MsgspecError, RecursionError) as error:
        return Answer(trust.time, error=str(error))
    wishes = tuple(
        Wished(wish.owner, wish.paths, wish.purpose.value, at.lease, at.error)
        for wish, at in trust.lessee.standing.items()
    )
    return Answer(trust.time, trust.book.leases, wishes)

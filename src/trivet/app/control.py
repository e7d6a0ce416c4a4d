"""A word to a running device of this machine, over a socket that its owner alone opens.

    -> {"verb": "end", "lease": "0123..."}  <- {"answer": {...}}
                                            <- {"error": "what is wrong", "hint": "..."}

One line of JSON each way, then it is closed. Whoever may open the socket may read the
device's key as well: the file system's permissions guard both. What words there are is
said by whoever takes them: see Control.add.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from trivet.domain import SetupError, TrivetError, UsageError

log = logging.getLogger("trivet.app")

#: Longest line either way, in bytes, and how long one may be under way, in seconds.
MAX_LINE, LIMIT_S = 1024 * 1024, 5.0

WordT = TypeVar("WordT", bound=msgspec.Struct)
AnswerT = TypeVar("AnswerT", bound=msgspec.Struct)


class _Verb(msgspec.Struct):
    verb: str


class _Said(msgspec.Struct, omit_defaults=True):
    answer: msgspec.Raw = msgspec.Raw()
    error: str = ""
    hint: str = ""


class Control:
    """The words that a device takes, and who answers each."""

    def __init__(self) -> None:
        self._takers: dict[str, tuple[Any, Callable[[Any], Awaitable[Any]]]] = {}

    def add(
        self, word: type[WordT], take: Callable[[WordT], Awaitable[msgspec.Struct]]
    ) -> None:
        """Have a word taken.

        Args:
            word: its type, a Struct with `tag_field="verb"` and its tag.
            take: answers it; what it raises of ours is told to whoever said it.

        Raises:
            UsageError: the type has no such tag, or another word has it.
        """
        config = word.__struct_config__
        if config.tag_field != "verb" or not isinstance(config.tag, str):
            raise UsageError(f"{word.__name__} is no word: it has no verb for a tag")
        if config.tag in self._takers:
            raise UsageError(f"the word {config.tag!r} is taken already")
        self._takers[config.tag] = msgspec.json.Decoder(word), take

    async def answer(self, line: bytes) -> bytes:
        """What is to be said to a line of somebody's, as a line."""
        try:
            verb = msgspec.json.decode(line, type=_Verb).verb
            if verb not in self._takers:
                raise UsageError(f"this device knows no word {verb[:64]!r}")
            decoder, take = self._takers[verb]
            said = _Said(
                msgspec.Raw(msgspec.json.encode(await take(decoder.decode(line))))
            )
        except TrivetError as error:
            said = _Said(error=error.message, hint=error.hint)
        except (msgspec.MsgspecError, RecursionError) as error:
            said = _Said(error=f"malformed word: {error}")
        except Exception as error:
            log.exception("a word of the owner's failed: %r", line[:200])
            said = _Said(error=f"the device failed: {type(error).__name__}")
        answer = msgspec.json.encode(said) + b"\n"
        if len(answer) <= MAX_LINE:
            return answer
        long = f"the answer is {len(answer)} bytes, the most is {MAX_LINE}"
        return msgspec.json.encode(_Said(error=long)) + b"\n"


@asynccontextmanager
async def open_control(path: Path, control: Control) -> AsyncIterator[None]:
    """Let the owner of this machine speak to the device, until the end of the block.

    Raises:
        SetupError: the socket cannot be made, or another process answers there.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(TimeoutError, OSError, ValueError):
            async with asyncio.timeout(LIMIT_S):
                line = await reader.readline()
            answer = await control.answer(line)  # which takes what it takes
            async with asyncio.timeout(LIMIT_S):
                writer.write(answer)
                await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(serve, sock=_listen(path), limit=MAX_LINE)
    try:
        async with server:
            yield
    finally:
        _remove(path)


def tell(
    path: Path,
    word: msgspec.Struct,
    answer: type[AnswerT],
    limit_s: float = LIMIT_S,
) -> AnswerT:
    """Say a word to the device whose socket is at `path`, and wait for its answer.

    Args:
        path: the socket.
        word: what to say.
        answer: the type of the answer.
        limit_s: seconds that the answer may take.

    Raises:
        SetupError: no device runs there, or it does not answer.
        UsageError: the word is too long, or the device says that it cannot be done, and
            why.
    """
    # what a word holds as raw JSON may have lines of its own
    line = msgspec.json.format(msgspec.json.encode(word), indent=-1) + b"\n"
    if len(line) > MAX_LINE:
        raise UsageError(f"that is {len(line)} bytes to say, the most is {MAX_LINE}")
    try:
        said = msgspec.json.decode(_exchange(path, line, limit_s), type=_Said)
        if not said.error:
            return msgspec.json.decode(said.answer, type=answer)
    except (OSError, msgspec.MsgspecError, RecursionError) as error:
        raise SetupError(
            f"no running device answers at {path}: {error}",
            hint="start it: trivet up DEVICE",
        ) from error
    raise UsageError(said.error, hint=said.hint)


def _exchange(path: Path, line: bytes, limit_s: float) -> bytes:
    data = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as to:
        to.settimeout(limit_s)
        to.connect(str(path))
        to.sendall(line)
        while not data.endswith(b"\n") and len(data) < MAX_LINE:
            part = to.recv(65536)
            if not part:
                break
            data += part
    return data


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

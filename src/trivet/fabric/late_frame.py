"""What passes at the door for late devices: frames, each behind its length."""

from __future__ import annotations

import asyncio

from trivet.domain.error import WireError
from trivet.fabric.refounding import MAX_BYTES as MAX_WORD
from trivet.fabric.renewal import MAX_BYTES

#: How the two that ask begin: for a certificate, or with an id for the founder's word.
HELLO = b"trivet late renewal 1"
FOLLOW = b"trivet refounding 1 "
#: The longest first frame.
MAX_FIRST = 128
#: Seconds that a handshake, and each frame, may take; and a device for all of it.
IDLE_S, TOTAL_S = 5.0, 15.0
_SIZE, _LENGTH = 2, 4


async def read(reader: asyncio.StreamReader, most: int = MAX_BYTES) -> bytes:
    """The next frame; EOFError when there is none, TimeoutError when it is slow."""
    async with asyncio.timeout(IDLE_S):
        size = int.from_bytes(await reader.readexactly(_SIZE), "big")
        if size > most:
            raise WireError(f"a frame of {size} bytes: the most is {most}")
        return await reader.readexactly(size)


async def read_long(reader: asyncio.StreamReader) -> bytes:
    """What is told in more than one frame."""
    size = int.from_bytes(await read(reader, _LENGTH), "big")
    if size > MAX_WORD:
        raise WireError(f"a word of {size} bytes: the most is {MAX_WORD}")
    word = bytearray()
    while len(word) < size:
        part = await read(reader)
        if not part:
            raise WireError("a word that does not go on")
        word += part
    return bytes(word)


async def write(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Tell one frame; TimeoutError when the other takes it slowly."""
    writer.write(len(data).to_bytes(_SIZE, "big") + data)
    async with asyncio.timeout(IDLE_S):
        await writer.drain()


async def write_long(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Tell something in as many frames as it takes."""
    await write(writer, len(data).to_bytes(_LENGTH, "big"))
    for start in range(0, len(data), MAX_BYTES):
        await write(writer, data[start : start + MAX_BYTES])

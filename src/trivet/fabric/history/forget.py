"""What is to be forgotten, in the words that one device says to another.

    owner -- forget: id, span, patterns --> whoever held its samples under a lease
          <-- forgotten: id, how many --

Who asks is told by the link, never by the message: what goes is the asker's alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from secrets import token_hex
from typing import Annotated, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from trivet.domain.error import UsageError, WireError
from trivet.domain.lease import SignalPattern, matches
from trivet.domain.sample import EventTime
from trivet.domain.wire import Document, Message

#: Asked of a device: forget what I gave you; the kind of the document that says it.
FORGET = "forget"
#: The kind of the document that answers it.
FORGOTTEN = "forgotten"
#: The last event time there is, a bound for what has no end.
END_OF_TIME = 7_258_118_400.0
#: Patterns that one wish may name.
MAX_PATTERNS = 64

ForgetId: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
_Count: TypeAlias = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
_T = TypeVar("_T")


class Forget(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A wish to forget.

    Attributes:
        id: unique with the owner of what is to be forgotten.
        since: event time of the first sample that goes.
        until: event time of the first one after them.
        paths: patterns of the signals that it is about.
    """

    id: ForgetId
    since: EventTime
    until: EventTime
    paths: Annotated[
        tuple[SignalPattern, ...], Meta(min_length=1, max_length=MAX_PATTERNS)
    ]

    def names(self, path: str) -> bool:
        """Whether it is about a signal."""
        return any(matches(pattern, path) for pattern in self.paths)

    def covers(self, path: str, time: float) -> bool:
        """Whether it is about a sample."""
        return self.since <= time < self.until and self.names(path)


class Forgotten(
    msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True
):
    """What a device has forgotten of another's samples.

    Attributes:
        id: the wish's.
        samples: how many copies it deleted, in all answers to this wish.
        intervals: how many summaries.
        is_clean: whether nothing of them is left in its file; else ask again.
    """

    id: ForgetId
    samples: _Count
    intervals: _Count
    is_clean: bool


def make_forget(
    paths: Iterable[str] = ("**",), since: float = 0.0, until: float = END_OF_TIME
) -> Forget:
    """A wish with an id of its own.

    Raises:
        UsageError: no pattern, or a span that holds no time.
    """
    if not since < until:
        raise UsageError(
            f"there is no time between {since:.0f} and {until:.0f}",
            hint="the end comes after the beginning",
        )
    wish = (token_hex(8), since, until, tuple(paths))
    try:
        return msgspec.convert(wish, Forget)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"{', '.join(wish[3])[:200]!r} cannot be forgotten: {error}",
            hint="a pattern is like Vehicle.Cabin.**, lock.* or location",
        ) from error


_encoder = msgspec.msgpack.Encoder()
_forget_decoder = msgspec.msgpack.Decoder(Forget)
_forgotten_decoder = msgspec.msgpack.Decoder(Forgotten)


def encode_forget(wish: Forget) -> bytes:
    """The wish as bytes, for the wire and the file."""
    return _encoder.encode(wish)


def decode_forget(data: bytes) -> Forget:
    """The wish in `data`.

    Raises:
        WireError: there is none, or one that means nothing.
    """
    wish = _decode(_forget_decoder, data, "wish to forget")
    if not wish.since < wish.until:
        raise WireError("a wish to forget with a span that holds no time")
    return wish


def read_forget(message: Message | None) -> Forget:
    """The wish in a question.

    Raises:
        UsageError: the question holds no such document.
        WireError: the document holds no wish.
    """
    if not isinstance(message, Document) or message.kind != FORGET:
        raise UsageError("forget wants to be told what")
    return decode_forget(message.body)


def forget_message(wish: Forget) -> Document:
    """The question that says a wish."""
    return Document(FORGET, encode_forget(wish))


def read_forgotten(message: Message, wish: Forget) -> Forgotten:
    """The answer to a wish.

    Raises:
        WireError: it is none, or the answer to another wish.
    """
    if not isinstance(message, Document) or message.kind != FORGOTTEN:
        raise WireError(f"a {type(message).__name__} is no answer to forget")
    answer = _decode(_forgotten_decoder, message.body, "answer to forget")
    if answer.id != wish.id:
        raise WireError("an answer to another wish to forget")
    return answer


def forgotten_message(answer: Forgotten) -> Document:
    """The answer as it is sent."""
    return Document(FORGOTTEN, _encoder.encode(answer))


def _decode(decoder: msgspec.msgpack.Decoder[_T], data: bytes, what: str) -> _T:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed {what}: {error}") from error

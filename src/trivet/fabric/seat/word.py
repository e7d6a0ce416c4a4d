"""What devices say to each other about a seat, strictly decoded.

    candidate -> voter    Bid      promise me this seat
    voter -> candidate    Promise  to nobody else, for PROMISE_S
                          Denial   no, and what I know
    holder -> voter       Release  I act no more, and my promise is over
    preferred -> holder   Claim    I am here, and come before you
    either                Done     heard

MessagePack arrays tagged by a name, inside a Document of kind `seat`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from trivet.domain.error import UsageError, WireError
from trivet.domain.sample import DeviceId
from trivet.domain.wire import Document, Message

#: The question, and the kind of the documents.
SEAT = "seat"
#: A seat's name: `engine`, `issuer`, `engine.ada`.
SeatName: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}\Z")]
Token: TypeAlias = Annotated[int, Meta(ge=0, le=1 << 53)]
_Count: TypeAlias = Annotated[int, Meta(ge=0, le=1 << 62)]
#: Rolls that one voter can stand by.
MAX_ROLLS = 64


class Roll(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Who votes.

    Attributes:
        version: of the charter that says so.
        devices: ids of its members that are no guests, sorted.
    """

    version: Annotated[int, Meta(ge=0, le=1 << 53)]
    devices: Annotated[tuple[DeviceId, ...], Meta(min_length=1, max_length=256)]


class _Word(
    msgspec.Struct,
    frozen=True,
    array_like=True,
    forbid_unknown_fields=True,
    tag=str.lower,
    tag_field="word",
):
    seat: SeatName


class Bid(_Word, frozen=True):
    """Promise me the seat, or renew your promise.

    Attributes:
        token: to act with; a renewal has that of the promise.
        boot: the candidate's, drawn by lot at its start.
        round: counts the candidate's bids since then.
        roll: who votes, as the candidate knows it.
        is_settled: whether it holds the seat by this roll and token already.
        is_query: whether it only asks what would be answered.
    """

    token: Annotated[int, Meta(ge=1, le=1 << 53)]
    boot: _Count
    round: _Count
    roll: Roll
    is_settled: bool = False
    is_query: bool = False


class Promise(_Word, frozen=True):
    """Yes: nobody else gets the seat of this voter for PROMISE_S.

    Attributes:
        token: as in the bid.
        boot: as in the bid.
        round: as in the bid.
        rolls: by which seats were held of which this voter knows; a majority of each
            is needed as well, see `trivet.fabric.seat.roll`.
    """

    token: Token
    boot: _Count
    round: _Count
    rolls: Annotated[tuple[Roll, ...], Meta(max_length=MAX_ROLLS)] = ()


class Why(StrEnum):
    """Why a voter says no."""

    #: its promise to another one runs
    HELD = "held"
    #: it promised a greater token
    OLD = "old"
    #: by the charter that it knows others vote than by the bid
    ROLL = "roll"
    #: by that charter one of the two does not vote
    STRANGER = "stranger"
    #: the token is greater than it can have become
    FAR = "far"
    #: the bid is older than what came before it
    LATE = "late"
    #: it has started a moment ago, or knows of too many seats or rolls
    UNREADY = "unready"


class Denial(_Word, frozen=True):
    """No.

    Attributes:
        boot: as in the bid.
        round: as in the bid.
        why: why not.
        token: the greatest that the voter promised, 0 for none.
        holder: to whom, empty for nobody.
        left_ms: how long its promise still runs.
    """

    boot: _Count
    round: _Count
    why: Why
    token: Token = 0
    holder: Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9-]{0,62})?\Z")] = ""
    left_ms: Annotated[int, Meta(ge=0, le=60_000)] = 0


class Release(_Word, frozen=True):
    """What I was promised I need no more: I act no more, or did not get a majority.

    Attributes:
        boot: as in the bid.
        round: of the last bid that may have been promised.
        heir: for whom the seat is to be kept for a moment, empty for nobody.
    """

    boot: _Count
    round: _Count
    heir: Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9-]{0,62})?\Z")] = ""


class Claim(_Word, frozen=True):
    """I come before you in the household's order, and could take the seat."""


class Done(_Word, frozen=True):
    """Heard."""


Word: TypeAlias = Bid | Promise | Denial | Release | Claim | Done

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Word] = msgspec.msgpack.Decoder(Word)


def pack(word: Word) -> Document:
    """A word as it is sent."""
    return Document(SEAT, _encoder.encode(word))


def unpack(message: Message | None) -> Word:
    """The word that was sent.

    Raises:
        WireError: it is none.
    """
    if not isinstance(message, Document) or message.kind != SEAT:
        raise WireError("seat wants a word about a seat")
    try:
        return _decoder.decode(message.body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"no word about a seat: {error}") from error


def check_seat(name: str) -> str:
    """The name itself, if it is a seat's.

    Raises:
        UsageError: it is not.
    """
    try:
        msgspec.convert(name, SeatName)
    except msgspec.ValidationError as error:
        raise UsageError(f"{name!r} is no name of a seat: {error}") from error
    return name

"""What two devices say to each other about tasks: the question `task`.

    asker                                   worker
      |  -- look ------------------------->  |   what is offered, and how it stands
      |  <------------------------ offer --  |
      |  -- submit, part, part ... ------->  |   the input, each part acknowledged
      |  <------------------------ taken --  |   or full: come back in so many seconds
      |  -- status, cancel --------------->  |
      |  <----- result, more, or failure --  |   the worker asks in turn: the output
      |  -- taken ----------------------->   |

Each is one Document of domain/wire.py: its kind is the name of the message, its body
the message as MessagePack, strictly decoded. A run belongs to the device that asked
for it, as the link vouches for it: an id of another's run is an id of nothing.
"""

from __future__ import annotations

from enum import StrEnum
from math import isfinite
from typing import Annotated, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from trivet.domain.error import UsageError, WireError
from trivet.domain.wire import Document, Message
from trivet.fabric.offload.task import MAX_BYTES

#: The question that carries all of it.
TASK = "task"
#: Bytes of one part; a message of the wire holds a little more.
PART_BYTES = 192 * 1024
MAX_PARTS = -(-MAX_BYTES // PART_BYTES)

#: Milliseconds since 1970 in twelve hexadecimal digits, then twenty by chance: later
#: runs of one device come later in the alphabet.
RunId: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
TaskName: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9_.]{1,64}\Z")]
Digest: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
Seconds: TypeAlias = Annotated[float, Meta(ge=0.0, le=1e7)]
Share: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]
Size: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_BYTES)]
Index: TypeAlias = Annotated[int, Meta(ge=0, lt=MAX_PARTS)]
PartData: TypeAlias = Annotated[bytes, Meta(max_length=PART_BYTES)]


class Condition(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a device is, as far as it bears on work.

    Attributes:
        benchmark_s: what a fixed calculation takes on one of its cores, in seconds.
        free_mb: memory that can be had, in MiB.
        is_on_mains: whether it is fed from outside; True where there is no battery.
        charge: share of the battery's charge, None where there is none.
        heat: how near it is to the temperature at which it slows down, 1.0 there;
            None where it has no sensor.
    """

    # what others take is divided by it
    benchmark_s: Annotated[float, Meta(ge=1e-6, le=1e4)]
    free_mb: Annotated[int, Meta(ge=0, le=1 << 30)]
    is_on_mains: bool = True
    charge: Share | None = None
    heat: Annotated[float, Meta(ge=0.0, le=10.0)] | None = None


class Offered(msgspec.Struct, frozen=True, omit_defaults=True):
    """A task that a device offers, and what it takes there.

    Attributes:
        name: of the task.
        digest: of its types; see Task.
        median_s: what its runs took there, in seconds; 0 where it never ran.
        spread: standard deviation of the logarithm of that.
        runs: how many runs that rests on.
    """

    name: TaskName
    digest: Digest
    median_s: Seconds = 0.0
    spread: Annotated[float, Meta(ge=0.0, le=20.0)] = 0.0
    runs: Annotated[int, Meta(ge=0, le=1 << 40)] = 0


class Stage(StrEnum):
    """Where a run stands at its worker."""

    #: its input is on its way
    RECEIVING = "receiving"
    QUEUED = "queued"
    RUNNING = "running"
    #: it ended, and its end is told in a result or a failure
    ENDED = "ended"
    #: it never began there, and never will
    BARRED = "barred"


class Flaw(StrEnum):
    """Why a run gave no result."""

    #: the function raised an error, or gave what it should not
    RAISED = "raised"
    #: its process ended in the middle of it
    DIED = "died"
    MEMORY = "memory"
    TIME = "time"
    #: it began once, and nobody knows how it ended
    LOST = "lost"
    #: it did not begin, and under this id never will
    UNBEGUN = "unbegun"


class Look(msgspec.Struct, frozen=True):
    """What do you offer, and how are you?"""


class Offer(msgspec.Struct, frozen=True):
    """What a device offers.

    Attributes:
        tasks: what it can run.
        condition: how it is.
        slots: how many runs at a time.
        wait_s: until a run that is submitted now would begin.
    """

    tasks: Annotated[tuple[Offered, ...], Meta(max_length=256)]
    condition: Condition
    slots: Annotated[int, Meta(ge=0, le=1024)]
    wait_s: Seconds


class Submit(msgspec.Struct, frozen=True):
    """Run this; the first part of the input is with it.

    Attributes:
        run: its id.
        task: the task's name.
        digest: of the task's types.
        size: bytes of the whole input.
        data: its first part.
    """

    run: RunId
    task: TaskName
    digest: Digest
    size: Size
    data: PartData


class Part(msgspec.Struct, frozen=True):
    """A further part of an input; the first one is 0, and they come in order."""

    run: RunId
    index: Index
    data: PartData


class More(msgspec.Struct, frozen=True):
    """A further part of an output, as Part."""

    run: RunId
    index: Index
    data: PartData


class Status(msgspec.Struct, frozen=True):
    """Where does this run stand? One that was never heard of is barred from then on."""

    run: RunId


class Cancel(msgspec.Struct, frozen=True):
    """Its result is needed no more. If it has not begun, it never will."""

    run: RunId


class Taken(msgspec.Struct, frozen=True, omit_defaults=True):
    """Heard.

    Attributes:
        stage: where the run stands.
        wait_s: until it begins, about.
        ran_s: for how long it has run.
        parts: how many parts have come.
    """

    stage: Stage
    wait_s: Seconds = 0.0
    ran_s: Seconds = 0.0
    parts: Annotated[int, Meta(ge=0, le=MAX_PARTS)] = 0


class Full(msgspec.Struct, frozen=True):
    """There is no room now; in `wait_s` there is, about."""

    wait_s: Seconds


class Result(msgspec.Struct, frozen=True):
    """A run ended well; the first part of the output is with it.

    Attributes:
        run: its id.
        size: bytes of the whole output.
        data: its first part.
        waited_s: seconds in the queue.
        took_s: seconds of work.
    """

    run: RunId
    size: Size
    data: PartData
    waited_s: Seconds = 0.0
    took_s: Seconds = 0.0


class Failure(msgspec.Struct, frozen=True):
    """A run began and gave no result.

    Attributes:
        run: its id.
        flaw: how it ended.
        why: a line for a person.
    """

    run: RunId
    flaw: Flaw
    why: Annotated[str, Meta(max_length=1000)]


Word: TypeAlias = (
    Look
    | Offer
    | Submit
    | Part
    | More
    | Status
    | Cancel
    | Taken
    | Full
    | Result
    | Failure
)
_KINDS: tuple[type[Word], ...] = (
    Look,
    Offer,
    Submit,
    Part,
    More,
    Status,
    Cancel,
    Taken,
    Full,
    Result,
    Failure,
)
_NAMES = {kind: f"{TASK}.{kind.__name__.lower()}" for kind in _KINDS}
_DECODERS = {_NAMES[kind]: msgspec.msgpack.Decoder(kind) for kind in _KINDS}
_encoder = msgspec.msgpack.Encoder()
_W = TypeVar("_W")


def pack(word: Word) -> Document:
    """The word as a message of the wire.

    Raises:
        UsageError: it holds what may not be sent.
    """
    kind, body = _NAMES[type(word)], _encoder.encode(word)
    try:
        _DECODERS[kind].decode(body)  # what we send, we would take
    except msgspec.MsgspecError as error:
        raise UsageError(f"{kind} cannot be sent: {error}") from error
    return Document(kind, body)


def unpack(message: Message | None) -> Word:
    """The word in a message.

    Raises:
        WireError: it is none of ours.
    """
    if not isinstance(message, Document) or message.kind not in _DECODERS:
        shown = getattr(message, "kind", type(message).__name__)
        raise WireError(f"{shown} is no word about a task")
    try:
        word: Word = _DECODERS[message.kind].decode(message.body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed {message.kind}: {error}") from error
    if not _is_finite(word):
        raise WireError(f"{message.kind} holds a number that is none")
    return word


def expect(word: Word, kind: type[_W], sender: str) -> _W:
    """The word, if it is of that kind.

    Raises:
        WireError: it is of another.
    """
    if not isinstance(word, kind):
        raise WireError(f"{sender} answered a {type(word).__name__.lower()}")
    return word


def _is_finite(value: object) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, msgspec.Struct):
        return all(_is_finite(getattr(value, f)) for f in value.__struct_fields__)
    if isinstance(value, tuple):
        return all(_is_finite(part) for part in value)
    return True

"""What devices say to each other about tasks, and what worker processes say."""

from __future__ import annotations

from contextlib import suppress

import msgspec
from scripts.fuzz.target import Makers, Target
from scripts.fuzz.tree import MSGPACK

from trivet.domain.error import RefusedError, WireError
from trivet.domain.wire import Document
from trivet.fabric.offload import child
from trivet.fabric.offload.docket import MAX_ENDED, MAX_HELD, Docket
from trivet.fabric.offload.message import (
    PART_BYTES,
    Cancel,
    Condition,
    Failure,
    Flaw,
    Full,
    Look,
    More,
    Offer,
    Offered,
    Part,
    Result,
    Stage,
    Status,
    Submit,
    Taken,
    Word,
    pack,
    unpack,
)
from trivet.fabric.offload.task import Task, task

_RUN, _OTHER = "0123456789abcdef" * 2, "fedcba9876543210" * 2
_MAX_WORDS = 200


class Wish(msgspec.Struct, frozen=True):
    """An input with something of everything."""

    name: str
    times: int = 1
    points: tuple[tuple[float, float], ...] = ()
    more: dict[str, bytes | None] = {}


@task(name="fuzz.plan")
def plan(wish: Wish) -> Wish:
    """Give back what was given."""
    return wish


PLAN: Task[Wish, Wish] = plan
_WISH = PLAN.encode_input(Wish("home", 2, ((60.1, 24.9),), {"a": b"x", "b": None}))
_HERE = Condition(0.02, 4000, False, 0.5, 0.7)
WORDS: tuple[Word, ...] = (
    Look(),
    Offer((Offered(PLAN.name, PLAN.digest, 0.5, 0.2, 7),), _HERE, 2, 1.5),
    Submit(_RUN, PLAN.name, PLAN.digest, len(_WISH), _WISH),
    Submit(_OTHER, PLAN.name, PLAN.digest, PART_BYTES + 1, bytes(PART_BYTES)),
    Part(_OTHER, 1, b"x"),
    More(_RUN, 1, b"x"),
    Status(_RUN),
    Cancel(_RUN),
    Taken(Stage.RUNNING, 0.0, 2.5, 1),
    Full(2.0),
    Result(_RUN, len(_WISH), _WISH, 0.1, 0.2),
    Failure(_RUN, Flaw.MEMORY, "more than its 256 MiB"),
)
_KINDS = tuple(sorted({pack(word).kind for word in WORDS}))


def _as_input(word: Word) -> bytes:
    document = pack(word)
    return bytes([_KINDS.index(document.kind)]) + document.body


def _word(data: bytes) -> None:
    kind = _KINDS[data[0] % len(_KINDS)] if data else ""
    word = unpack(Document(kind, data[1:]))
    again = unpack(pack(word))
    assert again == word, f"{word!r:.300} became {again!r:.300}"


# --- a worker's docket, and a hostile asker -----------------------------------------


def _as_talk(*words: Word) -> bytes:
    rows = []
    for word in words:
        document = pack(word)
        rows.append([document.kind, msgspec.Raw(document.body)])
    return msgspec.msgpack.encode(rows)


_TALKS = (
    _as_talk(WORDS[2], WORDS[6], WORDS[7]),
    _as_talk(WORDS[3], WORDS[4], WORDS[2], Status(_OTHER), Cancel(_OTHER)),
    _as_talk(WORDS[6], WORDS[2]),
    _as_talk(WORDS[7], WORDS[3], WORDS[4]),
)
_talks = msgspec.msgpack.Decoder(list[tuple[str, msgspec.Raw]])


def _talk(data: bytes) -> None:
    """Whatever is said to a docket, it stays within its bounds."""
    docket, now = Docket("phone", 1, lambda task: 2.0), 0.0
    for kind, body in _talks.decode(data)[:_MAX_WORDS]:
        now += 1.0
        with suppress(RefusedError, WireError):
            _say(docket, unpack(Document(kind, bytes(body))), now)
        job = docket.begin(now)
        if job is not None:
            assert job.parcel is not None
            assert job.parcel.is_whole, "it began before it was there"
        docket.tick(now)
        assert docket._held() <= MAX_HELD
        assert len(docket._jobs) <= MAX_ENDED + 64
        running = [j for j in docket._jobs.values() if j.stage is Stage.RUNNING]
        assert len(running) <= 1


def _say(docket: Docket, word: Word, now: float) -> None:
    if isinstance(word, Submit):
        found = PLAN if word.task == PLAN.name else None
        docket.submit("car", word, found, now)
    elif isinstance(word, Part):
        docket.part("car", word, now)
    elif isinstance(word, Status):
        docket.status("car", word.run, now)
    elif isinstance(word, Cancel):
        docket.cancel("car", word.run, now)


# --- values, and what processes say -------------------------------------------------


def _value(data: bytes) -> None:
    encoded = PLAN.encode_input(PLAN.decode_input(data))
    # a number that is none is not even itself: bytes are compared
    assert PLAN.encode_input(PLAN.decode_input(encoded)) == encoded


_SAYINGS: tuple[child.Saying, ...] = (
    child.Ready(),
    child.Done(0.5, _WISH),
    child.Broken(Flaw.DIED, "it ended"),
)


def _saying(data: bytes) -> None:
    child.sayings.decode(data)


TARGETS: Makers = {
    "task-word": lambda: Target(
        "task-word",
        tuple(_as_input(word) for word in WORDS),
        _word,
        (WireError,),
        codec=MSGPACK,
        head=1,
    ),
    "task-docket": lambda: Target(
        "task-docket",
        _TALKS,
        _talk,
        (msgspec.MsgspecError, UnicodeError, RecursionError),
        codec=MSGPACK,
        slowness=10,
    ),
    "task-value": lambda: Target(
        "task-value", (_WISH,), _value, (WireError,), codec=MSGPACK
    ),
    "task-saying": lambda: Target(
        "task-saying",
        tuple(child.frame(each)[child.HEAD.size :] for each in _SAYINGS),
        _saying,
        (msgspec.MsgspecError, UnicodeError, RecursionError),
        codec=MSGPACK,
    ),
}

"""A task: a typed function that a device offers to its household.

    @task(name="route.plan", cost=Cost.HEAVY, memory_mb=512)
    def plan(wish: Wish) -> Plan: ...

Input and output are what the annotations say, as MessagePack, strictly decoded: a
number is no text, and a device that sends one where the other is due is told so. The
function stays callable as it is.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable
from enum import StrEnum
from functools import cached_property
from typing import Any, Generic, TypeVar, cast, get_type_hints

import msgspec

from trivet.domain.error import TaskError, UsageError, WireError

In = TypeVar("In")
Out = TypeVar("Out")

#: An input or an output longer than this is not sent.
MAX_BYTES = 16 * 1024 * 1024
_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*\Z")
_MAX_NAME = 64
_UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError)


class Cost(StrEnum):
    """How much work a task is, until it is known better; see PRIOR_S."""

    LIGHT = "light"
    MEDIUM = "medium"
    HEAVY = "heavy"


class Task(Generic[In, Out]):
    """A function with what a household must know to run it somewhere.

    Attributes:
        name: what it is called on every device.
        cost: how much work it is.
        memory_mb: what it may take beyond what its process already holds, in MiB.
        needs_mains: whether it may only run where there is mains power.
        is_idempotent: whether running it twice does no harm. One that is not is run
            at most once.
        timeout_s: longest that it may run, in seconds; then it is killed.
        target: where another process finds it: `module:name`.
    """

    def __init__(
        self,
        function: Callable[[In], Out],
        *,
        name: str,
        cost: Cost,
        memory_mb: int,
        needs_mains: bool,
        is_idempotent: bool,
        timeout_s: float,
    ) -> None:
        _check(function, name, memory_mb, timeout_s)
        self.function = function
        self.name = name
        self.cost = cost
        self.memory_mb = memory_mb
        self.needs_mains = needs_mains
        self.is_idempotent = is_idempotent
        self.timeout_s = timeout_s
        self.target = f"{function.__module__}:{function.__qualname__}"
        self.__doc__ = function.__doc__

    def __call__(self, value: In) -> Out:
        """Run it here and now, in this process."""
        return self.function(value)

    def __repr__(self) -> str:
        return f"<task {self.name}>"

    @cached_property
    def digest(self) -> str:
        """What stands for types and promise: devices with one digest mean the same."""
        try:
            kinds = msgspec.json.schema_components(self._types)
        except TypeError as error:
            raise self._badly_typed(error) from error
        meant = [self.name, self.is_idempotent, _without_words(kinds)]
        text = msgspec.json.encode(meant, order="sorted")
        return hashlib.sha256(text).hexdigest()[:16]

    # --- across the wire -------------------------------------------------------

    def encode_input(self, value: In) -> bytes:
        """The input as bytes.

        Raises:
            UsageError: it is not of the annotated type, or too long.
        """
        try:
            data = self._encoder.encode(value)
            self._input.decode(data)
        except (*_UNREADABLE, TypeError, ValueError) as error:
            raise UsageError(
                f"the input of {self.name} cannot be {value!r:.100}: {error}",
                hint=f"it takes {self._shown(0)}",
            ) from error
        _check_length(len(data), f"the input of {self.name}", UsageError)
        return data

    def decode_input(self, data: bytes) -> In:
        """The input in `data`.

        Raises:
            WireError: it is none; the device that sent it is at fault.
        """
        return cast(In, self._decoded(self._input, data, "input", 0))

    def read_input(self, text: bytes) -> In:
        """The input in a text of JSON, as a person wrote it.

        Raises:
            UsageError: it is none.
        """
        try:
            found = msgspec.json.decode(text, type=self._types[0])
        except _UNREADABLE as error:
            raise UsageError(
                f"the input of {self.name} is none: {error}",
                hint=f"it takes {self._shown(0)}, as JSON",
            ) from error
        return cast(In, found)

    def encode_output(self, value: Out) -> bytes:
        """The output as bytes.

        Raises:
            TaskError: the function gave what it is not annotated to give, or too much.
        """
        try:
            data = self._encoder.encode(value)
            self._output.decode(data)
        except (*_UNREADABLE, TypeError, ValueError) as error:
            raise TaskError(
                f"{self.name} gave a {type(value).__name__}: {error}",
                hint=f"it says that it gives {self._shown(1)}: mend the task",
            ) from error
        _check_length(len(data), f"the output of {self.name}", TaskError)
        return data

    def decode_output(self, data: bytes) -> Out:
        """The output in `data`.

        Raises:
            WireError: it is none; the device that sent it is at fault.
        """
        return cast(Out, self._decoded(self._output, data, "output", 1))

    def _decoded(
        self, decoder: msgspec.msgpack.Decoder[Any], data: bytes, what: str, which: int
    ) -> object:
        _check_length(len(data), f"the {what} of {self.name}", WireError)
        try:
            return decoder.decode(data)
        except _UNREADABLE as error:
            raise WireError(
                f"what was sent as {what} of {self.name} is none: {error}",
                hint=f"it is {self._shown(which)}",
            ) from error

    @cached_property
    def _types(self) -> tuple[Any, Any]:
        try:
            hints = get_type_hints(self.function, include_extras=True)
        except Exception as error:
            raise self._badly_typed(error) from error
        (wanted,) = inspect.signature(self.function).parameters
        missing = [name for name in (wanted, "return") if name not in hints]
        if missing:
            raise self._badly_typed(f"{missing[0]} has no annotation")
        return hints[wanted], hints["return"]

    @cached_property
    def _encoder(self) -> msgspec.msgpack.Encoder:
        return msgspec.msgpack.Encoder()

    @cached_property
    def _input(self) -> msgspec.msgpack.Decoder[Any]:
        return self._decoder(0)

    @cached_property
    def _output(self) -> msgspec.msgpack.Decoder[Any]:
        return self._decoder(1)

    def _decoder(self, which: int) -> msgspec.msgpack.Decoder[Any]:
        try:
            return msgspec.msgpack.Decoder(self._types[which])
        except TypeError as error:
            raise self._badly_typed(error) from error

    def _shown(self, which: int) -> str:
        kind = self._types[which]
        return kind.__name__ if isinstance(kind, type) else str(kind)

    def _badly_typed(self, why: object) -> UsageError:
        return UsageError(
            f"the task {self.name} ({self.target}) is badly annotated: {why}",
            hint="annotate its argument and what it returns, with types of its module",
        )


def task(
    *,
    name: str,
    cost: Cost = Cost.MEDIUM,
    memory_mb: int = 256,
    needs_mains: bool = False,
    is_idempotent: bool = True,
    timeout_s: float = 60.0,
) -> Callable[[Callable[[In], Out]], Task[In, Out]]:
    """Make a function of one argument a task; see Task for the rest.

    Raises:
        UsageError: a bad name or limit, or a function that no other process could find
            or call.
    """

    def make(function: Callable[[In], Out]) -> Task[In, Out]:
        return Task(
            function,
            name=name,
            cost=Cost(cost),
            memory_mb=memory_mb,
            needs_mains=needs_mains,
            is_idempotent=is_idempotent,
            timeout_s=timeout_s,
        )

    return make


def _check(
    function: Callable[[In], Out], name: str, memory_mb: int, timeout_s: float
) -> None:
    if len(name) > _MAX_NAME or not _NAME.match(name):
        raise UsageError(
            f"a task cannot be called {name!r:.100}",
            hint="use lower case letters, digits, _ and dots: route.plan",
        )
    if not 1 <= memory_mb <= 1 << 20:
        raise UsageError(f"{name}: memory_mb is {memory_mb}, it is 1 to {1 << 20}")
    if not 0.0 < timeout_s <= 86_400.0:
        raise UsageError(f"{name}: timeout_s is {timeout_s:g}, it is up to a day")
    if inspect.iscoroutinefunction(function):
        raise UsageError(f"{name}: a task runs in a process of its own, without await")
    if "<" in function.__qualname__:
        raise UsageError(
            f"{name}: {function.__qualname__} is not found from another process",
            hint="define it at the top of its module",
        )
    if len(inspect.signature(function).parameters) != 1:
        raise UsageError(f"{name}: a task takes one argument")


def _check_length(
    length: int, what: str, error: type[UsageError | TaskError | WireError]
) -> None:
    if length > MAX_BYTES:
        raise error(f"{what} is {length} bytes, the most is {MAX_BYTES}")


def _without_words(schema: object) -> object:
    """A schema without what is there for people alone: that may change freely."""
    if isinstance(schema, dict):
        return {
            key: _without_words(value)
            for key, value in schema.items()
            if not (key in ("description", "title") and isinstance(value, str))
        }
    if isinstance(schema, list | tuple):
        return [_without_words(part) for part in schema]
    return schema

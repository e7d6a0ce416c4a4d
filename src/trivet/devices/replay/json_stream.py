"""JSON as a stream: the elements of a long array one by one, in bounded memory.

Source: RFC 8259; parsing by ijson.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from types import ModuleType
from typing import Any

from trivet.devices.replay.source import Source
from trivet.domain.error import SetupError

#: Values below one element; an element with more is no record.
MAX_VALUES = 200_000
_MAX_DEPTH = 64


def elements(
    source: Source, keys: Collection[str], inner: bool = False
) -> Iterator[tuple[str, Any]]:
    """Yield the key and each element of the arrays at `keys` of the top-level object.

    The key "" is the top-level array itself. `source.line` counts the elements.

    Args:
        source: what to read.
        keys: the arrays wanted; all else is passed over.
        inner: the arrays hold arrays, and their elements are wanted.

    Raises:
        InputError: it is not JSON, it is cut off, or an element is too long.
    """
    json = _ijson()
    events = json.basic_parse(source, buf_size=64 * 1024, use_float=True)
    depth, key = 0, ""
    floor = 2 + inner
    builder: _Builder | None = None
    try:
        for event, value in events:
            source.mark()
            if event == "map_key":
                if builder is not None:
                    builder.key = value
                elif depth == 1:
                    key = value
                continue
            opens = event in _OPENING
            if event in _CLOSING:
                depth -= 1
                # the top-level array has no key, and a key ends with its array
                if builder is not None:
                    builder.close()
            else:
                if builder is None and depth >= floor - (not key) and key in keys:
                    builder = _Builder(source)
                if builder is not None:
                    builder.add(event, value)
                depth += opens
            if depth > _MAX_DEPTH:
                raise source.error(f"JSON of more than {_MAX_DEPTH} levels")
            if builder is not None and not builder.stack:
                source.line += 1
                yield key, builder.root
                builder = None
    except (json.JSONError, UnicodeDecodeError, ValueError) as error:
        raise source.error(f"malformed or cut off JSON: {error}") from error


_OPENING = frozenset({"start_map", "start_array"})
_CLOSING = frozenset({"end_map", "end_array"})


class _Builder:
    """Puts one element together from its events."""

    def __init__(self, source: Source) -> None:
        self.root: Any = None
        self.stack: list[Any] = []
        self.key = ""
        self._values = 0
        self._source = source

    def add(self, event: str, value: Any) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            raise self._source.error(
                f"a record of more than {MAX_VALUES} values: this is no recording"
            )
        if event == "start_map":
            value = {}
        elif event == "start_array":
            value = []
        if not self.stack:
            self.root = value
        elif isinstance(self.stack[-1], list):
            self.stack[-1].append(value)
        else:
            self.stack[-1][self.key] = value
        if event in _OPENING:
            self.stack.append(value)

    def close(self) -> None:
        self.stack.pop()


def _ijson() -> ModuleType:
    try:
        import ijson
    except ImportError as error:
        raise SetupError(
            "JSON recordings cannot be read: ijson is not installed",
            hint="pip install 'trivet[replay]'",
        ) from error
    module: ModuleType = ijson
    return module

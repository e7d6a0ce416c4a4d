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
    try:
        for event, value in events:
            source.mark()
            if event == "map_key":
                if depth == 1:
                    key = value
            elif event in _CLOSING:
                depth -= 1
            # the top-level array has no key: its elements are one floor higher
            elif key in keys and depth >= floor - (not key):
                record = _build(source, event, value, events)
                source.line += 1
                yield key, record
            else:
                depth += event in _OPENING
                if depth > _MAX_DEPTH:
                    raise source.error(_TOO_DEEP)
    except (json.JSONError, UnicodeDecodeError, ValueError) as error:
        raise source.error(f"malformed or cut off JSON: {error}") from error


_OPENING = frozenset({"start_map", "start_array"})
_CLOSING = frozenset({"end_map", "end_array"})
_TOO_DEEP = f"JSON of more than {_MAX_DEPTH} levels"


def _build(
    source: Source, event: str, value: Any, events: Iterator[tuple[str, Any]]
) -> Any:
    """One element from its first event and those that follow."""
    if event not in _OPENING:
        return value
    root: Any = {} if event == "start_map" else []
    stack, values = [root], 0
    key = ""
    for event, value in events:
        if event == "map_key":
            key = value
            continue
        if event in _CLOSING:
            stack.pop()
            if not stack:
                return root
            continue
        opens = event in _OPENING
        if opens:
            value = {} if event == "start_map" else []
        top = stack[-1]
        if type(top) is dict:
            top[key] = value
        else:
            top.append(value)
        if opens:
            stack.append(value)
            if len(stack) > _MAX_DEPTH:
                raise source.error(_TOO_DEEP)
        values += 1
        if values > MAX_VALUES:
            raise source.error(
                f"a record of more than {MAX_VALUES} values: this is no recording"
            )
    raise source.error("malformed or cut off JSON: a record without an end")


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

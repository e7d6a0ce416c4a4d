"""Importing a package as if others, which it can do without, were not installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def absent(*names: str) -> Iterator[None]:
    """Let `import NAME` fail within, for each of the names not yet imported.

    NiceGUI's socket.io comes with clients that a page never uses; they bring two HTTP
    libraries that take as long to import as all the rest of it.

    Source: the Python reference, "The module cache": a name that is None there cannot
    be imported.
    """
    blocked = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(blocked))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in blocked:
            del sys.modules[name]

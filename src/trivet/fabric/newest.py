"""Newest: what is declared to the carrier, by key; too many, and the oldest goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(dict[str, T], Generic[T]):
    """A dictionary that holds at most `capacity` things.

    Args:
        capacity: how many, at least one.
        withdraw: is handed each one that has to go.
    """

    def __init__(self, capacity: int, withdraw: Callable[[T], object]) -> None:
        super().__init__()
        self._capacity = capacity
        self._withdraw = withdraw

    def add(self, key: str, thing: T) -> None:
        """Hold one more."""
        if key not in self and len(self) >= self._capacity:
            self._withdraw(self.pop(next(iter(self))))
        self[key] = thing

"""A target: one decoder, valid input for it, and what it may answer to any other.

Nothing but the targets imports trivet, so that it can be instrumented first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from scripts.fuzz.found import FOUND
from scripts.fuzz.mutation import mutate
from scripts.fuzz.tree import Codec


@dataclass(frozen=True)
class Target:
    """One decoder under attack.

    Attributes:
        name: of the target.
        corpus: valid inputs, one of each kind at least, the same in every process.
        run: gives an input to the decoder; an AssertionError is a law that is broken.
        allowed: what it may raise.
        codec: what inputs are encoded in; None for text and files.
        head: bytes of an input before what the codec reads.
        words: what texts of this kind are made of.
        slowness: of so many inputs only one is run.
    """

    name: str
    corpus: tuple[bytes, ...]
    run: Callable[[bytes], None]
    allowed: tuple[type[BaseException], ...]
    codec: Codec | None = None
    head: int = 0
    words: tuple[bytes, ...] = ()
    slowness: int = 1

    def input(self, seed: int, number: int) -> bytes:
        """The input of this number; the first are the corpus, and what was found."""
        if number < len(self.corpus):
            return self.corpus[number]
        found = FOUND.get(self.name, ())
        if number < len(self.corpus) + len(found):
            return found[number - len(self.corpus)]
        rng = Random(f"{self.name} {seed} {number}")
        return mutate(
            rng, self.corpus, codec=self.codec, head=self.head, words=self.words
        )

    def share(self, runs: int) -> int:
        """How many of so many inputs it gets."""
        return min(runs, max(len(self.corpus) + 20, runs // self.slowness))


#: Makers by name: a target is built where it is used.
Makers: TypeAlias = Mapping[str, Callable[[], Target]]

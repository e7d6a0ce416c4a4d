"""The same targets, with inputs that coverage guides: Google's Atheris on libFuzzer.

Source: https://github.com/google/atheris
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from random import Random
from typing import Any

from scripts.fuzz.mutation import MAX_BYTES, mutate


def run(module: str, name: str, runs: int, seed: int) -> int:
    """Let Atheris attack one target; what it finds it writes into a file here.

    Args:
        module: where TARGETS is.
        name: the target.
        runs: how many inputs.
        seed: Atheris' own.
    """
    try:
        atheris: Any = import_module("atheris")
    except ImportError:
        sys.exit("Atheris is not installed: pip install atheris (CPython 3.11 to 3.13)")
    with atheris.instrument_imports(include=["trivet"]):
        target = import_module(module).TARGETS[name]()

    def attack(data: bytes) -> None:
        try:
            target.run(data)
        except target.allowed:
            return

    def change(data: bytes, most: int, number: int) -> bytes:
        rng = Random(number)
        if rng.random() < 0.3:
            changed: bytes = atheris.Mutate(data, most)
            return changed
        options = {"codec": target.codec, "head": target.head, "words": target.words}
        pool = (data,) * len(target.corpus) + target.corpus
        return mutate(rng, pool, **options)[:most]

    arguments = [sys.argv[0], f"-runs={runs}", f"-seed={seed}", f"-max_len={MAX_BYTES}"]
    _begin(atheris, [*arguments, "-timeout=5", "-rss_limit_mb=2048"], attack, change)
    return 0


def _begin(
    atheris: Any,
    arguments: list[str],
    attack: Callable[[bytes], None],
    change: Callable[[bytes, int, int], bytes],
) -> None:
    atheris.Setup(arguments, attack, custom_mutator=change)
    atheris.Fuzz()  # does not return

"""The extra `train`: torch, which only this room uses, and only to train."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from trivet.domain.error import SetupError


def load_torch(seed: int) -> Any:
    """torch, seeded, on one thread, so that a run is the same the next time.

    Raises:
        SetupError: it is not installed.
    """
    try:
        torch = import_module("torch")
    except ImportError as error:
        raise SetupError(
            "a teacher and a student with a network need torch",
            hint="pip install 'trivet[train]', or train with --linear",
        ) from error
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    return torch

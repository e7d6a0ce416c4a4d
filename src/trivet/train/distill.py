"""Distillation: a student with a small network learns from truth and teacher alike.

Source: G. Hinton, O. Vinyals, J. Dean, "Distilling the knowledge in a neural network",
2015.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trivet.engine.evidence import COLUMNS
from trivet.engine.student import Network, Weights
from trivet.train.extra import load_torch
from trivet.train.fit import PACE, PACE_WEIGHT
from trivet.train.padded import Padded, Small
from trivet.train.teacher import descend, inputs, spreads

UNITS = 32
_EPOCHS = 10
_NOTHING = -1e9


def distil(
    padded: Padded,
    targets: Small | None,
    weights: Weights,
    seed: int,
    epochs: int = _EPOCHS,
) -> tuple[Weights, Network]:
    """A student's weights and network.

    Args:
        padded: cases with positions.
        targets: what a teacher said of each slot; the truth alone if None.
        weights: of the linear student, where it begins.
        seed: of all chance.
        epochs: times that each case is seen.

    Raises:
        SetupError: the extra `train` is not installed.
    """
    torch = load_torch(seed)
    nn, width = torch.nn, padded.table.shape[2] + padded.new.shape[1]
    hidden, out = nn.Linear(width, UNITS), nn.Linear(UNITS, 1, bias=False)
    nn.init.zeros_(out.weight)
    places = torch.tensor(weights.places, requires_grad=True)
    of_new = torch.tensor(weights.new, requires_grad=True)

    def score(table: Any, known: Any, new: Any) -> Any:
        seen = inputs(torch, padded, table, new)
        added = out(torch.tanh(hidden(seen)))[..., 0]
        scores = torch.cat([table @ places + added, (new @ of_new)[:, None]], 1)
        return scores.masked_fill(~known, _NOTHING)

    trained = [places, of_new, *hidden.parameters(), *out.parameters()]
    rows = np.arange(len(padded))
    descend(torch, padded, rows, trained, score, targets, epochs)
    network = _network(padded, hidden, out)
    found = places.tolist()
    found[PACE] = PACE_WEIGHT
    return Weights(_rounded(found), _rounded(of_new.tolist())), network


def _network(padded: Padded, hidden: Any, out: Any) -> Network:
    """The network on evidence as it is: means and spreads go into its weights."""
    mean, spread, mean_new, spread_new = spreads(padded)
    means = np.concatenate([mean, mean_new]).astype(np.float64)
    scale = 1.0 / np.concatenate([spread, spread_new]).astype(np.float64)
    weight = hidden.weight.detach().numpy().astype(np.float64) * scale
    weight[:, COLUMNS.index("pace")] = 0.0
    bias = hidden.bias.detach().numpy() - weight @ means
    return Network(
        tuple(_rounded(row) for row in weight.tolist()),
        _rounded(bias.tolist()),
        _rounded(out.weight.detach().numpy()[0].tolist()),
    )


def _rounded(values: list[float]) -> tuple[float, ...]:
    return tuple(round(float(value), 5) for value in values)

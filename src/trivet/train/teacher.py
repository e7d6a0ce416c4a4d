"""The teacher: looks at all candidates of a moment together, too big for a phone.

Each candidate and somewhere new is embedded, looks at the others by attention (A.
Vaswani et al., "Attention is all you need", NIPS 2017), and gets a score on top of the
linear one. What it says of a person is said by one that was trained on others, so that
it teaches what holds for people it does not know.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trivet.engine.evidence import COLUMNS, NEW_COLUMNS
from trivet.engine.student import Weights
from trivet.train.extra import load_torch
from trivet.train.padded import MOST, Padded, Small

_WIDTH, _HEADS, _BATCH = 32, 4, 256
_EPOCHS, _RATE, _DECAY = 4, 2e-3, 1e-3
_NOTHING = -1e9


def teach(padded: Padded, weights: Weights, seed: int) -> Small:
    """What teachers say of each slot of each case: probabilities, cases by slots.

    Args:
        padded: of many people.
        weights: of the linear student, where they begin.
        seed: of all chance.

    Raises:
        SetupError: the extra `train` is not installed.
    """
    torch = load_torch(seed)
    said = np.zeros(padded.known.shape, dtype=np.float32)
    half = padded.person % 2 == 0
    for learned in (half, ~half):
        if not learned.any() or learned.all():
            continue
        model = _train(torch, padded, learned, weights)
        others = np.flatnonzero(~learned)
        with torch.no_grad():
            for first in range(0, len(others), _BATCH):
                rows = others[first : first + _BATCH]
                scores = model(*tensors(torch, padded, rows))
                said[rows] = torch.softmax(scores, 1).numpy()
    return said


def tensors(torch: Any, padded: Padded, rows: Any) -> tuple[Any, Any, Any]:
    """Table, known slots and somewhere new's evidence of some cases."""
    return (
        torch.from_numpy(padded.table[rows]),
        torch.from_numpy(padded.known[rows]),
        torch.from_numpy(padded.new[rows]),
    )


def inputs(torch: Any, padded: Padded, table: Any, new: Any) -> Any:
    """Evidence of candidates beside that of somewhere new, all of about one size."""
    mean, spread, mean_new, spread_new = spreads(padded)
    own = (table - torch.from_numpy(mean)) / torch.from_numpy(spread)
    around = (new - torch.from_numpy(mean_new)) / torch.from_numpy(spread_new)
    around = around[:, None, :].expand(-1, table.shape[1], -1)
    return torch.cat([own, around], 2)


def spreads(padded: Padded) -> tuple[Small, Small, Small, Small]:
    """Mean and spread of each column; a constant has an endless spread."""
    rows = padded.table[padded.known[:, :MOST]]
    found = []
    for values in (rows, padded.new):
        mean, spread = values.mean(axis=0), values.std(axis=0)
        spread = np.where(spread < 1e-2, np.float32(np.inf), spread)
        found += [mean.astype(np.float32), spread.astype(np.float32)]
    return found[0], found[1], found[2], found[3]


def _train(torch: Any, padded: Padded, learned: Any, weights: Weights) -> Any:
    nn = torch.nn
    width = len(COLUMNS) + len(NEW_COLUMNS) + 1
    embed = nn.Sequential(
        nn.Linear(width, _WIDTH), nn.GELU(), nn.Linear(_WIDTH, _WIDTH)
    )
    look = nn.TransformerEncoderLayer(
        _WIDTH, _HEADS, 2 * _WIDTH, dropout=0.0, batch_first=True, norm_first=True
    )
    out = nn.Linear(_WIDTH, 1, bias=False)
    nn.init.zeros_(out.weight)
    places = torch.tensor(weights.places, requires_grad=True)
    of_new = torch.tensor(weights.new, requires_grad=True)

    def score(table: Any, known: Any, new: Any) -> Any:
        seen = inputs(torch, padded, nn.functional.pad(table, (0, 0, 0, 1)), new)
        last = torch.zeros(len(table), MOST + 1, 1)
        last[:, MOST] = 1.0
        found = embed(torch.cat([seen, last], 2))
        found = look(found, src_key_padding_mask=~known)
        linear = torch.cat([table @ places, (new @ of_new)[:, None]], 1)
        return (linear + out(found)[..., 0]).masked_fill(~known, _NOTHING)

    parts = (embed, look, out)
    trained = [places, of_new, *(p for part in parts for p in part.parameters())]
    descend(torch, padded, np.flatnonzero(learned), trained, score, None, _EPOCHS)
    for part in parts:
        part.eval()
    return score


def descend(
    torch: Any,
    padded: Padded,
    rows: Any,
    trained: list[Any],
    score: Any,
    targets: Small | None,
    epochs: int,
) -> None:
    """Train parameters so that what came true, and what a teacher said, is likely.

    Args:
        torch: the library.
        padded: the cases.
        rows: numbers of those to train on.
        trained: the parameters.
        score: gives each slot of a batch its score.
        targets: what a teacher said of each slot; half of the weight is on it.
        epochs: times that each case is seen.
    """
    steps = epochs * (len(rows) // _BATCH + 1)
    optimiser = torch.optim.AdamW(trained, lr=_RATE, weight_decay=_DECAY)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps)
    for _ in range(epochs):
        order = rows[torch.randperm(len(rows)).numpy()]
        for first in range(0, len(order), _BATCH):
            batch = order[first : first + _BATCH]
            logs = torch.log_softmax(score(*tensors(torch, padded, batch)), 1)
            truth = torch.from_numpy(padded.truth[batch])
            loss = -logs.gather(1, truth[:, None]).mean()
            if targets is not None:
                soft = torch.from_numpy(targets[batch])
                loss = 0.5 * loss - 0.5 * (soft * logs).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            pace.step()

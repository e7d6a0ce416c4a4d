"""Calibration: probabilities as high as what they promise comes true.

One number by which all scores are divided, found on people held out from the training
(C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On calibration of modern neural networks",
ICML 2017).
"""

from __future__ import annotations

import numpy as np

from trivet.engine.student import Network, Weights
from trivet.train.case import Cases
from trivet.train.fit import losses

#: Sharpness that is tried: from half as sure to twice.
_SCALES = np.round(np.exp(np.linspace(-0.69, 0.69, 47)), 4)


def sharpness(cases: Cases, weights: Weights, network: Network | None = None) -> float:
    """By what all scores are to be multiplied, so that the loss is the least."""
    found = []
    for scale in _SCALES.tolist():
        sharp, net = sharpen(weights, network, scale)
        found.append(float(losses(cases, sharp, net)[0].mean()))
    return float(_SCALES[int(np.argmin(found))])


def sharpen(
    weights: Weights, network: Network | None, scale: float
) -> tuple[Weights, Network | None]:
    """The same scores, multiplied."""
    sharp = Weights(_times(weights.places, scale), _times(weights.new, scale))
    if network is None:
        return sharp, None
    out = _times(network.out, scale)
    return sharp, Network(network.hidden, network.bias, out)


def _times(values: tuple[float, ...], scale: float) -> tuple[float, ...]:
    return tuple(round(value * scale, 5) for value in values)

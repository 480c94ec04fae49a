"""Where the network is most active: it leads a journey there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dreamer.engine import Network, Target
from dreamer.engine.film import fit
from dreamer.engine.octaves import shrink
from dreamer.journey.path import Waypoint
from dreamer.journey.plan import layers_of

SIDE = 384  # px of what it looks at
PLACES = 4  # that a layer has in each direction at least, to lead anywhere
MIDDLE = 0.15  # how much less the edge counts than the middle, so that equal places do not pull to a corner


def most_active(network: Network, picture: NDArray[np.uint8], target: Target, zoom: float) -> Waypoint:
    """The waypoint whose part of the picture answers most, in the first of the target's layers that has places.

    picture  uint8 [h, w, 3]
    """
    size = fit(picture.shape[0], picture.shape[1], max(SIDE, network.min_size))
    small = np.ascontiguousarray(shrink(picture, size).transpose(2, 0, 1), np.float32)
    answers = _answers(network, small, target)
    answers = answers / (answers.mean() + 1e-9)
    rows, columns = answers.shape
    high, wide = max(1, round(rows / zoom)), max(1, round(columns / zoom))
    sums = np.zeros((rows + 1, columns + 1))
    sums[1:, 1:] = answers.cumsum(axis=0).cumsum(axis=1)
    inside = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
    score = inside / (high * wide)
    y, x = (
        (np.arange(n) + part / 2) / whole
        for n, part, whole in zip(score.shape, (high, wide), (rows, columns), strict=True)
    )
    score = score - MIDDLE * (np.abs(y[:, None] - 0.5) + np.abs(x[None] - 0.5))
    row, column = np.unravel_index(int(score.argmax()), score.shape)
    return Waypoint(float(x[column]), float(y[row]), zoom)


def _answers(network: Network, small: NDArray[np.float32], target: Target) -> NDArray[np.float64]:
    """How strongly each place answers, [rows, columns], 0 or more."""
    for term in target.terms:
        layer = network.layer(term.layer)
        if layer.spatial and term.channels is not None:
            values = network.activations(small, term.layer) * term.vector(layer.channels)[:, None, None]
            wanted: NDArray[np.float64] = np.maximum(values.sum(axis=0, dtype=np.float64), 0)
            return wanted
        if layer.spatial and min(small.shape[1:]) >= PLACES * layer.stride:
            return _strength(network.activations(small, term.layer))
    # Scores of classes have no places: the last layer below them that does.
    for name in reversed(layers_of(network)):
        values = network.activations(small, name)
        if min(values.shape[1:]) >= PLACES:
            break
    return _strength(values)


def _strength(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Root mean square over channels, [rows, columns]."""
    found: NDArray[np.float64] = np.sqrt((values.astype(np.float64) ** 2).mean(axis=0))
    return found

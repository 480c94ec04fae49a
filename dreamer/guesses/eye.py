"""What the house model sees in lines on paper: a reading of its upper layers, taught with drawings.

The house model learned from pictures, and its own classes know few drawings. Its layers see more than these say. So
the canvas' own brush drew the emoji it was trained with, after ten hands (`teaching.py`), and a small layer of units
learned which of its features go with which word; the network itself stays as it is. `eye.npz` beside this file is
that layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dreamer.engine import Network

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

FILE = Path(__file__).parent / "eye.npz"
LAYERS = ("inception_4c/output", "inception_5a/output", "inception_5b/output", "classes")
SIDE = 112  # px of a window as the network sees it: what it was trained with
NOTHING = "nothing"  # the label of scribbles
PARTS = ("mean", "deviation", "hidden", "offset", "weights", "bias")


@dataclass(frozen=True)
class Eye:
    """A reading of one network, the file of which has this hash.

    labels     what each column says: a label of the network, or NOTHING
    mean, deviation   float32 [features]: what features are standardised by
    hidden, offset    float32 [features, units], [units]: rectified units of them
    weights, bias     float32 [units, labels], [labels]
    """

    sha256: str
    labels: tuple[str, ...]
    mean: Floats
    deviation: Floats
    hidden: Floats
    offset: Floats
    weights: Floats
    bias: Floats

    def chances(self, network: Network, window: Bytes) -> Floats:
        """How likely each label is, float32 [labels], summing to 1; of the window uint8 [SIDE, SIDE, 3] and its mirror
        image together."""
        seen = np.stack([features(network, window), features(network, np.ascontiguousarray(window[:, ::-1]))])
        scores = self.scores(seen).mean(axis=0)
        odds = np.exp(scores - scores.max())
        return np.asarray(odds / odds.sum(), np.float32)

    def scores(self, rows: Floats) -> Floats:
        """What features [n, features] say for each label: float32 [n, labels]."""
        units = np.maximum(((rows - self.mean) / self.deviation) @ self.hidden + self.offset, 0)
        return np.asarray(units @ self.weights + self.bias, np.float32)

    def save(self, path: Path = FILE) -> None:
        """Halves are exact enough, and half as large."""
        parts = {name: getattr(self, name).astype(np.float16) for name in PARTS}
        np.savez_compressed(path, sha256=self.sha256, labels=np.array(self.labels), **parts)


def features(network: Network, window: Bytes) -> Floats:
    """What the layers show of a window uint8 [SIDE, SIDE, 3]: the mean and the maximum of each channel, float32 [n]."""
    picture = np.ascontiguousarray(window.transpose(2, 0, 1), np.float32)
    layers = network.activations_of(picture, LAYERS)
    return np.concatenate([part for layer in layers for part in (layer.mean(axis=(1, 2)), layer.max(axis=(1, 2)))])


def eye_of(network: Network) -> Eye | None:
    """The reading of this network; None where it was made for another one."""
    shipped = read()
    return shipped if shipped is not None and shipped.sha256 == network.sha256 else None


@cache
def read(path: Path = FILE) -> Eye | None:
    """What was saved; None where nothing was."""
    if not path.is_file():
        return None
    with np.load(path) as file:
        numbers = [file[name].astype(np.float32) for name in PARTS]
        return Eye(str(file["sha256"]), tuple(str(label) for label in file["labels"]), *numbers)

"""What a network takes a picture for: how likely each of its classes is."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .bands import Bytes, Floats
from .network import Network

# A window's side as the network sees it. Vectors come from classifiers of whole pictures, maps from place-wise ones,
# which are trained on smaller crops.
VECTOR_SIDE, MAP_SIDE = 224, 112


def classes_of(network: Network) -> str | None:
    """The layer with a score for each label; None for a network without a classifier. `classes` is what our own
    networks call their plain scores; `logits` may be something made from them to be dreamed of."""
    for layer in ("classes", network.logits):
        if layer and layer in network.layers and network.layers[layer].channels == len(network.labels):
            return layer
    return None


def chances(network: Network, layer: str, picture: Bytes) -> Floats:
    """How likely each class is, float32 [classes], summing to 1; of a map the mean over its places.

    picture  uint8 [h, w, 3]
    """
    scores = network.activations(np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32), layer)
    flat = scores.reshape(len(scores), -1)
    odds = np.exp(flat - flat.max(axis=0))
    mean: Floats = (odds / odds.sum(axis=0)).mean(axis=1)
    return mean


def seen_in(network: Network, picture: Bytes, most: int) -> list[tuple[str, float]]:
    """The likeliest classes of a whole picture: (label, chance), the likeliest first; empty without a classifier."""
    layer = classes_of(network)
    if layer is None:
        return []
    side = max(MAP_SIDE if network.layers[layer].spatial else VECTOR_SIDE, network.min_size)
    small = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS))
    found = chances(network, layer, small)
    return [(network.labels[n], float(found[n])) for n in np.argsort(found)[::-1][:most]]

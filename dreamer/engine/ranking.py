"""Which of a network's chosen styles suit a picture: those whose channels it excites unusually strongly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .atlas import chief_layers
from .network import Network
from .noise import noise_picture

SIDE = 256  # px at which the network looks
LAYERS = 6  # of a network without a shelf: twelve styles


def ranked(network: Network, shelf: Sequence[Any], picture: NDArray[np.uint8]) -> list[dict[str, Any]]:
    """The shelf's styles as JSON, the best for this picture first.

    picture  uint8 [h, w, 3], about SIDE px

    A channel's score is its mean over the picture, less that over coloured noise, by the noise's own spread over
    places: how unusual the picture is for it. A whole layer scores the mean of its loudest tenth.

    Of a network without a shelf, which nobody has looked through yet: its chief layers, each as a whole and by the
    channel that the picture excites most.
    """
    if not shelf:
        return _unshelved(network, picture)
    of: dict[str, list[Any]] = defaultdict(list)
    for style in shelf:
        if style.layer in network.layers:
            of[style.layer].append(style)
    noise = _noise()
    found: list[tuple[float, int, dict[str, Any]]] = []
    for layer, styles in of.items():
        unusual = _unusual(network, layer, picture, noise)
        whole = float(np.sort(unusual)[-max(1, len(unusual) // 10) :].mean())
        for style in styles:
            score = whole if style.channel is None else float(unusual[style.channel])
            entry = {"layer": style.layer, "channel": style.channel, "title": style.title or style.layer}
            found.append((-score, len(found), entry))
    return [entry for *_, entry in sorted(found, key=lambda one: one[:2])]


def _unshelved(network: Network, picture: NDArray[np.uint8]) -> list[dict[str, Any]]:
    """The later layers first: they see things, where the early ones see edges. The very last one is for telling classes
    apart, and dreams faintly."""
    layers = chief_layers(network)
    layers = list(dict.fromkeys(layers[round(at)] for at in np.linspace(0, len(layers) - 1, LAYERS))) if layers else []
    noise = _noise()
    found: list[dict[str, Any]] = []
    for layer in [*reversed(layers[:-1]), *layers[-1:]]:
        best = int(_unusual(network, layer, picture, noise).argmax())
        name = layer.strip("/")
        found.append({"layer": layer, "channel": best, "title": f"{name} {best}"[:120]})
        found.append({"layer": layer, "channel": None, "title": name[:120]})
    return found


def _noise() -> NDArray[np.uint8]:
    return noise_picture(SIDE, SIDE, contrast=50.0, seed=0)


def _unusual(
    network: Network, layer: str, picture: NDArray[np.uint8], noise: NDArray[np.uint8]
) -> NDArray[np.floating]:
    """How unusual the picture is for each channel of a layer."""
    seen, usual = (_answers(network, layer, one) for one in (picture, noise))
    return np.asarray((seen.mean(axis=1) - usual.mean(axis=1)) / (usual.std(axis=1) + 1e-6))


def _answers(network: Network, layer: str, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    values = network.activations(np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32), layer)
    return values.reshape(len(values), -1)

"""Which of a network's chosen styles suit a picture: those whose channels it excites unusually strongly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .network import Network
from .noise import noise_picture

SIDE = 256  # px at which the network looks


def ranked(network: Network, shelf: Sequence[Any], picture: NDArray[np.uint8]) -> list[dict[str, Any]]:
    """The shelf's styles as JSON, the best for this picture first.

    picture  uint8 [h, w, 3], about SIDE px

    A channel's score is its mean over the picture, less that over coloured noise, by the noise's own spread over
    places: how unusual the picture is for it. A whole layer scores the mean of its loudest tenth.
    """
    of: dict[str, list[Any]] = defaultdict(list)
    for style in shelf:
        if style.layer in network.layers:
            of[style.layer].append(style)
    noise = noise_picture(SIDE, SIDE, contrast=50.0, seed=0)
    found: list[tuple[float, int, dict[str, Any]]] = []
    for layer, styles in of.items():
        seen, usual = (_answers(network, layer, one) for one in (picture, noise))
        unusual = (seen.mean(axis=1) - usual.mean(axis=1)) / (usual.std(axis=1) + 1e-6)
        whole = float(np.sort(unusual)[-max(1, len(unusual) // 10) :].mean())
        for style in styles:
            score = whole if style.channel is None else float(unusual[style.channel])
            entry = {"layer": style.layer, "channel": style.channel, "title": style.title or style.layer}
            found.append((-score, len(found), entry))
    return [entry for *_, entry in sorted(found, key=lambda one: one[:2])]


def _answers(network: Network, layer: str, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    values = network.activations(np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32), layer)
    return values.reshape(len(values), -1)

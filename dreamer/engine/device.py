"""The steps of one octave where the picture stays on the device, a GPU, from the first to the last.

It is taken there once, and comes back once, at the octave's end, or when somebody wants to see it. The network's
windows are gathered from it there, around its edges, since it is seen shifted (``Graph.gather_window``); their
gradients stay, each is laid into the whole gradient at its place, and the picture is moved along that
(``device_models.py``). Only places, weights and the terms' values travel.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx

from .ascent import samples
from .bands import Bytes, Floats, share
from .device_models import Shaping, move_model, paste_model
from .gradient_options import GradientOptions
from .network import Network
from .octaves import Size
from .recipe import Recipe
from .session import BoundRunner, upload
from .target import Target
from .tiles import Roll, returned

# What an octave takes on the device beside what the network needs for a tile, in whole pictures float32 [3,h,w], with
# a pyramid and without. Measured on the CPU, whose kernels want more room than a GPU's.
PYRAMID, PICTURES = 24, 12

# So many bytes at most, and half of a memory that is limited: an ordinary phone's photograph of 12.5 megapixels. The
# steps of larger ones are taken on the CPU, and the device sees tile by tile.
MOST_BYTES = 1_800_000_000


def stays(network: Network, recipe: Recipe, size: Size) -> bool:
    """Whether an octave's picture stays on the device. To turn it, to scale it and to lay noise on it, which small
    octaves want, is work for the CPU, and so is to bring it to the one size that some networks have."""
    room = min(MOST_BYTES, network.gpu_memory // 2 or MOST_BYTES)
    fits = size[0] * size[1] * 12 * (PYRAMID if recipe.smooth or recipe.hold else PICTURES) <= room
    sized = any(network.layer(term.layer).fixed for term in recipe.target.terms)
    plain = samples(recipe, size) == 1 and not (recipe.rotate or recipe.rescale or sized)
    return network.resident and fits and plain


class DeviceAscent:
    """See ``ascent.Ascent``."""

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        picture: Floats,
        base: Bytes,
        mask: Bytes | None,
        held: Floats | None,
    ) -> None:
        self.network, self.picture, self.mask, self._fetched = network, picture, mask, True
        self._held = upload(picture[None], network.device)
        self._beside: dict[str, Any] = {"step": _number(recipe.step)}  # what a step needs beside picture and gradient
        if mask is not None:
            self._beside["mask"] = upload(share(mask)[None, None], network.device)
            self._beside["spread"] = _number(mask.size * 255 / max(int(mask.sum()), 1))
        if held is not None:
            self._beside["held"] = upload(held[None, None], network.device)
        if recipe.near:
            photo = base.transpose(2, 0, 1)[None].astype(np.float32)
            self._beside |= {"photo": upload(photo, network.device), "near": _number(recipe.near)}
        if recipe.chroma:
            self._beside["tight"] = _number(1 / max(recipe.chroma, 1) ** 2)
        size = picture.shape[1], picture.shape[2]
        shaping = Shaping.of(recipe, size, masked=mask is not None, held=held is not None)
        self._paste = _runner(paste_model, network.device, network.gpu_memory)
        self._move = _runner(move_model, network.device, network.gpu_memory, shaping)

    def step(
        self,
        target: Target,
        roll: Roll,
        turn: tuple[float, float],
        floor: Callable[[], float],
        options: GradientOptions,
    ) -> None:
        gradient: Any = np.zeros((1, 3, 1, 1), np.float32)  # as large as the picture with the first window in it
        for tile, window in self.network.held_gradients(self._held, target, options, roll=roll, wanted=self.mask):
            if window is not None:
                axes = zip(self._held.shape()[2:], roll, (tile.y, tile.x), strict=True)
                rows, columns = (returned(length, shift, span) for length, shift, span in axes)
                fed = {"gradient": gradient, "window": window, "rows": rows, "columns": columns}
                (gradient,) = self._paste.answer(fed)
        if isinstance(gradient, np.ndarray):  # nobody wants anything
            gradient = np.zeros_like(self.picture[None])
        fed = {"picture": self._held, "gradient": gradient, "floor": _number(floor()), **self._beside}
        (self._held,) = self._move.answer(fed)
        self._fetched = False

    def fetch(self) -> Floats:
        if not self._fetched:
            self.picture[:] = self._held.numpy()[0]
            self._fetched = True
        return self.picture


@functools.lru_cache(maxsize=24)
def _runner(model: Callable[..., onnx.ModelProto], device: Any, memory: int, *shaping: Shaping) -> BoundRunner:
    return BoundRunner(model(*shaping), device, memory)


def _number(value: float) -> Floats:
    return np.array([value], np.float32)

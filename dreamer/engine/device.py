"""The steps of one octave where the picture stays on the device, a GPU, from the first to the last.

It is taken there once, and comes back once, at the octave's end, or when somebody wants to see it. The network's
windows are gathered from it there, around its edges, since it is seen shifted (``Graph.gather_window``); their
gradients stay, each is laid into the whole gradient at its place (``paste_model``), and the picture is moved along that
(``move_model``). Only places, weights and the terms' values travel. Both models take pictures of every size, and their
sizes need no arithmetic, so nothing of them belongs on the CPU.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx

from .bands import Bytes, Floats, share
from .graph import Graph, ours
from .network import Network
from .recipe import Recipe
from .session import BoundRunner, upload
from .target import Target
from .tiles import Roll, returned

# What a step takes at most for each pixel, beside what the network needs for a tile: twelve pictures float32 [3,h,w].
# Measured on the CPU, whose Where needs two of them.
PIXEL_BYTES = 12 * 12

# Larger pictures do not stay on the device: their steps are taken on the CPU, and the device sees tile by tile. So many
# pixels are an ordinary phone's photograph, and take 1.8 GB. Of a limited memory they get half.
MOST_PIXELS = 12_500_000

TINY = 1e-30  # divides a gradient of zeros


def stays(network: Network, recipe: Recipe, pixels: int) -> bool:
    """Whether an octave's picture stays on the device. The pyramid of smoothed recipes, turning and scaling, and
    colours other than the gradient's own are work for the CPU."""
    plain = not (recipe.smooth or recipe.rotate or recipe.rescale) and recipe.colour == "rgb"
    room = network.gpu_memory // 2 // PIXEL_BYTES if network.gpu_memory else MOST_PIXELS
    return network.resident and plain and pixels <= min(room, MOST_PIXELS)


class DeviceAscent:
    """See ``ascent.Ascent``."""

    def __init__(self, network: Network, recipe: Recipe, picture: Floats, base: Bytes, mask: Bytes | None) -> None:
        self.network, self.picture, self._fetched = network, picture, True
        self._held = upload(picture[None], network.device)
        self._beside: dict[str, Any] = {"step": _number(recipe.step)}  # what a step needs beside picture and gradient
        if mask is not None:
            self._beside["mask"] = upload(share(mask)[None, None], network.device)
            self._beside["spread"] = _number(mask.size * 255 / max(int(mask.sum()), 1))
        if recipe.near:
            photo = base.transpose(2, 0, 1)[None].astype(np.float32)
            self._beside |= {"photo": upload(photo, network.device), "near": _number(recipe.near)}
        if recipe.chroma:
            self._beside["tight"] = _number(1 / max(recipe.chroma, 1) ** 2)
        what = mask is not None, recipe.mean_free, recipe.near > 0, recipe.chroma > 0
        self._paste = _runner(paste_model, network.device, network.gpu_memory)
        self._move = _runner(move_model, network.device, network.gpu_memory, *what)

    def step(
        self, target: Target, roll: Roll, turn: tuple[float, float], floor: Callable[[], float], **seen: Any
    ) -> None:
        gradient: Any = np.zeros((1, 3, 1, 1), np.float32)  # as large as the picture with the first window in it
        for tile, window in self.network.held_gradients(self._held, target, roll=roll, **seen):
            if window is not None:
                axes = zip(self._held.shape()[2:], roll, (tile.y, tile.x), strict=True)
                rows, columns = (returned(length, shift, span) for length, shift, span in axes)
                fed = {"gradient": gradient, "window": window, "rows": rows, "columns": columns}
                (gradient,) = self._paste.answer(fed)
        fed = {"picture": self._held, "gradient": gradient, "floor": _number(floor()), **self._beside}
        (self._held,) = self._move.answer(fed)
        self._fetched = False

    def fetch(self) -> Floats:
        if not self._fetched:
            self.picture[:] = self._held.numpy()[0]
            self._fetched = True
        return self.picture


def paste_model() -> onnx.ModelProto:
    """A window's gradient laid into the whole one.

    gradient  float32 [1,3,h,w], or [1,3,1,1] of zeros where nothing lies in it yet
    window    float32 [1,3,window's h,w]
    rows      int64 [h], columns int64 [w]: which of the window's each of the picture's is, or -1 (``tiles.returned``)

    The output is float32 [1,3,h,w].
    """
    graph = Graph()
    gradient, window, rows, columns = names = [ours(name) for name in ("gradient", "window", "rows", "columns")]
    sizes = ((1, 3, "h before", "w before"), (1, 3, "window's h", "window's w"), ("h",), ("w",))
    graph.inputs, graph.integer_inputs = dict(zip(names, sizes, strict=True)), {rows, columns}
    down, across = (graph.emit("GreaterOrEqual", axis, graph.constant(0, np.int64)) for axis in (rows, columns))
    inside = graph.emit("And", graph.emit("Unsqueeze", down, graph.integers(1)), across)
    spread = graph.emit("Gather", graph.emit("Gather", window, rows, axis=2), columns, axis=3)  # -1 is a place, too
    graph.outputs = [graph.emit("Where", inside, spread, gradient)]
    return graph.write()


def move_model(masked: bool, mean_free: bool, near: bool, chroma: bool) -> onnx.ModelProto:
    """What ``HostAscent`` does with a gradient, for recipes that ``stays`` accepts.

    picture   float32 [1,3,h,w]
    gradient  likewise, or [1,3,1,1]
    step, floor, near, tight (1 over chroma's square), spread (1 over the mask's mean)   float32 [1]
    mask      float32 [1,1,h,w], shares
    photo     float32 [1,3,h,w]

    The output is the moved picture.
    """
    graph = Graph()
    numbers = ["step", "floor", *["spread"] * masked, *["near"] * near, *["tight"] * chroma]
    graph.inputs = {
        ours("picture"): (1, 3, "h", "w"),
        ours("gradient"): (1, 3, "gradient's h", "gradient's w"),
        **({ours("mask"): (1, 1, "h", "w")} if masked else {}),
        **({ours("photo"): (1, 3, "h", "w")} if near else {}),
        **{ours(number): (1,) for number in numbers},
    }

    def op(name: str, *inputs: str | float) -> str:
        return graph.emit(name, *(graph.constant([i]) if isinstance(i, float) else i for i in inputs))

    def mean(values: str, *axes: int) -> str:
        for axis in axes:  # one after the other: a single sum over millions of float32 loses digits
            values = graph.emit("ReduceMean", values, graph.integers(axis), keepdims=1)
        return values

    def mean_abs(values: str) -> str:
        size = op("Abs", values)
        if not masked:
            return mean(size, 3, 2, 1)
        return op("Mul", mean(op("Mul", size, ours("mask")), 3, 2, 1), ours("spread"))

    picture, gradient = ours("picture"), ours("gradient")
    force = mean_abs(gradient)
    strength = op("Min", op("Div", force, op("Max", ours("floor"), TINY)), 1.0)
    if mean_free:
        gradient = op("Sub", gradient, mean(gradient, 3, 2))
    size = mean_abs(gradient) if mean_free else force
    gain = op("Div", op("Mul", ours("step"), strength), op("Max", size, TINY))
    move = op("Mul", op("Mul", gradient, ours("mask")) if masked else gradient, gain)
    if near:
        move = op("Sub", move, op("Mul", op("Sub", picture, ours("photo")), ours("near")))
    if chroma:  # as ``hold_colours`` does
        half = op("Add", picture, op("Mul", move, 0.5))
        colour = op("Sub", half, mean(half, 1))
        length = op("Mul", mean(op("Mul", colour, colour), 1), 3.0)
        outward = op("Max", op("Mul", mean(op("Mul", colour, move), 1), 3.0), 0.0)
        slower = op("Mul", outward, op("Min", ours("tight"), op("Div", 1.0, op("Max", length, 1.0))))
        move = op("Sub", move, op("Mul", colour, slower))
    # the bounds of Clip are single numbers
    graph.outputs = [graph.emit("Clip", op("Add", picture, move), graph.constant(0), graph.constant(255))]
    return graph.write()


@functools.lru_cache(maxsize=16)
def _runner(model: Callable[..., onnx.ModelProto], device: Any, memory: int, *what: bool) -> BoundRunner:
    return BoundRunner(model(*what), device, memory)


def _number(value: float) -> Floats:
    return np.array([value], np.float32)

"""The gradients of 3x3 convolutions with half the multiplications, for the CPU.

Four rows of a convolution with three rows of weights take twelve products of a row with a row of weights; six are
enough (S. Winograd, "Arithmetic Complexity of Computations", SIAM 1980; for networks: Lavin and Gray, "Fast Algorithms
for Convolutional Neural Networks", CVPR 2016, whose matrices for F(4, 3) these are):

    y = A' ((G w) * (B' x))     six rows x, three rows w, four rows y

B' x are depthwise convolutions with a stride of four, the products convolutions with one row of weights at a quarter
of the height, and A' sums; all of that stays in the runtime's blocked layout. Only rows are treated so: the same for
columns would halve the products again, but costs more in sums.

Rounding grows to some 1e-6 of the result. Forward that would be too much: where a value is nearly 0, or two are nearly
equal, Relu and MaxPool would decide otherwise than elsewhere. A gradient decides nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph import Array
from .workbench import Workbench

INTO = np.array(  # B'
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
WEIGHTS = (
    np.array(  # G
        [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]],
    )
    / 24
)
LEAST = 64  # channels on both sides: with fewer the sums cost more than the products


def handles(tape: Workbench, x: str, weights: Array, pads: list[int]) -> bool:
    """Whether a convolution of ``x`` with stride 1 is 3x3, keeps the picture's size and has channels enough."""
    out, depth = weights.shape[:2]
    return (
        weights.shape[2:] == (3, 3)
        and pads == [1] * 4
        and min(out, depth) >= LEAST
        and out % 16 == 0
        and tape.in_blocks(x) == depth
        and None not in tape.graph.shapes[x]
    )


def convolve(tape: Workbench, x: str, weights: Array) -> str:
    """The convolution of ``x`` [1,c,h,w]; its result is not in the blocked layout."""
    out, depth = weights.shape[:2]
    batch, _, height, width = tape.graph.shapes[x]
    quarter = -(-height // 4) if isinstance(height, int) else f"{height}/4"

    def conv(values: str, kernel: Array, onto: str = "", **attrs: Any) -> str:
        """A convolution to a quarter of the rows, added to something."""
        y = tape("Conv", values, tape.graph.constant(kernel), **attrs)
        tape.graph.shapes[y] = (batch, len(kernel), quarter, width)
        return tape("Add", onto, y, like=y) if onto else y

    def product(number: int, onto: str = "") -> str:
        taps = np.tile(INTO[number].reshape(1, 1, 6, 1), (depth, 1, 1, 1))
        # the first window begins a row above the picture, and there are as many as begin in it
        rows = conv(x, taps, group=depth, strides=[4, 1], pads=[1, 0, 4, 0])
        return conv(rows, np.einsum("j,oijw->oiw", WEIGHTS[number], weights)[:, :, None], onto, pads=[0, 1, 0, 1])

    def plus(onto: str, factor: float, y: str) -> str:
        return conv(y, np.full((out, 1, 1, 1), factor), onto, group=out)

    # A': of the middle products the sums and the differences, two and two
    pairs = [(product(1), product(2)), (product(3), product(4))]
    (sum1, difference1), (sum2, difference2) = ((plus(a, 1, b), plus(a, -1, b)) for a, b in pairs)
    rows = [
        product(0, plus(sum1, 1, sum2)),
        plus(difference1, 2, difference2),
        plus(sum1, 4, sum2),
        product(5, plus(difference1, 8, difference2)),
    ]
    lines = tape("Concat", tape.graph.integers(0, 0, -1), tape("Shape", rows[0], start=3), axis=0)
    whole = tape("Reshape", tape("Concat", *rows, axis=3), lines)
    return tape.crop(whole, tape.graph.integers(0, 0), tape.size(x))

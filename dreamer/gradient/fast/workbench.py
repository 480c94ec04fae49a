"""The tape of the strategies: it remembers what earlier ones found out about tensors, so that later ones need not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...graph import Array, Graph, Node
from ...graph.ops import properties
from ..tape import Tape

Offset = tuple[int, int]
HUGE = 2.0**80


class Workbench(Tape):
    """A ``Tape``; ``blocked`` where convolutions work on blocks of channels, as the CPU's do, and not a GPU's.

    masked     gradients that are already zero where this tensor is
    unblocked  gradients that are not in the blocked layout
    pointwise  results of 1x1 convolutions: of what, and with what weights
    phases     gradients that were interleaved out of these (even, odd) columns in even and in odd rows
    sampled    the same, of windows that move by two: half as many places as there are pixels, rounded up; what a phase
               has beyond the picture is anything
    weighed    gradients that are others times weights [1,c,1,1]: of what, by which
    even       gradients that are the same everywhere: what, [1,c,1,1]
    starts     where in ``phases`` such a gradient begins (int64 [2]), if not at 0
    rectified  tensors that are never negative and through whose zeros no gradient passes
    """

    def __init__(self, graph: Graph, active: set[str], smooth_pool: bool = False, blocked: bool = True) -> None:
        super().__init__(graph, active, smooth_pool)
        self.blocked = blocked
        self.masked: dict[str, str] = {}
        self.unblocked: set[str] = set()
        self.pointwise: dict[str, tuple[str, Array]] = {}
        self.phases: dict[str, list[tuple[str, str]]] = {}
        self.sampled: dict[str, list[tuple[str, str]]] = {}
        self.weighed: dict[str, tuple[str, str]] = {}
        self.even: dict[str, str] = {}
        self.starts: dict[str, str] = {}
        self.rectified = rectified(graph)

    def add(self, parts: list[str]) -> str:
        """The sum; of sibling 1x1 convolutions one over all their outputs, which adds up by itself, and of a map's
        weights and means (squeeze and excitation) one pass over it."""
        pointwise = [part for part in parts if part in self.pointwise]
        if len(pointwise) > 1:
            sources = [self.pointwise[part] for part in pointwise]
            shapes = [self.graph.shapes[dy] for dy, _ in sources]
            joined = self("Concat", *(dy for dy, _ in sources), axis=1)
            weights = np.concatenate([w for _, w in sources], axis=1)
            self.graph.shapes[joined] = (shapes[0][0], weights.shape[1], *shapes[0][2:])
            merged = self("Conv", joined, self.graph.constant(weights), like=pointwise[0])
            parts = [merged, *(part for part in parts if part not in self.pointwise)]
        times, plus = ([part for part in parts if part in known] for known in (self.weighed, self.even))
        if times and plus:
            rest = [part for part in parts if part not in (times[0], plus[0])]
            parts = [self._weighed_and_moved(times[0], plus[0]), *rest]
        return super().add(parts)

    def _weighed_and_moved(self, times: str, plus: str) -> str:
        """What is weighed by channel and what is the same everywhere, summed, [1,c,h,w]: a BatchNormalization."""
        (dy, weights), flat = self.weighed[times], self.graph.integers(-1)
        factors, numbers = (self("Reshape", t, flat) for t in (weights, self.even[plus]))
        mean, variance = (self.graph.constant(np.full(self.graph.shapes[weights][1], v)) for v in (0.0, 1.0))
        return self("BatchNormalization", dy, factors, numbers, mean, variance, epsilon=0.0, like=times)

    def in_blocks(self, x: str) -> int:
        """The channels of ``x`` if the CPU's blocked layout holds it without padding, else 0."""
        shape = self.graph.shapes.get(x, ())
        channels = shape[1] if len(shape) == 4 else 0
        return channels if self.blocked and isinstance(channels, int) and channels % 16 == 0 else 0

    def taps(
        self,
        x: str,
        weights: dict[Offset, float],
        *,
        bias: float = 0.0,
        strides: Offset = (1, 1),
        longer: Offset = (0, 0),
    ) -> str:
        """out[i, j] = sum over offsets (r, c) of weight * x[i * stride + r, j * stride + c], zeros beyond the edges: a
        depthwise convolution, which stays in the blocked layout.

        With stride 1 the output has the size of ``x``, plus ``longer`` at the end; with stride 2 as many rows as
        a ceiling pool of three without padding has windows, plus ``longer``.
        """
        channels = self.in_blocks(x)
        first = [min(0, *(o[axis] for o in weights)) for axis in (0, 1)]
        last = [max(0, *(o[axis] for o in weights)) for axis in (0, 1)]
        kernel = np.zeros((channels, 1, last[0] - first[0] + 1, last[1] - first[1] + 1), np.float32)
        for (row, column), weight in weights.items():
            kernel[:, 0, row - first[0], column - first[1]] = weight
        # an output row i of a stride-2 window exists when rows 2i and 2i+1 do
        end = [
            last[axis] + longer[axis] if strides[axis] == 1 else last[axis] - 1 + 2 * longer[axis] for axis in (0, 1)
        ]
        if min(end) < 0:  # the window must reach row 2i+1 even if it has no tap there
            grow = [max(0, -e) for e in end]
            kernel = np.pad(kernel, ((0, 0), (0, 0), (0, grow[0]), (0, grow[1])))
            end = [max(0, e) for e in end]
        return self(
            "Conv",
            x,
            self.graph.constant(kernel),
            *([self.graph.constant(np.full(channels, bias))] if bias else []),
            group=channels,
            strides=list(strides),
            pads=[-first[0], -first[1], *end],
            kernel_shape=list(kernel.shape[2:]),
        )

    def positive(
        self,
        x: str,
        weights: dict[Offset, float],
        *,
        otherwise: bool = False,
        strides: Offset = (1, 1),
        longer: Offset = (0, 0),
        size: tuple[int | str | None, ...] = (),
    ) -> str:
        """1 where the weighted sum (as in ``taps``, of weights 1 and -1) is above 0, else 0; or the reverse.

        The sum times 2^80, clamped to 0..1, which is exact in float32 for values from 1e-17 to 1e14.
        """
        huge = -HUGE if otherwise else HUGE
        scaled = {offset: weight * huge for offset, weight in weights.items()}
        difference = self.taps(x, scaled, bias=float(otherwise), strides=strides, longer=longer)
        mask = self("Clip", difference, self.number(0), self.number(1))
        self.graph.shapes[difference] = self.graph.shapes[mask] = size or self.graph.shapes[x]
        return mask

    def interleave(self, x: str, phases: list[tuple[str, str]]) -> str:
        """A tensor of ``x``'s size out of its (even, odd) columns in even and in odd rows; what is beyond is cut."""
        merged = []
        for pair in phases:
            columns = [self("Unsqueeze", phase, self.graph.integers(4)) for phase in pair]
            merged.append(self("Reshape", self("Concat", *columns, axis=4), self.graph.integers(0, 0, 0, -1)))
        lines = self("Concat", self.graph.integers(0, 0, -1), self("Shape", merged[0], start=3), axis=0)
        whole = self("Reshape", self("Concat", *merged, axis=3), lines)
        return self("Slice", whole, self.graph.integers(0, 0), self.size(x), self.graph.integers(2, 3), like=x)

    def pick(self, x: str, first: Offset, like: str, *, weight: float = 1.0, bias: float = 0.0) -> str:
        """Every second row and column of ``x``, from ``first`` (each 0 or 1) on, times a number: a phase as
        ``sampled`` has them, zeros beyond the edges, in the blocked layout."""
        channels, (row, column) = self.in_blocks(x), first
        kernel = np.zeros((channels, 1, row + 1, column + 1), np.float32)
        kernel[:, 0, row, column] = weight
        rest = [self.graph.constant(np.full(channels, bias))] if bias else []
        attrs = {"strides": [2, 2], "pads": [0, 0, row, column], "kernel_shape": [row + 1, column + 1]}
        return self("Conv", x, self.graph.constant(kernel), *rest, group=channels, like=like, **attrs)

    def each_phase(self, x: str, dy: str, change: Callable[[str, Offset], str]) -> str:
        """A gradient of ``x``'s size, out of the phases of a ``sampled`` one and what is made of each of them: to go
        on by phases and to put together what has fewer channels."""
        phases = [(change(even, (row, 0)), change(odd, (row, 1))) for row, (even, odd) in enumerate(self.sampled[dy])]
        dx = self.interleave(x, phases)
        self.sampled[dx] = phases
        return dx


def rectified(graph: Graph) -> set[str]:
    """Tensors that are never negative and through whose zeros no gradient passes: they come from Relu."""
    found: set[str] = set()
    for node in graph.nodes:
        if node.op == "Relu" or (_keeps_rectified(node) and found.issuperset(_values(node))):
            found.add(node.outputs[0])
    return found


def _values(node: Node) -> list[str]:
    """Its inputs without the parameters."""
    return node.inputs[:1] if node.strategy == "banded LRN" or node.op == "Pad" else node.inputs


def _keeps_rectified(node: Node) -> bool:
    if node.op == "Pad":  # with zeros
        return not any(node.inputs[2:3]) and node.attrs.get("mode", b"constant") == b"constant"
    return properties(node.op).rectified or node.strategy == "banded LRN"

"""What to dream of: weighted terms on layers, as data, and as nodes of the gradient graph.

A term's objective, with A its layer's activations [n,c,h,w], m a spatial mask and u, v weights per channel:

    sum over c,y,x of  m * (u_c A + 1/2 v_c A^2)         and its seed  dA = m * (u_c + v_c A)

Linear terms have v = 0, squared ones u = 0. It is a sum, not a mean, so the gradients of a picture's tiles
fit together without rescaling. u, v and m are inputs of the graph: changing them takes no new session.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..graph import Graph, ours

Floats = NDArray[np.float32]
Guide = Literal["mean", "match"]


@dataclass(frozen=True)
class Term:
    """One layer and what to want of it.

    channels  None: the whole layer; else (channel, weight) pairs: one channel, several, or a direction
    squared   maximise squares (strengthen whatever is there) instead of values; None: squares for a whole
              layer and values for channels, as DeepDream and its tutorial do
    weight    its share among several terms, each of which is normalised first; negative avoids
    position  (x, y) in 0..1: only the unit at that position of the picture
    guide     'mean': weigh channels by their mean in the guide picture; 'match': at every position want the
              guide's feature with the largest dot product
    """

    layer: str
    channels: tuple[tuple[int, float], ...] | None = None
    squared: bool | None = None
    weight: float = 1.0
    position: tuple[float, float] | None = None
    guide: Guide | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.layer, str) or not self.layer:
            raise ValueError(f"layer must be the name of a layer, got {self.layer!r}")
        if self.channels is not None:
            pairs = [_numbers(pair) for pair in _listed(self.channels)]
            if not pairs or any(len(pair) != 2 or pair[0] < 0 or pair[0] % 1 for pair in pairs):
                raise ValueError(f"channels must be (number >= 0, finite weight) pairs, got {self.channels!r}")
            object.__setattr__(self, "channels", tuple((int(number), weight) for number, weight in pairs))
        if not isinstance(self.squared, bool | None):
            raise ValueError(f"squared must be true, false or none, got {self.squared!r}")
        if not any(_numbers([self.weight])):
            raise ValueError(f"weight must be a finite number other than 0, got {self.weight!r}")
        if self.position is not None:
            position = _numbers(self.position)
            if len(position) != 2 or not all(0 <= p <= 1 for p in position):
                raise ValueError(f"position must be (x, y) with both in 0..1, got {self.position!r}")
            object.__setattr__(self, "position", position)
        if self.guide not in (None, "mean", "match"):
            raise ValueError(f"guide must be 'mean' or 'match', got {self.guide!r}")
        if self.guide and self.channels is not None:
            raise ValueError("a guide chooses the channels: give either, not both")

    @property
    def wants_squares(self) -> bool:
        """Whether squares are maximised, after the default for None."""
        return self.channels is None and self.guide is None if self.squared is None else self.squared

    def vector(self, channels: int) -> Floats:
        """Weights per channel, float32 [channels]. Raises ValueError for a channel the layer does not have."""
        if self.channels is None:
            return np.ones(channels, np.float32)
        vector = np.zeros(channels, np.float32)
        for channel, weight in self.channels:
            if channel >= channels:
                raise ValueError(f"{self.layer} has channels 0 to {channels - 1}, got {channel}")
            vector[channel] += weight
        return vector


def _listed(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _numbers(value: object) -> tuple[float, ...]:
    """The finite numbers that a list holds; empty where it is no list, or holds anything else."""
    values = _listed(value)
    if not all(isinstance(v, Real) and not isinstance(v, bool) for v in values):
        return ()
    numbers = tuple(float(v) for v in values)
    return numbers if all(map(math.isfinite, numbers)) else ()


@dataclass(frozen=True)
class Target:
    """One or several terms, maximised together."""

    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", tuple(self.terms))
        if not self.terms or not all(isinstance(term, Term) for term in self.terms):
            raise ValueError(f"a target needs at least one Term, got {self.terms!r}")

    @classmethod
    def layer(cls, layer: str, channel: int | None = None, **options: Any) -> Target:
        """The common case: a whole layer, or one of its channels."""
        channels = None if channel is None else ((channel, 1.0),)
        return cls((Term(layer, channels, **options),))

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``; defaults are left out."""
        defaults = {f.name: f.default for f in fields(Term)}
        return {"terms": [{k: v for k, v in asdict(term).items() if v != defaults[k]} for term in self.terms]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Target:
        """The target that ``to_json`` described. Raises ValueError saying what is wrong."""
        known = {f.name for f in fields(Term)}
        terms = data.get("terms") if isinstance(data, dict) else None
        if not isinstance(terms, list):
            raise ValueError(f"a target is an object with a list 'terms', got {data!r}")
        for term in terms:
            if not isinstance(term, dict) or "layer" not in term or set(term) - known:
                raise ValueError(f"a term has a 'layer' and may have {', '.join(sorted(known))}; got {term!r}")
        return cls(tuple(Term(**term) for term in terms))


def append_seed(
    graph: Graph, index: int, layer: str, *, match: bool, size: tuple[int, int] | None = None
) -> tuple[str, str]:
    """Append a term's objective to the graph; return the names of its seed and its score (a scalar).

    Adds the graph inputs (named by ``ours``) ``linear<i>``, ``squared<i>`` ([1,c,1,1], or [1,c] for a layer
    without height and width) and ``mask<i>`` ([1,1,h,w] at the layer's size, or all ones of size 1; with
    ``size`` always that size), and for a matching guide ``guide<i>`` [c, positions].
    """
    shape = graph.shapes[layer]
    spatial = len(shape) == 4
    channels = shape[1]
    assert isinstance(channels, int)
    vector = (1, channels, 1, 1) if spatial else (1, channels)
    linear, squared, mask = (ours(f"{name}{index}") for name in ("linear", "squared", "mask"))
    graph.inputs |= {
        linear: vector,
        squared: vector,
        mask: (1, 1, *(size or (f"{mask}_height", f"{mask}_width"))) if spatial else (1, 1),
    }
    wanted = linear
    if match:
        guide = ours(f"guide{index}")
        graph.inputs[guide] = (channels, f"{guide}_positions")
        wanted = graph.emit("Mul", linear, _best_match(graph, layer, guide, channels))
    half = graph.emit("Mul", squared, layer)
    seed = graph.emit("Mul", graph.emit("Add", wanted, half), mask, hint="seed")
    value = graph.emit("Add", wanted, graph.emit("Mul", half, graph.constant(0.5)))
    score = graph.emit("ReduceSum", graph.emit("Mul", graph.emit("Mul", value, layer), mask), keepdims=0)
    return seed, score


def _best_match(graph: Graph, layer: str, guide: str, channels: int) -> str:
    """For every position the guide's feature with the largest dot product, in the layer's shape."""
    flat = graph.emit("Reshape", layer, graph.integers(channels, -1))
    dots = graph.emit("MatMul", graph.emit("Transpose", guide, perm=[1, 0]), flat)
    best = graph.emit("Gather", guide, graph.emit("ArgMax", dots, axis=0, keepdims=0), axis=1)
    return graph.emit("Reshape", best, graph.emit("Shape", layer))

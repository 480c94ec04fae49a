"""Which tensors of a network one can dream of, and how each lies: maps, vectors, maps with channels last, tokens.

Transformers and ConvNeXt compute with channels last, [n,h,w,c] or [n,tokens,c]. No file says so; it follows from the
nodes on the way (`channel_axes`): a convolution puts channels first, a Transpose moves them, a matrix product with
weights puts them last.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from ..graph import Graph, GraphError, Node, Shape, ours
from ..graph.fold import shapes_at
from ..graph.ops import properties

Size = tuple[int, int]  # px, height and width

FIRST = {  # whatever comes in: channels are the second axis of what these understand
    "AveragePool",
    "BatchNormalization",
    "Conv",
    "ConvTranspose",
    "DepthToSpace",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "InstanceNormalization",
    "LRN",
    "LpPool",
    "MaxPool",
    "SpaceToDepth",
}
KEPT = {"Concat", "Expand", "Gather", "Pad", "Resize", "ScatterElements", "Slice", "Split", "Tile"}
RESHAPES = {"Flatten", "Reshape", "Squeeze", "Unsqueeze"}
MOST_BESIDE = 8  # tokens before those of the picture's patches: of the class, and registers


@dataclass(frozen=True)
class Layer:
    """A tensor one can dream of. ``stride`` is how many picture pixels lie between its positions."""

    name: str
    channels: int
    stride: int
    spatial: bool  # False for class scores and other vectors
    axis: int = 1  # of the channels
    axes: int = 4
    fixed: bool = False  # it exists at one size of the picture only
    grid: tuple[int, int, int] | None = None  # of tokens: how many stand before the picture's, and their rows, columns

    @property
    def placed(self) -> bool:
        """Whether its positions are places of the picture."""
        return self.axes == 4 or self.grid is not None


def find_layers(
    graph: Graph, fixed_size: Size | None = None, fixed_by: Collection[str] = (), skipped: Collection[str] = ()
) -> dict[str, Layer]:
    """The layers of a network in normal form, in its order: those with a known number of channels, up to the scores.

    ``fixed_size`` and ``fixed_by`` as in model.json; tensors that are ``skipped`` are none, but what follows may be.
    """
    picture = graph.picture
    fixed = descendants(graph, fixed_by)
    at_home = shapes_at(graph, fixed_size) if fixed_size is not None else {}
    shapes: dict[str, Shape] = {**graph.infer_shapes(), **{name: at_home[name] for name in fixed if name in at_home}}
    axes = channel_axes(graph, shapes)
    strides = {picture: 1}
    found: dict[str, Layer] = {}
    for node in graph.nodes:
        before = [strides[i] for i in node.inputs if i in strides]
        if not before:
            continue
        windowed = node.op == "Conv" or node.op.endswith("Pool")
        name = node.outputs[0]
        strides[name] = max(before) * (max(node.attrs.get("strides", [1])) if windowed else 1)
        if node.op == "Softmax" or name in skipped:  # a probability's gradient vanishes
            continue
        layer = _layer(name, shapes.get(name, ()), strides[name], axes.get(name), name in fixed, fixed_size)
        if layer is not None:
            found[name] = layer
    return found


def _layer(
    name: str, shape: Shape, stride: int, axis: int | None, fixed: bool, fixed_size: Size | None
) -> Layer | None:
    """The layer that a tensor of this shape is, or None."""
    if len(shape) == 2:
        return Layer(name, shape[1], stride, False, 1, 2, fixed) if isinstance(shape[1], int) else None
    if len(shape) not in (3, 4) or (fixed and (shape[0] != 1 or 0 in shape)):
        return None  # windows or heads side by side, or nothing
    if len(shape) == 4 and not fixed:
        axis = 1 if axis is None else axis
    channels = None if axis is None else shape[axis]
    if axis is None or not isinstance(channels, int) or axis not in (1, len(shape) - 1):
        return None
    if not fixed or fixed_size is None:
        return Layer(name, channels, stride, True, axis, len(shape))
    rest = [n for i, n in enumerate(shape) if i not in (0, axis)]
    if len(shape) == 4:
        return Layer(name, channels, _stride(fixed_size, rest[0]), True, axis, 4, True)
    grid = _grid(rest[0], fixed_size)
    return Layer(name, channels, _stride(fixed_size, grid[1] if grid else 1), True, axis, 3, True, grid)


def _stride(size: Size, rows: int | str | None) -> int:
    return max(1, round(size[0] / rows)) if isinstance(rows, int) and rows else 1


def _grid(tokens: int | str | None, size: Size) -> tuple[int, int, int] | None:
    """(tokens beside the picture's, rows, columns): the patches of a picture of this size, with few others before."""
    height, width = size
    for beside in range(MOST_BESIDE + 1):
        patches = tokens - beside if isinstance(tokens, int) else 0
        rows = math.isqrt(max(0, patches * height // width))
        if rows and patches % rows == 0 and rows * width == patches // rows * height:
            return beside, rows, patches // rows
    return None


def descendants(graph: Graph, names: Collection[str]) -> set[str]:
    """``names`` and every tensor that is computed from one of them."""
    found = set(names)
    for node in graph.nodes if names else ():
        if any(name in found for name in node.inputs):
            found.update(o for o in node.outputs if o)
    return found


def channel_axes(graph: Graph, shapes: dict[str, Shape]) -> dict[str, int]:
    """Which axis of each tensor holds its channels, where that can be told (see the module)."""
    axes = {graph.picture: 1}
    for node in graph.nodes:
        for output in node.outputs:
            axis = _axis(node, output, axes, shapes, graph)
            if axis is not None and output:
                axes[output] = axis
    return axes


def _axis(node: Node, output: str, axes: dict[str, int], shapes: dict[str, Shape], graph: Graph) -> int | None:
    rank = len(shapes.get(output, ()))
    if node.op in FIRST and rank == 4:
        return 1
    if node.op in ("Gemm", "MatMul") and len(node.inputs) > 1 and node.inputs[1] in graph.constants:
        return rank - 1
    source = next((name for name in node.inputs if name in axes and len(shapes.get(name, ())) == rank), None)
    if properties(node.op).keeps_size or node.op in FIRST | KEPT or node.op.startswith("Reduce"):
        return None if source is None else axes[source]
    before = shapes.get(node.inputs[0], ()) if node.inputs else ()
    axis = axes.get(node.inputs[0]) if node.inputs else None
    if axis is None or not before:
        return None
    if node.op == "Transpose":
        perm = list(node.attrs.get("perm", range(len(before))[::-1]))
        return perm.index(axis)
    if node.op in RESHAPES:
        after = shapes.get(output, ())
        if axis == len(before) - 1 and after and after[-1] == before[-1]:
            return rank - 1
        return 1 if axis == 1 and after[:2] == before[:2] else None
    return None


def map_name(layer: str) -> str:
    """What the map is called that a layer is looked at as, where the layer itself is none."""
    return ours(f"map:{layer}")


def append_map(graph: Graph, layer: Layer) -> None:
    """Append nodes that turn a spatial layer which is no map [n,c,h,w] into one. Tokens beside the picture's are left
    out; tokens whose places are not known stand below each other, [n,c,tokens,1]."""
    if not layer.spatial or (layer.axes == 4 and layer.axis == 1):
        return
    name = layer.name
    if layer.axes == 4:
        graph.nodes.append(Node("Transpose", [name], [map_name(name)], {"perm": [0, 3, 1, 2]}, map_name(name)))
        return
    if layer.grid is not None and layer.grid[0]:
        ends = [graph.integers(n) for n in (layer.grid[0], 2**31 - 1, 3 - layer.axis)]
        name = graph.emit("Slice", name, *ends)
    if layer.axis == 2:
        name = graph.emit("Transpose", name, perm=[0, 2, 1])
    if layer.grid is None:
        last = Node("Unsqueeze", [name, graph.integers(3)], [map_name(layer.name)], {}, map_name(layer.name))
    else:
        shape = graph.integers(1, layer.channels, *layer.grid[1:])
        last = Node("Reshape", [name, shape], [map_name(layer.name)], {}, map_name(layer.name))
    graph.nodes.append(last)


def known_size(shape: Shape, name: str) -> Size:
    """Height and width of a map; GraphError where they are not known."""
    height, width = shape[2:]
    if not isinstance(height, int) or not isinstance(width, int):
        raise GraphError(f"the size of {name!r} is not known")
    return height, width

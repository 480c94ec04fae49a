"""What all rules share: the graph they append to, and the few pieces that many gradients are made of."""

from __future__ import annotations

from typing import Any

from onnx import TensorProto, helper

from ..graph import IMAGE, Array, Graph, GraphError, Node

Gradients = list[str | None]  # one for each of a node's inputs; None: it has none, or nobody wants it


class Tape:
    """Appends nodes to ``graph``. ``active`` are the tensors that depend on the picture; ``smooth_pool`` asks for max
    pools that share their gradient out instead of sending it to the maxima.

    Sizes of pictures are known only at run time, so where a rule needs one it asks the tensor for its Shape; with
    fixed sizes ONNX Runtime folds all of that away.
    """

    def __init__(self, graph: Graph, active: set[str], smooth_pool: bool = False) -> None:
        self.graph, self.active, self.smooth_pool = graph, active, smooth_pool
        self._lengths: dict[str | None, str | None] = {}

    def __call__(self, op: str, *inputs: str, like: str = "", **attrs: Any) -> str:
        return self.graph.emit(op, *inputs, hint=f"d{op}", like=like, **attrs)

    def add(self, parts: list[str]) -> str:
        """The sum of the gradients that arrive over several ways."""
        total = parts[0]
        for part in parts[1:]:  # two at a time: each sum can become part of a convolution
            total = self("Add", total, part, like=part)
        return total

    def number(self, value: float) -> str:
        """A constant float32 scalar."""
        return self.graph.constant(value)

    def const(self, node: Node, index: int) -> Array | None:
        """The value of an input that must be a constant, or None where the input is absent."""
        if index >= len(node.inputs) or not node.inputs[index]:
            return None
        name = node.inputs[index]
        if name not in self.graph.constants:
            raise GraphError(f"{node}: its input {name!r} must be a constant to be differentiated")
        return self.graph.constants[name]

    def channels(self, node: Node) -> int:
        """The number of channels of a node's input, which its rule must know beforehand."""
        shape = self.graph.shapes.get(node.inputs[0], ())
        channels = shape[1] if len(shape) > 1 else None
        if not isinstance(channels, int):
            raise GraphError(f"{node}: the number of channels of {node.inputs[0]!r} is not known")
        return channels

    def size(self, tensor: str) -> str:
        """Height and width of a tensor, int64 [2], at run time.

        Counted from the picture's where the way is known: to ask a tensor in the blocked layout copies all of it.
        """
        axes = [self._length(size) for size in self.graph.shapes.get(tensor, ())[2:]]
        if len(axes) != 2 or None in axes:
            return self("Shape", tensor, start=2)
        return self("Concat", *(axis for axis in axes if axis), axis=0)

    def _length(self, size: int | str | None) -> str | None:
        """A height or width as int64 [1], or None where nothing says how it follows from the picture's."""
        if isinstance(size, int):
            return self.graph.integers(size)
        if size not in self._lengths:
            self._lengths[size] = self._counted(size)
        return self._lengths[size]

    def _counted(self, size: str | None) -> str | None:
        picture = self.graph.inputs.get(IMAGE, ())
        if size in picture[2:]:
            axis = picture.index(size)
            return self("Shape", IMAGE, start=axis, end=axis + 1)
        step = self.graph.sizes.get(size or "")
        before = self._length(step.before) if step else None
        if step is None or before is None:
            return None
        (mode, padding), number = step.padding, self.graph.integers
        if mode.startswith(b"SAME"):
            span = self("Add", before, number(step.stride - 1))
        elif step.ceiling and (padding or mode == b"VALID"):
            return None  # whether a window that begins in the padding counts differs from version to version
        else:
            room = (
                (0 if mode == b"VALID" else padding) - step.reach - 1 + step.stride * (1 + step.ceiling) - step.ceiling
            )
            span = self("Add", before, number(room))
        return self("Div", span, number(step.stride))

    def crop(self, tensor: str, start: str, size: str) -> str:
        """The window of ``tensor`` [n,c,h,w] of a given size from a given place (both int64 [2])."""
        return self("Slice", tensor, start, self("Add", start, size), self.graph.integers(2, 3))

    def zeros(self, like: str) -> str:
        """Zeros of a tensor's shape."""
        zero = helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0])
        return self("ConstantOfShape", self("Shape", like), value=zero)

    def scatter(self, x: str, numbers: str, dy: str) -> str:
        """Zeros of the shape of ``x`` with every value of ``dy`` added to the element whose number, in reading
        order, ``numbers`` (int64, as many as ``dy``) gives."""
        zeros, numbers, dy = (self("Reshape", t, self.graph.integers(-1)) for t in (self.zeros(x), numbers, dy))
        summed = self("ScatterElements", zeros, numbers, dy, axis=0, reduction="add")
        return self("Reshape", summed, self("Shape", x))

    def unbroadcast(self, node: Node, dy: str, index: int) -> str:
        """Sum ``dy`` over the axes along which input ``index`` was repeated to the output's shape."""
        name = node.inputs[index]
        rank, out = self.graph.rank(name, node), self.graph.rank(node.outputs[0], node)
        mine, other = self.graph.shapes[name], self.graph.shapes[node.outputs[0]]
        lead = list(range(out - rank))
        repeated = lead + [out - rank + i for i, n in enumerate(mine) if n == 1 and other[out - rank + i] != 1]
        if repeated:
            dy = self("ReduceSum", dy, self.graph.integers(*repeated), keepdims=1)
        if lead:
            dy = self("Squeeze", dy, self.graph.integers(*lead))
        return dy

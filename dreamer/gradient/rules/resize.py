"""The gradient of resizing: y = A x B' for each channel, so dx = A' dy B."""

from __future__ import annotations

from typing import Any

from onnx import TensorProto, helper

from ...graph import GraphError, Node
from ..tape import Gradients, Tape
from .table import only_first, rule


@rule("Resize")
def _resize(tape: Tape, node: Node, dy: str) -> Gradients:
    """Whatever the mode is, A is what the same resizing makes of the identity."""
    attrs = {k: v for k, v in node.attrs.items() if k != "axes"}
    axes = node.attrs.get("axes", [0, 1, 2, 3])
    if tape.graph.rank(node.inputs[0], node) != 4 or not {2, 3} <= set(axes):
        raise GraphError(f"{node}: only height and width of a map are resized with a gradient")
    keeps_ratio = attrs.pop("keep_aspect_ratio_policy", b"stretch") != b"stretch"
    if keeps_ratio or attrs.get("coordinate_transformation_mode") == b"tf_crop_and_resize":
        raise GraphError(f"{node}: resizing that crops or keeps the shape's ratio is not differentiated")
    down, across = (_matrix(tape, node, attrs, axis) for axis in (2, 3))
    rows = tape("MatMul", tape("Transpose", down, perm=[0, 1, 3, 2]), dy)
    return only_first(node, tape("MatMul", rows, across))


def _matrix(tape: Tape, node: Node, attrs: dict[str, Any], axis: int) -> str:
    """[1, 1, size after, size before] along an axis."""
    before = tape("Shape", node.inputs[0], start=axis, end=axis + 1)
    zero = helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0])
    square = tape("ConstantOfShape", tape("Concat", before, before, axis=0), value=zero)
    eye = tape("Unsqueeze", tape("EyeLike", square), tape.graph.integers(0, 1))
    scales = node.inputs[2] if len(node.inputs) > 2 else ""
    if scales:
        given = tape.const(node, 2)
        assert given is not None
        by_axis = dict(zip(node.attrs.get("axes", [0, 1, 2, 3]), given.reshape(-1).tolist(), strict=True))
        if by_axis.get(0, 1) != 1 or by_axis.get(1, 1) != 1:
            raise GraphError(f"{node}: only height and width of a map are resized with a gradient")
        return tape("Resize", eye, "", tape.graph.constant([1, 1, by_axis[axis], 1]), **attrs)
    after = tape("Shape", node.outputs[0], start=axis, end=axis + 1)
    sizes = tape("Concat", tape.graph.integers(1, 1), after, before, axis=0)
    return tape("Resize", eye, "", "", sizes, **attrs)

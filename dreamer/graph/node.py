"""The parts of a graph: nodes, shapes, and the names and versions that all of the program agrees on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray
from onnx import TensorProto

OPSET = 18  # the first with ReduceSum/ReduceMean axes as inputs, Split's num_outputs and ScatterElements' add
IR_VERSION = 10  # newer onnx writes versions that released runtimes refuse

FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE}

Array = NDArray[Any]
FixedShape = tuple[int, ...]
Shape = tuple[int | str | None, ...]  # a number, the name of a size known at run time, or unknown


def ours(name: str) -> str:
    """The full name of a tensor of the program's own: no model's tensor begins so, whatever it is called."""
    return f"dream:{name}"


IMAGE = ours("image")  # what every prepared graph is fed: RGB in 0..255, [1,3,height,width]


class GraphError(ValueError):
    """The model holds something that cannot be read or differentiated; the text names the node."""


@dataclass(eq=False)
class Node:
    """One operation. ``inputs`` may hold '' for an optional input that is absent."""

    op: str
    inputs: list[str]
    outputs: list[str]
    attrs: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    domain: str = ""
    strategy: str = ""  # which of ``gradient.fast``'s strategies knows this node, where ``op`` does not say it
    saved: dict[str, Any] = field(default_factory=dict)  # what that strategy wants to know

    def __str__(self) -> str:
        return f"node {self.name or self.outputs[0]!r} ({self.op})"

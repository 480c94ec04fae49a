"""A small editable view of an ONNX graph: nodes in order, constants as arrays, shapes at a nominal size."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

from .names import LibraryError

OPSET = 18
IR_VERSION = 10  # what ONNX Runtime of the last years reads; onnx itself would write a newer one

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]


@dataclass
class Graph:
    """The parts of a network while it is rewritten. `nominal` is the input shape its file was made for."""

    nodes: list[onnx.NodeProto]
    constants: dict[str, Array]
    input: str
    nominal: Shape
    outputs: list[str]
    notes: list[str] = field(default_factory=list)

    def consumers(self) -> dict[str, list[onnx.NodeProto]]:
        """Tensor name -> the nodes that read it, in order."""
        found: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        for node in self.nodes:
            for name in dict.fromkeys(node.input):
                found[name].append(node)
        return found

    def producers(self) -> dict[str, onnx.NodeProto]:
        """Tensor name -> the node that writes it."""
        return {name: node for node in self.nodes for name in node.output if name}

    def rename(self, old: str, new: str) -> None:
        """Let every reader of the tensor `old` (and the outputs) read `new` instead."""
        for node in self.nodes:
            for i, name in enumerate(node.input):
                if name == old:
                    node.input[i] = new
        self.outputs = [new if name == old else name for name in self.outputs]

    def fresh(self, wish: str) -> str:
        """A tensor name nothing uses yet, `wish` if possible."""
        used = set(self.constants) | {self.input} | {n for node in self.nodes for n in node.output}
        name, number = wish, 1
        while name in used:
            number += 1
            name = f"{wish}_{number}"
        return name

    def constant(self, wish: str, value: Array) -> str:
        """Add an array under a fresh name and return the name."""
        name = self.fresh(wish)
        self.constants[name] = value
        return name

    def insert_before(self, anchor: onnx.NodeProto, *nodes: onnx.NodeProto) -> None:
        """Put `nodes` right before `anchor`."""
        at = self.index(anchor)
        self.nodes[at:at] = nodes

    def index(self, node: onnx.NodeProto) -> int:
        """Where `node` stands; by identity, since equal nodes may occur twice."""
        return next(i for i, other in enumerate(self.nodes) if other is node)

    def drop(self, *nodes: onnx.NodeProto) -> None:
        """Take `nodes` out."""
        gone = {id(node) for node in nodes}
        self.nodes = [node for node in self.nodes if id(node) not in gone]

    def prune(self) -> None:
        """Drop what no output needs: nodes, then constants."""
        needed = set(self.outputs)
        kept = []
        for node in reversed(self.nodes):
            if any(name in needed for name in node.output):
                needed.update(node.input)
                kept.append(node)
        self.nodes = kept[::-1]
        self.constants = {name: value for name, value in self.constants.items() if name in needed}

    def shapes(self, size: tuple[int, int] | None = None) -> dict[str, Shape]:
        """Shapes of all tensors whose shape is known when the input is `nominal` (or [1, 3, *size])."""
        shape = self.nominal if size is None else (1, self.nominal[1], *size)
        # Weights are not needed to know shapes, and copying them for every question would be slow.
        model = self.model(shape, values=False)
        inferred = shape_inference.infer_shapes(model, data_prop=True)
        found: dict[str, Shape] = {name: value.shape for name, value in self.constants.items()}
        found[self.input] = shape
        for info in (*inferred.graph.value_info, *inferred.graph.output):
            dims = info.type.tensor_type.shape.dim
            if info.type.tensor_type.HasField("shape") and all(d.HasField("dim_value") for d in dims):
                found[info.name] = tuple(d.dim_value for d in dims)
        return found

    def model(self, shape: tuple[int | str, ...], *, values: bool = True) -> onnx.ModelProto:
        """The graph as an ONNX model with the given input shape; `values` False leaves large weights out."""
        inputs = [helper.make_tensor_value_info(self.input, TensorProto.FLOAT, list(shape))]
        initialisers = []
        for name, value in self.constants.items():
            if values or value.size <= 64:
                initialisers.append(numpy_helper.from_array(value, name))
            else:
                kind = helper.np_dtype_to_tensor_dtype(value.dtype)
                inputs.append(helper.make_tensor_value_info(name, kind, value.shape))
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in self.outputs]
        graph = helper.make_graph(self.nodes, "network", inputs, outputs, initialisers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        return model


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """The node's attributes as Python values."""
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def read_graph(model: onnx.ModelProto, input_name: str | None = None, size: int = 224) -> Graph:
    """The editable view of `model` (opset `OPSET`): weights apart from inputs, Constant nodes absorbed."""
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    inputs = {i.name: i for i in model.graph.input if i.name not in constants}
    if input_name is None:
        pictures = [n for n, i in inputs.items() if len(i.type.tensor_type.shape.dim) == 4]
        if len(pictures) != 1:
            raise LibraryError(
                f"expected one picture input with four dimensions, found {pictures or list(inputs) or 'none'}; "
                "name the right one with --input"
            )
        input_name = pictures[0]
    elif input_name not in inputs:
        raise LibraryError(f"no input is called {input_name!r}; there are {', '.join(inputs)}")
    dims = [d.dim_value if d.HasField("dim_value") else 0 for d in inputs[input_name].type.tensor_type.shape.dim]
    if len(dims) != 4:
        raise LibraryError(f"input {input_name!r} has {len(dims)} dimensions; a picture has four")
    last = dims[3] == 3 and dims[1] != 3
    height, width = dims[1:3] if last else dims[2:4]
    if not last and dims[1] not in (0, 3):
        raise LibraryError(f"input {input_name!r} has {dims[1]} channels; a colour picture has 3")
    for name, info in inputs.items():
        if name != input_name:
            _other_input(constants, name, info)
    nodes = [onnx.NodeProto.FromString(n.SerializeToString()) for n in model.graph.node]
    nodes, constants = _single_precision(model, nodes, constants)
    outputs = [o.name for o in model.graph.output]
    nominal = (1, 3, height or size, width or size)
    graph = Graph(nodes, constants, input_name, nominal, outputs)
    if last:
        _channels_first(graph)
    fold_constants(graph)
    return graph


_FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE}


def _single_precision(
    model: onnx.ModelProto, nodes: list[onnx.NodeProto], constants: dict[str, Array]
) -> tuple[list[onnx.NodeProto], dict[str, Array]]:
    """Half and double precision files in float32: weights converted, casts between floats made nothing."""
    inferred = shape_inference.infer_shapes(model)
    infos = (*inferred.graph.input, *inferred.graph.value_info)
    kinds = {info.name: info.type.tensor_type.elem_type for info in infos}
    for node in nodes:
        if node.op_type == "Cast" and attributes(node)["to"] in _FLOATS and kinds.get(node.input[0]) in _FLOATS:
            node.op_type = "Identity"
            del node.attribute[:]
    floats = {
        name: value for name, value in constants.items() if helper.np_dtype_to_tensor_dtype(value.dtype) in _FLOATS
    }
    return nodes, {**constants, **{name: value.astype(np.float32) for name, value in floats.items()}}


def _other_input(constants: dict[str, Array], name: str, info: onnx.ValueInfoProto) -> None:
    # Small extra inputs (a training flag, a blob queue) get zeros if anything reads them at all.
    kind = info.type.tensor_type
    dims = [d.dim_value or 1 for d in kind.shape.dim]
    if int(np.prod(dims)) > 4096:
        raise LibraryError(f"the model has a second input {name!r} of shape {dims}; only one picture can be fed")
    constants[name] = np.zeros(dims, helper.tensor_dtype_to_np_dtype(kind.elem_type))


def _channels_first(graph: Graph) -> None:
    # A file made for [n, h, w, 3]: feed [n, 3, h, w] and turn it; a turn back right after cancels out.
    turned = graph.fresh(f"{graph.input}_nhwc")
    readers = [node for node in graph.nodes if graph.input in node.input]
    graph.rename(graph.input, turned)
    backs = [n for n in readers if n.op_type == "Transpose" and attributes(n).get("perm") == [0, 3, 1, 2]]
    for back in backs:
        graph.rename(back.output[0], graph.input)
    graph.drop(*backs)
    if len(backs) < len(readers):
        graph.nodes.insert(0, helper.make_node("Transpose", [graph.input], [turned], perm=[0, 2, 3, 1]))


# Folded whatever they cost; anything else with only constant inputs is left when its result would be large.
_RANDOM = {
    "RandomNormal",
    "RandomUniform",
    "RandomNormalLike",
    "RandomUniformLike",
    "Multinomial",
    "Bernoulli",
}


def fold_constants(graph: Graph) -> None:
    """Replace every node whose inputs are all constants by its value."""
    kept = []
    for node in graph.nodes:
        known = all(not name or name in graph.constants for name in node.input)
        if not known or node.op_type in _RANDOM:
            kept.append(node)
            continue
        names = [name for name in dict.fromkeys(node.input) if name]
        inputs = [
            helper.make_tensor_value_info(
                n, helper.np_dtype_to_tensor_dtype(graph.constants[n].dtype), graph.constants[n].shape
            )
            for n in names
        ]
        outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
        single = helper.make_model(
            helper.make_graph([node], "constant", inputs, outputs),
            opset_imports=[helper.make_opsetid("", OPSET)],
        )
        values = ReferenceEvaluator(single).run(None, {n: graph.constants[n] for n in names})
        for name, value in zip((n for n in node.output if n), values, strict=True):
            graph.constants[name] = np.asarray(value)
    graph.nodes = kept

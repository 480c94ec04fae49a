"""An ONNX graph that can be read, asked, edited and written: the form in which all of the program sees a network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

from .node import IR_VERSION, OPSET, Array, FixedShape, GraphError, Node, Shape, ours
from .opset import to_opset
from .sizes import Size, name_sizes


class Graph:
    """Nodes in topological order, constants as arrays, and shapes where inference knows them.

    ``inputs`` maps a name to its shape (an int, or a symbol's name, for each axis); inputs are float32, or
    int64 where listed in ``integer_inputs``.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.constants: dict[str, Array] = {}
        self.inputs: dict[str, tuple[int | str, ...]] = {}
        self.integer_inputs: set[str] = set()
        self.outputs: list[str] = []
        self.shapes: dict[str, Shape] = {}
        self.types: dict[str, int] = {}  # ONNX's numbers of them; what is not listed is float32
        self.sizes: dict[str, Size] = {}  # how each named height or width follows from another
        self._shared: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._count = 0

    # Reading and writing

    @classmethod
    def read(cls, model: onnx.ModelProto) -> Graph:
        """The graph of ``model``, brought to OPSET, with constant nodes turned into constants."""
        model = to_opset(model)
        graph = cls()
        proto = model.graph
        for tensor in proto.initializer:
            graph.constants[tensor.name] = numpy_helper.to_array(tensor)
        for value in proto.input:
            if value.name not in graph.constants:  # files of old list initialisers as inputs too
                dims = value.type.tensor_type.shape.dim
                graph.inputs[value.name] = tuple(d.dim_param or d.dim_value or f"axis{i}" for i, d in enumerate(dims))
        graph.outputs = [value.name for value in proto.output]
        for p in proto.node:
            node = Node(
                p.op_type,
                list(p.input),
                list(p.output),
                attributes(p),
                p.name,
                p.domain,
            )
            if node.op == "Dropout":  # nothing is dropped here, whatever ratio and mode say
                node.inputs, node.outputs = node.inputs[:1], node.outputs[:1]
            if node.op == "BatchNormalization" and node.attrs.pop("training_mode", 0):
                # By the batch's own mean and variance: with one picture at a time, that picture's.
                node.op, node.inputs, node.outputs = "InstanceNormalization", node.inputs[:3], node.outputs[:1]
                node.attrs.pop("momentum", None)
            if p.op_type == "Constant":
                graph.constants[node.outputs[0]] = _constant_value(node)
            else:
                graph.nodes.append(node)
        graph._count = len(graph.nodes)
        return graph

    def write(self, *, values: bool = True) -> onnx.ModelProto:
        """The graph as a model that ONNX Runtime loads; unused nodes and constants are left out. Without ``values``
        large constants are only named, for what asks for shapes alone.

        Outputs are declared without a type: the runtime infers it. Shapes of four axes are declared with
        the names of their sizes: where the runtime sees that two tensors have the same size, it keeps both
        in its blocked layout, which saves most of the copies around elementwise work.
        """
        needed = self.ancestors(self.outputs)
        nodes = [n for n in self.nodes if any(o in needed for o in n.outputs)]
        used = {i for n in nodes for i in n.inputs} | set(self.outputs)
        proto = helper.make_graph(
            [
                helper.make_node(n.op, n.inputs, n.outputs, n.name or None, domain=n.domain or None, **_said(n.attrs))
                for n in nodes
            ],
            "network",
            [
                helper.make_tensor_value_info(
                    name, TensorProto.INT64 if name in self.integer_inputs else TensorProto.FLOAT, shape
                )
                for name, shape in self.inputs.items()
            ],
            [onnx.ValueInfoProto(name=name) for name in self.outputs],
            [_tensor(name, array, values) for name, array in self.constants.items() if name in used],
            value_info=[
                helper.make_tensor_value_info(o, self.types.get(o, TensorProto.FLOAT), self.shapes[o])
                for n in nodes
                for o in n.outputs
                if len(self.shapes.get(o, ())) == 4 and None not in self.shapes[o]
            ],
        )
        return helper.make_model(proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)

    # Building

    def fresh(self, hint: str) -> str:
        """A tensor name nobody has used."""
        self._count += 1
        return ours(f"{hint.removeprefix(ours(''))}__{self._count}")

    def emit(self, op: str, *inputs: str, hint: str = "", like: str = "", **attrs: Any) -> str:
        """Append a node with one output and return that output's name; ``like`` names a tensor of its shape."""
        output = self.emit_many(op, 1, *inputs, hint=hint, **attrs)[0]
        if like in self.shapes:
            self.shapes[output] = self.shapes[like]
        return output

    def emit_many(self, op: str, count: int, *inputs: str, hint: str = "", **attrs: Any) -> list[str]:
        """Append a node with ``count`` outputs and return their names."""
        outputs = [self.fresh(hint or op) for _ in range(count)]
        self.nodes.append(Node(op, list(inputs), outputs, attrs, name=outputs[0]))
        return outputs

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        """The name of a constant with this value; equal values share one name."""
        array = np.asarray(value, dtype=dtype)
        key = (str(array.dtype), array.shape, array.tobytes())
        if key not in self._shared:
            self._shared[key] = self.fresh("const")
            self.constants[self._shared[key]] = array
        return self._shared[key]

    def integers(self, *values: int) -> str:
        """The name of a constant int64 vector (axes, pads, shapes)."""
        return self.constant(values, np.int64)

    def constant_named(self, wanted: str, value: Array) -> str:
        """Add an array under a free name like ``wanted``; return the name."""
        name = self.free(wanted)
        self.constants[name] = value
        return name

    def free(self, wanted: str) -> str:
        """A tensor name nothing uses yet, ``wanted`` if possible."""
        used = self.constants.keys() | self.inputs.keys() | {o for n in self.nodes for o in n.outputs}
        name, number = wanted, 1
        while name in used:
            number += 1
            name = f"{wanted}_{number}"
        return name

    # Editing

    def rename(self, old: str, new: str) -> None:
        """Let every reader of the tensor ``old`` (and the outputs) read ``new`` instead."""
        for node in self.nodes:
            node.inputs = [new if name == old else name for name in node.inputs]
        self.outputs = [new if name == old else name for name in self.outputs]

    def insert_before(self, anchor: Node, *nodes: Node) -> None:
        """Put ``nodes`` right before ``anchor``."""
        at = self.nodes.index(anchor)
        self.nodes[at:at] = nodes

    def drop(self, *nodes: Node) -> None:
        """Take ``nodes`` out."""
        self.nodes = [node for node in self.nodes if node not in nodes]

    def replace(self, old: Node, *new: Node) -> None:
        """Put ``new`` in the place of ``old``; the first of them is called as it was."""
        new[0].name = old.name
        self.insert_before(old, *new)
        self.drop(old)

    # Asking

    @property
    def picture(self) -> str:
        """The one input of a network."""
        return next(iter(self.inputs))

    def producers(self) -> dict[str, Node]:
        """Which node makes each tensor."""
        return {o: n for n in self.nodes for o in n.outputs if o}

    def consumers(self) -> dict[str, list[Node]]:
        """Which nodes read each tensor, in order."""
        users: dict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                if name:
                    users[name].append(node)
        return users

    def ancestors(self, names: Iterable[str]) -> set[str]:
        """Every tensor that ``names`` are computed from, themselves included."""
        found, producers, waiting = set(), self.producers(), list(names)
        while waiting:
            name = waiting.pop()
            if name and name not in found:
                found.add(name)
                if name in producers:
                    waiting.extend(producers[name].inputs)
        return found

    def cut(self, outputs: list[str]) -> None:
        """Keep only what ``outputs`` need, and make them the graph's outputs."""
        needed = self.ancestors(outputs)
        self.nodes = [n for n in self.nodes if any(o in needed for o in n.outputs)]
        self.constants = {k: v for k, v in self.constants.items() if k in needed}
        self.outputs = list(outputs)

    def copy(self) -> Graph:
        """A graph whose nodes can be changed; constants, which nobody changes, are shared."""
        copy = Graph()
        copy.nodes = [
            Node(n.op, list(n.inputs), list(n.outputs), dict(n.attrs), n.name, n.domain, n.strategy, dict(n.saved))
            for n in self.nodes
        ]
        copy.constants, copy.inputs, copy.outputs = dict(self.constants), dict(self.inputs), list(self.outputs)
        copy.shapes, copy.types, copy.sizes = dict(self.shapes), dict(self.types), dict(self.sizes)
        copy._count = self._count
        return copy

    def gather_window(self, whole: str, rows: str, columns: str, window: str) -> None:
        """Replace the input ``window`` [1,c,h,w] by a larger picture and which of its rows and columns to take, int64
        [h] and [w] in any order: so a window may go around the edges, and its size is fixed all the same."""
        shape = self.inputs.pop(window)
        self.inputs |= {whole: (*shape[:2], "height", "width"), rows: shape[2:3], columns: shape[3:]}
        self.integer_inputs |= {rows, columns}
        band = self.fresh("band")
        self.nodes[:0] = [
            Node("Gather", [whole, rows], [band], {"axis": 2}, name=band),
            Node("Gather", [band, columns], [window], {"axis": 3}, name=window),
        ]

    def infer_shapes(self, sizes: Mapping[str, tuple[int, ...]] | None = None) -> dict[str, Shape]:
        """Shapes of all tensors (None for an axis known only at run time), kept in ``shapes`` and returned.

        ``sizes`` fixes the shapes of inputs for this inference only.
        """
        inferred = self._inferred(sizes or {})
        shapes: dict[str, Shape] = {k: v.shape for k, v in self.constants.items()}
        for value in inferred:
            if value.type.tensor_type.HasField("shape"):
                dims = value.type.tensor_type.shape.dim
                shapes[value.name] = tuple(d.dim_value if d.HasField("dim_value") else None for d in dims)
        self.types = {value.name: value.type.tensor_type.elem_type for value in inferred}
        self.shapes = shapes
        if not sizes:
            self.shapes |= dict(self.inputs)
            self.sizes = name_sizes(self.nodes, self.constants, self.shapes)
        return shapes

    def shapes_at(self, size: tuple[int, int] | None = None) -> dict[str, FixedShape]:
        """The shapes that are known when the picture has this height and width, or its nominal ones."""
        shape = self.inputs[self.picture]
        sizes = tuple(n if isinstance(n, int) else 1 for n in (shape if size is None else (1, shape[1], *size)))
        found = {name: value.shape for name, value in self.constants.items()}
        for value in self._inferred({self.picture: sizes}):
            dims = value.type.tensor_type.shape.dim
            if value.type.tensor_type.HasField("shape") and all(d.HasField("dim_value") for d in dims):
                found[value.name] = tuple(d.dim_value for d in dims)
        return found

    def _inferred(self, sizes: Mapping[str, tuple[int, ...]]) -> list[onnx.ValueInfoProto]:
        """What ONNX's shape inference knows of the tensors, the inputs included."""
        self.shapes = {}
        model = self.write(values=False)
        del model.graph.output[:]  # intermediate results are inferred whether or not they are outputs
        for value in model.graph.input:
            if value.name in sizes:
                value.CopyFrom(helper.make_tensor_value_info(value.name, TensorProto.FLOAT, sizes[value.name]))
        inferred = shape_inference.infer_shapes(model, data_prop=True).graph
        return [*inferred.input, *inferred.value_info]

    def rank(self, name: str, asker: Node) -> int:
        """The number of axes of a tensor; an error names the node that asks."""
        if name not in self.shapes:
            raise GraphError(f"{asker}: the shape of its tensor {name!r} is not known")
        return len(self.shapes[name])


INFERENCE_READS = 64  # values; constants with more say nothing about shapes


def _tensor(name: str, array: Array, values: bool) -> TensorProto:
    if values or array.size <= INFERENCE_READS or array.dtype.kind != "f":
        return numpy_helper.from_array(
            np.asarray(array, order="C"), name
        )  # ascontiguousarray would give scalars an axis
    return TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(array.dtype), dims=array.shape)


def _said(attrs: dict[str, Any]) -> dict[str, Any]:
    """Without empty lists, which say nothing and have no type."""
    return {name: value for name, value in attrs.items() if not (isinstance(value, list) and not value)}


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """A node's attributes as Python values; texts are bytes."""
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def _constant_value(node: Node) -> Array:
    for key, value in node.attrs.items():
        if key == "value":
            return np.asarray(numpy_helper.to_array(value))
        if key in ("value_float", "value_floats"):
            return np.asarray(value, np.float32)
        if key in ("value_int", "value_ints"):
            return np.asarray(value, np.int64)
    raise GraphError(f"{node}: only numeric constants are understood, got {', '.join(node.attrs) or 'nothing'}")

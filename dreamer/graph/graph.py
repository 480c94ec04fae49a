"""An ONNX graph that can be read, asked, edited and written: the form in which all of the program sees a network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference, version_converter

from .node import IR_VERSION, OPSET, Array, GraphError, Node, Shape, ours
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
        self.sizes: dict[str, Size] = {}  # how each named height or width follows from another
        self._shared: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._count = 0

    # Reading and writing

    @classmethod
    def read(cls, model: onnx.ModelProto) -> Graph:
        """The graph of ``model``, brought to OPSET, with constant nodes turned into constants."""
        version = max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=1)
        if version != OPSET:
            try:
                model = version_converter.convert_version(model, OPSET)
            except Exception as error:
                raise GraphError(f"cannot bring the model from opset {version} to {OPSET}: {error}") from error
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
                {a.name: helper.get_attribute_value(a) for a in p.attribute},
                p.name,
                p.domain,
            )
            if node.op == "Dropout":  # nothing is dropped here, whatever ratio and mode say
                node.inputs, node.outputs = node.inputs[:1], node.outputs[:1]
            if p.op_type == "Constant":
                graph.constants[node.outputs[0]] = _constant_value(node)
            else:
                graph.nodes.append(node)
        graph._count = len(graph.nodes)
        return graph

    def write(self) -> onnx.ModelProto:
        """The graph as a model that ONNX Runtime loads; unused nodes and constants are left out.

        Outputs are declared without a type: the runtime infers it. Shapes of four axes are declared with
        the names of their sizes: where the runtime sees that two tensors have the same size, it keeps both
        in its blocked layout, which saves most of the copies around elementwise work.
        """
        needed = self.ancestors(self.outputs)
        nodes = [n for n in self.nodes if any(o in needed for o in n.outputs)]
        used = {i for n in nodes for i in n.inputs} | set(self.outputs)
        proto = helper.make_graph(
            [
                helper.make_node(n.op, n.inputs, n.outputs, n.name or None, domain=n.domain or None, **n.attrs)
                for n in nodes
            ],
            "dream",
            [
                helper.make_tensor_value_info(
                    name, TensorProto.INT64 if name in self.integer_inputs else TensorProto.FLOAT, shape
                )
                for name, shape in self.inputs.items()
            ],
            [onnx.ValueInfoProto(name=name) for name in self.outputs],
            [numpy_helper.from_array(np.ascontiguousarray(a), n) for n, a in self.constants.items() if n in used],
            value_info=[
                helper.make_tensor_value_info(o, TensorProto.FLOAT, self.shapes[o])
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

    # Asking

    def producers(self) -> dict[str, Node]:
        """Which node makes each tensor."""
        return {o: n for n in self.nodes for o in n.outputs if o}

    def consumers(self) -> dict[str, list[Node]]:
        """Which nodes read each tensor; a node that reads it twice is listed twice."""
        users: dict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            for name in node.inputs:
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

    def descendants(self, names: Iterable[str]) -> set[str]:
        """Every tensor computed from ``names``, themselves included."""
        found = set(names)
        for node in self.nodes:
            if any(i in found for i in node.inputs):
                found.update(node.outputs)
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
        copy.shapes, copy.sizes, copy._count = dict(self.shapes), dict(self.sizes), self._count
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
        self.shapes = {}
        model = self.write()
        del model.graph.output[:]  # intermediate results are inferred whether or not they are outputs
        for value in model.graph.input:
            if sizes and value.name in sizes:
                value.CopyFrom(helper.make_tensor_value_info(value.name, TensorProto.FLOAT, sizes[value.name]))
        for tensor in model.graph.initializer:
            if tensor.data_type == TensorProto.FLOAT:  # inference needs their shapes, not 28 MB of values
                tensor.ClearField("raw_data")
        inferred = shape_inference.infer_shapes(model, data_prop=True).graph
        shapes: dict[str, Shape] = {k: v.shape for k, v in self.constants.items()}
        for value in [*inferred.input, *inferred.value_info]:
            if value.type.tensor_type.HasField("shape"):
                dims = value.type.tensor_type.shape.dim
                shapes[value.name] = tuple(d.dim_value if d.HasField("dim_value") else None for d in dims)
        self.shapes = shapes
        if not sizes:
            self.shapes |= dict(self.inputs)
            self.sizes = name_sizes(self.nodes, self.constants, self.shapes)
        return shapes

    def rank(self, name: str, asker: Node) -> int:
        """The number of axes of a tensor; an error names the node that asks."""
        if name not in self.shapes:
            raise GraphError(f"{asker}: the shape of its tensor {name!r} is not known")
        return len(self.shapes[name])


def _constant_value(node: Node) -> Array:
    for key, value in node.attrs.items():
        if key == "value":
            return np.asarray(numpy_helper.to_array(value))
        if key in ("value_float", "value_floats"):
            return np.asarray(value, np.float32)
        if key in ("value_int", "value_ints"):
            return np.asarray(value, np.int64)
    raise GraphError(f"{node}: only numeric constants are understood, got {', '.join(node.attrs) or 'nothing'}")

"""Writing TensorFlow graphs (GraphDef) by hand, and the same network computed by torch in TensorFlow's rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from .protobuf import field, message, packed, varint

MODULES = {  # 1x1, 3x3 bottleneck, 3x3, 5x5 bottleneck, 5x5, pool reduce, as the published graph has them
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 204, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 48, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


class Kind(int):
    """The number of a data type, as an attribute of a node."""


class GraphDef:
    """Nodes as they are added; `data()` is the file."""

    def __init__(self) -> None:
        self.nodes: list[bytes] = []

    def data(self) -> bytes:
        return message(*(field(1, n) for n in self.nodes))

    def node(self, op: str, name: str, *inputs: str, **attrs: Any) -> str:
        def value(v: Any) -> bytes:
            if isinstance(v, list):
                return field(1, packed(3, v))
            if isinstance(v, Kind):
                return field(6, v)
            return field({bool: 5, int: 3, float: 4, str: 2, bytes: 8}[type(v)], v)

        self.nodes.append(
            message(
                field(1, name),
                field(2, op),
                *(field(3, i) for i in inputs),
                *(field(5, message(field(1, k), field(2, value(v)))) for k, v in attrs.items()),
            )
        )
        return name

    def const(self, name: str, array: np.ndarray, splat: bool = False) -> str:
        """A constant as raw bytes, or (`splat`) as one value that stands for all."""
        array = np.asarray(array)
        kind = 3 if array.dtype.kind == "i" else 1
        shape = field(2, message(*(field(2, field(1, d)) for d in array.shape)))
        if splat:
            content = field(5, np.float32(array.flat[0]).tobytes())
        elif kind == 3:
            content = field(7, b"".join(varint(int(v)) for v in array.reshape(-1)))
        else:
            content = field(4, np.ascontiguousarray(array, "<f4").tobytes())
        return self.node("Const", name, value=message(field(1, kind), shape, content))


class Writer:
    """Builds the published inception graph, node for node, into a GraphDef."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.graph, self.weights = GraphDef(), weights
        self.graph.node("Placeholder", "input")

    def picture(self) -> str:
        return "input"

    def conv(self, name: str, x: str, stride: int = 1, padding: str = "SAME") -> str:
        g = self.graph
        w, b = g.const(f"{name}_w", self.weights[f"{name}_w"]), g.const(f"{name}_b", self.weights[f"{name}_b"])
        g.node("Conv2D", f"{name}_pre_relu/conv", x, w, padding=padding, strides=[1, stride, stride, 1])
        g.node("BiasAdd", f"{name}_pre_relu", f"{name}_pre_relu/conv", b)
        return g.node("Relu", name, f"{name}_pre_relu")

    def pool(self, name: str, x: str, kernel: int, stride: int, kind: str = "MaxPool", padding: str = "SAME") -> str:
        return self.graph.node(
            kind, name, x, ksize=[1, kernel, kernel, 1], strides=[1, stride, stride, 1], padding=padding
        )

    def lrn(self, name: str, x: str) -> str:
        return self.graph.node("LRN", name, x, depth_radius=5, bias=2.0, alpha=1e-4, beta=0.5)

    def concat(self, name: str, parts: list[str]) -> str:
        return self.graph.node("Concat", name, self.graph.const(f"{name}/concat_dim", np.array(3)), *parts)

    def flat(self, name: str, x: str, count: int) -> str:
        return self.graph.node("Reshape", name, x, self.graph.const(f"{name}/shape", np.array([-1, count])))

    def dense(self, name: str, prefix: str, x: str) -> str:
        g = self.graph
        w, b = g.const(f"{prefix}_w", self.weights[f"{prefix}_w"]), g.const(f"{prefix}_b", self.weights[f"{prefix}_b"])
        g.node("MatMul", f"{name}/matmul", x, w, transpose_a=False, transpose_b=False)
        return g.node("BiasAdd", name, f"{name}/matmul", b)

    def unary(self, op: str, name: str, x: str) -> str:
        return self.graph.node(op, name, x)


class Torch:
    """Computes the same with torch, [n, h, w, c] kept as [n, c, h, w] inside; `tensors` has every result."""

    def __init__(self, weights: dict[str, np.ndarray], picture: np.ndarray) -> None:
        self.weights, self.tensors = weights, {"input": torch.tensor(picture)}

    def picture(self) -> str:
        return "input"

    def _keep(self, name: str, value: torch.Tensor) -> str:
        self.tensors[name] = value
        return name

    @staticmethod
    def _same(x: torch.Tensor, kernel: int, stride: int, fill: float) -> torch.Tensor:
        pads: list[int] = []
        for size in (x.shape[3], x.shape[2]):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return F.pad(x, pads, value=fill)

    def conv(self, name: str, x: str, stride: int = 1, padding: str = "SAME") -> str:
        w, b = (torch.tensor(self.weights[f"{name}_{part}"]) for part in "wb")
        source = self.tensors[x]
        if padding == "SAME":
            source = self._same(source, w.shape[0], stride, 0.0)
        self._keep(f"{name}_pre_relu", F.conv2d(source, w.permute(3, 2, 0, 1), b, stride))
        return self._keep(name, self.tensors[f"{name}_pre_relu"].relu())

    def pool(self, name: str, x: str, kernel: int, stride: int, kind: str = "MaxPool", padding: str = "SAME") -> str:
        source = self.tensors[x]
        if padding == "SAME":
            source = self._same(source, kernel, stride, float("-inf"))
        return self._keep(name, (F.max_pool2d if kind == "MaxPool" else F.avg_pool2d)(source, kernel, stride))

    def lrn(self, name: str, x: str) -> str:
        source = self.tensors[x]
        square = F.pad(source**2, (0, 0, 0, 0, 5, 5))
        total = sum(square[:, i : i + source.shape[1]] for i in range(11))
        return self._keep(name, source / (2.0 + 1e-4 * total) ** 0.5)

    def concat(self, name: str, parts: list[str]) -> str:
        return self._keep(name, torch.cat([self.tensors[p] for p in parts], 1))

    def flat(self, name: str, x: str, count: int) -> str:
        source = self.tensors[x]
        return self._keep(name, source if source.dim() == 2 else source.permute(0, 2, 3, 1).reshape(-1, count))

    def dense(self, name: str, prefix: str, x: str) -> str:
        return self._keep(
            name,
            self.tensors[x] @ torch.tensor(self.weights[f"{prefix}_w"]) + torch.tensor(self.weights[f"{prefix}_b"]),
        )

    def unary(self, op: str, name: str, x: str) -> str:
        source = self.tensors[x]
        return self._keep(
            name, {"Relu": torch.relu, "Softmax": lambda t: t.softmax(1), "Identity": lambda t: t}[op](source)
        )


def inception(net: Writer | Torch, head: bool = True) -> None:
    """The published graph, in the order and under the names of its nodes; the trunk only without `head`."""
    x = net.lrn("localresponsenorm0", net.pool("maxpool0", net.conv("conv2d0", net.picture(), 2), 3, 2))
    x = net.lrn("localresponsenorm1", net.conv("conv2d2", net.conv("conv2d1", x, padding="VALID")))
    x = net.pool("maxpool1", x, 3, 2)
    for module in MODULES:
        name = f"mixed{module}"
        parts = [
            net.conv(f"{name}_1x1", x),
            net.conv(f"{name}_3x3", net.conv(f"{name}_3x3_bottleneck", x)),
            net.conv(f"{name}_5x5", net.conv(f"{name}_5x5_bottleneck", x)),
            net.conv(f"{name}_pool_reduce", net.pool(f"{name}_pool", x, 3, 1)),
        ]
        x = net.concat(name, parts)
        if module in ("3b", "4e"):
            x = net.pool({"3b": "maxpool4", "4e": "maxpool10"}[module], x, 3, 2)
    if not head:
        return
    x = net.pool("avgpool0", "mixed5b", 7, 1, "AvgPool", "VALID")
    for i, source in ((0, "mixed4a"), (1, "mixed4d")):
        y = net.pool(f"head{i}_pool", source, 5, 3, "AvgPool", "VALID")
        y = net.flat(f"head{i}_bottleneck/reshape", net.conv(f"head{i}_bottleneck", y), 2048)
        y = net.unary("Relu", f"nn{i}", net.dense(f"nn{i}_pre_relu", f"nn{i}", y))
        y = net.dense(f"softmax{i}_pre_activation", f"softmax{i}", net.flat(f"nn{i}/reshape", y, 1024))
        net.unary("Softmax", f"softmax{i}", y)
    y = net.dense("softmax2_pre_activation", "softmax2", net.flat("avgpool0/reshape", "avgpool0", 1024))
    net.unary("Softmax", "softmax2", y)
    for name, source in (("output", "softmax0"), ("output1", "softmax1"), ("output2", "softmax2")):
        net.unary("Identity", name, source)


def random_weights(seed: int = 0) -> dict[str, np.ndarray]:
    """Weights of the published shapes, drawn so that activations keep their size."""
    random = np.random.default_rng(seed)
    found: dict[str, np.ndarray] = {}

    def draw(name: str, *shape: int) -> None:
        scale = np.float32((2 / np.prod(shape[:-1])) ** 0.5)
        found[f"{name}_w"] = random.standard_normal(shape, np.float32) * scale
        found[f"{name}_b"] = random.standard_normal(shape[-1], np.float32) * np.float32(0.1)

    draw("conv2d0", 7, 7, 3, 64)
    draw("conv2d1", 1, 1, 64, 64)
    draw("conv2d2", 3, 3, 64, 192)
    depth = 192
    for module, (one, bottleneck3, three, bottleneck5, five, pool) in MODULES.items():
        name = f"mixed{module}"
        draw(f"{name}_1x1", 1, 1, depth, one)
        draw(f"{name}_3x3_bottleneck", 1, 1, depth, bottleneck3)
        draw(f"{name}_3x3", 3, 3, bottleneck3, three)
        draw(f"{name}_5x5_bottleneck", 1, 1, depth, bottleneck5)
        draw(f"{name}_5x5", 5, 5, bottleneck5, five)
        draw(f"{name}_pool_reduce", 1, 1, depth, pool)
        depth = one + three + five + pool
    for i, source in ((0, 508), (1, 528)):
        draw(f"head{i}_bottleneck", 1, 1, source, 128)
        draw(f"nn{i}", 2048, 1024)
        draw(f"softmax{i}", 1024, 1008)
    draw("softmax2", 1024, 1008)
    return found

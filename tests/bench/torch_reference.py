"""The same networks in PyTorch eager: the reference that gradients are tested and timed against.

Reads the ONNX model by itself and shares no code with the engine. Needs torch, which only development does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper
from torch import Tensor
from torch.autograd.function import Function

Attrs = dict[str, Any]


class TorchReference:
    """An ONNX model's nodes run one after the other; values are kept only as long as they are needed. With
    ``smooth_pool`` gradients pass through max pools as if they averaged."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.smooth_pool = False
        self.values = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in model.graph.initializer}
        self.input = next(i.name for i in model.graph.input if i.name not in self.values)
        self.nodes = [(n, {a.name: helper.get_attribute_value(a) for a in n.attribute}) for n in model.graph.node]

    def __call__(self, x: Tensor, wanted: str) -> Tensor:
        """The tensor ``wanted`` for the network's input ``x``."""
        values = {**self.values, self.input: x}
        for node, attrs in self._path(wanted):
            if node.op_type not in OPS:
                raise NotImplementedError(f"{node.op_type} is not in the PyTorch reference")
            attrs = {**attrs, "smooth": self.smooth_pool} if node.op_type == "MaxPool" else attrs
            values[node.output[0]] = OPS[node.op_type](attrs, *(values[i] for i in node.input if i))
        return values[wanted]

    def _path(self, wanted: str) -> list[tuple[onnx.NodeProto, Attrs]]:
        needed, path = {wanted}, []
        for node, attrs in reversed(self.nodes):
            if node.output[0] in needed:
                needed.update(node.input)
                path.append((node, attrs))
        return path[::-1]


def picture_gradient(
    reference: TorchReference,
    picture: np.ndarray,
    objective: Callable[[Tensor], Tensor],
    layer: str,
    *,
    mean: tuple[float, ...],
    scale: float = 1.0,
    bgr: bool = True,
) -> np.ndarray:
    """d objective(layer's activations) / d picture, by autograd; picture float32 [3,h,w], RGB, 0..255."""
    x = torch.from_numpy(picture)[None].requires_grad_()
    fed = (x.flip(1) if bgr else x) - torch.tensor(mean).reshape(1, 3, 1, 1)
    objective(reference(fed * scale, layer)).backward()
    assert x.grad is not None
    return np.asarray(x.grad[0])


def _padding(attrs: Attrs, x: Tensor, kernel: list[int], value: float = 0.0) -> Tensor:
    """``x`` with the node's explicit or SAME padding."""
    top, left, bottom, right = attrs.get("pads", (0, 0, 0, 0))
    auto = attrs.get("auto_pad", b"NOTSET").decode()
    if auto.startswith("SAME"):
        amounts = []
        for size, k, s in zip(x.shape[2:], kernel, attrs.get("strides", (1, 1)), strict=True):
            total = max((-(-size // s) - 1) * s + k - size, 0)
            amounts.append((total // 2, total - total // 2)[:: -1 if auto == "SAME_LOWER" else 1])
        (top, bottom), (left, right) = amounts
    return F.pad(x, (left, right, top, bottom), value=value) if any((top, left, bottom, right)) else x


def _conv(attrs: Attrs, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    rest = {
        "stride": attrs.get("strides", (1, 1)),
        "dilation": attrs.get("dilations", (1, 1)),
        "groups": attrs.get("group", 1),
    }
    pads = attrs.get("pads", (0, 0, 0, 0))
    if "auto_pad" not in attrs and pads[:2] == pads[2:]:
        return F.conv2d(x, weight, bias, padding=tuple(pads[:2]), **rest)
    reach = [d * (k - 1) + 1 for d, k in zip(rest["dilation"], weight.shape[2:], strict=True)]
    return F.conv2d(_padding(attrs, x, reach), weight, bias, **rest)


class SmoothMaxPool(Function):
    """Maxima, whose gradient is shared out evenly among a window's places."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: list[int], stride: list[int], pads: list[int], ceiling: bool) -> Tensor:
        """The maxima."""
        ctx.save_for_backward(x)
        ctx.window = kernel, stride, pads, ceiling
        return F.max_pool2d(x, kernel, stride, pads, ceil_mode=ceiling)

    @staticmethod
    def backward(ctx: Any, *dys: Tensor) -> tuple[Tensor, None, None, None, None]:
        """An average's gradient, whose windows have as many places everywhere."""
        (x,), (kernel, stride, pads, ceiling) = ctx.saved_tensors, ctx.window
        places = int(np.prod(kernel))
        dx = torch.ops.aten.avg_pool2d_backward(dys[0], x, kernel, stride, pads, ceiling, True, places)
        return dx, None, None, None, None


def _max_pool(attrs: Attrs, x: Tensor) -> Tensor:
    kernel, pads = list(attrs["kernel_shape"]), list(attrs.get("pads", (0, 0, 0, 0)))
    strides, ceiling = list(attrs.get("strides", (1, 1))), bool(attrs.get("ceil_mode", 0))
    if "auto_pad" in attrs or pads[:2] != pads[2:]:
        x, pads = _padding(attrs, x, kernel, -float("inf")), [0, 0]
    if attrs.get("smooth"):
        return cast(Tensor, SmoothMaxPool.apply(x, kernel, strides, pads[:2], ceiling))
    return F.max_pool2d(x, kernel, strides, pads[:2], ceil_mode=ceiling)


def _average_pool(attrs: Attrs, x: Tensor) -> Tensor:
    kernel, pads = attrs["kernel_shape"], attrs.get("pads", (0, 0, 0, 0))
    inside = bool(attrs.get("count_include_pad", 0))
    rest: Attrs = {"stride": tuple(attrs.get("strides", (1, 1)))}
    if "auto_pad" not in attrs and pads[:2] == pads[2:]:
        return F.avg_pool2d(
            x,
            tuple(kernel),
            padding=tuple(pads[:2]),
            count_include_pad=inside,
            ceil_mode=bool(attrs.get("ceil_mode", 0)),
            **rest,
        )
    sums = F.avg_pool2d(_padding(attrs, x, kernel), tuple(kernel), **rest)
    return sums if inside else sums / F.avg_pool2d(_padding(attrs, torch.ones_like(x), kernel), tuple(kernel), **rest)


def _gemm(attrs: Attrs, a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
    a, b = (a.T if attrs.get("transA") else a), (b.T if attrs.get("transB") else b)
    product = attrs.get("alpha", 1.0) * (a @ b)
    return product if c is None else product + attrs.get("beta", 1.0) * c


OPS: dict[str, Callable[..., Tensor]] = {
    "Conv": _conv,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True),
    "Relu": lambda a, x: F.relu(x),
    "LRN": lambda a, x: F.local_response_norm(
        x, a["size"], a.get("alpha", 1e-4), a.get("beta", 0.75), a.get("bias", 1.0)
    ),
    "Concat": lambda a, *xs: torch.cat(xs, a["axis"]),
    "Flatten": lambda a, x: torch.flatten(x, 1),
    "Gemm": _gemm,
    "Add": lambda a, x, y: x + y,
    "Sum": lambda a, *xs: sum(xs[1:], xs[0]),
    "Mul": lambda a, x, y: x * y,
    "Dropout": lambda a, x, *rest: x,
    "Identity": lambda a, x: x,
    "Softmax": lambda a, x: torch.softmax(x, a.get("axis", -1)),
    "BatchNormalization": lambda a, x, s, b, m, v: F.batch_norm(x, m, v, s, b, eps=a.get("epsilon", 1e-5)),
    "Reshape": lambda a, x, s: x.reshape([x.shape[i] if n == 0 else int(n) for i, n in enumerate(s)]),
    "Transpose": lambda a, x: x.permute(*a["perm"]),
    "Unsqueeze": lambda a, x, *axes: _unsqueeze(x, a["axes"] if "axes" in a else axes[0].tolist()),
    "ConstantOfShape": lambda a, s: torch.full(
        [int(n) for n in s], float(numpy_helper.to_array(a["value"])[0]) if "value" in a else 0.0
    ),
}


def _unsqueeze(x: Tensor, axes: list[int]) -> Tensor:
    for axis in sorted(axes):
        x = x.unsqueeze(axis)
    return x

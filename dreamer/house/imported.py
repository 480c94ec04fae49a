"""A network read from its ONNX file, in PyTorch: differentiable, on any device, and never trained."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.helper import get_attribute_value
from torch import Tensor
from torch.nn import functional as F

from ..library.files import ModelFiles


class Imported:
    """The convolutional part of a registered network: operators as GoogLeNet and the house model need them."""

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        self.info = ModelFiles.read(folder).info
        model = onnx.load(str(folder / "model.onnx"))
        self.device = torch.device(device)
        self.weights = {w.name: self._weight(numpy_helper.to_array(w)) for w in model.graph.initializer}
        self.nodes = [
            (node.op_type, list(node.input), node.output[0], {a.name: get_attribute_value(a) for a in node.attribute})
            for node in model.graph.node
        ]
        self.layers = frozenset(output for _, _, output, _ in self.nodes)
        mean = torch.tensor(self.info.mean, device=self.device)[:, None, None]
        self._mean = mean.flip(0) if self.info.channel_order == "BGR" else mean

    def _weight(self, value: NDArray[Any]) -> Tensor:
        tensor = torch.from_numpy(np.array(value)).to(self.device)
        return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor

    def see(self, x: Tensor, wanted: Iterable[str], *, half: bool = True) -> dict[str, Tensor]:
        """The layers `wanted` of pictures [n, 3, h, w] in -1..1 RGB, in bfloat16 or (not `half`) in float32.

        Raises ValueError for a layer that it has not, and for an operator that is not known here.
        """
        wanted = list(wanted)
        if absent := [name for name in wanted if name not in self.layers]:
            raise ValueError(f"{self.info.name} has no layer {absent[0]}")
        fed = (x * 127.5 + 127.5 - self._mean) * self.info.scale
        fed = fed.flip(1) if self.info.channel_order == "BGR" else fed
        values = {self.info.input: fed.contiguous(memory_format=torch.channels_last)}
        needed = self._needed(wanted)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            for operator, inputs, output, attributes in self.nodes:
                if output in needed:
                    if operator not in OPERATORS:
                        raise ValueError(f"{output}: operator {operator}, expected one of {', '.join(OPERATORS)}")
                    given = [values[name] if name in values else self.weights[name] for name in inputs]
                    values[output] = OPERATORS[operator](given, attributes)
        return {name: values[name].float() for name in wanted}

    def classifier(self) -> tuple[Tensor, Tensor]:
        """Weight [classes, channels] and bias [classes] of its last, fully connected layer."""
        gemm = next((inputs for operator, inputs, _, _ in self.nodes if operator == "Gemm"), None)
        if gemm is None:
            raise ValueError(f"{self.info.name} has no fully connected layer to classify with")
        return self.weights[gemm[1]], self.weights[gemm[2]]

    def _needed(self, wanted: Iterable[str]) -> set[str]:
        needed = set(wanted)
        for _, inputs, output, _ in reversed(self.nodes):
            if output in needed:
                needed.update(inputs)
        return needed


def _convolution(given: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    return F.conv2d(*given, stride=attributes.get("strides", 1), padding=tuple(attributes.get("pads", (0, 0))[:2]))


def _max_pool(given: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    pads = tuple(attributes.get("pads", (0, 0))[:2])
    ceil = bool(attributes.get("ceil_mode", 0))
    return F.max_pool2d(given[0], attributes["kernel_shape"], attributes["strides"], pads, ceil_mode=ceil)


def _mean_pool(given: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    pads = tuple(attributes.get("pads", (0, 0))[:2])
    counted = bool(attributes.get("count_include_pad", 0))
    kernel, stride = attributes["kernel_shape"], attributes["strides"]
    return F.avg_pool2d(given[0], kernel, stride, pads, bool(attributes.get("ceil_mode", 0)), counted)


def response_norm(given: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    """Local response normalisation, the sum over neighbouring channels as a convolution of one px."""
    x, size = given[0], attributes["size"]
    if attributes.get("beta", 0.75) != 0.75:
        raise ValueError(f"a response norm has beta {attributes['beta']}, expected 0.75")
    channel = torch.arange(x.shape[1], device=x.device)
    near = ((channel[:, None] - channel[None]).abs() <= size // 2).to(x.dtype)[:, :, None, None]
    total = attributes.get("bias", 1.0) + attributes.get("alpha", 1e-4) / size * F.conv2d(x * x, near)
    return x * torch.rsqrt(total) * torch.sqrt(torch.rsqrt(total))  # ** -0.75


OPERATORS: dict[str, Any] = {
    "Conv": _convolution,
    "Relu": lambda given, _: F.relu(given[0]),
    "MaxPool": _max_pool,
    "AveragePool": _mean_pool,
    "LRN": response_norm,
    "Concat": lambda given, attributes: torch.cat(given, attributes["axis"]),
}

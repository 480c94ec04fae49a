"""A larger network that begins as a smaller one of ours: its filters, and more beside them.

Of each layer the first channels are those of the model that is already there. They take nothing from the new ones at
first, so the larger network says just what the smaller one said, and training goes on from there (after Chen,
Goodfellow and Shlens, "Net2Net: Accelerating Learning via Knowledge Transfer", 2016; here new filters are random).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from .imported import Imported
from .network import MODULES, POOL_AFTER, House, Inception, Unit


def widen(house: House, folder: Path, x: Tensor) -> None:
    """Give `house` the weights of the registered model in `folder`, which is as deep and no wider.

    Its norms were folded away; they are set anew by what the views `x` [n, 3, h, w] in -1..1 give. Raises ValueError
    for a model that is wider somewhere or lacks a layer.
    """
    with torch.no_grad():
        _Widening(house, Imported(folder).weights).run(x)


class _Widening:
    def __init__(self, house: House, smaller: dict[str, Tensor]) -> None:
        self.house, self.smaller = house, smaller

    def run(self, x: Tensor) -> None:
        house = self.house
        x, known = self._unit(house.conv1, "conv1/6x6_s2", x, [0, 1, 2])
        x, known = self._unit(house.conv2, "conv2/3x3", F.avg_pool2d(x, 2), known)
        x = F.avg_pool2d(x, 2)
        for name in MODULES:
            module = house.modules_by_name[name]
            assert isinstance(module, Inception)
            x, known = self._inception(module, f"inception_{name}", x, known)
            if name in POOL_AFTER:
                x = F.avg_pool2d(x, 2)
        weight, bias = self._of("classes")
        head = house.classes
        assert head.bias is not None
        head.weight.zero_()
        head.weight[:, known] = weight
        head.bias.copy_(bias)

    def _inception(self, module: Inception, name: str, x: Tensor, known: list[int]) -> tuple[Tensor, list[int]]:
        def paths() -> Iterator[tuple[Tensor, list[int]]]:
            yield self._unit(module.one, f"{name}/1x1", x, known)
            yield self._unit(module.three, f"{name}/3x3", *self._unit(module.reduce3, f"{name}/3x3_reduce", x, known))
            reduced = self._unit(module.reduce5, f"{name}/5x5_reduce", x, known)
            first = self._unit(module.five_a, f"{name}/5x5_first", *reduced)
            yield self._unit(module.five, f"{name}/5x5", *first)
            pooled = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
            yield self._unit(module.project, f"{name}/pool_proj", pooled, known)

        seen: list[Tensor] = []
        places: list[int] = []
        for value, old in paths():
            places += [sum(v.shape[1] for v in seen) + number for number in old]
            seen.append(value)
        return torch.cat(seen, dim=1), places

    def _unit(self, unit: Unit, name: str, x: Tensor, known: list[int]) -> tuple[Tensor, list[int]]:
        """What the unit gives, and which of its channels the smaller model has; `known`: which of its inputs."""
        weight, bias = self._of(name)
        old, new = len(weight), unit.convolution.weight
        if old > len(new) or weight.shape[1] != len(known) or weight.shape[2:] != new.shape[2:]:
            raise ValueError(f"{name} is {tuple(weight.shape)}, which does not fit into {tuple(new.shape)}")
        new[:old] = 0
        new[:old, known] = weight
        norm = unit.norm
        given = unit.convolution(x)
        variance, mean = torch.var_mean(given, dim=(0, 2, 3), unbiased=False)
        assert norm.running_mean is not None and norm.running_var is not None
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight[:old] = torch.sqrt(variance[:old] + norm.eps)
        norm.bias[:old] = mean[:old] + bias
        return F.relu(F.batch_norm(given, mean, variance, norm.weight, norm.bias, eps=norm.eps)), list(range(old))

    def _of(self, name: str) -> tuple[Tensor, Tensor]:
        try:
            return self.smaller[f"{name}_w"], self.smaller[f"{name}_b"]
        except KeyError:
            raise ValueError(f"the model to begin with has no layer {name}") from None

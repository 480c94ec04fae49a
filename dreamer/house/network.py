"""The network: a small Inception with GoogLeNet's names, in PyTorch.

Where it differs from GoogLeNet (Szegedy et al. 2014): batch norm, folded away at export; two 3x3 for each 5x5; the
first kernel (6x6, stride 2) is a whole number of strides wide and the pools between the stages are 2x2 means, so that
every pixel reaches the layers above equally often and dreams show no checkerboard; and the classifier is a 1x1
convolution over the last feature map, `classes`, whose channels say what each place looks like.

The time goes where the maps are large. So the stem is thin, three modules see every eighth pixel, as in the first
edition, and the new width is in the three above them, where it costs little: for parts of things, heads, wings and
wheels, not patterns alone.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STEM = (16, 48)  # channels of conv1, conv2
# (1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection)
MODULES: dict[str, tuple[int, int, int, int, int, int]] = {
    "3a": (32, 32, 64, 8, 24, 24),
    "4a": (56, 40, 80, 16, 32, 32),
    "4b": (72, 48, 112, 16, 48, 40),
    "4c": (128, 80, 176, 32, 80, 64),
    "5a": (128, 96, 208, 32, 80, 64),
    "5b": (144, 96, 224, 32, 96, 64),
}
POOL_AFTER = {"4b"}


class Unit(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, before: int, after: int, size: int, stride: int = 1, pad: int | None = None) -> None:
        super().__init__()
        pad = size // 2 if pad is None else pad
        self.convolution = nn.Conv2d(before, after, size, stride, pad, bias=False)
        self.norm = nn.BatchNorm2d(after)
        nn.init.kaiming_normal_(self.convolution.weight, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.convolution(x)))


class Inception(nn.Module):
    """Four ways to look at the same places, side by side."""

    def __init__(self, before: int, widths: tuple[int, int, int, int, int, int]) -> None:
        super().__init__()
        one, reduce3, three, reduce5, five, pool = widths
        self.one = Unit(before, one, 1)
        self.reduce3, self.three = Unit(before, reduce3, 1), Unit(reduce3, three, 3)
        self.reduce5, self.five_a, self.five = Unit(before, reduce5, 1), Unit(reduce5, five, 3), Unit(five, five, 3)
        self.project = Unit(before, pool, 1)
        self.channels = one + three + five + pool

    def forward(self, x: Tensor) -> Tensor:
        """Where it learns, its four convolutions of one pixel are one, which saves a seventh of the time."""
        if self.training:
            one, reduced3, reduced5, projected = self._together(x)
        else:
            pooled = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
            one, reduced3, reduced5, projected = self.one(x), self.reduce3(x), self.reduce5(x), self.project(pooled)
        return torch.cat([one, self.three(reduced3), self.five(self.five_a(reduced5)), projected], dim=1)

    def _together(self, x: Tensor) -> tuple[Tensor, ...]:
        """What one, reduce3, reduce5 and project give. Means of places may as well be taken after a convolution of one
        pixel as before it."""
        units = self.one, self.reduce3, self.reduce5, self.project
        norms = [unit.norm for unit in units]
        widths = [norm.num_features for norm in norms]
        given = F.conv2d(x, torch.cat([unit.convolution.weight for unit in units]))
        pooled = F.avg_pool2d(given[:, -widths[-1] :], 3, 1, 1, count_include_pad=False)
        given = torch.cat([given[:, : -widths[-1]], pooled], dim=1)
        means, variances = (torch.cat([getattr(n, k) for n in norms]) for k in ("running_mean", "running_var"))
        gains, lifts = torch.cat([n.weight for n in norms]), torch.cat([n.bias for n in norms])
        first = norms[0]
        found = F.relu(F.batch_norm(given, means, variances, gains, lifts, True, first.momentum or 0.1, first.eps))
        with torch.no_grad():
            for norm, mean, variance in zip(norms, means.split(widths), variances.split(widths), strict=True):
                assert norm.running_mean is not None and norm.running_var is not None
                norm.running_mean.copy_(mean)
                norm.running_var.copy_(variance)
        return tuple(found.split(widths, dim=1))


class House(nn.Module):
    """Pictures [n, 3, h, w] in -1..1 RGB to class scores at each place, [n, classes, h/16, w/16]."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        first, second = STEM
        self.conv1 = Unit(3, first, 6, stride=2, pad=2)
        self.conv2 = Unit(first, second, 3)
        modules, depth = OrderedDict[str, nn.Module](), second
        for name, widths in MODULES.items():
            modules[name] = Inception(depth, widths)
            depth = modules[name].channels
        self.modules_by_name = nn.ModuleDict(modules)
        self.classes = nn.Conv2d(depth, classes, 1)
        nn.init.normal_(self.classes.weight, std=0.01)

    def forward(self, x: Tensor) -> Tensor:
        return self.classes(self.outputs(x)[next(reversed(MODULES))])

    def outputs(self, x: Tensor) -> dict[str, Tensor]:
        """What each module gives, by its name."""
        x = F.avg_pool2d(self.conv1(x), 2)
        x = F.avg_pool2d(self.conv2(x), 2)
        found = {}
        for name, module in self.modules_by_name.items():
            found[name] = x = module(x)
            if name in POOL_AFTER:
                x = F.avg_pool2d(x, 2)
        return found


class Student(nn.Module):
    """The network while it learns from a teacher: with projections from its modules to what is kept of the teacher's
    depths, {module: components}, and a head for the teacher's kinds of things. Both are dropped afterwards."""

    def __init__(self, classes: int, projections: dict[str, int], kinds: int) -> None:
        super().__init__()
        self.house = House(classes)
        depths = {name: module.channels for name, module in self.house.modules_by_name.items()}
        self.projections = nn.ModuleDict({name: nn.Conv2d(depths[name], n, 1) for name, n in projections.items()})
        self.kinds = nn.Conv2d(self.house.classes.in_channels, kinds, 1)

    def forward(self, x: Tensor, taught: int | None = None) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Class scores; of the first `taught` views or all, the teacher's kinds' scores and what it says of each of
        the teacher's depths."""
        outputs = self.house.outputs(x)
        last = outputs[next(reversed(MODULES))]
        projected = tuple(project(outputs[name][:taught]) for name, project in self.projections.items())
        return self.house.classes(last), self.kinds(last[:taught]), projected

"""The architectures that people bring, in small and with random weights, and how torch exports them."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIDE = 64  # px; the networks of one size have this one


class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(channels, channels // 2, 1), nn.Conv2d(channels // 2, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * F.hardsigmoid(self.up(F.relu(self.down(F.adaptive_avg_pool2d(x, 1)))))


class Mobile(nn.Module):
    """As MobileNetV3."""

    def __init__(self) -> None:
        super().__init__()
        depthwise = nn.Conv2d(16, 16, 3, 1, 1, groups=16)
        stem = [nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.Hardswish(), depthwise, nn.BatchNorm2d(16), nn.ReLU()]
        self.layers = nn.Sequential(*stem, Gate(16), nn.Conv2d(16, 32, 5, 2, 2), nn.Hardswish())
        self.head = nn.Sequential(nn.Linear(32, 48), nn.Hardswish(), nn.Dropout(), nn.Linear(48, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.flatten(F.adaptive_avg_pool2d(self.layers(x), 1), 1))


class ChannelNorm(nn.LayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class WideBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.spread = nn.Conv2d(channels, channels, 7, 1, 3, groups=channels)
        self.norm, self.scale = nn.LayerNorm(channels), nn.Parameter(torch.rand(channels))
        self.up, self.down = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.down(F.gelu(self.up(self.norm(self.spread(x).permute(0, 2, 3, 1))))) * self.scale
        return x + y.permute(0, 3, 1, 2)


class Convolved(nn.Module):
    """As ConvNeXt."""

    def __init__(self) -> None:
        super().__init__()
        patches, halves = nn.Conv2d(3, 16, 4, 4), nn.Conv2d(16, 32, 2, 2)
        self.layers = nn.Sequential(patches, ChannelNorm(16), WideBlock(16), ChannelNorm(16), halves, WideBlock(32))
        self.norm, self.head = ChannelNorm(32), nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(F.adaptive_avg_pool2d(self.layers(x), 1)).flatten(1))


class Halves(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        spread = nn.Conv2d(half, half, 3, 1, 1, groups=half)
        self.branch = nn.Sequential(nn.Conv2d(half, half, 1), nn.ReLU(), spread, nn.Conv2d(half, half, 1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        left, right = x.chunk(2, dim=1)
        y = torch.cat((left, self.branch(right)), 1)
        n, c, h, w = y.size()
        return y.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


class Shuffled(nn.Module):
    """As ShuffleNetV2."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), Halves(16), Halves(16), Halves(16))
        self.head = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layers(x).mean([2, 3]))


class Decoded(nn.Module):
    """As a segmenting network: down and up again, by every way there is."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Conv2d(3, 16, 3, 2, 1), nn.Conv2d(16, 32, 3, 2, 1), nn.Conv2d(8, 10, 1)
        self.groups, self.instance = nn.GroupNorm(4, 32), nn.InstanceNorm2d(16, affine=True)
        self.up, self.shuffle = nn.ConvTranspose2d(32, 16, 2, 2), nn.PixelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        y = F.silu(self.groups(self.second(F.mish(self.first(x)))))
        up = F.interpolate(y, scale_factor=2, mode="bilinear")
        return self.last(self.shuffle(torch.cat([self.instance(self.up(y)), up[:, :16]], 1)))


class ResNet(nn.Module):
    """As ResNet; in groups, as ResNeXt; gated, as RegNetY."""

    def __init__(self, groups: int = 1, gated: bool = False) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 7, 2, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.blocks = nn.Sequential(Residual(16, 16, 1, groups, gated), Residual(16, 32, 2, groups, gated))
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.adaptive_avg_pool2d(self.blocks(self.pool(self.stem(x))), 1).flatten(1))


class Residual(nn.Module):
    def __init__(self, before: int, after: int, stride: int, groups: int, gated: bool) -> None:
        super().__init__()
        down, wide = nn.Conv2d(before, 16, 1, bias=False), nn.Conv2d(16, 16, 3, stride, 1, groups=groups, bias=False)
        gate: list[nn.Module] = [Gate(16)] if gated else []
        up = [nn.Conv2d(16, after, 1, bias=False), nn.BatchNorm2d(after)]
        self.way = nn.Sequential(down, nn.BatchNorm2d(16), nn.ReLU(), wide, nn.BatchNorm2d(16), nn.ReLU(), *gate, *up)
        self.beside = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.way(x) + self.beside(x))


class Vgg(nn.Module):
    """As VGG, with dense layers that know one size."""

    def __init__(self) -> None:
        super().__init__()
        first = [nn.Conv2d(3, 8, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, 1, 1), nn.ReLU()]
        self.features = nn.Sequential(*first, nn.MaxPool2d(2), nn.Conv2d(16, 16, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(4))
        self.head = nn.Sequential(nn.Linear(16 * 16, 24), nn.ReLU(), nn.Dropout(), nn.Linear(24, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.flatten(self.features(x), 1))


class Fire(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.squeeze, self.one = nn.Conv2d(before, 8, 1), nn.Conv2d(8, after // 2, 1)
        self.three = nn.Conv2d(8, after // 2, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.one(y)), F.relu(self.three(y))], 1)


class Squeezed(nn.Module):
    """As SqueezeNet."""

    def __init__(self) -> None:
        super().__init__()
        stem = [nn.Conv2d(3, 16, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True)]
        self.layers = nn.Sequential(*stem, Fire(16, 24), Fire(24, 24), nn.Conv2d(24, 10, 1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return torch.flatten(F.adaptive_avg_pool2d(self.layers(x), 1), 1)


class Dense(nn.Module):
    """As DenseNet."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 2, 1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(16 + 8 * i) for i in range(3))
        self.convolutions = nn.ModuleList(nn.Conv2d(16 + 8 * i, 8, 3, 1, 1) for i in range(3))
        self.between, self.norm, self.head = nn.Conv2d(40, 20, 1), nn.BatchNorm2d(20), nn.Linear(20, 10)

    def forward(self, x: Tensor) -> Tensor:
        y = self.stem(x)
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            y = torch.cat([y, convolution(F.relu(norm(y)))], 1)
        y = F.relu(self.norm(F.avg_pool2d(self.between(y), 2)))
        return self.head(F.adaptive_avg_pool2d(y, 1).flatten(1))


class Inverted(nn.Module):
    """As MobileNetV2; with gates and SiLU, as EfficientNet."""

    def __init__(self, gated: bool = False) -> None:
        super().__init__()
        act: Callable[[], nn.Module] = nn.SiLU if gated else nn.ReLU6
        gate: list[nn.Module] = [Gate(32)] if gated else []
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), act())
        wide = [nn.Conv2d(16, 32, 1), nn.BatchNorm2d(32), act(), nn.Conv2d(32, 32, 3, 1, 1, groups=32), act()]
        self.block = nn.Sequential(*wide, *gate, nn.Conv2d(32, 16, 1), nn.BatchNorm2d(16))
        self.down = nn.Sequential(nn.Conv2d(16, 16, 3, 2, 1, groups=16), nn.BatchNorm2d(16), act())
        self.head = nn.Sequential(nn.Dropout(), nn.Linear(16, 10))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return self.head(self.down(x + self.block(x)).mean([2, 3]))


class Inception(nn.Module):
    """As Inception v3; with a scaled sum, as Inception-ResNet."""

    def __init__(self, residual: bool = False) -> None:
        super().__init__()
        self.residual = residual
        self.stem, self.one = nn.Conv2d(3, 16, 3, 2), nn.Conv2d(16, 8, 1)
        self.long = nn.Sequential(nn.Conv2d(16, 8, (1, 7), 1, (0, 3)), nn.ReLU(), nn.Conv2d(8, 8, (7, 1), 1, (3, 0)))
        self.pooled, self.joined = nn.Conv2d(16, 8, 1), nn.Conv2d(24, 16, 1)
        self.reduce, self.head = nn.Conv2d(16, 16, 3, 2), nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        y = torch.cat([self.one(x), self.long(x), self.pooled(F.avg_pool2d(x, 3, 1, 1))], 1)
        y = self.joined(F.relu(y))
        y = F.relu(x + 0.17 * y if self.residual else y)
        y = torch.cat([self.reduce(y), F.max_pool2d(y, 3, 2)], 1)
        return self.head(F.adaptive_avg_pool2d(y, 1).flatten(1))


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.all, self.out = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        n, t, c = x.shape
        q, k, v = self.all(x).reshape(n, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) * (c // self.heads) ** -0.5
        scores = scores if bias is None else scores + bias
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, t, c))


class Block(nn.Module):
    def __init__(self, width: int, scaled: bool) -> None:
        super().__init__()
        self.first, self.second, self.attention = nn.LayerNorm(width), nn.LayerNorm(width), Attention(width, 2)
        self.dense = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.scale = nn.Parameter(torch.rand(width)) if scaled else 1.0

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.first(x)) * self.scale
        return x + self.dense(self.second(x)) * self.scale


class Vit(nn.Module):
    """As ViT; with scaled layers and registers, as DINOv2."""

    def __init__(self, beside: int = 1, scaled: bool = False) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 16, 16)
        self.beside = nn.Parameter(torch.randn(1, beside, 16))
        self.places = nn.Parameter(torch.randn(1, beside + (SIDE // 16) ** 2, 16))
        self.blocks = nn.Sequential(Block(16, scaled), Block(16, scaled))
        self.norm, self.head = nn.LayerNorm(16), nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        y = self.patches(x).flatten(2).transpose(1, 2)
        y = torch.cat([self.beside.expand(x.shape[0], -1, -1), y], 1) + self.places
        return self.head(self.norm(self.blocks(y))[:, 0])


class Windowed(nn.Module):
    def __init__(self, width: int, side: int, shift: int) -> None:
        super().__init__()
        self.side, self.shift, self.norm = side, shift, nn.LayerNorm(width)
        self.attention, self.bias = Attention(width, 2), nn.Parameter(torch.randn(1, 2, side**2, side**2))

    def forward(self, x: Tensor) -> Tensor:
        n, h, w, c = x.shape
        s, y = self.side, self.norm(x)
        y = torch.roll(y, (-self.shift, -self.shift), (1, 2))
        y = y.view(n, h // s, s, w // s, s, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, s * s, c)
        y = self.attention(y, self.bias)
        y = y.view(n, h // s, w // s, s, s, c).permute(0, 1, 3, 2, 4, 5).reshape(n, h, w, c)
        return x + torch.roll(y, (self.shift, self.shift), (1, 2))


class Swin(nn.Module):
    """As Swin: windows that shift, and patches that merge."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.blocks = nn.Conv2d(3, 16, 4, 4), nn.Sequential(Windowed(16, 4, 0), Windowed(16, 4, 2))
        self.merge, self.norm, self.last = nn.Linear(64, 32, bias=False), nn.LayerNorm(64), Windowed(32, 4, 0)
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        y = self.blocks(self.patches(x).permute(0, 2, 3, 1))
        y = torch.cat([y[:, i::2, j::2] for j in (0, 1) for i in (0, 1)], -1)
        return self.head(self.last(self.merge(self.norm(y))).mean((1, 2)))


class Pooled(nn.Module):
    """As CLIP's ResNet: convolutions, and attention in the place of the last pool."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.AvgPool2d(2), Residual(16, 16, 2, 1, False))
        self.places = nn.Parameter(torch.randn((SIDE // 8) ** 2 + 1, 16))
        self.attention, self.head = Attention(16, 2), nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        y = self.trunk(x).flatten(2).permute(0, 2, 1)
        y = torch.cat([y.mean(1, keepdim=True), y], 1) + self.places
        return self.head(self.attention(y)[:, 0])


FREE: dict[str, Callable[[], nn.Module]] = {
    "ResNet": ResNet,
    "ResNeXt": lambda: ResNet(groups=4),
    "RegNet": lambda: ResNet(groups=2, gated=True),
    "VGG": Vgg,
    "SqueezeNet": Squeezed,
    "DenseNet": Dense,
    "MobileNetV2": Inverted,
    "MobileNetV3": Mobile,
    "EfficientNet": lambda: Inverted(gated=True),
    "Inception v3": Inception,
    "Inception-ResNet": lambda: Inception(residual=True),
    "ShuffleNetV2": Shuffled,
    "ConvNeXt": Convolved,
    "a decoder": Decoded,
}
SIZED: dict[str, Callable[[], nn.Module]] = {
    "ViT": Vit,
    "DINOv2": lambda: Vit(beside=5, scaled=True),
    "Swin": Swin,
    "CLIP ResNet": Pooled,
}
SMALL = FREE | SIZED


def made(kind: Callable[[], nn.Module]) -> nn.Module:
    """A network with random weights, whose norms have seen a picture."""
    torch.manual_seed(3)
    net = kind().train()
    with torch.no_grad():
        net(torch.randn(2, 3, SIDE, SIDE))
    return net.eval()


def export(
    net: nn.Module,
    file: Path,
    *,
    side: int = SIDE,
    dynamic: bool = False,
    new: bool = False,
    outputs: Sequence[str] = ("scores",),
) -> None:
    """Write a network as an ONNX file, with torch's older exporter or its ``new`` one, quietly."""
    x, names = torch.randn(1, 3, side, side), {"input_names": ["input"], "output_names": list(outputs)}
    options: dict[str, Any] = {"opset_version": 18 if new else 17, "dynamo": new, **names}
    if dynamic and new:
        size = torch.export.Dim("h", min=32, max=1024), torch.export.Dim("w", min=32, max=1024)
        options["dynamic_shapes"] = ({2: size[0], 3: size[1]},)
    elif dynamic:
        options["dynamic_axes"] = {"input": {0: "n", 2: "h", 3: "w"}}
    if new:
        options |= {"verbose": False, "external_data": False}
    logging.getLogger("torch.onnx").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (x,), str(file), **options)
